/*
 * Settings as data: a group of the config file is laid over a struct by a table of its settings.
 * Used while the config is loaded, by one thread.
 */
#ifndef OB_CONFIG_SETTING_H
#define OB_CONFIG_SETTING_H

#include <libconfig.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

enum ob_setting_type {
        OB_SET_TEXT,   /* const char *, the config's */
        OB_SET_SECRET, /* the same; the file that it stands in is noted */
        OB_SET_PREFIX, /* const char *, made of [A-Za-z0-9_.-] */
        OB_SET_FILE,   /* const char *, the path of a file that holds a secret: see `secret` */
        OB_SET_PATH,   /* const char *: a relative path begins at the config file's folder */
        OB_SET_INPUT,  /* … of a file that a library reads: a pipe in its place is refused */
        OB_SET_INT,    /* int */
        OB_SET_LONG,   /* int64_t */
        OB_SET_BOOL,   /* bool */
        OB_SET_CHOICE, /* int: the position in `choices` */
        OB_SET_START,  /* struct ob_start */
        OB_SET_GROUP,  /* looked at by other code */
        OB_SET_TYPES
};

struct ob_setting {
        const char *name;
        enum ob_setting_type type;
        size_t offset;
        int64_t min, max;           /* of numbers */
        const char *const *choices; /* of a choice; ends with NULL */
        size_t secret;              /* of a file: the offset of the const char * that its first line is put into */
};

/* Texts of a config, freed with it. */
struct ob_texts {
        char **all; /* ours, and the texts */
        size_t n, room;
        const char **secret_files; /* ours; the texts are among `all` */
        size_t n_secret_files, room_secret_files;
};

/* Hands a text over; returns it. */
const char *ob_texts_keep(struct ob_texts *texts, char *text);
void ob_texts_free(struct ob_texts *texts);

/* Notes that a file holds a secret. */
void ob_texts_note_secret(struct ob_texts *texts, const char *file);

/* A path as the config means it: beside `file`, unless it is absolute or "". Kept in `texts`. */
const char *ob_path_beside(const char *file, const char *path, struct ob_texts *texts);

/* "FILE:LINE: …" about a setting. Returns -1. */
int ob_setting_fail(const config_setting_t *at, struct ob_err *err, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* Checks that `at` is of a libconfig type (CONFIG_TYPE_GROUP, …), said as `what`. */
int ob_setting_expect(const config_setting_t *at, int type, const char *what, struct ob_err *err);

/* The expanded text of a string setting, kept in `texts`; NULL and `err` when it is none. */
const char *ob_setting_text(const config_setting_t *at, struct ob_texts *texts, struct ob_err *err);

/* Lays `group` over `target` by a table that ends with a NULL name. What is not named stays. */
int ob_settings_read(const config_setting_t *group, const struct ob_setting *table, void *target,
        struct ob_texts *texts, struct ob_err *err);

/* The same with the group of that name in `group`; without one, all stays. */
int ob_settings_read_group(const config_setting_t *group, const char *name, const struct ob_setting *table,
        void *target, struct ob_texts *texts, struct ob_err *err);

#endif
