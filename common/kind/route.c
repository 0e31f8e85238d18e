/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routes: their fields, reading them from the file, and their names. Next hops are in route_hops.c, the messages in
 * route_wire.c.
 *
 * What the file leaves out is filled in as ip-route(8) does, so that desired and observed routes meet in the kernel's
 * canonical form: a type, a scope (IPv4), metric 1024 (IPv6). For a next hop without `dev` the kernel chooses the interface,
 * and any is right.
 */
#include "kind/route.h"

#include <linux/icmpv6.h>
#include <linux/rtnetlink.h>

#include "kind/kinds.h"
#include "kind/protocol.h"
#include "kind/route_wire.h"
#include "kind/vrf_name.h"
#include "model/type_pattern.h"
#include "model/change.h"
#include "model/section.h"

static const struct enum_name types[] = {
	{ "unicast", RTN_UNICAST },
	{ "blackhole", RTN_BLACKHOLE },
	{ "unreachable", RTN_UNREACHABLE },
	{ "prohibit", RTN_PROHIBIT },
	{ "throw", RTN_THROW },
	{ "local", RTN_LOCAL },
	{},
};

static const struct enum_name scopes[] = {
	{ "global", RT_SCOPE_UNIVERSE }, { "site", RT_SCOPE_SITE }, { "link", RT_SCOPE_LINK }, { "host", RT_SCOPE_HOST }, {},
};

/* A metric that the route does not have; the kernel uses the interface's. */
static const struct enum_name unset[] = { { "none", 0 }, {} };

/* RFC 4191, section 2.1 */
static const struct enum_name preferences[] = {
	{ "medium", ICMPV6_ROUTER_PREF_MEDIUM },
	{ "low", ICMPV6_ROUTER_PREF_LOW },
	{ "high", ICMPV6_ROUTER_PREF_HIGH },
	{},
};

static const struct enum_name features[] = {
	{ "ecn", RTAX_FEATURE_ECN },
	{ "tcp-usec-ts", 1 << 4 /* RTAX_FEATURE_TCP_USEC_TS, Linux 6.7 */ },
	{},
};

/* The name of an algorithm of congestion control; `none` leaves it to net.ipv4.tcp_congestion_control. */

enum { ALGORITHM_MAX = 15 }; /* TCP_CA_NAME_MAX, include/net/tcp.h, without the terminating zero */

static bool congctl_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	const char *text = parse_scalar(p, field, node);

	if (!text)
		return false;
	if (!*text || strlen(text) > ALGORITHM_MAX || strpbrk(text, " \t\n")) {
		diag_error(p->diags, node->position, "'%s' takes the name of an algorithm, for example bbr, not '%s'",
			   field->name, text);
		return false;
	}
	*(const char **)value = streq(text, "none") ? "" : arena_strdup(p->arena, text);
	return true;
}

static void congctl_print(const struct field *field, const void *value, struct text *out) {
	type_text.print(field, value, out);
}

static bool congctl_equal(const void *a, const void *b) {
	return type_text.equal(a, b);
}

static void congctl_put(struct nl_writer *w, const struct field *field, const void *value) {
	if (**(const char *const *)value) /* an empty name is refused */
		type_text.put(w, field, value);
}

static bool congctl_get(struct arena *arena, const struct field *field, const struct nlattr *attr, void *value) {
	return type_text.get(arena, field, attr, value);
}

static const struct type type_congctl = {
	.name = "text",
	.size = sizeof(char *),
	.parse = congctl_parse,
	.print = congctl_print,
	.equal = congctl_equal,
	.put = congctl_put,
	.get = congctl_get,
};

/* The destination. */

static bool to_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	struct prefix *to = value;
	const char *text = parse_scalar(p, field, node);

	if (text && streq(text, "default")) {
		*to = (struct prefix){}; /* its family is the gateway's, see settle_family() */
		return true;
	}
	return text && type_network.parse(p, field, node, value);
}

