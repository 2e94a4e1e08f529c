/*
 * The agent's container, for DogStatsD's field `|c:`: ci-<id>, or in-<inode> when only the cgroup's inode is known.
 * Facts: Docker's and Kubernetes' cgroup paths; DataDog's page "origin detection". Reads /proc; any thread.
 */
#ifndef OB_SINK_ORIGIN_H
#define OB_SINK_ORIGIN_H

#include <stdbool.h>

#define OB_ORIGIN_MAX 80

/* Writes "" when `container` is "", or is "auto" outside a container; any other `container` is the id itself. */
void ob_origin_find(const char *container, char origin[OB_ORIGIN_MAX]);

/*
 * Finds the id in the text of /proc/self/cgroup or mountinfo: 64 hexadecimal digits, or a Kubernetes-like uuid, at
 * the end of a path that looks like a container's. Writes ci-<id>; false: there is none.
 */
bool ob_origin_of_cgroup(const char *text, char origin[OB_ORIGIN_MAX]);
bool ob_origin_of_mounts(const char *text, char origin[OB_ORIGIN_MAX]);

#endif
