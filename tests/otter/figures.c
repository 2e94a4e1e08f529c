#include "tests/otter/figures.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ZONES "/usr/share/zoneinfo/"

static bool is_known(const char *zone)
{
        char path[256];

        snprintf(path, sizeof(path), ZONES "%s", zone);
        return *zone && !strstr(zone, "..") && access(path, R_OK) == 0;
}

int fo_figure_zone(const char *zone)
{
        char rule[32];
        char sign[2];
        int hours;
        int minutes;
        int end = 0;

        if (sscanf(zone, "%1[+-]%2d:%2d%n", sign, &hours, &minutes, &end) == 3 && !zone[end]) {
                /* POSIX counts westwards. */
                snprintf(rule, sizeof(rule), "LCT%c%d:%02d", *sign == '+' ? '-' : '+', hours % 100, minutes % 100);
                zone = rule;
        } else if (!is_known(zone)) {
                return -1;
        }
        setenv("TZ", zone, 1);
        tzset();
        return 0;
}

const char *fo_figure_plain(char *out, int64_t number)
{
        snprintf(out, FO_FIGURE_SIZE, "%" PRId64, number);
        return out;
}

/* Parts stand apart. */
static void add_part(char *out, int64_t number, const char *decimals, const char *unit)
{
        size_t length = strlen(out);

        snprintf(out + length, FO_FIGURE_SIZE - length, "%s%" PRId64 "%s %s", length ? " " : "", number, decimals,
                unit);
}

/* "3.456 s", "3.4 s", "3 s" */
static void add_seconds(char *out, int64_t ms, bool comma)
{
        char decimals[8];
        size_t length;

        snprintf(decimals, sizeof(decimals), "%c%03d", comma ? ',' : '.', (int)(ms % 1000));
        length = strlen(decimals);
        while (decimals[length - 1] == '0')
                length--;
        decimals[length > 1 ? length : 0] = 0;
        add_part(out, ms / 1000, decimals, "s");
}

const char *fo_figure_delay(char *out, int64_t ms, bool comma)
{
        if (ms <= 0)
                return fo_figure_plain(out, ms);
        *out = 0;
        if (ms / 3600000)
                add_part(out, ms / 3600000, "", "h");
        if (ms / 60000 % 60)
                add_part(out, ms / 60000 % 60, "", "m");
        if (ms % 60000)
                add_seconds(out, ms % 60000, comma);
        return out;
}

const char *fo_figure_number(char *out, int64_t number, bool comma)
{
        char digits[FO_FIGURE_SIZE];
        const char *digit = fo_figure_plain(digits, number);
        size_t left = strlen(digits);
        char *at = out;

        while (left) {
                *at++ = *digit++;
                if (--left && left % 3 == 0 && at[-1] != '-')
                        *at++ = comma ? '.' : ',';
        }
        *at = 0;
        return out;
}

const char *fo_figure_date(char *out, int64_t epoch)
{
        time_t at = (time_t)epoch;
        struct tm parts;

        *out = 0;
        if (epoch && localtime_r(&at, &parts))
                strftime(out, FO_FIGURE_SIZE, "%Y-%m-%d %H:%M:%S", &parts);
        return out;
}
