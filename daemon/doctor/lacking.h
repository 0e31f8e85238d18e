/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a topology this kernel lacks; see lacking.c. */
#pragma once

#include "model/state.h"

struct lack {
	const struct object *object; /* the first object that needs it */
	struct position position;    /* the place that needs it */
	const char *what;            /* "'vlan' links": the end of "this kernel has no …" */
	const char *module;          /* what modprobe(8) may load; NULL: not known */
};

typedef void (*lack_fn)(void *userdata, const struct lack *lack);

/* Tries everything that the desired state needs on this kernel, once for each thing, and calls fn for what it lacks. Texts
 * live in arena. 0, or -errno if this is not possible (no rights). */
int kernel_lacks(struct arena *arena, const struct state *desired, lack_fn fn, void *userdata);
/* The same as warnings; none if the kernel cannot be queried. */
void kernel_warn_lacks(const struct state *desired, struct diags *diags);
