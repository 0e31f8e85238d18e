/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carries out each change, as the kernel's requests would.
 */
#include "fake_private.h"

#include <linux/rtnetlink.h>

#include "kind/kinds.h"
#include "kind/dns.h"
#include "kind/ruleset.h"
#include "kind/netns.h"
#include "kind/physical.h"
#include "kind/sysctl.h"

enum {
	OVER_UDP = 50, /* what a vxlan adds to a packet, over IPv4 (VXLAN_HEADROOM) */
};

static void set_value(struct world *w, struct link *to, const struct object *from, size_t i) {
	const struct field *field = &from->kind->fields[i];
	struct object *object = &to->object;

	if (object->kind != from->kind && i >= LINK_N_FIELDS)
		return;
	if (field->type == &type_text || field->type == &type_link_name)
		*(const char **)field_of(field, to) = arena_strdup(&w->arena, *(const char *const *)field_of(field, from));
	else
		memcpy(field_of(field, to), field_of(field, from), field->type->size);
	object->set |= field_bit(i);
}

/* The request for a remote end leaves it as the only default destination in the forwarding table (kind/vxlan.c). */
static void set_flood(struct w_link *link, const struct object *from, size_t i) {
	if (from->kind != &kind_vxlan || i != (size_t)kind_field(&kind_vxlan, "remote"))
		return;
	link->flood[0] = *(const struct ip *)field_of(&from->kind->fields[i], from);
	link->n_flood = 1;
}

static int set_master(struct world *w, struct w_link *link, const char *name) {
	struct w_link *master = *name ? ns_link(link->ns, name) : NULL;

	return *name && !master ? -ENODEV : link_set_master(w, link, master);
}

/* As do_setlink() does: one after the other, and fields that were set before the failing one stay set. */
static int set_fields(struct world *w, struct w_link *link, const struct object *from, uint64_t mask, bool create) {
	const struct link *want = (const struct link *)from;
	const uint32_t arp = link->values->arp;
	bool plain = false;
	int r = 0;

	for (size_t i = 0; i < from->kind->n_fields; i++) {
		if (!(mask >> i & 1) || i == LINK_NAME || i == LINK_UP || i == LINK_MASTER || i == LINK_OWN_ADDRESSES ||
		    i == LINK_OWN_ROUTES || from->kind->fields[i].type == &type_link_ref || (i == LINK_MTU && !create) ||
		    (i == LINK_MAC && !create))
			continue;
		set_value(w, link->values, from, i);
		set_flood(link, from, i);
		plain = true;
	}
	if (plain && !create)
		link_changed(w, link);
	if (link->values->arp != arp && !create)
		drop_neighbors(w, link, 0, false); /* arp_netdev_event(), ndisc_netdev_event() */
	if (mask & field_bit(LINK_MAC) && !create)
		link_set_mac(w, link, &want->mac);
	if (mask & field_bit(LINK_MTU) && !create)
		r = link_set_mtu(w, link, want->mtu);
	if (r == 0 && mask & field_bit(LINK_UP))
		r = link_set_up(w, link, want->up);
	if (r == 0 && mask & field_bit(LINK_MASTER))
		r = set_master(w, link, want->master);
	return r;
}

/* The lower link that the definition names. */
static int find_lower(struct world *w, const struct object *object, struct w_link **ret) {
	*ret = NULL;
	for (size_t i = LINK_N_FIELDS; i < object->kind->n_fields; i++) {
		const struct link_ref *ref = field_of(&object->kind->fields[i], object);

		if (object->kind->fields[i].type != &type_link_ref || !object_has(object, i))
			continue;
		*ret = ns_link(world_ns_or_held(w, ref->ns), ref->name);
		if (!*ret)
			return -ENODEV;
	}
	return 0;
}

/* The class and the wire of a field say which ones are sent only at creation. */
static struct w_link *new_link(struct world *w, const struct object *object, uint64_t mask) {
	struct w_link *link = link_new(w, object->kind, ((const struct link *)object)->name);

