/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A policy rule (ip-rule(8)): in which routing table a packet is looked up, depending on where it comes from, where it
 * goes, its mark and so on. The messages are RTM_NEWRULE and RTM_DELRULE with struct fib_rule_hdr (linux/fib_rules.h,
 * net/core/fib_rules.c).
 *
 * The identity of a rule is its family, its priority and all of its selectors; its action (a table, a jump, a refusal)
 * may change. The kernel cannot change a rule, so the new one is added first and the old one deleted after it, in one
 * batch, so that one of them is always in force. If the file gives no priority, the kernel chooses one. The priority is
 * then not part of the identity: loosen() removes it from that of an observed rule.
 *
 * `state: absent` is for a rule that others made, such as the kernel's first one. That rule is found rather than made.
 * Its hidden field `present` is managed, and goes back to true when the entry leaves the file. Therefore the scan adds
 * an object with present = false for a rule that does not exist.
 */
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include "kind/kinds.h"
#include "kind/rule.h"
#include "kind/vrf_name.h"
#include "model/change.h"
#include "model/section.h"
#include "model/source.h"

struct rule {
	struct object object;
	uint32_t family, priority, inverted, tos, ip_protocol;
	struct selector from, to;
	const char *iif, *oif;
	struct fwmark fwmark;
	struct range source_port, destination_port, uid_range;
	uint32_t type, table, jump, l3mdev, suppress_prefix_length, suppress_interface_group, protocol, present;
	uint32_t chosen; /* observed: the priority, also where the file has none */
	bool both;       /* desired: the file names no family, so there is one for each */
	bool others;     /* observed: it has selectors that topod does not know */
};

enum rule_field {
	RULE_FAMILY,
	RULE_PRIORITY,
	RULE_FROM,
	RULE_TO,
	RULE_IIF,
	RULE_OIF,
	RULE_FWMARK,
	RULE_TOS,
	RULE_IP_PROTOCOL,
	RULE_SOURCE_PORT,
	RULE_DESTINATION_PORT,
	RULE_UID_RANGE,
	RULE_NOT,
	RULE_TABLE,
	RULE_VRF, /* never set in an object that was read */
	RULE_L3MDEV,
	RULE_GOTO,
	RULE_TYPE,
	RULE_SUPPRESS_PREFIX_LENGTH,
	RULE_SUPPRESS_INTERFACE_GROUP,
	RULE_STATE,
	RULE_PROTOCOL,
};

enum {
	SELECTORS = 1 << RULE_FROM | 1 << RULE_TO | 1 << RULE_IIF | 1 << RULE_OIF | 1 << RULE_FWMARK | 1 << RULE_TOS |
		    1 << RULE_IP_PROTOCOL | 1 << RULE_SOURCE_PORT | 1 << RULE_DESTINATION_PORT | 1 << RULE_UID_RANGE,
	ACTION = 1 << RULE_TABLE | 1 << RULE_L3MDEV | 1 << RULE_GOTO | 1 << RULE_TYPE | 1 << RULE_SUPPRESS_PREFIX_LENGTH |
		 1 << RULE_SUPPRESS_INTERFACE_GROUP,
	SPORT_MASK = 28,
	DPORT_MASK = 29,
	TOS_ECN = 3, /* two bits that a rule cannot match (fib4_rule_configure(), net/ipv4/fib_rules.c) */
};

/* Values. */

static const struct enum_name families[] = { { "ipv4", AF_INET }, { "ipv6", AF_INET6 }, {} };

static const struct enum_name types[] = {
	{ "lookup", FR_ACT_TO_TBL },
	{ "blackhole", FR_ACT_BLACKHOLE },
	{ "unreachable", FR_ACT_UNREACHABLE },
	{ "prohibit", FR_ACT_PROHIBIT },
	{ "nop", FR_ACT_NOP },
	{ "goto", FR_ACT_GOTO },
	{},
};

static const struct enum_name states[] = { { "present", 1 }, { "absent", 0 }, {} };

#define ROW(index, key, member, value_type, ...) \
	[index] = { .name = key, .type = value_type, .offset = offsetof(struct rule, member), __VA_ARGS__ }
