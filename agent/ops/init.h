/* otterbeat --init: writes the first config, the commented config, and the script to start and stop with. */
#ifndef OB_OPS_INIT_H
#define OB_OPS_INIT_H

#include <stdbool.h>

#include "proto/error.h"

/* What the command line says about the servers. NULL: the config gets the default. Borrowed. */
struct ob_init {
        const char *mysql;             /* mysql://USER@HOST:PORT/DATABASE */
        const char *password_file;     /* of that user */
        const char *manager;           /* the address of the manager's pages */
        const char *statsd, *graphite; /* HOST:PORT. If only one is set, the config has only that sink */
};

enum ob_init_result {
        OB_INIT_WRITTEN,
        OB_INIT_WRONG, /* a value of `init` is wrong, and nothing was written */
        OB_INIT_KEPT,  /* otterbeat.cfg was there with another text, and stays without `init` */
        OB_INIT_FAILED /* a file cannot be written */
};

/*
 * Writes otterbeat.cfg with what `init` says, otterbeat.cfg.example and `ctl` into `dir`, and says on standard
 * output what was written. A file that is there already is left as it is. Anything but OB_INIT_WRITTEN comes with
 * `err`.
 */
enum ob_init_result ob_init(const char *dir, const struct ob_init *init, struct ob_err *err);

#endif
