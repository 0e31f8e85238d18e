/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy rules in the kernel's messages: RTM_NEWRULE and RTM_DELRULE with struct fib_rule_hdr (linux/fib_rules.h,
 * net/core/fib_rules.c). The kernel cannot change a rule, so the new one is added first and the old one deleted after it.
 */
#include "kind/rule.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include "model/change.h"
#include "model/source.h"

/* Since Linux 6.15; older headers lack them. */
enum {
	SPORT_MASK = 28,
	DPORT_MASK = 29,
};

static bool has(const struct rule *r, enum rule_field field) {
	return object_has(&r->object, field);
}

static void put_prefix(struct nl_writer *w, uint16_t attr, enum rule_field field, const struct selector *selector) {
	const struct ip *ip = &selector->prefix.address;

	nl_origin(w, &rule_fields[field]);
	nl_put(w, attr, ip->bytes, ip_size(ip->family));
}

static void put_ports(struct nl_writer *w, uint16_t attr, enum rule_field field, const struct range *range) {
	nl_origin(w, &rule_fields[field]);
	nl_put(w, attr, &(struct fib_rule_port_range){ (uint16_t)range->first, (uint16_t)range->last },
	       sizeof(struct fib_rule_port_range));
}

static void put_number(struct nl_writer *w, uint16_t attr, enum rule_field field, uint32_t value) {
	nl_origin(w, &rule_fields[field]);
	nl_put_u32(w, attr, value);
}

static void put_selectors(struct nl_writer *w, const struct rule *r) {
	if (has(r, RULE_FROM))
		put_prefix(w, FRA_SRC, RULE_FROM, &r->from);
	if (has(r, RULE_TO))
		put_prefix(w, FRA_DST, RULE_TO, &r->to);
	if (has(r, RULE_IIF)) {
		nl_origin(w, &rule_fields[RULE_IIF]);
		nl_put_text(w, FRA_IIFNAME, r->iif);
	}
	if (has(r, RULE_OIF)) {
		nl_origin(w, &rule_fields[RULE_OIF]);
		nl_put_text(w, FRA_OIFNAME, r->oif);
	}
	if (has(r, RULE_FWMARK)) {
		put_number(w, FRA_FWMARK, RULE_FWMARK, r->fwmark.value);
		put_number(w, FRA_FWMASK, RULE_FWMARK, r->fwmark.mask);
	}
	if (has(r, RULE_IP_PROTOCOL)) {
		nl_origin(w, &rule_fields[RULE_IP_PROTOCOL]);
		nl_put_u8(w, FRA_IP_PROTO, (uint8_t)r->ip_protocol);
	}
	if (has(r, RULE_SOURCE_PORT))
		put_ports(w, FRA_SPORT_RANGE, RULE_SOURCE_PORT, &r->source_port);
	if (has(r, RULE_DESTINATION_PORT))
		put_ports(w, FRA_DPORT_RANGE, RULE_DESTINATION_PORT, &r->destination_port);
	if (has(r, RULE_UID_RANGE)) {
		nl_origin(w, &rule_fields[RULE_UID_RANGE]);
		nl_put(w, FRA_UID_RANGE, &(struct fib_rule_uid_range){ r->uid_range.first, r->uid_range.last },
		       sizeof(struct fib_rule_uid_range));
	}
}

static void put_action(struct nl_writer *w, const struct rule *r) {
	if (r->type == FR_ACT_TO_TBL && !r->l3mdev)
		put_number(w, FRA_TABLE, RULE_TABLE, r->table);
	if (r->l3mdev) {
		nl_origin(w, &rule_fields[RULE_L3MDEV]);
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
int rule_encode(struct encode *encode, const struct change *change) {
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
	r->object.set |= RULE_ACTION | field_bit(RULE_PROTOCOL) | field_bit(RULE_STATE);
}

static bool covers_all(const struct nlattr *attr) {
	return mnl_attr_get_payload_len(attr) == sizeof(uint16_t) && mnl_attr_get_u16(attr) == UINT16_MAX;
}

/* Does the rule have selectors that topod does not know: of newer kernels, a tunnel id, realms? Since Linux 6.15 a
 * single port comes with a mask of all bits (FRA_SPORT_MASK and FRA_DPORT_MASK, include/uapi/linux/fib_rules.h, which older
 * headers lack); this does not count. */
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

/* If the file has no priority, the event's priority does not show which declared rule it is about, so all rules of the
 * namespace are scanned. */
static enum about about(const struct event *event _unused_, struct hint *ret) {
	ret->type = HINT_CLASS;
	ret->class = &class_rule;
	return ABOUT_HINT;
}

const struct source source_rule = {
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
