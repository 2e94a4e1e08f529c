#include "config/managers.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/all_settings.h"
#include "config/zone.h"
#include "proto/memory.h"

/* Combinations of mysql's settings that would otherwise be ignored without a word. `parent` has the group. */
static int check_mysql(const config_setting_t *parent, const struct ob_mysql_settings *m, struct ob_err *err)
{
        const config_setting_t *at = config_setting_get_member(parent, "mysql");

        if (!*m->cert != !*m->key)
                return ob_setting_fail(at, err, "\"cert\" and \"key\" must be set together");
        if (m->tls == OB_TLS_OFF && (*m->ca || *m->cert))
                return ob_setting_fail(
                        at, err, "\"ca\", \"cert\" and \"key\" need tls = \"required\" or \"verify\"");
        return 0;
}

/* Reads ( ( "延迟时间", "Delay" ), … ). */
static int read_translations(
        const config_setting_t *list, struct ob_page_settings *page, struct ob_texts *texts, struct ob_err *err)
{
        if (ob_setting_expect(list, CONFIG_TYPE_LIST, "a list: ( ( \"延迟时间\", \"Delay\" ), … )", err))
                return -1;
        if (config_setting_length(list) > OB_PAGE_WORDS_MAX)
                return ob_setting_fail(list, err, "\"words\" can have at most %d entries", OB_PAGE_WORDS_MAX);
        for (int i = 0; i < config_setting_length(list); i++) {
                const config_setting_t *at = config_setting_get_elem(list, (unsigned)i);
                struct ob_page_word *w = &page->words[page->n_words];

                if (!config_setting_is_aggregate(at) || config_setting_length(at) != 2)
                        return ob_setting_fail(at, err,
                                "an entry of \"words\" must be two texts: Otter's word, and the word on this manager's pages");
                w->ours = ob_setting_text(config_setting_get_elem(at, 0), texts, err);
                w->theirs = w->ours ? ob_setting_text(config_setting_get_elem(at, 1), texts, err) : NULL;
                if (!w->theirs)
                        return -1;
                page->n_words++;
        }
        return 0;
}

int ob_page_url_check(const char *url, struct ob_err *err)
{
        const char *host = strstr(url, "://");

        if ((strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0) || !host[3] ||
                host[3] == '/')
                return ob_fail(err, "\"%s\" is not an address like http://HOST:PORT or https://HOST:PORT", url);
        if (strpbrk(url, "?#@ "))
                return ob_fail(err, "\"url\" cannot contain \"?\", \"#\", \"@\" or a space");
        return 0;
}

/* "auto", or a time zone that this machine knows. */
static int check_zone(const config_setting_t *at, const char *name, struct ob_err *err)
{
        ob_cleanup(ob_zone_free_at) struct ob_zone *zone = NULL;
        struct ob_err why;

        if (!strcmp(name, "auto"))
                return 0;
        zone = ob_zone_load(name, &why);
        return zone ? 0 : ob_setting_fail(at, err, "%s", why.text);
}

static int check_page(
        const config_setting_t *manager, struct ob_page_settings *p, struct ob_texts *texts, struct ob_err *err)
{
        const config_setting_t *at = config_setting_get_member(manager, "page");
        const config_setting_t *words = at ? config_setting_get_member(at, "words") : NULL;
        struct ob_err why;

        if (!at)
                return 0;
        if (*p->password && !*p->user)
                return ob_setting_fail(at, err, "\"password\" needs a \"user\"");
        if (*p->key && !*p->cert)
                return ob_setting_fail(at, err, "\"key\" needs a \"cert\"");
        if (ob_page_url_check(p->url, &why))
                return ob_setting_fail(at, err, "%s", why.text);
        if (words && read_translations(words, p, texts, err))
                return -1;
        return check_zone(at, p->zone, err);
}

/* Whether two names are the same in a path, where a dot of a name becomes '_'. */
static bool is_same_node(const char *a, const char *b)
{
        while (*a && (*a == '.' ? '_' : *a) == (*b == '.' ? '_' : *b)) {
                a++;
                b++;
        }
        return !*a && !*b;
}

/* No two managers may share a name, because the name is a part of each series' name. */
static int check_name(const config_setting_t *at, const struct ob_config *c, const char *name, struct ob_err *err)
{
        for (size_t i = 0; i < c->n_managers; i++) {
                if (!*name || !*c->managers[i].name)
                        return ob_setting_fail(at, err, "with several managers, each manager needs a \"name\"");
                if (is_same_node(name, c->managers[i].name))
                        return ob_setting_fail(at, err,
                                "two managers are called \"%s\" in the paths of series, where a dot becomes \"_\": "
                                "rename one of them",
                                name);
        }
        return 0;
}

