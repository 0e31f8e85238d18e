/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From an entry to a rule of nftables: its expressions.
 *
 * The expressions are those that nft writes for the same meaning, so that `nft list ruleset` shows a rule as a person
 * would have written it. There are no sets: a list becomes one rule for each combination of its items, and a list of
 * `not` items becomes a series of comparisons in one rule. So the table can be read back without reading sets and their
 * elements, at the price of a limit (see ruleset.h).
 *
 * The family of a matched address is tested first. The family of a translation's target is not tested, because the kernel
 * ignores packets of another family there.
 */
#include "kind/ruleset.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

/* Aborts if libnftnl has no expression of that name, or no memory (base.h). */
static struct nftnl_expr *add_expr(struct nftnl_rule *rule, const char *name) {
	struct nftnl_expr *expr = nftnl_expr_alloc(name);

	if (!expr)
		abort();
	nftnl_rule_add_expr(rule, expr);
	return expr;
}

static void load_meta(struct nftnl_rule *rule, uint32_t key) {
	struct nftnl_expr *expr = add_expr(rule, "meta");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_DREG, NFT_REG_1);
}

static void load_payload(struct nftnl_rule *rule, uint32_t base, uint32_t offset, uint32_t size) {
	struct nftnl_expr *expr = add_expr(rule, "payload");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_LEN, size);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1);
}

static void compare(struct nftnl_rule *rule, uint32_t op, const void *data, size_t size) {
	struct nftnl_expr *expr = add_expr(rule, "cmp");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CMP_OP, op);
	nftnl_expr_set(expr, NFTNL_EXPR_CMP_DATA, data, (uint32_t)size);
}

static struct nftnl_expr *mask_with(struct nftnl_rule *rule, const void *mask, uint32_t size) {
	struct nftnl_expr *expr = add_expr(rule, "bitwise");
	static const uint8_t zero[16];

	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_LEN, size);
	nftnl_expr_set(expr, NFTNL_EXPR_BITWISE_MASK, mask, size);
	nftnl_expr_set(expr, NFTNL_EXPR_BITWISE_XOR, zero, size);
	return expr;
}

static uint32_t equality(bool negated) {
	return negated ? NFT_CMP_NEQ : NFT_CMP_EQ;
}

/* Interfaces: the whole name with its padding, or only its first characters. */

static void match_link(struct nftnl_rule *rule, uint32_t key, const struct nft_item *item, bool negated) {
	size_t n = strlen(item->link);
	char name[IFNAMSIZ + 1] = {};

	memcpy(name, item->link, MIN(n, (size_t)IFNAMSIZ));
	load_meta(rule, key);
	compare(rule, equality(negated), name, n && item->link[n - 1] == '*' ? n - 1 : IFNAMSIZ);
}

static void match_in(struct nftnl_rule *rule, const struct nft_item *item, bool negated) {
	match_link(rule, NFT_META_IIFNAME, item, negated);
}

static void match_out(struct nftnl_rule *rule, const struct nft_item *item, bool negated) {
	match_link(rule, NFT_META_OIFNAME, item, negated);
}

/* Addresses. */

static void match_family(struct nftnl_rule *rule, uint8_t family) {
	uint8_t value = family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;

	load_meta(rule, NFT_META_NFPROTO);
	compare(rule, NFT_CMP_EQ, &value, sizeof(value));
}

static void apply_mask(struct nftnl_rule *rule, uint8_t length, uint32_t size) {
	uint8_t mask[16] = {};

	for (size_t bit = 0; bit < length; bit++)
		mask[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	mask_with(rule, mask, size);
}

/* Loads only the bytes of the prefix if it ends between two bytes. */
static void match_prefix(struct nftnl_rule *rule, uint32_t offset, const struct prefix *prefix, bool negated) {
	bool aligned = prefix->length % 8 == 0;
	uint32_t size = aligned ? prefix->length / 8 : (uint32_t)ip_size(prefix->address.family);

	if (!prefix->length)
		return;
	load_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, offset, size);
	if (!aligned)
		apply_mask(rule, prefix->length, size);
	compare(rule, equality(negated), prefix->address.bytes, size);
}