	if (object->kind == &kind_vxlan)
		link->values->mtu = 1500;
	set_fields(w, link, object, mask & ~(field_bit(LINK_UP) | field_bit(LINK_MASTER)), true);
	return link;
}

static int make_pair(struct world *w, const struct change *change) {
	const struct object *end = change->desired, *twin = end->twin;
	struct w_ns *here = world_ns_or_held(w, end->ns), *there = world_ns_or_held(w, twin->ns);
	uint64_t second =
		twin->set & ~(field_bit(LINK_UP) | field_bit(LINK_MASTER) | field_bit(LINK_ALIAS) | field_bit(LINK_ARP) |
			      field_bit(LINK_ADDRESS_GENERATION) | field_bit(LINK_MULTICAST) | field_bit(LINK_PROMISCUOUS));
	struct w_link *a, *b;
	int r;

	if (!here || !there)
		return -ENOENT;
	if (ns_link(here, ((const struct link *)end)->name) || ns_link(there, ((const struct link *)twin)->name))
		return -EEXIST;
	a = new_link(w, end, change->fields);
	b = new_link(w, twin, second);
	r = link_enter(w, b, there);
	if (r == 0)
		r = link_enter(w, a, here);
	if (r < 0)
		return r;
	a->peer = b;
	b->peer = a;
	r = set_fields(w, a, end, change->fields & (field_bit(LINK_UP) | field_bit(LINK_MASTER)), true);
	if (r < 0)
		link_remove(w, a);
	return r;
}

static int make_link(struct fake *fake, const struct scan_request *request, const struct change *change) {
	const struct object *object = change->desired;
	struct world *w = fake->world;
	struct w_ns *ns = world_ns_or_held(w, object->ns);
	struct w_link *link, *lower;
	int r = ns ? find_lower(w, object, &lower) : -ENOENT;

	if (r < 0)
		return r;
	if (fake->elsewhere && object->kind == &kind_macvlan)
		lower = ns_link(ns, fake->elsewhere);
	if (ns_link(ns, ((const struct link *)object)->name))
		return -EEXIST;
	judge_ground(fake, request, lower ? lower->ns : NULL, object);
	if (object->kind == &kind_macvlan && lower)
		r = link_carries_macvlan(w, lower, object->kind->shares_mac(object));
	if (r < 0)
		return r;
	link = new_link(w, object, change->fields);
	link->lower = lower;
	link->birthplace = object->kind == &kind_vxlan ? (lower ? lower->ns : ns) : NULL;
	if (link->birthplace && vxlan_with_id(w, link->birthplace, &link->values->object))
		return -EEXIST;
	if (object->kind == &kind_macvlan && object->kind->shares_mac(object)) {
		link->passthru = true;
		link->lent = link->values->mac = lower->values->mac;
	}
	if (lower && !(change->fields & field_bit(LINK_MTU)))
		link->values->mtu = lower->values->mtu - (object->kind == &kind_vxlan ? OVER_UDP : 0);
	r = link_enter(w, link, ns);
	if (r == 0)
		r = set_fields(w, link, object, change->fields & (field_bit(LINK_UP) | field_bit(LINK_MASTER)), true);
	if (r < 0)
		link_remove(w, link);
	return r;
}

/* Deletes a link of ours that was moved elsewhere and is in the way, as moved_remove() does. */
static bool make_room(struct fake *fake, const struct scan_request *request, const struct object *object) {
	const struct ledger_entry *entry = ledger_find_object(request->ledger, object);
	_cleanup_free_ char *position = xasprintf("topod:%s", request->topology);

	vec_foreach(ns, &fake->world->spaces)
		vec_foreach(at, &(*ns)->links) {
			const struct object *values = &(*at)->values->object;

			if (!entry || streq_ptr((*ns)->name, object->ns) || values->kind != object->kind ||
			    !streq((*at)->values->alias, position) || !ledger_is_signed(entry, values))
				continue;
			link_remove(fake->world, *at);
			return true;
		}
	return false;
}

static int make_link_in_its_place(struct fake *fake, const struct scan_request *request, const struct change *change) {
	int r = make_link(fake, request, change);

	if ((r == -EEXIST || r == -EINVAL || r == -EBUSY) && make_room(fake, request, change->desired))
		r = make_link(fake, request, change);
	return r;
}

