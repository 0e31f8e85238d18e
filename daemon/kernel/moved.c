/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Some links are unique: there is one vxlan for each VNI and port of the namespace where it was created, one macvlan in
 * mode passthru for each parent, one macvlan for each MAC address. Moving such a link into another namespace does not
 * change that, so it cannot be created again while the moved one exists.
 *
 * That may be anywhere, also in a namespace without a name that topod never scans. But when a link is moved, the kernel
 * gives the target namespace an id in the one that the link leaves (__dev_change_net_namespace() in net/core/dev.c), and
 * by that id links in it can be listed and deleted (IFLA_TARGET_NETNSID), without a descriptor or a name. A link that was
 * moved twice may not be found.
 *
 * The link is topod's if it has the mark, and the fingerprint of the ledger's entry, as anywhere else.
 */
#include "kernel/moved.h"

#include <linux/rtnetlink.h>

#include "kind/link.h"

enum {
	GAP = 64,         /* the kernel gives the lowest free id: after so many unused ones in a row there are no more */
	ID_MAX = 1 << 16, /* only a bound */
};

/* The state of a search in the namespaces for which one namespace has ids. */
struct search {
	struct real_kernel *k;
	struct nl_socket *sock;
	struct arena seen, *arena;
	struct decode decode;
	const struct object *desired;
	const struct ledger_entry *entry;
	int32_t id;        /* -1: the namespace of the socket */
	const char *found; /* the link's name there */
};

bool moved_may_hinder(const struct change *change) {
	if (change->type == CHANGE_DELETE || !object_is_link(change->desired) || change->unsure)
		return false;
	return change->error == -EEXIST || change->error == -EBUSY || change->error == -EINVAL ||
	       change->error == -EADDRINUSE;
}

static int take_moved(void *userdata, const struct nlmsghdr *nlh) {
	struct search *s = userdata;
	const struct link *link = nlh->nlmsg_type == RTM_NEWLINK ? link_decode(&s->decode, nlh) : NULL;

	if (link && link->object.owned && link->object.kind == s->desired->kind && ledger_is_signed(s->entry, &link->object))
		s->found = link->name;
	return 0;
}

/* 0, or -EINVAL if no namespace has the id. */
static int look_into(struct search *s) {
	union {
		struct nlmsghdr nlh;
		char space[64];
	} request = {};

	s->found = NULL;
	arena_done(&s->seen);
	mnl_nlmsg_put_header(&request)->nlmsg_type = RTM_GETLINK;
	mnl_nlmsg_put_extra_header(&request.nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_u32(&request.nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	if (s->id >= 0)
		mnl_attr_put_u32(&request.nlh, IFLA_TARGET_NETNSID, (uint32_t)s->id);
	return nl_dump(s->sock, &request.nlh, take_moved, NULL, s);
}

static void take_error(void *userdata, size_t index _unused_, const struct nl_ack *ack) {
	*(int *)userdata = ack->error;
}

static bool delete_found(struct search *s) {
	_cleanup_(nl_writer_done) struct nl_writer w = {};
	int error = 0, r;

	nl_begin(&w, RTM_DELLINK, 0, sizeof(struct ifinfomsg));
	if (s->id >= 0)
		nl_put_u32(&w, IFLA_TARGET_NETNSID, (uint32_t)s->id);
	nl_put_text(&w, IFLA_IFNAME, s->found);
	r = nl_transact(s->sock, w.messages.items, w.messages.n, false, take_error, &error);
	return r == 0 && error == 0;
}

static const char *where(struct search *s) {
	const char *name = netns_name_of(s->sock, s->id, s->arena);
	int32_t host;

	if (!name && netns_ids(s->sock, (const int[]){ -1 }, 1, false, &host) == 0 && host == s->id)
		name = NS_HOST;
	return name ? arena_printf(s->arena, "%s/%s", name, s->found)
		    : arena_printf(s->arena, "a namespace without a name, as '%s'", s->found);
}

/* Searches all namespaces that `at` has an id for, except the link's own. */
static bool search_from(struct search *s, struct handle *at, const char **ret_where) {
	struct handle *home = handle_get(s->k, s->desired->ns);
	int32_t own = -1;
	bool done = false;

	if (handle_open(s->k, at) < 0 || handle_socket(s->k, at, NETLINK_ROUTE, &s->sock) < 0)
		return false;
	if (handle_open(s->k, home) == 0)
		(void)netns_ids(s->sock, &home->fd, 1, false, &own);
	s->id = 0;
	for (int unused = 0; unused < GAP && s->id < ID_MAX && !done; s->id++) {
		unused = look_into(s) == -EINVAL ? unused + 1 : 0;
		if (!s->found || s->id == own)
			continue;
		*ret_where = where(s);
		done = delete_found(s);
	}
	return done;
}

/* The namespaces of processes. */
struct process_search {
	struct search *search;
	vec(uint64_t) searched; /* inodes */
	const char **ret_where;
	bool done;
};

static bool search_process(void *userdata, int proc, int pid, uint64_t netns) {
	struct process_search *p = userdata;
	_cleanup_nl_ struct nl_socket sock = NL_SOCKET_NONE;
	_cleanup_text_ struct text process = {};

	vec_foreach(inode, &p->searched)
		if (*inode == netns)
			return true;
	vec_push(&p->searched, netns);
	_cleanup_close_ int fd = process_open_netns(proc, pid);
	p->search->sock = &sock;
	p->search->id = -1;
	if (fd < 0 || nl_open(&sock, NETLINK_ROUTE, fd) < 0 || look_into(p->search) < 0 || !p->search->found)
		return true;
	process_add_name(proc, pid, &process);
	*p->ret_where = arena_printf(p->search->arena, "a namespace without a name, as '%s' (%s)", p->search->found,
				     text_str(&process));
	p->done = delete_found(p->search);
	return !p->done;
}

static bool search_processes(struct search *s, const char **ret_where) {
	struct process_search p = { .search = s, .ret_where = ret_where };

	vec_push(&p.searched, handle_get(s->k, s->desired->ns)->identity.inode);
	processes_walk(search_process, &p);
	vec_done(&p.searched);
	return p.done;
}

bool moved_remove(struct real_kernel *k, const struct scan_request *request, const struct change *change,
		  struct arena *arena, const char **ret_where) {
	const struct object *desired = change->desired;
	struct search s = {
		.k = k,
		.desired = desired,
		.entry = ledger_find_object(request->ledger, desired),
		.arena = arena,
		.decode = { .ns = desired->ns, .topology = request->topology },
	};
	const char *const from[] = { desired->ns, NS_HOST,
				     desired->kind->sent_in ? desired->kind->sent_in(change) : NS_HOST };

	bool done = false;

	s.decode.arena = &s.seen;
	for (size_t i = 0; s.entry && i < ARRAY_SIZE(from) && !done; i++)
		done = (i == 0 || !streq(from[i], from[0])) && search_from(&s, handle_get(k, from[i]), ret_where);
	done = done || (s.entry && search_processes(&s, ret_where));
	arena_done(&s.seen);
	return done;
}
