/*
 * The status page: a small web server in a thread of its own, which sleeps until a request comes. It is off unless
 * the config's `status` says where to listen. No request can change anything.
 */
#ifndef OB_STATUS_STATUS_H
#define OB_STATUS_STATUS_H

#include "agent/status/view.h"
#include "proto/error.h"

struct ob_status;

/* All that `of` points to must live until ob_status_stop. 0 with `*status` NULL: the status page is off. */
int ob_status_start(struct ob_status **status, const struct ob_status_of *of, struct ob_err *err);
void ob_status_stop(struct ob_status *status);

#endif
