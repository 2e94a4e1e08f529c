/* Files for an operator: written into a folder and named on standard output. A file that is there is only replaced
 * when the operator says so. */
#ifndef OB_DASHBOARDS_OUTFILE_H
#define OB_DASHBOARDS_OUTFILE_H

#include <jansson.h>
#include <stdbool.h>

#include "agent/process/command.h"
#include "proto/error.h"

struct ob_out {
        const char *dir;
        const char *url; /* the address that the files link to; NULL: none */
        bool replace;    /* replaces files that differ; else they are left as they are */
};

/* The first rows of the options of a command that writes such files. */
enum { OB_OUT_DIR, OB_OUT_REPLACE, OB_OUT_URL };

#define OB_OUT_REPLACE_HELP "overwrite existing files; otherwise an existing file stays as it is"

struct ob_out ob_out_from(const struct ob_arguments *a);

/* Writes `value` as dir/name and makes missing folders. Takes the ownership of `value`. */
int ob_out_json(const struct ob_out *out, const char *name, json_t *value, struct ob_err *err);

#endif
