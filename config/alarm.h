/*
 * Finds the parts of an alarm's text in LOG_RECORD. Pure functions. Facts: MonitorName and the rule monitors of
 * alibaba/otter (DelayStatRuleMonitor, PositionTimeoutRuleMonitor, …, ExceptionRuleMonitor), RestartAlarmRecovery.
 */
#ifndef OB_CONFIG_ALARM_H
#define OB_CONFIG_ALARM_H

#include <stdbool.h>

#include "proto/text.h"

/* Each is an ob_part_fn: false, and nothing is added to `out`, when the text has no such part. */
bool ob_alarm_code(
        const char *text, struct ob_text *out); /* where an exception happened: setl, canal, mainstem, … */
bool ob_alarm_class(const char *text,
        struct ob_text *out); /* like SQLException: the last "Caused by:", else the first exception */
bool ob_alarm_alert(const char *text, struct ob_text *out); /* error, warning or success */

/*
 * Seconds, up to 10^9. A larger number is no part: Otter writes the seconds since 1970 when the event never
 * happened.
 */
bool ob_alarm_delay(const char *text, struct ob_text *out);
bool ob_alarm_no_delay(const char *text, struct ob_text *out); /* since the last delay was written */
bool ob_alarm_no_sync(const char *text, struct ob_text *out);
bool ob_alarm_process(const char *text, struct ob_text *out);
bool ob_alarm_position(const char *text, struct ob_text *out); /* since the position moved */
bool ob_alarm_no_data(const char *text, struct ob_text *out);  /* since canal had data */

#endif
