#include "parsers/kubernetes.h"

static const char pods[] = "/var/log/pods/";
static const char containers[] = "/var/log/containers/";
static const char docker[] = "/var/lib/docker/containers/";

/* What stands behind the directory; ptr NULL: it is not in the path. */
static struct slice behind(struct slice path, const char *directory)
{
	size_t len = strlen(directory);
	const char *at = memmem(path.ptr, path.len, directory, len);

	if (!at)
		return (struct slice){NULL, 0};
	at += len;
	return (struct slice){at, path.len - (size_t)(at - path.ptr)};
}

/* Takes what stands before `c`, and `c`; false: it is empty, or there is none. */
static bool take_to(struct slice *rest, char c, struct slice *part)
{
	const char *end = rest->len > 0 ? memchr(rest->ptr, c, rest->len) : NULL;

	if (!end || end == rest->ptr)
		return false;
	*part = (struct slice){rest->ptr, (size_t)(end - rest->ptr)};
	rest->ptr += part->len + 1;
	rest->len -= part->len + 1;
	return true;
}

static bool read_pods(struct slice rest, struct slice parts[])
{
	struct slice uid;

	return take_to(&rest, '_', &parts[KUBERNETES_NAMESPACE]) &&
	       take_to(&rest, '_', &parts[KUBERNETES_POD]) &&
	       take_to(&rest, '/', &uid) &&
	       take_to(&rest, '/', &parts[KUBERNETES_CONTAINER]) && rest.len > 0 &&
	       !memchr(rest.ptr, '/', rest.len);
}

/* The container's name may have `-`, its id has none. */
static bool read_containers(struct slice rest, struct slice parts[])
{
	const char *dash;

	if (!take_to(&rest, '_', &parts[KUBERNETES_POD]) ||
	    !take_to(&rest, '_', &parts[KUBERNETES_NAMESPACE]) || rest.len == 0)
		return false;
	dash = memrchr(rest.ptr, '-', rest.len);
	if (!dash || dash == rest.ptr || memchr(rest.ptr, '/', rest.len))
		return false;
	parts[KUBERNETES_CONTAINER] =
		(struct slice){rest.ptr, (size_t)(dash - rest.ptr)};
	return true;
}

struct slice kubernetes_part(struct slice path, enum kubernetes_part part)
{
	struct slice parts[3];

	if (read_pods(behind(path, pods), parts) ||
	    read_containers(behind(path, containers), parts))
		return parts[part];
	return (struct slice){NULL, 0};
}

bool kubernetes_is_container_log(struct slice path)
{
	return behind(path, pods).ptr || behind(path, containers).ptr ||
	       behind(path, docker).ptr;
}
