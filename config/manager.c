/* What a config says of a manager: its database and its pages. */
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "config/config.h"

/* Descriptors, with some to spare. A worker has three of the store and a session; a manager has some workers. */
#define FILES_OURS       64 /* the log, the store, the status page */
#define FILES_OF_MANAGER 32
#define FILES_OF_SINK    8

#define AT(what, member) offsetof(struct what, member)

static const char *const tls_words[] = { "off", "required", "verify", NULL };

static const struct ob_setting manager_settings[] = {
        { "name", OB_SET_PREFIX, AT(ob_manager, name) },
        { "mysql", OB_SET_GROUP },
        { "page", OB_SET_GROUP },
        { NULL },
};

static const struct ob_setting mysql_settings[] = {
        { "host", OB_SET_TEXT, AT(ob_mysql_settings, host) },
        { "port", OB_SET_INT, AT(ob_mysql_settings, port), 1, 65535 },
        { "socket", OB_SET_PATH, AT(ob_mysql_settings, socket) },
        { "user", OB_SET_TEXT, AT(ob_mysql_settings, user) },
        { "password", OB_SET_SECRET, AT(ob_mysql_settings, password) },
        { "password_file", OB_SET_FILE, AT(ob_mysql_settings, password_file),
                .secret = AT(ob_mysql_settings, password) },
        { "database", OB_SET_TEXT, AT(ob_mysql_settings, database) },
        { "connect_timeout", OB_SET_INT, AT(ob_mysql_settings, connect_timeout), 1, 3600 },
        { "query_timeout", OB_SET_INT, AT(ob_mysql_settings, query_timeout), 1, 3600 },
        { "tls", OB_SET_CHOICE, AT(ob_mysql_settings, tls), .choices = tls_words },
        { "ca", OB_SET_INPUT, AT(ob_mysql_settings, ca) },
        { "cert", OB_SET_INPUT, AT(ob_mysql_settings, cert) },
        { "key", OB_SET_INPUT, AT(ob_mysql_settings, key) },
        { NULL },
};

static const struct ob_setting page_settings[] = {
        { "url", OB_SET_TEXT, AT(ob_page_settings, url) },
        { "user", OB_SET_TEXT, AT(ob_page_settings, user) },
        { "password", OB_SET_SECRET, AT(ob_page_settings, password) },
        { "password_file", OB_SET_FILE, AT(ob_page_settings, password_file),
                .secret = AT(ob_page_settings, password) },
        { "zone", OB_SET_TEXT, AT(ob_page_settings, zone) },
        { "proxy", OB_SET_TEXT, AT(ob_page_settings, proxy) },
        { "ca", OB_SET_INPUT, AT(ob_page_settings, ca) },
        { "cert", OB_SET_INPUT, AT(ob_page_settings, cert) },
        { "key", OB_SET_INPUT, AT(ob_page_settings, key) },
        { "timeout", OB_SET_INT, AT(ob_page_settings, timeout), 1, 3600 },
        { "budget", OB_SET_INT, AT(ob_page_settings, budget), 1, 3600 },
        { "words", OB_SET_GROUP },
        { NULL },
};

static const struct ob_manager manager_defaults = {
        .name = "",
        .mysql = { .host = "127.0.0.1",
                .port = 3306,
                .socket = "",
                .user = "otterbeat",
                .password = "",
                .password_file = "",
                .database = "otter",
                .connect_timeout = 5,
                .query_timeout = 10,
                .ca = "",
                .cert = "",
                .key = "" },
};

const struct ob_page_settings ob_page_defaults = { .url = "http://127.0.0.1:8080",
        .user = "",
        .password = "",
        .password_file = "",
        .zone = "Asia/Shanghai",
        .proxy = "",
        .ca = "",
        .cert = "",
        .key = "",
        .timeout = 5,
        .budget = 20 };

/* In a path a dot of a name is '_'. */
static bool is_same_node(const char *a, const char *b)
{
        while (*a && (*a == '.' ? '_' : *a) == (*b == '.' ? '_' : *b)) {
                a++;
                b++;
        }
        return !*a && !*b;
}

