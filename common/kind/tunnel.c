/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tunnels over IP have in common: types of values, attributes that several fields share, checks.
 *
 * It knows no kind by name. Sources: net/ipv4/ip_tunnel.c, net/ipv6/ip6_tunnel.c and the files of the kinds there.
 */
#include <linux/if_tunnel.h>
#include <linux/ip6_tunnel.h>

#include "kind/tunnel.h"
#include "model/section.h"

const struct enum_name tunnel_inherit_ttl[] = { { "inherit", 0 }, {} };
const struct enum_name tunnel_inherit_tos[] = { { "inherit", TUNNEL_TOS_INHERIT }, {} };
const struct enum_name tunnel_inherit_tos6[] = { { "inherit", TUNNEL_TOS_INHERIT6 }, {} };
const struct enum_name tunnel_inherit_label[] = { { "inherit", TUNNEL_LABEL_INHERIT }, {} };
const struct enum_name tunnel_no_limit[] = { { "none", TUNNEL_NO_LIMIT }, {} };

/* ---- keys ---- */

static bool key_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	struct tunnel_key *key = value;
	const char *text = parse_scalar(p, field, node);
	struct ip ip;

	*key = (struct tunnel_key){};
	if (!text)
		return false;
	if (streq(text, "none"))
		return true;
	key->set = true;
	if (parse_u32(text, &key->number) == 0)
		return true;
	/* ip-link(8) takes a dotted quad, too. */
	if (ip_parse(text, &ip) == 0 && ip.family == AF_INET) {
		key->number =
			(uint32_t)ip.bytes[0] << 24 | (uint32_t)ip.bytes[1] << 16 | (uint32_t)ip.bytes[2] << 8 | ip.bytes[3];
		return true;
	}
	diag_error(p->diags, node->position, "'%s' is a number from 0 to 4294967295, not '%s'", field->name, text);
	return false;
}

static void key_print(const struct field *field _unused_, const void *value, struct text *out) {
	const struct tunnel_key *key = value;

	if (key->set)
		text_addf(out, "%u", key->number);
	else
		text_add(out, "none");
}

static bool key_equal(const void *a, const void *b) {
	const struct tunnel_key *x = a, *y = b;

	return x->set == y->set && (!x->set || x->number == y->number);
}

const struct type type_tunnel_key = {
	.name = "tunnel key",
	.schema = "{\"type\": [\"integer\", \"string\"]}",
	.size = sizeof(struct tunnel_key),
	.parse = key_parse,
	.print = key_print,
	.equal = key_equal,
};

static bool keys_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	struct tunnel_key *keys = value;

	if (!key_parse(p, field, node, &keys[0]))
		return false;
	keys[1] = keys[0];
	return true;
}

static void keys_print(const struct field *field, const void *value, struct text *out) {
	const struct tunnel_key *keys = value;

	key_print(field, &keys[0], out);
	if (key_equal(&keys[0], &keys[1]))
		return;
	text_add(out, " in and ");
	key_print(field, &keys[1], out);
	text_add(out, " out");
}

static bool keys_equal(const void *a, const void *b) {
	const struct tunnel_key *x = a, *y = b;

	return key_equal(&x[0], &y[0]) && key_equal(&x[1], &y[1]);
}

const struct type type_tunnel_keys = {
	.name = "tunnel key",
	.schema = "{\"type\": [\"integer\", \"string\"]}",
	.size = 2 * sizeof(struct tunnel_key),
	.parse = keys_parse,
	.print = keys_print,
	.equal = keys_equal,
};

/* ---- IPv6: flow information (RFC 8200, 3) and flags ---- */

enum { CLASS_SHIFT = 20, LABEL_MASK = 0xfffff };

