#include "agent/store/table.h"

#include <string.h>

struct ob_value ob_value_number(int64_t n)
{
        return (struct ob_value) { .type = OB_VALUE_NUMBER, .number = n };
}

struct ob_value ob_value_text(const char *t)
{
        return (struct ob_value) { .type = OB_VALUE_TEXT, .data = t, .length = strlen(t) };
}

struct ob_value ob_value_blob(const void *data, size_t length)
{
        return (struct ob_value) { .type = OB_VALUE_BLOB, .data = length ? data : "", .length = length };
}
