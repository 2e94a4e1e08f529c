#include "config/config.h"
#include "proto/number.h"

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
        int64_t queues = c->state.n_hosts ? (int64_t)c->n_managers + 1 : 1; /* each with all sinks */

        return FILES_OURS + (int64_t)c->n_managers * FILES_OF_MANAGER +
               queues * (int64_t)c->n_sinks * FILES_OF_SINK;
}

bool ob_config_exposed(const struct ob_config *c, size_t *i, struct ob_exposed *e)
{
        while (*i < c->texts.n_files) {
                const struct ob_noted_file *file = &c->texts.files[(*i)++];
                struct stat s;

                if (stat(file->path, &s))
                        continue;
                *e = (struct ob_exposed) { .file = file->path };
                if (s.st_mode & S_IWOTH) {
                        e->why = S_ISDIR(s.st_mode) ? "everybody on this machine can replace the files in it"
                                                    : "everybody on this machine can write to it";
                        e->fix = "chmod o-w, and then check what is in it";
                        return true;
                }
                if (file->is_secret && s.st_mode & S_IROTH) {
                        e->why = "everybody on this machine can read it, and it holds a password";
                        e->fix = "chmod o-r, or put the password into a password_file";
                        return true;
                }
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

int64_t ob_steps_multiple(const struct ob_config *c)
{
        int64_t step = 0;

        for (size_t i = 0; i < c->n_sinks; i++)
                if (c->sinks[i].type == OB_SINK_GRAPHITE)
                        step = step ? step / ob_number_divisor(step, c->sinks[i].step) * c->sinks[i].step
                                    : c->sinks[i].step;
        return step;
}

int64_t ob_steps_repeat(const struct ob_config *c)
{
        int64_t step = OB_REPEAT_SECONDS;

        for (size_t i = 0; i < c->n_sinks; i++)
                if (c->sinks[i].type == OB_SINK_GRAPHITE)
                        step = ob_number_divisor(step, c->sinks[i].step);
        return step;
}
