/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the dumped routes show about the addresses and links that they came with; see connected.h. Routes of an address that
 * the kernel itself made belong to its link.
 */
#include "kind/connected.h"

#include <linux/rtnetlink.h>

#include "kind/address.h"
#include "kind/link.h"

enum {
	/* For an IPv6 address without duplicate address detection, the kernel makes the entry in a separate work item, and
	 * nothing shows whether that has run (addrconf_dad_start(), net/ipv6/addrconf.c). It waits for the machine's RTNL
	 * lock, which takes more than a second where hundreds of interfaces come and go. After this time, in hundredths of a
	 * second, it has run. */
	YOUNG_MAX = 500,
	JUST_SET = 50,  /* … until then an event usually announces it, and nothing else has to scan again */
	FEW = 16,       /* so few routes are found as fast without sorting them */
	CLOCK_LAG = 50, /* the kernel's time stamps are jiffies, which do not start with CLOCK_MONOTONIC */
};

/* The tables that contain the routes that the kernel makes for a link and its own addresses. */
static size_t tables_of_link(const struct object *desired, const struct link *link, uint32_t vrf,
			     struct table ret[CONNECTED_TABLES_MAX]) {
	unsigned families = link_own_families(desired, link);
	size_t n = 0;

	if (families & FAMILY_IPV4)
		ret[n++] = (struct table){ AF_INET, vrf ? vrf : RT_TABLE_LOCAL, false, link->ifindex };
	if (families & FAMILY_IPV6 && link->runs_ipv6)
		ret[n++] = (struct table){ AF_INET6, vrf ? vrf : RT_TABLE_LOCAL, false, link->ifindex };
	if (families && link->link_local.family && !vrf)
		ret[n++] = (struct table){ AF_INET6, RT_TABLE_MAIN, false, link->ifindex };
	return n;
}

static size_t tables_of_address(const struct address *address, const struct link *link, uint32_t vrf,
				struct table ret[CONNECTED_TABLES_MAX]) {
	uint8_t family = address->address.address.family;
	bool connected = address_has_connected_route(address);

	ret[0] = (struct table){ family, vrf ? vrf : RT_TABLE_LOCAL, vrf && connected, link ? link->ifindex : 0 };
	ret[1] = (struct table){ family, RT_TABLE_MAIN, true, 0 };
	return connected && !vrf ? 2 : 1;
}

size_t connected_tables(const struct source_scan *scan, const struct object *desired,
			struct table ret[CONNECTED_TABLES_MAX]) {
	const struct address *address = desired->kind == &kind_address ? (const struct address *)desired : NULL;
	const struct link *link = NULL;
	uint32_t vrf = 0;

	if (address)
		link = (const struct link *)ns_find_link(scan->seen, address->dev);
	else if (object_is_link(desired))
		link = (const struct link *)ns_find(scan->seen, desired);
	if (link)
		(void)link_made_table(scan->seen, link, &vrf); /* if the table is not known, nothing is judged */
	if (address)
		return tables_of_address(address, link, vrf, ret);
	return link ? tables_of_link(desired, link, vrf, ret) : 0;
}

static bool is_read(const struct connected *c, const struct made_route *route) {
	uint8_t family = route->to.address.family;

	if (!route->table)
		return (route->type == RTN_UNICAST ? c->main_read : c->local_read) & family_bit(family);
	vec_foreach(table, &c->vrf_read)
		if (table->family == family && (!table->number || table->number == route->table))
			return true;
	return false;
}

static bool is_made(const struct connected *c, const struct made_route *route) {
	if (c->made.n > FEW)
		return bsearch(route, c->made.items, c->made.n, sizeof(*c->made.items), made_route_compare);
	vec_foreach(made, &c->made)
		if (made_route_compare(made, route) == 0)
			return true;
	return false;
}

/* In a table that was not read, nothing counts as missing. */
static bool is_there(const struct source_scan *scan, const struct connected *c, const struct made_route *route) {
	if (!is_read(c, route))
		return true;
	if (route->type == RTN_UNICAST && !prefix_equal(&route->to, &made_route_link_local))
		return c->has_route(scan, &route->to, route->table);
	return is_made(c, route);
}

struct judging {
	struct source_scan *scan;
	struct connected *connected;
	bool finally;
	vec(struct made_route) missing; /* several addresses may share a route: the first one counts as lacking it */
};

