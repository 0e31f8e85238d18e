/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel makes by itself: the entries of the table local, fe80::/64 and ff00::/8, link-local addresses and those of
 * lo. As fib_add_ifaddr() (net/ipv4/fib_frontend.c), inetdev_event() (net/ipv4/devinet.c), addrconf_dev_config(),
 * init_loopback() and __ipv6_ifa_notify() (net/ipv6/addrconf.c) do.
 *
 * Routes to the network of an address are in world_addresses.c.
 */
#include "world_private.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

enum {
	PROTOCOL_LO = 1, /* IFAPROT_KERNEL_LO */
	PROTOCOL_LL = 3, /* IFAPROT_KERNEL_LL */
	ENTRIES_MAX = 4,
};

static bool is_lo(const struct w_link *link) {
	return streq(link->values->name, "lo");
}

/* Entries. */

static struct w_made *find_made_route(struct w_ns *ns, const struct w_link *link, const struct prefix *to, uint8_t type) {
	vec_foreach(made, &ns->made)
		if (made->link == link && made->type == type && prefix_equal(&made->to, to))
			return made;
	return NULL;
}

static void made_event(struct world *w, const struct w_made *made, bool gone) {
	struct route *like = (struct route *)object_new(&w->arena, &kind_route, NULL);

	like->to = made->to;
	like->table = made->type == RTN_UNICAST ? RT_TABLE_MAIN : RT_TABLE_LOCAL;
	like->metric = made->to.address.family == AF_INET6 && made->type != RTN_LOCAL ? ADDRESS_IPV6_METRIC : 0;
	object_seal(&w->arena, &like->object);
	world_event(w, made->link->ns,
		    (struct hint){ .type = HINT_OBJECT,
				   .like = &like->object,
				   .ifindex = made->link->index,
				   .by_kernel = gone || made->type == RTN_UNICAST });
}

int made_add(struct world *w, struct w_link *link, const struct prefix *to, uint8_t type) {
	const struct w_made made = { link, *to, type };

	if (find_made_route(link->ns, link, to, type))
		return -EEXIST;
	vec_push(&link->ns->made, made);
	made_event(w, &made, false);
	return 0;
}

static void drop_made(struct world *w, struct w_link *link, const struct w_made *like) {
	struct w_made *found = find_made_route(link->ns, link, &like->to, like->type), gone;

	if (!found)
		return;
	gone = *found;
	drop_where(&link->ns->made, made, made == found);
	made_event(w, &gone, true);
}

int made_delete(struct world *w, struct w_link *link, const struct prefix *to, uint8_t type) {
	if (!find_made_route(link->ns, link, to, type))
		return -ESRCH;
	drop_made(w, link, &(struct w_made){ link, *to, type });
	return 0;
}

void made_flush(struct world *w, struct w_link *link, uint8_t family) {
	for (size_t i = 0; i < link->ns->made.n;) {
		struct w_made made = link->ns->made.items[i];

		if (made.link == link && made.to.address.family == family && made.type != RTN_UNICAST)
			drop_made(w, link, &made);
		else
			i++;
	}
}

bool ns_is_local(struct w_ns *ns, const struct ip *ip) {
	vec_foreach(made, &ns->made)
		if (made->type == RTN_LOCAL && prefix_contains(&made->to, ip))
			return true;
	return false;
}

static struct prefix one_host(const struct ip *ip) {
	return (struct prefix){ *ip, ip_bits(ip->family) };
}

static struct ip last_of(const struct prefix *network) {
	struct ip ip = network->address;

	for (unsigned bit = network->length; bit < ip_bits(ip.family); bit++)
		ip.bytes[bit / 8] |= (uint8_t)(1 << (7 - bit % 8));
	return ip;
}

/* The network is local on lo; elsewhere it has a route in the table main. */
static size_t entries4(const struct w_address *a, struct w_made ret[ENTRIES_MAX]) {
	const struct prefix *far = a->peer.address.family ? &a->peer : &a->address, network = prefix_network(far);
	bool whole = a->address.length < 32 || !ip_equal(&network.address, &a->address.address);
	const struct ip all = { .family = AF_INET, .bytes = { 255, 255, 255, 255 } }, last = last_of(&network);
	struct w_link *link = a->link;
	size_t n = 0;

	ret[n++] = (struct w_made){ link, one_host(&a->address.address), RTN_LOCAL };
	if (!link->values->up)
		return n;
	if (a->broadcast.family && !ip_is_zero(&a->broadcast) && !ip_equal(&a->broadcast, &all))
		ret[n++] = (struct w_made){ link, one_host(&a->broadcast), RTN_BROADCAST };
	if (!network.address.bytes[0] || a->secondary || !whole)
		return n;
	if (is_lo(link) && !a->noprefixroute)
		ret[n++] = (struct w_made){ link, network, RTN_LOCAL };
	if (far->length < 31)
		ret[n++] = (struct w_made){ link, one_host(&last), RTN_BROADCAST };
	return n;
}