/* Offsets of the addresses: RFC 791 §3.1, RFC 8200 §3. */
static void match_source(struct nftnl_rule *rule, const struct nft_item *item, bool negated) {
	match_prefix(rule, item->prefix.address.family == AF_INET ? 12 : 8, &item->prefix, negated);
}

static void match_destination(struct nftnl_rule *rule, const struct nft_item *item, bool negated) {
	match_prefix(rule, item->prefix.address.family == AF_INET ? 16 : 24, &item->prefix, negated);
}

/* Protocols and ports. */

static void match_protocol(struct nftnl_rule *rule, const struct nft_item *item, bool negated) {
	load_meta(rule, NFT_META_L4PROTO);
	compare(rule, equality(negated), &item->protocol, sizeof(item->protocol));
}

static void exclude_range(struct nftnl_rule *rule, const uint16_t *first, const uint16_t *last) {
	struct nftnl_expr *expr = add_expr(rule, "range");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_RANGE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_RANGE_OP, NFT_RANGE_NEQ);
	nftnl_expr_set(expr, NFTNL_EXPR_RANGE_FROM_DATA, first, sizeof(*first));
	nftnl_expr_set(expr, NFTNL_EXPR_RANGE_TO_DATA, last, sizeof(*last));
}

static void match_ports(struct nftnl_rule *rule, uint32_t offset, const struct nft_item *item, bool negated) {
	uint16_t first = htons(item->first), last = htons(item->last);

	load_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, offset, sizeof(first));
	if (first == last) {
		compare(rule, equality(negated), &first, sizeof(first));
	} else if (negated) {
		exclude_range(rule, &first, &last);
	} else {
		compare(rule, NFT_CMP_GTE, &first, sizeof(first));
		compare(rule, NFT_CMP_LTE, &last, sizeof(last));
	}
}

static void match_source_port(struct nftnl_rule *rule, const struct nft_item *item, bool negated) {
	match_ports(rule, 0, item, negated);
}

static void match_port(struct nftnl_rule *rule, const struct nft_item *item, bool negated) {
	match_ports(rule, 2, item, negated);
}

/* Marks, in the byte order of the machine. */

static void match_mark(struct nftnl_rule *rule, const struct nft_item *item, bool negated) {
	load_meta(rule, NFT_META_MARK);
	if (item->mark.mask != UINT32_MAX)
		mask_with(rule, &item->mark.mask, sizeof(item->mark.mask));
	compare(rule, equality(negated), &item->mark.value, sizeof(item->mark.value));
}

/* Connections, ICMP, TCP flags. */

static void load_ct(struct nftnl_rule *rule, uint32_t key) {
	struct nftnl_expr *expr = add_expr(rule, "ct");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_KEY, key);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_DREG, NFT_REG_1);
}

/* Has the register any, or (negated) none, of the bits? */
static void test_bits(struct nftnl_rule *rule, uint32_t bits, bool negated) {
	const uint32_t none = 0;

	mask_with(rule, &bits, sizeof(bits));
	compare(rule, negated ? NFT_CMP_EQ : NFT_CMP_NEQ, &none, sizeof(none));
}

static void match_states(struct nftnl_rule *rule, const struct nft_match *match) {
	uint32_t bits = 0;

	for (size_t i = 0; i < match->n; i++)
		bits |= match->items[i].state;
	load_ct(rule, NFT_CT_STATE);
	test_bits(rule, bits, match->negated);
}

/* Type and code: RFC 792, RFC 4443. */
static void match_icmp(struct nftnl_rule *rule, uint8_t protocol, const struct nft_item *item, bool negated) {
	int16_t type = protocol == IPPROTO_ICMP ? item->icmp : item->icmp6;
	uint8_t bytes[2] = { (uint8_t)type, (uint8_t)item->code };
	uint32_t size = item->code < 0 ? 1 : 2;

	load_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 0, size);
	compare(rule, equality(negated), bytes, size);
}

