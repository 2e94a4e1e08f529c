/*
 * The status page: a small web server of its own thread, which sleeps until somebody asks. Off unless the config's
 * `status` says where to listen. Everything is read only.
 */
#ifndef OB_OPS_STATUS_H
#define OB_OPS_STATUS_H

#include "agent/ops/status_view.h"
#include "proto/error.h"

struct ob_status;

/* What `of` names must stay until the stop. NULL without `err` being said: it is off. */
int ob_status_start(struct ob_status **status, const struct ob_status_of *of, struct ob_err *err);
void ob_status_stop(struct ob_status *status);

#endif