static int move_in(struct world *w, const struct change *change) {
	const struct physical *physical = (const struct physical *)change->desired;
	struct w_link *link = world_card(w, physical->found_as ? physical->found_as : physical->source);
	struct w_ns *ns = world_ns_or_held(w, physical->link.object.ns);
	int r;

	if (!link || !ns)
		return -ENODEV;
	r = link_move(w, link, ns, physical->link.name);
	if (r == 0)
		link->moved = true;
	return r;
}

static void set_former(struct w_link *link, const struct physical *was) {
	_cleanup_(arena_done) struct arena arena = {};
	struct link former;
	uint64_t set = physical_former_settings(&arena, was, &former);

	for (; set; set &= set - 1) {
		const struct field *field = &kind_physical.fields[__builtin_ctzll(set)];

		memcpy(field_of(field, link->values), field_of(field, &former), field->type->size);
	}
}

static int move_out(struct world *w, const struct change *change, struct w_link *link) {
	const struct physical *was = (const struct physical *)change->desired;
	const char *name = was->former_name ? was->former_name : was->source ? was->source : link->values->name;
	int r = link_move(w, link, w->spaces.items[0], name);
	uint32_t mtu;
	struct mac mac;

	if (r == 0) {
		link->moved = false;
		link->values->alias = "";
	}
	if (r == 0 && was->source_mac && mac_parse(was->source_mac, &mac) == 0)
		link_set_mac(w, link, &mac);
	if (r == 0 && was->former_mtu && parse_u32(was->former_mtu, &mtu) == 0)
		r = link_set_mtu(w, link, mtu);
	if (r == 0)
		set_former(link, was);
	if (r == 0 && was->former_up && streq(was->former_up, "true"))
		r = link_set_up(w, link, true);
	return r;
}

static struct w_link *find_link(struct world *w, const struct change *change) {
	const struct link *seen = (const struct link *)change->observed;
	struct w_ns *ns = world_ns_or_held(w, change_object(change)->ns);

	return seen ? ns_link_at(ns, seen->ifindex) : ns_link(ns, ((const struct link *)change->desired)->name);
}

/* As br_vlan_filter_toggle() in a kernel without CONFIG_BRIDGE_VLAN_FILTERING: the whole request fails. */
static bool is_lacking(const struct world *w, const struct change *change) {
	int i = w->lacks && change->type != CHANGE_DELETE ? kind_field(change->desired->kind, w->lacks) : -1;

	return i >= 0 && change->fields >> i & 1;
}

static int request_link(struct fake *fake, const struct scan_request *request, const struct change *change) {
	struct world *w = fake->world;
	bool physical = change->desired && change->desired->kind == &kind_physical;
	struct w_link *link;

	if (is_lacking(w, change))
		return -EOPNOTSUPP;
	if (change->type == CHANGE_CREATE)
		return physical                ? move_in(w, change)
		       : change->desired->twin ? make_pair(w, change)
					       : make_link_in_its_place(fake, request, change);
	link = find_link(w, change);
	judge_link(fake, request, link, change);
	if (!link)
		return -ENODEV;
	if (change->type == CHANGE_UPDATE && change->desired->external && change->fields >> LINK_ALIAS & 1)
		link->external = fake->gave_up = true; /* without its mark it is somebody else's */
	if (change->type == CHANGE_UPDATE) {
		int r = set_fields(w, link, change->desired, change->fields, false);

		return r < 0 ? r : restore_own(w, link, change);
	}
	if (physical)
		return move_out(w, change, link);
	link_remove(w, link);
	return 0;
}

static int request_port(struct fake *fake, const struct change *change) {
	const struct port *want = (const struct port *)change->desired;
	struct w_link *link = ns_link(world_ns_or_held(fake->world, want->object.ns), want->name);

	if (!link)
		return -ENODEV;
	if (!link->port)
		return -EINVAL; /* not a port */
	for (size_t i = PORT_FIRST_ATTRIBUTE; i < kind_bridge_port.n_fields; i++)
		if (change->fields >> i & 1)
			memcpy(field_of(&kind_bridge_port.fields[i], link->port),
			       field_of(&kind_bridge_port.fields[i], want), sizeof(uint32_t));
	link_changed(fake->world, link);
	return 0;
}

