/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A policy rule (ip-rule(8)): in which routing table a packet is looked up, depending on where it comes from, where it
 * goes, its mark and so on. rule_value.c reads its values, rule_wire.c has the kernel's messages.
 *
 * The identity of a rule is its family, its priority and all of its selectors; its action (a table, a jump, a refusal)
 * may change. The kernel cannot change a rule, so the new one is added first and the old one deleted after it, in one
 * batch, so that one of them is always in force. If the file gives no priority, the kernel chooses one. The priority is
 * then not part of the identity: loosen() removes it from that of an observed rule.
 *
 * `state: absent` is for a rule that others made, such as the kernel's first one. That rule is found rather than made. Its
 * hidden field `present` is managed, and goes back to true when the entry leaves the file. So for an absent rule, the scan
 * adds an object with present = false.
 */
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include "kind/kinds.h"
#include "kind/rule.h"
#include "kind/vrf_name.h"
#include "model/change.h"
#include "model/section.h"

enum {
	SELECTORS = 1 << RULE_FROM | 1 << RULE_TO | 1 << RULE_IIF | 1 << RULE_OIF | 1 << RULE_FWMARK | 1 << RULE_TOS |
		    1 << RULE_IP_PROTOCOL | 1 << RULE_SOURCE_PORT | 1 << RULE_DESTINATION_PORT | 1 << RULE_UID_RANGE,
	TOS_ECN = 3, /* the two bits that a rule cannot match (fib4_rule_configure(), net/ipv4/fib_rules.c) */
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

const struct field rule_fields[] = {
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

/* Leaves out selectors that match every packet, such as `from: 0.0.0.0/0`, because the kernel does not show them
 * (fib_nl_fill_rule()). The family stays. */
static void drop_selectors_of_all(struct rule *r) {
	const struct {
		enum rule_field field;
		bool all;
	} selectors[] = {
		{ RULE_FROM, !r->from.prefix.length },
		{ RULE_TO, !r->to.prefix.length },
		{ RULE_FWMARK, !r->fwmark.mask && !r->fwmark.value },
		{ RULE_TOS, !r->tos },
		{ RULE_IP_PROTOCOL, !r->ip_protocol },
		{ RULE_UID_RANGE, r->uid_range.first == 0 && r->uid_range.last == UINT32_MAX - 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(selectors); i++)
		if (selectors[i].all)
			r->object.set &= ~field_bit(selectors[i].field);
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

/* Reports what fib_nl2rule() and the families refuse (net/core/fib_rules.c, net/ipv4/fib_rules.c). */
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
	o->set |= RULE_ACTION;
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
	drop_selectors_of_all(r);
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
	.fields = rule_fields,
	.n_fields = N_RULE_FIELDS,
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

	for (size_t i = 0; i < N_RULE_FIELDS; i++) {
		const struct field *field = &rule_fields[i];

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
		text_addf(out, " %s ", rule_fields[i].name);
		field_print(&rule_fields[i], &r->object, out);
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
		type_table.print(&rule_fields[RULE_TABLE], &r->table, out);
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

static const char *if_in_the_way(const struct object *observed) {
	if (!observed->kernel_made)
		return NULL;
	return "exists and was made by the kernel: give this rule another 'priority', or write 'state: absent' to remove the "
	       "kernel's";
}

/* A rule that is to be absent is deleted after all others are added … */
static bool goes_late(const struct object *object) {
	return !((const struct rule *)object)->present;
}

/* … and added again before any of them is deleted. */
static enum stage stage(const struct change *change) {
	return change->type == CHANGE_DELETE ? STAGE_DELETE : change->desired->gone ? STAGE_GIVE_BACK : STAGE_INSIDE;
}

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
	.fields = rule_fields,
	.n_fields = N_RULE_FIELDS,
	.markable = true,
	.finish = finish,
	.settle = settle,
	.encode = rule_encode,
	.noun = noun,
	.id = id,
	.is_usual = rule_is_usual,
	.left_out = rule_left_out,
	.key = key,
	.loosen = loosen,
	.goes_late = goes_late,
	.if_twice = if_twice,
	.if_in_the_way = if_in_the_way,
};
