/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A world as topod sees it in a scan.
 */
#include "fake_private.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "kind/connected.h"
#include "kind/kinds.h"
#include "kind/dns.h"
#include "kind/route_front.h"
#include "kind/ruleset.h"
#include "kind/sysctl.h"
#include "kind/veth.h"
#include "model/source.h"

enum {
	LONG_AFTER = 1 << 20, /* the kernel has done its delayed work */
};

/* What has_route() needs. */
struct judging {
	struct connected connected;
	struct w_ns *ns;
};

static const char *called(const struct w_ns *ns) {
	return ns->name ? ns->name : ns->held;
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
		object->set |= field_bit(i);
		if (!other)
			continue;
		ref->ifindex = other->index;
		ref->ns = called(other->ns); /* NULL if it has no name any more */
		ref->name = ref->ns ? other->values->name : NULL;
	}
}

/* The forwarding table as the kernel would report it, if the desired link needs it. */
static void show_forwarding(struct state *state, const struct scan_request *request, const char *ns, struct object *seen,
			    const struct w_link *link) {
	const struct object *desired = ns_find(state_find(request->desired, ns), seen);
	const struct source *source = seen->kind->source;
	static const uint8_t zero[6];

	if (!desired || desired->kind != seen->kind || !source || !source->declares || !source->declares(desired))
		return;
	source->take(&state->arena, seen, NULL);
	for (size_t i = 0; i < link->n_flood; i++) {
		_cleanup_(nl_writer_done) struct nl_writer w = {};
		struct ndmsg *ndm = nl_begin(&w, RTM_NEWNEIGH, 0, sizeof(*ndm));

		ndm->ndm_family = AF_BRIDGE;
		ndm->ndm_ifindex = (int)link->index;
		ndm->ndm_flags = NTF_SELF;
		nl_put(&w, NDA_LLADDR, zero, sizeof(zero));
		nl_put(&w, NDA_DST, link->flood[i].bytes, ip_size(link->flood[i].family));
		if (link->lower && i == 0)
			nl_put_u32(&w, NDA_IFINDEX, link->lower->index);
		source->take(&state->arena, seen, w.messages.items[0]);
	}
}

static struct object *show_link(struct state *state, const char *ns, const struct w_link *link,
				const struct scan_request *request) {
	struct object *object = copy(state, &link->values->object, ns);
	struct link *seen = (struct link *)object;
	const char *rest = startswith(seen->alias, "topod:");

	seen->ifindex = link->index;
	seen->no_carrier = !link_has_carrier(link);
	seen->port_state = PORT_FORWARDING;
	seen->runs_ipv6 = link_runs_ipv6(link);
	seen->makes_addresses =
		seen->runs_ipv6 && (streq(seen->name, "lo") || seen->address_generation != IN6_ADDR_GEN_MODE_NONE);
	link_set_own_addresses(seen, true);
	if (link->other_name) {
		seen->alternative_names = arena_memdup(&state->arena, &link->other_name, sizeof(link->other_name));
		seen->n_alternative_names = 1;
	}
	seen->master = link->master ? link->master->values->name : "";
	show_other_link(object, link->peer ? link->peer : link->lower);
	object->owned = rest && streq(rest, request->topology);
	object->kernel_made = streq(seen->name, "lo");
	object_seal(&state->arena, object);
	show_forwarding(state, request, ns, object, link);
	return object;
}

static struct object *show_port(struct state *state, const char *ns, const struct w_link *link) {
	struct object *object = copy(state, &link->port->port.object, ns);

	((struct port *)object)->name = link->values->name;
	object->set |= field_bit(PORT_NAME);
	object->kernel_made = true;
	object_seal(&state->arena, object);
	return object;
}

