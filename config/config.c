#include "config/config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/*
 * Descriptors, with some to spare. A worker has three open for the store and one for its session, and a manager has
 * several workers.
 */
#define FILES_OURS       64 /* the log, the store, the status page */
#define FILES_OF_MANAGER 32
#define FILES_OF_SINK    8

bool ob_config_has_tags(const struct ob_sink_settings *s)
{
        if (s->type == OB_SINK_EVENTS)
                return true;
        return s->type == OB_SINK_GRAPHITE ? s->tagged : s->flavor == OB_FLAVOR_DOGSTATSD;
}

int64_t ob_config_descriptors(const struct ob_config *c)
{
        return FILES_OURS + (int64_t)c->n_managers * FILES_OF_MANAGER + (int64_t)c->n_sinks * FILES_OF_SINK;
}

/* Sets `e->file` to the `i`th file that matters, and returns why that file is exposed, or NULL when the file is
 * not. */
static const char *look_at_rights(const struct ob_config *c, size_t i, struct ob_exposed *e)
{
        size_t n = c->texts.n_secret_files;
        bool is_secret = i < n;
        struct stat s;

        e->file = is_secret ? c->texts.secret_files[i] : i == n ? c->file : c->state_dir;
        if (!*e->file || stat(e->file, &s))
                return NULL;
        e->fix = "chmod o-w, and then check what is in it";
        if (s.st_mode & S_IWOTH)
                return S_ISDIR(s.st_mode) ? "everybody on this machine can replace the files in it"
                                          : "everybody on this machine can write to it";
        e->fix = "chmod o-r, or put the password into a password_file";
        return is_secret && s.st_mode & S_IROTH ? "everybody on this machine can read it, and it holds a password"
                                                : NULL;
}

bool ob_config_exposed(const struct ob_config *c, size_t *i, struct ob_exposed *e)
{
        while (*i < c->texts.n_secret_files + 2) {
                size_t at = (*i)++;
                bool is_secret_too = false;

                for (size_t j = 0; at == c->texts.n_secret_files && j < at; j++)
                        is_secret_too |= !strcmp(c->file, c->texts.secret_files[j]);
                if (is_secret_too)
                        continue;
                e->why = look_at_rights(c, at, e);
                if (e->why)
                        return true;
        }
        return false;
}

void ob_config_free(struct ob_config *config)
{
        if (!config)
                return;
        free(config->managers);
        free(config->sources);
        free(config->pages);
        free(config->sinks);
        ob_texts_free(&config->texts);
        free(config);
}
