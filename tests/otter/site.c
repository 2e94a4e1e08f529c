#include "tests/otter/site.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void fo_answer_fini(struct fo_answer *answer)
{
        fo_text_fini(&answer->location);
        fo_text_fini(&answer->body);
}

const char *fo_visit_query(const struct fo_visit *visit, const char *name)
{
        return MHD_lookup_connection_value(visit->connection, MHD_GET_ARGUMENT_KIND, name);
}

int64_t fo_visit_number(const struct fo_visit *visit, const char *name, int64_t otherwise)
{
        const char *value = fo_visit_query(visit, name);
        char *end;
        int64_t number;

        if (!value)
                return otherwise;
        number = strtoll(value, &end, 10);
        return end == value || *end ? otherwise : number;
}

static void add_encoded(struct fo_text *out, const char *text)
{
        for (; *text; text++) {
                if (isalnum((unsigned char)*text) || strchr("-_.*", *text))
                        fo_text_addf(out, "%c", *text);
                else
                        fo_text_addf(out, "%%%02X", (unsigned char)*text);
        }
}

void fo_visit_send_to(const struct fo_visit *visit, struct fo_answer *answer, const char *page)
{
        answer->status = MHD_HTTP_FOUND;
        fo_text_addf(&answer->location, "%s/%s?done=", visit->site->address, page);
        add_encoded(&answer->location, visit->site->address);
        add_encoded(&answer->location, visit->uri);
}
