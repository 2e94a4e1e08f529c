#include "agent/ops/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/ops/built_in.h"
#include "config/demo.h"
#include "config/file.h"
#include "proto/memory.h"

int ob_out_options(int argc, char **argv, bool takes_url, struct ob_out *out)
{
        static const struct option table[] = {
                { "out", required_argument, NULL, 'o' },
                { "replace", no_argument, NULL, 'r' },
                { "url", required_argument, NULL, 'u' },
                { NULL },
        };
        int c;

        *out = (struct ob_out) { .dir = NULL };
        optind = 1;
        while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
                if (c == 'o')
                        out->dir = optarg;
                else if (c == 'r')
                        out->replace = true;
                else if (c == 'u' && takes_url)
                        out->url = optarg;
                else
                        return -1;
        }
        return optind == argc && out->dir && *out->dir ? 0 : -1;
}

int ob_out_new(const char *path, mode_t mode, const char *text, struct ob_err *err)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        size_t length = strlen(text);
        ssize_t wrote;

        if (fd < 0 && errno == EEXIST)
                return 1;
        if (fd < 0)
                return ob_fail(err, "%s: %m", path);
        wrote = write(fd, text, length);
        if (wrote != (ssize_t)length)
                ob_fail(err, "%s: %s", path, wrote < 0 ? "can't be written" : "the disk is full");
        if (close(fd) || wrote != (ssize_t)length) {
                unlink(path);
                return wrote == (ssize_t)length ? ob_fail(err, "%s: %m", path) : -1;
        }
        return 0;
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

/* Whether a regular file has exactly this text. False for a file that can't be read. */
static bool says(const char *path, const char *text)
{
        size_t length = strlen(text), got;
        ob_cleanup(ob_free_at) char *found = ob_alloc(length + 1, 1);
        struct ob_err ignored;
        FILE *file = ob_file_read(path, &ignored);

        if (!file)
                return false;
        got = fread(found, 1, length + 1, file);
        fclose(file);
        return got == length && !memcmp(found, text, length);
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
        got = ob_out_new(beside, 0644, text, err);
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
        int got = make_folders(path, err) ? -1 : ob_out_new(path, 0644, text, err);
        const char *how = "";

        if (got < 0)
                return -1;
        if (got && says(path, text))
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

static int write_new(const char *dir, const char *name, mode_t mode, const char *text, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *path = ob_format("%s/%s", dir, name);
        int got = ob_out_new(path, mode, text, err);

        if (got < 0)
                return -1;
        printf(got ? "%s is there already and was left as it is\n" : "%s\n", path);
        return 0;
}

/* The script `ctl` with the path of this program in it. */
static char *make_ctl(struct ob_err *err)
{
        static const char mark[] = "@BINARY@";
        const char *at = strstr(ob_ctl, mark);
        ob_cleanup(ob_free_at) char *self = realpath("/proc/self/exe", NULL);

        if (!self) {
                ob_fail(err, "/proc/self/exe: %m");
                return NULL;
        }
        if (strpbrk(self, "\"$`\\\n")) {
                ob_fail(err, "ctl can't name this program: there is one of \" $ ` \\ in its path: %s", self);
                return NULL;
        }
        return ob_format("%.*s%s%s", (int)(at - ob_ctl), ob_ctl, self, at + sizeof(mark) - 1);
}

int ob_init(const char *dir, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *ctl = make_ctl(err);

        if (!ctl)
                return -1;
        if (mkdir(dir, 0755) && errno != EEXIST)
                return ob_fail(err, "%s: %m", dir);
        if (write_new(dir, "otterbeat.cfg", 0600, ob_config_demo, err) || write_new(dir, "ctl", 0755, ctl, err))
                return -1;
        printf("\nNow edit otterbeat.cfg, then: ./ctl check && ./ctl start && ./ctl tail\n");
        return 0;
}
