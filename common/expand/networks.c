/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes out networks: makes the entries of `namespaces` and `links` that one would write by hand.
 *
 * Appending a member to a list changes no existing name: a member's port is named after the member (and the network, if the
 * bridge is in a namespace with other things); a name that is too long is shortened with a hash. A member's interface is the
 * first ethN that is still free in its namespace. Taken are ends of links, entries with a kind, and interfaces of earlier
 * networks. An entry `eth0` without a kind is about the network's interface.
 */
#include "base/hash.h"
#include "expand/build.h"
#include "expand/network.h"
#include "kind/link.h"

/* A name in a table: `NAMESPACE:INTERFACE`, or a namespace. */
struct name {
	const char *text;
	const struct network *network; /* the network whose gateway is its default route, or NULL */
	struct position position;
	bool families[FAMILIES]; /* it is the gateway of a network with such a prefix */
	UT_hash_handle hh;
};

struct writing {
	struct expansion *x;
	struct name *links;      /* interfaces that exist otherwise */
	struct name *namespaces; /* members with a default route, and gateways */
	const struct node *root;
};

static struct name *add_name(struct writing *w, struct name **table, const char *text) {
	struct name *name;

	HASH_FIND_STR(*table, text, name);
	if (name)
		return name;
	name = arena_new(w->x->arena, struct name);
	name->text = arena_strdup(w->x->arena, text);
	HASH_ADD_KEYPTR(hh, *table, name->text, strlen(name->text), name);
	return name;
}

static bool has_name(struct name *table, const char *text) {
	struct name *name;

	HASH_FIND_STR(table, text, name);
	return name;
}

/* Finds the interfaces that exist otherwise. */

static void note_links(struct writing *w) {
	const struct node *links = node_get(w->root, "links");

	for (size_t i = 0; links && links->type == NODE_SEQUENCE && i < links->n; i++) {
		const struct node *ends = links->items[i];

		if (ends->type == NODE_MAPPING)
			ends = node_get(ends, "endpoints");
		for (size_t k = 0; ends && ends->type == NODE_SEQUENCE && k < ends->n; k++)
			if (ends->items[k]->type == NODE_SCALAR)
				add_name(w, &w->links, ends->items[k]->text);
	}
}

static void note_interfaces(struct writing *w) {
	const struct node *namespaces = node_get(w->root, "namespaces");

	for (size_t i = 0; namespaces && namespaces->type == NODE_MAPPING && i < namespaces->n; i++) {
		const struct node *interfaces = node_get(namespaces->pairs[i].value, "interfaces");

		for (size_t k = 0; interfaces && interfaces->type == NODE_MAPPING && k < interfaces->n; k++) {
			_cleanup_text_ struct text text = {};

			if (!node_get(interfaces->pairs[k].value, "kind"))
				continue;
			text_addf(&text, "%s:%s", namespaces->pairs[i].key->text, interfaces->pairs[k].key->text);
			add_name(w, &w->links, text_str(&text));
		}
	}
}

/* Chooses the interface of a member that names none. */
static const char *free_interface(struct writing *w, const char *ns) {
	for (unsigned i = 0;; i++) {
		_cleanup_text_ struct text text = {};

		text_addf(&text, "%s:eth%u", ns, i);
		if (has_name(w->links, text_str(&text)))
			continue;
		return strchr(add_name(w, &w->links, text_str(&text))->text, ':') + 1;
	}
}

/* FNV-1a, because the name must be the same in every process. */
static uint32_t hash_text(const char *text) {
	uint32_t hash = 2166136261;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619;
	return hash;
}

static const char *port_name(struct writing *w, const struct network *network, const struct member *member) {
	const char *name = network->own_namespace ? member->name
						  : arena_printf(w->x->arena, "%s-%s", network->name, member->name),
		   *why;

	if (link_name_valid(name, &why) && !streq(name, network->bridge.name) && !streq(name, "lo"))
		return name;
	return arena_printf(w->x->arena, "p%08x", hash_text(name));
}

/* Writing. */

