#include "agent/ops/init.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "agent/process/built_in.h"
#include "config/demo.h"
#include "config/file.h"
#include "config/managers.h"
#include "config/secret.h"
#include "proto/memory.h"
#include "proto/number.h"

#define PORT_MAX   65535
#define MYSQL_FORM "mysql://USER@HOST:PORT/DATABASE"

/* A server as the command line names it. Texts are ours; NULL or 0: not named, so that the config keeps its
 * default. */
struct place {
        char *user, *host, *database;
        int64_t port;
};

static void free_place(struct place *p)
{
        free(p->user);
        free(p->host);
        free(p->database);
}

/* Reads HOST, HOST:PORT or [ADDRESS]:PORT. No error shows the port: somebody may have written a password there. */
static int read_host(const char *text, struct place *p, struct ob_err *err)
{
        static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_";
        static const char digits[] = "0123456789abcdefABCDEF:."; /* of an IPv6 address */
        bool is_six = *text == '[';
        const char *end = is_six ? strchr(text, ']') : text + strcspn(text, ":"), *port = end ? end + is_six : "";

        if (strstr(text, "://"))
                return ob_fail(err, "write HOST:PORT, without a protocol");
        if (!end || (*port && *port != ':'))
                return ob_fail(err, "an IPv6 address with a port is written like [::1]:8125");
        if (!is_six && *port && strchr(port + 1, ':'))
                return ob_fail(err, "an IPv6 address stands in brackets, like [::1]:8125");
        p->host = ob_format("%.*s", (int)(end - text - is_six), text + is_six);
        if (!*p->host || strspn(p->host, is_six ? digits : letters) < strlen(p->host))
                return ob_fail(err, "\"%s\" is not the name or the address of a host", p->host);
        if (*port && (!ob_number_parse_int(port + 1, &p->port) || p->port < 1 || p->port > PORT_MAX))
                return ob_fail(err, "behind %s: the port must be a number from 1 to %d", p->host, PORT_MAX);
        return 0;
}

/* Whether a text may stand in quotes in the config: it has no control character. */
static int check_text(const char *text, struct ob_err *err)
{
        for (const char *c = text; *c; c++)
                if ((unsigned char)*c < ' ' || *c == 0x7f)
                        return ob_fail(err, "a control character is not allowed");
        return *text ? 0 : ob_fail(err, "a part of this value is empty");
}

/* Reads the part before the last '@'. The error shows nothing of a password. */
static int read_user(const char *user, size_t length, struct place *p, struct ob_err *err)
{
        if (memchr(user, ':', length))
                return ob_fail(err,
                        "everybody on this machine can see a password on the command line: write the password "
                        "into a file and add --password-file FILE, or set the variable OTTERBEAT_PASSWORD");
        p->user = ob_format("%.*s", (int)length, user);
        return check_text(p->user, err);
}

/* Also takes the address as otter.properties writes it: jdbc:mysql://HOST:PORT/DATABASE. */
static int read_mysql(const char *text, struct place *p, struct ob_err *err)
{
        static const char *const schemes[] = { "jdbc:", "mysql://" };
        ob_cleanup(ob_free_at) char *place = NULL;
        const char *slash, *at;

        for (size_t i = 0; i < 2; i++)
                if (!strncasecmp(text, schemes[i], strlen(schemes[i])))
                        text += strlen(schemes[i]);
        slash = strchr(text, '/');
        at = memrchr(text, '@', slash ? (size_t)(slash - text) : strlen(text));
        if (at && read_user(text, (size_t)(at - text), p, err))
                return -1;
        at = at ? at + 1 : text;
        if (strstr(at, "://") || strpbrk(at, "?#") || (slash && strchr(slash + 1, '/')))
                return ob_fail(err, "this is not an address like " MYSQL_FORM);
        if (slash && slash[1]) {
                p->database = ob_copy(slash + 1);
                if (check_text(p->database, err))
                        return -1;
        }
        place = ob_format("%.*s", slash ? (int)(slash - at) : (int)strlen(at), at);
        return read_host(place, p, err);
}

/* A path that names the same file from the folder of the config. NULL: `err`. */
static char *whole_path(const char *path, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *here = NULL;
        char secret[OB_SECRET_MAX];
        int got;

        if (strstr(path, "${")) /* only the reader of the config knows the variables */
                return ob_copy(path);
        got = ob_secret_read(path, secret, err);
        explicit_bzero(secret, sizeof(secret));
        if (got)
                return NULL;
        if (*path == '/')
                return ob_copy(path);
        here = realpath(".", NULL);
        return ob_format("%s/%s", here ? here : ".", path);
}

/* The beginnings of the lines of the first config that the command line changes. */
static const char mysql_line[] = "    mysql = ", page_line[] = "    page  = ",
                  statsd_line[] = "    { type = \"statsd\"", graphite_line[] = "    { type = \"graphite\"";

/* Replaces the `length` bytes at `at`, which are in `*config`, by `made`. */
static void put(char **config, const char *at, size_t length, const char *made)
{
        char *longer = ob_format("%.*s%s%s", (int)(at - *config), *config, made, at + length);

        free(*config);
        *config = longer;
}

/* Replaces the setting `name` of this line by `setting`. */
static void set(char **config, const char *line, const char *name, const char *setting)
{
        ob_cleanup(ob_free_at) char *begin = ob_format(" %s = ", name);
        const char *at = strstr(strstr(*config, line), begin) + 1;

        put(config, at, strcspn(at, ";"), setting);
}

