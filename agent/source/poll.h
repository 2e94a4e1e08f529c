/*
 * One poll of a source of rows: the reader opens and reads the clock; the delta of the source's shape reads pages
 * of rows, decides which rows are new, and commits. A failed poll keeps what was committed. The worker's thread.
 */
#ifndef OB_SOURCE_POLL_H
#define OB_SOURCE_POLL_H

#include "agent/source/task.h"

/* The worker sets its members of `f` before. */
void ob_task_init(struct ob_task *f);
void ob_task_fini(struct ob_task *f);

/* 1: a stop ended the poll early; what was committed stays. */
int ob_task_poll(struct ob_task *f, struct ob_err *err);

#endif
