/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses. Identity is the kernel's: an IPv4 address with another length or peer network is a different address
 * (inet_insert_ifa()), an IPv6 address is the same with any length (ipv6_chk_same_addr()), so that a changed length requires
 * removing and setting it again. Of the other fields, only the mark can be changed in place. The messages are in
 * address_wire.c.
 */
#include "kind/address.h"

#include <linux/rtnetlink.h>

#include "kind/link.h"
#include "model/section.h"

static const struct enum_name scopes[] = {
	{ "global", RT_SCOPE_UNIVERSE }, { "site", RT_SCOPE_SITE }, { "link", RT_SCOPE_LINK }, { "host", RT_SCOPE_HOST }, {},
};

static const struct field fields[] = {
	[ADDRESS_DEV] = { .name = "dev",
			  .type = &type_link_name,
			  .offset = offsetof(struct address, dev),
			  .class = FIELD_KEY,
			  .flags = FIELD_HIDDEN | FIELD_DEV },
	[ADDRESS_ADDRESS] = { .name = "address",
			      .type = &type_prefix,
			      .offset = offsetof(struct address, address),
			      .class = FIELD_RECREATE,
			      .flags = FIELD_REQUIRED | FIELD_IDENTITY,
			      .doc = "The address with its prefix length." },
	[ADDRESS_PEER] = { .name = "peer",
			   .type = &type_prefix,
			   .offset = offsetof(struct address, peer),
			   .class = FIELD_RECREATE,
			   .flags = FIELD_IDENTITY,
			   .doc = "The other end of a point-to-point link." },
	[ADDRESS_SCOPE] = { .name = "scope",
			    .type = &type_enum,
			    .offset = offsetof(struct address, scope),
			    .class = FIELD_RECREATE,
			    .names = scopes,
			    .fallback = "global",
			    .doc = "How far the address is valid (IPv4 only)." },
	[ADDRESS_LABEL] = { .name = "label",
			    .type = &type_text,
			    .offset = offsetof(struct address, label),
			    .class = FIELD_RECREATE,
			    .fallback = "",
			    .doc = "Label of an IPv4 address; begins with the interface's name." },
	[ADDRESS_BROADCAST] = { .name = "broadcast",
				.type = &type_ip,
				.offset = offsetof(struct address, broadcast),
				.class = FIELD_RECREATE,
				.fallback = "0.0.0.0",
				.doc = "Broadcast address (IPv4)." },
	[ADDRESS_NODAD] = { .name = "nodad",
			    .type = &type_bool,
			    .offset = offsetof(struct address, nodad),
			    .class = FIELD_RECREATE,
			    .fallback = "false",
			    .doc = "Whether duplicate address detection is skipped (IPv6)." },
	[ADDRESS_NOPREFIXROUTE] = { .name = "noprefixroute",
				    .type = &type_bool,
				    .offset = offsetof(struct address, noprefixroute),
				    .class = FIELD_RECREATE,
				    .fallback = "false",
				    .doc = "Whether the address gets no route to its prefix." },
	[ADDRESS_PROTOCOL] = { .name = "protocol",
			       .type = &type_integer,
			       .offset = offsetof(struct address, protocol),
			       .flags = FIELD_HIDDEN },
	[ADDRESS_CONNECTED] = { .name = "connected-route",
				.type = &type_bool,
				.offset = offsetof(struct address, connected),
				.flags = FIELD_HIDDEN | FIELD_ONE_WAY,
				.doc = "the kernel's route to its prefix" },
	[ADDRESS_PRIMARY] = { .name = "primary",
			      .type = &type_bool,
			      .offset = offsetof(struct address, primary),
			      .flags = FIELD_HIDDEN | FIELD_ONE_WAY,
			      .doc = "its place as the primary address of its subnet" },
	[ADDRESS_LOCAL] = { .name = "local-entry",
			    .type = &type_bool,
			    .offset = offsetof(struct address, local),
			    .flags = FIELD_HIDDEN | FIELD_ONE_WAY,
			    .doc = "its entry in the table local" },
};

void address_set_primary(struct address *a, bool primary) {
	a->primary = primary;
	a->object.set |= field_bit(ADDRESS_PRIMARY);
}

static struct prefix subnet_of(const struct address *a) {
	return prefix_network(a->peer.address.family ? &a->peer : &a->address);
}

