#include "agent/dashboards/outfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/file.h"
#include "proto/memory.h"

struct ob_out ob_out_from(const struct ob_arguments *a)
{
        return (struct ob_out) { .dir = a->options[OB_OUT_DIR],
                .url = a->options[OB_OUT_URL],
                .replace = a->options[OB_OUT_REPLACE] != NULL };
}

/* Makes each folder of `path` that is missing. */
static int make_folders(const char *path, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *folder = ob_copy(path);

        for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                if (mkdir(folder, 0755) && errno != EEXIST)
                        return ob_fail(err, "%s: %m", folder);
                *slash = '/';
        }
        return 0;
}

/* A reader sees the old file or the new one, never a part. A link, a fifo or a device is left alone. */
static int replace(const char *path, const char *text, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *beside = ob_format("%s.new", path);
        struct stat at;
        int got;

        if (lstat(path, &at))
                return ob_fail(err, "%s: %m", path);
        if (!S_ISREG(at.st_mode))
                return ob_fail(err, "%s is not a regular file, and was left as it is: move it away", path);
        got = ob_file_new(beside, 0644, text, err);
        if (got > 0)
                return ob_fail(err, "%s is in the way", beside);
        if (!got && rename(beside, path)) {
                ob_fail(err, "%s: %m", path);
                unlink(beside);
                return -1;
        }
        return got;
}

static int write_and_say(const struct ob_out *out, const char *path, const char *text, struct ob_err *err)
{
        int got = make_folders(path, err) ? -1 : ob_file_new(path, 0644, text, err);
        const char *how = "";

        if (got < 0)
                return -1;
        if (got && ob_file_says(path, text))
                how = " is there already, just so";
        else if (got && !out->replace)
                how = " is there already, differs, and was left as it is";
        else if (got && replace(path, text, err))
                return -1;
        else if (got)
                how = " was replaced";
        printf("%s%s\n", path, how);
        return 0;
}

int ob_out_json(const struct ob_out *out, const char *name, json_t *value, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *path = ob_format("%s/%s", out->dir, name);
        ob_cleanup(ob_free_at) char *dumped = json_dumps(value, JSON_INDENT(2));
        ob_cleanup(ob_free_at) char *text = NULL;

        json_decref(value);
        if (!dumped)
                return ob_fail(err, "%s: it would not be JSON", path);
        text = ob_format("%s\n", dumped);
        return write_and_say(out, path, text, err);
}
