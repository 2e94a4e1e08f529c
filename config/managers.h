/*
 * Reads the list `managers`, each manager's database and its web pages; and the group `state`, the database in
 * which several agents keep their state. Used by load.c only, by one thread.
 */
#ifndef OB_CONFIG_MANAGERS_H
#define OB_CONFIG_MANAGERS_H

#include <libconfig.h>

#include "config/config.h"
#include "proto/error.h"

/* `root` is the whole file. Returns -1 and `err` when anything in it is wrong. */
int ob_config_read_managers(const config_setting_t *root, struct ob_config *c, struct ob_err *err);

/*
 * `root` is the whole file, whose top settings were read. Without the group the state is in `state_dir`, and
 * `state.n_hosts` is 0. Returns -1 and `err` when anything is wrong.
 */
int ob_config_read_state(const config_setting_t *root, struct ob_config *c, struct ob_err *err);

/* Whether `url` can be page.url: 0, or -1 and `err`. */
int ob_page_url_check(const char *url, struct ob_err *err);

#endif
