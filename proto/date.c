#include "proto/date.h"

#include <stdio.h>
#include <time.h>

/* timegm() turns a date that does not exist into another date. */
static bool is_same(const struct tm *a, const struct tm *b)
{
        return a->tm_year == b->tm_year && a->tm_mon == b->tm_mon && a->tm_mday == b->tm_mday &&
               a->tm_hour == b->tm_hour && a->tm_min == b->tm_min && a->tm_sec == b->tm_sec;
}

bool ob_date_parse(const char *text, int64_t *seconds)
{
        struct tm tm = { .tm_mday = 1 }, made;
        const char *end = strptime(text, "%Y-%m-%d %H:%M:%S", &tm);
        time_t got;

        if (!end || *end)
                return false;
        made = tm;
        got = timegm(&made);
        if (!is_same(&tm, &made))
                return false;
        *seconds = got;
        return true;
}

const char *ob_date_format(char date[OB_DATE_MAX], int64_t seconds, char between)
{
        const char format[] = { '%', 'F', between, '%', 'T', '\0' };
        time_t time = (time_t)seconds;
        struct tm tm;

        if (seconds == INT64_MIN || !gmtime_r(&time, &tm) || !strftime(date, OB_DATE_MAX, format, &tm))
                snprintf(date, OB_DATE_MAX, "-");
        return date;
}
