/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mistakes with addresses: two hosts with the same one, a missing prefix length, a network or broadcast address. */
#include "kind/address.h"
#include "kind/link.h"
#include "meaning/places.h"

enum { COMPARE_MAX = 2 * 1000 * 1000 }; /* limit of comparisons in one namespace: a warning is not worth minutes */

static bool is_on(const struct object *object, size_t field, uint32_t value) {
	return object_has(object, field) && value;
}

/* Without ARP or duplicate detection several hosts may have one address on purpose (anycast, a cluster). */
static bool is_silent(const struct place *place) {
	const struct link *link = (const struct link *)ns_find_link(place->ns, place->dev);
	const struct address *a = (const struct address *)place->address;

	return is_on(&a->object, ADDRESS_NODAD, a->nodad) || (link && object_has(&link->object, LINK_ARP) && !link->arp);
}

/* Do the two conflict? One host may have an IPv4 address on several of its interfaces. */
static bool contends(const struct place *a, const struct place *b) {
	return a->segment != SEGMENT_NONE && a->segment == b->segment && ip_equal(&a->ip, &b->ip) &&
	       (a->ns != b->ns || a->ip.family == AF_INET6) && !is_silent(a) && !is_silent(b);
}

static void check_twice(struct meaning *m) {
	size_t first = 0;
	char buf[IP_TEXT_MAX];

	for (size_t i = 1; i < m->places.n; i++) {
		const struct place *a = &m->places.items[first], *b = &m->places.items[i];

		if (a->segment != b->segment || !ip_equal(&a->ip, &b->ip))
			first = i;
		if (first == i || !contends(a, b))
			continue;
		diag_warning(m->diags, b->address->position,
			     "%s is used twice on one segment, by %s/%s and %s/%s: give each host its own address",
			     ip_format(&b->ip, buf), a->ns->name, a->dev, b->ns->name, b->dev);
		diag_note(m->diags, a->address->position, "the other is here");
	}
}

/* Are all host bits of the address equal to `ones`? */
static bool has_host_bits(const struct prefix *p, bool ones) {
	for (unsigned bit = p->length; bit < ip_bits(p->address.family); bit++)
		if ((p->address.bytes[bit / 8] >> (7 - bit % 8) & 1) != ones)
			return false;
	return true;
}

/* On lo, a prefix may stand for all of its addresses. In a network of one or two addresses, each belongs to a host
 * (RFC 3021, RFC 6164). */
static void check_use(struct meaning *m, const struct address *a) {
	const struct prefix *p = &a->address;
	struct prefix better = *p;
	char buf[PREFIX_TEXT_MAX], other[PREFIX_TEXT_MAX];
	bool network;

	if (streq(a->dev, "lo") || a->peer.address.family || p->length + 1 >= ip_bits(p->address.family))
		return;
	network = has_host_bits(p, false);
	if (!network && (p->address.family == AF_INET6 || !has_host_bits(p, true)))
		return;
	if (!network && object_has(&a->object, ADDRESS_BROADCAST) && !ip_equal(&a->broadcast, &p->address))
		return;
	better = prefix_network(p);
	better.address.bytes[ip_size(p->address.family) - 1] |= 1;
	diag_warning(m->diags, object_position(&a->object, &a->object.kind->fields[ADDRESS_ADDRESS]),
		     "%s is %s; a host's address is for example %s", prefix_format(p, buf),
		     !network                        ? "the broadcast address of its network"
		     : p->address.family == AF_INET6 ? "the address of its network, which all its routers have"
						     : "the address of its network itself",
		     prefix_format(&better, other));
}

/* What a namespace declares about its interfaces. */
struct uses {
	vec(const char *) routed;              /* sorted: interfaces that routes name */
	vec(const struct address *) addresses; /* sorted by interface */
	size_t budget;                         /* comparisons left */
};

static void uses_done(struct uses *uses) {
	vec_done(&uses->routed);
	vec_done(&uses->addresses);
}