static void to_print(const struct field *field, const void *value, struct text *out) {
	const struct prefix *to = value;

	if (!to->length)
		text_add(out, "default");
	else
		type_network.print(field, value, out);
}

static void to_exact(const struct field *field, const void *value, struct text *out) {
	type_network.print(field, value, out);
}

static bool to_equal(const void *a, const void *b) {
	return prefix_equal(a, b);
}

static const struct type type_to = {
	.name = "prefix",
	.schema = SCHEMA_OF("destination"),
	.size = sizeof(struct prefix),
	.parse = to_parse,
	.print = to_print,
	.exact = to_exact,
	.equal = to_equal,
};

/* The source. All zeros: any, in both families. */

static bool from_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	struct prefix *from = value;

	if (!to_parse(p, field, node, value))
		return false;
	if (!from->length)
		*from = (struct prefix){};
	return true;
}

static const struct type type_from = {
	.name = "prefix",
	.schema = SCHEMA_OF("destination"),
	.size = sizeof(struct prefix),
	.parse = from_parse,
	.print = to_print,
	.equal = to_equal,
};

#define ROW(index, key, member, value_type, ...) \
	[index] = { .name = key, .type = value_type, .offset = offsetof(struct route, member), __VA_ARGS__ }

#define METRIC(index, key, rtax, value_type, ...) \
	ROW(index, key, metrics[rtax], value_type, .wire = WIRE_METRIC, .attr = (rtax), __VA_ARGS__)

