#include "config/start.h"

#include <stdlib.h>
#include <string.h>

#include "proto/date.h"

/* Reads "-2h": a number of seconds, minutes, hours or days back. */
static bool read_ago(const char *text, int64_t *seconds)
{
        static const struct {
                char unit;
                int seconds;
        } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
        char *end;
        long n;

        if (*text != '-' || text[1] < '0' || text[1] > '9')
                return false;
        n = strtol(text + 1, &end, 10);
        if (n > 100000 || !*end || end[1])
                return false;
        for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
                if (units[i].unit == *end) {
                        *seconds = (int64_t)n * units[i].seconds;
                        return true;
                }
        return false;
}

bool ob_start_parse(const char *text, struct ob_start *start)
{
        *start = (struct ob_start) { .kind = OB_START_NOW };
        if (!strcmp(text, "now"))
                return true;
        start->kind = OB_START_OLDEST;
        if (!strcmp(text, "oldest"))
                return true;
        start->kind = OB_START_AGO;
        if (read_ago(text, &start->seconds))
                return true;
        start->kind = OB_START_AT;
        return ob_date_parse(text, &start->seconds);
}

int64_t ob_start_time(const struct ob_start *start, int64_t now)
{
        switch (start->kind) {
        case OB_START_OLDEST:
                return INT64_MIN;
        case OB_START_AT:
                return start->seconds;
        case OB_START_AGO:
                return now - start->seconds;
        case OB_START_NOW:
                break;
        }
        return now;
}
