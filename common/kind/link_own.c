/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel gives a link by itself: its link-local address, the addresses of lo, and their routes.
 *
 * All of it belongs to the link (LINK_OWN_ADDRESSES, LINK_OWN_ROUTES): if it is missing, the link differs, and it is
 * restored as the kernel makes it. The scan records what is gone (address_connected.c).
 */
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "kind/connected.h"
#include "kind/link.h"
#include "model/change.h"

#ifndef IFAPROT_KERNEL_LO /* 5.18 */
#define IFA_PROTO 11
#define IFAPROT_KERNEL_LO 1
#endif

static const struct prefix loopback4 = { { .family = AF_INET, .bytes = { 127, 0, 0, 1 } }, 8 };
static const struct prefix loopback6 = { { .family = AF_INET6, .bytes = { [15] = 1 } }, 128 };

static bool is_loopback(const struct link *link) {
	return streq(link->name, "lo");
}

/* Comparing. */

static void print_own(const struct field *field _unused_, const void *value, struct text *out) {
	text_add(out, *(const uint32_t *)value ? "true" : "false");
}

static bool equal_own(const void *a, const void *b) {
	uint32_t want = *(const uint32_t *)a, have = *(const uint32_t *)b;

	return want ? have & OWN_ADDRESSES_THERE : !(have & OWN_ADDRESSES_MADE);
}

const struct type type_own_addresses = {
	.name = "boolean", .size = sizeof(uint32_t), .print = print_own, .equal = equal_own
};

void link_want_own_addresses(struct link *link) {
	if (!object_has(&link->object, LINK_UP) || !link->up)
		return;
	link->own_addresses =
		!object_has(&link->object, LINK_ADDRESS_GENERATION) || link->address_generation != IN6_ADDR_GEN_MODE_NONE;
	link->own_routes = true;
	link->object.set |= field_bit(LINK_OWN_ADDRESSES) | field_bit(LINK_OWN_ROUTES);
}

void link_set_own_addresses(struct link *link, bool there) {
	link->own_addresses = (there || !link->makes_addresses ? OWN_ADDRESSES_THERE : 0) |
			      (link->link_local.family ? OWN_ADDRESSES_MADE : 0);
	link->own_routes = true;
	link->object.set |= field_bit(LINK_OWN_ADDRESSES) | field_bit(LINK_OWN_ROUTES);
}

bool link_is_own_address(const struct link *link, const struct prefix *address) {
	if (is_loopback(link))
		return prefix_equal(address, &loopback4) || prefix_equal(address, &loopback6);
	return address->address.family == AF_INET6 && ip_is_link_local(&address->address);
}

unsigned link_given_families(const struct link *link) {
	return is_loopback(link) ? FAMILY_IPV4 | FAMILY_IPV6 : FAMILY_IPV6;
}

bool link_made_table(const struct ns_state *ns, const struct link *link, uint32_t *ret) {
	bool port = object_has(&link->object, LINK_MASTER) && *link->master;
	const struct link *controller = port ? (const struct link *)ns_find_link(ns, link->master) : NULL;

	*ret = controller ? controller->own_table : link->own_table;
	return !port || controller;
}

uint32_t link_table_of(const struct ns_state *ns, const char *dev) {
	const struct link *link = dev ? (const struct link *)ns_find_link(ns, dev) : NULL;
	uint32_t table = 0;

	return link && link_made_table(ns, link, &table) ? table : 0;
}

void link_miss(struct arena *arena, struct link *link, const struct made_route *route) {
	struct made_route missing = *route;

	link->own_routes = false;
	missing.source = loopback4.address; /* the only IPv4 address that the kernel makes */
	if (route->to.address.family == AF_INET6 && route->type == RTN_LOCAL) {
		link->lacks_entry = true;
		if (!is_loopback(link))
			link->link_local = route->to.address;
	} else {
		made_route_add(arena, &link->lacking, &missing);
	}
}

/* Restoring. */

