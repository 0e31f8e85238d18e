/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waits until the kernel has done the work that it delays when a topology is built: one to two seconds later it notices
 * carriers, adds link-local addresses, and finishes duplicate detection. A scan before that competes for the RTNL lock, and
 * would measure the kernel's delayed work.
 *
 * It waits for the events of each namespace, until every link that is up has a link-local address that is no longer
 * tentative. If IPv6 is disabled there is nothing to wait for; silence for LIMIT_SECONDS ends the wait too.
 */
#include "floor.h"
#include "wire.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>

enum { LIMIT_SECONDS = 3 };

struct counts {
	unsigned links, settled;
};

static void count_object(const struct nlmsghdr *h, void *context) {
	struct counts *counts = context;

	if (h->nlmsg_type == RTM_NEWLINK) {
		const struct ifinfomsg *info = mnl_nlmsg_get_payload(h);
		counts->links += info->ifi_flags & IFF_UP && !(info->ifi_flags & IFF_LOOPBACK);
	} else if (h->nlmsg_type == RTM_NEWADDR) {
		const struct ifaddrmsg *info = mnl_nlmsg_get_payload(h);
		bool waits = info->ifa_flags & IFA_F_TENTATIVE && !(info->ifa_flags & IFA_F_DADFAILED);
		counts->settled += info->ifa_family == AF_INET6 && info->ifa_scope == RT_SCOPE_LINK && !waits;
	}
}

static bool is_quiet(int fd) {
	struct counts counts = { 0 };
	struct batch b;

	batch_init(&b, fd);
	put_dump_links(&b);
	wire_dump(&b, count_object, &counts);
	put_dump_addresses(&b);
	wire_dump(&b, count_object, &counts);
	return counts.settled >= counts.links;
}

/* Reads one event and those that came with it. False if none came for a long time. */
static bool hear(int events) {
	_Alignas(8) char buffer[8192];
	bool heard = recv(events, buffer, sizeof(buffer), 0) >= 0 || errno == ENOBUFS;

	while (recv(events, buffer, sizeof(buffer), MSG_DONTWAIT) >= 0 || errno == ENOBUFS || errno == EINTR)
		;
	return heard;
}

static bool wait_for(const struct shape *s, unsigned ns) {
	struct timeval limit = { .tv_sec = LIMIT_SECONDS };

	ns_enter(s, ns);
	_cleanup_close_ int requests = wire_open(NETLINK_ROUTE);
	_cleanup_close_ int events = wire_listen(NETLINK_ROUTE, (const unsigned[]){ RTNLGRP_LINK, RTNLGRP_IPV6_IFADDR }, 2);
	if (setsockopt(events, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0)
		die("cannot set a limit: %m");
	while (!is_quiet(requests))
		if (!hear(events))
			return false;
	return true;
}

int verb_quiet(const struct options *o) {
	double start = now_ms();
	bool quiet = true;

	/* After the first silent one, the others are not waited for. */
	for (unsigned ns = shape_first(&o->shape); quiet && ns <= o->shape.n; ns++)
		quiet = wait_for(&o->shape, ns);
	printf("{\"verb\": \"quiet\", \"shape\": \"%s\", \"n\": %u, \"ms\": %.3f, \"quiet\": %s}\n",
	       form_names[o->shape.form], o->shape.n, now_ms() - start, quiet ? "true" : "false");
	return 0;
}