/* The byte of flags in a TCP header: RFC 9293 3.1. */
static void match_tcp_flags(struct nftnl_rule *rule, struct nft_flags flags) {
	load_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1);
	mask_with(rule, &flags.mask, 1);
	compare(rule, NFT_CMP_EQ, &flags.set, 1);
}

/* What `hairpin` adds. */

static void match_local(struct nftnl_rule *rule) {
	const uint32_t local = RTN_LOCAL;
	struct nftnl_expr *expr = add_expr(rule, "fib");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_FIB_DREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR);
	compare(rule, NFT_CMP_EQ, &local, sizeof(local));
}

static void match_translated(struct nftnl_rule *rule) {
	load_ct(rule, NFT_CT_STATUS);
	test_bits(rule, IPS_DST_NAT, false);
}

/* Translations. */

static uint32_t load_value(struct nftnl_rule *rule, uint32_t *reg, const void *data, size_t size) {
	struct nftnl_expr *expr = add_expr(rule, "immediate");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_DREG, *reg);
	nftnl_expr_set(expr, NFTNL_EXPR_IMM_DATA, data, (uint32_t)size);
	return (*reg)++;
}

/* The registers with a target's values; 0: no value. */
struct target_regs {
	uint32_t first, last, first_port, last_port;
};

static struct target_regs load_target(struct nftnl_rule *rule, const struct nft_target *to) {
	uint16_t first_port = htons(to->first_port), last_port = htons(to->last_port);
	size_t size = ip_size(to->first.family);
	struct target_regs regs = {};
	uint32_t reg = NFT_REG_1;

	if (size)
		regs.first = load_value(rule, &reg, to->first.bytes, size);
	if (size && !ip_equal(&to->first, &to->last))
		regs.last = load_value(rule, &reg, to->last.bytes, size);
	if (first_port)
		regs.first_port = load_value(rule, &reg, &first_port, sizeof(first_port));
	if (first_port != last_port)
		regs.last_port = load_value(rule, &reg, &last_port, sizeof(last_port));
	return regs;
}

static void set_reg(struct nftnl_expr *expr, uint16_t attr, uint32_t reg) {
	if (reg)
		nftnl_expr_set_u32(expr, attr, reg);
}

static uint32_t nat_family(const struct nft_target *to) {
	switch (to->first.family) {
	case AF_INET:
		return NFPROTO_IPV4;
	case AF_INET6:
		return NFPROTO_IPV6;
	}
	return NFPROTO_INET;
}

static void set_flags(struct nftnl_expr *expr, uint16_t attr, const struct nft_entry *entry) {
	uint32_t flags =
		(entry->to.first_port ? NF_NAT_RANGE_PROTO_SPECIFIED : 0) | (entry->random ? NF_NAT_RANGE_PROTO_RANDOM : 0) |
		(entry->persistent ? NF_NAT_RANGE_PERSISTENT : 0) | (entry->action == NFT_NETMAP ? NF_NAT_RANGE_NETMAP : 0);

	if (flags)
		nftnl_expr_set_u32(expr, attr, flags);
}

static void translate_address(struct nftnl_rule *rule, const struct nft_entry *entry, enum nft_nat_types type) {
	struct target_regs regs = load_target(rule, &entry->to);
	struct nftnl_expr *expr = add_expr(rule, "nat");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_TYPE, type);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_FAMILY, nat_family(&entry->to));
	set_reg(expr, NFTNL_EXPR_NAT_REG_ADDR_MIN, regs.first);
	set_reg(expr, NFTNL_EXPR_NAT_REG_ADDR_MAX, regs.last);
	set_reg(expr, NFTNL_EXPR_NAT_REG_PROTO_MIN, regs.first_port);
	set_reg(expr, NFTNL_EXPR_NAT_REG_PROTO_MAX, regs.last_port);
	set_flags(expr, NFTNL_EXPR_NAT_FLAGS, entry);
}

