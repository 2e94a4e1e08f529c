/*
 * One transaction of a task: a batch of points for the queue, the checkpoint up to which rows were read, and all
 * that belongs to them. Either all of it is written, or nothing. The worker's thread.
 */
#ifndef OB_SOURCE_TRANSACTION_H
#define OB_SOURCE_TRANSACTION_H

#include "agent/source/task.h"

/* Writes what a delta must store together with its points, inside the transaction. */
typedef int ob_task_stage_fn(struct ob_task *f, struct ob_err *err);

/*
 * Appends the task's outbox to the queue, writes what `stage` writes (NULL: nothing), and moves the task's
 * checkpoint to `next`. Waits for room in the queue. 1: a stop is wanted, and nothing was written.
 */
int ob_task_commit(
        struct ob_task *f, const struct ob_checkpoint *next, ob_task_stage_fn *stage, struct ob_err *err);

#endif