static int read_manager(const config_setting_t *at, struct ob_config *c, struct ob_err *err)
{
        struct ob_manager *m = &c->managers[c->n_managers];
        struct ob_texts *texts = &c->texts;

        if (config_setting_type(at) != CONFIG_TYPE_GROUP)
                return ob_setting_fail(at, err, "a manager must be a group: { … }");
        ob_settings_defaults(ob_manager_settings, m);
        if (ob_settings_read(at, ob_manager_settings, m, texts, err) ||
                ob_settings_read_group(at, "mysql", ob_mysql_settings, &m->mysql, texts, err) ||
                check_mysql(at, &m->mysql, err) ||
                ob_settings_read_group(at, "page", ob_page_settings, &m->page, texts, err) ||
                check_page(at, &m->page, texts, err) || check_name(at, c, m->name, err))
                return -1;
        c->n_managers++;
        return 0;
}

int ob_config_read_managers(const config_setting_t *root, struct ob_config *c, struct ob_err *err)
{
        const config_setting_t *list = ob_setting_list(root, "managers", c->file, err);

        if (!list)
                return -1;
        c->managers = ob_alloc((size_t)config_setting_length(list), sizeof(*c->managers));
        for (int i = 0; i < config_setting_length(list); i++)
                if (read_manager(config_setting_get_elem(list, (unsigned)i), c, err))
                        return -1;
        return 0;
}

/* Reads ( "db1", "db2" ). */
static int read_hosts(const config_setting_t *mysql, struct ob_config *c, struct ob_err *err)
{
        const config_setting_t *list = config_setting_get_member(mysql, "hosts");
        int n = list ? config_setting_length(list) : 0;

        if (!n)
                return ob_setting_fail(list ? list : mysql, err,
                        "\"hosts\" is missing or empty: name at least one server, as in hosts = ( \"db1\" );");
        if (ob_setting_expect(list, CONFIG_TYPE_LIST, "a list: ( \"db1\", \"db2\" )", err))
                return -1;
        if (n > OB_STATE_HOSTS_MAX)
                return ob_setting_fail(list, err, "\"hosts\" can have at most %d servers", OB_STATE_HOSTS_MAX);
        for (int i = 0; i < n; i++) {
                const config_setting_t *at = config_setting_get_elem(list, (unsigned)i);
                const char *host = ob_setting_text(at, &c->texts, err);

                if (!host)
                        return -1;
                if (!*host)
                        return ob_setting_fail(at, err, "a host must not be empty");
                c->state.hosts[c->state.n_hosts++] = host;
        }
        return 0;
}

/* Without a name of its own the agent has that of its machine. */
static int name_agent(const config_setting_t *group, struct ob_config *c, struct ob_err *err)
{
        char host[OB_STATE_AGENT_MAX + 1] = "";

        if (!*c->state.agent && !gethostname(host, sizeof(host) - 1))
                c->state.agent = ob_texts_keep(&c->texts, ob_copy(host));
        if (!*c->state.agent)
                return ob_setting_fail(group, err, "\"agent\" must be set: this machine has no name");
        if (strlen(c->state.agent) > OB_STATE_AGENT_MAX)
                return ob_setting_fail(group, err, "\"agent\" can have at most %d bytes", OB_STATE_AGENT_MAX);
        return 0;
}

int ob_config_read_state(const config_setting_t *root, struct ob_config *c, struct ob_err *err)
{
        const config_setting_t *group = config_setting_get_member(root, "state"), *mysql;
        struct ob_state_settings *s = &c->state;

        if (ob_settings_read_group(root, "state", ob_state_settings, s, &c->texts, err))
                return -1;
        if (!group)
                return 0;
        if (config_setting_get_member(root, "state_dir"))
                return ob_setting_fail(group, err,
                        "\"state\" and \"state_dir\" are both set: remove one of the two, since the state is either in a "
                        "database or in a folder");
        mysql = config_setting_get_member(group, "mysql");
        if (!mysql)
                return ob_setting_fail(group, err,
                        "\"state\" needs \"mysql\", the database that keeps the state; without \"state\" the folder "
                        "state_dir keeps the state");
        if (ob_settings_read_group(group, "mysql", ob_state_mysql_settings, &s->mysql, &c->texts, err) ||
                check_mysql(group, &s->mysql, err) || read_hosts(mysql, c, err) || name_agent(group, c, err))
                return -1;
        s->mysql.socket = "";
        s->mysql.connect_timeout = s->lease / 5 ? s->lease / 5 : 1;
        s->mysql.query_timeout = s->lease < 5 ? 2 : s->lease * 2 / 5;
        s->mysql.host = s->hosts[0];
        c->state_dir = "";
        return 0;
}
