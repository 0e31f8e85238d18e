/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The routes that the kernel makes along with addresses: those to their prefixes, the entries of the table local, fe80::/64.
 * They can be taken away while the address stays. Here each address, and each link that has a link-local one, learns
 * whether its own are there.
 *
 * An address is announced, and seen in dumps, a moment before its routes are made. What seems to be missing is therefore
 * looked for again once the kernel has finished what it was doing. And an address may have gone, with its routes, between its
 * dump and theirs: where they are missing still, it is asked once more whether the addresses are there.
 */
#include "kernel/scan_private.h"

#include <linux/rtnetlink.h>

#include "kind/address.h"
#include "kind/link.h"
#include "kind/route.h"

bool note_made_route(struct ns_scan *scan, const struct nlmsghdr *nlh) {
	struct made_route made;
	bool good = nlh->nlmsg_type == RTM_NEWROUTE && route_decode_made(nlh, &made);

	if (good)
		vec_push(&scan->made, made);
	return good;
}

static int compare_made(const void *a, const void *b) {
	const struct made_route *x = a, *y = b;

	if (x->ifindex != y->ifindex)
		return x->ifindex < y->ifindex ? -1 : 1;
	if (x->to.family != y->to.family)
		return x->to.family - y->to.family;
	return memcmp(x->to.bytes, y->to.bytes, ip_size(x->to.family));
}

static bool has_made_route(const struct ns_scan *scan, uint32_t ifindex, const struct ip *to) {
	const struct made_route key = { .ifindex = ifindex, .to = *to };

	return scan->made.n && bsearch(&key, scan->made.items, scan->made.n, sizeof(key), compare_made);
}

static bool has_route(struct ns_scan *scan, const struct prefix *to) {
	struct object *like = object_new(scan->scanner->arena, &kind_route, scan->ns->name);
	struct route *route = (struct route *)like;

	route->to = *to;
	route->table = RT_TABLE_MAIN;
	route->metric = to->address.family == AF_INET6 ? ADDRESS_IPV6_METRIC : 0;
	object_seal(scan->scanner->arena, like);
	return ns_find(scan->ns, like);
}

/* Those of a VRF and its ports stand in its table. A controller that was not looked for may be one. */
static bool is_in_vrf(const struct ns_scan *scan, const struct link *link) {
	if (streq(link->kind_text, "vrf"))
		return true;
	const struct object *controller = link->master && *link->master ? ns_find_link(scan->ns, link->master) : NULL;

	return link->master && *link->master && (!controller || streq(((const struct link *)controller)->kind_text, "vrf"));
}

static bool has_connected_routes(struct ns_scan *scan, struct address *address) {
	struct prefix to = address_connected_network(address);

	address->lacks_network = !has_route(scan, &to);
	address->lacks_peer = !address->settling && address_connected_peer(address, &to) && !has_route(scan, &to);
	return !address->lacks_network && !address->lacks_peer;
}

/* Is any missing, of what is declared? A link that is down has none. */
static bool judge_address(struct ns_scan *scan, struct address *address) {
	const struct link *link = (const struct link *)ns_find_link(scan->ns, address->dev);
	bool made = link && link->up && !is_in_vrf(scan, link);
	unsigned family = family_bit(address->address.address.family);
	bool connected = true, local = true;

	if (made && scan->main_read & family && address_has_connected_route(address))
		connected = has_connected_routes(scan, address);
	if (made && scan->local_read & family && !address->settling)
		local = has_made_route(scan, link->ifindex, &address->address.address);
	if (address_has_connected_route(address))
		address_set_connected(address, connected);
	address_set_local(address, local, scan->ns);
	return !(connected && local) && ns_find(scan->desired, &address->object);
}

static bool lacks_network(const struct ns_scan *scan, const struct link *link) {
	static const struct ip link_local = { .family = AF_INET6, .bytes = { 0xfe, 0x80 } };

	return scan->main_read & family_bit(AF_INET6) && link->makes_addresses && link->link_local.family &&
	       !is_in_vrf(scan, link) && !has_made_route(scan, link->ifindex, &link_local);
}

/* The links that miss something: none, one, or (index 0) several. */
struct missing {
	bool any;
	uint32_t ifindex;
};

static void note_missing(struct missing *missing, uint32_t ifindex) {
	missing->ifindex = missing->any && missing->ifindex != ifindex ? 0 : ifindex;
	missing->any = true;
}