#define SELECTOR(index, key, member, value_type, ...) \
	ROW(index, key, member, value_type, .flags = FIELD_IDENTITY, __VA_ARGS__)

static const struct field fields[] = {
	ROW(RULE_FAMILY, "family", family, &type_enum, .class = FIELD_KEY, .names = families,
	    .doc = "`ipv4` or `ipv6`; by default the family of the addresses, or both if there are none."),
	SELECTOR(
		RULE_PRIORITY, "priority", priority, &type_integer, .max = UINT32_MAX,
		.doc = "The rule with the smallest priority is tried first; by default the kernel chooses one that comes right "
		       "after the first rule."),
	SELECTOR(RULE_FROM, "from", from, &rule_selector,
		 .doc = "Source: a prefix or an address, optionally with `not` before it."),
	SELECTOR(RULE_TO, "to", to, &rule_selector, .doc = "Destination, as for `from`."),
	SELECTOR(RULE_IIF, "iif", iif, &type_link_name,
		 .doc = "Interface on which the packet arrived; `lo` for packets sent from this namespace."),
	SELECTOR(RULE_OIF, "oif", oif, &type_link_name, .doc = "Interface to which the socket is bound."),
	SELECTOR(RULE_FWMARK, "fwmark", fwmark, &type_fwmark, .doc = "Mark of the packet: `value` or `value/mask`."),
	SELECTOR(RULE_TOS, "tos", tos, &type_integer, .max = 255, .doc = "Type of service (IPv4), traffic class (IPv6)."),
	SELECTOR(RULE_IP_PROTOCOL, "ip-protocol", ip_protocol, &rule_ip_protocol,
		 .doc = "Protocol: a name such as `tcp`, `udp` or `icmp`, or a number."),
	SELECTOR(RULE_SOURCE_PORT, "source-port", source_port, &rule_range, .min = 1, .max = 65534,
		 .doc = "A port, or a range."),
	SELECTOR(RULE_DESTINATION_PORT, "destination-port", destination_port, &rule_range, .min = 1, .max = 65534,
		 .doc = "A port, or a range."),
	SELECTOR(RULE_UID_RANGE, "uid-range", uid_range, &rule_range, .max = UINT32_MAX - 1,
		 .doc = "A user id, or a range: the owner of the sending socket."),
	SELECTOR(RULE_NOT, "not", inverted, &type_bool, .doc = "Whether the whole selector is inverted."),
	ROW(RULE_TABLE, "table", table, &type_table, .doc = "The routing table in which to look."),
	[RULE_VRF] = VRF_ROW(rule),
	ROW(RULE_L3MDEV, "l3mdev", l3mdev, &type_bool,
	    .doc = "Whether to look in the table of the VRF of the packet's interface."),
	ROW(RULE_GOTO, "goto", jump, &type_integer, .max = UINT32_MAX - 1,
	    .doc = "Priority of the rule at which to continue."),
	ROW(RULE_TYPE, "type", type, &type_enum, .names = types, .doc = "What the rule does; `lookup` by default."),
	ROW(RULE_SUPPRESS_PREFIX_LENGTH, "suppress-prefix-length", suppress_prefix_length, &rule_limit, .max = 128,
	    .doc = "Ignore routes with a prefix of this length or shorter; 0 ignores default routes."),
	ROW(RULE_SUPPRESS_INTERFACE_GROUP, "suppress-interface-group", suppress_interface_group, &rule_limit,
	    .max = INT32_MAX, .doc = "Ignore routes over interfaces of this group."),
	ROW(RULE_STATE, "state", present, &type_enum, .names = states,
	    .doc = "`absent` removes this rule, which others made; it comes back when the entry is removed."),
	ROW(RULE_PROTOCOL, "protocol", protocol, &type_integer, .flags = FIELD_HIDDEN),
};

static bool has(const struct rule *r, enum rule_field field) {
	return object_has(&r->object, field);
}

/* Reading the file. */

