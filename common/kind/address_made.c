/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The routes that the kernel makes for an address: to its network, and its entries in the table local, without which the
 * host does not receive packets to it.
 *
 * They can be removed while the address stays. The scan records which are gone (connected.h), and they are made again
 * as fib_add_ifaddr() (net/ipv4/fib_frontend.c), inet6_addr_add() and __ipv6_ifa_notify() (net/ipv6/addrconf.c) make
 * them.
 */
#include <linux/rtnetlink.h>

#include "kind/address.h"
#include "model/change.h"

static bool is_ipv4(const struct address *a) {
	return a->address.address.family == AF_INET;
}

static bool is_one_host(const struct address *a) {
	return a->address.length == ip_bits(a->address.address.family);
}

/* On a point-to-point link IPv4 has a route to the peer's network, even if that is a single host; IPv6 to the
 * address's own network. */
static bool has_far_network(const struct address *a) {
	return a->peer.address.family == AF_INET;
}

/* Does the kernel make a route to the address's network? */
static bool has_network(const struct address *a) {
	if (object_has(&a->object, ADDRESS_NOPREFIXROUTE) && a->noprefixroute)
		return false;
	if (streq(a->dev, "lo")) /* ::1 has none */
		return !is_one_host(a);
	return !is_ipv4(a) || !is_one_host(a) || has_far_network(a);
}

/* On lo the whole IPv4 network is local. */
static bool has_local_network(const struct address *a) {
	return has_network(a) && is_ipv4(a) && streq(a->dev, "lo");
}

bool address_has_connected_route(const struct address *a) {
	return has_network(a) && !has_local_network(a);
}

struct prefix address_connected_network(const struct address *a) {
	return prefix_network(has_far_network(a) ? &a->peer : &a->address);
}

bool address_needs_no_route(const struct address *a) {
	return !is_ipv4(a) && is_one_host(a);
}

void address_set_connected(struct address *a, bool connected) {
	a->connected = connected;
	a->object.set |= field_bit(ADDRESS_CONNECTED);
}

void address_set_local(struct address *a, bool local) {
	a->local = local;
	a->object.set |= field_bit(ADDRESS_LOCAL);
}

static struct prefix host_of(const struct ip *ip) {
	return (struct prefix){ *ip, ip_bits(ip->family) };
}

/* The last address of the network. */
static struct ip broadcast_of(const struct prefix *network) {
	struct ip ip = network->address;

	for (unsigned bit = network->length; bit < ip_bits(ip.family); bit++)
		ip.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return ip;
}

static bool is_limited_broadcast(const struct ip *ip) {
	static const uint8_t all[] = { 255, 255, 255, 255 };

	return memcmp(ip->bytes, all, sizeof(all)) == 0;
}

/* The declared broadcast address, and, if this is the first address of its network, that of the network. */
static size_t broadcasts(const struct address *a, const struct prefix *network, struct made_route *ret) {
	const struct ip own = broadcast_of(network), *set = &a->broadcast;
	size_t n = 0;

	if (set->family && !ip_is_zero(set) && !is_limited_broadcast(set))
		ret[n++] = (struct made_route){ .to = host_of(set), .type = RTN_BROADCAST };
	if (!a->secondary && network->length < 31 && network->address.bytes[0] && !(n && ip_equal(set, &own)))
		ret[n++] = (struct made_route){ .to = host_of(&own), .type = RTN_BROADCAST };
	return n;
}

size_t address_made_routes(const struct address *a, struct made_route ret[ADDRESS_MADE_MAX]) {
	const struct prefix network = address_connected_network(a);
	size_t n = 0;

	if (has_network(a))
		ret[n++] = (struct made_route){ .to = network, .type = has_local_network(a) ? RTN_LOCAL : RTN_UNICAST };
	if (a->settling) /* the others come after duplicate address detection */
		return n;
	ret[n++] = (struct made_route){ .to = host_of(&a->address.address), .type = RTN_LOCAL };
	if (a->peer.address.family == AF_INET6)
		ret[n++] = (struct made_route){ .to = host_of(&a->peer.address), .type = RTN_UNICAST };
	return is_ipv4(a) ? n + broadcasts(a, &network, ret + n) : n;
}

/* Routes of a secondary address have the primary address as their source. */
static const struct ip *source_of(const struct address *a, const struct ns_state *seen) {
	ns_foreach(object, seen)
		if (object != &a->object && object->kind == &kind_address && a->secondary &&
		    kind_address.comes_behind(&a->object, object))
			return &((const struct address *)object)->address.address;
	return &a->address.address;
}

void address_miss(struct arena *arena, struct address *a, const struct made_route *route, const struct ns_state *seen) {
	struct made_route missing = *route;

	missing.source = *source_of(a, seen);
	made_route_add(arena, &a->lacking, &missing);
	if (route->type == RTN_UNICAST)
		address_set_connected(a, false);
	else
		address_set_local(a, false);
}

void address_put_missing(struct nl_writer *w, const struct change *change, uint32_t index) {
	const struct address *seen = (const struct address *)change->observed;

	for (const struct made_route *route = seen->lacking; route; route = route->next)
		if (change->fields >> (route->type == RTN_UNICAST ? ADDRESS_CONNECTED : ADDRESS_LOCAL) & 1)
			made_route_put(w, route, index);
}
