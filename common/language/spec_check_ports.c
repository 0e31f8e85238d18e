/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of ports and their controllers. */
#include "language/spec_check.h"

static int compare_names(const void *a, const void *b) {
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All controllers are counted together: a search for each would take quadratic time. */
static void check_number(struct reading *r, const struct ns_state *ns) {
	vec(const char *) masters = {};

	ns_foreach(object, ns)
		if (object_is_link(object) && object_has(object, LINK_MASTER))
			vec_push(&masters, ((const struct link *)object)->master);
	if (masters.n)
		qsort(masters.items, masters.n, sizeof(*masters.items), compare_names);
	for (size_t i = 0, n; i < masters.n; i += n) {
		const struct object *link = ns_find_link(ns, masters.items[i]);

		for (n = 1; i + n < masters.n && streq(masters.items[i], masters.items[i + n]);)
			n++;
		if (link && link->kind->max_ports && n > link->kind->max_ports)
			diag_error(r->parse.diags, link->position, "a %s takes %u ports, %s has %zu", link->kind->name,
				   link->kind->max_ports, masters.items[i], n);
	}
	vec_done(&masters);
}

/* A controller cannot be a port of another of its kind (br_add_if(), net/bridge/br_if.c). */
static void check_port(struct reading *r, const struct ns_state *ns, const struct object *object) {
	const struct link *link = (const struct link *)object;
	const struct object *master;

	if (!object->kind->port_kind || !object_has(object, LINK_MASTER))
		return;
	master = ns_find_link(ns, link->master);
	if (master && master->kind == object->kind)
		diag_error(
			r->parse.diags, object_position(object, &object->kind->fields[LINK_MASTER]),
			"%s is a %s and cannot be a port of another; connect the two by a link with one end as a port of each",
			link->name, object->kind->name);
}

const struct check check_ports = { .object = check_port, .ns = check_number };
