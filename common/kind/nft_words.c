/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a rule of the kernel's table to words: the opposite of nft_rule.c.
 *
 * Only the shapes that nft_rule.c writes are recognised, and not all of each is checked: nft_export.c compiles the words and
 * compares the result with the table.
 */
#include "kind/nft_words.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <net/if.h>

#include "kind/nft_value.h"

enum {
	EXPRS_MAX = 160, /* more than the largest rule has */
	ATTRS_MAX = 9,
	DATA_MAX = 128,
	REGS = 8,
};

struct data {
	size_t n;
	uint8_t bytes[DATA_MAX];
};

/* An expression as nft_text.c prints it: "meta dreg 1 key 6". */
struct expr {
	const char *name;
	size_t n;
	struct {
		const char *name, *value;
	} attrs[ATTRS_MAX];
};

struct reader {
	struct arena *arena;
	struct nft_rule_words *words;
	size_t n, at;
	struct expr exprs[EXPRS_MAX];
	struct data regs[REGS]; /* what `immediate` has put there */
	uint8_t protocol;       /* the one that is matched */
};

/* Reading the text. */

/* A verdict is "data verdict 1", or "data verdict -3 to 61". */
static bool read_expr(char *text, struct expr *ret) {
	char *word;

	*ret = (struct expr){ .name = strsep(&text, " ") };
	while ((word = strsep(&text, " "))) {
		if (ret->n == ATTRS_MAX)
			return false;
		if (streq(word, "data") && text && startswith(text, "verdict "))
			continue;
		ret->attrs[ret->n].name = word;
		ret->attrs[ret->n++].value = strsep(&text, " ");
	}
	return true;
}

static bool read_exprs(struct reader *r, const char *rule) {
	char *rest = arena_strdup(r->arena, rule), *text;

	while ((text = strsep(&rest, ";"))) {
		text += strspn(text, " ");
		if (streq(text, "\n"))
			return true;
		if (r->n == EXPRS_MAX || !read_expr(text, &r->exprs[r->n++]))
			return false;
	}
	return false;
}

static const char *attr(const struct expr *expr, const char *name) {
	for (size_t i = 0; i < expr->n; i++)
		if (streq(expr->attrs[i].name, name))
			return expr->attrs[i].value;
	return NULL;
}

/* 0 if it is absent, as in the text. */
static uint64_t number(const struct expr *expr, const char *name) {
	const char *text = attr(expr, name);

	return text ? strtoull(text, NULL, 10) : 0;
}

static struct data data(const struct expr *expr, const char *name) {
	const char *text = attr(expr, name);
	struct data data = {};
	unsigned byte;

	for (; text && data.n < DATA_MAX && sscanf(text, "%2x", &byte) == 1; text += 2)
		data.bytes[data.n++] = (uint8_t)byte;
	return data;
}

static uint32_t host_u32(struct data data) {
	uint32_t value = 0;

	memcpy(&value, data.bytes, MIN(data.n, sizeof(value)));
	return value;
}

static uint16_t port(struct data data) {
	return (uint16_t)(data.bytes[0] << 8 | data.bytes[1]);
}

/* The next expression, if it has this name. */
static const struct expr *next(struct reader *r, const char *name) {
	return r->at < r->n && streq(r->exprs[r->at].name, name) ? &r->exprs[r->at++] : NULL;
}

/* Matches. */

static bool add_item(struct reader *r, enum nft_part_of_match part, bool negated, const char *item) {
	struct nft_words *words = &r->words->match[part];
	const char **items = arena_newn(r->arena, const char *, words->n + 1);

	if (words->n && (!negated || !words->negated))
		return false;
	if (words->n)
		memcpy(items, words->items, words->n * sizeof(*items));
	items[words->n] = item;
	*words = (struct nft_words){ .negated = negated, .n = words->n + 1, .items = items };
	return true;
}

static bool add_text(struct reader *r, enum nft_part_of_match part, bool negated, const struct text *text) {
	return add_item(r, part, negated, arena_strdup(r->arena, text_str(text)));
}

/* A comparison for being equal or not. */
static bool read_cmp(struct reader *r, bool *ret_negated, struct data *ret) {
	const struct expr *cmp = next(r, "cmp");

	if (!cmp || number(cmp, "op") > NFT_CMP_NEQ)
		return false;
	*ret_negated = number(cmp, "op") == NFT_CMP_NEQ;
	*ret = data(cmp, "data");
	return true;
}

