/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake.h"

#include <linux/rtnetlink.h>

#include "kind/dns.h"
#include "kind/nat.h"
#include "kind/netns.h"
#include "kind/physical.h"
#include "kind/sysctl.h"
#include "kind/veth.h"

enum {
	OVER_UDP = 50, /* what a vxlan adds to a packet, over IPv4 (VXLAN_HEADROOM) */
};

/* Looking. */

static uint64_t bit(size_t field) {
	return UINT64_C(1) << field;
}

static struct object *copy(struct state *state, const struct object *values, const char *ns) {
	struct object *object = object_new(&state->arena, values->kind, ns);

	memcpy(object, values, values->kind->size);
	object->ns = ns;
	object->change = NULL;
	memset(&object->hh, 0, sizeof(object->hh));
	return object;
}

static void show_other_link(struct object *object, const struct w_link *other) {
	for (size_t i = LINK_N_FIELDS; i < object->kind->n_fields; i++) {
		struct link_ref *ref = field_of(&object->kind->fields[i], object);

		if (object->kind->fields[i].type != &type_link_ref)
			continue;
		*ref = (struct link_ref){ .netnsid = -1 };
		object->set |= bit(i);
		if (!other)
			continue;
		ref->ifindex = other->index;
		ref->ns = other->ns->name; /* NULL where no name stands for it any more */
		ref->name = ref->ns ? other->values->name : NULL;
	}
}

static struct object *show_link(struct state *state, const char *ns, const struct w_link *link, const struct look *look) {
	struct object *object = copy(state, &link->values->object, ns);
	struct link *seen = (struct link *)object;
	const char *rest = startswith(seen->alias, "topod:");

	seen->ifindex = link->index;
	seen->master = link->master ? link->master->values->name : "";
	show_other_link(object, link->peer ? link->peer : link->lower);
	object->marked = rest && streq(rest, look->topology);
	object->kernel_made = streq(seen->name, "lo");
	object_seal(&state->arena, object);
	return object;
}

static struct object *show_port(struct state *state, const char *ns, const struct w_link *link) {
	struct object *object = copy(state, &link->port->object, ns);

	((struct port *)object)->name = link->values->name;
	object->set |= bit(PORT_NAME);
	object->kernel_made = true;
	object_seal(&state->arena, object);
	return object;
}

static struct object *show_address(struct state *state, struct w_ns *ns, const struct world *w,
				   const struct w_address *from) {
	struct object *object = object_new(&state->arena, &kind_address, ns->name);
	struct address *a = (struct address *)object;

	a->dev = from->link->values->name;
	a->address = from->address;
	a->peer = from->peer;
	a->scope = from->scope;
	a->nodad = from->nodad;
	a->noprefixroute = from->noprefixroute;
	a->protocol = from->protocol;
	a->label = from->label ? from->label : a->dev;
	a->broadcast = from->broadcast;
	object->set = (from->broadcast.family ? bit(ADDRESS_BROADCAST) : 0) |
		      (from->address.address.family == AF_INET ? bit(ADDRESS_LABEL) : 0) | bit(ADDRESS_DEV) | bit(ADDRESS_ADDRESS) | bit(ADDRESS_PEER) | bit(ADDRESS_SCOPE) | bit(ADDRESS_NODAD) |
		      bit(ADDRESS_NOPREFIXROUTE) | bit(ADDRESS_PROTOCOL);
	object->pending = !from->failed && address_is_tentative(w, from);
	object->failed = from->failed;
	object->marked = from->protocol == TOPOD_PROTOCOL;
	if (address_has_connected_route(a)) {
		struct w_route like = { .to = prefix_network(&a->address), .table = RT_TABLE_MAIN,
					.metric = a->address.address.family == AF_INET6 ? ADDRESS_IPV6_METRIC : 0 };

		address_set_connected(a, !from->link->values->up || ns_route(ns, &like));
	}
	object_seal(&state->arena, object);
	return object;
}