static bool settle_family(struct parse *p, struct rule *r, struct position position) {
	uint8_t from = r->from.prefix.address.family, to = r->to.prefix.address.family;
	uint32_t family = from ? from : to;

	if ((from && to && from != to) || (family && has(r, RULE_FAMILY) && r->family != family)) {
		diag_error(p->diags, position, "'from', 'to' and 'family' are of different families");
		return false;
	}
	r->both = !family && !has(r, RULE_FAMILY);
	if (!has(r, RULE_FAMILY))
		r->family = family ? family : AF_INET;
	r->object.set |= field_bit(RULE_FAMILY);
	return true;
}

/* `from: not X` inverts the whole selector, as in the kernel. */
static bool settle_inversion(struct parse *p, struct rule *r, struct position position) {
	struct object *o = &r->object;
	bool inverted = r->from.inverted || r->to.inverted;

	if (inverted && __builtin_popcountll(o->set & SELECTORS) > 1) {
		diag_error(
			p->diags, position,
			"the kernel can only invert a rule's whole selector, not one of several keys; write 'not: true' to invert all "
			"of it, or use two rules");
		return false;
	}
	if (inverted && has(r, RULE_NOT)) {
		diag_error(p->diags, position, "'not' before the prefix and 'not: %s' contradict each other",
			   r->inverted ? "true" : "false");
		return false;
	}
	r->inverted |= inverted;
	r->from.inverted = r->to.inverted = false;
	o->set = (o->set & ~field_bit(RULE_NOT)) | (r->inverted ? field_bit(RULE_NOT) : 0);
	return true;
}

/* What fib_nl2rule() and the families refuse (net/core/fib_rules.c, net/ipv4/fib_rules.c). */
static const char *find_problem(const struct rule *r) {
	bool ports = has(r, RULE_SOURCE_PORT) || has(r, RULE_DESTINATION_PORT);
	bool lookup = r->type == FR_ACT_TO_TBL, table = has(r, RULE_TABLE);

	if (has(r, RULE_GOTO) && (table || r->l3mdev || (has(r, RULE_TYPE) && r->type != FR_ACT_GOTO)))
		return "'goto' replaces 'table', 'l3mdev' and 'type'; write only one of them";
	if (has(r, RULE_GOTO) && has(r, RULE_PRIORITY) && r->jump <= r->priority)
		return "'goto' must lead to a larger priority than the rule's own";
	if (!has(r, RULE_GOTO) && lookup && !table && !r->l3mdev)
		return "a rule needs 'table', 'vrf', 'l3mdev: true', 'goto' or a 'type'";
	if (lookup && table && r->l3mdev)
		return "'l3mdev' replaces 'table'; write only one of them";
	if (!lookup && (table || r->l3mdev))
		return "a rule of this type does not look in a table; remove 'table' or 'l3mdev'";
	if (r->inverted && !(r->object.set & SELECTORS))
		return "'not: true' without a selector never matches";
	if (has(r, RULE_TOS) && r->tos & TOS_ECN)
		return "the two lowest bits of 'tos' are for ECN and cannot be matched";
	if (ports && !has(r, RULE_IP_PROTOCOL))
		return "a port needs an 'ip-protocol': tcp, udp or sctp";
	if ((has(r, RULE_SUPPRESS_PREFIX_LENGTH) || has(r, RULE_SUPPRESS_INTERFACE_GROUP)) && !lookup && !has(r, RULE_GOTO))
		return "a 'suppress-' key needs a rule that looks in a table";
	if (has(r, RULE_STATE) && !r->present && !has(r, RULE_PRIORITY))
		return "'state: absent' needs the rule's 'priority'";
	return NULL;
}

static void fill_in(struct rule *r) {
	struct object *o = &r->object;

	if (has(r, RULE_GOTO))
		r->type = FR_ACT_GOTO;
	if (!has(r, RULE_SUPPRESS_PREFIX_LENGTH))
		r->suppress_prefix_length = RULE_NO_LIMIT;
	if (!has(r, RULE_SUPPRESS_INTERFACE_GROUP))
		r->suppress_interface_group = RULE_NO_LIMIT;
	o->set |= ACTION;
	if (has(r, RULE_STATE) && !r->present) {
		o->external = true;
		r->protocol = RTPROT_KERNEL;
		return;
	}
	r->present = true;
	r->protocol = TOPOD_PROTOCOL;
	o->set = (o->set & ~field_bit(RULE_STATE)) | field_bit(RULE_PROTOCOL);
}

