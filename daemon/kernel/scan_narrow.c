/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking for single things, at a cost that does not grow with their namespace: a link by its name, addresses by their
 * link, the NAT table, a setting. Routes have no request of their own that finds them by their identity
 * (RTM_GETROUTE asks where a packet would go), so the tables in question are dumped and the kernel selects by
 * family and table (NETLINK_GET_STRICT_CHK).
 *
 * A link is always asked for along with what stands on it: an index that is known from before may be another
 * link's by now.
 */
#include "kernel/scan_private.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "kind/address.h"
#include "kind/kinds.h"
#include "kind/link.h"
#include "kind/port.h"
#include "kind/route.h"

struct narrow {
	struct ns_scan *scan;
	const struct scope *scope;
	vec(const char *) links;    /* asked for */
	int error;                  /* the first of their answers */
	vec(struct object *) added; /* by the current dump */
};

/* An interrupted dump begins again. */
static void forget_added(void *userdata) {
	struct narrow *narrow = userdata;

	vec_foreach(object, &narrow->added)
		if (ns_find(narrow->scan->ns, *object) == *object)
			ns_remove(narrow->scan->ns, *object);
	vec_clear(&narrow->added);
	narrow->scan->made.n = narrow->scan->made_before;
}

/* Links. */

/* The index that will be chosen for a link to be made is free only as far as others made none since. */
static void find_free_index(struct ns_scan *scan) {
	struct handle *handle = scan->handle;
	uint32_t next;

	do {
		next = MAX(handle->highest, 1U) + 1;
		(void)learn_name(scan->sock, handle, next);
	} while (handle->highest >= next);
}

static void resolve_master(struct ns_scan *scan, const char *name) {
	struct link *link = (struct link *)ns_find_link(scan->ns, name);
	uint32_t index;

	if (!link)
		return;
	if (parse_u32(link->master, &index) == 0)
		(void)learn_name(scan->sock, scan->handle, index);
	link_resolve(&scan->decode, link);
}

static bool is_listed(const struct narrow *narrow, const char *name) {
	vec_foreach(known, &narrow->links)
		if (streq(*known, name))
			return true;
	return false;
}

/* Each link that is looked for, or that something looked for is on, once. */
static void list_links(struct narrow *narrow) {
	for (size_t i = 0; i < narrow->scope->n; i++) {
		const struct object *object = narrow->scope->objects[i];
		const char *link = object_home_link(object);

		narrow->scan->ports |= object->kind->class == &class_port;
		if (link && !is_listed(narrow, link))
			vec_push(&narrow->links, link);
	}
}

static void take_answer(void *userdata, size_t index, const struct nlmsghdr *answer, int error) {
	struct narrow *narrow = userdata;

	if (answer && !narrow->error)
		narrow->error = take_link(narrow->scan, answer);
	else if (error == -ENODEV)
		handle_drop_link(narrow->scan->handle, narrow->links.items[index]);
	else if (!narrow->error)
		narrow->error = error;
}

/* All questions at once: each has one answer, and none is a dump. */
static int ask_for_links(struct narrow *narrow) {
	size_t n = narrow->links.n;
	_cleanup_free_ union request *requests = xmalloc(n * sizeof(*requests));
	_cleanup_free_ struct nlmsghdr **messages = xmalloc(n * sizeof(*messages));

	for (size_t i = 0; i < n; i++) {
		messages[i] = link_request(&requests[i]);
		mnl_attr_put_strz(messages[i], IFLA_IFNAME, narrow->links.items[i]);
	}
	int r = nl_ask(narrow->scan->sock, messages, n, take_answer, narrow);
	return r < 0 ? r : narrow->error;
}

static int scan_links(struct narrow *narrow) {
	bool any_missing = false;

	list_links(narrow);
	int r = narrow->links.n ? ask_for_links(narrow) : 0;
	if (r < 0)
		return r;
	vec_foreach(name, &narrow->links) {
		resolve_master(narrow->scan, *name);
		any_missing |= !ns_find_link(narrow->scan->ns, *name);
	}
	if (any_missing)
		find_free_index(narrow->scan);
	for (size_t i = 0; i < narrow->scope->n && r == 0; i++)
		r = scan_forwarding(narrow->scan, narrow->scope->objects[i]);
	return r;
}

