/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A rule's expressions as canonical text: equal rules give equal texts, no matter which program wrote them and which
 * kernel reports them.
 *
 * An absent attribute and a zero one mean the same, and the few defaults that kernels fill in are filled in here.
 * Attributes that are not in the table are ignored: a later kernel may add some to every answer, and a difference that
 * no repair can remove would be "repaired" forever.
 */
#include "kind/ruleset.h"

#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>

enum { MAX_ATTR = 15 };

struct known_attr {
	const char *name;
	uint16_t type;
	bool data; /* bytes, nested or not; else a number */
};

/* The expressions that nft_rule.c writes, and those that count. */
static const struct known_expr {
	const char *name;
	struct known_attr attrs[9]; /* ended by one without a name */
	/* Translations: the attributes with the registers of the ends of ranges, 0: none. */
	uint16_t address, last_address, port, last_port, flags;
} known_exprs[] = {
	{ "meta", { { "dreg", NFTA_META_DREG }, { "key", NFTA_META_KEY }, { "sreg", NFTA_META_SREG } } },
	{ "payload",
	  { { "dreg", NFTA_PAYLOAD_DREG },
	    { "base", NFTA_PAYLOAD_BASE },
	    { "offset", NFTA_PAYLOAD_OFFSET },
	    { "len", NFTA_PAYLOAD_LEN },
	    { "sreg", NFTA_PAYLOAD_SREG } } },
	{ "bitwise",
	  { { "sreg", NFTA_BITWISE_SREG },
	    { "dreg", NFTA_BITWISE_DREG },
	    { "len", NFTA_BITWISE_LEN },
	    { "op", NFTA_BITWISE_OP },
	    { "mask", NFTA_BITWISE_MASK, true },
	    { "xor", NFTA_BITWISE_XOR, true },
	    { "data", NFTA_BITWISE_DATA, true } } },
	{ "cmp", { { "sreg", NFTA_CMP_SREG }, { "op", NFTA_CMP_OP }, { "data", NFTA_CMP_DATA, true } } },
	{ "range",
	  { { "sreg", NFTA_RANGE_SREG },
	    { "op", NFTA_RANGE_OP },
	    { "from", NFTA_RANGE_FROM_DATA, true },
	    { "to", NFTA_RANGE_TO_DATA, true } } },
	{ "ct",
	  { { "dreg", NFTA_CT_DREG },
	    { "key", NFTA_CT_KEY },
	    { "direction", NFTA_CT_DIRECTION },
	    { "sreg", NFTA_CT_SREG } } },
	{ "fib", { { "dreg", NFTA_FIB_DREG }, { "result", NFTA_FIB_RESULT }, { "flags", NFTA_FIB_FLAGS } } },
	{ "immediate", { { "dreg", NFTA_IMMEDIATE_DREG }, { "data", NFTA_IMMEDIATE_DATA, true } } },
	{ "rt", { { "dreg", NFTA_RT_DREG }, { "key", NFTA_RT_KEY } } },
	{ "byteorder",
	  { { "sreg", NFTA_BYTEORDER_SREG },
	    { "dreg", NFTA_BYTEORDER_DREG },
	    { "op", NFTA_BYTEORDER_OP },
	    { "len", NFTA_BYTEORDER_LEN },
	    { "size", NFTA_BYTEORDER_SIZE } } },
	{ "exthdr",
	  { { "dreg", NFTA_EXTHDR_DREG },
	    { "sreg", NFTA_EXTHDR_SREG },
	    { "type", NFTA_EXTHDR_TYPE },
	    { "offset", NFTA_EXTHDR_OFFSET },
	    { "len", NFTA_EXTHDR_LEN },
	    { "flags", NFTA_EXTHDR_FLAGS },
	    { "op", NFTA_EXTHDR_OP } } },
	{ "limit",
	  { { "rate", NFTA_LIMIT_RATE },
	    { "unit", NFTA_LIMIT_UNIT },
	    { "burst", NFTA_LIMIT_BURST },
	    { "type", NFTA_LIMIT_TYPE },
	    { "flags", NFTA_LIMIT_FLAGS } } },
	{ "counter", {} }, /* its values change by themselves, as those of the following two */
	{ "last", {} },
	{ "quota", { { "bytes", NFTA_QUOTA_BYTES }, { "flags", NFTA_QUOTA_FLAGS } } },
	{ "log",
	  { { "level", NFTA_LOG_LEVEL },
	    { "group", NFTA_LOG_GROUP },
	    { "flags", NFTA_LOG_FLAGS },
	    { "snaplen", NFTA_LOG_SNAPLEN },
	    { "qthreshold", NFTA_LOG_QTHRESHOLD },
	    { "prefix", NFTA_LOG_PREFIX, true } } },
	{ "reject", { { "type", NFTA_REJECT_TYPE }, { "code", NFTA_REJECT_ICMP_CODE } } },
	{ "nat",
	  { { "type", NFTA_NAT_TYPE },
	    { "family", NFTA_NAT_FAMILY },
	    { "address", NFTA_NAT_REG_ADDR_MIN },
	    { "last-address", NFTA_NAT_REG_ADDR_MAX },
	    { "port", NFTA_NAT_REG_PROTO_MIN },
	    { "last-port", NFTA_NAT_REG_PROTO_MAX },
	    { "flags", NFTA_NAT_FLAGS } },
	  NFTA_NAT_REG_ADDR_MIN,
	  NFTA_NAT_REG_ADDR_MAX,
	  NFTA_NAT_REG_PROTO_MIN,
	  NFTA_NAT_REG_PROTO_MAX,
	  NFTA_NAT_FLAGS },
	{ "masq",
	  { { "port", NFTA_MASQ_REG_PROTO_MIN }, { "last-port", NFTA_MASQ_REG_PROTO_MAX }, { "flags", NFTA_MASQ_FLAGS } },
	  0,
	  0,
	  NFTA_MASQ_REG_PROTO_MIN,
	  NFTA_MASQ_REG_PROTO_MAX,
	  NFTA_MASQ_FLAGS },
	{ "redir",
	  { { "port", NFTA_REDIR_REG_PROTO_MIN }, { "last-port", NFTA_REDIR_REG_PROTO_MAX }, { "flags", NFTA_REDIR_FLAGS } },
	  0,
	  0,
	  NFTA_REDIR_REG_PROTO_MIN,
	  NFTA_REDIR_REG_PROTO_MAX,
	  NFTA_REDIR_FLAGS },
};