static bool finish(struct parse *p, struct object *object, const struct node *node) {
	struct rule *r = (struct rule *)object;
	const char *problem;

	if (!has(r, RULE_TYPE))
		r->type = FR_ACT_TO_TBL;
	if (!has(r, RULE_STATE))
		r->present = true;
	if (!vrf_settle(p, object, RULE_VRF, RULE_TABLE) || !settle_family(p, r, node->position) ||
	    !settle_inversion(p, r, node->position))
		return false;
	problem = find_problem(r);
	if (problem)
		diag_error(p->diags, node->position, "%s", problem);
	else
		fill_in(r);
	return !problem;
}

/* Adds the IPv6 rule if a rule is for both families. */
static void settle(struct reading *r, struct ns_state *ns) {
	ns_foreach(object, ns) {
		const struct rule *rule = (const struct rule *)object;
		struct rule *other;

		if (object->kind != &kind_rule || !rule->both)
			continue;
		other = arena_memdup(r->parse.arena, rule, sizeof(*rule));
		other->both = false;
		other->family = AF_INET6;
		other->object.hh = (UT_hash_handle){};
		object_seal(r->parse.arena, &other->object);
		reading_add(r, ns, &other->object);
	}
}

static const struct mapping entry = {
	.name = "rule",
	.title = "Rules",
	.doc = "An entry of `rules`.",
	.what = "a rule",
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.kind = &kind_rule,
};

static const struct section sections[] = {
	{ .key = "rules",
	  .place = SECTION_NAMESPACE,
	  .shape = SECTION_LIST,
	  .may_be_empty = true,
	  .mapping = &entry,
	  .value = "list of [rules](#rule)",
	  .doc = "Policy rules: which routing table a packet is looked up in." },
	{},
};

/* Names and identity. */

static void key(const struct object *object, struct text *out) {
	const struct rule *r = (const struct rule *)object;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct field *field = &fields[i];

		if (!(field->flags & FIELD_IDENTITY) || !object_has(object, i))
			continue;
		text_addf(out, "%zu ", i);
		field_print(field, object, out);
		text_add(out, ";");
	}
	text_add(out, r->others ? "others" : "");
}

static void print_identity(const struct rule *r, struct text *out) {
	text_add(out, "rule");
	if (has(r, RULE_PRIORITY))
		text_addf(out, " %u", r->priority);
	text_add(out, r->inverted ? " not" : "");
	if (!has(r, RULE_FROM))
		text_add(out, " from all");
	for (size_t i = RULE_FROM; i <= RULE_UID_RANGE; i++) {
		if (!has(r, i))
			continue;
		text_addf(out, " %s ", fields[i].name);
		field_print(&fields[i], &r->object, out);
	}
	if (r->family == AF_INET6 && !has(r, RULE_FROM) && !has(r, RULE_TO))
		text_add(out, " (IPv6)");
}

static void id(const struct object *object, struct text *out) {
	print_identity((const struct rule *)object, out);
}

static const char *type_name(uint32_t type) {
	for (const struct enum_name *name = types; name->name; name++)
		if (name->value == type)
			return name->name;
	return "unknown";
}

static void noun(const struct object *object, struct text *out) {
	const struct rule *r = (const struct rule *)object;

	print_identity(r, out);
	if (r->type == FR_ACT_GOTO) {
		text_addf(out, " goto %u", r->jump);
	} else if (r->type != FR_ACT_TO_TBL) {
		text_addf(out, " type %s", type_name(r->type));
	} else if (r->l3mdev) {
		text_add(out, " l3mdev true");
	} else {
		text_add(out, " table ");
		type_table.print(&fields[RULE_TABLE], &r->table, out);
	}
}

