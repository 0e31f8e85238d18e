/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "op.h"

#include <linux/fib_rules.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

#include "kind/kinds.h"

/* Stable addresses, so that a world and the kernel give the same link. */
struct mac op_mac(const char *ns, const char *name) {
	return link_stable_mac("somebody else's", "", ns, name);
}

static struct prefix prefix_of(const char *text) {
	struct prefix prefix = {};

	if (streq(text, "default"))
		prefix.address.family = AF_INET;
	else if (prefix_parse(text, &prefix) < 0)
		abort();
	return prefix;
}

static struct w_link *make(struct world *w, const struct kind *kind, const char *ns, const char *name) {
	struct w_link *link = link_new(w, kind, name);

	link->values->mac = op_mac(ns, name);
	return link;
}

static int add_veth(struct world *w, const struct op *op) {
	struct w_ns *here = world_ns(w, op->ns), *there = world_ns(w, op->ns2);
	struct w_link *a, *b;

	if (!here || !there)
		return -ENOENT;
	if (ns_link(here, op->name) || ns_link(there, op->name2) || (here == there && streq(op->name, op->name2)))
		return -EEXIST;
	a = make(w, &kind_veth, op->ns, op->name);
	b = make(w, &kind_veth, op->ns2, op->name2);
	link_enter(w, b, there);
	link_enter(w, a, here);
	a->peer = b;
	b->peer = a;
	return 0;
}

static int set_vxlan(struct world *w, struct w_link *link, uint32_t id, struct w_ns *ns) {
	*(uint32_t *)field_of(&kind_vxlan.fields[kind_field(&kind_vxlan, "id")], link->values) = id;
	*(uint32_t *)field_of(&kind_vxlan.fields[kind_field(&kind_vxlan, "port")], link->values) = 4790;
	link->birthplace = ns;
	return vxlan_with_id(w, ns, &link->values->object) ? -EEXIST : 0;
}

static int change_flood(struct world *w, const struct op *op, struct w_ns *ns) {
	struct w_link *link = ns_link(ns, op->name);
	struct ip ip;

	if (op->type == OP_FLOOD_APPEND && ip_parse(op->text, &ip) < 0)
		abort();
	return link ? link_flood(w, link, op->type == OP_FLOOD_APPEND ? &ip : NULL) : -ENODEV;
}

static int add_link(struct world *w, const struct op *op, struct w_ns *ns) {
	struct w_link *lower = op->type == OP_MACVLAN ? ns_link(ns, op->name2) : NULL, *link;
	const struct kind *kind = op->type == OP_MACVLAN  ? &kind_macvlan
				  : op->type == OP_BRIDGE ? &kind_bridge
				  : op->type == OP_VXLAN  ? &kind_vxlan
							  : &kind_other;

	if (ns_link(ns, op->name))
		return -EEXIST;
	if (op->type == OP_MACVLAN && (!lower || streq(op->name2, "lo")))
		return lower ? -EINVAL : -ENODEV;
	if (op->type == OP_MACVLAN && link_carries_macvlan(w, lower, false) < 0)
		return link_carries_macvlan(w, lower, false);
	link = make(w, kind, op->ns, op->name);
	if (kind == &kind_vxlan && set_vxlan(w, link, op->number, ns) < 0)
		return -EEXIST;
	link->lower = lower;
	link->hardware = op->type == OP_HARDWARE;
	link->other_name = link->hardware ? op->text : NULL;
	if (lower)
		link->values->mtu = lower->values->mtu;
	return link_enter(w, link, ns);
}

static int change_text(struct world *w, const struct op *op, struct w_link *link) {
	struct mac mac;

	if (op->type == OP_MAC && mac_parse(op->text, &mac) == 0)
		link_set_mac(w, link, &mac);
	else if (op->type == OP_ALIAS)
		link->values->alias = op->text;
	else
		link->values->txqueuelen = op->number;
	link_changed(w, link);
	return 0;
}

static int enslave(struct world *w, const struct op *op, struct w_ns *ns, struct w_link *link) {
	struct w_link *master = ns_link(ns, op->name2);

	return master ? link_set_master(w, link, master) : -ENODEV;
}

static int set_cost(struct world *w, const struct op *op, struct w_link *link) {
	if (!link->port)
		return -EINVAL;
	link->port->cost = op->number;
	link_changed(w, link);
	return 0;
}