static void show_hops(struct state *state, struct route *r, const struct w_route *from) {
	if (from->n_hops == 1) {
		r->via = from->hops[0].via;
		r->dev = from->hops[0].dev->values->name;
		r->object.set |= bit(ROUTE_DEV);
		return;
	}
	r->nexthops.n = from->n_hops;
	r->nexthops.items = arena_newn(&state->arena, struct nexthop, from->n_hops + 1);
	for (size_t i = 0; i < from->n_hops; i++)
		r->nexthops.items[i] = (struct nexthop){ .via = from->hops[i].via, .weight = from->hops[i].weight,
							 .dev = from->hops[i].dev->values->name };
}

static struct object *show_route(struct state *state, struct w_ns *ns, const struct w_route *from) {
	struct object *object = object_new(&state->arena, &kind_route, ns->name);
	struct route *r = (struct route *)object;

	r->to = from->to;
	r->table = from->table;
	r->tos = from->tos;
	r->metric = from->metric;
	r->type = from->type;
	r->scope = from->scope;
	r->protocol = from->protocol;
	r->on_link = from->on_link;
	r->mtu = from->mtu;
	r->advmss = from->advmss;
	object->set = bit(ROUTE_TO) | bit(ROUTE_TABLE) | bit(ROUTE_METRIC) | bit(ROUTE_TOS) | bit(ROUTE_TYPE) |
		      bit(ROUTE_SCOPE) | bit(ROUTE_PROTOCOL) | bit(ROUTE_VIA) | bit(ROUTE_NEXTHOPS) | bit(ROUTE_ON_LINK) |
		      bit(ROUTE_MTU) | bit(ROUTE_ADVMSS);
	show_hops(state, r, from);
	if (from->src.family) {
		r->src = from->src;
		object->set |= bit(ROUTE_SRC);
	}
	object->marked = r->protocol == TOPOD_PROTOCOL;
	object->kernel_made = r->protocol == RTPROT_KERNEL;
	object_seal(&state->arena, object);
	return object;
}

static struct object *show_nat(struct state *state, const struct w_ns *ns) {
	struct object *object = object_new(&state->arena, &kind_nat, ns->name);

	((struct nat *)object)->ruleset = ns->nat;
	object->set = bit(NAT_RULESET);
	object->marked = true;
	object_seal(&state->arena, object);
	return object;
}

static void show_routes(struct w_ns *ns, struct state *state, struct ns_state *ret) {
	vec_foreach(route, &ns->routes) {
		struct object *object = show_route(state, ns, route), *before = ns_add(ret, object);

		if (before && object->marked && !before->marked) {
			ns_remove(ret, before);
			ns_add(ret, object);
		}
	}
}

static void show_settings(const struct look *look, struct w_ns *ns, struct state *state, struct ns_state *ret) {
	ns_foreach(object, state_find(look->desired, ret->name)) {
		const struct sysctl *wanted = (const struct sysctl *)object;
		const char *value = object->kind == &kind_sysctl ? setting_get(ns, wanted->path) : NULL;

		if (value)
			ns_add(ret, &sysctl_new(&state->arena, ret->name, wanted->path, value)->object);
	}
}

/* As observe.c: what is declared, or remembered as made. */
static bool concerns(const struct look *look, const char *ns, enum object_class class) {
	const struct ledger_ns *noted = ledger_namespace(look->ledger, ns);

	ns_foreach(object, state_find(look->desired, ns))
		if (object->kind->class == class)
			return true;
	for (const struct ledger_entry *entry = noted ? noted->entries : NULL; entry; entry = entry->hh.next)
		if (entry->kind->class == class)
			return true;
	return false;
}

static void show_all(struct fake *fake, const struct look *look, struct w_ns *ns, struct state *state,
		     struct ns_state *ret) {
	ret->present = true;
	if (!streq(ret->name, NS_HOST))
		ns_add(ret, netns_object(&state->arena, ret->name, &ns->identity));
	vec_foreach(at, &ns->links) {
		ns_add(ret, show_link(state, ret->name, *at, look));
		if ((*at)->port)
			ns_add(ret, show_port(state, ret->name, *at));
	}
	vec_foreach(a, &ns->addresses)
		ns_add(ret, show_address(state, ns, fake->world, a));
	show_routes(ns, state, ret);
	if (ns->nat && concerns(look, ret->name, CLASS_NAT))
		ns_add(ret, show_nat(state, ns));
	show_settings(look, ns, state, ret);
}

