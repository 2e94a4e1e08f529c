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
        free(texts->secret_files);
        *texts = (struct ob_texts) { .n = 0 };
}

void ob_texts_note_secret(struct ob_texts *texts, const char *file)
{
        for (size_t i = 0; i < texts->n_secret_files; i++)
                if (!strcmp(texts->secret_files[i], file))
                        return;
        texts->secret_files =
                ob_grow(texts->secret_files, &texts->room_secret_files, texts->n_secret_files, sizeof(char *));
        texts->secret_files[texts->n_secret_files++] = ob_texts_keep(texts, ob_copy(file));
}

const char *ob_path_beside(const char *file, const char *path, struct ob_texts *texts)
{
        const char *slash = file ? strrchr(file, '/') : NULL;

        if (!*path || *path == '/' || !slash)
                return path;
        return ob_texts_keep(texts, ob_format("%.*s/%s", (int)(slash - file), file, path));
}
