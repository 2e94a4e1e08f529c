/* Starting a thread. */
#ifndef OB_PROCESS_THREAD_H
#define OB_PROCESS_THREAD_H

#include <pthread.h>

#include "proto/error.h"

/*
 * Runs `run(arg)` in a new thread, which the caller joins. On failure returns -1, sets `*thread` to 0, and `err` to
 * "no thread for WHO: why, and what helps".
 */
int ob_thread_start(pthread_t *thread, void *(*run)(void *), void *arg, const char *who, struct ob_err *err);

#endif