static bool read_link(struct reader *r, enum nft_part_of_match part) {
	char name[IFNAMSIZ + 2] = {};
	struct data data;
	bool negated;

	if (!read_cmp(r, &negated, &data) || data.n > IFNAMSIZ)
		return false;
	memcpy(name, data.bytes, data.n);
	if (data.n < IFNAMSIZ)
		name[data.n] = '*';
	return add_item(r, part, negated, arena_strdup(r->arena, name));
}

static bool read_family(struct reader *r) {
	struct data data;
	bool negated;

	if (!read_cmp(r, &negated, &data) || negated)
		return false;
	r->words->family = data.bytes[0] == NFPROTO_IPV4 ? AF_INET : AF_INET6;
	return true;
}

static bool read_protocol(struct reader *r) {
	_cleanup_text_ struct text text = {};
	struct data data;
	bool negated;

	if (!read_cmp(r, &negated, &data))
		return false;
	r->protocol = data.bytes[0];
	nft_print_protocol(data.bytes[0], &text);
	return add_text(r, NFT_WORD_PROTOCOL, negated, &text);
}

static const char *mark_text(struct reader *r, uint32_t value, uint32_t mask) {
	_cleanup_text_ struct text text = {};

	type_fwmark.print(NULL, &(struct fwmark){ value, mask }, &text);
	return arena_strdup(r->arena, text_str(&text));
}

/* A mark that is loaded is matched, or changed in part. */
static bool read_mark(struct reader *r) {
	const struct expr *bitwise = next(r, "bitwise");
	uint32_t mask = bitwise ? host_u32(data(bitwise, "mask")) : UINT32_MAX;
	struct data data_;
	bool negated;

	if (bitwise && next(r, "meta")) {
		r->words->mark = mark_text(r, host_u32(data(bitwise, "xor")), ~mask);
		return true;
	}
	return read_cmp(r, &negated, &data_) && add_item(r, NFT_WORD_FWMARK, negated, mark_text(r, host_u32(data_), mask));
}

static bool read_meta(struct reader *r, const struct expr *expr) {
	uint64_t key = number(expr, "key");

	if (attr(expr, "sreg")) {
		r->words->mark = mark_text(r, host_u32(r->regs[NFT_REG_1]), UINT32_MAX);
		return key == NFT_META_MARK;
	}
	switch (key) {
	case NFT_META_IIFNAME:
		return read_link(r, NFT_WORD_IN);
	case NFT_META_OIFNAME:
		return read_link(r, NFT_WORD_OUT);
	case NFT_META_NFPROTO:
		return read_family(r);
	case NFT_META_L4PROTO:
		return read_protocol(r);
	case NFT_META_MARK:
		return read_mark(r);
	}
	return false;
}

static bool read_prefix(struct reader *r, const struct expr *payload) {
	struct prefix prefix = { .address.family = r->words->family, .length = (uint8_t)(number(payload, "len") * 8) };
	bool source = number(payload, "offset") == (r->words->family == AF_INET ? 12 : 8), negated;
	const struct expr *bitwise = next(r, "bitwise");
	struct data mask = bitwise ? data(bitwise, "mask") : (struct data){}, address;
	_cleanup_text_ struct text text = {};
	char buf[PREFIX_TEXT_MAX];

	if (!r->words->family || !read_cmp(r, &negated, &address) || address.n > sizeof(prefix.address.bytes))
		return false;
	memcpy(prefix.address.bytes, address.bytes, address.n);
	if (bitwise)
		prefix.length = 0;
	for (size_t i = 0; i < mask.n; i++)
		prefix.length = (uint8_t)(prefix.length + __builtin_popcount(mask.bytes[i]));
	text_add(&text, prefix.length == ip_bits(prefix.address.family) ? ip_format(&prefix.address, buf)
									: prefix_format(&prefix, buf));
	return add_text(r, source ? NFT_WORD_SOURCE : NFT_WORD_DESTINATION, negated, &text);
}

static bool read_ports(struct reader *r, enum nft_part_of_match part) {
	const struct expr *range = next(r, "range"), *first = range ? range : next(r, "cmp"), *last = first;
	_cleanup_text_ struct text text = {};

	if (!range && first && number(first, "op") == NFT_CMP_GTE)
		last = next(r, "cmp");
	if (!first || !last)
		return false;
	nft_print_ports(port(data(first, range ? "from" : "data")), port(data(last, range ? "to" : "data")), &text);
	return add_text(r, part, range || number(first, "op") == NFT_CMP_NEQ, &text);
}

