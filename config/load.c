#include "config/load.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/all_settings.h"
#include "config/file.h"
#include "config/managers.h"
#include "config/setting.h"
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
        if (ob_settings_read(root, ob_top_settings, c, texts, err) || ob_config_read_state(root, c, err) ||
                ob_settings_read_group(root, "health", ob_health_settings, &c->health, texts, err) ||
                ob_settings_read_group(root, "names", ob_names_settings, c, texts, err) ||
                ob_settings_read_group(root, "queue", ob_queue_settings, c, texts, err) ||
                ob_config_read_status(root, c, err) || ob_config_read_managers(root, c, err) ||
                ob_config_read_sources(root, c, err) || ob_config_read_sinks(root, c, err))
                return -1;
        ob_texts_note_file(texts, c->state_dir, false);
        return 0;
}

/*
 * Opens the file, and each file that an @include in this file names. libconfig opens them, too, but libconfig would
 * wait for a pipe. An included file that does not exist is no error here: libconfig's message says where its name
 * is written.
 */
static int check_files(const char *path, int depth, struct ob_texts *texts, struct ob_err *err)
{
        FILE *f = ob_file_read(path, err);
        char *line = NULL;
        size_t room = 0;
        int got = 0;

        if (!f)
                return depth && errno == ENOENT ? 0 : -1;
        ob_texts_note_file(texts, path, false);
        while (!got && depth < INCLUDES_MAX && getline(&line, &room, f) > 0) {
                char *name = line + strspn(line, " \t");

                if (strncmp(name, "@include", 8) != 0 || !(name = strchr(name, '"')))
                        continue;
                name[1 + strcspn(name + 1, "\"\n")] = '\0';
                got = check_files(name + 1, depth + 1, texts, err);
        }
        free(line);
        fclose(f);
        return got;
}

/* The files of a config: the one that was named, and those in its include_dir. */
struct files {
        struct ob_texts *texts; /* of the config */
        config_t **read;        /* owned, and so is each element, which is one parsed file */
        const char **paths;     /* owned; the texts are in `texts` */
        size_t n;
};

static void free_file(config_t *read)
{
        config_destroy(read);
        free(read);
}

static void free_files(struct files *f)
{
        for (size_t i = 0; i < f->n; i++)
                free_file(f->read[i]);
        free(f->read);
        free(f->paths);
}

/* Some texts of libconfig do not say enough. */
static const char *explain(const char *text)
{
        static const struct {
                const char *text, *more;
        } known[] = {
                { "duplicate setting name", ": the setting of this line is already set in the same group" },
                { "cannot open include file",
                        ": a relative path in @include is relative to the working directory, not to this file" },
        };

        for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
                if (!strcmp(text, known[i].text))
                        return known[i].more;
        return "";
}

static int fail_to_parse(const config_t *read, const char *path, struct ob_err *err)
{
        const char *file = config_error_file(read), *text = config_error_text(read);

        return ob_fail(err, "%s:%d: %s%s", file ? file : path, config_error_line(read), text, explain(text));
}

/* The error names both places: the two files were written at different times. */
static int refuse_duplicates(const struct files *f, const config_t *read, struct ob_err *err)
{
        const config_setting_t *root = config_root_setting(read);

        for (int i = 0; i < config_setting_length(root); i++) {
                const config_setting_t *at = config_setting_get_elem(root, (unsigned)i);

                for (size_t k = 0; k < f->n; k++) {
                        const char *name = config_setting_name(at);
                        const config_setting_t *other =
                                config_setting_get_member(config_root_setting(f->read[k]), name);

                        if (other)
                                return ob_setting_fail(at, err, "\"%s\" is set at %s:%u, too", name,
                                        config_setting_source_file(other), config_setting_source_line(other));
                }
        }
        return 0;
}

/* Reads one more file by itself. */
static int add_file(struct files *f, const char *path, struct ob_err *err)
{
        config_t *read;
        int got;

        if (check_files(path, 0, f->texts, err))
                return -1;
        read = ob_alloc(1, sizeof(*read));
        config_init(read);
        got = config_read_file(read, path) == CONFIG_TRUE ? refuse_duplicates(f, read, err)
                                                          : fail_to_parse(read, path, err);
        if (got) {
                free_file(read);
                return -1;
        }
        f->read = ob_realloc(f->read, f->n + 1, sizeof(config_t *));
        f->paths = ob_realloc(f->paths, f->n + 1, sizeof(char *));
        f->read[f->n] = read;
        f->paths[f->n++] = path;
        return 0;
}

/* Backup copies of editors and of dpkg have other endings; a file whose name begins with a dot is hidden. */
static int is_config(const struct dirent *entry)
{
        static const char ending[] = ".cfg";
        size_t length = strlen(entry->d_name), n = sizeof(ending) - 1;

        return *entry->d_name != '.' && length > n && !strcmp(entry->d_name + length - n, ending);
}

/* In the order of the bytes of the names, in every locale. */
static int compare_names(const struct dirent **a, const struct dirent **b)
{
        return strcmp((*a)->d_name, (*b)->d_name);
}

/* Reads the files in the include_dir of the first file. */
static int add_dir(struct files *f, struct ob_err *err)
{
        const config_setting_t *at = config_setting_get_member(config_root_setting(f->read[0]), "include_dir");
        const char *dir = at ? ob_setting_text(at, f->texts, err) : "";
        struct dirent **entries;
        int n, got = 0;

        if (!dir)
                return -1;
        if (!*dir)
                return 0;
        dir = ob_path_beside(config_setting_source_file(at), dir, f->texts);
        n = scandir(dir, &entries, is_config, compare_names);
        if (n < 0)
                return ob_setting_fail(at, err, "%s: %m", dir);
        ob_texts_note_file(f->texts, dir, false);
        for (int i = 0; i < n; i++) {
                if (!got)
                        got = add_file(
                                f, ob_texts_keep(f->texts, ob_format("%s/%s", dir, entries[i]->d_name)), err);
                free(entries[i]);
        }
        free(entries);
        return got;
}

/* Adds a line that makes libconfig read a file. */
static void add_include(char **lines, const char *path)
{
        ob_append(lines, "", "@include \"");
        for (; *path; path++)
                ob_append(lines, "", "%s%c", *path == '"' || *path == '\\' ? "\\" : "", *path);
        ob_append(lines, "", "\"\n");
}

/* Reads the settings of all files as those of one. libconfig keeps the file and the line of each. */
static int read_together(const struct files *f, config_t *all, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *lines = NULL;

        for (size_t i = 0; i < f->n; i++)
                add_include(&lines, f->paths[i]);
        return config_read_string(all, lines) == CONFIG_TRUE ? 0 : fail_to_parse(all, f->paths[0], err);
}

struct ob_config *ob_config_load(const char *path, struct ob_err *err)
{
        struct ob_config *c = ob_alloc(1, sizeof(*c));
        ob_cleanup(free_files) struct files files = { .texts = &c->texts };
        ob_cleanup(config_destroy) config_t all;

        config_init(&all);
        if (!add_file(&files, path, err) && !add_dir(&files, err) &&
                (files.n == 1 || !read_together(&files, &all, err)) &&
                !read_all(config_root_setting(files.n == 1 ? files.read[0] : &all), path, c, err))
                return c;
        ob_config_free(c);
        return NULL;
}