void tunnel_put_ipv6(struct nl_writer *w, const struct tunnel *tunnel, const struct tunnel_ipv6_attrs *attrs) {
	uint32_t flow = 0, flags = 0;

	if (tunnel->tos == TUNNEL_TOS_INHERIT6)
		flags |= IP6_TNL_F_USE_ORIG_TCLASS;
	else
		flow |= tunnel->tos << CLASS_SHIFT;
	if (tunnel->flow_label == TUNNEL_LABEL_INHERIT)
		flags |= IP6_TNL_F_USE_ORIG_FLOWLABEL;
	else
		flow |= tunnel->flow_label;
	if (tunnel->encapsulation_limit == TUNNEL_NO_LIMIT)
		flags |= IP6_TNL_F_IGN_ENCAP_LIMIT;
	else
		nl_put_u8(w, attrs->limit, (uint8_t)tunnel->encapsulation_limit);
	nl_put_u32(w, attrs->flow, htonl(flow));
	nl_put_u32(w, attrs->flags, flags);
}

void tunnel_get_ipv6(struct tunnel *tunnel, const struct nlattr *const *data, const struct tunnel_ipv6_attrs *attrs) {
	uint32_t flow = ntohl(nl_get_u32(data[attrs->flow], 0)), flags = nl_get_u32(data[attrs->flags], 0);

	tunnel->tos = flags & IP6_TNL_F_USE_ORIG_TCLASS ? TUNNEL_TOS_INHERIT6 : flow >> CLASS_SHIFT & 0xff;
	tunnel->flow_label = flags & IP6_TNL_F_USE_ORIG_FLOWLABEL ? TUNNEL_LABEL_INHERIT : flow & LABEL_MASK;
	tunnel->encapsulation_limit = flags & IP6_TNL_F_IGN_ENCAP_LIMIT ? TUNNEL_NO_LIMIT : nl_get_u8(data[attrs->limit], 0);
}

/* ---- mistakes ---- */

static int family_of(const struct kind *kind) {
	return strchr(kind->fields[TUNNEL_LOCAL].fallback, ':') ? AF_INET6 : AF_INET;
}

static void check_family(struct reading *r, const struct object *desired, size_t i) {
	const struct field *field = &desired->kind->fields[i];
	const struct ip *ip = field_of(field, desired);
	bool ipv6 = family_of(desired->kind) == AF_INET6;

	if (object_has(desired, i) && ip->family != family_of(desired->kind))
		diag_error(r->parse.diags, object_position(desired, field),
			   "'%s' must be an %s address for a tunnel of kind %s; over %s", field->name,
			   ipv6 ? "IPv6" : "IPv4", desired->kind->name,
			   ipv6 ? "IPv4 there are gre, gretap, ipip, sit and vti"
				: "IPv6 there are ip6gre, ip6gretap, ip6tnl and vti6");
}

static bool has(const struct object *desired, const char *name) {
	int i = kind_field(desired->kind, name);

	return i >= 0 && object_has(desired, (size_t)i);
}

static struct position position_of(const struct object *desired, const char *name) {
	return object_position(desired, &desired->kind->fields[kind_field(desired->kind, name)]);
}

