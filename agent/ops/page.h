/*
 * otterbeat page: shows how a manager's page is read, for bug reports. Prints the rows of a page, a line of JSON
 * for each row. The page is a file, which may begin with the header of an HTTP answer, or the address of a known
 * page. The heading of the page says which page it is. The config says how the manager is reached, and which words
 * and zone it uses; without a config Otter's defaults hold.
 */
#ifndef OB_OPS_PAGE_H
#define OB_OPS_PAGE_H

#include "agent/process/command.h"

extern const struct ob_command ob_page_command;

#endif
