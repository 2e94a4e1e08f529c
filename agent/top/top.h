/*
 * otterbeat top: the status page in the terminal. The figures are the status page's JSON, from the address in the
 * config or from --url; so a view of another machine is the same as a view of this one.
 */
#ifndef OB_TOP_TOP_H
#define OB_TOP_TOP_H

#include "agent/process/command.h"

extern const struct ob_command ob_top_command;

#endif