/* The priority of a rule that the kernel made identifies it like a name, so it is kept. */
static bool loosen(struct object *observed) {
	if (observed->kernel_made || !object_has(observed, RULE_PRIORITY))
		return false;
	observed->set &= ~field_bit(RULE_PRIORITY);
	return true;
}

static const char *if_twice(const struct object *object _unused_) {
	return "; give each its own 'priority' (the smaller goes first)";
}

static const char *if_kernels(const struct object *observed _unused_) {
	return "exists and was made by the kernel: give this rule another 'priority', or write 'state: absent' to remove the "
	       "kernel's";
}

/* A rule that should be absent is deleted after all others are added … */
static bool goes_late(const struct object *object) {
	return !((const struct rule *)object)->present;
}

/* … and added again before any of them is deleted. */
static enum stage stage(const struct change *change) {
	return change->type == CHANGE_DELETE ? STAGE_DELETE : change->desired->gone ? STAGE_GIVE_BACK : STAGE_INSIDE;
}

/* The kernel's messages. */

static void put_prefix(struct nl_writer *w, uint16_t attr, enum rule_field field, const struct selector *selector) {
	const struct ip *ip = &selector->prefix.address;

	nl_origin(w, &fields[field]);
	nl_put(w, attr, ip->bytes, ip_size(ip->family));
}

static void put_ports(struct nl_writer *w, uint16_t attr, enum rule_field field, const struct range *range) {
	nl_origin(w, &fields[field]);
	nl_put(w, attr, &(struct fib_rule_port_range){ (uint16_t)range->first, (uint16_t)range->last },
	       sizeof(struct fib_rule_port_range));
}

static void put_number(struct nl_writer *w, uint16_t attr, enum rule_field field, uint32_t value) {
	nl_origin(w, &fields[field]);
	nl_put_u32(w, attr, value);
}

static void put_selectors(struct nl_writer *w, const struct rule *r) {
	if (has(r, RULE_FROM) && r->from.prefix.length)
		put_prefix(w, FRA_SRC, RULE_FROM, &r->from);
	if (has(r, RULE_TO) && r->to.prefix.length)
		put_prefix(w, FRA_DST, RULE_TO, &r->to);
	if (has(r, RULE_IIF)) {
		nl_origin(w, &fields[RULE_IIF]);
		nl_put_text(w, FRA_IIFNAME, r->iif);
	}
	if (has(r, RULE_OIF)) {
		nl_origin(w, &fields[RULE_OIF]);
		nl_put_text(w, FRA_OIFNAME, r->oif);
	}
	if (has(r, RULE_FWMARK)) {
		put_number(w, FRA_FWMARK, RULE_FWMARK, r->fwmark.value);
		put_number(w, FRA_FWMASK, RULE_FWMARK, r->fwmark.mask);
	}
	if (has(r, RULE_IP_PROTOCOL)) {
		nl_origin(w, &fields[RULE_IP_PROTOCOL]);
		nl_put_u8(w, FRA_IP_PROTO, (uint8_t)r->ip_protocol);
	}
	if (has(r, RULE_SOURCE_PORT))
		put_ports(w, FRA_SPORT_RANGE, RULE_SOURCE_PORT, &r->source_port);
	if (has(r, RULE_DESTINATION_PORT))
		put_ports(w, FRA_DPORT_RANGE, RULE_DESTINATION_PORT, &r->destination_port);
	if (has(r, RULE_UID_RANGE)) {
		nl_origin(w, &fields[RULE_UID_RANGE]);
		nl_put(w, FRA_UID_RANGE, &(struct fib_rule_uid_range){ r->uid_range.first, r->uid_range.last },
		       sizeof(struct fib_rule_uid_range));
	}
}