/* To an address of the namespace itself: at most the ports are chosen. */
static void translate_ports(struct nftnl_rule *rule, const struct nft_entry *entry, const char *name, uint16_t first,
			    uint16_t last, uint16_t flags) {
	struct target_regs regs = load_target(rule, &entry->to);
	struct nftnl_expr *expr = add_expr(rule, name);

	set_reg(expr, first, regs.first_port);
	set_reg(expr, last, regs.last_port);
	set_flags(expr, flags, entry);
}

/* Statements of filters. */

static void verdict(struct nftnl_rule *rule, uint32_t code, const char *chain) {
	struct nftnl_expr *expr = add_expr(rule, "immediate");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_VERDICT, code);
	if (chain)
		nftnl_expr_set_str(expr, NFTNL_EXPR_IMM_CHAIN, chain);
}

/* What nft writes for `reject` in a table of both families. */
static void reject(struct nftnl_rule *rule) {
	struct nftnl_expr *expr = add_expr(rule, "reject");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_REJECT_TYPE, NFT_REJECT_ICMPX_UNREACH);
	nftnl_expr_set_u8(expr, NFTNL_EXPR_REJECT_CODE, NFT_REJECT_ICMPX_PORT_UNREACH);
}

/* Matches while the limit is not exceeded; inverted: while it is. */
static void limit(struct nftnl_rule *rule, const struct nft_limit *limit, bool inverted) {
	struct nftnl_expr *expr = add_expr(rule, "limit");

	nftnl_expr_set_u64(expr, NFTNL_EXPR_LIMIT_RATE, limit->rate);
	nftnl_expr_set_u64(expr, NFTNL_EXPR_LIMIT_UNIT, limit->seconds);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LIMIT_BURST, limit->burst);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LIMIT_FLAGS, inverted ? NFT_LIMIT_F_INV : 0);
}

static void write_log(struct nftnl_rule *rule, const struct nft_log *log) {
	struct nftnl_expr *expr = add_expr(rule, "log");

	if (log->prefix && *log->prefix)
		nftnl_expr_set_str(expr, NFTNL_EXPR_LOG_PREFIX, log->prefix);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LOG_LEVEL, log->level);
}

/* The bits of the mask are replaced. */
static void set_mark(struct nftnl_rule *rule, const struct fwmark *mark) {
	const uint32_t keep = ~mark->mask;
	struct nftnl_expr *expr;
	uint32_t reg = NFT_REG_1;

	if (keep) {
		load_meta(rule, NFT_META_MARK);
		expr = mask_with(rule, &keep, sizeof(keep));
		nftnl_expr_set(expr, NFTNL_EXPR_BITWISE_XOR, &mark->value, sizeof(mark->value));
	} else {
		load_value(rule, &reg, &mark->value, sizeof(mark->value));
	}
	expr = add_expr(rule, "meta");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_KEY, NFT_META_MARK);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_SREG, NFT_REG_1);
}

