/*
 * When clocks change in the years to come, as POSIX writes it in TZ: CET-1CEST,M3.5.0,M10.5.0/3. Only the form
 * that zoneinfo's compiler writes for zones of today: M, and J for none.
 */
#ifndef OB_CONFIG_ZONE_RULE_H
#define OB_CONFIG_ZONE_RULE_H

#include <stdbool.h>
#include <stdint.h>

/* The week-th such day of a month (5: the last), 0 being Sunday, at so many seconds of the clock on the wall. */
struct ob_zone_day {
        int month, week, weekday, seconds;
};

struct ob_zone_rule {
        bool is_set, has_summer;
        int standard, summer; /* seconds east of Greenwich */
        struct ob_zone_day begin, end;
};

bool ob_zone_rule_read(struct ob_zone_rule *rule, const char *text);

/* Seconds east of Greenwich at a time. */
int64_t ob_zone_rule_offset(const struct ob_zone_rule *rule, int64_t epoch);

#endif