static struct object *show_address(struct state *state, struct w_ns *ns, const struct w_address *from) {
	struct object *object = object_new(&state->arena, &kind_address, called(ns));
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
	if (from->address.address.family == AF_INET)
		a->broadcast.family = AF_INET; /* none is 0.0.0.0 */
	a->secondary = from->secondary;
	object->set = (a->broadcast.family ? field_bit(ADDRESS_BROADCAST) : 0) |
		      (from->address.address.family == AF_INET ? field_bit(ADDRESS_LABEL) : 0) | field_bit(ADDRESS_DEV) |
		      field_bit(ADDRESS_ADDRESS) | field_bit(ADDRESS_PEER) | field_bit(ADDRESS_SCOPE) |
		      field_bit(ADDRESS_NODAD) | field_bit(ADDRESS_NOPREFIXROUTE) | field_bit(ADDRESS_PROTOCOL);
	if (from->address.address.family == AF_INET)
		address_set_primary(a, !from->secondary);
	object->pending = !from->failed && address_is_tentative(from);
	object->failed = from->failed;
	object->owned = from->protocol == TOPOD_PROTOCOL;
	object->kernel_made = from->made;
	a->settling = from->failed || address_is_tentative(from);
	if (address_has_connected_route(a) || address_needs_no_route(a))
		address_set_connected(a, true);
	address_set_local(a, true);
	object_seal(&state->arena, object);
	return object;
}

static void show_hops(struct state *state, struct route *r, const struct w_route *from) {
	if (from->n_hops == 1) {
		r->via = from->hops[0].via;
		r->dev = from->hops[0].dev->values->name;
		r->object.set |= field_bit(ROUTE_DEV);
		return;
	}
	r->nexthops.n = from->n_hops;
	r->nexthops.items = arena_newn(&state->arena, struct nexthop, from->n_hops + 1);
	for (size_t i = 0; i < from->n_hops; i++)
		r->nexthops.items[i] = (struct nexthop){ .via = from->hops[i].via,
							 .weight = from->hops[i].weight,
							 .dev = from->hops[i].dev->values->name };
}

static struct object *show_route(struct state *state, struct w_ns *ns, const struct w_route *from) {
	struct object *object = object_new(&state->arena, &kind_route, called(ns));
	struct route *r = (struct route *)object;

	r->to = from->to;
	r->table = from->table;
	r->tos = from->tos;
	r->metric = from->metric;
	r->type = from->type;
	r->scope = from->scope;
	r->protocol = from->protocol;
	r->on_link = from->on_link;
	r->from = from->from;
	r->preference = from->preference;
	memcpy(r->metrics, from->metrics, sizeof(r->metrics));
	r->congctl = "";
	for (size_t i = 0; i < kind_route.n_fields; i++)
		if (kind_route.fields[i].wire == WIRE_METRIC)
			object->set |= field_bit(i);
	object->set |= field_bit(ROUTE_TO) | field_bit(ROUTE_FROM) | field_bit(ROUTE_TABLE) | field_bit(ROUTE_METRIC) |
		       field_bit(ROUTE_TOS) | field_bit(ROUTE_TYPE) | field_bit(ROUTE_SCOPE) | field_bit(ROUTE_PROTOCOL) |
		       field_bit(ROUTE_VIA) | field_bit(ROUTE_ENCAP) | field_bit(ROUTE_NEXTHOP) | field_bit(ROUTE_NEXTHOPS) |
		       field_bit(ROUTE_ON_LINK) | field_bit(ROUTE_SRC) |
		       (r->to.address.family == AF_INET6 ? field_bit(ROUTE_PREFERENCE) : 0);
	r->src = from->src;
	show_hops(state, r, from);
	object->owned = r->protocol == TOPOD_PROTOCOL;
	object->kernel_made = r->protocol == RTPROT_KERNEL;
	object_seal(&state->arena, object);
	return object;
}

static struct object *show_nat(struct state *state, const struct w_ns *ns) {
	struct object *object = object_new(&state->arena, &kind_ruleset, called(ns));

	((struct ruleset *)object)->text = ns->nat;
	object->set = field_bit(RULESET_TEXT);
	object->owned = true;
	object_seal(&state->arena, object);
	return object;
}

