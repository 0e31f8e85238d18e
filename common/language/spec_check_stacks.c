/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stacks of links: lower links and controllers. Loops, MTUs, and which link takes another's frames.
 */
#include <stdlib.h>

#include "kind/link.h"
#include "language/spec_check.h"

enum {
	STACK_MAX = 16, /* twice MAX_NEST_DEV of include/linux/netdevice.h; the kernel refuses more */
};

/* The next link up (the controller) or down (the lower link). */
static const struct object *step(struct reading *r, const struct object *from, bool up) {
	object_foreach_need(need, from) {
		const struct object *next =
			need.field->flags & (up ? FIELD_CONTROLLER : FIELD_LOWER) ? state_find_need(r->state, &need) : NULL;

		if (next)
			return next;
	}
	return NULL;
}

/* A link has at most one lower link and one controller. None of its lower links may be itself or one of its
 * controllers. */
static void check_loop(struct reading *r, const struct object *object) {
	const struct object *up = object, *down;

	for (int height = 0; up && height < STACK_MAX; height++, up = step(r, up, true)) {
		down = height ? object : step(r, object, false);
		for (int depth = 0; down && depth < STACK_MAX; depth++, down = step(r, down, false))
			if (up == down) {
				diag_error(r->parse.diags, object->position, "%s/%s is its own lower link", object->ns,
					   ((const struct link *)object)->name);
				return;
			}
	}
}

/* A port; those of one controller are next to each other. The first one caches the controller's MTU. */
struct port_of {
	const char *ns, *master;
	const struct object *port;
	bool known, asked; /* of the first port: mtu is known, or is being computed */
	struct known_mtu mtu;
};

struct ports {
	size_t n;
	struct port_of *items;
};

static int compare_ports(const void *a, const void *b) {
	const struct port_of *x = a, *y = b;
	int r = strcmp(x->ns, y->ns);

	if (r == 0)
		r = strcmp(x->master, y->master);
	return r || !x->port || !y->port ? r : check_compare_places(x->port, y->port);
}

static void collect_ports(struct reading *r) {
	vec(struct port_of) list = {};

	state_foreach(ns, r->state)
		ns_foreach(object, ns)
			if (object_is_link(object) && object_has(object, LINK_MASTER))
				vec_push(&list, (struct port_of){ ns->name, ((const struct link *)object)->master, object });
	spec_reading(r)->ports = arena_new(r->parse.arena, struct ports);
	spec_reading(r)->ports->n = list.n;
	if (list.n) {
		qsort(list.items, list.n, sizeof(*list.items), compare_ports);
		spec_reading(r)->ports->items = arena_memdup(r->parse.arena, list.items, list.n * sizeof(*list.items));
	}
	vec_done(&list);
}

/* The first port of the controller; NULL: it has none. */
static struct port_of *find_ports(struct reading *r, const struct object *controller) {
	struct port_of key = { controller->ns, ((const struct link *)controller)->name };
	size_t low = 0, high;