static bool is_link_local(const struct w_address *a) {
	return a->address.address.family == AF_INET6 && ip_is_link_local(&a->address.address);
}

/* The entry of an IPv6 address comes when it is usable. */
static size_t entries6(const struct w_address *a, struct w_made ret[ENTRIES_MAX]) {
	size_t n = 0;

	if (is_link_local(a))
		ret[n++] = (struct w_made){ a->link, made_route_link_local, RTN_UNICAST };
	if (!address_is_tentative(a) && !a->failed)
		ret[n++] = (struct w_made){ a->link, one_host(&a->address.address), RTN_LOCAL };
	return n;
}

static size_t entries(const struct w_address *a, struct w_made ret[ENTRIES_MAX]) {
	return a->address.address.family == AF_INET ? entries4(a, ret) : entries6(a, ret);
}

void address_add_entries(struct world *w, const struct w_address *address) {
	struct w_made made[ENTRIES_MAX];
	size_t n = entries(address, made);

	for (size_t i = 0; i < n; i++)
		made_add(w, address->link, &made[i].to, made[i].type);
}

static bool is_of_another(struct w_ns *ns, const struct w_made *made) {
	struct w_made others[ENTRIES_MAX];

	vec_foreach(a, &ns->addresses) {
		size_t n = a->link == made->link ? entries(a, others) : 0;

		for (size_t i = 0; i < n; i++)
			if (others[i].type == made->type && prefix_equal(&others[i].to, &made->to))
				return true;
	}
	return false;
}

void address_drop_entries(struct world *w, const struct w_address *gone) {
	struct w_made made[ENTRIES_MAX];
	size_t n = entries(gone, made);

	for (size_t i = 0; i < n; i++)
		if (!is_of_another(gone->link->ns, &made[i]))
			drop_made(w, gone->link, &made[i]);
}

void cut_made(struct w_link *link, uint8_t family, bool gone) {
	drop_where(&link->ns->made, made,
		   made->link == link && (!family || made->to.address.family == family) &&
			   (gone || made->type != RTN_LOCAL));
}

/* Addresses. */

static void generate(struct world *w, struct w_link *link, const struct prefix *address, uint32_t protocol) {
	vec_foreach(a, &link->ns->addresses)
		if (a->link == link && prefix_equal(&a->address, address))
			return;
	address_add(w, link->ns,
		    (struct w_address){ .link = link,
					.address = *address,
					.scope = protocol == PROTOCOL_LL ? RT_SCOPE_LINK : RT_SCOPE_HOST,
					.protocol = protocol,
					.made = true });
}

static const struct prefix loopback4 = { { .family = AF_INET, .bytes = { 127, 0, 0, 1 } }, 8 };
static const struct prefix loopback6 = { { .family = AF_INET6, .bytes = { [15] = 1 } }, 128 };

/* As EUI-64; the addresses of other modes are just as unpredictable to topod. */
static struct prefix link_local_of(const struct w_link *link) {
	struct prefix address = made_route_link_local;

	memcpy(address.address.bytes + 10, link->values->mac.bytes, sizeof(link->values->mac.bytes));
	return address;
}

bool link_runs_ipv6(const struct w_link *link) {
	return link->values->up && link_has_ipv6(link) && (is_lo(link) || link->ready);
}

void link_configure(struct world *w, struct w_link *link) {
	const struct prefix own = link_local_of(link);

	if (is_lo(link) && link->values->up)
		generate(w, link, &loopback4, 0);
	if (!link_runs_ipv6(link))
		return;
	if (is_lo(link)) {
		generate(w, link, &loopback6, PROTOCOL_LO);
		return;
	}
	made_add(w, link, &made_route_multicast, RTN_MULTICAST);
	if (link->values->address_generation != IN6_ADDR_GEN_MODE_NONE)
		generate(w, link, &own, PROTOCOL_LL);
}
