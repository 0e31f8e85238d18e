/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks and warnings that concern several addresses of a file. */
#include "kind/address.h"
#include "kind/link.h"
#include "model/section.h"

static bool overlap(const struct prefix *a, const struct prefix *b) {
	return a->address.family == b->address.family &&
	       prefix_contains(a->length <= b->length ? a : b, a->length <= b->length ? &b->address : &a->address);
}

struct range {
	uint32_t table; /* of its VRF; 0: none */
	struct prefix network;
	const struct address *address;
};

static int compare_ranges(const void *a, const void *b) {
	const struct range *x = a, *y = b;
	int r = (x->table > y->table) - (x->table < y->table);

	if (r == 0)
		r = memcmp(&x->network.address, &y->network.address, sizeof(x->network.address));
	return r ? r : x->network.length - y->network.length;
}

/* In sorted order a prefix comes right after one that contains it, so comparing neighbours is enough. Networks of different
 * VRFs may overlap. */
void address_check_all(struct reading *r, const struct ns_state *ns) {
	vec(struct range) ranges = {};

	ns_foreach(object, ns) {
		const struct address *a = (const struct address *)object;

		if (object->kind == &kind_address && !ip_is_link_local(&a->address.address) &&
		    a->address.length < ip_bits(a->address.address.family))
			vec_push(&ranges, (struct range){ link_table_of(ns, a->dev), prefix_network(&a->address), a });
	}
	if (ranges.n > 1)
		qsort(ranges.items, ranges.n, sizeof(*ranges.items), compare_ranges);
	for (size_t i = 1; i < ranges.n; i++) {
		const struct range *a = &ranges.items[i - 1], *b = &ranges.items[i];
		char buf[PREFIX_TEXT_MAX], other[PREFIX_TEXT_MAX];

		if (a->table != b->table || streq(a->address->dev, b->address->dev) || !overlap(&a->network, &b->network))
			continue;
		diag_warning(r->parse.diags, b->address->object.position, "%s on %s overlaps %s on %s",
			     prefix_format(&b->address->address, buf), b->address->dev,
			     prefix_format(&a->address->address, other), a->address->dev);
		diag_note(r->parse.diags, a->address->object.position, "the other is here");
	}
	vec_done(&ranges);
}

/* The kernel accepts it, but packets to the address go to the bridge or bond. */
void address_check(struct reading *r, const struct ns_state *ns, const struct object *object) {
	const struct address *a = (const struct address *)object;
	const struct object *link = ns_find_link(ns, a->dev);
	char buf[PREFIX_TEXT_MAX];

	if (!link || !object_has(link, LINK_MASTER))
		return;
	const char *master = ((const struct link *)link)->master;
	const struct object *controller = ns_find_link(ns, master);
	if (controller && !controller->kind->takes_frames)
		return; /* but not to a VRF */
	diag_warning(r->parse.diags, object->position,
		     "%s is a port of %s, which receives everything that arrives there: give %s to %s", a->dev, master,
		     prefix_format(&a->address, buf), master);
}