static void put_action(struct nl_writer *w, const struct rule *r) {
	if (r->type == FR_ACT_TO_TBL && !r->l3mdev)
		put_number(w, FRA_TABLE, RULE_TABLE, r->table);
	if (r->l3mdev) {
		nl_origin(w, &fields[RULE_L3MDEV]);
		nl_put_u8(w, FRA_L3MDEV, 1);
	}
	if (r->type == FR_ACT_GOTO)
		put_number(w, FRA_GOTO, RULE_GOTO, r->jump);
	if (r->suppress_prefix_length != RULE_NO_LIMIT)
		put_number(w, FRA_SUPPRESS_PREFIXLEN, RULE_SUPPRESS_PREFIX_LENGTH, r->suppress_prefix_length);
	if (r->suppress_interface_group != RULE_NO_LIMIT)
		put_number(w, FRA_SUPPRESS_IFGROUP, RULE_SUPPRESS_INTERFACE_GROUP, r->suppress_interface_group);
	nl_put_u8(w, FRA_PROTOCOL, (uint8_t)r->protocol);
}

/* priority NULL: the kernel chooses. */
static void put_rule(struct nl_writer *w, uint16_t type, uint16_t flags, const struct rule *r, const uint32_t *priority) {
	struct fib_rule_hdr *hdr = nl_begin(w, type, flags, sizeof(*hdr));

	hdr->family = (uint8_t)r->family;
	hdr->src_len = has(r, RULE_FROM) ? r->from.prefix.length : 0;
	hdr->dst_len = has(r, RULE_TO) ? r->to.prefix.length : 0;
	hdr->tos = has(r, RULE_TOS) ? (uint8_t)r->tos : 0;
	hdr->action = (uint8_t)r->type;
	hdr->flags = r->inverted ? FIB_RULE_INVERT : 0;
	if (priority)
		put_number(w, FRA_PRIORITY, RULE_PRIORITY, *priority);
	put_selectors(w, r);
	put_action(w, r);
}

/* The kernel ignores the target of `goto` when it compares rules (rule_exists()): with NLM_F_EXCL it could take a
 * new rule for the old one and refuse it. If two rules match, a deletion removes the older one. */
static int encode_rule(struct encode *encode, const struct change *change) {
	const struct rule *want = (const struct rule *)change->desired, *seen = (const struct rule *)change->observed;
	const struct rule *old = seen ? seen : want;
	const uint32_t *priority = seen ? &seen->chosen : &old->priority;
	bool update = change->type == CHANGE_UPDATE, of_state = update && change->fields & field_bit(RULE_STATE);
	bool makes = change->type != CHANGE_DELETE && (!of_state || want->present);
	uint16_t flags = NLM_F_CREATE | (update && !of_state ? 0 : NLM_F_EXCL);

	if (makes && has(want, RULE_PRIORITY))
		priority = &want->priority;
	if (makes)
		put_rule(encode->writer, RTM_NEWRULE, flags, want, update || has(want, RULE_PRIORITY) ? priority : NULL);
	if (change->type == CHANGE_DELETE || (update && !(of_state && want->present)))
		put_rule(encode->writer, RTM_DELRULE, 0, old, seen ? &seen->chosen : &old->priority);
	return 0;
}

static void set_if(struct rule *r, enum rule_field field, bool there) {
	r->object.set |= there ? field_bit(field) : 0;
}

static bool get_prefix(const struct nlattr *attr, uint8_t family, uint8_t length, struct selector *ret) {
	ret->prefix.length = length;
	return attr && length <= ip_bits(family) &&
	       ip_from_bytes(family, mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr), &ret->prefix.address) == 0;
}

static bool get_link(struct arena *arena, const struct nlattr *attr, const char **ret) {
	const char *name = nl_get_text(attr);

	*ret = name ? arena_strdup(arena, name) : NULL;
	return name;
}

static bool get_ports(const struct nlattr *attr, struct range *ret) {
	struct fib_rule_port_range range;

	if (!attr || mnl_attr_get_payload_len(attr) < sizeof(range))
		return false;
	memcpy(&range, mnl_attr_get_payload(attr), sizeof(range));
	*ret = (struct range){ range.start, range.end };
	return true;
}

static bool get_uids(const struct nlattr *attr, struct range *ret) {
	struct fib_rule_uid_range range;

	if (!attr || mnl_attr_get_payload_len(attr) < sizeof(range))
		return false;
	memcpy(&range, mnl_attr_get_payload(attr), sizeof(range));
	*ret = (struct range){ range.start, range.end };
	return range.start != 0 || range.end != UINT32_MAX - 1;
}

