/* A cell of a table: what is read as a number is written so that it is read as the same one. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/bytes.h"
#include "proto/memory.h"
#include "proto/number.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void through_bytes(struct ob_metric_value value)
{
        struct ob_bytes b = { .length = 0 };
        struct ob_bytes_reader p;
        struct ob_metric_value back;

        ob_bytes_add_value(&b, value);
        p = (struct ob_bytes_reader) { b.data, b.data + b.length };
        assert(ob_bytes_read_value(&p, &back) && p.at == p.end);
        assert(back.is_real == value.is_real && !ob_number_compare(back, value));
        ob_bytes_free(&b);
}

/* A double that is beyond 64 bits is read as their end, since it has no exponent any more. */
static void through_text(struct ob_metric_value value)
{
        char text[OB_NUMBER_MAX];
        size_t length = ob_number_format(text, value);
        struct ob_metric_value back;
        bool is_clamped;

        assert(length < sizeof(text) && strlen(text) == length && strspn(text, "-.0123456789") == length);
        assert(ob_number_parse(text, &back, &is_clamped));
        assert(is_clamped ? value.is_real : !ob_number_compare(back, value) && back.is_real == value.is_real);
        assert(!value.is_real || strtod(text, NULL) == value.real);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        ob_cleanup(ob_free_at) char *text = ob_format("%.*s", (int)size, (const char *)data);
        struct ob_bytes_reader p = { data, data + size };
        struct ob_metric_value value;
        int64_t whole;
        double real;

        if (ob_number_parse(text, &value, NULL)) {
                through_text(value);
                through_bytes(value);
        }
        if (ob_number_parse_int(text, &whole))
                through_text(ob_whole(whole));
        if (ob_bytes_read_value(&p, &value)) {
                through_text(value);
                through_bytes(value);
        }
        if (size >= sizeof(real)) { /* any double, also one that no text may hold */
                memcpy(&real, data, sizeof(real));
                if (ob_number_from_real(real, &value)) {
                        through_text(value);
                        through_bytes(value);
                }
        }
        return 0;
}
