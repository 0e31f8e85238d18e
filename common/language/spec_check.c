/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What only shows across objects: references to nothing, loops, and the warnings about what is legal but
 * hardly meant (a gateway that nothing reaches, overlapping prefixes).
 */
#include <linux/rtnetlink.h>

#include "kind/address.h"
#include "kind/nat.h"
#include "kind/physical.h"
#include "kind/route.h"
#include "language/spec_private.h"

enum {
	BRIDGE_MAX_PORTS = 1023, /* BR_MAX_PORTS - 1, net/bridge/br_private.h */
	REACH_MAX = 10 * 1000 * 1000, /* comparisons of gateways with prefixes in one namespace */
	STACK_MAX = 16,          /* twice MAX_NEST_DEV of include/linux/netdevice.h: more the kernel refuses */
};

/* Others may have made links there that the file does not name. */
static bool is_open(const struct ns_state *ns) {
	return streq(ns->name, NS_HOST) || ns->adopt;
}

struct check {
	struct reading *r;
	const struct object *object;
};

static void suggest_link(struct check *c, const struct ns_state *ns, const char *name, struct mark mark) {
	const char *names[256];
	size_t n = 0;

	ns_foreach(object, ns)
		if (object->kind->class == CLASS_LINK && n < ARRAY_SIZE(names))
			names[n++] = ((const struct link *)object)->name;
	const char *near = diag_suggest(name, names, n);
	diag_error(c->r->parse.diags, mark, "there is no interface '%s' in %s%s%s%s", name, ns->name,
		   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static void check_reference(void *userdata, const struct field *field, const char *ns_name, const char *name) {
	struct check *c = userdata;
	struct mark mark = object_mark(c->object, field);
	const struct ns_state *ns = state_find(&c->r->spec->state, ns_name);

	if (!ns)
		diag_error(c->r->parse.diags, mark, "there is no namespace '%s'", ns_name);
	else if (!ns_find_link(ns, name) && !is_open(ns))
		suggest_link(c, ns, name, mark);
}

/* Links that exist by themselves cannot be in a namespace that topod makes. */
static void check_existing(struct reading *r, const struct ns_state *ns, const struct object *object) {
	const struct link *link = (const struct link *)object;

	if (!object->foreign || streq(link->name, "lo"))
		return;
	if (object->implied)
		diag_error(r->parse.diags, object->mark,
			   "%s needs a 'kind': it is no end of a link%s", link->name,
			   is_open(ns) ? " (write 'kind: existing' where it is there already)" : "");
	else if (!is_open(ns))
		diag_error(r->parse.diags, object->mark,
			   "there is no interface '%s' in %s: topod makes that namespace, and nothing in the file makes "
			   "the interface", link->name, ns->name);
}

static void check_made(struct reading *r, const struct object *object) {
	const struct link *link = (const struct link *)object;

	if (!object->foreign && streq(link->name, "lo"))
		diag_error(r->parse.diags, object->mark, "'lo' is in every namespace by itself and cannot be made");
	if (object->kind == &kind_physical && streq(object->ns, NS_HOST))
		diag_error(r->parse.diags, object->mark,
			   "a physical interface is moved out of the host namespace; what stays there is 'kind: existing'");
}

/* An interface of the host can be moved to one place only. */
static void check_sources(struct reading *r, const struct object *object) {
	const struct physical *physical = (const struct physical *)object;

	state_foreach(ns, &r->spec->state)
		ns_foreach(other, ns) {
			const struct physical *before = (const struct physical *)other;

			if (other == object)
				return;
			if (other->kind != &kind_physical || !physical->source || !streq_ptr(before->source, physical->source))
				continue;
			diag_error(r->parse.diags, object_mark(object, &object->kind->fields[PHYSICAL_SOURCE]),
				   "%s is the source of two interfaces", physical->source);
			diag_note(r->parse.diags, object_mark(other, &other->kind->fields[PHYSICAL_SOURCE]), "first here");
		}
}

/* The next link on the way up (to the controller) or down (to the link below). */
struct step {
	const struct spec *spec;
	const struct object *from, *next;
	bool up;
};

static void take_step(void *userdata, const struct field *field, const char *ns_name, const char *name) {
	struct step *step = userdata;
	const struct ns_state *ns = state_find(&step->spec->state, ns_name);
	bool up = field == &step->from->kind->fields[LINK_MASTER];

	if (!(field->flags & FIELD_PEER) && up == step->up && ns && !step->next)
		step->next = ns_find_link(ns, name);
}

static const struct object *step(struct reading *r, const struct object *from, bool up) {
	struct step step = { .spec = r->spec, .from = from, .up = up };

	object_links(from, take_step, &step);
	return step.next;
}

/* A link stands on at most one other by `link` or `dev`, and under one controller. Nothing that it stands on may be
 * itself, nor a controller of it. */
static void check_loop(struct reading *r, const struct object *object) {
	const struct object *up = object, *down;

	for (int height = 0; up && height < STACK_MAX; height++, up = step(r, up, true)) {
		down = height ? object : step(r, object, false);
		for (int depth = 0; down && depth < STACK_MAX; depth++, down = step(r, down, false))
			if (up == down) {
				diag_error(r->parse.diags, object->mark, "%s/%s stands on itself", object->ns,
					   ((const struct link *)object)->name);
				return;
			}
	}
}

static int compare_names(const void *a, const void *b) {
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Counted for all bridges at once: a search for each would take the square of the file's size. */
static void check_ports(struct reading *r, const struct ns_state *ns) {
	vec(const char *) masters = {};

	ns_foreach(object, ns)
		if (object->kind->class == CLASS_LINK && object_has(object, LINK_MASTER))
			vec_push(&masters, ((const struct link *)object)->master);
	if (masters.n)
		qsort(masters.items, masters.n, sizeof(*masters.items), compare_names);
	for (size_t i = 0, n; i < masters.n; i += n) {
		const struct object *link = ns_find_link(ns, masters.items[i]);

		for (n = 1; i + n < masters.n && streq(masters.items[i], masters.items[i + n]);)
			n++;
		if (n > BRIDGE_MAX_PORTS && link && link->kind == &kind_bridge)
			diag_error(r->parse.diags, link->mark, "a bridge takes %d ports, %s has %zu", BRIDGE_MAX_PORTS,
				   masters.items[i], n);
	}
	vec_done(&masters);
}

/* What can reach a gateway: the addresses of a namespace, and its routes that have no gateway themselves. */
struct reach {
	vec(const struct address *) addresses;
	vec(const struct route *) direct;
	size_t n_routes; /* with a gateway */
};

static void reach_done(struct reach *reach) {
	vec_done(&reach->addresses);
	vec_done(&reach->direct);
}

/* How many links declare a prefix that covers the gateway. */
static size_t count_covering(const struct reach *reach, const struct ip *via, const char *dev) {
	const char *counted = NULL;
	size_t n = 0;

	vec_foreach(at, &reach->addresses) {
		const struct address *a = *at;

		/* The addresses of one link stand together. */
		if ((dev && !streq(dev, a->dev)) || streq_ptr(counted, a->dev))
			continue;
		if (!prefix_contains(a->peer.address.family ? &a->peer : &a->address, via))
			continue;
		counted = a->dev;
		n++;
	}
	return n;
}

static bool routed(const struct reach *reach, const struct ip *via) {
	vec_foreach(route, &reach->direct)
		if (prefix_contains(&(*route)->to, via))
			return true;
	return false;
}

static void check_gateway(struct reading *r, const struct ns_state *ns, const struct reach *reach,
			  const struct object *object) {
	const struct route *route = (const struct route *)object;
	char buf[IP_TEXT_MAX];

	if (!route->via.family || is_open(ns) || (object_has(object, ROUTE_ON_LINK) && route->on_link) ||
	    ip_is_link_local(&route->via) || routed(reach, &route->via))
		return;
	struct mark mark = object_mark(object, &object->kind->fields[ROUTE_VIA]);
	size_t n = count_covering(reach, &route->via, route->dev);
	if (n == 0)
		diag_warning(r->parse.diags, mark, "no declared address of %s covers the gateway %s", ns->name,
			     ip_format(&route->via, buf));
	else if (n > 1 && !route->dev)
		diag_warning(r->parse.diags, mark,
			     "%zu interfaces of %s could reach the gateway %s; 'dev' would say which is meant", n, ns->name,
			     ip_format(&route->via, buf));
}

/* A help, which is not worth minutes: where there is too much of both, nothing is said. */
static void check_gateways(struct reading *r, const struct ns_state *ns) {
	_cleanup_(reach_done) struct reach reach = {};

	ns_foreach(object, ns) {
		if (object->kind == &kind_address)
			vec_push(&reach.addresses, (const struct address *)object);
		else if (object->kind == &kind_route && ((const struct route *)object)->via.family)
			reach.n_routes++;
		else if (object->kind == &kind_route)
			vec_push(&reach.direct, (const struct route *)object);
	}
	if (reach.n_routes > REACH_MAX / (reach.addresses.n + reach.direct.n + 1))
		return;
	ns_foreach(object, ns)
		if (object->kind == &kind_route)
			check_gateway(r, ns, &reach, object);
}

static void check_nexthops(struct check *check) {
	const struct route *route = (const struct route *)check->object;

	for (size_t i = 0; i < route->nexthops.n; i++)
		if (route->nexthops.items[i].dev)
			check_reference(check, &check->object->kind->fields[ROUTE_NEXTHOPS], check->object->ns,
					route->nexthops.items[i].dev);
}

/* Rules take any name, also of what comes later; but in a namespace that topod makes it is rather a slip. */
static void check_nat_links(struct reading *r, const struct ns_state *ns, const char *key,
			    const struct nat_match *match) {
	for (size_t i = 0; i < match->n; i++) {
		const char *name = match->items[i].link;

		if (!strchr(name, '*') && !ns_find_link(ns, name))
			diag_warning(r->parse.diags, match->items[i].mark,
				     "'%s' names %s, and no interface of %s is called so", key, name, ns->name);
	}
}

static void check_nat(struct reading *r, const struct ns_state *ns, const struct object *object) {
	const struct nat_rules *rules = ((const struct nat *)object)->rules;

	for (size_t i = 0; rules && !is_open(ns) && i < rules->n; i++) {
		check_nat_links(r, ns, "in", &rules->items[i].in);
		check_nat_links(r, ns, "out", &rules->items[i].out);
	}
}

static bool overlap(const struct prefix *a, const struct prefix *b) {
	return a->address.family == b->address.family &&
	       prefix_contains(a->length <= b->length ? a : b, a->length <= b->length ? &b->address : &a->address);
}

struct range {
	struct prefix network;
	const struct address *address;
};

static int compare_ranges(const void *a, const void *b) {
	const struct range *x = a, *y = b;
	int r = memcmp(&x->network.address, &y->network.address, sizeof(x->network.address));

	return r ? r : x->network.length - y->network.length;
}

/* Sorted, a prefix stands right behind one that contains it, so neighbours are enough. */
static void check_overlaps(struct reading *r, const struct ns_state *ns) {
	vec(struct range) ranges = {};

	ns_foreach(object, ns) {
		const struct address *a = (const struct address *)object;

		if (object->kind == &kind_address && !ip_is_link_local(&a->address.address) &&
		    a->address.length < ip_bits(a->address.address.family))
			vec_push(&ranges, (struct range){ prefix_network(&a->address), a });
	}
	if (ranges.n > 1)
		qsort(ranges.items, ranges.n, sizeof(*ranges.items), compare_ranges);
	for (size_t i = 1; i < ranges.n; i++) {
		const struct range *a = &ranges.items[i - 1], *b = &ranges.items[i];
		char buf[PREFIX_TEXT_MAX], other[PREFIX_TEXT_MAX];

		if (streq(a->address->dev, b->address->dev) || !overlap(&a->network, &b->network))
			continue;
		diag_warning(r->parse.diags, b->address->object.mark, "%s on %s overlaps %s on %s",
			     prefix_format(&b->address->address, buf), b->address->dev,
			     prefix_format(&a->address->address, other), a->address->dev);
		diag_note(r->parse.diags, a->address->object.mark, "the other is here");
	}
	vec_done(&ranges);
}

static void check_object(struct reading *r, const struct ns_state *ns, const struct object *object) {
	struct check check = { .r = r, .object = object };

	object_links(object, check_reference, &check);
	if (object->kind->class == CLASS_LINK) {
		check_existing(r, ns, object);
		check_made(r, object);
		check_loop(r, object);
	}
	if (object->kind == &kind_physical)
		check_sources(r, object);
	if (object->kind == &kind_route)
		check_nexthops(&check);
	if (object->kind == &kind_nat)
		check_nat(r, ns, object);
}

void spec_check(struct reading *r) {
	state_foreach(ns, &r->spec->state) {
		ns_foreach(object, ns)
			check_object(r, ns, object);
		check_ports(r, ns);
		check_gateways(r, ns);
		check_overlaps(r, ns);
	}
}
