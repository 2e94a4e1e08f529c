/* otterbeat page: shows how a manager's page is read, for bug reports. */
#ifndef OB_OPS_PAGE_H
#define OB_OPS_PAGE_H

#include <stdbool.h>

#include "config/config.h"
#include "proto/error.h"

/*
 * Prints the rows of a page on standard output, a line of JSON for each row. `what` is a file, which may begin with
 * the header of an HTTP answer, or the address of a known page. The heading of the page says which page it is.
 * `config` says how the manager is reached and which words and zone it uses; NULL: Otter's defaults.
 */
int ob_page_show(const struct ob_config *config, const char *what, struct ob_err *err);

#endif
