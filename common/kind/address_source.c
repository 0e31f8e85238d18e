/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How addresses are read and heard, and what follows from them alone: whether a link has the addresses that the kernel
 * gives it, and which address is the first of its subnet. The routes of an address are read later; see
 * address_connected.c.
 */
#include "kind/address.h"

#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "kind/connected.h"
#include "kind/link.h"
#include "model/source.h"

void address_put_dump(struct nl_writer *w, uint8_t family, uint32_t ifindex) {
	struct ifaddrmsg *ifa = nl_begin(w, RTM_GETADDR, NLM_F_DUMP, sizeof(*ifa));

	ifa->ifa_family = family;
	ifa->ifa_index = ifindex;
}

/* The families in which the link's addresses are needed; 0: none. */
static unsigned families_on(const struct scope *scope, const struct link *seen) {
	unsigned families = 0;

	for (size_t i = 0; i < scope->n; i++) {
		const struct address *address = (const struct address *)scope->objects[i];

		families |= link_own_families(scope->objects[i], seen);
		if (address->object.kind == &kind_address && streq(address->dev, seen->name))
			families |= family_bit(address->address.address.family);
	}
	return families;
}

static void put_dumps_of_links(struct source_scan *scan, struct nl_writer *w) {
	static const uint8_t families[] = {
		[FAMILY_IPV4] = AF_INET,
		[FAMILY_IPV6] = AF_INET6,
		[FAMILY_IPV4 | FAMILY_IPV6] = AF_UNSPEC,
	};

	ns_foreach(object, scan->seen) {
		struct link *link = (struct link *)object;
		unsigned wanted = object_is_link(object) ? families_on(scan->scope, link) : 0;

		if (!wanted)
			continue;
		link->addresses_read = !(link_given_families(link) & ~wanted);
		address_put_dump(w, families[wanted], link->ifindex);
	}
}

/* Each family separately: Linux dumps a single family without the RTNL lock, so the threads of a scan do not wait for each
 * other. */
static void dump(struct source_scan *scan, struct nl_writer *w) {
	if (scan->scope) {
		put_dumps_of_links(scan, w);
		return;
	}
	address_put_dump(w, AF_INET, 0);
	address_put_dump(w, AF_INET6, 0);
}

static int decode(struct source_scan *scan, const struct nlmsghdr *nlh) {
	struct address *address = nlh->nlmsg_type == RTM_NEWADDR ? address_decode(&scan->decode, nlh) : NULL;

	if (address)
		scan_add(scan, &address->object);
	return 0;
}

/* The link is gone; its event is on the way. */
static int refused(struct source_scan *scan _unused_, int error) {
	return error == -ENODEV ? 0 : error;
}

/* add_v4_addrs() (net/ipv6/addrconf.c) gives a sit tunnel fe80::LOCAL, without a mark. */
static bool is_of_tunnel(const struct link *link, const struct address *address) {
	int at = kind_field(link->object.kind, "local");
	const struct field *field = at >= 0 ? &link->object.kind->fields[at] : NULL;
	const struct ip *local = field && field->type == &type_ip ? field_of(field, link) : NULL;
	struct ip made = { .family = AF_INET6, .bytes = { 0xfe, 0x80 } };

	if (!local || local->family != AF_INET || address->object.owned || address->address.length != 64)
		return false;
	memcpy(made.bytes + 12, local->bytes, 4);
	return ip_equal(&made, &address->address.address);
}

static void find_own_addresses(const struct source_scan *scan) {
	ns_foreach(object, scan->seen) {
		const struct address *address = (const struct address *)object;
		struct link *link =
			object->kind == &kind_address ? (struct link *)ns_find_link(scan->seen, address->dev) : NULL;

		if (!link || !link_is_own_address(link, &address->address))
			continue;
		object->kernel_made |= is_of_tunnel(link, address);
		link->own_families |= family_bit(address->address.address.family);
		if (object->kernel_made && !streq(link->name, "lo"))
			link->link_local = address->address.address;
	}
	ns_foreach(object, scan->seen) {
		struct link *link = (struct link *)object;

		/* If the link has no IPv6, or the kernel gives it no addresses, nothing is missing. */
		if (object_is_link(object) && (!scan->scope || link->addresses_read))
			link_set_own_addresses(link, !(link_given_families(link) & ~link->own_families));
	}
}

static int finish(struct source_scan *scan) {
	find_own_addresses(scan);
	address_settle_primaries(scan->seen, scan->desired);
	return 0;
}

static enum about about(const struct event *event, struct hint *ret) {
	const struct ifaddrmsg *ifa = event_header(event, sizeof(*ifa));

	if (!ifa)
		return ABOUT_UNKNOWN;
	ret->type = HINT_DEPENDENTS;
	ret->ifindex = ifa->ifa_index;
	return ABOUT_HINT;
}

const struct source source_address = {
	.protocol = NETLINK_ROUTE,
	.first = RTM_NEWADDR,
	.last = RTM_DELADDR,
	.groups = (const int[]){ RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, 0 },
	.about = about,
	.dump = dump,
	.decode = decode,
	.refused = refused,
	.finish = finish,
};

/* Neighbours: a duplicate address can be tried again when the other host is gone. */

/* Passes neighbours that are deleted or have failed. */
static struct sock_filter gone_filter[] = {
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AS_READ(RTM_DELNEIGH), 3, 0),
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, NLMSG_HDRLEN + offsetof(struct ndmsg, ndm_state)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AS_READ(NUD_FAILED), 1, 0),
	BPF_STMT(BPF_RET | BPF_K, 0),
	BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
};

static bool has_address(const struct nlattr *lladdr) {
	const uint8_t *bytes = lladdr ? mnl_attr_get_payload(lladdr) : NULL;

	for (size_t i = 0; lladdr && i < mnl_attr_get_payload_len(lladdr); i++)
		if (bytes[i])
			return true;
	return false;
}

/* The IP address of a neighbour behind a bridge is not known. */
static enum about about_neighbour(const struct event *event, struct hint *ret) {
	const struct ndmsg *ndm = event_header(event, sizeof(*ndm));
	const struct nlattr *tb[NDA_LLADDR + 1];

	if (!ndm)
		return ABOUT_UNKNOWN;
	nl_parse(event->message, sizeof(*ndm), tb, NDA_LLADDR);
	if (ndm->ndm_family == AF_BRIDGE && !has_address(tb[NDA_LLADDR]))
		return ABOUT_OTHER; /* an entry for unknown addresses is not a neighbour */
	ret->type = HINT_NEIGHBOUR;
	ret->ifindex = (uint32_t)ndm->ndm_ifindex;
	if (ndm->ndm_family != AF_BRIDGE && tb[NDA_DST])
		(void)ip_from_bytes(ndm->ndm_family, mnl_attr_get_payload(tb[NDA_DST]),
				    mnl_attr_get_payload_len(tb[NDA_DST]), &ret->address);
	return ABOUT_HINT;
}

const struct source source_neighbour = {
	.protocol = NETLINK_ROUTE,
	.first = RTM_NEWNEIGH,
	.last = RTM_DELNEIGH,
	.groups = (const int[]){ RTNLGRP_NEIGH, 0 },
	.filter = &(const struct sock_fprog){ ARRAY_SIZE(gone_filter), gone_filter },
	.only_if_failed = true,
	.about = about_neighbour,
};