/* As somebody else's address: it existed before, and topod only makes it again after another one. */
static bool take_replaced(struct fake *fake, const struct object *object) {
	_cleanup_text_ struct text id = {};

	object_print_id(object, &id);
	vec_foreach(at, &fake->replaced)
		if (*at && streq(*at, id.data)) {
			free(*at);
			*at = NULL;
			return true;
		}
	return false;
}

static void note_replaced(struct fake *fake, const struct object *object) {
	struct text id = {};

	object_print_id(object, &id);
	vec_push(&fake->replaced, text_take(&id));
}

static int create_address(struct fake *fake, const struct change *change, struct w_ns *ns, struct w_link *link) {
	const struct address *want = (const struct address *)change->desired;
	const struct object *object = &want->object;
	struct w_address address = { .link = link,
				     .address = want->address,
				     .peer = want->peer,
				     .protocol = want->protocol,
				     .scope = want->scope,
				     .nodad = object_has(object, ADDRESS_NODAD) && want->nodad,
				     .noprefixroute = object_has(object, ADDRESS_NOPREFIXROUTE) && want->noprefixroute };

	if (object_has(object, ADDRESS_LABEL))
		address.label = arena_strdup(&fake->world->arena, want->label);
	if (object_has(object, ADDRESS_BROADCAST))
		address.broadcast = want->broadcast;
	int r = address_add(fake->world, ns, address);
	bool external = (take_replaced(fake, object) && change->recreates) || object->gone;
	if (r == 0 && external)
		ns_address(ns, link, &want->address, &want->peer)->external = true;
	fake->world->n_taken -= r == 0 && object->gone && fake->world->n_taken > 0;
	return r;
}

static int request_address(struct fake *fake, const struct scan_request *request, const struct change *change) {
	const struct address *want = (const struct address *)change->desired,
			     *seen = (const struct address *)change->observed;
	const struct address *any = want ? want : seen;
	struct w_ns *ns = world_ns_or_held(fake->world, any->object.ns);
	struct w_link *link = ns_link(ns, any->dev);
	struct w_address *there =
		link ? ns_address(ns, link, &(seen ? seen : want)->address, &(seen ? seen : want)->peer) : NULL;
	bool ipv6 = any->address.address.family == AF_INET6,
	     routes = !(change->fields & ~(field_bit(ADDRESS_CONNECTED) | field_bit(ADDRESS_LOCAL)));

	if (!link)
		return -ENODEV;
	if (change->type != CHANGE_CREATE && there)
		judge(fake, request, there->external, change);
	/* Replacing an absent object creates it (inet_rtm_newaddr(), but not inet6_addr_modify()). */
	bool replaces = change->type == CHANGE_UPDATE && !ipv6 && !routes;
	if (change->type == CHANGE_CREATE || (replaces && !there))
		return create_address(fake, change, ns, link);
	switch (change->type) {
	case CHANGE_CREATE:
		break;
	case CHANGE_UPDATE:
		if (routes)
			return restore_routes(fake->world, link, change);
		if (!there)
			return -EADDRNOTAVAIL;
		there->protocol = want->protocol;
		there->external &= !find_made(fake, &want->object);
		if (ipv6 && !there->noprefixroute && link->values->up)
			address_add_connected(fake->world, ns, there);
		return 0;
	case CHANGE_DELETE:
		if (change->recreates && there && there->external)
			note_replaced(fake, &seen->object);
		break;
	}
	return address_delete(fake->world, ns, link, &seen->address, &seen->peer);
}

