/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How routes are read and heard. No request finds a route by its identity (RTM_GETROUTE asks where a packet would go),
 * so the tables in question are dumped; the kernel selects by family and table (NETLINK_GET_STRICT_CHK).
 *
 * The routes that come with addresses are read at the same time (connected.h). An address is announced, and visible in
 * dumps, a moment before its routes are made. So what seems to be missing is requested again after the kernel has
 * finished its current work. If it is still missing, the addresses are read again too: one may have disappeared, with
 * its routes, between its dump and theirs.
 */
#include <linux/rtnetlink.h>

#include "kind/connected.h"
#include "kind/link.h"
#include "kind/protocol.h"
#include "kind/route_front.h"

enum step {
	READ_TABLES,
	READ_MISSING,
	READ_ADDRESSES,
};

enum {
	/* Attempts to see what the kernel makes in a separate work item, which runs within a fraction of that time
	 * unless the machine is busy. */
	LATE_ROUNDS = 16,
};

struct route_reading {
	enum step step; /* of the current round */
	struct connected connected;
	struct fronts fronts;
	size_t fronts_before;     /* the dump under way */
	vec(struct table) tables; /* one for each dump of the first round */
	size_t made_before;       /* number of made routes before the current dump */
};

static void add_route(struct source_scan *scan, struct route *route) {
	struct object *before = scan_add(scan, &route->object);

	if (before && route_takes_place(scan->desired, route, before)) {
		ns_remove(scan->seen, before);
		scan_add(scan, &route->object);
	}
}

static bool has_route(const struct source_scan *scan, const struct prefix *to, uint32_t table) {
	struct arena *arena = scan->decode.arena;
	struct route *like = (struct route *)object_new(arena, &kind_route, scan->seen->name);

	like->to = *to;
	like->table = table ? table : RT_TABLE_MAIN;
	like->metric = to->address.family == AF_INET6 ? ADDRESS_IPV6_METRIC : 0;
	object_seal(arena, &like->object);
	return ns_find(scan->seen, &like->object);
}

/* The kernel's own routes in the table local matter only if the file declares routes there. */
static bool declares_local_route(const struct ns_state *desired) {
	ns_foreach(object, desired)
		if (object->kind == &kind_route && ((const struct route *)object)->table == RT_TABLE_LOCAL)
			return true;
	return false;
}

/* One link's routes are requested by link: a namespace with a bridge may have an fe80::/64 for each of many ports. */
static void want_table(struct route_reading *reading, const struct table *wanted) {
	bool known = false;

	vec_foreach(table, &reading->tables)
		if (table->family == wanted->family && table->number == wanted->number &&
		    (table->all || wanted->all || table->ifindex == wanted->ifindex)) {
			known = true;
			table->all |= wanted->all;
		}
	if (!known)
		vec_push(&reading->tables, *wanted);
}

static void want_tables(struct source_scan *scan, struct route_reading *reading) {
	for (size_t i = 0; i < scan->scope->n; i++) {
		const struct object *object = scan->scope->objects[i];
		const struct route *route = (const struct route *)object;
		struct table wanted[CONNECTED_TABLES_MAX];
		size_t n = 0;

		if (object->kind == &kind_route)
			wanted[n++] = (struct table){ route->to.address.family, route->table, true, 0 };
		else
			n = connected_tables(scan, object, wanted);
		for (size_t j = 0; j < n; j++)
			want_table(reading, &wanted[j]);
	}
}

static void put_dump(struct nl_writer *w, const struct table *table) {
	struct rtmsg *rtm = nl_begin(w, RTM_GETROUTE, NLM_F_DUMP, sizeof(*rtm));

	rtm->rtm_family = table->family;
	if (!table->all && table->number == RT_TABLE_MAIN) {
		rtm->rtm_protocol = RTPROT_KERNEL;
		rtm->rtm_type = RTN_UNICAST;
	}
	if (table->number)
		nl_put_u32(w, RTA_TABLE, table->number);
	if (!table->all && table->ifindex)
		nl_put_u32(w, RTA_OIF, table->ifindex);
}

/* The request for lo waits for the RTNL lock, under which addresses and their routes are made. */
static void put_missing(struct nl_writer *w, const struct connected *c) {
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	static const uint32_t numbers[] = { RT_TABLE_MAIN, RT_TABLE_LOCAL };

	link_put_question(w, "lo", 0);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(numbers); j++)
			put_dump(w, &(struct table){ families[i], numbers[j], false, c->ifindex });
		vec_foreach(vrf, &c->vrfs)
			put_dump(w, &(struct table){ families[i], *vrf, false, c->ifindex });
	}
}

static void dump(struct source_scan *scan, struct nl_writer *w) {
	struct route_reading *reading = scan->own;

	if (reading && reading->step == READ_MISSING) {
		put_missing(w, &reading->connected);
		return;
	}
	if (reading && reading->step == READ_ADDRESSES) {
		connected_ask_again(w);
		return;
	}
	reading = scan->own = arena_new(scan->decode.arena, struct route_reading);
	reading->connected.has_route = has_route;
	if (scan->scope) {
		want_tables(scan, reading);
	} else {
		scan->decode.skips_local = !declares_local_route(scan->desired);
		vec_push(&reading->tables,
			 (struct table){ AF_INET, 0, true, 0 }); /* each family separately: see address_source.c */
		vec_push(&reading->tables, (struct table){ AF_INET6, 0, true, 0 });
	}
	vec_foreach(table, &reading->tables)
		put_dump(w, table);
}