/* The limits of the metrics are those of ip_metrics_convert(), net/ipv4/metrics.c. */
const struct field route_fields[] = {
	ROW(ROUTE_TO, "to", to, &type_to, .class = FIELD_KEY, .flags = FIELD_REQUIRED,
	    .doc = "Destination: a prefix, an address, or `default`."),
	ROW(ROUTE_FROM, "from", from, &type_from, .class = FIELD_KEY,
	    .doc = "Only packets with a source address in this prefix take the route (IPv6)."),
	ROW(ROUTE_TABLE, "table", table, &type_table, .class = FIELD_KEY, .doc = "Routing table; `main` by default."),
	[ROUTE_VRF] = VRF_ROW(route),
	ROW(ROUTE_TOS, "tos", tos, &type_integer, .class = FIELD_KEY, .max = 255, .doc = "Type of service (IPv4)."),
	ROW(ROUTE_METRIC, "metric", metric, &type_integer, .class = FIELD_KEY,
	    .doc = "The route with the smallest metric is used; by default 0 (IPv4) or 1024 (IPv6)."),
	ROW(ROUTE_TYPE, "type", type, &type_enum, .names = types, .doc = "Type of the route; `unicast` by default."),
	ROW(ROUTE_VIA, "via", via, &type_ip, .doc = "Gateway, of either family."),
	ROW(ROUTE_DEV, "dev", dev, &type_link_name, .flags = FIELD_DEV | FIELD_USES, .doc = "Outgoing interface."),
	ROW(ROUTE_ENCAP, "encap", encap, &type_encap, .fallback = "none",
	    .doc = "The encapsulation of packets: MPLS labels, an SRv6 header, or a tunnel's outer header."),
	ROW(ROUTE_NEXTHOPS, "nexthops", nexthops, &type_nexthops, .flags = FIELD_USES,
	    .doc = "Several next hops, in any order."),
	ROW(ROUTE_NEXTHOP, "nexthop", nexthop, &type_integer, .names = unset, .needs = &class_nexthop, .min = 1,
	    .doc = "Number of the next hop, of those under `nexthops` of the namespace."),
	ROW(ROUTE_SRC, "src", src, &type_ip, .flags = FIELD_SOURCE, .fallback = "none", .doc = "Preferred source address."),
	ROW(ROUTE_SCOPE, "scope", scope, &type_enum, .names = scopes, .doc = "Distance to the destination (IPv4)."),
	ROW(ROUTE_ON_LINK, "on-link", on_link, &type_bool, .fallback = "false",
	    .doc = "Whether the gateway counts as reachable on the interface regardless of the addresses."),
	ROW(ROUTE_PREFERENCE, "preference", preference, &type_enum, .names = preferences, .fallback = "medium",
	    .doc = "Which of several equal routes is preferred, as in router advertisements (IPv6)."),
	METRIC(ROUTE_MTU, "mtu", RTAX_MTU, &type_integer, .min = 68, .max = 65520, .names = unset, .fallback = "none",
	       .doc = "MTU along this route."),
	METRIC(ROUTE_ADVMSS, "advmss", RTAX_ADVMSS, &type_integer, .min = 1, .max = 65495, .names = unset,
	       .fallback = "none", .doc = "Maximum segment size (MSS) to advertise for TCP."),
	METRIC(ROUTE_INITCWND, "initcwnd", RTAX_INITCWND, &type_integer, .min = 1, .names = unset, .fallback = "none",
	       .doc = "Initial congestion window of TCP connections, in segments."),
	METRIC(ROUTE_INITRWND, "initrwnd", RTAX_INITRWND, &type_integer, .min = 1, .names = unset, .fallback = "none",
	       .doc = "Initial receive window of TCP connections, in segments."),
	METRIC(ROUTE_WINDOW, "window", RTAX_WINDOW, &type_integer, .min = 1, .names = unset, .fallback = "none",
	       .doc = "Largest receive window to advertise for TCP, in bytes."),
	METRIC(ROUTE_HOPLIMIT, "hoplimit", RTAX_HOPLIMIT, &type_integer, .min = 1, .max = 255, .names = unset,
	       .fallback = "none", .doc = "Hop limit (IPv6) or TTL (IPv4) of the packets that are sent."),
	METRIC(ROUTE_QUICKACK, "quickack", RTAX_QUICKACK, &type_bool, .fallback = "false",
	       .doc = "Whether TCP acknowledges at once instead of delaying it."),
	METRIC(ROUTE_RTO_MIN, "rto-min", RTAX_RTO_MIN, &type_duration, .unit = 1000, .fallback = "0s",
	       .doc = "Minimum retransmission timeout of TCP; 0s: the kernel's default."),
	METRIC(ROUTE_FEATURES, "features", RTAX_FEATURES, &type_words, .names = features, .fallback = "none",
	       .doc = "Features of TCP that are enabled for this route, even if they are not elsewhere."),
	ROW(ROUTE_CONGCTL, "congctl", congctl, &type_congctl, .wire = WIRE_METRIC, .attr = RTAX_CC_ALGO, .fallback = "none",
	    .doc = "Congestion control of TCP connections, one of net.ipv4.tcp_available_congestion_control."),
	ROW(ROUTE_PROTOCOL, "protocol", protocol, &type_integer, .flags = FIELD_HIDDEN),
};

/* Reading the file. */

uint8_t route_known_family(const struct route *r) {
	if (r->via.family)
		return r->via.family;
	for (size_t i = 0; i < r->nexthops.n; i++)
		if (r->nexthops.items[i].via.family)
			return r->nexthops.items[i].via.family;
	return r->src.family ? r->src.family : r->from.address.family;
}

static bool settle_family(struct parse *p, struct route *r, const struct node *node) {
	uint8_t family = route_known_family(r);

	if (!r->to.address.family) {
		r->to.address.family = family;
		if (!family)
			diag_error(p->diags, object_position(&r->object, &route_fields[ROUTE_TO]),
				   "cannot tell IPv4 from IPv6: 'default' has no gateway; write 0.0.0.0/0 or \"::/0\"");
		return family;
	}
	if (r->src.family && r->src.family != r->to.address.family) {
		diag_error(p->diags, node->position, "'src' and 'to' are of different families");
		return false;
	}
	if (r->from.address.family == AF_INET && r->to.address.family == AF_INET6) {
		diag_error(p->diags, node->position, "'from' and 'to' are of different families");
		return false;
	}
	/* An IPv4 destination may have an IPv6 gateway (RTA_VIA), but not the reverse. */
	if (family && family != r->to.address.family && r->to.address.family == AF_INET6) {
		diag_error(p->diags, node->position, "an IPv6 destination needs an IPv6 gateway");
		return false;
	}
	return true;
}