static int fill_hops(const struct route *from, struct w_ns *ns, struct w_route *to) {
	for (size_t i = 0; i < from->nexthops.n && i < ARRAY_SIZE(to->hops); i++) {
		const struct nexthop *hop = &from->nexthops.items[i];

		to->hops[to->n_hops++] = (struct w_hop){ hop->via, hop->dev ? ns_link(ns, hop->dev) : NULL, hop->weight };
		if (hop->dev && !to->hops[i].dev)
			return -ENODEV;
	}
	if (to->n_hops || (from->type != RTN_UNICAST && from->type != RTN_LOCAL))
		return 0;
	to->hops[0] = (struct w_hop){ from->via, object_has(&from->object, ROUTE_DEV) ? ns_link(ns, from->dev) : NULL, 1 };
	to->n_hops = 1;
	return object_has(&from->object, ROUTE_DEV) && !to->hops[0].dev ? -ENODEV : 0;
}

static int request_route(struct fake *fake, const struct scan_request *request, const struct change *change) {
	const struct route *from =
		(const struct route *)(change->type == CHANGE_DELETE ? change->observed : change->desired);
	struct w_ns *ns = world_ns_or_held(fake->world, from->object.ns);
	struct w_route route = {
		.to = from->to,
		.from = from->from,
		.table = from->table,
		.tos = from->tos,
		.metric = from->metric,
		.type = from->type,
		.scope = from->scope,
		.protocol = from->protocol,
		.on_link = object_has(&from->object, ROUTE_ON_LINK) && from->on_link,
		.preference = object_has(&from->object, ROUTE_PREFERENCE) ? from->preference : 0,
		.src = object_has(&from->object, ROUTE_SRC) ? from->src : (struct ip){},
	};
	struct w_route *there;
	int r;

	for (size_t i = 0; i < kind_route.n_fields; i++)
		if (kind_route.fields[i].wire == WIRE_METRIC && object_has(&from->object, i) && i != ROUTE_CONGCTL)
			route.metrics[kind_route.fields[i].attr] = from->metrics[kind_route.fields[i].attr];
	if (!ns)
		return -ENOENT;
	there = ns_route_by(ns, &route, change->type == CHANGE_DELETE ? route.protocol : 0);
	if (there && change->type != CHANGE_CREATE)
		judge(fake, request, there->external, change);
	if (change->type == CHANGE_DELETE)
		return route_delete(fake->world, ns, &route);
	if (change->type == CHANGE_UPDATE && !there && (!change->observed->owned || change->desired->gone))
		return -ENOENT;
	r = fill_hops(from, ns, &route);
	if (r < 0)
		return r;
	bool external = there && there->external && !find_made(fake, change->desired);
	r = route_add(fake->world, ns, route,
		      change->type != CHANGE_CREATE ? ROUTE_REPLACE
		      : change->desired->gone       ? ROUTE_APPEND
						    : ROUTE_ADD);
	if (r == 0 && change->type == CHANGE_UPDATE)
		ns_route(ns, &route)->external = external;
	else if (r == 0 && change->desired->gone)
		ns->routes.items[ns->routes.n - 1].external = true;
	return r;
}

void ledger_written(struct fake *fake) {
	fake->size_before = fake->ledger_size ? *fake->ledger_size : 0;
}

static int request_netns(struct fake *fake, const struct execute_hooks *hooks, struct plan *plan,
			 const struct change *change) {
	const char *name = change_object(change)->ns;
	struct w_ns *ns = world_ns_or_held(fake->world, name);
	struct netns_identity identity;
	int r;

	if (change->type == CHANGE_DELETE && ns && ns->attached)
		return world_unname(fake->world, name);
	if (change->type == CHANGE_DELETE) {
		if (ns && ns->external)
			violate(fake, change_object(change), "deleted");
		if (ns && ns->held)
			world_release(fake->world, ns);
		return world_delete_ns(fake->world, name);
	}
	world_clear_stale(fake->world, name);
	if (change->type == CHANGE_UPDATE)
		return ns && ns->held ? world_name_again(fake->world, ns) : -ESTALE;
	identity = world_next_identity(fake->world);
	r = hooks->born(hooks->userdata, netns_object(&plan->arena, name, &identity));
	ledger_written(fake);
	if (r == 0 && (fake->crash_at != fake->n_requests || fake->n_requests % 2)) /* else it crashed between the two */
		r = world_add_ns(fake->world, name);
	return r;
}

