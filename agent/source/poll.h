/*
 * One poll of a source of rows: the reader opens and says what time it is, the delta of the source's shape reads
 * pages of rows, decides what is new, and commits. A poll that fails half-way changes nothing that was not
 * committed. The worker's thread.
 */
#ifndef OB_SOURCE_POLL_H
#define OB_SOURCE_POLL_H

#include "agent/source/task.h"

/* `f` has what the worker sets. */
void ob_task_init(struct ob_task *f);
void ob_task_fini(struct ob_task *f);

/* 1: a stop cut the poll short; what was committed stands. */
int ob_task_poll(struct ob_task *f, struct ob_err *err);

#endif
