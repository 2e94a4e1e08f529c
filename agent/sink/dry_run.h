/*
 * The output of --dry-run: each line goes to standard output, after the name of the sink's type. The lines of two
 * sinks do not mix. Any thread.
 */
#ifndef OB_SINK_DRY_RUN_H
#define OB_SINK_DRY_RUN_H

#include <stddef.h>

#include "agent/process/stop.h"
#include "proto/error.h"

/* Waits for the reader of standard output, at most until the deadline of a stop. */
int ob_dry_run_print(const char *type, const char *lines, size_t length, struct ob_stop *stop, struct ob_err *err);

#endif