/* Reports what else the change affects, with the current values. */
static int tell_reach(const struct execute_hooks *hooks, struct arena *arena, struct w_ns *ns, const struct change *change) {
	const struct sysctl *want = (const struct sysctl *)change->desired;
	vec(const struct object *) seen = {};
	vec(const char *) names = {};
	struct sysctl_reach reaches[2];
	unsigned n = sysctl_reach(arena, want, reaches);
	int r = 0;

	vec_push(&names, "all");
	vec_push(&names, "default");
	vec_foreach(link, &ns->links)
		vec_push(&names, (*link)->values->name);
	for (unsigned i = 0; i < n; i++)
		vec_foreach(name, &names) {
			const char *path = arena_printf(arena, "%s/%s/%s", reaches[i].directory, *name, reaches[i].last);

			const char *value = sysctl_reach_has(&reaches[i], *name) ? setting_get(ns, path) : NULL;
			if (value)
				vec_push(&seen, &sysctl_new(arena, want->object.ns, path, value)->object);
		}
	if (seen.n)
		r = hooks->reached(hooks->userdata, change, seen.items, seen.n);
	vec_done(&seen);
	vec_done(&names);
	return r;
}

static int request_setting(struct fake *fake, const struct execute_hooks *hooks, struct plan *plan,
			   const struct change *change) {
	const struct sysctl *want = (const struct sysctl *)change->desired;
	struct w_ns *ns = world_ns_or_held(fake->world, want->object.ns);
	const char *former = ns ? setting_get(ns, want->path) : NULL;
	int r = 0;

	if (!ns || !setting_exists(ns, want->path))
		return -ENOENT;
	if (!change->observed && hooks->former)
		r = hooks->former(hooks->userdata, change,
				  former ? &sysctl_new(&plan->arena, want->object.ns, want->path, former)->object : NULL);
	if (r == 0 && hooks->reached && !change->desired->gone)
		r = tell_reach(hooks, &plan->arena, ns, change);
	return r < 0 ? r : setting_set(fake->world, ns, want->path, want->value);
}

static int request_nat(struct fake *fake, const struct change *change) {
	struct w_ns *ns = world_ns_or_held(fake->world, change_object(change)->ns);

	if (!ns)
		return -ENOENT;
	ns_set_nat(fake->world, ns,
		   change->desired && change->type != CHANGE_DELETE ? ((const struct ruleset *)change->desired)->text
								    : NULL);
	return 0;
}

static int request_file(struct fake *fake, const struct scan_request *request, const struct change *change) {
	const char *ns = change_object(change)->ns;
	struct w_file *file = world_file(fake->world, ns);

	bool external = file && file->external && !find_made(fake, change_object(change));

	if (file && change->type == CHANGE_CREATE)
		return -EEXIST;
	if (file)
		judge(fake, request, file->external, change);
	if (change->type == CHANGE_DELETE)
		world_remove_file(fake->world, ns);
	else
		world_write_file(fake->world, ns, ((const struct dns *)change->desired)->content);
	/* Changing an existing object (adopt) does not make it topod's. */
	if (change->type == CHANGE_UPDATE)
		world_file(fake->world, ns)->external = external;
	return 0;
}

int carry_out(struct fake *fake, const struct scan_request *request, struct plan *plan, const struct execute_hooks *hooks,
	      const struct change *change) {
	const struct class *class = change_object(change)->kind->class;

	if (class == &class_netns)
		return request_netns(fake, hooks, plan, change);
	if (class == &class_sysctl)
		return request_setting(fake, hooks, plan, change);
	if (class == &class_link)
		return request_link(fake, request, change);
	if (class == &class_port)
		return request_port(fake, change);
	if (class == &class_address)
		return request_address(fake, request, change);
	if (class == &class_route)
		return request_route(fake, request, change);
	if (class == &class_rule || class == &class_neighbor || class == &class_fdb || class == &class_nexthop)
		return request_raw(fake, request, change);
	if (class == &class_ruleset)
		return request_nat(fake, change);
	return request_file(fake, request, change);
}
