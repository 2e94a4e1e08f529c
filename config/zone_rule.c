#include "config/zone_rule.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

#define DAY 86400

/* RFC 8536, 3.3.1 */
#define OFFSET_HOURS_MAX 24
#define DAY_HOURS_MAX    167

/* Skips the name of a zone: three letters or more, or a name in brackets like <+08>. */
static bool skip_name(const char **at)
{
        size_t n;

        if (**at == '<') {
                const char *end = strchr(*at, '>');

                *at = end ? end + 1 : *at;
                return end != NULL;
        }
        n = strspn(*at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
        *at += n;
        return n >= 3;
}

static bool read_number(const char **at, int max, int *n)
{
        if (!isdigit((unsigned char)**at))
                return false;
        for (*n = 0; isdigit((unsigned char)**at); (*at)++) {
                *n = *n * 10 + (**at - '0');
                if (*n > max)
                        return false;
        }
        return true;
}

/* Reads [+-]H[:M[:S]]. */
static bool read_clock(const char **at, int hours_max, int *seconds)
{
        int sign = **at == '-' ? -1 : 1, hours = 0, minutes = 0, rest = 0;

        if (**at == '-' || **at == '+')
                (*at)++;
        if (!read_number(at, hours_max, &hours))
                return false;
        if (**at == ':' && ((*at)++, !read_number(at, 59, &minutes)))
                return false;
        if (**at == ':' && ((*at)++, !read_number(at, 59, &rest)))
                return false;
        *seconds = sign * (hours * 3600 + minutes * 60 + rest);
        return true;
}

/* Reads ",M10.5.0/3"; without a time the change is at 2 o'clock. */
static bool read_day(const char **at, struct ob_zone_day *day)
{
        day->seconds = 7200;
        if (strncmp(*at, ",M", 2) != 0)
                return false;
        *at += 2;
        if (!read_number(at, 12, &day->month) || *(*at)++ != '.' || !read_number(at, 5, &day->week) ||
                *(*at)++ != '.' || !read_number(at, 6, &day->weekday) || !day->month || !day->week)
                return false;
        if (**at != '/')
                return true;
        (*at)++;
        return read_clock(at, DAY_HOURS_MAX, &day->seconds);
}

bool ob_zone_rule_read(struct ob_zone_rule *rule, const char *text)
{
        int west;

        *rule = (struct ob_zone_rule) { .is_set = true };
        if (!skip_name(&text) || !read_clock(&text, OFFSET_HOURS_MAX, &west))
                return false;
        rule->standard = -west;
        if (!*text)
                return true;
        rule->has_summer = true;
        rule->summer = rule->standard + 3600;
        if (!skip_name(&text))
                return false;
        if (*text != ',') {
                if (!read_clock(&text, OFFSET_HOURS_MAX, &west))
                        return false;
                rule->summer = -west;
        }
        return read_day(&text, &rule->begin) && read_day(&text, &rule->end) && !*text;
}

/* The time of a change in a year, by local time: seconds since 1970, as if local time were UTC. */
static int64_t find_day(const struct ob_zone_day *day, int year)
{
        struct tm first = { .tm_year = year - 1900, .tm_mon = day->month - 1, .tm_mday = 1, .tm_hour = 12 };
        struct tm next = { .tm_year = year - 1900, .tm_mon = day->month, .tm_mday = 1, .tm_hour = 12 };
        int64_t begin = timegm(&first), end = timegm(&next);
        int64_t found = begin + (day->weekday - first.tm_wday + 7) % 7 * DAY + (day->week - 1) * 7 * DAY;

        if (found >= end)
                found -= 7 * DAY;
        return found - DAY / 2 + day->seconds;
}

int64_t ob_zone_rule_offset(const struct ob_zone_rule *rule, int64_t epoch)
{
        time_t local = epoch + rule->standard;
        struct tm tm;
        int64_t begin, end;

        if (!rule->has_summer || !gmtime_r(&local, &tm))
                return rule->standard;
        begin = find_day(&rule->begin, tm.tm_year + 1900) - rule->standard;
        end = find_day(&rule->end, tm.tm_year + 1900) - rule->summer;
        if (begin < end)
                return epoch >= begin && epoch < end ? rule->summer : rule->standard;
        return epoch >= end && epoch < begin ? rule->standard : rule->summer;
}