static void note_vrf(struct connected *c, uint32_t table) {
	vec_foreach(known, &c->vrfs)
		if (*known == table)
			return;
	if (table)
		vec_push(&c->vrfs, table);
}

static bool is_missing(struct judging *j, const struct made_route *route) {
	struct connected *c = j->connected;

	if (is_there(j->scan, c, route))
		return false;
	vec_foreach(other, &j->missing)
		if (made_route_compare(other, route) == 0)
			return false;
	c->ifindex = c->any_missing && c->ifindex != route->ifindex ? 0 : route->ifindex;
	c->any_missing = true;
	note_vrf(c, route->table);
	return true;
}

/* Does the kernel make routes for the object, in which table, and was that table read? A link that is down has none. */
static bool is_judged(const struct judging *j, const struct link *link, const struct object *object, uint32_t *ret_table) {
	if (!link || !link->up || !link_made_table(j->scan->seen, link, ret_table) || !ns_find(j->scan->desired, object))
		return false;
	return !object_is_link(object) || !j->scan->scope || link->addresses_read;
}

static bool is_younger(const struct judging *j, const struct address *address, uint32_t age) {
	return j->scan->decode.now - address->created + CLOCK_LAG < age + CLOCK_LAG;
}

static void judge_address(struct judging *j, struct address *address) {
	struct link *link = (struct link *)ns_find_link(j->scan->seen, address->dev);
	bool own = link && address->object.kernel_made && link_is_own_address(link, &address->address);
	struct made_route routes[ADDRESS_MADE_MAX];
	uint32_t table;

	if (!is_judged(j, link, own ? &link->object : &address->object, &table))
		return;
	size_t n = address_made_routes(address, routes);
	for (size_t i = 0; i < n; i++) {
		routes[i].ifindex = link->ifindex;
		routes[i].table = table;
		if (!is_missing(j, &routes[i]))
			continue;
		/* Its entry, and the route to the peer, are still to come; then the address is usable. */
		if (address->nodad && is_younger(j, address, YOUNG_MAX) && routes[i].to.length == ip_bits(AF_INET6)) {
			address->object.pending = j->finally && !is_younger(j, address, JUST_SET);
			continue;
		}
		j->connected->only_late = false;
		vec_push(&j->missing, routes[i]);
		if (j->finally && own)
			link_miss(j->scan->decode.arena, link, &routes[i]);
		else if (j->finally)
			address_miss(j->scan->decode.arena, address, &routes[i], j->scan->seen);
	}
}

static void judge_link(struct judging *j, struct link *link) {
	struct made_route route = { .to = made_route_multicast, .type = RTN_MULTICAST, .ifindex = link->ifindex };

	if (!link->runs_ipv6 || streq(link->name, "lo") || !is_judged(j, link, &link->object, &route.table) ||
	    !is_missing(j, &route))
		return;
	j->connected->only_late = false;
	if (j->finally)
		link_miss(j->scan->decode.arena, link, &route);
}

void connected_judge(struct source_scan *scan, struct connected *c, bool finally) {
	struct judging j = { .scan = scan, .connected = c, .finally = finally };

	c->any_missing = false;
	c->only_late = true;
	c->vrfs.n = 0;
	if (c->made.n > FEW)
		qsort(c->made.items, c->made.n, sizeof(*c->made.items), made_route_compare);
	ns_foreach(object, scan->seen) {
		if (object->kind == &kind_address)
			judge_address(&j, (struct address *)object);
		if (object_is_link(object))
			judge_link(&j, (struct link *)object);
	}
	vec_done(&j.missing);
}

void connected_ask_again(struct nl_writer *w) {
	address_put_dump(w, AF_INET, 0);
	address_put_dump(w, AF_INET6, 0);
}

void connected_take_again(struct source_scan *scan, const struct nlmsghdr *nlh) {
	struct address *address = nlh->nlmsg_type == RTM_NEWADDR ? address_decode(&scan->decode, nlh) : NULL;
	struct object *known = address ? ns_find(scan->seen, &address->object) : NULL;

	if (known)
		((struct address *)known)->there = true;
}

void connected_drop_gone(struct source_scan *scan) {
	for (struct object *object = scan->seen->objects, *next; object; object = next) {
		next = object->hh.next;
		if (object->kind == &kind_address && !((struct address *)object)->there)
			ns_remove(scan->seen, object);
	}
}