static bool read_icmp(struct reader *r, uint64_t size) {
	_cleanup_text_ struct text text = {};
	struct data data;
	bool negated;

	if (!read_cmp(r, &negated, &data))
		return false;
	nft_print_icmp(r->protocol, data.bytes[0], size == 1 ? -1 : data.bytes[1], &text);
	return add_text(r, NFT_WORD_ICMP_TYPE, negated, &text);
}

static bool read_flags(struct reader *r) {
	const struct expr *bitwise = next(r, "bitwise");
	_cleanup_text_ struct text text = {};
	struct data set;
	bool negated;

	if (!bitwise || !read_cmp(r, &negated, &set) || negated || r->words->syn)
		return false;
	type_nft_tcp_flags.print(NULL, &(struct nft_flags){ set.bytes[0], data(bitwise, "mask").bytes[0] }, &text);
	*(r->words->flags ? &r->words->syn : &r->words->flags) = arena_strdup(r->arena, text_str(&text));
	return true;
}

static bool read_payload(struct reader *r, const struct expr *expr) {
	uint64_t offset = number(expr, "offset"), size = number(expr, "len");

	if (number(expr, "base") == NFT_PAYLOAD_NETWORK_HEADER)
		return read_prefix(r, expr);
	if (offset == 13)
		return read_flags(r);
	if (offset == 2)
		return read_ports(r, NFT_WORD_PORT);
	return r->protocol == IPPROTO_ICMP || r->protocol == IPPROTO_ICMPV6 ? read_icmp(r, size)
									    : read_ports(r, NFT_WORD_SOURCE_PORT);
}

static bool read_ct(struct reader *r, const struct expr *expr) {
	const struct expr *bitwise = next(r, "bitwise");
	uint32_t bits = bitwise ? host_u32(data(bitwise, "mask")) : 0;
	struct nft_words *states = &r->words->match[NFT_WORD_STATE];
	struct data none;
	bool any;

	if (!bitwise || !read_cmp(r, &any, &none))
		return false;
	r->words->translated |= number(expr, "key") == NFT_CT_STATUS;
	for (size_t i = 0; i < 32 && number(expr, "key") == NFT_CT_STATE; i++) {
		const char *name = bits >> i & 1 ? nft_state_name(UINT32_C(1) << i) : NULL;

		states->negated = true; /* so that add_item() takes several */
		if ((bits >> i & 1) && !(name && add_item(r, NFT_WORD_STATE, true, name)))
			return false;
	}
	states->negated = !any;
	return true;
}

/* Statements. */

static bool read_verdict(struct reader *r, const struct expr *expr) {
	struct data chain = data(expr, "to");

	switch ((int)strtol(attr(expr, "verdict"), NULL, 10)) {
	case NF_ACCEPT:
		r->words->action = "accept";
		return true;
	case NF_DROP: /* 0 */
		r->words->action = "drop";
		return true;
	case NFT_RETURN:
		r->words->action = "return";
		return true;
	case NFT_JUMP:
		r->words->action = "jump";
		r->words->chain =
			arena_strndup(r->arena, (const char *)chain.bytes, strnlen((const char *)chain.bytes, chain.n));
		return true;
	}
	return false;
}

static bool read_immediate(struct reader *r, const struct expr *expr) {
	uint64_t reg = number(expr, "dreg");

	if (attr(expr, "verdict"))
		return read_verdict(r, expr);
	if (reg >= REGS)
		return false;
	r->regs[reg] = data(expr, "data");
	return true;
}

static bool read_limit(struct reader *r, const struct expr *expr) {
	const struct nft_limit limit = { (uint32_t)number(expr, "rate"), (uint32_t)number(expr, "unit"),
					 (uint32_t)number(expr, "burst") };
	_cleanup_text_ struct text text = {};

	type_nft_limit.print(NULL, &limit, &text);
	r->words->limit = arena_strdup(r->arena, text_str(&text));
	r->words->over = number(expr, "flags") & NFT_LIMIT_F_INV;
	return number(expr, "type") == NFT_LIMIT_PKTS;
}

static bool read_log(struct reader *r, const struct expr *expr) {
	struct data prefix = data(expr, "prefix");

	r->words->log = true;
	r->words->log_level = (uint32_t)number(expr, "level");
	if (prefix.n > 1)
		r->words->log_prefix =
			arena_strndup(r->arena, (const char *)prefix.bytes, strnlen((const char *)prefix.bytes, prefix.n));
	return true;
}