void fake_see(struct fake *fake, const struct look *look, const char *name, struct state *ret) {
	struct ns_state *seen = state_namespace(ret, name);
	struct w_ns *ns = world_ns(fake->world, name);
	struct w_file *file = world_file(fake->world, name);

	if (ns)
		show_all(fake, look, ns, ret, seen);
	if (file && concerns(look, name, CLASS_DNS))
		ns_add(seen, &dns_new(&ret->arena, seen->name, file->content)->object);
}

/* What was not asked for is not told, so that nobody comes to rely on it. */
static void narrow(struct ns_state *seen, const struct scope *scope) {
	for (struct object *object = seen->objects, *next; object; object = next) {
		bool wanted = object == ns_self(seen);

		next = object->hh.next;
		for (size_t i = 0; i < scope->n; i++)
			wanted |= object_same_key(scope->objects[i], object);
		if (!wanted)
			ns_remove(seen, object);
	}
	seen->scope = scope;
}

static int fake_observe(struct kernel *kernel, const struct look *look, const struct scope *scopes, size_t n,
			struct state *ret) {
	struct fake *fake = (struct fake *)kernel;

	world_tick(fake->world, false);
	fake->n_looks++;
	if (fake->crashed)
		return -EIO;
	if (fake->blind || fake->look_fault == fake->n_looks)
		return fake->blind ? fake->blind : fake->look_error;
	for (size_t i = 0; i < n; i++) {
		if (fake->closed && streq(fake->closed, scopes[i].ns)) {
			state_namespace(ret, scopes[i].ns)->error = -EMFILE;
			continue;
		}
		fake_see(fake, look, scopes[i].ns, ret);
		if (scopes[i].objects) {
			narrow(state_find(ret, scopes[i].ns), &scopes[i]);
			fake->n_partial++;
		}
	}
	if (fake->looked)
		fake->looked(fake->userdata, fake->n_looks);
	return 0;
}

/* Judging. */

static char **find_made(struct fake *fake, const struct object *object) {
	_cleanup_text_ struct text id = {};

	object_print_id(object, &id);
	vec_foreach(at, &fake->made)
		if (*at && streq(*at, id.data))
			return at;
	return NULL;
}

static void remember_made(struct fake *fake, const struct change *change) {
	struct text id = {};
	char **before = find_made(fake, change_object(change));

	if (change->type == CHANGE_DELETE && before) {
		free(*before);
		*before = NULL;
	} else if (change->type == CHANGE_CREATE && !before) {
		object_print_id(change->desired, &id);
		vec_push(&fake->made, text_take(&id));
	}
}

static void violate(struct fake *fake, const struct object *object, const char *what) {
	_cleanup_text_ struct text id = {};

	object_print_id(object, &id);
	text_addf(&fake->violations, "%s is foreign and was %s\n", id.data, what);
}

static void judge_link(struct fake *fake, const struct look *look, const struct w_link *link, const struct change *change) {
	const struct ns_state *desired = state_find(look->desired, change_object(change)->ns);
	bool may = change->type == CHANGE_DELETE && desired && desired->exclusive;

	/* adopt: links of a namespace that was taken over are changed, and given back as they were. */
	may |= change->type == CHANGE_UPDATE && desired && desired->adopt;
	may |= change->type == CHANGE_UPDATE && (change->desired->foreign || change->desired->gone);

	/* Who moves a link of topod's leaves the mark on it. */
	if (link && link->foreign && !link->moved && !may && !streq(link->values->alias, "topod:t"))
		violate(fake, change_object(change), change->type == CHANGE_DELETE ? "deleted" : "changed");
}

/* An address or a route in the place of one that topod made is put right; elsewhere it is left. */
static void judge(struct fake *fake, const struct look *look, bool foreign, const struct change *change) {
	const struct ns_state *desired = state_find(look->desired, change_object(change)->ns);
	/* What was announced before a crash counts as made, and what was known by its mark. */
	bool may = find_made(fake, change_object(change)) || (fake->ledger_tells && ledger_find_object(look->ledger, change_object(change))) ||
		   (change->type == CHANGE_UPDATE ? (desired && desired->adopt) || change->desired->gone
						  : desired && desired->exclusive);

	if (foreign && !may)
		violate(fake, change_object(change), change->type == CHANGE_DELETE ? "deleted" : "changed");
}

