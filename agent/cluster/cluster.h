/*
 * otterbeat cluster: what the database of the setting `state` knows of the agents, the lease and the queue; and
 * otterbeat cluster release, which asks the owner to release the lease, so that another agent takes over.
 */
#ifndef OB_CLUSTER_CLUSTER_H
#define OB_CLUSTER_CLUSTER_H

#include "agent/process/command.h"

extern const struct ob_command ob_cluster_command;

#endif
