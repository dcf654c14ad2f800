/*
 * kubernetes.h - what the path of a container's log says.
 *
 *   /var/log/pods/NAMESPACE_POD_UID/CONTAINER/N.log
 *   /var/log/containers/POD_NAMESPACE_CONTAINER-ID.log
 *
 * wherever in a path these directories are: a daemon in a container sees them
 * under some mount.  Names have no `_`.
 */
#ifndef PARSERS_KUBERNETES_H
#define PARSERS_KUBERNETES_H

#include <stdbool.h>

#include "common/slice.h"

enum kubernetes_part { KUBERNETES_NAMESPACE, KUBERNETES_POD, KUBERNETES_CONTAINER };

/* Borrowed from the path; ptr is NULL if it is not such a one. */
struct slice kubernetes_part(struct slice path, enum kubernetes_part part);

/* Of a container, by Kubernetes or Docker (/var/lib/docker/containers/)? */
bool kubernetes_is_container_log(struct slice path);

#endif
