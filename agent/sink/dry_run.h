/*
 * The output of --dry-run, in place of sending: each line on standard output, behind the name of the sink's type.
 * Two sinks may print at a time; their lines do not mix. Any thread.
 */
#ifndef OB_SINK_DRY_RUN_H
#define OB_SINK_DRY_RUN_H

#include <stddef.h>

#include "agent/process/stop.h"
#include "proto/error.h"

/* Waits for whoever reads standard output, until a stop's deadline has come. */
int ob_dry_run_print(const char *type, const char *lines, size_t length, struct ob_stop *stop, struct ob_err *err);

#endif