/* A link that somebody renames or moves becomes theirs, with everything on it. */
static void take_over(struct w_ns *ns, struct w_link *link, int r) {
	if (r < 0)
		return;
	link->external = true;
	link->moved = false;
	vec_foreach(a, &ns->addresses)
		a->external |= a->link == link;
	vec_foreach(route, &ns->routes)
		for (size_t i = 0; i < route->n_hops; i++)
			route->external |= route->hops[i].dev == link;
	vec_foreach(raw, &ns->raw)
		raw->external |= raw->link == link;
}

static int change_link(struct world *w, const struct op *op, struct w_ns *ns) {
	struct w_link *link = ns_link(ns, op->name);
	struct w_ns *there;
	int r;

	if (!link)
		return -ENODEV;
	switch (op->type) {
	case OP_LINK_DELETE:
		if (streq(op->name, "lo") || link->hardware)
			return -EOPNOTSUPP;
		link_remove(w, link);
		return 0;
	case OP_UP:
	case OP_DOWN:
		return link_set_up(w, link, op->type == OP_UP);
	case OP_MTU:
		return link_set_mtu(w, link, op->number);
	case OP_MASTER:
		return enslave(w, op, ns, link);
	case OP_NOMASTER:
		return link_set_master(w, link, NULL);
	case OP_RENAME:
		r = link_rename(w, link, op->name2);
		take_over(ns, link, r);
		return r;
	case OP_MOVE:
		there = world_ns(w, op->ns2);
		r = there ? link_move(w, link, there, op->name) : -ENOENT;
		if (there != ns)
			take_over(ns, link, r);
		return r;
	case OP_PORT_COST:
		return set_cost(w, op, link);
	default:
		return change_text(w, op, link);
	}
}

static int flush(struct world *w, struct w_ns *ns, const struct w_link *link, bool all) {
	for (size_t i = 0; i < ns->addresses.n;) {
		struct prefix address = ns->addresses.items[i].address, peer = ns->addresses.items[i].peer;

		if (ns->addresses.items[i].link != link || (ns->addresses.items[i].scope && !all))
			i++;
		else
			address_delete(w, ns, link, &address, &peer);
	}
	return 0;
}

static int change_address(struct world *w, const struct op *op, struct w_ns *ns) {
	struct w_link *link = ns_link(ns, op->name);
	const struct prefix none = {};
	struct prefix address;

	if (!link)
		return -ENODEV;
	if (op->type == OP_ADDRESS_FLUSH) {
		world_event(w, ns, (struct hint){ .type = HINT_DEPENDENTS, .ifindex = link->index });
		return flush(w, ns, link, op->number);
	}
	address = prefix_of(op->text);
	if (op->type == OP_ADDRESS_DELETE)
		return address_delete(w, ns, link, &address, &none);
	return address_add(w, ns,
			   (struct w_address){ .link = link,
					       .address = address,
					       .nodad = address.address.family == AF_INET6 && op->nodad });
}

static int flush_routes(struct world *w, struct w_ns *ns, const struct w_link *link) {
	for (size_t i = 0; i < ns->routes.n;) {
		struct w_route route = ns->routes.items[i];

		if (route.table == RT_TABLE_MAIN && route.to.address.family == AF_INET && route.n_hops == 1 &&
		    route.hops[0].dev == link)
			route_delete(w, ns, &route);
		else
			i++;
	}
	return 0;
}

static int change_route(struct world *w, const struct op *op, struct w_ns *ns) {
	struct w_link *link = op->name ? ns_link(ns, op->name) : NULL;
	struct w_route route = { .table = RT_TABLE_MAIN, .type = RTN_UNICAST, .metric = op->number };

	route.protocol = op->by_hand ? RTPROT_BOOT : OP_ROUTING_DAEMON;
	if (op->name && !link)
		return -ENODEV;
	if (op->type == OP_ROUTE_FLUSH)
		return flush_routes(w, ns, link);
	if (op->type == OP_LOCAL_FLUSH) {
		made_flush(w, link, (uint8_t)op->number);
		return 0;
	}
	route.to = prefix_of(op->text);
	if (op->type == OP_MADE_DELETE)
		return made_delete(w, link, &route.to, (uint8_t)op->number);
	if (route.to.address.family == AF_INET6 && !route.metric)
		route.metric = 1024;
	if (op->type == OP_ROUTE_DELETE) {
		route.protocol = 0; /* any protocol */
		return route_delete(w, ns, &route);
	}
	route.n_hops = 1;
	route.hops[0] = (struct w_hop){ .dev = link, .weight = 1 };
	if (op->value && ip_parse(op->value, &route.hops[0].via) < 0)
		abort();
	if (route.to.address.family == AF_INET && !op->value)
		route.scope = RT_SCOPE_LINK;
	return route_add(w, ns, route,
			 op->type == OP_ROUTE_ADD       ? ROUTE_ADD
			 : op->type == OP_ROUTE_PREPEND ? ROUTE_PREPEND
							: ROUTE_REPLACE);
}