/* Addresses of one subnet on one link: all but one are secondary (__inet_insert_ifa()). */
static bool comes_behind(const struct object *object, const struct object *first) {
	const struct address *a = (const struct address *)object, *b = (const struct address *)first;
	struct prefix x = subnet_of(a), y = subnet_of(b);

	return a != b && a->address.address.family == AF_INET && streq(a->dev, b->dev) && prefix_equal(&x, &y);
}

static uint8_t default_scope(const struct address *a) {
	const struct ip *ip = &a->address.address;

	/* As ip-address(8) does for 127.0.0.0/8. */
	return ip->family == AF_INET && ip->bytes[0] == 127 ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
}

uint8_t address_scope(const struct address *a) {
	return object_has(&a->object, ADDRESS_SCOPE) ? (uint8_t)a->scope : default_scope(a);
}

/* The addresses of a subnet have one scope (__inet_insert_ifa()). */
static bool excludes(const struct object *desired, const struct object *seen) {
	return comes_behind(seen, desired) &&
	       address_scope((const struct address *)desired) != address_scope((const struct address *)seen);
}

static uint64_t out_of_order(const struct object *desired, const struct object *observed) {
	return observed && ((const struct address *)observed)->primary ? 0 : desired->set & field_bit(ADDRESS_PRIMARY);
}

struct subnet {
	struct {
		struct prefix network;
		char dev[16];
	} key;
	struct address *first;
	UT_hash_handle hh;
};

void address_mark_primaries(struct reading *r _unused_, struct ns_state *desired) {
	struct arena arena = {};
	struct subnet *subnets = NULL;

	ns_foreach(object, desired) {
		struct address *a = (struct address *)object;
		struct subnet *subnet, *before = NULL;

		if (object->kind != &kind_address || a->address.address.family != AF_INET)
			continue;
		subnet = arena_new(&arena, struct subnet);
		subnet->key.network = subnet_of(a);
		snprintf(subnet->key.dev, sizeof(subnet->key.dev), "%s", a->dev);
		HASH_FIND(hh, subnets, &subnet->key, sizeof(subnet->key), before);
		subnet->first = a;
		if (before)
			address_set_primary(before->first, true);
		else
			HASH_ADD(hh, subnets, key, sizeof(subnet->key), subnet);
	}
	HASH_CLEAR(hh, subnets);
	arena_done(&arena);
}

static bool has_stranger(const struct ns_state *seen, const struct ns_state *desired, const struct object *first) {
	ns_foreach(object, seen)
		if (object->kind == &kind_address && comes_behind(object, first) && !ns_find(desired, object))
			return true;
	return false;
}

void address_settle_primaries(const struct ns_state *seen, const struct ns_state *desired) {
	ns_foreach(object, seen) {
		struct address *a = (struct address *)object;
		const struct object *wanted;

		if (object->kind != &kind_address || !object_has(object, ADDRESS_PRIMARY) || a->primary)
			continue;
		wanted = desired ? ns_find(desired, object) : NULL;
		a->primary = wanted && object_has(wanted, ADDRESS_PRIMARY) && has_stranger(seen, desired, object);
	}
}

/* Reading the file. */

static bool is_family(struct parse *p, const struct address *a, size_t field, uint8_t family, const struct node *node) {
	if (!object_has(&a->object, field) || a->address.address.family == family)
		return true;
	diag_error(p->diags, node_key_position(node, fields[field].name), "'%s' is for IPv%c addresses only",
		   fields[field].name, family == AF_INET ? '4' : '6');
	return false;
}

static bool check_peer(struct parse *p, struct address *a, struct position position) {
	if (!object_has(&a->object, ADDRESS_PEER))
		return true;
	if (a->peer.address.family != a->address.address.family) {
		diag_error(p->diags, position, "'peer' and the address are of different families");
		return false;
	}
	if (a->address.length != ip_bits(a->address.address.family) && a->address.length != a->peer.length) {
		diag_error(p->diags, position,
			   "with 'peer', the prefix length belongs to the peer; write the address without one");
		return false;
	}
	a->address.length = a->peer.length;
	/* The kernel's way to say "no peer". */
	if (ip_equal(&a->peer.address, &a->address.address))
		a->peer = (struct prefix){};
	return true;
}

