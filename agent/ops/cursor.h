/* otterbeat cursor: shows where each source and sink stands, and takes a source back. */
#ifndef OB_OPS_CURSOR_H
#define OB_OPS_CURSOR_H

#include "config/config.h"

/* The words behind `cursor`. Does it, and returns the exit code. */
int ob_cursor(const struct ob_config *config, int argc, char **argv);

#endif