static void put_address(struct encode *encode, uint16_t type, uint16_t flags, const struct prefix *address, uint32_t index) {
	struct ifaddrmsg *ifa = nl_begin(encode->writer, type, flags, sizeof(*ifa));
	uint8_t family = address->address.family;

	ifa->ifa_family = family;
	ifa->ifa_prefixlen = address->length;
	ifa->ifa_index = index;
	nl_put(encode->writer, IFA_LOCAL, address->address.bytes, ip_size(family));
	if (type == RTM_DELADDR)
		return;
	ifa->ifa_scope = RT_SCOPE_HOST;
	nl_put(encode->writer, IFA_ADDRESS, address->address.bytes, ip_size(family));
	if (family == AF_INET6)
		nl_put_u8(encode->writer, IFA_PROTO, IFAPROT_KERNEL_LO);
}

/* An address that a program sets also gets a route in the table main; the kernel's own ::1 has none. */
static void remove_connected(struct encode *encode, uint32_t index) {
	struct rtmsg *rtm = nl_begin(encode->writer, RTM_DELROUTE, 0, sizeof(*rtm));

	rtm->rtm_family = AF_INET6;
	rtm->rtm_dst_len = loopback6.length;
	rtm->rtm_table = RT_TABLE_MAIN;
	nl_put(encode->writer, RTA_DST, loopback6.address.bytes, ip_size(AF_INET6));
	nl_put_u32(encode->writer, RTA_OIF, index);
	nl_put_u32(encode->writer, RTA_PRIORITY, ADDRESS_IPV6_METRIC);
}

/* Makes the addresses of lo as inetdev_event() (net/ipv4/devinet.c) and init_loopback() (net/ipv6/addrconf.c) do. */
static void put_loopbacks(struct encode *encode, const struct link *seen, uint32_t index) {
	unsigned there = seen ? seen->own_families : 0;

	if (!(there & FAMILY_IPV4))
		put_address(encode, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &loopback4, index);
	if (seen && (!seen->runs_ipv6 || (there & FAMILY_IPV6 && !seen->lacks_entry)))
		return; /* with IPv6 off, the kernel refuses ::1 */
	if (there & FAMILY_IPV6)
		put_address(encode, RTM_DELADDR, 0, &loopback6, index);
	put_address(encode, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &loopback6, index);
	remove_connected(encode, index);
}

/* Must the link-local address be removed? Yes if it was made under another mode, or if its entry in the table local
 * is gone: only the kernel can make an entry of metric 0, and does so for a new address (ip6_route_info_create(),
 * net/ipv6/route.c). The next scan finds the address missing, and link_writes() makes it. */
static bool removes_link_local(const struct link *link, const struct link *seen) {
	return seen && seen->link_local.family && (!link->own_addresses || seen->lacks_entry);
}

void link_put_own_addresses(struct encode *encode, const struct change *change, uint32_t index) {
	const struct link *link = (const struct link *)change->desired, *seen = (const struct link *)change->observed;

	if (is_loopback(link))
		put_loopbacks(encode, seen, index);
	else if (removes_link_local(link, seen))
		put_address(encode, RTM_DELADDR, 0, &(struct prefix){ seen->link_local, 64 }, index);
	for (const struct made_route *route = seen ? seen->lacking : NULL; route; route = route->next)
		made_route_put(encode->writer, route, index);
}

/* In some modes only the kernel can compute the address; it does so when the mode changes
 * (addrconf_sysctl_addr_gen_mode()). */
bool link_writes(const struct change *change, size_t i, struct arena *arena, const char **ret_path, const char **ret_value) {
	const struct link *link = (const struct link *)change->desired, *seen = (const struct link *)change->observed;

	if (change->type != CHANGE_UPDATE || !(change->fields >> LINK_OWN_ADDRESSES & 1) || !seen || !link->own_addresses ||
	    is_loopback(link) || seen->own_addresses & OWN_ADDRESSES_THERE || i > 1)
		return false;
	*ret_path = arena_printf(arena, "net/ipv6/conf/%s/addr_gen_mode", link->name);
	*ret_value = i == 0 ? "1" /* IN6_ADDR_GEN_MODE_NONE */ : arena_printf(arena, "%u", seen->address_generation);
	return true;
}