static void decode_selectors(struct arena *arena, struct rule *r, const struct fib_rule_hdr *hdr,
			     const struct nlattr *const *tb) {
	uint32_t mask = nl_get_u32(tb[FRA_FWMASK], 0);

	set_if(r, RULE_FROM, get_prefix(tb[FRA_SRC], hdr->family, hdr->src_len, &r->from));
	set_if(r, RULE_TO, get_prefix(tb[FRA_DST], hdr->family, hdr->dst_len, &r->to));
	set_if(r, RULE_IIF, get_link(arena, tb[FRA_IIFNAME], &r->iif));
	set_if(r, RULE_OIF, get_link(arena, tb[FRA_OIFNAME], &r->oif));
	r->fwmark = (struct fwmark){ nl_get_u32(tb[FRA_FWMARK], 0), mask };
	set_if(r, RULE_FWMARK, mask || r->fwmark.value);
	r->tos = hdr->tos;
	set_if(r, RULE_TOS, hdr->tos);
	r->ip_protocol = nl_get_u8(tb[FRA_IP_PROTO], 0);
	set_if(r, RULE_IP_PROTOCOL, r->ip_protocol);
	set_if(r, RULE_SOURCE_PORT, get_ports(tb[FRA_SPORT_RANGE], &r->source_port));
	set_if(r, RULE_DESTINATION_PORT, get_ports(tb[FRA_DPORT_RANGE], &r->destination_port));
	set_if(r, RULE_UID_RANGE, get_uids(tb[FRA_UID_RANGE], &r->uid_range));
	r->inverted = !!(hdr->flags & FIB_RULE_INVERT);
	set_if(r, RULE_NOT, r->inverted);
}

static void decode_action(struct rule *r, const struct fib_rule_hdr *hdr, const struct nlattr *const *tb) {
	r->type = hdr->action;
	r->l3mdev = nl_get_u8(tb[FRA_L3MDEV], 0);
	r->table = r->type == FR_ACT_TO_TBL && !r->l3mdev ? nl_get_u32(tb[FRA_TABLE], hdr->table) : 0;
	r->jump = r->type == FR_ACT_GOTO ? nl_get_u32(tb[FRA_GOTO], 0) : 0;
	r->suppress_prefix_length = nl_get_u32(tb[FRA_SUPPRESS_PREFIXLEN], RULE_NO_LIMIT);
	r->suppress_interface_group = nl_get_u32(tb[FRA_SUPPRESS_IFGROUP], RULE_NO_LIMIT);
	r->protocol = nl_get_u8(tb[FRA_PROTOCOL], RTPROT_UNSPEC);
	r->present = true;
	r->object.set |= ACTION | field_bit(RULE_PROTOCOL) | field_bit(RULE_STATE);
}

static bool covers_all(const struct nlattr *attr) {
	return mnl_attr_get_payload_len(attr) == sizeof(uint16_t) && mnl_attr_get_u16(attr) == UINT16_MAX;
}

/* Does the rule have selectors that topod does not know: of newer kernels, a tunnel id, realms? Since Linux 6.15 a
 * single port comes with a mask of all bits (FRA_SPORT_MASK and FRA_DPORT_MASK, include/uapi/linux/fib_rules.h,
 * which older headers lack); that is not one. */
static bool has_others(const struct nlmsghdr *nlh, const struct nlattr *const *tb) {
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct fib_rule_hdr)) {
		bool is_mask = mnl_attr_get_type(attr) == SPORT_MASK || mnl_attr_get_type(attr) == DPORT_MASK;

		if (mnl_attr_get_type(attr) > FRA_DPORT_RANGE && !(is_mask && covers_all(attr)))
			return true;
	}
	return tb[FRA_TUN_ID] || tb[FRA_FLOW];
}

