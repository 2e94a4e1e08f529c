#include "agent/process/thread.h"

#include <errno.h>

int ob_thread_start(pthread_t *thread, void *(*run)(void *), void *arg, const char *who, struct ob_err *err)
{
        int code = pthread_create(thread, NULL, run, arg);

        if (!code)
                return 0;
        *thread = 0;
        errno = code; /* pthread_create returns the error, and leaves errno alone */
        return ob_fail(err,
                "no thread for %s: %m; raise the limit of processes and threads (ulimit -u, TasksMax) or of "
                "memory",
                who);
}
