/*
 * A setting is one row of a table: its name, its type, the field that it sets, its range and its default. A table
 * describes one group of the config file. This module lays a table's defaults over a struct, and then the values
 * that the file sets. The tables are in all_settings.c. Used while the config is loaded, by one thread.
 */
#ifndef OB_CONFIG_SETTING_H
#define OB_CONFIG_SETTING_H

#include <libconfig.h>
#include <stddef.h>
#include <stdint.h>

#include "config/texts.h"
#include "proto/error.h"

enum ob_setting_type {
        OB_SET_TEXT,   /* const char * */
        OB_SET_SECRET, /* const char *; the file in which the secret is written is noted */
        OB_SET_PREFIX, /* const char *, made of [A-Za-z0-9_.-] */
        OB_SET_FILE,   /* const char *, the path of a file that holds a secret: see `secret` */
        OB_SET_PATH,   /* const char *: a relative path begins at the folder of the config file */
        OB_SET_INPUT,  /* like OB_SET_PATH, for a file that a library reads: a pipe or a device is refused */
        OB_SET_INT,    /* int */
        OB_SET_LONG,   /* int64_t */
        OB_SET_BOOL,   /* bool */
        OB_SET_CHOICE, /* int: the position in `choices` */
        OB_SET_START,  /* struct ob_start */
        OB_SET_GROUP,  /* no field: other code reads this setting */
        OB_SET_TYPES
};

struct ob_setting {
        const char *name;
        enum ob_setting_type type;
        size_t offset;              /* of the field in the struct that the table is for */
        int64_t min, max;           /* the range of a number, both ends included */
        int64_t number;             /* the default of a number, of a bool, or of a choice (a position) */
        const char *text;           /* the default of a text, of a path, or of a start; NULL: "" */
        const char *const *choices; /* of an OB_SET_CHOICE; a NULL ends the list */
        size_t secret;              /* of an OB_SET_FILE: the offset of the text that gets the file's first line */
};

/* Sets every field that a table describes to its default. A NULL name ends the table. */
void ob_settings_defaults(const struct ob_setting *table, void *target);

/* Sets the fields whose settings `group` holds. A setting that is not in the table is an error. */
int ob_settings_read(const config_setting_t *group, const struct ob_setting *table, void *target,
        struct ob_texts *texts, struct ob_err *err);

/* Lays the defaults, and then the group called `name` inside `group`, over `target`. The group may be absent. */
int ob_settings_read_group(const config_setting_t *group, const char *name, const struct ob_setting *table,
        void *target, struct ob_texts *texts, struct ob_err *err);

/* Says "FILE:LINE: …" about a setting. Returns -1. */
int ob_setting_fail(const config_setting_t *at, struct ob_err *err, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* Checks that `at` has a libconfig type (CONFIG_TYPE_GROUP, …). `what` names this type in the error. */
int ob_setting_expect(const config_setting_t *at, int type, const char *what, struct ob_err *err);

/* The list called `name`, which must have at least one element. NULL and `err` otherwise, which names `file` when
 * there is no such list. */
const config_setting_t *ob_setting_list(
        const config_setting_t *root, const char *name, const char *file, struct ob_err *err);

/* The text of a setting after ${VAR} was replaced, kept in `texts`. NULL and `err` when `at` is not a text. */
const char *ob_setting_text(const config_setting_t *at, struct ob_texts *texts, struct ob_err *err);

#endif