bool route_has_device_type(const struct route *r) {
	return r->type == RTN_UNICAST || r->type == RTN_LOCAL;
}

static bool check_hops(struct parse *p, const struct route *r, const struct node *node) {
	const struct object *o = &r->object;
	bool hop = object_has(o, ROUTE_VIA) || object_has(o, ROUTE_DEV), hops = r->nexthops.n, number = r->nexthop;
	const char *wrong = NULL;

	if (!route_has_device_type(r) && (hop || hops || number))
		wrong = "a route of this type has no next hop";
	else if (hop && hops)
		wrong = "'nexthops' replaces 'via' and 'dev'; write only one of them";
	else if (number && (hop || hops))
		wrong = "'nexthop' replaces 'via', 'dev' and 'nexthops'; write only one of them";
	else if (r->encap.type && (hops || number))
		wrong = "'encap' belongs to the next hop itself";
	else if (r->encap.type && !route_has_device_type(r))
		wrong = "a route of this type has no next hop, and so no 'encap'";
	else if (number && r->on_link)
		wrong = "'on-link' belongs to the next hop itself";
	else if (route_has_device_type(r) && !hop && !hops && !number)
		wrong = "a route needs 'via', 'dev', 'nexthops' or 'nexthop'";
	else if (object_has(o, ROUTE_SCOPE) && r->to.address.family == AF_INET6)
		wrong = "'scope' is for IPv4 routes only";
	else if (object_has(o, ROUTE_TOS) && r->to.address.family == AF_INET6)
		wrong = "'tos' is for IPv4 routes only";
	else if (object_has(o, ROUTE_FROM) && r->to.address.family == AF_INET)
		wrong = "'from' is for IPv6 routes only; for IPv4 write a rule with 'from', and the route in its table";
	else if (object_has(o, ROUTE_PREFERENCE) && r->to.address.family == AF_INET)
		wrong = "'preference' is for IPv6 routes only; for IPv4 write 'metric'";
	else if (r->via.family && ip_is_multicast(&r->via))
		wrong = "the gateway is a multicast address";
	if (wrong)
		diag_error(p->diags, node->position, "%s", wrong);
	return !wrong;
}

