/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IPv6 addresses on links with a small MTU: below 1280, addrconf_notify() removes all IPv6 from the link, and the
 * kernel refuses addresses on it.
 */
#include <stdlib.h>

#include "language/spec_check.h"

enum { MIN_MTU = 1280 }; /* IPV6_MIN_MTU, include/uapi/linux/ipv6.h, RFC 8200 */

/* An IPv6 address of a link. */
struct assigned {
	const char *dev;
	struct prefix address;
	const struct object *object;
};

static int compare_addresses(const void *a, const void *b) {
	const struct assigned *x = a, *y = b;
	int r = strcmp(x->dev, y->dev);

	return r ? r : check_compare_places(x->object, y->object);
}

struct addresses {
	vec(struct assigned) list; /* sorted by dev; lo is left out, because it keeps IPv6 with any MTU */
};

static void addresses_done(struct addresses *addresses) {
	vec_done(&addresses->list);
}

static void collect_addresses(const struct ns_state *ns, struct addresses *ret) {
	ns_foreach(object, ns) {
		struct assigned a = { .object = object };

		if (!object->kind->assigns || !object->kind->assigns(object, &a.address) ||
		    a.address.address.family != AF_INET6)
			continue;
		a.dev = object_home_link(object);
		if (!streq(a.dev, "lo"))
			vec_push(&ret->list, a);
	}
	if (ret->list.n)
		qsort(ret->list.items, ret->list.n, sizeof(*ret->list.items), compare_addresses);
}

/* The first IPv6 address of the link, or NULL. */
static const struct assigned *find_address(const struct addresses *addresses, const char *dev) {
	size_t low = 0, high = addresses->list.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(addresses->list.items[middle].dev, dev) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < addresses->list.n && streq(addresses->list.items[low].dev, dev) ? &addresses->list.items[low] : NULL;
}

static void check_mtus(struct reading *r, const struct ns_state *ns) {
	_cleanup_(addresses_done) struct addresses addresses = {};
	char buf[PREFIX_TEXT_MAX];

	collect_addresses(ns, &addresses);
	ns_foreach(object, ns) {
		const struct assigned *a = NULL;
		struct known_mtu known;

		if (addresses.list.n && object_is_link(object))
			a = find_address(&addresses, ((const struct link *)object)->name);
		if (!a)
			continue;
		known = check_known_mtu(r, object);
		if (!known.mtu || known.mtu >= MIN_MTU)
			continue;
		diag_error(r->parse.diags, a->object->position,
			   "%s needs an MTU of at least %d, like all IPv6, but %s has %u", prefix_format(&a->address, buf),
			   MIN_MTU, a->dev, known.mtu);
		if (known.by)
			diag_note(r->parse.diags, object_position(known.by, &known.by->kind->fields[LINK_MTU]),
				  "it comes from here");
	}
}

const struct check check_ipv6 = { .ns = check_mtus };
