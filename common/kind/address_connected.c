/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the routes say of the addresses and links that they came with; see connected.h. */
#include "kind/connected.h"

#include <linux/rtnetlink.h>

#include "kind/address.h"
#include "kind/link.h"

size_t connected_tables(const struct source_scan *scan, const struct object *desired, struct table ret[2]) {
	const struct address *address = (const struct address *)desired;
	const struct link *link;

	if (desired->kind == &kind_address) {
		uint8_t family = address->address.address.family;

		link = (const struct link *)ns_find_link(scan->seen, address->dev);
		ret[0] = (struct table){ family, RT_TABLE_LOCAL, false, link ? link->ifindex : 0 };
		ret[1] = (struct table){ family, RT_TABLE_MAIN, true, 0 };
		return address_has_connected_route(address) ? 2 : 1;
	}
	link = object_is_link(desired) ? (const struct link *)ns_find(scan->seen, desired) : NULL;
	ret[0] = (struct table){ AF_INET6, RT_TABLE_MAIN, false, link ? link->ifindex : 0 };
	return link && link->link_local.family && link_own_families(desired, link);
}

static int compare_made(const void *a, const void *b) {
	const struct made_route *x = a, *y = b;

	if (x->ifindex != y->ifindex)
		return x->ifindex < y->ifindex ? -1 : 1;
	if (x->to.family != y->to.family)
		return x->to.family - y->to.family;
	return memcmp(x->to.bytes, y->to.bytes, ip_size(x->to.family));
}

static bool has_made_route(const struct connected *c, uint32_t ifindex, const struct ip *to) {
	const struct made_route key = { .ifindex = ifindex, .to = *to };

	return c->made.n && bsearch(&key, c->made.items, c->made.n, sizeof(key), compare_made);
}

/* Those of a VRF and its ports stand in its table. A controller that was not looked for may be one. */
static bool is_in_vrf(const struct source_scan *scan, const struct link *link) {
	if (streq(link->kind_text, "vrf"))
		return true;
	if (!link->master || !*link->master)
		return false;
	const struct link *controller = (const struct link *)ns_find_link(scan->seen, link->master);

	return !controller || streq(controller->kind_text, "vrf");
}

static bool has_connected_routes(struct source_scan *scan, const struct connected *c, struct address *address) {
	struct prefix to = address_connected_network(address);

	address->lacks_network = !c->has_route(scan, &to);
	address->lacks_peer = !address->settling && address_connected_peer(address, &to) && !c->has_route(scan, &to);
	return !address->lacks_network && !address->lacks_peer;
}

static void note_missing(struct connected *c, uint32_t ifindex) {
	c->ifindex = c->any_missing && c->ifindex != ifindex ? 0 : ifindex;
	c->any_missing = true;
}

/* A link that is down has none. */
static void judge_address(struct source_scan *scan, struct connected *c, struct address *address) {
	const struct link *link = (const struct link *)ns_find_link(scan->seen, address->dev);
	bool made = link && link->up && !is_in_vrf(scan, link);
	unsigned family = family_bit(address->address.address.family);
	bool connected = true, local = true;

	if (made && c->main_read & family && address_has_connected_route(address))
		connected = has_connected_routes(scan, c, address);
	if (made && c->local_read & family && !address->settling)
		local = has_made_route(c, link->ifindex, &address->address.address);
	if (address_has_connected_route(address))
		address_set_connected(address, connected);
	address_set_local(address, local, scan->seen);
	if (!(connected && local) && ns_find(scan->desired, &address->object))
		note_missing(c, link->ifindex);
}

static void judge_link(struct source_scan *scan, struct connected *c, struct link *link, bool finally) {
	static const struct ip link_local = { .family = AF_INET6, .bytes = { 0xfe, 0x80 } };

	if (!(c->main_read & FAMILY_IPV6) || !link->makes_addresses || !link->link_local.family || is_in_vrf(scan, link) ||
	    has_made_route(c, link->ifindex, &link_local))
		return;
	if (ns_find(scan->desired, &link->object))
		note_missing(c, link->ifindex);
	if (finally)
		link_miss_network(link);
}

void connected_judge(struct source_scan *scan, struct connected *c, bool finally) {
	c->any_missing = false;
	if (c->made.n)
		qsort(c->made.items, c->made.n, sizeof(*c->made.items), compare_made);
	ns_foreach(object, scan->seen) {
		if (object->kind == &kind_address)
			judge_address(scan, c, (struct address *)object);
		if (object_is_link(object))
			judge_link(scan, c, (struct link *)object, finally);
	}
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
