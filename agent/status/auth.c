#include "agent/status/auth.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/memory.h"

/* Where the encoded text begins; NULL: the header has another scheme. */
static const char *skip_scheme(const char *header)
{
        static const char scheme[] = "basic";
        size_t length = sizeof(scheme) - 1;

        if (!header || strncasecmp(header, scheme, length) != 0 || header[length] != ' ')
                return NULL;
        return header + length + strspn(header + length, " ");
}

/* Decodes base64, with padding or without. False: the text is no base64, or holds a NUL. */
static bool decode(const char *text, char *out)
{
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        size_t n = strspn(text, digits), padding = strspn(text + n, "="), length = 0;
        uint32_t bits = 0;

        if (text[n + padding] || padding > 2 || n % 4 == 1 || (padding && (n + padding) % 4))
                return false;
        for (size_t i = 0; i < n; i++) {
                bits = bits << 6 | (uint32_t)(strchr(digits, text[i]) - digits);
                if (i % 4)
                        out[length++] = (char)(bits >> (6 - 2 * (i % 4)) & 0xff);
        }
        out[length] = '\0';
        return strlen(out) == length;
}

bool ob_status_credentials(const char *header, char **user, const char **password)
{
        const char *text = skip_scheme(header);
        char *made, *colon;

        if (!text)
                return false;
        made = ob_alloc(strlen(text) + 1, 1);
        colon = decode(text, made) ? strchr(made, ':') : NULL;
        if (!colon) {
                explicit_bzero(made, strlen(text));
                free(made);
                return false;
        }
        *colon = '\0';
        *user = made;
        *password = colon + 1;
        return true;
}