/* The number in the register, or the path's. */
static bool read_clamp(struct reader *r) {
	uint16_t size = port(r->regs[NFT_REG_1]);

	r->words->clamp = size ? arena_printf(r->arena, "%u", size) : "pmtu";
	return true;
}

static uint8_t network_length(const struct ip *first, const struct ip *last) {
	uint8_t length = 0;

	while (length < ip_bits(first->family) &&
	       !((first->bytes[length / 8] ^ last->bytes[length / 8]) >> (7 - length % 8) & 1))
		length++;
	return length;
}

static bool read_address(const struct reader *r, uint8_t family, uint64_t reg, struct ip *ret) {
	const struct data *data = reg < REGS ? &r->regs[reg] : NULL;

	return !reg || (data && ip_from_bytes(family, data->bytes, data->n, ret) == 0);
}

static bool read_target(struct reader *r, const struct expr *expr) {
	uint8_t family = number(expr, "family") == NFPROTO_IPV6 ? AF_INET6 : AF_INET;
	uint64_t flags = number(expr, "flags"), first = number(expr, "port"), last = number(expr, "last-port");
	_cleanup_text_ struct text text = {};
	struct nft_target to = {};
	char buf[IP_TEXT_MAX];

	if (first >= REGS || last >= REGS || !read_address(r, family, number(expr, "address"), &to.first) ||
	    !read_address(r, family, number(expr, "last-address"), &to.last))
		return false;
	to.first_port = first ? port(r->regs[first]) : 0;
	to.last_port = last ? port(r->regs[last]) : 0;
	to.network = flags & NF_NAT_RANGE_NETMAP;
	to.length = to.network ? network_length(&to.first, &to.last) : 0;
	r->words->random = flags & NF_NAT_RANGE_PROTO_RANDOM;
	r->words->persistent = flags & NF_NAT_RANGE_PERSISTENT;
	type_nft_target.print(NULL, &to, &text);
	if (text.size)
		r->words->to = arena_strdup(r->arena, text.data);
	if (to.first.family && ip_equal(&to.first, &to.last))
		r->words->address = arena_strdup(r->arena, ip_format(&to.first, buf));
	if (streq(expr->name, "nat"))
		r->words->action = to.network ? "netmap" : number(expr, "type") == NFT_NAT_DNAT ? "dnat" : "snat";
	else
		r->words->action = streq(expr->name, "masq") ? "masquerade" : "redirect";
	return true;
}

static bool read_one(struct reader *r) {
	const struct expr *expr = &r->exprs[r->at++];
	const char *name = expr->name;

	if (streq(name, "meta"))
		return read_meta(r, expr);
	if (streq(name, "payload"))
		return read_payload(r, expr);
	if (streq(name, "ct"))
		return read_ct(r, expr);
	if (streq(name, "immediate"))
		return read_immediate(r, expr);
	if (streq(name, "limit"))
		return read_limit(r, expr);
	if (streq(name, "log"))
		return read_log(r, expr);
	if (streq(name, "exthdr"))
		return read_clamp(r);
	if (streq(name, "nat") || streq(name, "masq") || streq(name, "redir"))
		return read_target(r, expr);
	r->words->to_local |= streq(name, "fib") && next(r, "cmp");
	r->words->counter |= streq(name, "counter");
	if (streq(name, "reject"))
		r->words->action = "reject";
	return streq(name, "fib") || streq(name, "counter") || streq(name, "reject") || streq(name, "rt") ||
	       streq(name, "byteorder");
}

/* A family that is matched without an address is that of a prefix with all addresses. */
static void add_any_address(struct reader *r) {
	if (r->words->family && !r->words->match[NFT_WORD_SOURCE].n && !r->words->match[NFT_WORD_DESTINATION].n)
		add_item(r, NFT_WORD_SOURCE, false, r->words->family == AF_INET ? "0.0.0.0/0" : "::/0");
}

bool nft_read_words(struct arena *arena, const char *rule, struct nft_rule_words *ret) {
	struct reader r = { .arena = arena, .words = ret };

	*ret = (struct nft_rule_words){};
	if (!read_exprs(&r, rule))
		return false;
	while (r.at < r.n)
		if (!read_one(&r))
			return false;
	add_any_address(&r);
	if (ret->clamp && ret->syn) /* the last test of flags is its own */
		ret->syn = NULL;
	else if (ret->clamp)
		ret->flags = NULL;
	return !ret->syn;
}
