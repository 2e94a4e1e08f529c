/*
 * otterbeat migrate: moves the state of an agent from a state_dir into the database of the setting `state`, or
 * back, so that the next agent goes on where the last one was. All is one transaction of the target.
 */
#ifndef OB_CLUSTER_MIGRATE_H
#define OB_CLUSTER_MIGRATE_H

#include "agent/process/command.h"

extern const struct ob_command ob_migrate_command;

#endif
