#include "agent/source/web/zone_dates.h"

void ob_zone_dates_add(struct ob_zone_dates *dates, const struct ob_zone_date *date)
{
        size_t i = dates->n;

        if (i == OB_ZONE_DATES_MAX && dates->all[--i].local >= date->local)
                return;
        for (; i && dates->all[i - 1].local < date->local; i--)
                dates->all[i] = dates->all[i - 1];
        dates->all[i] = *date;
        dates->n += dates->n < OB_ZONE_DATES_MAX;
}