static void show_routes(const struct scan_request *request, struct w_ns *ns, struct state *state, struct ns_state *ret) {
	const struct ns_state *desired = state_find(request->desired, ret->name);
	_cleanup_(fronts_done) struct fronts fronts = {};

	vec_foreach(route, &ns->routes) {
		struct object *object = show_route(state, ns, route), *before = ns_add(ret, object);

		fronts_add(&fronts, desired, (const struct route *)object);
		if (before && route_takes_place(desired, (struct route *)object, before)) {
			ns_remove(ret, before);
			ns_add(ret, object);
		}
	}
	fronts_apply(&fronts, ret);
}

static void show_settings(const struct scan_request *request, struct w_ns *ns, struct state *state, struct ns_state *ret) {
	ns_foreach(object, state_find(request->desired, ret->name)) {
		const struct sysctl *wanted = (const struct sysctl *)object;
		const char *value = object_is_setting(object) ? setting_get(ns, wanted->path) : NULL;

		if (value)
			ns_add(ret, &sysctl_new(&state->arena, ret->name, wanted->path, value)->object);
	}
}

static const char *name_at(void *ns, uint32_t ifindex) {
	const struct w_link *link = ns_link_at(ns, ifindex);

	return link ? link->values->name : NULL;
}

/* As reads() in daemon/kernel/scan.c. */
static bool reads(const struct scan_request *request, const struct ns_state *desired, const char *ns,
		  const struct class *class) {
	return (desired && desired->exclusive && class_is_pruned(class)) ||
	       ledger_concerns(ledger_namespace(request->ledger, ns), desired, class);
}

void fake_show_raw(struct state *state, struct ns_state *seen, struct w_ns *ns, const struct w_raw *raw) {
	struct source_scan scan = { .decode = { .arena = &state->arena, .userdata = ns, .link_name = name_at },
				    .seen = seen };

	(void)raw->class->source->decode(&scan, raw->message);
	vec_done(&scan.added);
}

static void show_raw(const struct scan_request *request, struct w_ns *ns, struct state *state, struct ns_state *ret) {
	const struct ns_state *desired = state_find(request->desired, ret->name);
	struct source_scan scan = { .decode = { .arena = &state->arena }, .seen = ret, .desired = desired };

	vec_foreach(raw, &ns->raw)
		if (reads(request, desired, ret->name, raw->class))
			fake_show_raw(state, ret, ns, raw);
	if (reads(request, desired, ret->name, &class_rule))
		(void)class_rule.source->finish(&scan);
	vec_done(&scan.added);
}

static bool has_route(const struct source_scan *scan, const struct prefix *to, uint32_t table) {
	const struct judging *judging = scan->own;
	const struct w_route like = { .to = *to,
				      .table = table ? table : RT_TABLE_MAIN,
				      .metric = to->address.family == AF_INET6 ? ADDRESS_IPV6_METRIC : 0 };

	return ns_route(judging->ns, &like);
}

/* topod's own code decides what is missing, from the tables here. */
static void judge_made(struct source_scan *scan, struct w_ns *ns) {
	struct judging judging = { .connected = { .main_read = FAMILY_IPV4 | FAMILY_IPV6,
						  .local_read = FAMILY_IPV4 | FAMILY_IPV6,
						  .has_route = has_route },
				   .ns = ns };

	scan->own = &judging;
	vec_foreach(made, &ns->made)
		vec_push(&judging.connected.made,
			 ((struct made_route){ .to = made->to, .type = made->type, .ifindex = made->link->index }));
	connected_judge(scan, &judging.connected, true);
	vec_done(&judging.connected.made);
}

static void show_all(const struct scan_request *request, struct w_ns *ns, struct state *state, struct ns_state *ret) {
	ret->present = true;
	if (!streq(ret->name, NS_HOST)) {
		struct object *self = netns_object(&state->arena, ret->name, &ns->identity);

		((struct netns *)self)->named = ns->name;
		ns_add(ret, self);
	}
	vec_foreach(at, &ns->links) {
		ns_add(ret, show_link(state, ret->name, *at, request));
		if ((*at)->port)
			ns_add(ret, show_port(state, ret->name, *at));
	}
	vec_foreach(a, &ns->addresses)
		ns_add(ret, show_address(state, ns, a));
	struct source_scan scan = { .decode = { .arena = &state->arena, .now = LONG_AFTER },
				    .seen = ret,
				    .desired = state_find(request->desired, ret->name) };
	source_address.finish(&scan);
	show_routes(request, ns, state, ret);
	judge_made(&scan, ns);
	show_raw(request, ns, state, ret);
	if (ns->nat && ledger_concerns(ledger_namespace(request->ledger, ret->name), state_find(request->desired, ret->name),
				       &class_ruleset))
		ns_add(ret, show_nat(state, ns));
	show_settings(request, ns, state, ret);
}