static bool check_use(struct parse *p, const struct address *a, struct position position) {
	const struct ip *ip = &a->address.address;
	const char *why = NULL;
	char buf[PREFIX_TEXT_MAX];

	if (ip_is_zero(ip))
		why = "is not a host address";
	else if (ip_is_multicast(ip))
		why = "is a multicast address";
	else if (ip->family == AF_INET && ip->bytes[0] >= 240)
		why = "is reserved";
	else if (!a->address.length)
		why = "has the prefix length 0";
	if (why)
		diag_error(p->diags, position, "%s %s", prefix_format(&a->address, buf), why);
	return !why;
}

static bool check_label(struct parse *p, const struct address *a, struct position position) {
	if (!object_has(&a->object, ADDRESS_LABEL))
		return true;
	const char *rest = startswith(a->label, a->dev);
	if (strlen(a->label) > 15 || !rest || (*rest && *rest != ':')) {
		diag_error(
			p->diags, position,
			"a label is the interface's name, optionally with ':' and text after it (%s:web), at most 15 bytes",
			a->dev);
		return false;
	}
	return true;
}

/* "10.0.0.1": a single host, or the length was forgotten. */
static bool is_bare(const struct node *node) {
	const struct node *text = node->type == NODE_MAPPING ? node_get(node, fields[ADDRESS_ADDRESS].name) : node;

	return text && text->type == NODE_SCALAR && !strchr(text->text, '/');
}

static bool finish(struct parse *p, struct object *o, const struct node *node) {
	struct address *a = (struct address *)o;
	struct position position = node->position;

	bool good = check_use(p, a, position);
	good &= check_peer(p, a, object_position(o, &fields[ADDRESS_PEER]));
	good &= is_family(p, a, ADDRESS_SCOPE, AF_INET, node);
	good &= is_family(p, a, ADDRESS_LABEL, AF_INET, node);
	good &= is_family(p, a, ADDRESS_BROADCAST, AF_INET, node);
	good &= is_family(p, a, ADDRESS_NODAD, AF_INET6, node);
	good &= check_label(p, a, object_position(o, &fields[ADDRESS_LABEL]));
	a->bare = is_bare(node);
	a->protocol = TOPOD_PROTOCOL;
	o->set |= field_bit(ADDRESS_PEER) | field_bit(ADDRESS_PROTOCOL);
	if (address_has_connected_route(a))
		address_set_connected(a, true);
	address_set_local(a, true);
	return good;
}

static const struct mapping entry = {
	.name = "address",
	.title = "Addresses",
	.doc = "An entry of `addresses`: a prefix, or a mapping.",
	.what = "an address",
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.kind = &kind_address,
	.bare = "address",
};

static const struct section sections[] = {
	{ .key = "addresses",
	  .place = SECTION_INTERFACE,
	  .shape = SECTION_LIST,
	  .mapping = &entry,
	  .value = "list of [addresses](#address)",
	  .doc = "Addresses, each a prefix or a mapping." },
	{},
};

static void key(const struct object *object, struct text *out) {
	const struct address *a = (const struct address *)object;
	struct prefix network;

	text_addn(out, (const char *)&a->address.address, sizeof(a->address.address));
	if (a->address.address.family != AF_INET)
		return;
	network = subnet_of(a);
	text_addn(out, (const char *)&network, sizeof(network));
}

static void noun(const struct object *object, struct text *out) {
	const struct address *a = (const struct address *)object;
	char buf[PREFIX_TEXT_MAX];

	if (a->peer.address.family) {
		text_addf(out, "address %s", ip_format(&a->address.address, buf));
		text_addf(out, " peer %s", prefix_format(&a->peer, buf));
	} else {
		text_add(out, "address ");
		text_add(out, prefix_format(&a->address, buf));
	}
}

/* An IPv6 address is usable only after duplicate address detection. */
static bool provides(const struct object *object, const struct ip *ip, bool *ret_later) {
	const struct address *a = (const struct address *)object;

	*ret_later = ip->family == AF_INET6 && !(object_has(object, ADDRESS_NODAD) && a->nodad);
	return ip_equal(&a->address.address, ip);
}