/* Addresses. */

static int take_wanted_address(void *userdata, const struct nlmsghdr *nlh) {
	struct narrow *narrow = userdata;
	struct address *address = nlh->nlmsg_type == RTM_NEWADDR ? address_decode(&narrow->scan->decode, nlh) : NULL;

	if (address && !ns_add(narrow->scan->ns, &address->object))
		vec_push(&narrow->added, &address->object);
	return 0;
}

static int dump_addresses(struct narrow *narrow, uint32_t ifindex, uint8_t family) {
	union request request = {};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(&request);
	struct ifaddrmsg *ifa;

	nlh->nlmsg_type = RTM_GETADDR;
	ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	ifa->ifa_family = family;
	ifa->ifa_index = ifindex;
	vec_clear(&narrow->added);
	int r = nl_dump(narrow->scan->sock, nlh, take_wanted_address, forget_added, narrow);
	return r == -ENODEV ? 0 : r; /* gone in the meantime; its event is on the way */
}

/* Those in which the kernel gives addresses to the link, where it is looked for itself. */
static unsigned own_families(const struct object *object, const struct link *link) {
	if (!object_is_link(object) || !object_has(object, LINK_OWN_ADDRESSES) || !link->up ||
	    !streq(object_home_link(object), link->name))
		return 0;
	return streq(link->name, "lo") ? 3 : 2;
}

/* The families of the link's addresses that are looked for; 0: none. */
static unsigned families_on(const struct scope *scope, struct link *seen) {
	unsigned families = 0;
	const char *link = seen->name;

	for (size_t i = 0; i < scope->n; i++) {
		const struct address *address = (const struct address *)scope->objects[i];

		families |= own_families(scope->objects[i], seen);
		if (address->object.kind == &kind_address && streq(address->dev, link))
			families |= address->address.address.family == AF_INET6 ? 2 : 1;
	}
	return families;
}

static int scan_addresses(struct narrow *narrow) {
	static const uint8_t wanted[] = { 0, AF_INET, AF_INET6, AF_UNSPEC };
	int r = 0;

	for (size_t i = 0; i < narrow->links.n && r == 0; i++) {
		struct link *link = (struct link *)ns_find_link(narrow->scan->ns, narrow->links.items[i]);
		unsigned families = link ? families_on(narrow->scope, link) : 0;

		if (link)
			link->addresses_read = families & 2 && (families & 1 || !streq(link->name, "lo"));
		if (families)
			r = dump_addresses(narrow, link->ifindex, wanted[families]);
	}
	return r;
}

/* Routes. */

/* Those that are declared, and what the kernel makes for addresses: of the table local that is only noted. */
static int take_wanted_route(void *userdata, const struct nlmsghdr *nlh) {
	struct narrow *narrow = userdata;
	struct ns_scan *scan = narrow->scan;
	struct route *route;

	note_made_route(scan, nlh);
	route = nlh->nlmsg_type == RTM_NEWROUTE ? route_decode(&scan->decode, nlh) : NULL;
	if (!route || (!ns_find(scan->desired, &route->object) && !route->object.kernel_made))
		return 0;
	add_route(scan, route);
	vec_push(&narrow->added, &route->object);
	return 0;
}

struct table {
	uint8_t family;
	uint32_t number;
	bool all;         /* else what the kernel itself put there … */
	uint32_t ifindex; /* … by this link; 0: by any */
};

static int dump_table(struct narrow *narrow, const struct table *table) {
	union request request = {};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(&request);
	struct ns_scan *scan = narrow->scan;
	struct rtmsg *rtm;

	if (table->number == RT_TABLE_MAIN)
		scan->main_read |= family_bit(table->family);
	if (table->number == RT_TABLE_LOCAL)
		scan->local_read |= family_bit(table->family);
	scan->decode.skips_local = !table->all;
	scan->made_before = scan->made.n;
	vec_clear(&narrow->added);
	if (!table->all)
		return dump_made_routes(scan, table->family, table->number, table->ifindex, take_wanted_route, forget_added,
					narrow);
	nlh->nlmsg_type = RTM_GETROUTE;
	rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = table->family;
	mnl_attr_put_u32(nlh, RTA_TABLE, table->number);
	int r = nl_dump(scan->sock, nlh, take_wanted_route, forget_added, narrow);
	return r == -ENOENT ? 0 : r; /* a table without a route does not exist */
}

