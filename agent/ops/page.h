/* What we read off a manager's page, for those who report that it is wrong. */
#ifndef OB_OPS_PAGE_H
#define OB_OPS_PAGE_H

#include <stdbool.h>

#include "config/config.h"
#include "proto/error.h"

/*
 * Prints the rows of a page, a line of JSON each, to standard output. `what` is a file, which may begin with the
 * header of an HTTP answer, or the address of one of the pages that we know. Which one it is says its heading.
 * `config` says how a manager is reached and in which words and zone it speaks; NULL: Otter's own.
 */
int ob_page_show(const struct ob_config *config, const char *what, struct ob_err *err);

#endif
