/* Files for an operator: written into a folder, said on standard output, and never over what is there unasked. */
#ifndef OB_OPS_OUTFILE_H
#define OB_OPS_OUTFILE_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "proto/error.h"

struct ob_out {
        const char *dir;
        const char *url; /* of what the files speak of; NULL */
        bool replace;    /* a file that is there and differs; else it is left as it is */
};

/* Reads --out DIR, --replace and, where it is taken, --url URL, from behind the first word. -1: misuse. */
int ob_out_options(int argc, char **argv, bool takes_url, struct ob_out *out);

/* Writes a new file. 1: there is one of that name. */
int ob_out_new(const char *path, mode_t mode, const char *text, struct ob_err *err);

/* Writes `value`, which it takes over, as dir/name; makes the folders on the way there. */
int ob_out_json(const struct ob_out *out, const char *name, json_t *value, struct ob_err *err);

/*
 * otterbeat --init: writes the demo config and `ctl`, the script to start and stop with, into `dir`, and says on
 * standard output what was written. A file that is there already is left as it is.
 */
int ob_init(const char *dir, struct ob_err *err);

#endif
