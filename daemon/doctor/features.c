/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Has this kernel what the file needs? It is asked by requests in a network namespace without a name: for a kind that it
 * does not know, the kernel loads the module if it may, and otherwise says "Unknown device type".
 */
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "doctor/doctor_private.h"
#include "kernel/named_netns.h"
#include "kernel/nl_socket.h"
#include "net/nl_message.h"

/* Which kinds were asked for already. */
typedef vec(const struct kind *) kind_list;

static bool was_asked(kind_list *list, const struct kind *kind) {
	vec_foreach(known, list)
		if (*known == kind)
			return true;
	vec_push(list, kind);
	return false;
}

static void keep_error(void *userdata, size_t index _unused_, const struct nl_ack *ack) {
	*(int *)userdata = ack->error;
}

static int request(struct nl_socket *sock, struct nl_writer *w) {
	int error = 0, r = nl_transact(sock, w->messages.items, w->messages.n, false, keep_error, &error);

	nl_clear(w);
	return r < 0 ? r : error;
}

/* A kind that exists wants more attributes, or makes the link: both are an answer. */
static bool has_link_kind(struct nl_socket *sock, struct nl_writer *w, const char *kind) {
	nl_begin(w, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
	nl_put_text(w, IFLA_IFNAME, "probe");
	struct nlattr *info = nl_nest(w, IFLA_LINKINFO);
	nl_put_text(w, IFLA_INFO_KIND, kind);
	nl_nest_end(w, info);
	if (request(sock, w) == -EOPNOTSUPP)
		return false;
	nl_begin(w, RTM_DELLINK, 0, sizeof(struct ifinfomsg));
	nl_put_text(w, IFLA_IFNAME, "probe");
	(void)request(sock, w); /* it may not have been made */
	return true;
}

static bool has_nf_tables(int fd, struct nl_writer *w) {
	struct nl_socket sock = { .fd = -1 };
	struct nfgenmsg *header;
	int r = nl_open(&sock, NETLINK_NETFILTER, fd);

	if (r == 0) {
		header = nl_begin(w, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN, 0, sizeof(*header));
		header->version = NFNETLINK_V0;
		r = request(&sock, w);
	}
	nl_close(&sock);
	return r != -EPROTONOSUPPORT && r != -EOPNOTSUPP && r != -EINVAL;
}

struct asking {
	struct doctor *d;
	int fd; /* the namespace */
	struct nl_socket route;
	struct nl_writer writer;
	kind_list asked;
};

static void ask(struct asking *a, const struct object *object) {
	const struct kind *kind = object->kind;
	struct doctor *d = a->d;

	if (kind->transport == TRANSPORT_NETFILTER && !was_asked(&a->asked, kind) && !has_nf_tables(a->fd, &a->writer))
		find_at(d, FINDING_ERROR, object->position, "this kernel has no nftables",
			"neither 'nat' nor 'filter' can be made", "modprobe nf_tables");
	if (!object_is_link(object) || kind->found || kind->bare_create || kind->unnamed || was_asked(&a->asked, kind))
		return;
	if (kind->transport_of) { /* made by ioctl */
		if (access("/dev/net/tun", F_OK) < 0)
			find_at(d, FINDING_ERROR, object->position, "there is no /dev/net/tun",
				say(d, "no '%s' interface can be made", kind->name), "modprobe tun");
	} else if (kind->transport == TRANSPORT_ROUTE && kind->link_kind &&
		   !has_link_kind(&a->route, &a->writer, kind->link_kind)) {
		find_at(d, FINDING_ERROR, object->position, say(d, "this kernel has no '%s' links", kind->name),
			"they cannot be made, nor what needs them; the rest can. If it has no such module, it was built without",
			say(d, "modprobe rtnl-link-%s", kind->link_kind));
	}
}

void check_kernel(struct doctor *d) {
	struct asking a = { .d = d, .fd = -1, .route.fd = -1 };
	const char *problem;

	if (access("/proc/sys/net/ipv6", F_OK) < 0)
		find(d, FINDING_WARNING, "this kernel has no IPv6, or it is switched off at boot",
		     "IPv6 addresses, routes and rules cannot be made",
		     "remove ipv6.disable=1 from the kernel's command line");
	if (!d->spec || !d->has_rights || netns_make(&a.fd, &problem) < 0)
		return;
	if (nl_open(&a.route, NETLINK_ROUTE, a.fd) == 0)
		state_foreach(ns, &d->spec->state)
			ns_foreach(object, ns)
				ask(&a, object);
	nl_writer_done(&a.writer);
	nl_close(&a.route);
	vec_done(&a.asked);
	close(a.fd);
}
