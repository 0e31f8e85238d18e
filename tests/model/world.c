/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "world.h"

#include "kind/sysctl.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "kind/veth.h"

/* The machine. */

uint64_t world_random(struct world *w) {
	uint64_t x = w->random += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

void world_event(struct world *w, struct w_ns *ns, struct hint hint) {
	if (ns && ns->name)
		vec_push(&w->events, (struct w_event){ .ns = ns, .hint = hint });
}

static void name_event(struct world *w, const char *name) {
	vec_push(&w->events, (struct w_event){ .name = arena_strdup(&w->arena, name) });
}

void link_changed(struct world *w, struct w_link *link) {
	world_event(w, link->ns, (struct hint){ .type = HINT_LINK, .ifindex = link->index, .link = link->values->name,
				       .alias = link->values->alias, .down = !link->values->up });
}

static void addresses_changed(struct world *w, struct w_ns *ns, const struct w_link *link) {
	world_event(w, ns, (struct hint){ .type = HINT_ADDRESS, .ifindex = link->index });
}

static void route_changed(struct world *w, struct w_ns *ns, const struct w_route *route) {
	world_event(w, ns, (struct hint){
		.type = HINT_ROUTE, .to = route->to, .route_table = route->table, .tos = route->tos,
		.metric = route->metric, .ifindex = route->n_hops == 1 ? route->hops[0].dev->index : 0,
		.by_kernel = route->protocol == RTPROT_KERNEL });
}

/* Numbers are given out again; when it was made is unique (and here a count). */
struct netns_identity world_next_identity(const struct world *w) {
	return (struct netns_identity){ .inode = 4026531840 + w->spaces.n % 2, .born_nsec = w->spaces.n };
}

static struct w_ns *new_ns(struct world *w, const char *name) {
	struct w_ns *ns = arena_new(&w->arena, struct w_ns);
	struct w_link *lo = link_new(w, &kind_other, "lo");

	ns->name = arena_strdup(&w->arena, name);
	ns->nsid = (int32_t)w->spaces.n;
	ns->identity = world_next_identity(w);
	ns->foreign = !w->by_topod;
	vec_push(&w->spaces, ns);
	link_enter(w, lo, ns);
	lo->values->mtu = 65536;
	return ns;
}

struct world *world_new(uint64_t seed) {
	struct world *w = xmalloc(sizeof(*w));

	w->random = seed;
	w->now_usec = 1000 * 1000 * 1000;
	new_ns(w, NS_HOST);
	ns_link(w->spaces.items[0], "lo")->values->up = true;
	return w;
}

void world_free(struct world *w) {
	if (!w)
		return;
	vec_foreach(at, &w->spaces) {
		vec_done(&(*at)->links);
		vec_done(&(*at)->addresses);
		vec_done(&(*at)->routes);
		vec_done(&(*at)->settings);
	}
	vec_done(&w->spaces);
	vec_done(&w->files);
	vec_done(&w->stale);
	vec_done(&w->events);
	arena_done(&w->arena);
	free(w);
}

/* Namespaces. */

struct w_ns *world_ns(const struct world *w, const char *name) {
	vec_foreach(at, &w->spaces)
		if ((*at)->name && streq((*at)->name, name))
			return *at;
	return NULL;
}

struct w_ns *world_ns_by_id(const struct world *w, int32_t nsid) {
	vec_foreach(at, &w->spaces)
		if ((*at)->nsid == nsid)
			return *at;
	return NULL;
}

bool world_is_stale(const struct world *w, const char *name) {
	vec_foreach(at, &w->stale)
		if (*at && streq(*at, name))
			return true;
	return false;
}

void world_add_stale(struct world *w, const char *name) {
	if (!world_ns(w, name) && !world_is_stale(w, name))
		vec_push(&w->stale, arena_strdup(&w->arena, name));
	name_event(w, name);
}

void world_clear_stale(struct world *w, const char *name) {
	vec_foreach(at, &w->stale)
		if (*at && streq(*at, name))
			*at = NULL;
}

int world_add_ns(struct world *w, const char *name) {
	if (world_ns(w, name) || world_is_stale(w, name))
		return -EEXIST;
	new_ns(w, name);
	name_event(w, name);
	return 0;
}

static void take_apart(struct world *w, struct w_ns *ns) {
	ns->dying = 0;
	for (size_t i = 0; i < ns->links.n;) {
		struct w_link *link = ns->links.items[i];
		char name[IFNAMSIZ];

		if (!link->hardware) {
			link_remove(w, link);
			continue;
		}
		snprintf(name, sizeof(name), "dev%u", link->index);
		link_move(w, link, w->spaces.items[0],
			  ns_link(w->spaces.items[0], link->values->name) ? name : link->values->name);
	}
}

/* The name is free at once; what was in it goes some time later (cleanup_net() is a work queue's). */
int world_delete_ns(struct world *w, const char *name) {
	struct w_ns *ns = world_ns(w, name);

	if (!ns)
		return -ENOENT;
	name_event(w, name);
	ns->name = NULL;
	ns->dying = 1 + (w->slowness ? (unsigned)(world_random(w) % w->slowness) : 0);
	if (!w->slowness)
		take_apart(w, ns);
	return 0;
}

void world_tick(struct world *w, bool all) {
	for (size_t i = 0; i < w->spaces.n; i++) {
		struct w_ns *ns = w->spaces.items[i];

		if (ns->dying && (all || --ns->dying == 0))
			take_apart(w, ns);
	}
}

/* Links. */

struct w_link *ns_link(const struct w_ns *ns, const char *name) {
	if (ns)
		vec_foreach(at, &ns->links)
			if (streq((*at)->values->name, name))
				return *at;
	return NULL;
}

struct w_link *ns_link_at(const struct w_ns *ns, uint32_t index) {
	if (ns)
		vec_foreach(at, &ns->links)
			if ((*at)->index == index)
				return *at;
	return NULL;
}

/* The kernel's defaults are those that the tables give for going back, and which the real kernel is asked for, too. */
static void set_defaults(struct world *w, struct object *object) {
	for (size_t i = 0; i < object->kind->n_fields; i++) {
		const struct field *field = &object->kind->fields[i];

		if (field->fallback && field_from_text(&w->arena, "", field, field->fallback, object))
			object->set |= UINT64_C(1) << i;
	}
}

struct w_link *link_new(struct world *w, const struct kind *kind, const char *name) {
	struct w_link *link = arena_new(&w->arena, struct w_link);
	struct object *object = object_new(&w->arena, kind, "");
	struct link *values = (struct link *)object;
	uint64_t random = world_random(w);

	set_defaults(w, object);
	values->name = arena_strdup(&w->arena, name);
	values->alias = values->master = "";
	values->kind_text = kind->link_kind ? kind->link_kind : "";
	values->queues = values->rx_queues = 1;
	if (!values->mtu)
		values->mtu = 1500;
	memcpy(values->mac.bytes, &random, sizeof(values->mac.bytes));
	values->mac.bytes[0] = 0x06;
	object->set |= (UINT64_C(1) << LINK_N_FIELDS) - 1;
	link->values = values;
	link->foreign = !w->by_topod;
	return link;
}

/* What new links inherit (devinet_sysctl, addrconf's devconf_dflt). */
static void inherit_settings(struct w_ns *ns, struct w_link *link) {
	for (size_t i = 0, n = ns->settings.n; i < n; i++) {
		struct w_setting setting = ns->settings.items[i];

		if (setting.link || !strstr(setting.path, "/conf/default/"))
			continue;
		setting.link = link;
		vec_push(&ns->settings, setting);
	}
}

int link_enter(struct world *w, struct w_link *link, struct w_ns *ns) {
	if (ns_link(ns, link->values->name))
		return -EEXIST;
	link->ns = ns;
	link->index = ++ns->highest;
	vec_push(&ns->links, link);
	inherit_settings(ns, link);
	link_changed(w, link);
	return 0;
}

#define drop_where(list, item, condition)                                     \
	do {                                                                  \
		size_t _kept = 0;                                             \
		for (size_t _i = 0; _i < (list)->n; _i++) {                   \
			__typeof__((list)->items + 0) item = (list)->items + _i; \
			if (!(condition))                                     \
				(list)->items[_kept++] = (list)->items[_i];   \
		}                                                             \
		(list)->n = _kept;                                            \
	} while (0)

static bool leads_over(const struct w_route *route, const struct w_link *link) {
	for (size_t i = 0; i < route->n_hops; i++)
		if (route->hops[i].dev == link)
			return true;
	return false;
}

/* A multipath route lives as long as one of its links is up (fib_sync_down_dev()). */
static bool is_cut(const struct w_route *route, const struct w_link *link, bool gone) {
	if (!leads_over(route, link))
		return false;
	for (size_t i = 0; !gone && i < route->n_hops; i++)
		if (route->hops[i].dev != link && route->hops[i].dev->values->up)
			return false;
	return true;
}

/* IPv4 routes go without an event (fib_flush()); IPv6 ones with that of the link. */
static void cut_routes(struct w_link *link, uint8_t family, bool gone) {
	drop_where(&link->ns->routes, route, (!family || route->to.address.family == family) && is_cut(route, link, gone));
}

/* IPv6 routes that say one may not say more than the link, and those that said as much as it follow it, without an event
 * (rt6_mtu_change_route()). */
static void change_mtu(struct w_link *link, uint32_t mtu) {
	uint32_t before = link->values->mtu;

	link->values->mtu = mtu;
	if (mtu == before)
		return;
	vec_foreach(route, &link->ns->routes)
		if (route->to.address.family == AF_INET6 && leads_over(route, link) && route->mtu &&
		    (route->mtu >= mtu || route->mtu == before))
			route->mtu = mtu;
}

static void update_bridge_mtu(struct world *w, struct w_link *bridge) {
	uint32_t least = 0;

	if (!bridge || bridge->mtu_by_user || !bridge->ns)
		return;
	vec_foreach(at, &bridge->ns->links)
		if ((*at)->master == bridge)
			least = MIN(least ? least : UINT32_MAX, (*at)->values->mtu);
	if (bridge->values->mtu == (least ? least : 1500))
		return;
	change_mtu(bridge, least ? least : 1500);
	link_changed(w, bridge);
}

static void leave_master(struct world *w, struct w_link *link) {
	struct w_link *master = link->master;

	link->master = NULL;
	link->port = NULL;
	update_bridge_mtu(w, master);
}

static void strip(struct world *w, struct w_link *link) {
	struct w_ns *ns = link->ns;

	cut_routes(link, 0, true);
	drop_where(&ns->addresses, address, address->link == link);
	drop_where(&ns->settings, setting, setting->link == link);
	leave_master(w, link);
	vec_foreach(at, &ns->links)
		if ((*at)->master == link) {
			leave_master(w, *at);
			link_changed(w, *at);
		}
}

static void remove_dependents(struct world *w, struct w_link *link) {
	for (size_t i = 0; i < w->spaces.n; i++) {
		struct w_ns *ns = w->spaces.items[i];

		for (size_t j = 0; j < ns->links.n; j++)
			if (ns->links.items[j]->lower == link) {
				link_remove(w, ns->links.items[j]);
				j = (size_t)-1; /* the list moved */
			}
	}
}

/* The macvlan that has the link for itself, or NULL. */
static struct w_link *passthru_on(const struct world *w, const struct w_link *lower) {
	vec_foreach(ns, &w->spaces)
		vec_foreach(at, &(*ns)->links)
			if ((*at)->lower == lower && (*at)->passthru)
				return *at;
	return NULL;
}

/* To set that of a macvlan that has its lower link for itself is to set that one's, for as long as it is there; whoever
 * sets the lower one's sets both. */
void link_set_mac(struct world *w, struct w_link *link, const struct mac *mac) {
	struct w_link *lower = link->passthru ? link->lower : link, *upper = passthru_on(w, lower);

	lower->values->mac = *mac;
	if (upper) {
		upper->values->mac = *mac;
		if (link == lower)
			upper->lent = *mac;
		link_changed(w, upper);
	}
	link_changed(w, lower);
}

static void give_mac_back(struct world *w, struct w_link *upper) {
	struct w_link *lower = upper->lower;

	if (!upper->passthru || !lower->ns || memcmp(&lower->values->mac, &upper->lent, sizeof(upper->lent)) == 0)
		return;
	lower->values->mac = upper->lent;
	link_changed(w, lower);
}

void link_remove(struct world *w, struct w_link *link) {
	struct w_link *peer = link->peer;

	if (!link->ns)
		return;
	give_mac_back(w, link);
	remove_dependents(w, link);
	strip(w, link);
	link_changed(w, link);
	drop_where(&link->ns->links, at, *at == link);
	link->ns = NULL;
	link->peer = NULL;
	if (peer) {
		peer->peer = NULL;
		link_remove(w, peer);
	}
}

static void come_up(struct world *w, struct w_link *link) {
	struct w_ns *ns = link->ns;

	for (size_t i = 0; i < ns->addresses.n; i++) {
		struct w_address *address = &ns->addresses.items[i];

		if (address->link != link)
			continue;
		if (!address->usable_usec && !address->nodad)
			address->usable_usec = w->now_usec + world_random(w) % 2000000;
		if (!address->secondary && !address->noprefixroute)
			address_add_connected(w, ns, address);
	}
}

int link_set_up(struct world *w, struct w_link *link, bool up) {
	if (!!link->values->up == up)
		return 0;
	if (up && link->lower && link->values->object.kind == &kind_macvlan && !link->lower->values->up)
		return -ENETDOWN; /* macvlan_open() */
	link->values->up = up;
	if (up) {
		come_up(w, link);
	} else {
		drop_where(&link->ns->addresses, a, a->link == link && a->address.address.family == AF_INET6 &&
			   !streq(link->values->name, "lo"));
		cut_routes(link, AF_INET, false);
		cut_routes(link, AF_INET6, true);
	}
	link_changed(w, link);
	return 0;
}

int link_set_mtu(struct world *w, struct w_link *link, uint32_t mtu) {
	if (link->values->object.kind == &kind_macvlan && link->lower && mtu > link->lower->values->mtu)
		return -EINVAL;
	link->mtu_by_user = true;
	change_mtu(link, mtu);
	link_changed(w, link);
	update_bridge_mtu(w, link->master);
	for (size_t i = 0; i < w->spaces.n; i++)
		vec_foreach(at, &w->spaces.items[i]->links)
			if ((*at)->lower == link && (*at)->values->object.kind == &kind_macvlan &&
			    (*at)->values->mtu > mtu) {
				change_mtu(*at, mtu);
				link_changed(w, *at);
			}
	return 0;
}

static bool is_lower(const struct world *w, const struct w_link *link) {
	vec_foreach(ns, &w->spaces)
		vec_foreach(at, &(*ns)->links)
			if ((*at)->lower == link && (*at)->values->object.kind == &kind_macvlan)
				return true;
	return false;
}

int link_carries_macvlan(const struct world *w, const struct w_link *lower, bool passthru) {
	if (lower->port)
		return -EBUSY;
	return passthru_on(w, lower) || (passthru && is_lower(w, lower)) ? -EINVAL : 0;
}

/* By its links below, and a bridge by its ports. */
static bool stands_on(const struct w_link *link, const struct w_link *other) {
	if (link == other || (link->lower && stands_on(link->lower, other)))
		return true;
	if (link->values->object.kind == &kind_bridge && link->ns)
		vec_foreach(at, &link->ns->links)
			if ((*at)->master == link && stands_on(*at, other))
				return true;
	return false;
}

/* One whose speed is known: a pair's, or one that asks such a one (port_cost()). */
static bool has_speed(const struct w_link *link) {
	if (link->values->object.kind == &kind_bridge && link->ns)
		vec_foreach(at, &link->ns->links)
			if ((*at)->master == link && has_speed(*at))
				return true;
	return link->values->object.kind == &kind_veth || (link->lower && has_speed(link->lower));
}

int link_set_master(struct world *w, struct w_link *link, struct w_link *master) {
	if (link->master == master)
		return 0;
	/* It leaves the one before it is known whether it can join the other (do_set_master()). */
	if (link->master) {
		leave_master(w, link);
		link_changed(w, link);
	}
	if (!master)
		return 0;
	if (master->values->object.kind != &kind_bridge)
		return -EOPNOTSUPP;
	if (link->values->object.kind == &kind_bridge)
		return -ELOOP;
	if (is_lower(w, link) || stands_on(link, master))
		return -EBUSY; /* one receive handler a link; no loops */
	if (streq(link->values->name, "lo"))
		return -EINVAL;
	link->master = master;
	link->port = (struct port *)object_new(&w->arena, &kind_port, "");
	set_defaults(w, &link->port->object);
	if (!has_speed(link))
		link->port->cost = 100;
	update_bridge_mtu(w, master);
	link_changed(w, link);
	return 0;
}

int link_rename(struct world *w, struct w_link *link, const char *name) {
	if (streq(link->values->name, name))
		return 0;
	if (ns_link(link->ns, name))
		return -EEXIST;
	link_changed(w, link);
	link->values->name = arena_strdup(&w->arena, name);
	link_changed(w, link);
	return 0;
}

int link_move(struct world *w, struct w_link *link, struct w_ns *ns, const char *name) {
	if (ns == link->ns)
		return link_rename(w, link, name);
	if (streq(link->values->name, "lo") || link->values->object.kind == &kind_bridge)
		return -EINVAL; /* netns_immutable */
	if (ns_link(ns, name))
		return -EEXIST;
	link_set_up(w, link, false);
	strip(w, link);
	link_changed(w, link);
	drop_where(&link->ns->links, at, *at == link);
	link->values->name = arena_strdup(&w->arena, name);
	return link_enter(w, link, ns);
}

/* Addresses. */

/* The network is the peer's, where there is one (ifa_address). */
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

bool address_is_tentative(const struct world *w, const struct w_address *a) {
	return a->address.address.family == AF_INET6 && !a->nodad && (!a->usable_usec || w->now_usec < a->usable_usec);
}

static bool has_primary(const struct w_ns *ns, const struct w_link *link, const struct w_address *address) {
	vec_foreach(a, &ns->addresses)
		if (a->link == link && !a->secondary && same_subnet(a, address))
			return true;
	return false;
}

/* Those of one prefix must have one (__inet_insert_ifa()). */
static bool has_other_scope(const struct w_ns *ns, const struct w_link *link, const struct w_address *address) {
	vec_foreach(a, &ns->addresses)
		if (a->link == link && a->address.address.family == AF_INET && same_subnet(a, address) &&
		    a->scope != address->scope)
			return true;
	return false;
}

/* To the peer's network; of IPv6 to its own, and to the peer besides (peer_route()). */
static struct w_route connected_route(const struct w_address *a) {
	bool ipv4 = a->address.address.family == AF_INET;

	return (struct w_route){
		.to = ipv4 ? network_of(&a->address, &a->peer) : prefix_network(&a->address), .table = RT_TABLE_MAIN, .type = RTN_UNICAST,
		.scope = ipv4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE, .protocol = RTPROT_KERNEL,
		.metric = ipv4 ? 0 : ADDRESS_IPV6_METRIC, .src = ipv4 ? a->address.address : (struct ip){},
		.n_hops = 1, .hops = { { .dev = a->link, .weight = 1 } },
	};
}

static struct w_route peer_route(const struct w_address *a) {
	struct w_route route = connected_route(a);

	route.to = a->peer;
	route.to.length = ip_bits(AF_INET6);
	return route;
}

static bool has_prefix_route(const struct w_address *a) {
	return (a->address.length < ip_bits(a->address.address.family) || a->peer.address.family) &&
	       !streq(a->link->values->name, "lo");
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

int address_add(struct world *w, struct w_ns *ns, struct w_address address) {
	struct w_link *link = address.link;
	bool ipv6 = address.address.address.family == AF_INET6;

	if (ns_address(ns, link, &address.address, &address.peer))
		return -EEXIST;
	if (!ipv6 && has_other_scope(ns, link, &address))
		return -EINVAL;
	address.secondary = !ipv6 && has_primary(ns, link, &address);
	address.foreign = !w->by_topod;
	if (ipv6 && !address.nodad && link->values->up)
		address.usable_usec = w->now_usec + world_random(w) % 2000000;
	if (ipv6 && streq(link->values->name, "lo"))
		address.usable_usec = 1;
	vec_push(&ns->addresses, address);
	if (link->values->up && !address.secondary && !address.noprefixroute)
		address_add_connected(w, ns, &address);
	/* Once it is usable: only those are drawn that are so at once. Nor does this route come back with the link. */
	if (ipv6 && address.peer.address.family && link->values->up)
		add_kernels(w, ns, peer_route(&address));
	addresses_changed(w, ns, link);
	return 0;
}

static bool has_address(const struct w_ns *ns, const struct ip *ip) {
	vec_foreach(a, &ns->addresses)
		if (ip_equal(&a->address.address, ip))
			return true;
	return false;
}

/* IPv4 routes by a source address go with it, IPv6 ones only lose it (fib_sync_down_addr(), rt6_remove_prefsrc()). */
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
	struct w_route *route = ns_route(ns, like);

	if (!route || route->protocol != RTPROT_KERNEL || !leads_over(route, like->hops[0].dev))
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

int address_delete(struct world *w, struct w_ns *ns, const struct w_link *link, const struct prefix *address,
		   const struct prefix *peer) {
	struct w_address *found = ns_address(ns, link, address, peer), gone;

	if (!found || (address->address.family == AF_INET6 && found->address.length != address->length))
		return -EADDRNOTAVAIL;
	gone = *found;
	drop_where(&ns->addresses, a, a == found);
	/* Without promote_secondaries those of its subnet go along (__inet_del_ifa()). */
	if (gone.address.address.family == AF_INET && !gone.secondary)
		for (size_t i = 0; i < ns->addresses.n; i++) {
			struct w_address a = ns->addresses.items[i];

			if (a.link != link || !a.secondary || !same_subnet(&a, &gone))
				continue;
			drop_where(&ns->addresses, b, b == ns->addresses.items + i);
			forget_source(w, ns, &a.address.address);
			i = (size_t)-1;
		}
	drop_connected(w, ns, &gone);
	forget_source(w, ns, &gone.address.address);
	if (gone.address.address.family == AF_INET && !count_addresses(ns, link, AF_INET))
		cut_routes(gone.link, AF_INET, true); /* the last one takes all of the link's (fib_inetaddr_event()) */
	addresses_changed(w, ns, link);
	return 0;
}

/* Routes. */

struct w_route *ns_route(struct w_ns *ns, const struct w_route *like) {
	vec_foreach(route, &ns->routes)
		if (prefix_equal(&route->to, &like->to) && route->table == like->table && route->tos == like->tos &&
		    route->metric == like->metric)
			return route;
	return NULL;
}

/* The link by which a gateway is reached: the longest prefix decides, and it must not lead over another gateway. */
static struct w_link *reach(struct w_ns *ns, const struct ip *via, const struct w_link *dev) {
	const struct w_route *best = NULL;

	vec_foreach(route, &ns->routes)
		if (route->table == RT_TABLE_MAIN && prefix_contains(&route->to, via) &&
		    (!dev || !route->n_hops || leads_over(route, dev)) &&
		    (!best || route->to.length > best->to.length ||
		     (route->to.length == best->to.length && route->metric < best->metric)))
			best = route;
	if (!best || best->n_hops != 1 || best->hops[0].via.family || best->type != RTN_UNICAST ||
	    !best->hops[0].dev->values->up)
		return NULL;
	return best->hops[0].dev;
}

static int check_hop(struct w_ns *ns, const struct w_route *route, struct w_hop *hop) {
	bool ipv4 = route->to.address.family == AF_INET;

	if (hop->dev && !hop->dev->values->up)
		return -ENETDOWN;
	if (!hop->via.family || route->on_link)
		return hop->dev ? 0 : -ENODEV;
	hop->dev = reach(ns, &hop->via, hop->dev);
	return hop->dev ? 0 : ipv4 ? -ENETUNREACH : -EHOSTUNREACH;
}

static bool is_usable_source(const struct world *w, const struct w_ns *ns, const struct ip *ip) {
	vec_foreach(a, &ns->addresses)
		if (ip_equal(&a->address.address, ip))
			return !address_is_tentative(w, a);
	return false;
}

int route_add(struct world *w, struct w_ns *ns, struct w_route route, enum route_how how) {
	struct w_route *before;
	int r = 0;

	for (size_t i = 0; i < route.n_hops && r == 0; i++)
		r = check_hop(ns, &route, &route.hops[i]);
	if (r == 0 && route.src.family && !is_usable_source(w, ns, &route.src))
		r = -EINVAL;
	if (r < 0)
		return r;
	before = ns_route(ns, &route);
	if (before && how == ROUTE_ADD)
		return -EEXIST;
	route.foreign = !w->by_topod;
	if (before)
		*before = route;
	else
		vec_push(&ns->routes, route);
	route_changed(w, ns, &route);
	return 0;
}

int route_delete(struct world *w, struct w_ns *ns, const struct w_route *like) {
	struct w_route *route = ns_route(ns, like), gone;

	if (!route)
		return -ESRCH;
	gone = *route;
	drop_where(&ns->routes, r, r == route);
	route_changed(w, ns, &gone);
	return 0;
}

/* Settings. */

/* net/ipv4/conf/NAME/KEY: the general path (NAME is "default") and the link. False where there is no such link. */
static bool split_path(const struct w_ns *ns, const char *path, char general[256], struct w_link **ret_link) {
	const char *conf = strstr(path, "/conf/"), *name = conf ? conf + 6 : NULL, *rest = name ? strchr(name, '/') : NULL;
	_cleanup_free_ char *link = rest ? strndup(name, (size_t)(rest - name)) : NULL;

	*ret_link = NULL;
	snprintf(general, 256, "%s", path);
	if (!link || streq(link, "all") || streq(link, "default"))
		return true;
	snprintf(general, 256, "%.*sdefault%s", (int)(name - path), path, rest);
	*ret_link = ns_link(ns, link);
	return *ret_link;
}

static struct w_setting *find_setting(struct w_ns *ns, const char *general, const struct w_link *link) {
	vec_foreach(setting, &ns->settings)
		if (setting->link == link && streq(setting->path, general))
			return setting;
	return NULL;
}

const char *setting_get(struct w_ns *ns, const char *path) {
	struct w_setting *setting;
	struct w_link *link;
	char general[256];

	if (!split_path(ns, path, general, &link))
		return NULL;
	setting = find_setting(ns, general, link);
	return setting ? setting->value : "0";
}

int setting_set(struct world *w, struct w_ns *ns, const char *path, const char *value) {
	struct w_setting *setting;
	struct w_link *link;
	char general[256];

	if (!split_path(ns, path, general, &link))
		return -ENOENT;
	/* Of some the kernel tells (RTM_NEWNETCONF). */
	if (sysctl_has_event(&(struct sysctl){ .path = path }))
		world_event(w, ns, (struct hint){ .type = HINT_SETTING, .ifindex = link ? link->index : 0 });
	setting = find_setting(ns, general, link);
	if (setting)
		setting->value = arena_strdup(&w->arena, value);
	else
		vec_push(&ns->settings, (struct w_setting){ arena_strdup(&w->arena, general), link,
							    arena_strdup(&w->arena, value) });
	return 0;
}

/* Files and tables. */

struct w_file *world_file(struct world *w, const char *ns) {
	vec_foreach(file, &w->files)
		if (streq(file->ns, ns))
			return file;
	return NULL;
}

void world_write_file(struct world *w, const char *ns, const char *content) {
	world_remove_file(w, ns);
	vec_push(&w->files, (struct w_file){ arena_strdup(&w->arena, ns), arena_strdup(&w->arena, content), !w->by_topod });
	name_event(w, ns);
}

void world_remove_file(struct world *w, const char *ns) {
	drop_where(&w->files, file, streq(file->ns, ns));
	name_event(w, ns);
}

void ns_set_nat(struct world *w, struct w_ns *ns, const char *text) {
	ns->nat = text ? arena_strdup(&w->arena, text) : NULL;
	ns->nat_foreign = !w->by_topod;
	world_event(w, ns, (struct hint){ .type = HINT_NAT });
}

/* The dump. */

struct lines {
	vec(char *) list;
	const char *ns;
};

static void line(struct lines *lines, const char *format, ...) _printf_(2, 3);
static void line(struct lines *lines, const char *format, ...) {
	struct text text = {};
	va_list args;
	char *rest;

	va_start(args, format);
	if (vasprintf(&rest, format, args) < 0)
		abort();
	va_end(args);
	text_addf(&text, "%s %s\n", lines->ns, rest);
	free(rest);
	vec_push(&lines->list, text_take(&text));
}

static void dump_link(struct lines *lines, const struct w_link *link) {
	const struct link *v = link->values;
	_cleanup_text_ struct text text = {};

	for (size_t i = 0; i < v->object.kind->n_fields; i++) {
		const struct field *field = &v->object.kind->fields[i];

		if (!object_has(&v->object, i) || field->type == &type_link_ref || i == LINK_MASTER || i == LINK_ALIAS ||
		    field->class == FIELD_KEY)
			continue;
		text_addf(&text, " %s ", field->name);
		field_print(field, v, &text);
	}
	line(lines, "link %s: index %u kind %s%s alias '%s' master %s lower %s peer %s%s", v->name, link->hardware ? 0 : link->index,
	     v->kind_text, text_str(&text), v->alias, link->master ? link->master->values->name : "-",
	     link->lower ? link->lower->values->name : "-", link->peer ? link->peer->values->name : "-",
	     link->foreign ? "" : " (topod's)");
}

static void dump_address(struct lines *lines, const struct w_address *a) {
	char buf[PREFIX_TEXT_MAX], peer[PREFIX_TEXT_MAX];

	line(lines, "address %s: %s%s%s%s%s%s proto %u%s", a->link->values->name, prefix_format(&a->address, buf),
	     a->peer.address.family ? " peer " : "", a->peer.address.family ? prefix_format(&a->peer, peer) : "", a->nodad ? " nodad" : "", a->noprefixroute ? " noprefixroute" : "", a->secondary ? " secondary" : "",
	     a->protocol, a->foreign ? "" : " (topod's)");
}

static void dump_route(struct lines *lines, const struct w_route *r) {
	char to[PREFIX_TEXT_MAX], buf[IP_TEXT_MAX];
	_cleanup_text_ struct text hops = {};

	for (size_t i = 0; i < r->n_hops; i++)
		text_addf(&hops, " via %s dev %s weight %u", ip_format(&r->hops[i].via, buf), r->hops[i].dev->values->name,
			  r->hops[i].weight);
	line(lines, "route %s type %u table %u metric %u scope %u proto %u src %s mtu %u%s%s", prefix_format(&r->to, to),
	     r->type, r->table, r->metric, r->scope, r->protocol, ip_format(&r->src, buf), r->mtu, text_str(&hops),
	     r->foreign || r->protocol == RTPROT_KERNEL ? "" : " (topod's)");
}

static void dump_ns(struct lines *lines, struct w_ns *ns, bool all) {
	lines->ns = ns->name;
	line(lines, "namespace %lu%s", (unsigned long)ns->identity.born_nsec, ns->foreign ? "" : " (topod's)");
	vec_foreach(at, &ns->links)
		if (all || (*at)->foreign)
			dump_link(lines, *at);
	vec_foreach(a, &ns->addresses)
		if (all || a->foreign)
			dump_address(lines, a);
	vec_foreach(r, &ns->routes)
		if (all || (r->foreign && r->protocol != RTPROT_KERNEL))
			dump_route(lines, r);
	vec_foreach(s, &ns->settings)
		if (!streq(s->value, "0"))
			line(lines, "setting %s %s = %s", s->path, s->link ? s->link->values->name : "", s->value);
	if (ns->nat)
		line(lines, "nat %s", ns->nat);
}

static int compare_lines(const void *a, const void *b) {
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char *world_dump(struct world *w, bool topods_too) {
	struct lines lines = {};
	struct text text = {};

	vec_foreach(at, &w->spaces)
		if ((*at)->name && (topods_too || (*at)->foreign))
			dump_ns(&lines, *at, topods_too);
	vec_foreach(file, &w->files) {
		lines.ns = file->ns;
		if (topods_too || file->foreign)
			line(&lines, "file: %s", file->content);
	}
	if (lines.list.n)
		qsort(lines.list.items, lines.list.n, sizeof(*lines.list.items), compare_lines);
	vec_foreach(at, &lines.list) {
		text_add(&text, *at);
		free(*at);
	}
	vec_done(&lines.list);
	return text_take(&text);
}
