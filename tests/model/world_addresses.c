/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses, and the routes that the kernel adds with them.
 */
#include "world_private.h"

#include <linux/rtnetlink.h>

/* The network is that of the peer, if there is one (ifa_address). */
static struct prefix network_of(const struct prefix *address, const struct prefix *peer) {
	return prefix_network(peer->address.family ? peer : address);
}

static bool same_subnet(const struct w_address *a, const struct w_address *b) {
	struct prefix x = network_of(&a->address, &a->peer), y = network_of(&b->address, &b->peer);

	return prefix_equal(&x, &y);
}

struct w_address *ns_address(struct w_ns *ns, const struct w_link *link, const struct prefix *address,
			     const struct prefix *peer) {
	const struct w_address like = { .address = *address, .peer = *peer };

	vec_foreach(a, &ns->addresses)
		if (a->link == link && ip_equal(&a->address.address, &address->address) &&
		    (address->address.family == AF_INET6 || same_subnet(a, &like)))
			return a;
	return NULL;
}

bool address_is_tentative(const struct w_address *a) {
	return a->address.address.family == AF_INET6 && !a->nodad && !a->failed && !a->detected;
}

static bool is_detecting(const struct w_address *a) {
	return a->address.address.family == AF_INET6 && !a->nodad && a->usable_usec && !a->detected;
}

uint64_t world_detects_at(const struct world *w) {
	uint64_t at = UINT64_MAX;

	vec_foreach(ns, &w->spaces)
		vec_foreach(a, &(*ns)->addresses)
			if (is_detecting(a))
				at = MIN(at, a->usable_usec);
	return at;
}

const struct w_address *ns_primary(const struct w_ns *ns, const struct w_address *address) {
	vec_foreach(a, &ns->addresses)
		if (a->link == address->link && !a->secondary && same_subnet(a, address))
			return a;
	return NULL;
}

/* Addresses of one prefix must have the same scope (__inet_insert_ifa()). */
static bool has_other_scope(const struct w_ns *ns, const struct w_link *link, const struct w_address *address) {
	vec_foreach(a, &ns->addresses)
		if (a->link == link && a->address.address.family == AF_INET && same_subnet(a, address) &&
		    a->scope != address->scope)
			return true;
	return false;
}

/* To the peer's network; with IPv6 to its own network, and another one to the peer (peer_route()). */
static struct w_route connected_route(const struct w_address *a) {
	bool ipv4 = a->address.address.family == AF_INET;

	return (struct w_route){
		.to = ipv4 ? network_of(&a->address, &a->peer) : prefix_network(&a->address),
		.table = RT_TABLE_MAIN,
		.type = RTN_UNICAST,
		.scope = ipv4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
		.protocol = RTPROT_KERNEL,
		.metric = ipv4 ? 0 : ADDRESS_IPV6_METRIC,
		.src = ipv4 ? a->address.address : (struct ip){},
		.n_hops = 1,
		.hops = { { .dev = a->link, .weight = 1 } },
	};
}

static struct w_route peer_route(const struct w_address *a) {
	struct w_route route = connected_route(a);

	route.to = a->peer;
	route.to.length = ip_bits(AF_INET6);
	return route;
}

static bool has_prefix_route(const struct w_address *a) {
	bool one_host = a->address.length == ip_bits(AF_INET) && !a->peer.address.family;

	return (a->address.address.family == AF_INET6 || !one_host) && !streq(a->link->values->name, "lo") && !a->made;
}

static void add_kernels(struct world *w, struct w_ns *ns, struct w_route route) {
	struct w_route *before = ns_route(ns, &route);

	if (before && leads_over(before, route.hops[0].dev)) {
		before->protocol = RTPROT_KERNEL;
		before->src = route.src;
		return;
	}
	vec_push(&ns->routes, route);
	route_changed(w, ns, &route);
}

int address_add_connected(struct world *w, struct w_ns *ns, const struct w_address *address) {
	if (!has_prefix_route(address))
		return 0;
	if (!address->link->values->up)
		return -ENETDOWN;
	add_kernels(w, ns, connected_route(address));
	return 0;
}

int address_restore_connected(struct world *w, struct w_link *link, const struct prefix *to, const struct ip *source) {
	struct w_address like = { .link = link, .address = { *source, to->length } };
	struct w_route route = connected_route(&like);

	if (!link->values->up)
		return -ENETDOWN;
	if (source->family && !ns_is_local(link->ns, source))
		return -EINVAL;
	route.to = *to;
	add_kernels(w, link->ns, route);
	return 0;
}

/* The entries of an address, and the route to an IPv6 peer. The latter does not return with the link. */
static void become_usable(struct world *w, struct w_ns *ns, const struct w_address *address) {
	address_add_entries(w, address);
	if (address->address.address.family == AF_INET6 && address->peer.address.family && address->link->values->up &&
	    !address_is_tentative(address))
		add_kernels(w, ns, peer_route(address));
}

/* Even if the carrier was lost meanwhile (addrconf_dad_work()). */
void world_detect(struct world *w) {
	vec_foreach(ns, &w->spaces)
		vec_foreach(a, &(*ns)->addresses) {
			if (!is_detecting(a) || a->usable_usec > w->now_usec)
				continue;
			a->detected = true;
			a->failed |= ip_equal(&a->address.address, &w->rival);
			if (!a->failed)
				become_usable(w, *ns, a);
			addresses_changed(w, *ns, a->link);
		}
}

