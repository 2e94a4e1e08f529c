/*
 * The rule for clock changes after the last change that a zoneinfo file lists, in the form of POSIX's TZ variable:
 * CET-1CEST,M3.5.0,M10.5.0/3. Days must be in the form M, the only form that today's zoneinfo files use. Pure
 * functions.
 */
#ifndef OB_CONFIG_ZONE_RULE_H
#define OB_CONFIG_ZONE_RULE_H

#include <stdbool.h>
#include <stdint.h>

/* The `week`th `weekday` of a month (5: the last one; 0 is Sunday), `seconds` after midnight of local time. */
struct ob_zone_day {
        int month, week, weekday, seconds;
};

struct ob_zone_rule {
        bool is_set, has_summer;
        int standard, summer; /* seconds east of Greenwich */
        struct ob_zone_day begin, end;
};

/* False when the text is not such a rule. */
bool ob_zone_rule_read(struct ob_zone_rule *rule, const char *text);

/* The offset at a time: seconds east of Greenwich. `epoch` is in seconds since 1970. */
int64_t ob_zone_rule_offset(const struct ob_zone_rule *rule, int64_t epoch);

#endif
