#include "config/texts.h"

#include <stdlib.h>
#include <string.h>

#include "proto/memory.h"

const char *ob_texts_keep(struct ob_texts *texts, char *text)
{
        texts->all = ob_grow(texts->all, &texts->room, texts->n, sizeof(*texts->all));
        return texts->all[texts->n++] = text;
}

void ob_texts_free(struct ob_texts *texts)
{
        for (size_t i = 0; i < texts->n; i++) {
                explicit_bzero(texts->all[i], strlen(texts->all[i]));
                free(texts->all[i]);
        }
        free(texts->all);
        free(texts->files);
        *texts = (struct ob_texts) { .n = 0 };
}

void ob_texts_note_file(struct ob_texts *texts, const char *path, bool is_secret)
{
        for (size_t i = 0; i < texts->n_files; i++)
                if (!strcmp(texts->files[i].path, path)) {
                        texts->files[i].is_secret |= is_secret;
                        return;
                }
        if (!*path)
                return;
        texts->files = ob_grow(texts->files, &texts->room_files, texts->n_files, sizeof(*texts->files));
        texts->files[texts->n_files++] = (struct ob_noted_file) { ob_texts_keep(texts, ob_copy(path)), is_secret };
}

const char *ob_path_beside(const char *file, const char *path, struct ob_texts *texts)
{
        const char *slash = file ? strrchr(file, '/') : NULL;

        if (!*path || *path == '/' || !slash)
                return path;
        while (!strncmp(path, "./", 2))
                path += 2;
        return ob_texts_keep(texts, ob_format("%.*s/%s", (int)(slash - file), file, path));
}
