/*
 * How a manager writes figures: delays, grouped numbers, dates of its own zone.
 */
#ifndef FO_FIGURES_H
#define FO_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

enum { FO_FIGURE_SIZE = 64 };

/* From here on dates are of this zone ("Asia/Shanghai", "+08:00"); -1: there is none such. */
int fo_figure_zone(const char *zone);

/* Each writes into FO_FIGURE_SIZE bytes and returns them. `comma`: as in German, 3,456 and 1.000. */
const char *fo_figure_delay(char *out, int64_t ms, bool comma);
const char *fo_figure_number(char *out, int64_t number, bool comma);
const char *fo_figure_plain(char *out, int64_t number);

/* "2020-04-20 12:05:57"; 0 is no date, and empty. */
const char *fo_figure_date(char *out, int64_t epoch);

#endif
