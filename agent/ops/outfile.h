/* Files for an operator: written into a folder and named on standard output. A file that is there is only replaced
 * when the operator says so. */
#ifndef OB_OPS_OUTFILE_H
#define OB_OPS_OUTFILE_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "proto/error.h"

struct ob_out {
        const char *dir;
        const char *url; /* the address that the files link to; NULL: none */
        bool replace;    /* replaces files that differ; else they are left as they are */
};

/* Reads --out DIR, --replace and, with `takes_url`, --url URL from behind the first word. -1: wrong usage. */
int ob_out_options(int argc, char **argv, bool takes_url, struct ob_out *out);

/* Writes a new file. Returns 1 when there is a file of that name already. */
int ob_out_new(const char *path, mode_t mode, const char *text, struct ob_err *err);

/* Writes `value` as dir/name and makes missing folders. Takes the ownership of `value`. */
int ob_out_json(const struct ob_out *out, const char *name, json_t *value, struct ob_err *err);

/*
 * otterbeat --init: writes the demo config and `ctl`, the script to start and stop with, into `dir`, and says on
 * standard output what was written. A file that is there already is left as it is.
 */
int ob_init(const char *dir, struct ob_err *err);

#endif