static void begin(struct source_scan *scan) {
	struct route_reading *reading = scan->own;
	struct connected *connected = &reading->connected;

	if (reading->step != READ_TABLES)
		return;
	const struct table *table = &reading->tables.items[scan->request];
	if (table->number == 0 || table->number == RT_TABLE_MAIN)
		connected->main_read |= family_bit(table->family);
	if (table->number == 0 || table->number == RT_TABLE_LOCAL)
		connected->local_read |= family_bit(table->family);
	if (table->number != RT_TABLE_MAIN && table->number != RT_TABLE_LOCAL)
		vec_push(&connected->vrf_read, *table);
	if (scan->scope)
		scan->decode.skips_local = !table->all;
	/* If a dump begins again, what it returned is dropped. */
	connected->made.n = scan->restarted ? reading->made_before : connected->made.n;
	reading->made_before = connected->made.n;
	reading->fronts.found.n = scan->restarted ? reading->fronts_before : reading->fronts.found.n;
	reading->fronts_before = reading->fronts.found.n;
}

static bool note_made(struct route_reading *reading, const struct nlmsghdr *nlh) {
	struct made_route made;
	bool good = made_route_decode(nlh, &made);

	if (good)
		vec_push(&reading->connected.made, made);
	return good;
}

/* In a narrow scan: the declared routes, and those that the kernel makes for addresses. */
static bool is_wanted(const struct source_scan *scan, const struct route *route) {
	return !scan->scope || route->object.kernel_made || ns_find(scan->desired, &route->object);
}

static int decode(struct source_scan *scan, const struct nlmsghdr *nlh) {
	struct route_reading *reading = scan->own;

	if (reading->step == READ_ADDRESSES)
		connected_take_again(scan, nlh);
	if (nlh->nlmsg_type != RTM_NEWROUTE)
		return 0;
	bool made = note_made(reading, nlh);
	if (reading->step == READ_MISSING && made)
		return 0;
	struct route *route = route_decode(&scan->decode, nlh);
	if (route && reading->step == READ_MISSING && route->table != RT_TABLE_LOCAL)
		scan_add(scan, &route->object);
	if (route && reading->step == READ_TABLES)
		fronts_add(&reading->fronts, scan->desired, route);
	if (route && reading->step == READ_TABLES && is_wanted(scan, route))
		add_route(scan, route);
	return 0;
}

/* A table without routes does not exist, and a link may be gone by now. */
static int refused(struct source_scan *scan, int error) {
	const struct route_reading *reading = scan->own;
	bool whole = !scan->scope && reading->step == READ_TABLES;

	return !whole && (error == -ENOENT || error == -ENODEV) ? 0 : error;
}

static int finish(struct source_scan *scan) {
	struct route_reading *reading = scan->own;
	struct connected *connected = &reading->connected;

	if (reading->step == READ_ADDRESSES) {
		connected_drop_gone(scan);
		return 0;
	}
	if (reading->step == READ_TABLES)
		fronts_apply(&reading->fronts, scan->seen);
	connected_judge(scan, connected, false);
	if (!connected->any_missing)
		return 0;
	if (reading->step == READ_TABLES || (connected->only_late && scan->round < LATE_ROUNDS)) {
		reading->step = READ_MISSING;
		return 1;
	}
	connected_judge(scan, connected, true);
	reading->step = READ_ADDRESSES;
	return 1;
}

static void done(struct source_scan *scan) {
	struct route_reading *reading = scan->own;

	if (!reading)
		return;
	vec_done(&reading->connected.made);
	vec_done(&reading->connected.vrf_read);
	vec_done(&reading->connected.vrfs);
	vec_done(&reading->tables);
	fronts_done(&reading->fronts);
}

/* In an event about an IPv6 route the metric follows the next hops, so that a truncated message does not show the
 * identity. A new entry in the table local belongs to an address, which has its own event. */
static enum about about(const struct event *event, struct hint *ret) {
	const struct rtmsg *rtm = event_header(event, sizeof(*rtm));
	const struct nlattr *tb[RTA_TABLE + 1];

	if (!rtm || event->cut)
		return ABOUT_UNKNOWN;
	nl_parse(event->message, sizeof(*rtm), tb, RTA_TABLE);
	struct route *like = (struct route *)object_new(event->arena, &kind_route, NULL);
	if (!route_decode_identity(like, rtm, tb))
		return ABOUT_UNKNOWN;
	object_seal(event->arena, &like->object);
	ret->type = HINT_OBJECT;
	ret->ifindex = nl_get_u32(tb[RTA_OIF], 0);
	ret->like = &like->object;
	ret->precedes = protocol_is_by_hand(rtm->rtm_protocol);
	/* The tables main and local, or that of a VRF, which has both. */
	ret->by_kernel = rtm->rtm_protocol == RTPROT_KERNEL &&
			 (like->table == RT_TABLE_MAIN || (like->table != RT_TABLE_LOCAL && rtm->rtm_type == RTN_UNICAST) ||
			  (rtm->rtm_type != RTN_ANYCAST && event->message->nlmsg_type == RTM_DELROUTE));
	return ABOUT_HINT;
}

const struct source source_route = {
	.protocol = NETLINK_ROUTE,
	.first = RTM_NEWROUTE,
	.last = RTM_DELROUTE,
	.groups = (const int[]){ RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, 0 },
	.about = about,
	.dump = dump,
	.begin = begin,
	.decode = decode,
	.refused = refused,
	.finish = finish,
	.done = done,
};