static int change_rule(struct world *w, const struct op *op, struct w_ns *ns) {
	const struct prefix from = prefix_of(op->text);
	uint32_t buffer[64] = {};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct fib_rule_hdr *hdr = mnl_nlmsg_put_extra_header(nlh, sizeof(*hdr));

	nlh->nlmsg_type = op->type == OP_RULE_ADD ? RTM_NEWRULE : RTM_DELRULE;
	nlh->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	hdr->family = from.address.family;
	hdr->src_len = from.length;
	hdr->action = FR_ACT_TO_TBL;
	mnl_attr_put_u32(nlh, FRA_PRIORITY, op->number);
	mnl_attr_put(nlh, FRA_SRC, ip_size(from.address.family), from.address.bytes);
	mnl_attr_put_u32(nlh, FRA_TABLE, (uint32_t)atoi(op->value));
	if (op->type == OP_RULE_ADD)
		mnl_attr_put_u8(nlh, FRA_PROTOCOL, RTPROT_STATIC);
	return raw_carry_out(w, ns, nlh);
}

static int change_neighbor(struct world *w, const struct op *op, struct w_ns *ns) {
	const struct w_link *link = ns_link(ns, op->name);
	uint32_t buffer[64] = {};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct ndmsg *ndm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ndm));
	struct mac mac;
	struct ip ip;

	if (!link)
		return -ENODEV;
	if (ip_parse(op->text, &ip) < 0)
		abort();
	nlh->nlmsg_type = op->type == OP_NEIGHBOR_ADD ? RTM_NEWNEIGH : RTM_DELNEIGH;
	nlh->nlmsg_flags = NLM_F_CREATE | NLM_F_REPLACE;
	ndm->ndm_family = ip.family;
	ndm->ndm_ifindex = (int)link->index;
	ndm->ndm_state = NUD_PERMANENT;
	ndm->ndm_flags = op->number ? NTF_PROXY : 0;
	mnl_attr_put(nlh, NDA_DST, ip_size(ip.family), ip.bytes);
	if (op->type == OP_NEIGHBOR_ADD && !op->number && mac_parse(op->value, &mac) == 0)
		mnl_attr_put(nlh, NDA_LLADDR, sizeof(mac.bytes), mac.bytes);
	return raw_carry_out(w, ns, nlh);
}

static int change_nexthop(struct world *w, const struct op *op, struct w_ns *ns) {
	uint32_t buffer[64] = {};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct nhmsg *nhm = mnl_nlmsg_put_extra_header(nlh, sizeof(*nhm));

	nlh->nlmsg_type = op->type == OP_NEXTHOP_ADD ? RTM_NEWNEXTHOP : RTM_DELNEXTHOP;
	nlh->nlmsg_flags = NLM_F_CREATE | NLM_F_REPLACE;
	mnl_attr_put_u32(nlh, NHA_ID, op->number);
	if (op->type == OP_NEXTHOP_ADD) {
		nhm->nh_family = AF_INET;
		nhm->nh_protocol = RTPROT_STATIC;
		mnl_attr_put(nlh, NHA_BLACKHOLE, 0, NULL);
	}
	return raw_carry_out(w, ns, nlh);
}

static int change_fdb(struct world *w, const struct op *op, struct w_ns *ns) {
	const struct w_link *link = ns_link(ns, op->name);
	uint32_t buffer[64] = {};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct ndmsg *ndm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ndm));
	struct mac mac;

	if (!link || mac_parse(op->text, &mac) < 0)
		return -ENODEV;
	nlh->nlmsg_type = op->type == OP_FDB_ADD ? RTM_NEWNEIGH : RTM_DELNEIGH;
	nlh->nlmsg_flags = NLM_F_CREATE | NLM_F_REPLACE;
	ndm->ndm_family = AF_BRIDGE;
	ndm->ndm_ifindex = (int)link->index;
	ndm->ndm_state = NUD_NOARP;
	ndm->ndm_flags = NTF_MASTER;
	mnl_attr_put(nlh, NDA_LLADDR, sizeof(mac.bytes), mac.bytes);
	return raw_carry_out(w, ns, nlh);
}

