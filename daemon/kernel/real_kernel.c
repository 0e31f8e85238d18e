/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real kernel: what is remembered between looks. A namespace's descriptor is open only during a pass; its
 * identity tells whether the name still stands for the same one; the names and indexes of its links are needed by
 * other namespaces' objects (the other end of a veth pair), so they outlive the look.
 */
#include "kernel/real_kernel.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <utlist.h>

#include "model/state.h"
#include "kernel/events.h"

enum {
	MOST_THREADS = 4,
	LEAST_FILES = 768, /* fewer are too few for batches of full size */
};

/* Links of a namespace. A handful of them is found as quickly without a table by name, and most namespaces have no more. */

enum { MANY_LINKS = 16 };

struct known_link *handle_link(const struct handle *handle, const char *name) {
	struct known_link *link = NULL;

	if (handle->by_name)
		HASH_FIND(hh_name, handle->by_name, name, strlen(name), link);
	else
		for (link = handle->by_index; link && !streq(link->name, name);)
			link = link->hh_index.next;
	return link;
}

struct known_link *handle_index(const struct handle *handle, uint32_t ifindex) {
	struct known_link *link = NULL;

	HASH_FIND(hh_index, handle->by_index, &ifindex, sizeof(ifindex), link);
	return link;
}

static void add_name(struct handle *handle, struct known_link *link) {
	HASH_ADD_KEYPTR(hh_name, handle->by_name, link->name, strlen(link->name), link);
}

static void add(struct handle *handle, struct known_link *link) {
	HASH_ADD(hh_index, handle->by_index, ifindex, sizeof(link->ifindex), link);
	if (handle->by_name)
		add_name(handle, link);
	else if (HASH_CNT(hh_index, handle->by_index) > MANY_LINKS)
		for (link = handle->by_index; link; link = link->hh_index.next)
			add_name(handle, link);
}

static void drop(struct handle *handle, struct known_link *link) {
	if (handle->by_name)
		HASH_DELETE(hh_name, handle->by_name, link);
	HASH_DELETE(hh_index, handle->by_index, link);
	free(link);
}

void handle_drop_link(struct handle *handle, const char *name) {
	struct known_link *link = handle_link(handle, name);

	if (link)
		drop(handle, link);
}

void handle_add_link(struct handle *handle, const char *name, uint32_t ifindex, const struct mac *mac) {
	struct known_link *link = handle_index(handle, ifindex);

	if (link && streq(link->name, name)) {
		link->mac = mac ? *mac : link->mac;
		return;
	}
	if (link)
		drop(handle, link);
	handle_drop_link(handle, name);
	link = xmalloc(sizeof(*link) + strlen(name) + 1);
	link->ifindex = ifindex;
	if (mac)
		link->mac = *mac;
	strcpy(link->name, name);
	add(handle, link);
	handle->highest = MAX(handle->highest, ifindex);
}

void handle_clear_links(struct handle *handle) {
	struct known_link *link, *next;

	HASH_ITER(hh_index, handle->by_index, link, next)
	drop(handle, link);
	handle->highest = 0;
}

/* Namespaces. */

struct handle *handle_get(struct real_kernel *k, const char *name) {
	struct handle *handle = NULL;

	HASH_FIND_STR(k->handles, name, handle);
	if (!handle) {
		handle = xmalloc(sizeof(*handle));
		handle->name = xstrdup(name);
		handle->host = streq(name, NS_HOST);
		handle->fd = handle->held = -1;
		handle->route = handle->netfilter = NL_SOCKET_NONE;
		handle->nsid = -1;
		HASH_ADD_KEYPTR(hh, k->handles, handle->name, strlen(handle->name), handle);
	}
	return handle;
}

struct handle *handle_by_id(struct real_kernel *k, int32_t nsid) {
	struct handle *handle = NULL;

	HASH_FIND(hh_id, k->by_id, &nsid, sizeof(nsid), handle);
	return handle;
}

static void set_id(struct real_kernel *k, struct handle *handle, int32_t nsid) {
	struct handle *other = nsid >= 0 ? handle_by_id(k, nsid) : NULL;

	if (handle->nsid == nsid)
		return;
	if (other) {
		HASH_DELETE(hh_id, k->by_id, other);
		other->nsid = -1;
	}
	if (handle->nsid >= 0)
		HASH_DELETE(hh_id, k->by_id, handle); /* NOLINT(clang-analyzer-core.NullDereference): it is in the table */
	handle->nsid = nsid;
	if (nsid >= 0)
		HASH_ADD(hh_id, k->by_id, nsid, sizeof(handle->nsid), handle);
}

/* Its descriptor is the caller's; -1: it is not open. */
static int take_descriptor(struct real_kernel *k, struct handle *handle) {
	if (handle->fd < 0)
		return -1;
	k->n_open -= 1 + (size_t)(handle->netfilter.fd >= 0);
	nl_close(&handle->route);
	nl_close(&handle->netfilter);
	DL_DELETE2(k->open, handle, open_prev, open_next);
	return TAKE_FD(handle->fd);
}