/* The option of the maximum segment size and its two bytes: RFC 9293 3.2. The kernel only lowers it. */
static void clamp_mss(struct nftnl_rule *rule, uint32_t mss) {
	const uint16_t value = htons((uint16_t)mss);
	uint32_t reg = NFT_REG_1;
	struct nftnl_expr *expr;

	if (mss == NFT_CLAMP_PMTU) {
		expr = add_expr(rule, "rt");
		nftnl_expr_set_u32(expr, NFTNL_EXPR_RT_KEY, NFT_RT_TCPMSS);
		nftnl_expr_set_u32(expr, NFTNL_EXPR_RT_DREG, NFT_REG_1);
		expr = add_expr(rule, "byteorder");
		nftnl_expr_set_u32(expr, NFTNL_EXPR_BYTEORDER_SREG, NFT_REG_1);
		nftnl_expr_set_u32(expr, NFTNL_EXPR_BYTEORDER_DREG, NFT_REG_1);
		nftnl_expr_set_u32(expr, NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_HTON);
		nftnl_expr_set_u32(expr, NFTNL_EXPR_BYTEORDER_LEN, sizeof(value));
		nftnl_expr_set_u32(expr, NFTNL_EXPR_BYTEORDER_SIZE, sizeof(value));
	} else {
		load_value(rule, &reg, &value, sizeof(value));
	}
	expr = add_expr(rule, "exthdr");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_EXTHDR_SREG, NFT_REG_1);
	nftnl_expr_set_u8(expr, NFTNL_EXPR_EXTHDR_TYPE, 2); /* TCPOPT_MAXSEG */
	nftnl_expr_set_u32(expr, NFTNL_EXPR_EXTHDR_OFFSET, 2);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_EXTHDR_LEN, sizeof(value));
	nftnl_expr_set_u32(expr, NFTNL_EXPR_EXTHDR_OP, NFT_EXTHDR_OP_TCPOPT);
}

static void act(struct nftnl_rule *rule, const struct nft_entry *entry) {
	switch ((enum nft_action)entry->action) {
	case NFT_MASQUERADE:
		translate_ports(rule, entry, "masq", NFTNL_EXPR_MASQ_REG_PROTO_MIN, NFTNL_EXPR_MASQ_REG_PROTO_MAX,
				NFTNL_EXPR_MASQ_FLAGS);
		break;
	case NFT_REDIRECT:
		translate_ports(rule, entry, "redir", NFTNL_EXPR_REDIR_REG_PROTO_MIN, NFTNL_EXPR_REDIR_REG_PROTO_MAX,
				NFTNL_EXPR_REDIR_FLAGS);
		break;
	case NFT_SNAT:
		translate_address(rule, entry, NFT_NAT_SNAT);
		break;
	case NFT_DNAT:
		translate_address(rule, entry, NFT_NAT_DNAT);
		break;
	case NFT_NETMAP:
		translate_address(rule, entry, nft_maps_destination(entry) ? NFT_NAT_DNAT : NFT_NAT_SNAT);
		break;
	case NFT_ACCEPT:
		verdict(rule, NF_ACCEPT, NULL);
		break;
	case NFT_DROP:
		verdict(rule, NF_DROP, NULL);
		break;
	case NFT_REJECT:
		reject(rule);
		break;
	case NFT_GO_ON:
		break;
	}
}

/* Entries. */

/* The parts of a match, in their order in a rule: the position of a port is only known once the protocol is. */
static const struct dimension {
	size_t offset;
	void (*match)(struct nftnl_rule *rule, const struct nft_item *item, bool negated);
	void (*match_all)(struct nftnl_rule *rule, const struct nft_match *match); /* all items in one rule */
	bool family;                                                               /* the address's family is tested first */
	bool protocol; /* the protocol, on which icmp-type depends */
} dimensions[] = {
	{ offsetof(struct nft_entry, state), .match_all = match_states },
	{ offsetof(struct nft_entry, in), match_in },
	{ offsetof(struct nft_entry, out), match_out },
	{ offsetof(struct nft_entry, fwmark), match_mark },
	{ offsetof(struct nft_entry, source), match_source, .family = true },
	{ offsetof(struct nft_entry, destination), match_destination, .family = true },
	{ offsetof(struct nft_entry, protocol), match_protocol, .protocol = true },
	{ offsetof(struct nft_entry, source_port), match_source_port },
	{ offsetof(struct nft_entry, port), match_port },
	{ offsetof(struct nft_entry, icmp_type), NULL },
};

static const struct nft_match *match_of(const struct nft_entry *entry, const struct dimension *dimension) {
	return (const void *)((const char *)entry + dimension->offset);
}

/* How many rules a match needs: a list of items spreads over rules, `not` items are all in each rule. */
static size_t spread_of(const struct nft_entry *entry, const struct dimension *dimension) {
	const struct nft_match *match = match_of(entry, dimension);

	return match->n && !match->negated && !dimension->match_all ? match->n : 1;
}