/* A pair `key: {…}` for `namespaces`. */
static void add_namespace(struct writing *w, const char *ns, struct position position, const struct node *value) {
	struct expansion *x = w->x;

	vec_push(&x->namespaces, (struct node_pair){ build_text(x->arena, position, ns), value });
}

static const struct node *addresses_of(struct writing *w, struct position position, const struct prefix prefixes[FAMILIES]) {
	const struct node *items[FAMILIES] = {};
	char buf[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < FAMILIES; i++)
		if (prefixes[i].address.family)
			items[i] = build_textf(w->x->arena, position, "%s", prefix_format(&prefixes[i], buf));
	return build_list_of(w->x->arena, position, items, FAMILIES);
}

/* A route through the gateway, for each family. */
static const struct node *routes_of(struct writing *w, const struct network *network, struct position position) {
	struct arena *arena = w->x->arena;
	const struct node *items[FAMILIES] = {};
	struct prefix gateway;
	char buf[IP_TEXT_MAX];

	for (size_t i = 0; i < FAMILIES; i++) {
		if (!network->prefixes[i].address.family)
			continue;
		prefix_host(&network->prefixes[i], 0, &gateway);
		items[i] = build_mapping(arena, position, { "to", build_text(arena, position, "default") },
					 { "via", build_textf(arena, position, "%s", ip_format(&gateway.address, buf)) });
	}
	return build_list_of(arena, position, items, FAMILIES);
}

static const struct node *nat_of(struct writing *w, const struct network *network) {
	struct arena *arena = w->x->arena;
	struct position position = network->nat ? network->nat_node->position : network->position;
	const struct node *items[FAMILIES] = {};
	char buf[PREFIX_TEXT_MAX];

	if (!network->nat)
		return NULL;
	position.origin = network->position.origin;
	for (size_t i = 0; i < FAMILIES; i++) {
		if (!network->prefixes[i].address.family)
			continue;
		prefix_format(&network->prefixes[i], buf);
		items[i] = build_mapping(arena, position, { "action", build_text(arena, position, "masquerade") },
					 { "source", build_textf(arena, position, "%s", buf) },
					 { "destination", build_textf(arena, position, "not %s", buf) });
	}
	return build_list_of(arena, position, items, FAMILIES);
}

/* Forwarding is written last, once all families are known for which a namespace is a gateway. */
static void note_gateway(struct writing *w, const struct network *network) {
	struct name *name = add_name(w, &w->namespaces, network->gateway);

	name->position = network->gateway_position;
	name->position.origin = network->position.origin;
	for (size_t i = 0; i < FAMILIES; i++)
		name->families[i] |= network->prefixes[i].address.family != AF_UNSPEC;
	const struct node *nat = nat_of(w, network);
	if (nat)
		add_namespace(w, network->gateway, name->position,
			      build_mapping(w->x->arena, name->position, { "nat", nat }));
}

static void write_forwarding(struct writing *w, const struct name *name) {
	const struct node *namespaces = node_get(w->root, "namespaces");
	const struct node *ns = namespaces ? node_get(namespaces, name->text) : NULL;
	const struct node *written = ns ? node_get(ns, "forwarding") : NULL;
	bool both = name->families[0] && name->families[1];

	if (!name->families[0] && !name->families[1])
		return;
	if (written && written->type == NODE_SCALAR && node_is_bool_word(written) && node_is_true(written))
		return; /* for both families */
	add_namespace(w, name->text, name->position,
		      build_mapping(w->x->arena, name->position,
				    { "forwarding", both ? build_word(w->x->arena, name->position, "true")
							 : build_text(w->x->arena, name->position,
								      name->families[0] ? "ipv4" : "ipv6") }));
}

/* A namespace with two default routes would use one of them. */
static bool note_default_route(struct writing *w, const struct network *network, const struct member *member) {
	struct name *name = add_name(w, &w->namespaces, member->name);

	if (name->network) {
		diag_error(
			w->x->diags, member->position,
			"%s would have two default routes, by the gateways of '%s' and of '%s'; set 'gateway: false' for one "
			"of them, or make %s the gateway",
			member->name, name->network->name, network->name, member->name);
		diag_note(w->x->diags, name->network->gateway_position, "the first gateway is here");
		return false;
	}
	name->network = network;
	return true;
}

