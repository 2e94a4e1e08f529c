/*
 * The texts of a config: every string that a config points at and that is not a literal. The texts live as long as
 * their config and are freed with it. Used while the config is loaded, by one thread; only read after that.
 */
#ifndef OB_CONFIG_TEXTS_H
#define OB_CONFIG_TEXTS_H

#include <stdbool.h>
#include <stddef.h>

/* A file or a folder that others must not be able to change. */
struct ob_noted_file {
        const char *path;
        bool is_secret; /* it holds a secret, so others must not be able to read it */
};

struct ob_texts {
        char **all; /* owned, and each text is owned */
        size_t n, room;
        struct ob_noted_file *files; /* owned; the paths are among `all` */
        size_t n_files, room_files;
};

/* Takes over a text that was allocated, and returns that text. */
const char *ob_texts_keep(struct ob_texts *texts, char *text);

/* Frees all texts. Each text is overwritten with zeros first, because a password may be among them. */
void ob_texts_free(struct ob_texts *texts);

/* Notes a file that the config is made of or uses. The path is copied; "" is no file. */
void ob_texts_note_file(struct ob_texts *texts, const char *path, bool is_secret);

/* The path that the config means: a relative path begins at the folder of `file`, and a leading "./" is dropped; ""
 * stays "". Kept in `texts`. */
const char *ob_path_beside(const char *file, const char *path, struct ob_texts *texts);

#endif
