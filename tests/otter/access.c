#include "tests/otter/access.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stddef.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The first that fits counts. */
static const struct {
        const char *pattern;
        enum fo_access access;
} rules[] = {
        { "/", FO_ANYONE },
        { "/monitor/*", FO_ANYONE },
        { "/api/*", FO_ANYONE },
        { "*.css", FO_ANYONE },
        { "*.js", FO_ANYONE },
        { "*.png", FO_ANYONE },
        { "/*login.htm", FO_ANYONE },
        { "/*forbidden.htm", FO_ANYONE },
        { "/*check*.htm", FO_ANYONE },
        { "/*List.htm", FO_ANYONE },
        { "/*_list.htm", FO_ANYONE },
        { "/*Info.htm", FO_ANYONE },
        { "/*_info.htm", FO_ANYONE },
        { "/*analysis*.htm", FO_ANYONE },
        { "/*[rR]ecord*.htm", FO_ANYONE },
        { "/*behaviorHistoryCurve.htm", FO_ANYONE },
        { "/*add*.htm", FO_ADMINISTRATORS },
        { "/*edit*.htm", FO_ADMINISTRATORS },
        { "/*select*.htm", FO_ADMINISTRATORS },
        { "/*userManager.htm", FO_ADMINISTRATORS },
        { "/*user_manager.htm", FO_ADMINISTRATORS },
        { "/*system_*.htm", FO_ADMINISTRATORS },
        { "/*systemParameter.htm", FO_ADMINISTRATORS },
};

enum fo_access fo_access_of(const char *path)
{
        for (size_t i = 0; i < COUNT_OF(rules); i++) {
                if (fnmatch(rules[i].pattern, path, 0) == 0)
                        return rules[i].access;
        }
        return FO_NOBODY;
}

int fo_access_page(const char *path, char *name, unsigned size)
{
        const char *end = strrchr(path, '.');
        unsigned length = 0;

        if (!end || strcmp(end, ".htm") != 0)
                return -1;
        for (const char *at = path + 1; at < end; at++) {
                int raised = *at == '_' && at + 1 < end;

                at += raised;
                if (length + 1 >= size)
                        return -1;
                name[length++] = raised ? (char)toupper((unsigned char)*at) : *at;
        }
        name[length] = 0;
        return 0;
}