uint32_t route_usual_scope(const struct route *r) {
	if (r->type == RTN_LOCAL)
		return RT_SCOPE_HOST;
	return r->type == RTN_UNICAST && !r->via.family && !r->nexthops.n && !r->nexthop ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

static bool same_hop(const struct nexthop *a, const struct nexthop *b) {
	return ip_equal(&a->via, &b->via) && streq_ptr(a->dev, b->dev) && encap_compare(&a->encap, &b->encap) == 0;
}

/* The kernel turns each next hop of an IPv6 route into a route (ip6_route_multipath_add(), net/ipv6/route.c). */
static void check_ipv6(struct parse *p, const struct route *r) {
	struct position position = object_position(&r->object, &route_fields[ROUTE_NEXTHOPS]);

	for (size_t i = 0; r->nexthops.n > 1 && r->to.address.family == AF_INET6 && i < r->nexthops.n; i++) {
		const struct nexthop *hop = &r->nexthops.items[i], *next = i + 1 < r->nexthops.n ? hop + 1 : NULL;
		char buf[IP_TEXT_MAX];

		if (!hop->via.family)
			diag_error(p->diags, position, "each of several IPv6 next hops needs 'via'; %s has none", hop->dev);
		else if (next && same_hop(hop, next))
			diag_error(p->diags, position, "the IPv6 next hop %s occurs twice; use 'weight' for a larger share",
				   ip_format(&hop->via, buf));
		else if (next && ip_equal(&hop->via, &next->via) && !hop->dev)
			diag_warning(p->diags, position,
				     "the IPv6 next hop %s occurs twice unless the one without 'dev' is reached by "
				     "another interface",
				     ip_format(&hop->via, buf));
	}
}

/* As fib_props, fib_create_info() and fib_check_nh_v4_gw() in net/ipv4/fib_semantics.c. */
static void check_ipv4(struct parse *p, const struct route *r) {
	static const char no_gateway[] = "'on-link' needs a gateway; write 'via', or remove it";
	uint32_t scope = object_has(&r->object, ROUTE_SCOPE) ? r->scope : route_usual_scope(r);
	struct position position = object_position(&r->object, &route_fields[ROUTE_SCOPE]);

	if (r->to.address.family != AF_INET)
		return;
	if (r->type == RTN_LOCAL && scope != RT_SCOPE_HOST)
		diag_error(p->diags, position, "a local route has 'scope: host'");
	else if (scope == RT_SCOPE_HOST && (r->via.family || r->nexthops.n > 1))
		diag_error(p->diags, position,
			   "a route of scope host, such as a local one, cannot have a gateway or several next hops");
	if (r->on_link && !r->via.family)
		diag_error(p->diags, object_position(&r->object, &route_fields[ROUTE_ON_LINK]), no_gateway);
	for (size_t i = 0; i < r->nexthops.n; i++)
		if (r->nexthops.items[i].on_link && !r->nexthops.items[i].via.family)
			diag_error(p->diags, object_position(&r->object, &route_fields[ROUTE_NEXTHOPS]), no_gateway);
}

static void fill_in(struct route *r) {
	struct object *o = &r->object;
	bool ipv6 = r->to.address.family == AF_INET6;

	/* A single next hop becomes the route's own, as the kernel shows it. */
	if (r->nexthops.n == 1) {
		const struct nexthop *hop = &r->nexthops.items[0];

		r->via = hop->via;
		r->dev = hop->dev;
		r->on_link = hop->on_link;
		r->encap = hop->encap;
		o->set |= (hop->dev ? field_bit(ROUTE_DEV) : 0) | (hop->on_link ? field_bit(ROUTE_ON_LINK) : 0);
		r->nexthops.n = 0;
	}
	if (!object_has(o, ROUTE_TABLE))
		r->table = RT_TABLE_MAIN;
	if (ipv6 && !r->metric)
		r->metric = 1024; /* IP6_RT_PRIO_USER */
	if (!object_has(o, ROUTE_SCOPE) && !ipv6) {
		r->scope = route_usual_scope(r);
		o->set |= field_bit(ROUTE_SCOPE);
	}
	r->protocol = TOPOD_PROTOCOL;
	o->set |= field_bit(ROUTE_PROTOCOL);
	if (!r->nexthop) /* otherwise the kernel shows a route through a blackhole next hop as a blackhole */
		o->set |= field_bit(ROUTE_TYPE);
	if (route_has_device_type(r))
		o->set |= field_bit(ROUTE_NEXTHOPS) | field_bit(ROUTE_NEXTHOP) | field_bit(ROUTE_ENCAP) |
			  (r->nexthops.n ? 0 : field_bit(ROUTE_VIA));
}

static bool finish(struct parse *p, struct object *object, const struct node *node) {
	struct route *r = (struct route *)object;
	const struct position *positions = object->positions;
	size_t errors = p->diags->n_errors;

	if (!object_has(object, ROUTE_TYPE))
		r->type = RTN_UNICAST;
	if (!vrf_settle(p, object, ROUTE_VRF, ROUTE_TABLE) || !settle_family(p, r, node) || !check_hops(p, r, node))
		return false;
	route_check_hop(
		p, &(struct nexthop){ .via = r->via, .dev = r->dev, .on_link = r->on_link },
		(struct position[HOP_N_KEYS]){ [HOP_VIA] = positions[ROUTE_VIA], [HOP_ON_LINK] = positions[ROUTE_ON_LINK] });
	encap_check(p, &r->encap, r->to.address.family, object_position(object, &route_fields[ROUTE_ENCAP]));
	for (size_t i = 0; i < r->nexthops.n; i++)
		encap_check(p, &r->nexthops.items[i].encap, r->to.address.family,
			    object_position(object, &route_fields[ROUTE_NEXTHOPS]));
	check_ipv6(p, r);
	check_ipv4(p, r);
	if (p->diags->n_errors != errors)
		return false;
	fill_in(r);
	return true;
}

static const struct mapping entry = {
	.name = "route",
	.title = "Routes",
	.doc = "An entry of `routes`.",
	.what = "a route",
	.fields = route_fields,
	.n_fields = ARRAY_SIZE(route_fields),
	.kind = &kind_route,
	.first = "to",
};

static const struct section sections[] = {
	{ .key = "routes",
	  .place = SECTION_NAMESPACE,
	  .shape = SECTION_LIST,
	  .may_be_empty = true,
	  .mapping = &entry,
	  .value = "list of [routes](#route)",
	  .doc = "Routes, in any routing table." },
	{},
};

/* Names. */

static void print_destination(const struct route *r, bool exact, struct text *out) {
	char buf[PREFIX_TEXT_MAX];

	text_add(out, "route ");
	if (!r->to.length && !exact)
		text_add(out, r->to.address.family == AF_INET6 ? "default (IPv6)" : "default");
	else
		text_add(out, prefix_format(&r->to, buf));
}

static void print_keys(const struct route *r, struct text *out) {
	char buf[PREFIX_TEXT_MAX];

	if (r->from.length)
		text_addf(out, " from %s", prefix_format(&r->from, buf));
	if (r->tos)
		text_addf(out, " tos %u", r->tos);
	if (r->metric != (r->to.address.family == AF_INET6 ? 1024 : 0))
		text_addf(out, " metric %u", r->metric);
	if (r->table != RT_TABLE_MAIN) {
		text_add(out, " table ");
		type_table.print(NULL, &r->table, out);
	}
}

static void noun(const struct object *object, struct text *out) {
	const struct route *r = (const struct route *)object;
	char buf[IP_TEXT_MAX];

	print_destination(r, false, out);
	if (r->via.family)
		text_addf(out, " via %s", ip_format(&r->via, buf));
	else if (r->dev)
		text_addf(out, " dev %s", r->dev);
	else if (r->nexthop)
		text_addf(out, " nexthop %u", r->nexthop);
	print_keys(r, out);
}

static void id(const struct object *object, struct text *out) {
	const struct route *r = (const struct route *)object;

	print_destination(r, true, out);
	print_keys(r, out);
}

static const char *opponent(struct arena *arena, const struct object *observed) {
	const struct route *r = (const struct route *)observed;

	return r->protocol == TOPOD_PROTOCOL ? NULL : arena_printf(arena, "route %s", protocol_text(arena, r->protocol));
}

static bool goes_late(const struct object *object) {
	const struct route *r = (const struct route *)object;

	return r->via.family || r->nexthops.n || r->nexthop;
}

static const char *hidden(struct arena *arena, const struct object *observed, bool *ret_in_its_place) {
	const struct route *r = (const struct route *)observed;
	const struct object *front = r->front ? r->front : r->better;
	_cleanup_text_ struct text text = {};

	*ret_in_its_place = r->front;
	if (!front)
		return NULL;
	noun(front, &text);
	return arena_printf(arena, "is hidden by %s, which somebody else put in front of it", text_str(&text));
}

static bool leads(const struct object *object, struct lead *ret) {
	const struct route *r = (const struct route *)object;

	if (r->from.length) /* only what some sources send */
		return false;
	*ret = (struct lead){ .to = r->to,
			      .dev = r->dev,
			      .via = r->via,
			      .direct = r->type == RTN_UNICAST && !goes_late(object) && !r->encap.type };
	return true;
}

static const char *advertised(const struct object *observed) {
	const struct route *r = (const struct route *)observed;

	return r->protocol == RTPROT_RA ? r->dev : NULL;
}

static bool depends(const struct object *object, size_t i, const char **ret_dev, const struct ip **ret_ip) {
	const struct route *r = (const struct route *)object;
	struct nexthop own = { .via = r->via, .dev = r->dev };
	const struct nexthop *hop = r->nexthops.n ? &r->nexthops.items[i / 2] : &own;
	size_t n_hops = MAX(r->nexthops.n, (size_t)1);

	/* Two items for each next hop, then the source. */
	*ret_dev = NULL;
	*ret_ip = NULL;
	if (i >= 2 * n_hops)
		*ret_ip = i == 2 * n_hops && r->src.family ? &r->src : NULL;
	else if (i % 2 == 0)
		*ret_dev = hop->dev;
	else if (!hop->dev && hop->via.family)
		*ret_ip = r->nexthops.n ? &hop->via : &r->via;
	return i <= 2 * n_hops;
}

static const char *if_twice(const struct object *object) {
	return ((const struct route *)object)->type == RTN_UNICAST
		       ? "; give one a 'metric' (the smaller is preferred), or write both as 'nexthops' of one route"
		       : "; give one a 'metric' (the smaller is preferred)";
}

/* Only the route to an address's network can be avoided. */
static const char *if_in_the_way(const struct object *observed) {
	const struct route *r = (const struct route *)observed;

	if (!observed->kernel_made)
		return NULL;
	if (r->table == RT_TABLE_LOCAL)
		return "exists and is the kernel's own, with other values: leave this route out, or write it as `ip route show table "
		       "local` shows it";
	return r->protocol == RTPROT_KERNEL && r->type == RTN_UNICAST
		       ? "exists and came with an address: write 'noprefixroute: true' with that address, or give this route another "
			 "'metric'"
		       : NULL;
}

/* A route goes back before an address is deleted that would take it along. */
static enum stage stage(const struct change *change) {
	if (change->type == CHANGE_DELETE || change->desired->gone)
		return STAGE_DELETE;
	return ((const struct route *)change->desired)->nexthop ? STAGE_CARRIER : STAGE_INSIDE;
}

static bool needs_ipv6(const struct object *object) {
	const struct route *r = (const struct route *)object;

	return r->to.address.family == AF_INET6 || r->via.family == AF_INET6;
}

const struct class class_route = {
	.sections = sections,
	.name = "route",
	.plural = "routes",
	.source = &source_route,
	.part_of = &class_address,
	.stage = stage,
};

const struct kind kind_route = {
	.name = "route",
	.class = &class_route,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct route),
	.fields = route_fields,
	.n_fields = ARRAY_SIZE(route_fields),
	.markable = true,
	.finish = finish,
	.check_all = route_check_all,
	.encode = route_encode,
	.trial = route_trial,
	.if_twice = if_twice,
	.if_in_the_way = if_in_the_way,
	.noun = noun,
	.id = id,
	.goes_late = goes_late,
	.depends = depends,
	.leads = leads,
	.advertised = advertised,
	.warn = route_warn,
	.needs_ipv6 = needs_ipv6,
	.hidden = hidden,
	.precedes = route_precedes,
	.opponent = opponent,
	.left_out = route_left_out,
	.is_usual = route_is_usual,
	.needs_exact = route_needs_exact,
};
