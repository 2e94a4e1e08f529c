/* A cell of a table: what is read as a number is written so that it is read as the same one. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "proto/bytes.h"
#include "proto/number.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void through_bytes(__int128 micros)
{
        struct ob_bytes b = { .length = 0 };
        struct ob_bytes_reader p;
        __int128 back;

        ob_bytes_add_number(&b, micros);
        p = (struct ob_bytes_reader) { b.data, b.data + b.length };
        assert(ob_bytes_read_number(&p, &back) && back == micros && p.at == p.end);
        ob_bytes_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char text[OB_NUMBER_MAX];
        __int128 micros, back;
        int64_t whole;
        size_t length;

        if (ob_number_parse((const char *)data, size, &micros)) {
                length = ob_number_format(text, micros);
                assert(length < sizeof(text) && strlen(text) == length);
                assert(ob_number_parse(text, length, &back) && back == micros);
                through_bytes(micros);
        }
        if (ob_number_parse_int((const char *)data, size, &whole)) {
                length = ob_number_format(text, (__int128)whole * OB_MICROS);
                assert(ob_number_parse(text, length, &back) && back == (__int128)whole * OB_MICROS);
        }
        if (size >= sizeof(micros)) { /* any number, also one that no text may hold */
                memcpy(&micros, data, sizeof(micros));
                length = ob_number_format(text, micros);
                assert(length < sizeof(text) && strlen(text) == length);
                if (ob_number_parse(text, length, &back))
                        assert(back == micros);
        }
        return 0;
}
