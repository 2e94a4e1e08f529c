#include "agent/ops/init.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/ops/ctl.h"
#include "agent/ops/outfile.h"
#include "config/demo.h"
#include "proto/memory.h"

static int write_and_say(const char *dir, const char *name, mode_t mode, const char *text, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *path = ob_format("%s/%s", dir, name);
        int got = ob_out_new(path, mode, text, err);

        if (got < 0)
                return -1;
        printf(got ? "%s is there already and was left as it is\n" : "%s\n", path);
        return 0;
}

/* `ctl` with the path of this very program in it. */
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
        if (write_and_say(dir, "otterbeat.cfg", 0600, ob_config_demo, err) ||
                write_and_say(dir, "ctl", 0755, ctl, err))
                return -1;
        printf("\nNow edit otterbeat.cfg, then: ./ctl check && ./ctl start && ./ctl tail\n");
        return 0;
}