static struct missing judge(struct ns_scan *scan, bool finally) {
	struct missing missing = {};

	if (scan->made.n)
		qsort(scan->made.items, scan->made.n, sizeof(*scan->made.items), compare_made);
	ns_foreach(object, scan->ns) {
		const struct address *address = (const struct address *)object;

		if (object->kind == &kind_address && judge_address(scan, (struct address *)object))
			note_missing(&missing, ((const struct link *)ns_find_link(scan->ns, address->dev))->ifindex);
		if (!object_is_link(object) || !lacks_network(scan, (struct link *)object))
			continue;
		if (ns_find(scan->desired, object))
			note_missing(&missing, ((const struct link *)object)->ifindex);
		if (finally)
			link_miss_network((struct link *)object);
	}
	return missing;
}

static int take_made(void *userdata, const struct nlmsghdr *nlh) {
	struct ns_scan *scan = userdata;
	struct route *route =
		note_made_route(scan, nlh) || nlh->nlmsg_type != RTM_NEWROUTE ? NULL : route_decode(&scan->decode, nlh);

	if (route && route->table == RT_TABLE_MAIN && !ns_find(scan->ns, &route->object))
		ns_add(scan->ns, &route->object);
	return 0;
}

int dump_made_routes(struct ns_scan *scan, uint8_t family, uint32_t table, uint32_t ifindex, nl_message_fn fn,
		     void (*restart)(void *), void *userdata) {
	union request request = {};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(&request);
	struct rtmsg *rtm;

	nlh->nlmsg_type = RTM_GETROUTE;
	rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = family;
	rtm->rtm_protocol = RTPROT_KERNEL;
	rtm->rtm_type = table == RT_TABLE_LOCAL ? RTN_LOCAL : RTN_UNICAST;
	mnl_attr_put_u32(nlh, RTA_TABLE, table);
	if (ifindex)
		mnl_attr_put_u32(nlh, RTA_OIF, ifindex);
	int r = nl_dump(scan->sock, nlh, fn, restart, userdata);
	return r == -ENOENT || r == -ENODEV ? 0 : r; /* a table without a route does not exist; the link went meanwhile */
}

static int take_nothing(void *userdata _unused_, const struct nlmsghdr *nlh _unused_) {
	return 0;
}

/* The answer comes when nobody holds the lock for links (RTNL) any more, under which addresses and their routes are made. */
static int wait_for_kernel(struct ns_scan *scan) {
	union request request = {};
	struct nlmsghdr *nlh = link_request(&request);

	mnl_attr_put_strz(nlh, IFLA_IFNAME, "lo");
	int r = nl_request(scan->sock, nlh, take_nothing, scan);
	return r == -ENODEV || r == -ENODATA ? 0 : r;
}

static int take_again(void *userdata, const struct nlmsghdr *nlh) {
	struct ns_scan *scan = userdata;
	struct address *address = nlh->nlmsg_type == RTM_NEWADDR ? address_decode(&scan->decode, nlh) : NULL;
	struct object *known = address ? ns_find(scan->ns, &address->object) : NULL;

	if (known)
		((struct address *)known)->there = true;
	return 0;
}

static int drop_gone(struct ns_scan *scan) {
	int r = dump_family(scan, AF_INET, RTM_GETADDR, take_again, NULL);

	if (r == 0)
		r = dump_family(scan, AF_INET6, RTM_GETADDR, take_again, NULL);
	for (struct object *object = scan->ns->objects, *next; r == 0 && object; object = next) {
		next = object->hh.next;
		if (object->kind == &kind_address && !((struct address *)object)->there)
			ns_remove(scan->ns, object);
	}
	return r;
}

static const uint8_t families[] = { AF_INET, AF_INET6 };
static const uint32_t tables[] = { RT_TABLE_MAIN, RT_TABLE_LOCAL };

int find_made_routes(struct ns_scan *scan) {
	struct missing missing = judge(scan, false);
	int r = 0;

	if (!missing.any)
		return 0;
	r = wait_for_kernel(scan);
	for (size_t i = 0; i < ARRAY_SIZE(families) && r == 0; i++)
		for (size_t j = 0; j < ARRAY_SIZE(tables) && r == 0; j++)
			r = dump_made_routes(scan, families[i], tables[j], missing.ifindex, take_made, NULL, scan);
	return r == 0 && judge(scan, true).any ? drop_gone(scan) : r;
}