static void set_text(char **config, const char *line, const char *name, const char *new_name, const char *text)
{
        ob_cleanup(ob_free_at) char *setting = ob_format("%s = \"", new_name);

        assert(text);
        for (; *text; text++)
                ob_append(&setting, "", "%s%c", *text == '"' || *text == '\\' ? "\\" : "", *text);
        ob_append(&setting, "", "\"");
        set(config, line, name, setting);
}

static void set_place(char **config, const char *line, const struct place *p)
{
        ob_cleanup(ob_free_at) char *port = ob_format("port = %lld", (long long)p->port);

        if (p->port)
                set(config, line, "port", port);
        set_text(config, line, "host", "host", p->host);
}

static void drop_line(char **config, const char *line)
{
        const char *at = strstr(*config, line);

        put(config, at, strcspn(at, "\n") + 1, "");
}

/* Replaces the last setting of the line first, so that no new value is taken for a setting. */
static int set_mysql(const struct ob_init *init, char **config, struct ob_err *err)
{
        ob_cleanup(free_place) struct place p = { .port = 0 };
        ob_cleanup(ob_free_at) char *path = init->password_file ? whole_path(init->password_file, err) : NULL;

        if (init->password_file && (!path || check_text(path, err)))
                return ob_fail_in(err, "--password-file");
        if (init->mysql && read_mysql(init->mysql, &p, err))
                return ob_fail_in(err, "--mysql");
        if (p.database)
                set_text(config, mysql_line, "database", "database", p.database);
        if (path)
                set_text(config, mysql_line, "password", "password_file", path);
        if (p.user)
                set_text(config, mysql_line, "user", "user", p.user);
        if (p.host)
                set_place(config, mysql_line, &p);
        return 0;
}

static int set_manager(const struct ob_init *init, char **config, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *url = ob_copy(init->manager ? init->manager : "");

        if (!init->manager)
                return 0;
        for (size_t n = strlen(url); n && url[n - 1] == '/'; n--)
                url[n - 1] = '\0';
        if (ob_page_url_check(url, err) || check_text(url, err))
                return ob_fail_in(err, "--manager");
        if (strstr(url, ".htm"))
                return ob_fail(err,
                        "--manager: write the address of the manager without the name of a page, not \"%s\"", url);
        set_text(config, page_line, "url", "url", url);
        return 0;
}

/* Without `text` the line of this sink is deleted, unless `is_kept`. */
static int set_sink(
        const char *option, const char *text, const char *line, bool is_kept, char **config, struct ob_err *err)
{
        ob_cleanup(free_place) struct place p = { .port = 0 };

        if (!text && !is_kept)
                drop_line(config, line);
        if (!text)
                return 0;
        if (read_host(text, &p, err))
                return ob_fail_in(err, option);
        set_place(config, line, &p);
        return 0;
}

/* The text of the first config, which the caller frees. NULL: a value is wrong, and `err` names its option. */
static char *make_config(const struct ob_init *init, struct ob_err *err)
{
        static const char comma[] = "},\n);", no_comma[] = "}\n);";
        ob_cleanup(ob_free_at) char *config = ob_copy(ob_config_first);
        bool is_kept = !init->statsd && !init->graphite;
        const char *last;

        if (set_mysql(init, &config, err) || set_manager(init, &config, err) ||
                set_sink("--statsd", init->statsd, statsd_line, is_kept, &config, err) ||
                set_sink("--graphite", init->graphite, graphite_line, is_kept, &config, err))
                return NULL;
        last = strstr(config, comma); /* the first sink became the last one */
        if (last)
                put(&config, last, sizeof(comma) - 1, no_comma);
        return ob_take(config);
}

static int write_new(const char *dir, const char *name, mode_t mode, const char *text, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *path = ob_format("%s/%s", dir, name);
        int got = ob_file_new(path, mode, text, err);

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

/* Prints what to do next. `first` comes before the commands, and is freed; NULL: nothing. */
static void print_next(const char *dir, char *first)
{
        bool is_here = !strcmp(dir, ".");

        printf("\nNow %s%s%s%s%s./ctl check && ./ctl start && ./ctl tail\n", first ? first : "run",
                first ? ", then: " : ": ", is_here ? "" : "cd ", is_here ? "" : dir, is_here ? "" : " && ");
        free(first);
}

enum ob_init_result ob_init(const char *dir, const struct ob_init *init, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *config = make_config(init, err), *ctl = config ? make_ctl(err) : NULL,
                                    *path = ob_format("%s/otterbeat.cfg", dir);
        bool has_options = init->mysql || init->password_file || init->manager || init->statsd || init->graphite;

        if (!config)
                return OB_INIT_WRONG;
        if (ctl && mkdir(dir, 0755) && errno != EEXIST)
                return ob_fail(err, "%s: %m", dir), OB_INIT_FAILED;
        if (!ctl || write_new(dir, "otterbeat.cfg", 0600, config, err) ||
                write_new(dir, "otterbeat.cfg.example", 0644, ob_config_demo, err) ||
                write_new(dir, "ctl", 0755, ctl, err))
                return OB_INIT_FAILED;
        if (has_options && !ob_file_says(path, config))
                return ob_fail(err, "%s was there already: no option was written into it", path), OB_INIT_KEPT;
        print_next(dir, !has_options          ? ob_format("edit %s", path)
                        : init->password_file ? NULL
                                              : ob_copy("set the variable OTTERBEAT_PASSWORD"));
        return OB_INIT_WRITTEN;
}