static const struct known_expr *find_known(const char *name) {
	for (size_t i = 0; name && i < ARRAY_SIZE(known_exprs); i++)
		if (streq(name, known_exprs[i].name))
			return &known_exprs[i];
	return NULL;
}

static void read_numbers(const struct known_expr *known, const struct nlattr *const *tb, uint64_t *numbers) {
	for (const struct known_attr *attr = known->attrs; attr->name; attr++)
		numbers[attr->type] = nl_get_number(tb[attr->type]);
}

/* A single value is also the end of its range, and flags say what a translation sets. Different kernels fill in different
 * parts of this. */
static void fill_defaults(const struct known_expr *known, uint64_t *numbers) {
	if (!known->flags)
		return;
	if (known->address && numbers[known->address]) {
		numbers[known->flags] |= NF_NAT_RANGE_MAP_IPS;
		if (!numbers[known->last_address])
			numbers[known->last_address] = numbers[known->address];
	}
	if (numbers[known->port]) {
		numbers[known->flags] |= NF_NAT_RANGE_PROTO_SPECIFIED;
		if (!numbers[known->last_port])
			numbers[known->last_port] = numbers[known->port];
	}
}

static void print_bytes(const struct nlattr *attr, struct text *out) {
	text_add_hex(out, mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
}

/* A value, or a verdict with the chain that it may name; a log's prefix is not in a nest. */
static void print_data(const struct known_expr *known, const struct nlattr *attr, struct text *out) {
	const struct nlattr *tb[NFTA_DATA_MAX + 1], *verdict[NFTA_VERDICT_MAX + 1];

	if (streq(known->name, "log")) {
		print_bytes(attr, out);
		return;
	}
	nl_parse_nested(attr, tb, NFTA_DATA_MAX);
	if (tb[NFTA_DATA_VALUE]) {
		print_bytes(tb[NFTA_DATA_VALUE], out);
		return;
	}
	nl_parse_nested(tb[NFTA_DATA_VERDICT], verdict, NFTA_VERDICT_MAX);
	text_addf(out, "verdict %d", (int32_t)ntohl(nl_get_u32(verdict[NFTA_VERDICT_CODE], 0)));
	if (verdict[NFTA_VERDICT_CHAIN]) {
		text_add(out, " to ");
		print_bytes(verdict[NFTA_VERDICT_CHAIN], out);
	}
}

static void print_known(const struct known_expr *known, const struct nlattr *nest, struct text *out) {
	const struct nlattr *tb[MAX_ATTR + 1];
	uint64_t numbers[MAX_ATTR + 1] = {};

	nl_parse_nested(nest, tb, MAX_ATTR);
	read_numbers(known, tb, numbers);
	fill_defaults(known, numbers);
	text_add(out, known->name);
	for (const struct known_attr *attr = known->attrs; attr->name; attr++) {
		bool there = attr->data ? tb[attr->type] != NULL : numbers[attr->type] != 0;

		if (!there)
			continue;
		text_add(out, " "); /* without printf(): this is much of what a scan of many rules costs */
		text_add(out, attr->name);
		text_add(out, " ");
		if (attr->data)
			print_data(known, tb[attr->type], out);
		else
			text_add_number(out, numbers[attr->type]);
	}
}

void nft_print_expressions(const struct nlattr *list, struct text *out) {
	const struct nlattr *tb[NFTA_EXPR_MAX + 1], *attr;

	if (!list)
		return;
	mnl_attr_for_each_nested(attr, list) {
		nl_parse_nested(attr, tb, NFTA_EXPR_MAX);
		const char *name = nl_get_text(tb[NFTA_EXPR_NAME]);
		const struct known_expr *known = find_known(name);

		text_add(out, "  ");
		if (known) {
			print_known(known, tb[NFTA_EXPR_DATA], out);
			text_add(out, ";");
			continue;
		}
		/* Only from a file in nft's language, whose text is made of the same kernel's reports: equal rules look the same. */
		text_add(out, "other ");
		if (name)
			text_add_hex(out, name, strlen(name));
		text_add(out, " ");
		if (tb[NFTA_EXPR_DATA])
			print_bytes(tb[NFTA_EXPR_DATA], out);
		text_add(out, ";");
	}
}
