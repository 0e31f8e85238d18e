/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands on what: links below and controllers above.
 */
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

static void check_stack(struct reading *r, const struct ns_state *ns _unused_, const struct object *object) {
	if (object->kind->class == CLASS_LINK)
		check_loop(r, object);
}

const struct check check_stacks = { .object = check_stack };