	if (!spec_reading(r)->ports)
		collect_ports(r);
	for (high = spec_reading(r)->ports->n; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (compare_ports(&spec_reading(r)->ports->items[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < spec_reading(r)->ports->n && compare_ports(&spec_reading(r)->ports->items[low], &key) == 0
		       ? &spec_reading(r)->ports->items[low]
		       : NULL;
}

static struct known_mtu find_mtu(struct reading *r, const struct object *object, int depth);

/* A bridge takes the smallest MTU of its ports (br_mtu_auto_adjust(), net/bridge/br_if.c). Computed once for each
 * bridge; unknown in a loop. */
static struct known_mtu find_smallest(struct reading *r, struct port_of *first, int depth) {
	struct port_of *end = spec_reading(r)->ports->items + spec_reading(r)->ports->n;

	if (first->asked)
		return first->known ? first->mtu : (struct known_mtu){};
	first->asked = true;
	for (struct port_of *at = first; at < end && streq(at->ns, first->ns) && streq(at->master, first->master); at++) {
		struct known_mtu known = find_mtu(r, at->port, depth + 1);

		if (known.mtu && (!first->mtu.mtu || known.mtu < first->mtu.mtu))
			first->mtu = known;
	}
	first->known = true;
	return first->mtu;
}

static struct known_mtu find_mtu(struct reading *r, const struct object *object, int depth) {
	const char *initially = object->kind->fields[LINK_MTU].fallback;
	struct known_mtu known = {};
	struct port_of *ports;

	if (object_has(object, LINK_MTU))
		return (struct known_mtu){ ((const struct link *)object)->mtu, object };
	if (object->kind->any_kind || depth >= STACK_MAX)
		return known;
	/* If the kind sets the MTU last, it follows the ports until then. */
	ports = object->kind->last & field_bit(LINK_MTU) ? find_ports(r, object) : NULL;
	if (ports)
		return find_smallest(r, ports, depth);
	if (initially && parse_u32(initially, &known.mtu) == 0)
		return known;
	const struct need lower = object->kind->headroom ? object_lower(object) : (struct need){};
	const struct object *below = state_find_need(r->state, &lower);
	if (below) {
		known = find_mtu(r, below, depth + 1);
		known.mtu -= MIN(known.mtu, object->kind->headroom(object));
	}
	return known;
}

struct known_mtu check_known_mtu(struct reading *r, const struct object *link) {
	return find_mtu(r, link, 0);
}

/* Only a warning if the lower link's MTU is the kernel's default: somebody may set a larger one outside the file. */
static void check_mtu_below(struct reading *r, const struct object *object, const struct object *below) {
	struct known_mtu known = find_mtu(r, below, 0);
	uint32_t headroom = object->kind->headroom(object), mtu = ((const struct link *)object)->mtu;
	const char *name = ((const struct link *)below)->name;
	struct position position = object_position(object, &object->kind->fields[LINK_MTU]);

	if (!known.mtu || mtu + headroom <= known.mtu)
		return;
	const char *less = headroom ? arena_printf(r->parse.arena, ", less %u for the outer headers", headroom) : "";
	if (known.by) {
		diag_error(r->parse.diags, position, "'mtu' must be at most %u: the lower interface %s:%s has %u%s",
			   known.mtu - MIN(headroom, known.mtu), below->ns, name, known.mtu, less);
		diag_note(r->parse.diags, object_position(known.by, &known.by->kind->fields[LINK_MTU]), "it is set here");
	} else {
		diag_warning(r->parse.diags, position,
			     "'mtu' must be at most %u unless the lower interface %s:%s gets more than %u, the kernel's "
			     "default%s",
			     known.mtu - MIN(headroom, known.mtu), below->ns, name, known.mtu, less);
	}
}

/* A link that takes the frames of its lower link (macvlan_port_create() and macvlan_open(), drivers/net/macvlan.c). */
static void check_taken(struct reading *r, const struct object *object, const struct need *lower,
			const struct object *below) {
	const struct link *link = (const struct link *)object, *parent = (const struct link *)below;
	struct position position = object_position(object, lower->field);

	if (streq(lower->name, "lo"))
		diag_error(r->parse.diags, position, "'lo' cannot be the parent of %s %s: it carries no Ethernet frames",
			   indefinite_article(object->kind->name), object->kind->name);
	if (!below || below == object)
		return;
	const struct object *master =
		object_has(below, LINK_MASTER) ? ns_find_link(state_find(r->state, lower->ns), parent->master) : NULL;
	if (master && master->kind->takes_frames) {
		diag_error(r->parse.diags, position,
			   "%s:%s is a port of %s and cannot also be the parent of %s %s: both take its frames; did "
			   "you mean '%s: %s'?",
			   lower->ns, lower->name, parent->master, indefinite_article(object->kind->name),
			   object->kind->name, lower->field->name, parent->master);
		diag_note(r->parse.diags, object_position(below, &below->kind->fields[LINK_MASTER]), "it is a port here");
	}
	if (link->up && object_has(object, LINK_MAC) && object_has(below, LINK_MAC) &&
	    memcmp(&link->mac, &parent->mac, sizeof(link->mac)) == 0 &&
	    !(object->kind->shares_mac && object->kind->shares_mac(object)))
		diag_error(r->parse.diags, object_position(object, &object->kind->fields[LINK_MAC]),
			   "the lower interface %s:%s has this MAC address; a %s needs its own", lower->ns, lower->name,
			   object->kind->name);
}

/* A link that is kept down passes nothing on to the links on it. */
static void check_lower_up(struct reading *r, const struct object *object, const struct need *lower,
			   const struct object *below) {
	const struct kind *kind = object->kind;
	struct position position = object_position(object, lower->field);

	if (!((const struct link *)object)->up || !link_is_kept_down(below))
		return;
	if (!kind->needs_lower_up)
		diag_warning(r->parse.diags, position, "nothing passes over %s:%s below, which has 'up: false'", lower->ns,
			     lower->name);
	else if (kind->needs_lower_up(object))
		diag_error(r->parse.diags, position,
			   "the kernel does not bring this %s up over %s:%s, which has 'up: false'; remove that, or write "
			   "'up: false' here, too",
			   kind->name, lower->ns, lower->name);
	else
		return;
	diag_note(r->parse.diags, object_position(below, &below->kind->fields[LINK_UP]), "it is kept down here");
}

static void check_stack(struct reading *r, const struct ns_state *ns _unused_, const struct object *object) {
	if (!object_is_link(object))
		return;
	check_loop(r, object);
	const struct need lower = object_lower(object);
	const struct object *below = state_find_need(r->state, &lower);
	if (lower.field && object->kind->takes_frames)
		check_taken(r, object, &lower, below);
	if (below && below != object)
		check_lower_up(r, object, &lower, below);
	if (below && object->kind->headroom && object_has(object, LINK_MTU))
		check_mtu_below(r, object, below);
}

const struct check check_stacks = { .object = check_stack };