/* Duplicate address detection starts when the link can send (addrconf_dad_begin()). */
static const char *waits(const struct object *observed, const struct state *state) {
	const struct address *a = (const struct address *)observed;
	const struct ns_state *ns = state_find(state, observed->ns);
	const struct object *link = ns && !a->nodad ? ns_find_link(ns, a->dev) : NULL;

	return link && link_lacks_carrier((const struct link *)link, state) ? "for a carrier" : NULL;
}

/* An address that was set without a route must be set again to get one. So must an IPv6 address whose local entry is gone: a
 * separately added entry has another metric (ip6_route_info_create()), and the kernel would not remove it together with the
 * address. */
static bool recreate(const struct object *desired, const struct object *observed, uint64_t differs) {
	const struct address *a = (const struct address *)desired;

	if (differs >> ADDRESS_LOCAL & 1 && a->address.address.family == AF_INET6)
		return true;
	return differs >> ADDRESS_CONNECTED & 1 && object_has(observed, ADDRESS_NOPREFIXROUTE) &&
	       ((const struct address *)observed)->noprefixroute;
}

static bool reaches(const struct object *object, struct prefix *ret) {
	*ret = subnet_of((const struct address *)object);
	return true;
}

static bool assigns(const struct object *object, struct prefix *ret) {
	*ret = ((const struct address *)object)->address;
	return true;
}

static bool needs_ipv6(const struct object *object) {
	return ((const struct address *)object)->address.address.family == AF_INET6;
}

static bool connects(const struct object *object, struct prefix *ret) {
	const struct address *a = (const struct address *)object;

	if (!address_has_connected_route(a))
		return false;
	*ret = address_connected_network(a);
	return true;
}

static const char *advertised(const struct object *observed) {
	enum { KERNEL_RA = 2 }; /* IFAPROT_KERNEL_RA of linux/if_addr.h, 5.18 */
	const struct address *a = (const struct address *)observed;

	return a->protocol == KERNEL_RA ? a->dev : NULL;
}

static const char *fallback(struct arena *arena _unused_, const struct ns_state *ns _unused_, const struct object *object,
			    size_t field) {
	const struct address *a = (const struct address *)object;

	if (field == ADDRESS_SCOPE && default_scope(a) == RT_SCOPE_HOST)
		return "host";
	return field == ADDRESS_LABEL ? a->dev : NULL;
}

static bool is_usual(const struct state *seen _unused_, const struct object *observed, size_t field) {
	const struct address *a = (const struct address *)observed;

	switch ((enum address_field)field) {
	case ADDRESS_SCOPE:
		return a->address.address.family == AF_INET6 || a->scope == default_scope(a);
	case ADDRESS_LABEL:
		return streq(a->label, a->dev);
	case ADDRESS_BROADCAST:
		return ip_is_zero(&a->broadcast);
	case ADDRESS_NODAD:
	case ADDRESS_NOPREFIXROUTE:
	case ADDRESS_DEV:
	case ADDRESS_ADDRESS:
	case ADDRESS_PEER:
	case ADDRESS_PROTOCOL:
	case ADDRESS_CONNECTED:
	case ADDRESS_PRIMARY:
	case ADDRESS_LOCAL:
		break;
	}
	return false;
}

static const char *left_out(struct arena *arena _unused_, const struct object *observed) {
	return ((const struct address *)observed)->lease ? "from a lease or a router advertisement" : NULL;
}

const struct class class_address = {
	.sections = sections,
	.name = "address",
	.plural = "addresses",
	.source = &source_address,
	.part_of = &class_link,
};

const struct kind kind_address = {
	.name = "address",
	.class = &class_address,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct address),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.source = &source_neighbour,
	.markable = true,
	.finish = finish,
	.settle = address_mark_primaries,
	.check = address_check,
	.check_all = address_check_all,
	.encode = address_encode,
	.noun = noun,
	.key = key,
	.provides = provides,
	.waits = waits,
	.out_of_order = out_of_order,
	.comes_behind = comes_behind,
	.excludes = excludes,
	.reaches = reaches,
	.assigns = assigns,
	.connects = connects,
	.advertised = advertised,
	.warn = address_warn,
	.needs_ipv6 = needs_ipv6,
	.recreate = recreate,
	.is_usual = is_usual,
	.fallback = fallback,
	.left_out = left_out,
};
