/* otterbeat --init: the demo config, and `ctl` to start and stop with. */
#ifndef OB_OPS_INIT_H
#define OB_OPS_INIT_H

#include "proto/error.h"

/* Writes both into `dir`, saying what it wrote on standard output; a file that is there is left as it is. */
int ob_init(const char *dir, struct ob_err *err);

#endif