static void close_handle(struct real_kernel *k, struct handle *handle) {
	_cleanup_close_ int fd _unused_ = take_descriptor(k, handle);
}

static int open_socket(struct real_kernel *k, struct handle *handle, int protocol, int netns_fd, struct nl_socket **ret) {
	bool netfilter = protocol == NETLINK_NETFILTER;
	int r;

	*ret = netfilter ? &handle->netfilter : handle->host ? &k->host : &handle->route;
	if ((*ret)->fd >= 0)
		return 0;
	r = nl_open(*ret, protocol, netns_fd);
	if (r == 0 && netfilter && !handle->host)
		k->n_open++;
	return r;
}

int handle_socket(struct real_kernel *k, struct handle *handle, int protocol, struct nl_socket **ret) {
	return open_socket(k, handle, protocol, handle->fd, ret);
}

int handle_socket_here(struct real_kernel *k, struct handle *handle, int protocol, struct nl_socket **ret) {
	return open_socket(k, handle, protocol, -1, ret);
}

static void close_handles(struct real_kernel *k) {
	while (k->open)
		close_handle(k, k->open);
}

static void real_rest(struct kernel *kernel) {
	struct real_kernel *k = (struct real_kernel *)kernel;

	close_handles(k);
	settings_done(&k->settings);
	netns_keep_folder(false);
}

void handles_spare(struct real_kernel *k) {
	if (k->n_open > k->max_open)
		close_handles(k);
}

static void let_go(struct real_kernel *k, struct handle *handle) {
	if (handle->held >= 0)
		k->n_held--;
	closep(&handle->held);
	handle->held = -1;
}

void handle_hold(struct real_kernel *k, struct handle *handle, bool hold) {
	if (!hold || !k->holding)
		let_go(k, handle);
	else if (handle->held < 0 && handle->fd >= 0 && k->n_held < k->max_held) {
		handle->held = fcntl(handle->fd, F_DUPFD_CLOEXEC, 0);
		k->n_held += handle->held >= 0;
	}
}

int handle_release(struct real_kernel *k, struct handle *handle) {
	int fd = take_descriptor(k, handle);

	if (fd < 0 && handle->held >= 0)
		fd = fcntl(handle->held, F_DUPFD_CLOEXEC, 0);
	let_go(k, handle);
	handle->identity = (struct netns_identity){};
	handle->generation++;
	handle_clear_links(handle);
	set_id(k, handle, -1);
	return fd;
}

void handle_gone(struct real_kernel *k, struct handle *handle) {
	_cleanup_close_ int fd _unused_ = handle_release(k, handle);
}

int handle_adopt(struct real_kernel *k, struct handle *handle, int fd) {
	struct netns_identity identity;

	int r = netns_identity(fd, &identity);
	if (r == 0 && netns_is_same(&identity, &handle_get(k, NS_HOST)->identity)) {
		handle->obstruction = "another name of the namespace that topod runs in, which is 'host' in the file";
		handle_gone(k, handle);
		r = -ENOENT;
	}
	if (r < 0) {
		close(fd);
		return r;
	}
	if (!netns_is_same(&identity, &handle->identity)) {
		let_go(k, handle); /* somebody has put another one in its place */
		handle->generation++;
		handle_clear_links(handle);
		set_id(k, handle, -1);
	}
	close_handle(k, handle);
	handle->fd = fd;
	DL_APPEND2(k->open, handle, open_prev, open_next);
	k->n_open++;
	handle->identity = identity;
	return 0;
}

int handles_number(struct real_kernel *k, struct handle *const *handles, size_t n) {
	_cleanup_free_ int *fds = xmalloc(n * sizeof(*fds));
	_cleanup_free_ int32_t *ids = xmalloc(n * sizeof(*ids));
	_cleanup_free_ struct handle **without = xmalloc(n * sizeof(struct handle *));
	size_t n_without = 0;

	for (size_t i = 0; k->listening && i < n; i++)
		if (handles[i]->nsid < 0 && handles[i]->fd >= 0) {
			without[n_without] = handles[i];
			fds[n_without++] = handles[i]->fd;
		}
	int r = netns_ids(&k->host, fds, n_without, true, ids);
	for (size_t i = 0; r == 0 && i < n_without; i++)
		set_id(k, without[i], ids[i]);
	return r;
}

int handle_open(struct real_kernel *k, struct handle *handle) {
	int fd, r;

	if (handle->host || handle->fd >= 0)
		return 0;
	r = netns_open(handle->name, &fd, &handle->obstruction);
	/* A stale file is as good as none; creating takes care of it. */
	if (r == -EINVAL || r == -EEXIST)
		r = -ENOENT;
	handle->unnamed = r == -ENOENT && handle->held >= 0;
	if (handle->unnamed) {
		fd = fcntl(handle->held, F_DUPFD_CLOEXEC, 0);
		r = fd < 0 ? -errno : 0;
	}
	if (r == -ENOENT)
		handle_gone(k, handle);
	if (r < 0)
		return r;
	return handle_adopt(k, handle, fd);
}

