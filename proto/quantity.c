#include "proto/quantity.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

const char *ob_quantity_time(char text[OB_QUANTITY_MAX], int64_t ms)
{
        static const struct {
                int64_t seconds, up_to;
                const char *word;
        } units[] = { { 1, 120, "s" }, { 60, 7200, "min" }, { 3600, 172800, "h" }, { 86400, INT64_MAX, "d" } };
        int64_t seconds = ms / 1000;
        size_t i = 0;

        while (seconds >= units[i].up_to)
                i++;
        snprintf(text, OB_QUANTITY_MAX, "%" PRId64 " %s", seconds / units[i].seconds, units[i].word);
        return text;
}

const char *ob_quantity_count(char text[OB_QUANTITY_MAX], int64_t number)
{
        char digits[24];
        size_t n = (size_t)snprintf(digits, sizeof(digits), "%" PRId64, number), to = 0;

        for (size_t i = 0; i < n; i++) {
                if (i && (n - i) % 3 == 0 && digits[i - 1] != '-')
                        text[to++] = ',';
                text[to++] = digits[i];
        }
        text[to] = '\0';
        return text;
}

const char *ob_quantity_bytes(char text[OB_QUANTITY_MAX], int64_t bytes)
{
        if (bytes < 10000)
                snprintf(text, OB_QUANTITY_MAX, "%" PRId64 " B", bytes);
        else if (bytes < 1000000)
                snprintf(text, OB_QUANTITY_MAX, "%.1f kB", (double)bytes / 1e3);
        else
                snprintf(text, OB_QUANTITY_MAX, "%.1f MB", (double)bytes / 1e6);
        return text;
}
