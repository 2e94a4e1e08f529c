/*
 * What can be read off the text of an alarm in LOG_RECORD. Pure functions. Facts: MonitorName and the rule monitors
 * of alibaba/otter (DelayStatRuleMonitor, PositionTimeoutRuleMonitor, …, ExceptionRuleMonitor),
 * RestartAlarmRecovery.
 */
#ifndef OB_CONFIG_ALARM_H
#define OB_CONFIG_ALARM_H

#include <stdbool.h>

#include "proto/text.h"

/* False, and nothing written, when the text does not say it. All are ob_part_fn. */
bool ob_alarm_code(const char *text, struct ob_text *out); /* setl, canal, mainstem, …: what an exception is of */
bool ob_alarm_class(
        const char *text, struct ob_text *out); /* SQLException: the last cause that is told, or the first */
bool ob_alarm_alert(const char *text, struct ob_text *out); /* error, warning or success */

/* Seconds, up to 10^9: what never was is told as the seconds since 1970. */
bool ob_alarm_delay(const char *text, struct ob_text *out);
bool ob_alarm_no_delay(const char *text, struct ob_text *out); /* since a delay was told */
bool ob_alarm_no_sync(const char *text, struct ob_text *out);
bool ob_alarm_process(const char *text, struct ob_text *out);
bool ob_alarm_position(const char *text, struct ob_text *out); /* since the position moved */
bool ob_alarm_no_data(const char *text, struct ob_text *out);  /* since canal had data */

#endif