/* The tables in which the object, or what belongs to it, would be found. */
static size_t tables_of(const struct ns_scan *scan, const struct object *object, struct table ret[2]) {
	const struct address *address = (const struct address *)object;
	const struct route *route = (const struct route *)object;
	const struct link *link;

	if (object->kind == &kind_address) {
		uint8_t family = address->address.address.family;

		link = (const struct link *)ns_find_link(scan->ns, address->dev);
		ret[0] = (struct table){ family, RT_TABLE_LOCAL, false, link ? link->ifindex : 0 };
		ret[1] = (struct table){ family, RT_TABLE_MAIN, true, 0 };
		return address_has_connected_route(address) ? 2 : 1;
	}
	if (object->kind == &kind_route) {
		ret[0] = (struct table){ route->to.address.family, route->table, true, 0 };
		return 1;
	}
	link = object_is_link(object) ? (const struct link *)ns_find(scan->ns, object) : NULL;
	ret[0] = (struct table){ AF_INET6, RT_TABLE_MAIN, false, link ? link->ifindex : 0 };
	return link && link->link_local.family && own_families(object, link);
}

static int scan_routes(struct narrow *narrow) {
	vec(struct table) tables = {};
	int r = 0;

	for (size_t i = 0; i < narrow->scope->n; i++) {
		struct table wanted[2];
		size_t n = tables_of(narrow->scan, narrow->scope->objects[i], wanted);

		for (size_t j = 0; j < n; j++) {
			bool known = false;

			/* One link's routes are asked for alone: a bridge has as many fe80::/64 beside it as ports. */
			vec_foreach(t, &tables)
				if (t->family == wanted[j].family && t->number == wanted[j].number &&
				    (t->all || wanted[j].all || t->ifindex == wanted[j].ifindex)) {
					known = true;
					t->all |= wanted[j].all;
				}
			if (!known)
				vec_push(&tables, wanted[j]);
		}
	}
	vec_foreach(table, &tables)
		r = r < 0 ? r : dump_table(narrow, table);
	vec_done(&tables);
	return r;
}

/* The rest. */

static int scan_rest(struct narrow *narrow) {
	vec(const struct object *) settings = {};
	int r = 0;

	for (size_t i = 0; i < narrow->scope->n && r == 0; i++) {
		const struct object *object = narrow->scope->objects[i];

		if (object->kind->class == &class_nat)
			r = scan_nat(narrow->scan);
		else if (object->kind->class == &class_sysctl)
			vec_push(&settings, object);
	}
	if (r == 0)
		r = scan_settings(narrow->scan, settings.items, settings.n);
	vec_done(&settings);
	return r;
}

static bool needs_socket(const struct scope *scope) {
	for (size_t i = 0; i < scope->n; i++)
		if (scope->objects[i]->kind->transport == TRANSPORT_ROUTE)
			return true;
	return false;
}

int scan_narrowly(struct ns_scan *scan, const struct scope *scope) {
	struct narrow narrow = { .scan = scan, .scope = scope };
	int r = needs_socket(scope) ? ns_scan_socket(scan, NETLINK_ROUTE, &scan->sock) : 0;

	if (r == 0)
		r = scan_links(&narrow);
	if (r == 0)
		r = scan_addresses(&narrow);
	if (r == 0) {
		find_own_addresses(scan, false);
		address_settle_primaries(scan->ns, scan->desired);
	}
	if (r == 0)
		r = scan_routes(&narrow);
	if (r == 0)
		r = find_made_routes(scan);
	if (r == 0)
		r = scan_rest(&narrow);
	vec_done(&narrow.links);
	vec_done(&narrow.added);
	return r;
}
