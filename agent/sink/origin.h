/*
 * The container that we run in, as DogStatsD's field `|c:` tells it: ci-<id>, or in-<inode> where the cgroup's
 * number is all that can be known. Facts: Docker's and Kubernetes' cgroup paths; DataDog's page "origin detection".
 * Reads /proc; any thread.
 */
#ifndef OB_SINK_ORIGIN_H
#define OB_SINK_ORIGIN_H

#include <stdbool.h>

#define OB_ORIGIN_MAX 80

/* "" when `container` is "", or when it is "auto" and we run in none; else `container` is its id. */
void ob_origin_find(const char *container, char origin[OB_ORIGIN_MAX]);

/*
 * The id in the text of /proc/self/cgroup or /proc/self/mountinfo: 64 hexadecimal digits, or a Kubernetes-like
 * uuid, as the last thing of a path that looks like a container's. Writes it as ci-<id>. False when there is none.
 */
bool ob_origin_of_cgroup(const char *text, char origin[OB_ORIGIN_MAX]);
bool ob_origin_of_mounts(const char *text, char origin[OB_ORIGIN_MAX]);

#endif
