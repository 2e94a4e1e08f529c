#include "tests/otter/template.h"

#include <ctype.h>
#include <string.h>

#include "tests/otter/entities.h"

/* Code points of UTF-8, which is well-formed here: it comes from the database. */
static unsigned next_code_point(const char **at)
{
        const unsigned char *byte = (const unsigned char *)*at;
        unsigned code = *byte++;
        unsigned more = code >= 0xf0 ? 3 : code >= 0xe0 ? 2 : code >= 0xc0 ? 1 : 0;

        if (more)
                code &= 0x3fU >> more;
        for (; more && *byte; more--)
                code = code << 6 | (*byte++ & 0x3fU);
        *at = (const char *)byte;
        return code;
}

void fo_template_escape(struct fo_text *out, const char *text)
{
        while (*text) {
                const char *begin = text;
                unsigned code = next_code_point(&text);
                const char *name = fo_entity_name(code);

                if (name)
                        fo_text_addf(out, "&%s;", name);
                else if (code == '\'')
                        fo_text_add(out, "&#39;");
                else
                        fo_text_addf(out, "%.*s", (int)(text - begin), begin);
        }
}

void fo_template_add_dos(struct fo_text *out, const struct fo_text *text)
{
        const char *line = text->length ? text->bytes : "";
        const char *end;

        while ((end = strchr(line, '\n'))) {
                fo_text_addf(out, "%.*s\r\n", (int)(end - line), line);
                line = end + 1;
        }
        fo_text_add(out, line);
}

static size_t name_length(const char *name)
{
        size_t length = 0;

        if (!isalpha((unsigned char)*name))
                return 0;
        while (isalnum((unsigned char)name[length]) || name[length] == '.')
                length++;
        return length;
}

static const struct fo_value *find(const struct fo_value *values, const char *name, size_t length)
{
        for (; values && values->name; values++) {
                if (strlen(values->name) == length && !memcmp(values->name, name, length))
                        return values->value ? values : NULL;
        }
        return NULL;
}

/* Adds what stands for the reference at `dollar`; returns where the text goes on. */
static const char *add_reference(struct fo_text *out, const char *dollar, const struct fo_value *values)
{
        bool quiet = dollar[1] == '!';
        const char *name = dollar + 1 + quiet;
        size_t length = name_length(name);
        const struct fo_value *found = find(values, name, length);

        if (!length)
                name = dollar + 1; /* a dollar of JavaScript */
        if (found && found->raw)
                fo_text_add(out, found->value);
        if (found && !found->raw)
                fo_template_escape(out, found->value);
        if (!found && !(quiet && length))
                fo_text_addf(out, "%.*s", (int)(name + length - dollar), dollar);
        return name + length;
}

void fo_template_add(struct fo_text *out, const char *template, const struct fo_value *values)
{
        const char *dollar;

        while ((dollar = strchr(template, '$'))) {
                fo_text_addf(out, "%.*s", (int)(dollar - template), template);
                template = add_reference(out, dollar, values);
        }
        fo_text_add(out, template);
}