int address_add(struct world *w, struct w_ns *ns, struct w_address address) {
	struct w_link *link = address.link;
	bool ipv6 = address.address.address.family == AF_INET6;

	if (ipv6 && !link_has_ipv6(link))
		return -EACCES; /* inet6_addr_add() */
	if (ns_address(ns, link, &address.address, &address.peer))
		return -EEXIST;
	if (!ipv6 && has_other_scope(ns, link, &address))
		return -EINVAL;
	address.secondary = !ipv6 && ns_primary(ns, &address);
	address.external = !w->by_topod || address.made;
	if (ipv6 && !address.nodad && (link->ready || link_has_carrier(link)))
		address.usable_usec = w->now_usec + world_random(w) % 2000000;
	if (ipv6 && streq(link->values->name, "lo")) {
		address.usable_usec = 1;
		address.detected = true;
	}
	vec_push(&ns->addresses, address);
	if (link->values->up && !address.secondary && !address.noprefixroute)
		address_add_connected(w, ns, &address);
	become_usable(w, ns, &address);
	if (ipv6 && link->values->up && !streq(link->values->name, "lo")) /* addrconf_add_dev() */
		made_add(w, link, &made_route_multicast, RTN_MULTICAST);
	addresses_changed(w, ns, link);
	return 0;
}

static bool has_address(const struct w_ns *ns, const struct ip *ip) {
	vec_foreach(a, &ns->addresses)
		if (ip_equal(&a->address.address, ip))
			return true;
	return false;
}

/* IPv4 routes are deleted with their source address, IPv6 ones only lose it (fib_sync_down_addr(), rt6_remove_prefsrc()). */
static void forget_source(struct world *w, struct w_ns *ns, const struct ip *ip) {
	if (has_address(ns, ip))
		return;
	if (ip->family == AF_INET) {
		drop_where(&ns->routes, route, ip_equal(&route->src, ip));
		return;
	}
	vec_foreach(route, &ns->routes)
		if (ip_equal(&route->src, ip)) {
			route->src = (struct ip){};
			route_changed(w, ns, route);
		}
}

static bool is_kept(struct w_ns *ns, const struct w_address *gone) {
	vec_foreach(a, &ns->addresses)
		if (a->link == gone->link && !a->noprefixroute && !a->secondary && same_subnet(a, gone))
			return true;
	return false;
}

static void drop_kernels(struct world *w, struct w_ns *ns, const struct w_route *like) {
	struct w_route *route = ns_route_by(ns, like, RTPROT_KERNEL);

	if (!route || !leads_over(route, like->hops[0].dev))
		return;
	drop_where(&ns->routes, r, r == route);
	route_changed(w, ns, like);
}

static void drop_connected(struct world *w, struct w_ns *ns, const struct w_address *gone) {
	struct w_route own = connected_route(gone), peer = peer_route(gone);

	if (!gone->noprefixroute && !gone->secondary && !is_kept(ns, gone))
		drop_kernels(w, ns, &own);
	if (gone->address.address.family == AF_INET6 && gone->peer.address.family)
		drop_kernels(w, ns, &peer);
}

static size_t count_addresses(const struct w_ns *ns, const struct w_link *link, uint8_t family) {
	size_t n = 0;

	vec_foreach(a, &ns->addresses)
		n += a->link == link && a->address.address.family == family;
	return n;
}

/* The next address of the subnet becomes primary, and takes over the route to the prefix. */
static bool promote(struct world *w, struct w_ns *ns, const struct w_address *gone) {
	struct w_route own = connected_route(gone), *route;

	if (gone->address.address.family != AF_INET || gone->secondary)
		return false;
	vec_foreach(a, &ns->addresses) {
		if (a->link != gone->link || !a->secondary || !same_subnet(a, gone))
			continue;
		a->secondary = false;
		route = ns_route_by(ns, &own, RTPROT_KERNEL);
		if (route)
			route->src = a->address.address;
		address_drop_entries(w, gone);
		address_add_entries(w, a);
		return true;
	}
	return false;
}

int address_delete(struct world *w, struct w_ns *ns, const struct w_link *link, const struct prefix *address,
		   const struct prefix *peer) {
	struct w_address *found = ns_address(ns, link, address, peer), gone;

	if (!found || (address->address.family == AF_INET6 && found->address.length != address->length))
		return -EADDRNOTAVAIL;
	gone = *found;
	drop_where(&ns->addresses, a, a == found);
	if (w->promotes && promote(w, ns, &gone))
		gone.noprefixroute = true; /* the route stays, for the next address */
	/* Without promote_secondaries, the secondaries of its subnet are deleted with it (__inet_del_ifa()). */
	else if (gone.address.address.family == AF_INET && !gone.secondary)
		for (size_t i = 0; i < ns->addresses.n; i++) {
			struct w_address a = ns->addresses.items[i];

			if (a.link != link || !a.secondary || !same_subnet(&a, &gone))
				continue;
			w->n_taken += w->by_topod && a.external && a.protocol != TOPOD_PROTOCOL;
			drop_where(&ns->addresses, b, b == ns->addresses.items + i);
			address_drop_entries(w, &a);
			forget_source(w, ns, &a.address.address);
			i = (size_t)-1;
		}
	drop_connected(w, ns, &gone);
	address_drop_entries(w, &gone);
	forget_source(w, ns, &gone.address.address);
	if (gone.address.address.family == AF_INET && !count_addresses(ns, link, AF_INET)) {
		cut_routes(gone.link, AF_INET,
			   true); /* the last one takes all routes of the link along (fib_inetaddr_event()) */
		cut_made(gone.link, AF_INET, true);
	}
	addresses_changed(w, ns, link);
	return 0;
}