/* What would be left aside in silence. */
static int check_mysql(const config_setting_t *manager, const struct ob_mysql_settings *m, struct ob_err *err)
{
        const config_setting_t *at = config_setting_get_member(manager, "mysql");

        if (!*m->cert != !*m->key)
                return ob_setting_fail(at, err, "\"cert\" and \"key\" go together");
        if (m->tls == OB_TLS_OFF && (*m->ca || *m->cert))
                return ob_setting_fail(
                        at, err, "\"ca\", \"cert\" and \"key\" need tls = \"required\" or \"verify\"");
        return 0;
}

static int check_page(const config_setting_t *manager, const struct ob_page_settings *p, struct ob_err *err)
{
        const config_setting_t *at = config_setting_get_member(manager, "page");

        if (*p->password && !*p->user)
                return ob_setting_fail(at, err, "\"password\" needs a \"user\"");
        if (*p->key && !*p->cert)
                return ob_setting_fail(at, err, "\"key\" needs a \"cert\"");
        return 0;
}

int ob_config_read_manager(const config_setting_t *at, struct ob_config *c, struct ob_err *err)
{
        struct ob_manager *m = &c->managers[c->n_managers];

        *m = manager_defaults;
        m->page = ob_page_defaults;
        if (config_setting_type(at) != CONFIG_TYPE_GROUP)
                return ob_setting_fail(at, err, "a manager is a group: { … }");
        if (ob_settings_read(at, manager_settings, m, &c->texts, err) ||
                ob_settings_read_group(at, "mysql", mysql_settings, &m->mysql, &c->texts, err) ||
                check_mysql(at, &m->mysql, err) ||
                ob_settings_read_group(at, "page", page_settings, &m->page, &c->texts, err) ||
                check_page(at, &m->page, err) || ob_config_check_page(at, &m->page, &c->texts, err))
                return -1;
        for (size_t i = 0; i < c->n_managers; i++) {
                if (!*m->name || !*c->managers[i].name)
                        return ob_setting_fail(at, err, "with several managers each needs a \"name\"");
                if (is_same_node(m->name, c->managers[i].name))
                        return ob_setting_fail(
                                at, err, "two managers are called \"%s\", as paths have it", m->name);
        }
        c->n_managers++;
        return 0;
}

int64_t ob_config_descriptors(const struct ob_config *c)
{
        return FILES_OURS + (int64_t)c->n_managers * FILES_OF_MANAGER + (int64_t)c->n_sinks * FILES_OF_SINK;
}

/* What others than the owner may do with the `i`th file; NULL: nothing that matters. */
static const char *look_at_rights(const struct ob_config *c, size_t i, struct ob_exposed *e)
{
        size_t n = c->texts.n_secret_files;
        bool is_secret = i < n;
        struct stat s;

        e->file = is_secret ? c->texts.secret_files[i] : i == n ? c->file : c->state_dir;
        if (!*e->file || stat(e->file, &s))
                return NULL;
        e->fix = "chmod o-w, and see what stands in it";
        if (s.st_mode & S_IWOTH)
                return S_ISDIR(s.st_mode) ? "everybody on this machine can replace the files in it"
                                          : "everybody on this machine can write to it";
        e->fix = "chmod o-r, or put the password into a password_file";
        return is_secret && s.st_mode & S_IROTH
                       ? "everybody on this machine can read it, and there is a password in it"
                       : NULL;
}

bool ob_config_exposed(const struct ob_config *c, size_t *i, struct ob_exposed *e)
{
        while (*i < c->texts.n_secret_files + 2) {
                size_t at = (*i)++;
                bool is_told = false;

                for (size_t j = 0; at == c->texts.n_secret_files && j < at; j++)
                        is_told |= !strcmp(c->file, c->texts.secret_files[j]);
                if (is_told)
                        continue;
                e->why = look_at_rights(c, at, e);
                if (e->why)
                        return true;
        }
        return false;
}
