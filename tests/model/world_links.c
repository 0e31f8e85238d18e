/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links: lower links and ports, and objects that are deleted, come up or change with a link.
 */
#include "kind/bridge_vlan.h"
#include "world_private.h"

#include <linux/rtnetlink.h>

#include "kind/kinds.h"
#include "kind/veth.h"

struct w_link *ns_link(const struct w_ns *ns, const char *name) {
	if (ns)
		vec_foreach(at, &ns->links)
			if (streq((*at)->values->name, name))
				return *at;
	return NULL;
}

struct w_link *world_card(const struct world *w, const char *name) {
	struct mac mac;

	vec_foreach(at, &w->spaces.items[0]->links)
		if (streq((*at)->values->name, name) || streq_ptr((*at)->other_name, name) ||
		    (mac_parse(name, &mac) == 0 && memcmp(&mac, &(*at)->values->mac, sizeof(mac)) == 0))
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

/* The kernel's defaults, taken from the field tables, which use them to restore values; the real kernel is asked for them
 * too. */
static void set_defaults(struct world *w, struct object *object) {
	for (size_t i = 0; i < object->kind->n_fields; i++) {
		const struct field *field = &object->kind->fields[i];

		if (field->type == &type_pvid || field->type == &type_vlan_set)
			continue; /* read only where VLANs are declared, and no case does so */
		if (field->fallback && field_from_text(&w->arena, "", field, field->fallback, object))
			object->set |= field_bit(i);
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
	object->set |= (field_bit(LINK_N_FIELDS)) - 1;
	link->values = values;
	link->external = !w->by_topod;
	return link;
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

/* IPv6 routes with an MTU may not exceed that of the link, and routes that had the link's MTU follow it, without an event
 * (rt6_mtu_change_route()). */
static void change_mtu(struct w_link *link, uint32_t mtu) {
	uint32_t before = link->values->mtu;

	link->values->mtu = mtu;
	if (mtu == before)
		return;
	vec_foreach(route, &link->ns->routes)
		if (route->to.address.family == AF_INET6 && leads_over(route, link) && route->metrics[RTAX_MTU] &&
		    (route->metrics[RTAX_MTU] >= mtu || route->metrics[RTAX_MTU] == before))
			route->metrics[RTAX_MTU] = mtu;
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

	drop_fdb(w, link);
	link->master = NULL;
	link->port = NULL;
	update_bridge_mtu(w, master);
}

static void strip(struct world *w, struct w_link *link) {
	struct w_ns *ns = link->ns;

	cut_routes(link, 0, true);
	cut_made(link, 0, true);
	drop_neighbors(w, link, 0, true);
	drop_nexthops(w, link);
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

/* The macvlan in passthru mode on the link, or NULL. */
static struct w_link *passthru_on(const struct world *w, const struct w_link *lower) {
	vec_foreach(ns, &w->spaces)
		vec_foreach(at, &(*ns)->links)
			if ((*at)->lower == lower && (*at)->passthru)
				return *at;
	return NULL;
}

/* Setting the MAC address of a macvlan in passthru mode sets that of its lower link, as long as the macvlan exists; setting
 * the lower link's sets both. */
void link_set_mac(struct world *w, struct w_link *link, const struct mac *mac) {
	struct w_link *lower = link->passthru ? link->lower : link, *upper = passthru_on(w, lower);

	lower->values->mac = *mac;
	drop_neighbors(w, lower, 0, false); /* neigh_changeaddr() */
	if (upper) {
		upper->values->mac = *mac;
		drop_neighbors(w, upper, 0, false);
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
	drop_neighbors(w, lower, 0, false);
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

/* A pair has a carrier while both ends are up, a bridge while a port has one, a macvlan if its lower link has one. */
bool link_has_carrier(const struct w_link *link) {
	const struct kind *kind = link->values->object.kind;

	if (!link->values->up || !link->ns)
		return false;
	if (kind == &kind_veth)
		return link->peer && link->peer->values->up;
	if (kind == &kind_macvlan && link->lower)
		return link_has_carrier(link->lower);
	if (kind != &kind_bridge)
		return true;
	vec_foreach(at, &link->ns->links)
		if ((*at)->master == link && link_has_carrier(*at))
			return true;
	return false;
}

static void begin_detection(struct world *w, const struct w_link *link) {
	vec_foreach(a, &link->ns->addresses)
		if (a->link == link && !a->usable_usec && !a->nodad)
			a->usable_usec = w->now_usec + world_random(w) % 2000000;
}

void world_carriers(struct world *w) {
	vec_foreach(ns, &w->spaces)
		vec_foreach(at, &(*ns)->links) {
			struct w_link *link = *at;
			bool carried = link_has_carrier(link);

			if (carried == link->carried)
				continue;
			link->carried = carried;
			link->ready |= carried;
			link_changed(w, link);
			if (!carried)
				drop_nexthops(w, link);
			if (carried) {
				link_configure(w, link);
				begin_detection(w, link);
			}
		}
}

void drop_ipv6(struct world *w, struct w_link *link) {
	drop_where(&link->ns->addresses, a, a->link == link && a->address.address.family == AF_INET6);
	cut_routes(link, AF_INET6, true);
	cut_made(link, AF_INET6, true);
	drop_neighbors(w, link, AF_INET6, true);
	addresses_changed(w, link->ns, link);
}

static void come_up(struct world *w, struct w_link *link) {
	struct w_ns *ns = link->ns;

	for (size_t i = 0; i < ns->addresses.n; i++) {
		struct w_address *address = &ns->addresses.items[i];

		if (address->link != link)
			continue;
		address_add_entries(w, address);
		if (!address->secondary && !address->noprefixroute)
			address_add_connected(w, ns, address);
	}
	link_configure(w, link);
}

int link_set_up(struct world *w, struct w_link *link, bool up) {
	if (!!link->values->up == up)
		return 0;
	if (up && link->lower && link->values->object.kind == &kind_macvlan && !link->lower->values->up)
		return -ENETDOWN; /* macvlan_open() */
	link->values->up = up;
	link->ready &= up;
	if (up) {
		come_up(w, link);
	} else {
		drop_where(&link->ns->addresses, a, a->link == link && a->address.address.family == AF_INET6);
		cut_routes(link, AF_INET, false);
		cut_routes(link, AF_INET6, true);
		cut_made(link, AF_INET, false);
		cut_made(link, AF_INET6, true);
		drop_neighbors(w, link, 0, true);
		drop_nexthops(w, link);
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

/* Through lower links, and through the ports of a bridge. */
static bool stands_on(const struct w_link *link, const struct w_link *other) {
	if (link == other || (link->lower && stands_on(link->lower, other)))
		return true;
	if (link->values->object.kind == &kind_bridge && link->ns)
		vec_foreach(at, &link->ns->links)
			if ((*at)->master == link && stands_on(*at, other))
				return true;
	return false;
}

/* Is its speed known? That of a pair is, and of a link that asks one (port_cost()). */
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
	/* It leaves its controller before it is known whether it can join the new one (do_set_master()). */
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
		return -EBUSY; /* a link has one receive handler; no loops */
	if (streq(link->values->name, "lo"))
		return -EINVAL;
	link->master = master;
	link->port = (struct bridge_port *)object_new(&w->arena, &kind_bridge_port, "");
	set_defaults(w, &link->port->port.object);
	if (!has_speed(link))
		link->port->cost = 100;
	update_bridge_mtu(w, master);
	link_changed(w, link);
	return 0;
}

static uint32_t vxlan_number(const struct object *values, const char *name) {
	const struct field *field = &kind_vxlan.fields[kind_field(&kind_vxlan, name)];

	return *(const uint32_t *)field_of(field, values);
}

/* vxlan_vni_in_use() */
struct w_link *vxlan_with_id(const struct world *w, const struct w_ns *birthplace, const struct object *values) {
	vec_foreach(ns, &w->spaces)
		vec_foreach(at, &(*ns)->links) {
			const struct object *other = &(*at)->values->object;

			if ((*at)->birthplace == birthplace && other->kind == &kind_vxlan && values->kind == &kind_vxlan &&
			    vxlan_number(other, "id") == vxlan_number(values, "id") &&
			    vxlan_number(other, "port") == vxlan_number(values, "port"))
				return *at;
		}
	return NULL;
}

int link_flood(struct world *w, struct w_link *link, const struct ip *ip) {
	if (link->values->object.kind != &kind_vxlan)
		return -EOPNOTSUPP;
	if (!ip && !link->n_flood)
		return -ENOENT;
	for (size_t i = 0; ip && i < link->n_flood; i++)
		if (ip_equal(ip, &link->flood[i]))
			return 0;
	if (!ip)
		link->n_flood = 0;
	else if (link->n_flood < FLOOD_MAX)
		link->flood[link->n_flood++] = *ip;
	world_event(w, link->ns, (struct hint){ .type = HINT_DETAIL, .ifindex = link->index });
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
