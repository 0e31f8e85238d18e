/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands on what: links below and controllers above.
 */
#include "kind/link.h"
#include "language/spec_check.h"

enum {
	STACK_MAX = 16, /* twice MAX_NEST_DEV of include/linux/netdevice.h: more the kernel refuses */
};

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

/* The link below, and the field that names it; NULL where it has none, or none that is declared. */
static const struct object *find_below(const struct state *state, const struct object *object, const struct field **ret_field,
				       const struct link_ref **ret_ref) {
	*ret_field = NULL;
	for (size_t i = LINK_N_FIELDS; i < object->kind->n_fields; i++) {
		const struct field *field = &object->kind->fields[i];
		const struct link_ref *ref = field_of(field, object);

		if (field->type != &type_link_ref || field->flags & FIELD_PEER || !object_has(object, i) || !ref->name)
			continue;
		*ret_field = field;
		*ret_ref = ref;
		return ns_find_link(state_find(state, ref->ns), ref->name);
	}
	return NULL;
}

/* What a new link of the kind begins with, unless it follows its ports. */
static bool mtu_of_driver(const struct object *object, uint32_t *ret) {
	const char *initially = object->kind->fields[LINK_MTU].fallback;

	return !object->kind->any_kind && !(object->kind->last & field_bit(LINK_MTU)) && initially && parse_u32(initially, ret) == 0;
}

static struct known_mtu find_mtu(const struct state *state, const struct object *object, int depth) {
	const struct object *below;
	const struct link_ref *ref;
	const struct field *field;
	uint32_t mtu;

	if (object_has(object, LINK_MTU))
		return (struct known_mtu){ ((const struct link *)object)->mtu, object };
	if (mtu_of_driver(object, &mtu))
		return (struct known_mtu){ .mtu = mtu };
	below = object->kind->headroom && depth < STACK_MAX ? find_below(state, object, &field, &ref) : NULL;
	if (!below)
		return (struct known_mtu){};
	struct known_mtu known = find_mtu(state, below, depth + 1);
	known.mtu -= MIN(known.mtu, object->kind->headroom(object));
	return known;
}

struct known_mtu check_known_mtu(const struct state *state, const struct object *link) {
	return find_mtu(state, link, 0);
}

/* Where somebody set the MTU below without saying so in the file, the kernel may take more than its default allows. */
static void check_mtu_below(struct reading *r, const struct object *object, const struct object *below) {
	struct known_mtu known = find_mtu(&r->spec->state, below, 0);
	uint32_t headroom = object->kind->headroom(object), mtu = ((const struct link *)object)->mtu;
	const char *name = ((const struct link *)below)->name;
	struct mark mark = object_mark(object, &object->kind->fields[LINK_MTU]);

	if (!known.mtu || mtu + headroom <= known.mtu)
		return;
	const char *less = headroom ? arena_printf(r->parse.arena, ", less %u for the outer headers", headroom) : "";
	if (known.by) {
		diag_error(r->parse.diags, mark, "'mtu' is at most %u: %s:%s below has %u%s", known.mtu - MIN(headroom, known.mtu),
			   below->ns, name, known.mtu, less);
		diag_note(r->parse.diags, object_mark(known.by, &known.by->kind->fields[LINK_MTU]), "it is set here");
	} else {
		diag_warning(r->parse.diags, mark, "'mtu' is at most %u unless %s:%s below gets one that is larger than %u, the "
			     "kernel's default%s", known.mtu - MIN(headroom, known.mtu), below->ns, name, known.mtu, less);
	}
}

/* A link that takes the frames of the one below (macvlan_port_create() and macvlan_open(), drivers/net/macvlan.c). */
static void check_taken(struct reading *r, const struct object *object, const struct field *field, const struct link_ref *ref,
			const struct object *below) {
	const struct link *link = (const struct link *)object, *parent = (const struct link *)below;
	struct mark mark = object_mark(object, field);

	if (streq(ref->name, "lo"))
		diag_error(r->parse.diags, mark, "'lo' cannot be the parent of a %s: it carries no Ethernet frames", object->kind->name);
	if (!below || below == object)
		return;
	const struct object *master = object_has(below, LINK_MASTER) ? ns_find_link(state_find(&r->spec->state, ref->ns), parent->master) : NULL;
	if (master && master->kind->takes_frames) {
		diag_error(r->parse.diags, mark, "%s:%s is a port of %s and cannot be the parent of a %s, too: both take its frames; "
			   "'%s: %s' may be meant", ref->ns, ref->name, parent->master, object->kind->name, field->name, parent->master);
		diag_note(r->parse.diags, object_mark(below, &below->kind->fields[LINK_MASTER]), "it is a port here");
	}
	if (link->up && object_has(object, LINK_MAC) && object_has(below, LINK_MAC) &&
	    memcmp(&link->mac, &parent->mac, sizeof(link->mac)) == 0 && !(object->kind->shares_mac && object->kind->shares_mac(object)))
		diag_error(r->parse.diags, object_mark(object, &object->kind->fields[LINK_MAC]),
			   "%s:%s below has this MAC address; a %s needs one of its own", ref->ns, ref->name, object->kind->name);
}

static void check_stack(struct reading *r, const struct ns_state *ns _unused_, const struct object *object) {
	const struct object *below;
	const struct link_ref *ref;
	const struct field *field;

	if (object->kind->class != CLASS_LINK)
		return;
	check_loop(r, object);
	below = find_below(&r->spec->state, object, &field, &ref);
	if (field && object->kind->takes_frames)
		check_taken(r, object, field, ref, below);
	if (below && object->kind->headroom && object_has(object, LINK_MTU))
		check_mtu_below(r, object, below);
}

const struct check check_stacks = { .object = check_stack };