size_t nft_entry_n_rules(const struct nft_entry *entry) {
	size_t n = 1;

	for (size_t i = 0; i < ARRAY_SIZE(dimensions); i++)
		if (__builtin_mul_overflow(n, spread_of(entry, &dimensions[i]), &n))
			return SIZE_MAX;
	return n;
}

size_t nft_entry_n_not(const struct nft_entry *entry) {
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(dimensions); i++)
		if (match_of(entry, &dimensions[i])->negated)
			n += match_of(entry, &dimensions[i])->n;
	return n;
}

static void put_items(struct nftnl_rule *rule, const struct dimension *dimension, const struct nft_match *match,
		      size_t first, size_t n, uint8_t protocol) {
	for (size_t i = first; i < first + n; i++)
		if (dimension->match)
			dimension->match(rule, &match->items[i], match->negated);
		else
			match_icmp(rule, protocol, &match->items[i], match->negated);
}

/* The matches of the index-th combination of the items. */
static void put_matches(struct nftnl_rule *rule, const struct nft_entry *entry, size_t index) {
	static const struct nft_flags syn = { .set = 0x02, .mask = 0x06 }; /* SYN without RST */
	size_t left = nft_entry_n_rules(entry);
	bool family_known = false;
	uint8_t protocol = 0;

	for (size_t i = 0; i < ARRAY_SIZE(dimensions); i++) {
		const struct nft_match *match = match_of(entry, &dimensions[i]);
		size_t spread = spread_of(entry, &dimensions[i]);

		left /= spread;
		size_t choice = index / left;
		index %= left;
		if (!match->n)
			continue;
		if (dimensions[i].family && !family_known) {
			match_family(rule, entry->family);
			family_known = true;
		}
		if (dimensions[i].protocol)
			protocol = match->items[choice].protocol;
		if (dimensions[i].match_all)
			dimensions[i].match_all(rule, match);
		else
			put_items(rule, &dimensions[i], match, choice, match->negated ? match->n : 1, protocol);
	}
	if (entry->tcp_flags.mask)
		match_tcp_flags(rule, entry->tcp_flags);
	if (entry->clamp_mss)
		match_tcp_flags(rule, syn);
	if (entry->to_local)
		match_local(rule);
	if (entry->translated)
		match_translated(rule);
}

/* Adds everything that a rule does. */
static void put_statements(struct nftnl_rule *rule, const struct nft_entry *entry, bool logs) {
	if (entry->counter)
		add_expr(rule, "counter");
	if (logs && entry->log.on)
		write_log(rule, &entry->log);
	if (entry->mark.mask)
		set_mark(rule, &entry->mark);
	if (entry->clamp_mss)
		clamp_mss(rule, entry->clamp_mss);
	act(rule, entry);
}

struct nftnl_rule *nft_build_rule(const struct nft_step *step) {
	const struct nft_entry *entry = step->entry;
	struct nftnl_rule *rule = nftnl_rule_alloc();

	if (!rule)
		abort();
	switch (step->part) {
	case NFT_PART_WHOLE:
		put_matches(rule, entry, step->index);
		if (entry->limit.rate)
			limit(rule, &entry->limit, false);
		put_statements(rule, entry, true);
		break;
	case NFT_PART_JUMP:
		put_matches(rule, entry, step->index);
		verdict(rule, (uint32_t)NFT_JUMP, step->chain);
		break;
	case NFT_PART_OVER:
		limit(rule, &entry->limit, true);
		verdict(rule, (uint32_t)NFT_RETURN, NULL);
		break;
	case NFT_PART_LOG:
		limit(rule, &entry->log.limit, false);
		write_log(rule, &entry->log);
		break;
	case NFT_PART_REST:
		put_statements(rule, entry, !entry->log.limit.rate);
		break;
	}
	return rule;
}