/* Requests. */

static void set_value(struct world *w, struct link *to, const struct object *from, size_t i) {
	const struct field *field = &from->kind->fields[i];
	struct object *object = &to->object;

	if (object->kind != from->kind && i >= LINK_N_FIELDS)
		return;
	if (field->type == &type_text || field->type == &type_link_name)
		*(const char **)field_of(field, to) = arena_strdup(&w->arena, *(const char *const *)field_of(field, from));
	else
		memcpy(field_of(field, to), field_of(field, from), field->type->size);
	object->set |= bit(i);
}

static int set_master(struct world *w, struct w_link *link, const char *name) {
	struct w_link *master = *name ? ns_link(link->ns, name) : NULL;

	return *name && !master ? -ENODEV : link_set_master(w, link, master);
}

/* As do_setlink(): one after the other, and what was set before the one that fails stays set. */
static int set_fields(struct world *w, struct w_link *link, const struct object *from, uint64_t mask, bool create) {
	const struct link *want = (const struct link *)from;
	bool plain = false;
	int r = 0;

	for (size_t i = 0; i < from->kind->n_fields; i++) {
		if (!(mask >> i & 1) || i == LINK_NAME || i == LINK_UP || i == LINK_MASTER ||
		    from->kind->fields[i].type == &type_link_ref || (i == LINK_MTU && !create) || (i == LINK_MAC && !create))
			continue;
		set_value(w, link->values, from, i);
		plain = true;
	}
	if (plain && !create)
		link_changed(w, link);
	if (mask & bit(LINK_MAC) && !create)
		link_set_mac(w, link, &want->mac);
	if (mask & bit(LINK_MTU) && !create)
		r = link_set_mtu(w, link, want->mtu);
	if (r == 0 && mask & bit(LINK_UP))
		r = link_set_up(w, link, want->up);
	if (r == 0 && mask & bit(LINK_MASTER))
		r = set_master(w, link, want->master);
	return r;
}

/* The link that another stands on, as its definition names it. */
static int find_lower(struct world *w, const struct object *object, struct w_link **ret) {
	*ret = NULL;
	for (size_t i = LINK_N_FIELDS; i < object->kind->n_fields; i++) {
		const struct link_ref *ref = field_of(&object->kind->fields[i], object);

		if (object->kind->fields[i].type != &type_link_ref || !object_has(object, i))
			continue;
		*ret = ns_link(world_ns(w, ref->ns), ref->name);
		if (!*ret)
			return -ENODEV;
	}
	return 0;
}

/* The table knows what is sent at creation only as a field's class and wire. */
static struct w_link *new_link(struct world *w, const struct object *object, uint64_t mask) {
	struct w_link *link = link_new(w, object->kind, ((const struct link *)object)->name);

	if (object->kind == &kind_vxlan)
		link->values->mtu = 1500;
	set_fields(w, link, object, mask & ~(bit(LINK_UP) | bit(LINK_MASTER)), true);
	return link;
}

static int make_pair(struct world *w, const struct change *change) {
	const struct object *end = change->desired, *twin = end->twin;
	struct w_ns *here = world_ns(w, end->ns), *there = world_ns(w, twin->ns);
	uint64_t second = twin->set & ~(bit(LINK_UP) | bit(LINK_MASTER) | bit(LINK_ALIAS) | bit(LINK_ADDRESS_GENERATION) |
					bit(LINK_ARP) | bit(LINK_MULTICAST) | bit(LINK_PROMISCUOUS));
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
	r = set_fields(w, a, end, change->fields & (bit(LINK_UP) | bit(LINK_MASTER)), true);
	if (r < 0)
		link_remove(w, a);
	return r;
}

