/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a topology this kernel lacks; see lacking.c. */
#pragma once

#include "model/state.h"

struct lack {
	const struct object *object; /* the first that needs it */
	struct position position;    /* where that is said */
	const char *what;            /* "'vlan' links": the end of "this kernel has no …" */
	const char *module;          /* what modprobe(8) may load; NULL: not known */
};

typedef void (*lack_fn)(void *userdata, const struct lack *lack);

/* Asks this kernel for everything that the desired state needs, once for each thing, and calls fn for what it lacks. Texts live in
 * arena. 0, or -errno if it cannot be asked (no rights). */
int kernel_lacks(struct arena *arena, const struct state *desired, lack_fn fn, void *userdata);
/* The same as warnings, or nothing if it cannot be asked. */
void kernel_warn_lacks(const struct state *desired, struct diags *diags);
