/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is remembered about namespaces between scans. A descriptor is open only during a pass. The identity tells whether the
 * name still stands for the same namespace. Names and indexes of links are kept after a scan because objects of other
 * namespaces refer to them (the other end of a veth pair).
 */
#include <fcntl.h>
#include <utlist.h>

#include "kernel/real_kernel.h"
#include "model/state.h"

/* Links of a namespace. Most namespaces have a few, which are found as quickly without a table by name. */

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
		for (size_t i = 0; i < ARRAY_SIZE(handle->sockets); i++)
			handle->sockets[i] = NL_SOCKET_NONE;
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

static const int protocols[HANDLE_SOCKETS] = { NETLINK_ROUTE, NETLINK_NETFILTER, NETLINK_GENERIC };

struct nl_socket *handle_socket_of(struct handle *handle, int protocol) {
	size_t i = 0;

	while (protocols[i] != protocol)
		i++;
	return &handle->sockets[i];
}

/* The number of open sockets besides the one for rtnetlink. */
static size_t n_beside(const struct handle *handle) {
	size_t n = 0;

	for (size_t i = 1; i < ARRAY_SIZE(handle->sockets); i++)
		n += handle->sockets[i].fd >= 0;
	return n;
}

/* The descriptor, which the caller closes; -1 if it is not open. */
static int take_descriptor(struct real_kernel *k, struct handle *handle) {
	if (handle->fd < 0)
		return -1;
	k->n_open -= 1 + n_beside(handle);
	for (size_t i = 0; i < ARRAY_SIZE(handle->sockets); i++)
		nl_close(&handle->sockets[i]);
	DL_DELETE2(k->open, handle, open_prev, open_next);
	return TAKE_FD(handle->fd);
}

static void close_handle(struct real_kernel *k, struct handle *handle) {
	_cleanup_close_ int fd = take_descriptor(k, handle);

	if (handle->hold && handle->held < 0)
		handle->held = TAKE_FD(fd);
}

/* The host's sockets stay open. In other namespaces, each socket besides rtnetlink's counts as another descriptor. */
static int open_socket(struct real_kernel *k, struct handle *handle, int protocol, int netns_fd, struct nl_socket **ret) {
	bool counts = protocol != NETLINK_ROUTE && !handle->host;
	int r;

	*ret = protocol == NETLINK_ROUTE && handle->host ? &k->host : handle_socket_of(handle, protocol);
	if ((*ret)->fd >= 0)
		return 0;
	r = nl_open(*ret, protocol, netns_fd);
	if (r == 0 && counts)
		k->n_open++;
	return r;
}

int handle_socket(struct real_kernel *k, struct handle *handle, int protocol, struct nl_socket **ret) {
	return open_socket(k, handle, protocol, handle->fd, ret);
}

int handle_socket_here(struct real_kernel *k, struct handle *handle, int protocol, struct nl_socket **ret) {
	return open_socket(k, handle, protocol, -1, ret);
}

void handles_close(struct real_kernel *k) {
	while (k->open)
		close_handle(k, k->open);
}

void handles_spare(struct real_kernel *k) {
	if (k->n_open > k->max_open)
		handles_close(k);
}

static void drop_held(struct real_kernel *k, struct handle *handle) {
	if (handle->hold)
		k->n_held--;
	handle->hold = false;
	closep(&handle->held);
	handle->held = -1;
}

void handle_hold(struct real_kernel *k, struct handle *handle, bool hold) {
	if (!hold || !k->holding)
		drop_held(k, handle);
	else if (!handle->hold && handle->fd >= 0 && k->n_held < k->max_held) {
		handle->hold = true;
		k->n_held++;
	}
}

int handle_held(const struct handle *handle) {
	return !handle->hold ? -1 : handle->held >= 0 ? handle->held : handle->fd;
}

int handle_release(struct real_kernel *k, struct handle *handle) {
	int fd = take_descriptor(k, handle);

	if (fd < 0)
		fd = TAKE_FD(handle->held);
	drop_held(k, handle);
	handle->identity = (struct netns_identity){};
	handle->generation++;
	handle_clear_links(handle);
	set_id(k, handle, -1);
	return fd;
}

void handle_gone(struct real_kernel *k, struct handle *handle) {
	_cleanup_close_ int fd _unused_ = handle_release(k, handle);
}

int handle_adopt(struct real_kernel *k, struct handle *handle, int fd, const struct netns_identity *identity) {
	if (netns_is_same(identity, &handle_get(k, NS_HOST)->identity)) {
		handle->obstruction = "another name of the namespace that topod runs in, which is 'host' in the file";
		handle_gone(k, handle);
		close(fd);
		return -ENOENT;
	}
	if (!netns_is_same(identity, &handle->identity)) {
		drop_held(k, handle); /* another namespace has taken its place */
		handle->generation++;
		handle_clear_links(handle);
		set_id(k, handle, -1);
	}
	close_handle(k, handle);
	handle->fd = fd;
	DL_APPEND2(k->open, handle, open_prev, open_next);
	k->n_open++;
	handle->identity = *identity;
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

void handle_expect(struct handle *handle, bool attached, const struct netns_identity *wanted, const char *link) {
	handle->attached = attached;
	handle->wanted = *wanted;
	free(handle->link);
	handle->link = link ? xstrdup(link) : NULL;
}

/* If something else makes the namespace, only the attached one counts. The process to which the link leads may have ended,
 * and its number may have been reused: topod then treats the link as leading nowhere. */
static int check_attached(struct handle *handle, int r, const struct netns_identity *found) {
	if (r == 0 && handle->link && netns_is_same(found, &handle->wanted))
		return 0;
	if (handle->link && netns_leads_to(handle->name, handle->link))
		handle->obstruction = NULL;
	else if (r == 0)
		handle->obstruction = "a network namespace that was not attached";
	return r == 0 ? -ENOENT : r;
}

int handle_open(struct real_kernel *k, struct handle *handle) {
	_cleanup_close_ int fd = -1;
	struct netns_identity found;
	int r;

	if (handle->host || handle->fd >= 0)
		return 0;
	r = netns_open_identified(handle->name, &fd, &found, &handle->obstruction);
	r = handle->attached ? check_attached(handle, r, &found) : r;
	handle->half_made = r == -EINVAL;
	/* A stale file counts as none; creating the namespace removes it. */
	if (r == -EINVAL || r == -EEXIST)
		r = -ENOENT;
	handle->unnamed = r == -ENOENT && handle->held >= 0 && !handle->attached;
	if (handle->unnamed) {
		fd = TAKE_FD(handle->held); /* closing the handle puts it back */
		found = handle->identity;
		r = 0;
	}
	if (r == -ENOENT)
		handle_gone(k, handle);
	return r < 0 ? r : handle_adopt(k, handle, TAKE_FD(fd), &found);
}

void handles_done(struct real_kernel *k) {
	struct handle *handle, *next;

	HASH_CLEAR(hh_id, k->by_id);
	HASH_ITER(hh, k->handles, handle, next) {
		HASH_DELETE(hh, k->handles, handle);
		handle->nsid = -1;
		handle_gone(k, handle);
		for (size_t i = 0; i < ARRAY_SIZE(handle->sockets); i++)
			nl_close(&handle->sockets[i]); /* of the host */
		free(handle->link);
		free(handle->name);
		free(handle);
	}
}