static int compare_names(const void *a, const void *b) {
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_devs(const void *a, const void *b) {
	const struct address *const *x = a, *const *y = b;

	return strcmp((*x)->dev, (*y)->dev);
}

static void find_uses(const struct ns_state *ns, struct uses *uses) {
	ns_foreach(object, ns) {
		if (object->kind == &kind_address)
			vec_push(&uses->addresses, (const struct address *)object);
		if (!object->kind->leads)
			continue;
		object_foreach_need(need, object)
			if (need.name)
				vec_push(&uses->routed, need.name);
	}
	if (uses->routed.n)
		qsort(uses->routed.items, uses->routed.n, sizeof(*uses->routed.items), compare_names);
	if (uses->addresses.n)
		qsort(uses->addresses.items, uses->addresses.n, sizeof(*uses->addresses.items), compare_devs);
}

static bool is_routed(const struct uses *uses, const char *dev) {
	return uses->routed.n && bsearch(&dev, uses->routed.items, uses->routed.n, sizeof(dev), compare_names);
}

/* Is the address covered by another one of the interface's n addresses, or borrowed from another interface (an
 * unnumbered link)? */
static bool is_additional(const struct meaning *m, const struct ns_state *ns, const struct address *const *list, size_t n,
			  const struct address *a) {
	place_foreach(place, m, &a->address.address)
		if (place->ns == ns && place->address != &a->object)
			return true;
	for (size_t i = 0; i < n; i++)
		if (list[i] != a && prefix_contains(&list[i]->address, &a->address.address))
			return true;
	return false;
}

static bool may_lack_length(const struct ns_state *ns, const struct address *a) {
	const struct object *link = ns_find_link(ns, a->dev);
	bool wide = !object_has(&a->object, ADDRESS_SCOPE) || a->scope == RT_SCOPE_UNIVERSE;

	return a->bare && wide && !a->peer.address.family && !streq(a->dev, "lo") && link && segment_is_ethernet(link);
}

/* A single host address reaches nobody by itself, unless a route leads to others on the link. */
static void check_length(struct meaning *m, const struct ns_state *ns, const struct address *a) {
	bool ipv4 = a->address.address.family == AF_INET;
	char buf[IP_TEXT_MAX];

	diag_warning(m->diags, object_position(&a->object, &a->object.kind->fields[ADDRESS_ADDRESS]),
		     "without a prefix length %s is a single host (/%u), and %s/%s reaches no other; write "
		     "the length of the network, for example %s/%u",
		     ip_format(&a->address.address, buf), a->address.length, ns->name, a->dev, buf, ipv4 ? 24 : 64);
}

/* Checks the addresses of one interface. */
static void check_lengths(struct meaning *m, const struct ns_state *ns, struct uses *uses, const struct address *const *list,
			  size_t n) {
	if (is_routed(uses, list[0]->dev))
		return;
	for (size_t i = 0; i < n && uses->budget > n; i++) {
		if (!may_lack_length(ns, list[i]))
			continue;
		uses->budget -= n;
		if (!is_additional(m, ns, list, n, list[i]))
			check_length(m, ns, list[i]);
	}
}

static void check_namespace(struct meaning *m, const struct ns_state *ns) {
	_cleanup_(uses_done) struct uses uses = { .budget = COMPARE_MAX };

	find_uses(ns, &uses);
	for (size_t i = 0, n; i < uses.addresses.n; i += n) {
		const struct address *const *list = &uses.addresses.items[i];

		for (n = 1; i + n < uses.addresses.n && streq(list[0]->dev, list[n]->dev);)
			n++;
		check_lengths(m, ns, &uses, list, n);
		for (size_t k = 0; k < n; k++)
			check_use(m, list[k]);
	}
}

void address_warn(struct meaning *m) {
	check_twice(m);
	state_foreach(ns, m->state)
		check_namespace(m, ns);
}