/* The interface. */

static const char *real_name_of(struct kernel *kernel, int32_t nsid) {
	struct real_kernel *k = (struct real_kernel *)kernel;
	const struct handle *handle = nsid == WATCH_NSID_HOST ? handle_get(k, NS_HOST) : handle_by_id(k, nsid);

	return handle ? handle->name : NULL;
}

static const char *real_link_of(struct kernel *kernel, const char *ns, uint32_t ifindex) {
	const struct known_link *link = handle_index(handle_get((struct real_kernel *)kernel, ns), ifindex);

	return link ? link->name : NULL;
}

static int real_clear(struct kernel *kernel _unused_, enum transport transport, const char *ns) {
	int r = 0;

	if (transport == TRANSPORT_FILE)
		resolv_conf_clear(ns);
	if (transport == TRANSPORT_NETNS)
		r = netns_remove_stale(ns);
	return r == -ENOENT || r == -EEXIST ? 0 : r; /* a namespace stays, and whatever else is somebody's */
}

static void real_hold(struct kernel *kernel) {
	((struct real_kernel *)kernel)->holding = true;
}

static void real_check_names(struct kernel *kernel, void (*fn)(void *userdata, const char *ns), void *userdata) {
	struct real_kernel *k = (struct real_kernel *)kernel;

	netns_keep_folder(true);
	for (struct handle *handle = k->handles; handle; handle = handle->hh.next)
		if (handle->held >= 0 && !netns_is_named(handle->name, &handle->identity))
			fn(userdata, handle->name);
	netns_keep_folder(false);
}

static void real_listen(struct kernel *kernel) {
	((struct real_kernel *)kernel)->listening = true;
}

static void real_free(struct kernel *kernel) {
	struct real_kernel *k = (struct real_kernel *)kernel;
	struct handle *handle, *next;

	HASH_CLEAR(hh_id, k->by_id);
	HASH_ITER(hh, k->handles, handle, next) {
		HASH_DELETE(hh, k->handles, handle);
		handle->nsid = -1;
		handle_gone(k, handle);
		nl_close(&handle->netfilter);
		free(handle->name);
		free(handle);
	}
	nl_close(&k->host);
	settings_done(&k->settings);
	netns_keep_folder(false);
	free(k);
}

static const struct kernel_ops real_ops = {
	.observe = real_observe,
	.execute = real_execute,
	.clear = real_clear,
	.name_of = real_name_of,
	.link_of = real_link_of,
	.listen = real_listen,
	.hold = real_hold,
	.check_names = real_check_names,
	.left_behind = real_left_behind,
	.rest = real_rest,
	.free = real_free,
};

/* Linux 5.18 has IFA_PROTO; an older one ignores it, which no message tells. */
static bool has_address_marks(void) {
	unsigned major = 0, minor = 0;
	struct utsname name;

	return uname(&name) == 0 && sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 5 || (major == 5 && minor >= 18));
}

/* Two descriptors a namespace (one with nf_tables counts as two), and room for what one batch of requests opens. */
static size_t open_limit(size_t n_files) {
	return n_files < LEAST_FILES ? 64 : n_files / 2 - 2 * NL_BATCH_MESSAGES - 64;
}

/* A quarter of what may be open is for namespaces that are held. */
static void set_limits(struct real_kernel *k) {
	struct rlimit limit;
	size_t n_files = getrlimit(RLIMIT_NOFILE, &limit) < 0 ? 0 : (size_t)MIN(limit.rlim_cur, (rlim_t)1 << 20);

	k->max_held = n_files / 4;
	k->max_open = open_limit(n_files - k->max_held);
}

/* As many as processors, up to where more would only wait for one another: the kernel has one lock for links. */
static unsigned thread_limit(void) {
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) < 0 ? 1 : (unsigned)MIN(CPU_COUNT(&set), MOST_THREADS);
}

static int know_host(struct real_kernel *k) {
	_cleanup_close_ int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : netns_identity(fd, &handle_get(k, NS_HOST)->identity);
}

int real_kernel_new(struct kernel **ret) {
	struct real_kernel *k = xmalloc(sizeof(*k));

	k->kernel.ops = &real_ops;
	k->host = NL_SOCKET_NONE;
	k->settings = SETTINGS_NONE;
	set_limits(k);
	k->max_threads = thread_limit();
	k->address_marks = has_address_marks();
	int r = netns_init();
	if (r == 0)
		r = nl_open(&k->host, NETLINK_ROUTE, -1);
	if (r == 0)
		r = know_host(k);
	if (r < 0) {
		real_free(&k->kernel);
		return r;
	}
	*ret = &k->kernel;
	return 0;
}