static int change_nat(struct world *w, const struct op *op, struct w_ns *ns) {
	_cleanup_free_ char *text = NULL;

	if (!ns->nat)
		return -ENOENT;
	text = xasprintf("%sand one more rule\n", ns->nat);
	ns_set_nat(w, ns, op->type == OP_NAT_DELETE ? NULL : text);
	return 0;
}

static int act_inside(struct world *w, const struct op *op, struct w_ns *ns) {
	_cleanup_free_ char *path = NULL;

	if (op->type == OP_BRIDGE || op->type == OP_MACVLAN || op->type == OP_VXLAN || op->type == OP_HARDWARE)
		return add_link(w, op, ns);
	if (op->type == OP_FLOOD_APPEND || op->type == OP_FLOOD_DELETE)
		return change_flood(w, op, ns);
	if (op->type >= OP_LINK_DELETE && op->type <= OP_PORT_COST)
		return change_link(w, op, ns);
	if (op->type <= OP_ADDRESS_FLUSH)
		return change_address(w, op, ns);
	if (op->type <= OP_ROUTE_FLUSH)
		return change_route(w, op, ns);
	if (op->type <= OP_RULE_DELETE)
		return change_rule(w, op, ns);
	if (op->type <= OP_NEIGHBOR_DELETE)
		return change_neighbor(w, op, ns);
	if (op->type <= OP_NEXTHOP_DELETE)
		return change_nexthop(w, op, ns);
	if (op->type <= OP_FDB_DELETE)
		return change_fdb(w, op, ns);
	if (op->type == OP_NAT_DELETE || op->type == OP_NAT_CHANGE)
		return change_nat(w, op, ns);
	path = xstrdup(op->text);
	for (char *c = path; *c; c++)
		*c = *c == '.' ? '/' : *c;
	return setting_set(w, ns, path, op->value);
}

/* Only links that knew the neighbour report that it is gone, if at all. */
static void end_rival(struct world *w, bool told) {
	struct hint hint = { .type = HINT_NEIGHBOUR, .address = w->rival };

	for (size_t i = 0; told && w->rival.family && i < w->spaces.n; i++)
		world_event(w, w->spaces.items[i], hint);
	w->rival = (struct ip){};
}

static int apply(struct world *w, const struct op *op) {
	struct w_ns *ns = world_ns(w, op->ns);
	int r;

	switch (op->type) {
	case OP_NS_ADD:
		return world_add_ns(w, op->ns);
	case OP_NS_DELETE:
		if (!world_stale(w, op->ns))
			return world_delete_ns(w, op->ns);
		world_clear_stale(w, op->ns);
		return 0;
	case OP_NS_REPLACE:
		return ns ? world_delete_ns(w, op->ns) + world_add_ns(w, op->ns) : -ENOENT;
	case OP_ATTACH:
		if (ns)
			world_delete_ns(w, op->ns);
		r = world_add_attached(w, op->ns);
		return r == 0 && op->value ? setting_set(w, world_ns(w, op->ns), "net/ipv6/conf/all/disable_ipv6", op->value)
					   : r;
	case OP_NS_STALE:
	case OP_NS_FILE:
		if (ns)
			return -EEXIST;
		world_add_stale(w, op->ns, op->type == OP_NS_FILE);
		return 0;
	case OP_PROCESS:
		if (ns)
			ns->busy = true;
		return ns ? 0 : -ENOENT;
	case OP_PROCESS_END:
		world_end_processes(w);
		return 0;
	case OP_RIVAL:
		return ip_parse(op->text, &w->rival);
	case OP_RIVAL_GONE:
		end_rival(w, op->number);
		return 0;
	case OP_VETH:
		return add_veth(w, op);
	case OP_FILE_WRITE:
		world_write_file(w, op->ns, op->text);
		return 0;
	case OP_FILE_DELETE:
		world_remove_file(w, op->ns);
		return 0;
	default:
		return ns ? act_inside(w, op, ns) : -ENOENT;
	}
}

int op_apply(struct world *w, const struct op *op) {
	int r = apply(w, op);

	world_carriers(w);
	return r;
}
