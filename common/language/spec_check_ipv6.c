/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the kernel has no IPv6: on a link with an MTU below 1280 (addrconf_notify() takes all of it down), and where a setting
 * disables it. Addresses and routes there are refused.
 */
#include <stdlib.h>

#include "kind/address.h"
#include "kind/route.h"
#include "kind/sysctl.h"
#include "language/spec_check.h"

enum { MIN_MTU = 1280 }; /* IPV6_MIN_MTU, include/uapi/linux/ipv6.h, RFC 8200 */

static int compare_addresses(const void *a, const void *b) {
	const struct address *x = *(const struct address *const *)a, *y = *(const struct address *const *)b;
	int r = strcmp(x->dev, y->dev);

	return r ? r : check_compare_places(&x->object, &y->object);
}

struct addresses {
	vec(const struct address *) list; /* of IPv6, by dev; loopback keeps IPv6 whatever its MTU */
};

static void addresses_done(struct addresses *addresses) {
	vec_done(&addresses->list);
}

static void collect_addresses(const struct ns_state *ns, struct addresses *ret) {
	ns_foreach(object, ns) {
		const struct address *a = (const struct address *)object;

		if (object->kind == &kind_address && a->address.address.family == AF_INET6 && !streq(a->dev, "lo"))
			vec_push(&ret->list, a);
	}
	if (ret->list.n)
		qsort(ret->list.items, ret->list.n, sizeof(*ret->list.items), compare_addresses);
}

/* The first of the addresses of that link, or NULL. */
static const struct address *find_address(const struct addresses *addresses, const char *dev) {
	size_t low = 0, high = addresses->list.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(addresses->list.items[middle]->dev, dev) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < addresses->list.n && streq(addresses->list.items[low]->dev, dev) ? addresses->list.items[low] : NULL;
}

static void check_mtus(struct reading *r, const struct ns_state *ns) {
	_cleanup_(addresses_done) struct addresses addresses = {};
	char buf[PREFIX_TEXT_MAX];

	collect_addresses(ns, &addresses);
	ns_foreach(object, ns) {
		const struct address *a = NULL;
		struct known_mtu known;

		if (addresses.list.n && object_is_link(object))
			a = find_address(&addresses, ((const struct link *)object)->name);
		if (!a)
			continue;
		known = check_known_mtu(r, object);
		if (!known.mtu || known.mtu >= MIN_MTU)
			continue;
		diag_error(r->parse.diags, a->object.position,
			   "%s needs an MTU of at least %d, like all IPv6, but %s has %u", prefix_format(&a->address, buf),
			   MIN_MTU, a->dev, known.mtu);
		if (known.by)
			diag_note(r->parse.diags, object_position(known.by, &known.by->kind->fields[LINK_MTU]),
				  "it comes from here");
	}
}

/* disable_ipv6 of each interface, of all (which sets each when it is written) and of those that are made afterwards. */
struct disabled {
	vec(const struct sysctl *) list; /* of one interface, by dev */
	const struct sysctl *all, *by_default;
	bool any; /* is anything disabled at all? */
};

static void disabled_done(struct disabled *disabled) {
	vec_done(&disabled->list);
}

static int compare_settings(const void *a, const void *b) {
	const struct sysctl *x = *(const struct sysctl *const *)a, *y = *(const struct sysctl *const *)b;

	return strcmp(x->dev, y->dev);
}

static bool is_on(const struct sysctl *sysctl) {
	uint32_t value;

	return sysctl && parse_u32(sysctl->value, &value) == 0 && value;
}

static void collect_settings(const struct ns_state *ns, struct disabled *ret) {
	ns_foreach(object, ns) {
		const struct sysctl *sysctl = (const struct sysctl *)object;
		const char *rest = object->kind == &kind_sysctl ? startswith(sysctl->path, "net/ipv6/conf/") : NULL;

		if (!rest || !strchr(rest, '/') || !streq(strchr(rest, '/'), "/disable_ipv6"))
			continue;
		ret->any |= is_on(sysctl);
		if (sysctl->dev)
			vec_push(&ret->list, sysctl);
		else if (startswith(rest, "all/"))
			ret->all = sysctl;
		else
			ret->by_default = sysctl;
	}
	if (ret->list.n)
		qsort(ret->list.items, ret->list.n, sizeof(*ret->list.items), compare_settings);
}

/* The setting by which the link has no IPv6, or NULL. */
static const struct sysctl *find_disabling(const struct disabled *disabled, const struct ns_state *ns, const char *dev) {
	struct sysctl like = { .dev = dev }, *key = &like;
	const struct object *link = ns_find_link(ns, dev);
	const struct sysctl *const *own = NULL, *setting = disabled->all;

	if (disabled->list.n)
		own = bsearch(&key, disabled->list.items, disabled->list.n, sizeof(*disabled->list.items), compare_settings);
	if (own)
		setting = *own;
	else if (disabled->by_default && link && !link->external)
		setting = disabled->by_default;
	return is_on(setting) ? setting : NULL;
}

static void report_disabled(struct reading *r, const struct object *object, const struct field *field, const char *dev,
			    const struct sysctl *setting) {
	if (!setting)
		return;
	_cleanup_text_ struct text noun = {}, name = {};
	object_print_noun(object, &noun);
	object_print_noun(&setting->object, &name);
	diag_error(r->parse.diags, object_position(object, field), "%s cannot be set: %s disables IPv6 on %s",
		   text_str(&noun), text_str(&name), dev);
	diag_note(r->parse.diags, setting->object.position, "it is disabled here");
}

static void check_disabled(struct reading *r, const struct ns_state *ns) {
	_cleanup_(disabled_done) struct disabled disabled = {};

	collect_settings(ns, &disabled);
	if (!disabled.any)
		return;
	ns_foreach(object, ns) {
		const struct address *a = (const struct address *)object;
		const struct route *route = (const struct route *)object;

		if (object->kind == &kind_address && a->address.address.family == AF_INET6)
			report_disabled(r, object, NULL, a->dev, find_disabling(&disabled, ns, a->dev));
		else if (object->kind == &kind_route && route->dev &&
			 (route->to.address.family == AF_INET6 || route->via.family == AF_INET6))
			report_disabled(r, object, &object->kind->fields[ROUTE_DEV], route->dev,
					find_disabling(&disabled, ns, route->dev));
	}
}

static void check_ns(struct reading *r, const struct ns_state *ns) {
	check_mtus(r, ns);
	check_disabled(r, ns);
}

const struct check check_ipv6 = { .ns = check_ns };