static int make_link(struct world *w, const struct change *change) {
	const struct object *object = change->desired;
	struct w_ns *ns = world_ns(w, object->ns);
	struct w_link *link, *lower;
	int r = ns ? find_lower(w, object, &lower) : -ENOENT;

	if (r < 0)
		return r;
	if (ns_link(ns, ((const struct link *)object)->name))
		return -EEXIST;
	if (object->kind == &kind_macvlan && lower)
		r = link_carries_macvlan(w, lower, object->kind->shares_mac(object));
	if (r < 0)
		return r;
	link = new_link(w, object, change->fields);
	link->lower = lower;
	if (object->kind == &kind_macvlan && object->kind->shares_mac(object)) {
		link->passthru = true;
		link->lent = link->values->mac = lower->values->mac;
	}
	if (lower && !(change->fields & bit(LINK_MTU)))
		link->values->mtu = lower->values->mtu - (object->kind == &kind_vxlan ? OVER_UDP : 0);
	r = link_enter(w, link, ns);
	if (r == 0)
		r = set_fields(w, link, object, change->fields & (bit(LINK_UP) | bit(LINK_MASTER)), true);
	if (r < 0)
		link_remove(w, link);
	return r;
}

static int move_in(struct world *w, const struct change *change) {
	const struct physical *physical = (const struct physical *)change->desired;
	struct w_link *link = ns_link(w->spaces.items[0], physical->source);
	struct w_ns *ns = world_ns(w, physical->link.object.ns);
	int r;

	if (!link || !ns)
		return -ENODEV;
	r = link_move(w, link, ns, physical->link.name);
	if (r == 0)
		link->moved = true;
	return r;
}

static int move_out(struct world *w, const struct change *change, struct w_link *link) {
	const struct physical *was = (const struct physical *)change->desired;
	int r = link_move(w, link, w->spaces.items[0], was->source ? was->source : link->values->name);

	if (r == 0) {
		link->moved = false;
		link->values->alias = "";
	}
	return r;
}

static struct w_link *find_link(struct world *w, const struct change *change) {
	const struct link *seen = (const struct link *)change->observed;
	struct w_ns *ns = world_ns(w, change_object(change)->ns);

	return seen ? ns_link_at(ns, seen->ifindex) : ns_link(ns, ((const struct link *)change->desired)->name);
}

static int request_link(struct fake *fake, const struct look *look, const struct change *change) {
	struct world *w = fake->world;
	bool physical = change->desired && change->desired->kind == &kind_physical;
	struct w_link *link;

	if (change->type == CHANGE_CREATE)
		return physical ? move_in(w, change) : change->desired->twin ? make_pair(w, change) : make_link(w, change);
	link = find_link(w, change);
	judge_link(fake, look, link, change);
	if (!link)
		return -ENODEV;
	if (change->type == CHANGE_UPDATE)
		return set_fields(w, link, change->desired, change->fields, false);
	if (physical)
		return move_out(w, change, link);
	link_remove(w, link);
	return 0;
}

static int request_port(struct fake *fake, const struct change *change) {
	const struct port *want = (const struct port *)change->desired;
	struct w_link *link = ns_link(world_ns(fake->world, want->object.ns), want->name);

	if (!link)
		return -ENODEV;
	if (!link->port)
		return -EINVAL; /* no slave device */
	for (size_t i = PORT_FIRST_ATTRIBUTE; i < kind_port.n_fields; i++)
		if (change->fields >> i & 1)
			memcpy(field_of(&kind_port.fields[i], link->port), field_of(&kind_port.fields[i], want),
			       sizeof(uint32_t));
	link_changed(fake->world, link);
	return 0;
}

