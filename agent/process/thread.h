/* Starting a thread. */
#ifndef OB_PROCESS_THREAD_H
#define OB_PROCESS_THREAD_H

#include <pthread.h>

#include "proto/error.h"

/*
 * Runs `run(arg)` in a thread of its own, which the caller joins. -1, with `*thread` 0 and `err` "no thread for
 * WHO: why, and what helps".
 */
int ob_thread_start(pthread_t *thread, void *(*run)(void *), void *arg, const char *who, struct ob_err *err);

#endif
