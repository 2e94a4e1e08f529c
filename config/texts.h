/*
 * The texts of a config: every string that a config points at and that is not a literal. The texts live as long as
 * their config and are freed with it. Used while the config is loaded, by one thread; only read after that.
 */
#ifndef OB_CONFIG_TEXTS_H
#define OB_CONFIG_TEXTS_H

#include <stddef.h>

struct ob_texts {
        char **all; /* owned, and each text is owned */
        size_t n, room;
        const char **secret_files; /* owned; the texts are among `all` */
        size_t n_secret_files, room_secret_files;
};

/* Takes over a text that was allocated, and returns that text. */
const char *ob_texts_keep(struct ob_texts *texts, char *text);

/* Frees all texts. Each text is overwritten with zeros first, because a password may be among them. */
void ob_texts_free(struct ob_texts *texts);

/* Notes that a file holds a secret. The name is copied. */
void ob_texts_note_secret(struct ob_texts *texts, const char *file);

/* The path that the config means: a relative path begins at the folder of `file`; "" stays "". Kept in `texts`. */
const char *ob_path_beside(const char *file, const char *path, struct ob_texts *texts);

#endif