static int decode(struct source_scan *scan, const struct nlmsghdr *nlh) {
	const struct fib_rule_hdr *hdr = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[FRA_DPORT_RANGE + 1];
	struct arena *arena = scan->decode.arena;

	if (nlh->nlmsg_type != RTM_NEWRULE || mnl_nlmsg_get_payload_len(nlh) < sizeof(*hdr) || !ip_size(hdr->family))
		return 0;
	nl_parse(nlh, sizeof(*hdr), tb, FRA_DPORT_RANGE);
	struct rule *r = (struct rule *)object_new(arena, &kind_rule, scan->seen->name);
	r->family = hdr->family;
	r->priority = r->chosen = nl_get_u32(tb[FRA_PRIORITY], 0);
	r->object.set = field_bit(RULE_FAMILY) | field_bit(RULE_PRIORITY);
	decode_selectors(arena, r, hdr, tb);
	decode_action(r, hdr, tb);
	r->others = has_others(nlh, tb);
	r->object.owned = r->protocol == TOPOD_PROTOCOL;
	r->object.kernel_made = r->protocol == RTPROT_KERNEL;
	object_seal(arena, &r->object);
	scan_add(scan, &r->object);
	return 0;
}

static void dump(struct source_scan *scan, struct nl_writer *w) {
	static const uint8_t both[] = { AF_INET, AF_INET6 };

	if (scan->scope && !scan->concerns(scan, &class_rule))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
		struct fib_rule_hdr *hdr = nl_begin(w, RTM_GETRULE, NLM_F_DUMP, sizeof(*hdr));

		hdr->family = both[i];
	}
}

/* The kernel does not support rules of this family, so there are none. */
static int refused(struct source_scan *scan _unused_, int error) {
	return error == -EAFNOSUPPORT || error == -EOPNOTSUPP ? 0 : error;
}

static bool is_same(const struct rule *a, const struct rule *b) {
	return a->type == b->type && a->table == b->table && a->l3mdev == b->l3mdev && a->jump == b->jump;
}

/* A rule that should be absent, and is, is observed as absent. A different rule at that priority does not count. */
static int finish_scan(struct source_scan *scan) {
	ns_foreach(object, scan->desired) {
		const struct rule *wanted = (const struct rule *)object;
		struct object *seen;
		struct rule *absent;

		if (object->kind != &kind_rule || !has(wanted, RULE_STATE))
			continue;
		seen = ns_find(scan->seen, object);
		if (seen && is_same(wanted, (const struct rule *)seen))
			continue;
		absent = arena_memdup(scan->decode.arena, wanted, sizeof(*wanted));
		absent->present = false;
		absent->object = (struct object){
			.kind = &kind_rule, .ns = scan->seen->name, .set = wanted->object.set, .kernel_made = true
		};
		object_seal(scan->decode.arena, &absent->object);
		if (seen)
			ns_remove(scan->seen, seen);
		scan_add(scan, &absent->object);
	}
	return 0;
}

/* If the file has no priority, that in the event does not show which rule it is about; so all rules of the namespace
 * are scanned. */
static enum about about(const struct event *event _unused_, struct hint *ret) {
	ret->type = HINT_CLASS;
	ret->class = &class_rule;
	return ABOUT_HINT;
}

static const struct source source_rule = {
	.protocol = NETLINK_ROUTE,
	.first = RTM_NEWRULE,
	.last = RTM_DELRULE,
	.groups = (const int[]){ RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE, 0 },
	.only_if_declared = true,
	.about = about,
	.dump = dump,
	.decode = decode,
	.refused = refused,
	.finish = finish_scan,
};

const struct class class_rule = {
	.sections = sections,
	.name = "rule",
	.plural = "rules",
	.source = &source_rule,
	.part_of = &class_netns,
	.stage = stage,
};

const struct kind kind_rule = {
	.name = "rule",
	.class = &class_rule,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct rule),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.markable = true,
	.finish = finish,
	.settle = settle,
	.encode = encode_rule,
	.noun = noun,
	.id = id,
	.key = key,
	.loosen = loosen,
	.goes_late = goes_late,
	.if_twice = if_twice,
	.if_kernels = if_kernels,
};
