#include "proto/date.h"

#include <stdio.h>
#include <time.h>

/* "2020-04-20 00:00:00" */
#define FORM "%Y-%m-%d %H:%M:%S"

/* What timegm would make of a date that there is not is another one. */
static bool is_same(const struct tm *a, const struct tm *b)
{
        return a->tm_year == b->tm_year && a->tm_mon == b->tm_mon && a->tm_mday == b->tm_mday &&
               a->tm_hour == b->tm_hour && a->tm_min == b->tm_min && a->tm_sec == b->tm_sec;
}

bool ob_date_parse(const char *text, int64_t *seconds)
{
        struct tm tm = { .tm_mday = 1 }, made;
        const char *end = strptime(text, FORM, &tm);
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

const char *ob_date_format(int64_t seconds, char text[OB_DATE_SIZE])
{
        time_t time = (time_t)seconds;
        struct tm tm;

        if (!gmtime_r(&time, &tm) || !strftime(text, OB_DATE_SIZE, FORM, &tm))
                snprintf(text, OB_DATE_SIZE, "-");
        return text;
}