void tunnel_check(struct reading *r, const struct ns_state *ns _unused_, const struct object *desired) {
	const struct tunnel *tunnel = (const struct tunnel *)desired;
	bool fixed_ttl = has(desired, "ttl") && tunnel->ttl;

	check_family(r, desired, TUNNEL_LOCAL);
	check_family(r, desired, TUNNEL_REMOTE);
	if (link_is_fallback(tunnel->link.name))
		diag_warning(
			r->parse.diags, desired->position,
			"'%s' is the name of an interface that a kernel module makes in every namespace: choose another "
			"name",
			tunnel->link.name);
	if (!object_has(desired, TUNNEL_LOCAL) && !object_has(desired, TUNNEL_REMOTE) && !has(desired, "key") &&
	    !has(desired, "input-key"))
		diag_error(r->parse.diags, desired->position,
			   "a tunnel needs 'local', 'remote' or a key: the tunnel without them is the kernel's own");
	if (object_has(desired, TUNNEL_LOCAL) && ip_is_multicast(&tunnel->local))
		diag_error(r->parse.diags, position_of(desired, "local"),
			   "'local' is a multicast address; it must be an address of this machine");
	if (has(desired, "key") && (has(desired, "input-key") || has(desired, "output-key")))
		diag_error(r->parse.diags, position_of(desired, "key"),
			   "'key' sets both 'input-key' and 'output-key': write either that or these");
	if (has(desired, "pmtu-discovery") && !tunnel->pmtu_discovery && fixed_ttl)
		diag_error(r->parse.diags, position_of(desired, "pmtu-discovery"),
			   "the kernel accepts 'pmtu-discovery: false' only with 'ttl: inherit'");
	if (has(desired, "ignore-df") && tunnel->ignore_df && !(has(desired, "pmtu-discovery") && !tunnel->pmtu_discovery))
		diag_error(r->parse.diags, position_of(desired, "ignore-df"), "'ignore-df' needs 'pmtu-discovery: false'");
}

bool tunnel_is_usual(const struct state *seen _unused_, const struct object *observed, size_t field) {
	const struct tunnel *tunnel = (const struct tunnel *)observed;
	int both = kind_field(observed->kind, "key"), input = kind_field(observed->kind, "input-key");
	bool same = tunnel->input_key.set == tunnel->output_key.set && tunnel->input_key.number == tunnel->output_key.number;

	if (both < 0 || input < 0)
		return false;
	return (int)field == both ? !same : same && ((int)field == input || (int)field == input + 1);
}

static const char *text_of(struct arena *arena, const struct object *desired, const char *name) {
	int i = kind_field(desired->kind, name);
	_cleanup_text_ struct text text = {};

	if (i >= 0 && object_has(desired, (size_t)i))
		field_print(&desired->kind->fields[i], desired, &text);
	return arena_strdup(arena, text_str(&text));
}

static bool claim(struct arena *arena, const struct object *desired, size_t i, bool by_key, struct sole_claim *ret) {
	const struct tunnel *tunnel = (const struct tunnel *)desired;
	const char *ns = link_underlay(desired);

	if (i > 0)
		return false;
	*ret = (struct sole_claim){
		.key = arena_printf(arena, "%s %s %s %s %s%s %s", desired->kind->name, ns, text_of(arena, desired, "local"),
				    text_of(arena, desired, "remote"), by_key ? text_of(arena, desired, "key") : "",
				    by_key ? text_of(arena, desired, "input-key") : "",
				    object_has(desired, TUNNEL_DEV) ? tunnel->dev.name : ""),
		.field = &desired->kind->fields[TUNNEL_REMOTE],
		.problem = arena_printf(arena, "another %s of %s has the same 'local'%s", desired->kind->name, ns,
					by_key ? ", 'remote' and key" : " and 'remote'"),
	};
	return true;
}

/* ip_tunnel_find(), net/ipv4/ip_tunnel.c: of one namespace, both addresses, key and interface. */
bool tunnel_claim(struct arena *arena, const struct object *desired, size_t i, struct sole_claim *ret) {
	return claim(arena, desired, i, true, ret);
}

bool tunnel_claim_ends(struct arena *arena, const struct object *desired, size_t i, struct sole_claim *ret) {
	return claim(arena, desired, i, false, ret);
}

/* An interface cannot become point-to-point or cease to be it: ip_tunnel_changelink(), ip6gre_changelink(). */
bool tunnel_recreate(const struct object *desired, const struct object *observed, uint64_t fields) {
	const struct tunnel *want = (const struct tunnel *)desired, *have = (const struct tunnel *)observed;

	return fields & field_bit(TUNNEL_REMOTE) && object_has(observed, TUNNEL_REMOTE) &&
	       (ip_is_zero(&want->remote) != ip_is_zero(&have->remote) ||
		ip_is_multicast(&want->remote) != ip_is_multicast(&have->remote));
}