/* Writes a member: its namespace with its interface and routes, and its link. Returns its entry in the bridge's ports. */
static const struct node *write_member(struct writing *w, const struct network *network, const struct member *member) {
	struct expansion *x = w->x;
	struct arena *arena = x->arena;
	struct position position = member->position;
	const char *port = port_name(w, network, member);
	const char *interface = member->interface ? member->interface : free_interface(w, member->name);
	bool routed = network->gateway && !member->gateway && note_default_route(w, network, member);

	const struct node *link =
		build_mapping(arena, position, { "addresses", addresses_of(w, position, member->addresses) });
	add_namespace(w, member->name, position,
		      build_mapping(arena, position, { "interfaces", build_mapping(arena, position, { interface, link }) },
				    { "routes", routed ? routes_of(w, network, position) : NULL }));
	const struct node *ends = build_list(arena, position, build_textf(arena, position, "%s:%s", member->name, interface),
					     build_textf(arena, position, "%s:%s", network->bridge.ns, port));
	vec_push(&x->links, network->mtu_node
				    ? build_mapping(arena, position, { "endpoints", ends }, { "mtu", network->mtu_node })
				    : ends);
	if (!network->isolated || member->gateway)
		return build_text(arena, position, port);
	return build_mapping(arena, position, { "name", build_text(arena, position, port) },
			     { "isolated", build_word(arena, position, "true") });
}

static void write_network(struct writing *w, const struct network *network) {
	struct arena *arena = w->x->arena;
	struct position position = network->position;
	_cleanup_free_ const struct node **ports = xmalloc((network->members.n + 1) * sizeof(*ports));
	struct prefix first[FAMILIES] = {};
	size_t n = 0;

	vec_foreach(member, &network->members)
		ports[n++] = write_member(w, network, member);
	bool gateway = gateway_is_at_bridge(network);
	for (size_t i = 0; gateway && i < FAMILIES; i++)
		if (network->prefixes[i].address.family)
			prefix_host(&network->prefixes[i], 0, &first[i]);
	const struct node *bridge =
		build_mapping(arena, position, { "kind", build_text(arena, position, "bridge") },
			      { "mtu", network->mtu_node }, { "ports", build_list_of(arena, position, ports, n) },
			      { "addresses", gateway ? addresses_of(w, position, first) : NULL });
	add_namespace(w, network->bridge.ns, position,
		      build_mapping(arena, position,
				    { "interfaces", build_mapping(arena, position, { network->bridge.name, bridge }) }));
	if (network->gateway)
		note_gateway(w, network);
}

/* Interfaces that a member names explicitly are not free for other networks. */
static void note_members(struct writing *w, const struct network *network) {
	vec_foreach(member, &network->members) {
		_cleanup_text_ struct text text = {};

		if (streq(member->name, NS_HOST) && !member->interface)
			diag_error(w->x->diags, member->position,
				   "the host's interfaces are not known; name the new one: {name: host, interface: …}");
		if (!member->interface)
			continue;
		text_addf(&text, "%s:%s", member->name, member->interface);
		add_name(w, &w->links, text_str(&text));
	}
}

void expand_networks(struct expansion *x, const struct node *root) {
	const struct node *entries = node_get(root, "networks");
	struct writing w = { .x = x, .root = root };
	vec(struct network) networks = {};

	if (!entries || node_is_null(entries) || !node_check_mapping(x->diags, entries, "'networks'", "names"))
		return;
	note_links(&w);
	note_interfaces(&w);
	for (size_t i = 0; i < entries->n; i++) {
		struct network network;

		if (network_read(x, &entries->pairs[i], &network))
			vec_push(&networks, network);
		else
			network_done(&network);
	}
	vec_foreach(network, &networks)
		note_members(&w, network);
	vec_foreach(network, &networks)
		write_network(&w, network);
	for (const struct name *name = w.namespaces; name; name = name->hh.next)
		write_forwarding(&w, name);
	HASH_CLEAR(hh, w.links);
	HASH_CLEAR(hh, w.namespaces);
	vec_foreach(network, &networks)
		network_done(network);
	vec_done(&networks);
}
