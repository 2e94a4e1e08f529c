#include "config/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/all_settings.h"
#include "config/file.h"
#include "config/managers.h"
#include "config/sinks.h"
#include "config/sources.h"
#include "config/status.h"
#include "proto/memory.h"

#define INCLUDES_MAX 10 /* libconfig refuses includes that are nested deeper */

static int read_all(const config_setting_t *root, const char *path, struct ob_config *c, struct ob_err *err)
{
        struct ob_texts *texts = &c->texts;

        c->file = ob_texts_keep(texts, ob_copy(path));
        ob_settings_defaults(ob_top_settings, c);
        c->state_dir = ob_path_beside(path, c->state_dir, texts);
        if (ob_settings_read(root, ob_top_settings, c, texts, err) ||
                ob_settings_read_group(root, "health", ob_health_settings, &c->health, texts, err) ||
                ob_settings_read_group(root, "names", ob_names_settings, c, texts, err) ||
                ob_settings_read_group(root, "queue", ob_queue_settings, c, texts, err) ||
                ob_config_read_status(root, c, err) || ob_config_read_managers(root, c, err) ||
                ob_config_read_sources(root, c, err) || ob_config_read_sinks(root, c, err))
                return -1;
        return 0;
}

/*
 * Opens the file, and each file that an @include in this file names. libconfig opens them, too, but libconfig would
 * wait for a pipe. An included file that does not exist is no error here: libconfig's message says where its name
 * is written.
 */
static int check_files(const char *path, int depth, struct ob_err *err)
{
        FILE *f = ob_file_read(path, err);
        char *line = NULL;
        size_t room = 0;
        int got = 0;

        if (!f)
                return depth && errno == ENOENT ? 0 : -1;
        while (!got && depth < INCLUDES_MAX && getline(&line, &room, f) > 0) {
                char *name = line + strspn(line, " \t");

                if (strncmp(name, "@include", 8) != 0 || !(name = strchr(name, '"')))
                        continue;
                name[1 + strcspn(name + 1, "\"\n")] = '\0';
                got = check_files(name + 1, depth + 1, err);
        }
        free(line);
        fclose(f);
        return got;
}

struct ob_config *ob_config_load(const char *path, struct ob_err *err)
{
        struct ob_config *c = ob_alloc(1, sizeof(*c));
        ob_cleanup(config_destroy) config_t file;

        config_init(&file);
        if (!check_files(path, 0, err)) {
                if (config_read_file(&file, path) != CONFIG_TRUE)
                        ob_fail(err, "%s:%d: %s", config_error_file(&file) ? config_error_file(&file) : path,
                                config_error_line(&file), config_error_text(&file));
                else if (!read_all(config_root_setting(&file), path, c, err))
                        return c;
        }
        ob_config_free(c);
        return NULL;
}
