/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How links are read and heard: RTM_GETLINK, for all links of a namespace or for one by name. A port's attributes are
 * in its link's message, so the port's object is made here too.
 *
 * Other objects refer to links by index. In a narrow scan, the name of a controller may have to be requested.
 */
#include "kind/connected.h"
#include "kind/kinds.h"
#include "kind/link.h"
#include "kind/port.h"
#include "model/source.h"

static void put_request(struct nl_writer *w, uint16_t flags, const char *name, uint32_t ifindex) {
	struct ifinfomsg *ifi = nl_begin(w, RTM_GETLINK, flags, sizeof(*ifi));

	ifi->ifi_index = (int)ifindex;
	nl_put_u32(w, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	if (name)
		nl_put_text(w, IFLA_IFNAME, name);
}

void link_put_question(struct nl_writer *w, const char *name, uint32_t ifindex) {
	put_request(w, 0, name, ifindex);
}

unsigned link_own_families(const struct object *desired, const struct link *link) {
	if (!object_is_link(desired) || !object_has(desired, LINK_OWN_ADDRESSES) || !link->up ||
	    !streq(object_home_link(desired), link->name))
		return 0;
	return link_given_families(link);
}

struct link_reading {
	bool ports, alternative_names; /* are these read? */
	vec(const char *) names;       /* requested in this round; NULL: by an index */
};

static bool is_listed(const struct link_reading *reading, const char *name) {
	vec_foreach(listed, &reading->names)
		if (streq(*listed, name))
			return true;
	return false;
}

/* Requests, once, each link that is in the scope or that an object in the scope belongs to. */
static void ask_by_name(struct source_scan *scan, struct link_reading *reading, struct nl_writer *w) {
	for (size_t i = 0; i < scan->scope->n; i++) {
		const char *name = object_home_link(scan->scope->objects[i]);

		if (!name || is_listed(reading, name))
			continue;
		vec_push(&reading->names, name);
		link_put_question(w, name, 0);
	}
}

/* Requests the controllers that are known only by index. */
static void ask_for_controllers(struct source_scan *scan, struct nl_writer *w) {
	ns_foreach(object, scan->seen) {
		const struct link *link = (const struct link *)object;
		uint32_t index;

		if (object_is_link(object) && *link->master && parse_u32(link->master, &index) == 0 &&
		    !scan->decode.link_name(scan->decode.userdata, index))
			link_put_question(w, NULL, index);
	}
}

static void dump(struct source_scan *scan, struct nl_writer *w) {
	struct link_reading *reading = scan->own;

	if (!reading) {
		reading = scan->own = arena_new(scan->decode.arena, struct link_reading);
		reading->ports = scan->concerns(scan, &class_port);
		reading->alternative_names = scan->concerns(scan, &class_alternative_name);
	}
	if (!scan->scope)
		put_request(w, NLM_F_DUMP, NULL, 0);
	else if (scan->round == 0)
		ask_by_name(scan, reading, w);
	else
		ask_for_controllers(scan, w);
}

/* Only a whole dump shows which links no longer exist. */
static void begin(struct source_scan *scan) {
	scan->lost_link(scan, NULL);
}

static int decode(struct source_scan *scan, const struct nlmsghdr *nlh) {
	const struct link_reading *reading = scan->own;
	struct link *link = nlh->nlmsg_type == RTM_NEWLINK ? link_decode(&scan->decode, nlh) : NULL;
	struct object *name;
	struct port *port;

	if (!link)
		return 0;
	scan->saw_link(scan, link->name, link->ifindex, &link->mac);
	if (scan->round > 0 || scan_add(scan, &link->object))
		return 0;
	port = reading->ports ? port_decode(&scan->decode, nlh, link) : NULL;
	if (port)
		scan_add(scan, &port->object);
	for (size_t i = 0; reading->alternative_names && (name = link_alternative_name(scan->decode.arena, link, i)); i++)
		scan_add(scan, name);
	return 0;
}

static int refused(struct source_scan *scan, int error) {
	const struct link_reading *reading = scan->own;

	if (!scan->scope || error != -ENODEV)
		return error;
	if (scan->round == 0)
		scan->lost_link(scan, reading->names.items[scan->request]);
	return 0;
}

static int finish(struct source_scan *scan) {
	if (scan->scope && scan->round == 0)
		return 1;
	ns_foreach(object, scan->seen)
		if (object_is_link(object))
			link_resolve(&scan->decode, (struct link *)object);
	return 0;
}

static void done(struct source_scan *scan) {
	struct link_reading *reading = scan->own;

	if (reading)
		vec_done(&reading->names);
}

/* Events about the link itself, including its membership, have no family. Events of the bridge family are about
 * ports; if one changes the bridge's id, about all of its ports. */
static enum about about(const struct event *event, struct hint *ret) {
	const struct ifinfomsg *ifi = event_header(event, sizeof(*ifi));
	const struct nlattr *tb[IFLA_IFALIAS + 1];

	if (!ifi)
		return ABOUT_UNKNOWN;
	nl_parse(event->message, sizeof(*ifi), tb, IFLA_IFALIAS);
	ret->type = ifi->ifi_family == AF_BRIDGE ? HINT_PARTS : HINT_LINK;
	ret->class = &class_port;
	ret->ifindex = (uint32_t)ifi->ifi_index;
	ret->link = nl_get_text(tb[IFLA_IFNAME]);
	ret->alias = nl_get_text(tb[IFLA_IFALIAS]);
	ret->down = event->message->nlmsg_type == RTM_DELLINK || !(ifi->ifi_flags & IFF_UP);
	return ret->link ? ABOUT_HINT : ABOUT_UNKNOWN;
}

const struct source source_link = {
	.protocol = NETLINK_ROUTE,
	.first = RTM_NEWLINK,
	.last = RTM_DELLINK,
	.groups = (const int[]){ RTNLGRP_LINK, 0 },
	.about = about,
	.dump = dump,
	.begin = begin,
	.decode = decode,
	.refused = refused,
	.finish = finish,
	.done = done,
};