/* As in handle_expect(): only the namespace that the ledger has as attached counts. */
static bool is_another(const struct scan_request *request, const struct w_ns *ns, const char *name, struct arena *arena) {
	const struct object *self = ns_self(state_find(request->desired, name));
	const struct ledger_entry *entry = ledger_attached_namespace(ledger_namespace(request->ledger, name));

	if (!entry)
		return self && self->awaited;
	return !ledger_is_same(entry, netns_object(arena, name, &ns->identity));
}

void fake_see(struct fake *fake, const struct scan_request *request, const char *name, struct state *ret) {
	struct ns_state *seen = state_namespace(ret, name);
	struct w_ns *ns = world_ns_or_held(fake->world, name);
	struct w_file *file = world_file(fake->world, name);
	const struct w_name *stale = world_stale(fake->world, name);

	if (stale && stale->external)
		seen->obstruction = "a file";
	if (ns && is_another(request, ns, name, &ret->arena)) {
		/* Its link leads nowhere for topod; if it has none, it is somebody else's. */
		seen->obstruction = ns->attached ? NULL : "a network namespace that was not attached";
		ns = NULL;
	}
	if (ns)
		show_all(request, ns, ret, seen);
	if (file && ledger_concerns(ledger_namespace(request->ledger, name), state_find(request->desired, name), &class_dns))
		ns_add(seen, &dns_new(&ret->arena, &kind_dns, seen->name, file->content)->object);
}

/* Leaves out everything that was not requested, so that nothing can rely on it. */
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

/* As handle_hold() does: another namespace with that name replaces the held one. */
static void hold(struct fake *fake, const struct scan_request *request, const char *name) {
	struct w_ns *ns = world_ns_or_held(fake->world, name), *held = world_held(fake->world, name);
	struct arena arena = {};

	/* A namespace that is to be adopted is not topod's any more, even if topod made it. */
	const struct object *self = ns_self(state_find(request->desired, name));
	if (ns && !ns->external && self && self->external &&
	    find_made(fake, self)) /* if not seen, another topology made it */
		ns->external = fake->gave_up = true;
	if (held && held != ns)
		world_release(fake->world, held);
	if (ns && fake->holding && !streq(name, NS_HOST) &&
	    ledger_keeps_namespace(request->ledger, request->desired, netns_object(&arena, name, &ns->identity)))
		ns->held = ns->name ? ns->name : ns->held;
	else if (ns && ns->held)
		world_release(fake->world, ns);
	arena_done(&arena);
}

int fake_observe(struct kernel *kernel, const struct scan_request *request, const struct scope *scopes, size_t n,
		 struct state *ret) {
	struct fake *fake = (struct fake *)kernel;

	world_tick(fake->world, false);
	fake->n_scans++;
	if (fake->crashed)
		return -EIO;
	if (fake->blind || fake->look_fault == fake->n_scans)
		return fake->blind ? fake->blind : fake->look_error;
	for (size_t i = 0; i < n; i++) {
		if (fake->closed && streq(fake->closed, scopes[i].ns)) {
			state_namespace(ret, scopes[i].ns)->error = -EMFILE;
			continue;
		}
		hold(fake, request, scopes[i].ns);
		fake_see(fake, request, scopes[i].ns, ret);
		if (scopes[i].objects) {
			narrow(state_find(ret, scopes[i].ns), &scopes[i]);
			fake->n_partial++;
		}
	}
	if (fake->looked)
		fake->looked(fake->userdata, fake->n_scans);
	return 0;
}