static int request_address(struct fake *fake, const struct look *look, const struct change *change) {
	const struct address *want = (const struct address *)change->desired, *seen = (const struct address *)change->observed;
	const struct address *any = want ? want : seen;
	struct w_ns *ns = world_ns(fake->world, any->object.ns);
	struct w_link *link = ns_link(ns, any->dev);
	struct w_address *there = link ? ns_address(ns, link, &(seen ? seen : want)->address, &(seen ? seen : want)->peer) : NULL;
	bool ipv6 = any->address.address.family == AF_INET6;

	if (!link)
		return -ENODEV;
	if (change->type != CHANGE_CREATE && there)
		judge(fake, look, there->foreign, change);
	switch (change->type) {
	case CHANGE_CREATE:
		return address_add(fake->world, ns, (struct w_address){
			.link = link, .address = want->address, .peer = want->peer, .protocol = TOPOD_PROTOCOL, .scope = want->scope,
			.nodad = object_has(&want->object, ADDRESS_NODAD) && want->nodad,
			.noprefixroute = object_has(&want->object, ADDRESS_NOPREFIXROUTE) && want->noprefixroute,
			.label = object_has(&want->object, ADDRESS_LABEL) ? arena_strdup(&fake->world->arena, want->label) : NULL,
			.broadcast = object_has(&want->object, ADDRESS_BROADCAST) ? want->broadcast : (struct ip){} });
	case CHANGE_UPDATE:
		if (!there)
			return change->fields == bit(ADDRESS_CONNECTED) ? 0 : -EADDRNOTAVAIL;
		if (change->fields == bit(ADDRESS_CONNECTED))
			return address_add_connected(fake->world, ns, there);
		there->protocol = want->protocol;
		there->foreign &= !find_made(fake, &want->object);
		if (ipv6 && !there->noprefixroute && link->values->up)
			address_add_connected(fake->world, ns, there);
		return 0;
	case CHANGE_DELETE:
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

static int request_route(struct fake *fake, const struct look *look, const struct change *change) {
	const struct route *from = (const struct route *)(change->type == CHANGE_DELETE ? change->observed : change->desired);
	struct w_ns *ns = world_ns(fake->world, from->object.ns);
	struct w_route route = {
		.to = from->to, .table = from->table, .tos = from->tos, .metric = from->metric, .type = from->type,
		.scope = from->scope, .protocol = from->protocol,
		.on_link = object_has(&from->object, ROUTE_ON_LINK) && from->on_link,
		.mtu = object_has(&from->object, ROUTE_MTU) ? from->mtu : 0,
		.advmss = object_has(&from->object, ROUTE_ADVMSS) ? from->advmss : 0,
		.src = object_has(&from->object, ROUTE_SRC) ? from->src : (struct ip){},
	};
	struct w_route *there;
	int r;

	if (!ns)
		return -ENOENT;
	there = ns_route(ns, &route);
	if (there && change->type != CHANGE_CREATE)
		judge(fake, look, there->foreign, change);
	if (change->type == CHANGE_DELETE)
		return route_delete(fake->world, ns, &route);
	if (change->type == CHANGE_UPDATE && !there && (!change->observed->marked || change->desired->gone))
		return -ENOENT;
	r = fill_hops(from, ns, &route);
	if (r < 0)
		return r;
	bool foreign = there && there->foreign && !find_made(fake, change->desired);
	r = route_add(fake->world, ns, route, change->type == CHANGE_CREATE ? ROUTE_ADD : ROUTE_REPLACE);
	if (r == 0 && change->type == CHANGE_UPDATE)
		ns_route(ns, &route)->foreign = foreign;
	return r;
}

static void ledger_written(struct fake *fake) {
	fake->size_before = fake->ledger_size ? *fake->ledger_size : 0;
}

static int request_netns(struct fake *fake, const struct execute_hooks *hooks, struct plan *plan,
			 const struct change *change) {
	const char *name = change_object(change)->ns;
	struct w_ns *ns = world_ns(fake->world, name);
	struct netns_identity identity;
	int r;

	if (change->type == CHANGE_DELETE) {
		if (ns && ns->foreign)
			violate(fake, change_object(change), "deleted");
		return world_delete_ns(fake->world, name);
	}
	world_clear_stale(fake->world, name);
	identity = world_next_identity(fake->world);
	r = hooks->born(hooks->userdata, netns_object(&plan->arena, name, &identity));
	ledger_written(fake);
	if (r == 0 && (fake->crash_at != fake->n_requests || fake->n_requests % 2)) /* else it crashed in between */
		r = world_add_ns(fake->world, name);
	return r;
}

static int request_setting(struct fake *fake, const struct execute_hooks *hooks, struct plan *plan,
			   const struct change *change) {
	const struct sysctl *want = (const struct sysctl *)change->desired;
	struct w_ns *ns = world_ns(fake->world, want->object.ns);
	const char *former = ns ? setting_get(ns, want->path) : NULL;
	int r = 0;

	if (!former)
		return -ENOENT;
	if (!change->observed && hooks->former)
		r = hooks->former(hooks->userdata, change,
				  &sysctl_new(&plan->arena, want->object.ns, want->path, former)->object);
	return r < 0 ? r : setting_set(fake->world, ns, want->path, want->value);
}

static int request_nat(struct fake *fake, const struct change *change) {
	struct w_ns *ns = world_ns(fake->world, change_object(change)->ns);

	if (!ns)
		return -ENOENT;
	ns_set_nat(fake->world, ns, change->desired && change->type != CHANGE_DELETE
					   ? ((const struct nat *)change->desired)->ruleset : NULL);
	return 0;
}

static int request_file(struct fake *fake, const struct look *look, const struct change *change) {
	const char *ns = change_object(change)->ns;
	struct w_file *file = world_file(fake->world, ns);

	bool foreign = file && file->foreign && !find_made(fake, change_object(change));

	if (file && change->type == CHANGE_CREATE)
		return -EEXIST;
	if (file)
		judge(fake, look, file->foreign, change);
	if (change->type == CHANGE_DELETE)
		world_remove_file(fake->world, ns);
	else
		world_write_file(fake->world, ns, ((const struct dns *)change->desired)->content);
	/* What was found and changed (adopt) is not topod's by that. */
	if (change->type == CHANGE_UPDATE)
		world_file(fake->world, ns)->foreign = foreign;
	return 0;
}

/* A namespace that somebody else made is entered only where the file says so. */
static void judge_place(struct fake *fake, const struct look *look, const struct change *change) {
	const struct object *object = change_object(change);
	const struct w_ns *ns = world_ns(fake->world, object->ns);
	const struct ns_state *desired = state_find(look->desired, object->ns);
	bool adopted = desired && (desired->adopt || object->gone);

	/* To create one fails where there is one by now. Whether what is deleted may be, is judged with it: something of
	 * topod's may have been moved there. */
	if (change->type == CHANGE_DELETE || (object->kind->class == CLASS_NETNS && change->type == CHANGE_CREATE))
		return;
	if (ns && ns->foreign && !streq(object->ns, NS_HOST) && !adopted && object->kind->class != CLASS_DNS && desired &&
	    desired->declared)
		violate(fake, object, "entered");
}

static int carry_out(struct fake *fake, const struct look *look, struct plan *plan, const struct execute_hooks *hooks,
		     const struct change *change) {
	switch (change_object(change)->kind->class) {
	case CLASS_NETNS:
		return request_netns(fake, hooks, plan, change);
	case CLASS_SYSCTL:
		return request_setting(fake, hooks, plan, change);
	case CLASS_LINK:
		return request_link(fake, look, change);
	case CLASS_PORT:
		return request_port(fake, change);
	case CLASS_ADDRESS:
		return request_address(fake, look, change);
	case CLASS_ROUTE:
		return request_route(fake, look, change);
	case CLASS_NAT:
		return request_nat(fake, change);
	case CLASS_DNS:
		break;
	}
	return request_file(fake, look, change);
}

static int injected(const struct fake *fake, const struct change *change) {
	_cleanup_text_ struct text id = {};

	object_print_id(change_object(change), &id);
	vec_foreach(fault, &fake->faults)
		if (fault->request ? fault->request == fake->n_requests : streq(fault->id, id.data))
			return fault->error;
	return 0;
}

/* From here on nothing happens any more, whoever believes it did. */
static int crash(struct fake *fake) {
	fake->crashed = true;
	fake->n_crashes++;
	fake->ledger_tells = true;
	fake->crash(fake->userdata);
	return -EIO;
}

static int request(struct fake *fake, const struct look *look, struct plan *plan, const struct execute_hooks *hooks,
		   const struct change *change) {
	int r;

	fake->n_requests++;
	fake->first = fake->ledger_size && *fake->ledger_size != fake->size_before;
	ledger_written(fake);
	world_tick(fake->world, false);
	if (fake->requested)
		fake->requested(fake->userdata, fake->n_requests);
	if (fake->crashed)
		return -EIO;
	if (fake->crash_at == fake->n_requests && !fake->crash_after)
		return crash(fake);
	r = injected(fake, change);
	fake->n_injected += r < 0;
	if (r == 0) {
		fake->world->by_topod = true;
		judge_place(fake, look, change);
		r = carry_out(fake, look, plan, hooks, change);
		fake->world->by_topod = false;
		if (r == 0)
			remember_made(fake, change);
	}
	return fake->crash_at == fake->n_requests ? crash(fake) : r;
}

static bool is_gone(int error) {
	return error == -ENODEV || error == -ENOENT || error == -ESRCH || error == -EADDRNOTAVAIL || error == -ENXIO;
}

static void trace(struct fake *fake, const struct change *change) {
	static const char *const words[] = { [CHANGE_CREATE] = "create", [CHANGE_UPDATE] = "update", [CHANGE_DELETE] = "delete" };

	if (!fake->tracing)
		return;
	text_addf(&fake->trace, "%4zu %s ", fake->n_requests, words[change->type]);
	object_print_id(change_object(change), &fake->trace);
	if (change->type == CHANGE_UPDATE) {
		text_add(&fake->trace, ": ");
		object_print_fields(change->desired, change->observed, change->fields, &fake->trace);
	}
	text_addf(&fake->trace, "%s%s\n", change->error ? " ! " : "", change->error ? strerrorname_np(-change->error) : "");
}

static void try(struct fake *fake, const struct look *look, struct plan *plan, const struct execute_hooks *hooks,
		struct change *change) {
	for (unsigned i = 0; i < change->n_needs; i++) {
		const struct change *need = change->needs[i];

		if (!need->done || !need->error)
			continue;
		change->done = true;
		change->blocked = need->blocked ? need->blocked : need;
		change->error = need->error;
		return;
	}
	change->done = true;
	change->error = request(fake, look, plan, hooks, change);
	if (change->type == CHANGE_DELETE && is_gone(change->error))
		change->error = 0;
	fake->n_failed += !!change->error;
	trace(fake, change);
}

static void fake_execute(struct kernel *kernel, const struct look *look, struct plan *plan,
			 const struct execute_hooks *hooks) {
	struct fake *fake = (struct fake *)kernel;

	for (size_t i = 0; i < plan->changes.n; i++) {
		if (!plan->changes.items[i]->done)
			try(fake, look, plan, hooks, plan->changes.items[i]);
		if (hooks->progress)
			hooks->progress(hooks->userdata, i + 1);
	}
}

static void fake_clear(struct kernel *kernel, enum object_class class, const char *ns) {
	struct fake *fake = (struct fake *)kernel;

	if (class == CLASS_NETNS && !fake->crashed)
		world_clear_stale(fake->world, ns);
}

static const char *fake_name_of(struct kernel *kernel, int32_t nsid) {
	const struct w_ns *ns = world_ns_by_id(((struct fake *)kernel)->world, nsid);

	return ns ? ns->name : NULL;
}

static const char *fake_link_of(struct kernel *kernel, const char *ns, uint32_t ifindex) {
	const struct w_link *link = ns_link_at(world_ns(((struct fake *)kernel)->world, ns), ifindex);

	return link ? link->values->name : NULL;
}

static void fake_rest(struct kernel *kernel _unused_) {
}

static const struct kernel_ops fake_ops = {
	.observe = fake_observe,
	.execute = fake_execute,
	.clear = fake_clear,
	.name_of = fake_name_of,
	.link_of = fake_link_of,
	.rest = fake_rest,
	.free = fake_rest,
};

void fake_init(struct fake *fake, struct world *world) {
	*fake = (struct fake){ .kernel.ops = &fake_ops, .world = world };
}

void fake_done(struct fake *fake) {
	vec_done(&fake->faults);
	vec_foreach(at, &fake->made)
		free(*at);
	vec_done(&fake->made);
	text_done(&fake->violations);
	text_done(&fake->trace);
}
