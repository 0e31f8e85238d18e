/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The values that only rules of `filter` have: states of connections, types of ICMP, TCP flags, limits, logs.
 *
 * The words are nft's; those of iptables for the same types of ICMP are read too.
 */
#include "kind/nft_value.h"

#include <linux/netfilter/nf_conntrack_common.h>

/* States of connections. */

static const struct enum_name states[] = {
	{ "new", NF_CT_STATE_BIT(IP_CT_NEW) },         { "established", NF_CT_STATE_BIT(IP_CT_ESTABLISHED) },
	{ "related", NF_CT_STATE_BIT(IP_CT_RELATED) }, { "invalid", NF_CT_STATE_INVALID_BIT },
	{ "untracked", NF_CT_STATE_UNTRACKED_BIT },    {},
};

static bool word_unknown(struct parse *p, const struct node *node, const struct enum_name *names, const char *what,
			 const char *text) {
	struct suggestion near = suggest_for(text);
	_cleanup_text_ struct text all = {};

	text_add(&all, "it is one of: ");
	for (const struct enum_name *name = names; name->name; name++) {
		suggest(&near, name->name);
		text_addf(&all, "%s%s", name == names ? "" : ", ", name->name);
	}
	diag_unknown(p->diags, node->position, &near, text_str(&all), "unknown %s '%s'", what, text);
	return false;
}

static bool word_find(const struct enum_name *names, const char *text, uint32_t *ret) {
	for (; names->name; names++)
		if (streq(text, names->name)) {
			*ret = names->value;
			return true;
		}
	return false;
}

static bool state_item_parse(struct parse *p, const struct field *field _unused_, const struct node *node, const char *text,
			     struct nft_item *ret) {
	if (word_find(states, text, &ret->state))
		return true;
	if (strchr(text, ',')) {
		diag_error(p->diags, node->position, "several states are a list: [%s]", text);
		return false;
	}
	return word_unknown(p, node, states, "state", text);
}

const char *nft_state_name(uint32_t bit) {
	for (const struct enum_name *name = states; name->name; name++)
		if (name->value == bit)
			return name->name;
	return NULL;
}

static void state_item_print(const struct nft_item *item, struct text *out) {
	text_add(out, nft_state_name(item->state));
}

static bool state_item_equal(const struct nft_item *a, const struct nft_item *b) {
	return a->state == b->state;
}

static const struct nft_item_type state_items = { state_item_parse, state_item_print, state_item_equal, state_item_equal };

static bool states_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	return nft_match_parse(p, field, node, value, &state_items);
}

#define SCHEMA_STATE "{\"enum\": [\"new\", \"established\", \"related\", \"invalid\", \"untracked\"]}"
const struct type type_nft_states = NFT_MATCH_TYPE("state", NFT_SCHEMA_LIST(SCHEMA_STATE), states_parse);

/* Types of ICMP and ICMPv6: https://www.iana.org/assignments/icmp-parameters and icmpv6-parameters. */

static const struct icmp_name {
	const char *name;
	int16_t icmp, icmp6;
} icmp_names[] = {
	{ "echo-request", 8, 128 },
	{ "echo-reply", 0, 129 },
	{ "destination-unreachable", 3, 1 },
	{ "packet-too-big", -1, 2 },
	{ "time-exceeded", 11, 3 },
	{ "parameter-problem", 12, 4 },
	{ "redirect", 5, 137 },
	{ "source-quench", 4, -1 },
	{ "router-solicitation", 10, 133 },
	{ "router-advertisement", 9, 134 },
	{ "timestamp-request", 13, -1 },
	{ "timestamp-reply", 14, -1 },
	{ "address-mask-request", 17, -1 },
	{ "address-mask-reply", 18, -1 },
	{ "mld-listener-query", -1, 130 },
	{ "mld-listener-report", -1, 131 },
	{ "mld-listener-done", -1, 132 },
	{ "mld2-listener-report", -1, 143 },
	{ "nd-router-solicit", -1, 133 },
	{ "nd-router-advert", -1, 134 },
	{ "nd-neighbor-solicit", -1, 135 },
	{ "nd-neighbor-advert", -1, 136 },
	{ "nd-redirect", -1, 137 },
	{ "neighbor-solicitation", -1, 135 },
	{ "neighbour-solicitation", -1, 135 },
	{ "neighbor-advertisement", -1, 136 },
	{ "neighbour-advertisement", -1, 136 },
};

static bool icmp_number(struct parse *p, const char *text, struct nft_item *ret) {
	const char *slash = strchr(text, '/');
	uint32_t type, code = 0;

	if (parse_u32(slash ? arena_strndup(p->arena, text, (size_t)(slash - text)) : text, &type) < 0 || type > UINT8_MAX ||
	    (slash && (parse_u32(slash + 1, &code) < 0 || code > UINT8_MAX)))
		return false;
	ret->icmp = ret->icmp6 = (int16_t)type;
	ret->code = slash ? (int16_t)code : -1;
	return true;
}

static bool icmp_item_parse(struct parse *p, const struct field *field _unused_, const struct node *node, const char *text,
			    struct nft_item *ret) {
	struct suggestion near = suggest_for(text);

	ret->word = arena_strdup(p->arena, text);
	ret->code = -1;
	for (size_t i = 0; i < ARRAY_SIZE(icmp_names); i++) {
		suggest(&near, icmp_names[i].name);
		if (streq(text, icmp_names[i].name)) {
			ret->icmp = icmp_names[i].icmp;
			ret->icmp6 = icmp_names[i].icmp6;
			return true;
		}
	}
	if (icmp_number(p, text, ret))
		return true;
	diag_unknown(p->diags, node->position, &near,
		     "it is a name such as echo-request, a number, or TYPE/CODE such as 3/1", "unknown ICMP type '%s'",
		     text);
	return false;
}

void nft_print_icmp(uint8_t protocol, uint8_t type, int16_t code, struct text *out) {
	for (size_t i = 0; i < ARRAY_SIZE(icmp_names) && code < 0; i++)
		if ((protocol == IPPROTO_ICMP ? icmp_names[i].icmp : icmp_names[i].icmp6) == type) {
			text_add(out, icmp_names[i].name);
			return;
		}
	text_addf(out, code < 0 ? "%u" : "%u/%d", type, code);
}

static void icmp_item_print(const struct nft_item *item, struct text *out) {
	text_add(out, item->word);
}

static bool icmp_item_covers(const struct nft_item *outer, const struct nft_item *inner) {
	return (inner->icmp < 0 || outer->icmp == inner->icmp) && (inner->icmp6 < 0 || outer->icmp6 == inner->icmp6) &&
	       (outer->code < 0 || outer->code == inner->code);
}

static bool icmp_item_meets(const struct nft_item *a, const struct nft_item *b) {
	return icmp_item_covers(a, b) || icmp_item_covers(b, a);
}

static const struct nft_item_type icmp_items = { icmp_item_parse, icmp_item_print, icmp_item_covers, icmp_item_meets };

static bool icmp_types_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	return nft_match_parse(p, field, node, value, &icmp_items);
}

const struct type type_nft_icmp_types = NFT_MATCH_TYPE(
	"ICMP type", NFT_SCHEMA_LIST("{\"type\": [\"string\", \"integer\"], \"minimum\": 0, \"maximum\": 255}"),
	icmp_types_parse);

/* TCP flags: RFC 9293 3.1, RFC 3168 6.1. */

static const struct enum_name tcp_flags[] = {
	{ "fin", 0x01 }, { "syn", 0x02 }, { "rst", 0x04 },
	{ "psh", 0x08 }, { "ack", 0x10 }, { "urg", 0x20 },
	{ "ecn", 0x40 }, { "cwr", 0x80 }, {},
};

static bool add_flag(struct parse *p, const struct field *field, const struct node *node, struct nft_flags *flags) {
	const char *text = parse_scalar(p, field, node), *rest = text ? startswith(text, "not ") : NULL;
	uint32_t bit;

	if (!text)
		return false;
	if (!word_find(tcp_flags, rest ? rest : text, &bit)) {
		if (!strpbrk(text, ",/&|"))
			return word_unknown(p, node, tcp_flags, "TCP flag", rest ? rest : text);
		diag_error(
			p->diags, node->position,
			"'%s' takes a list of flags, each as `syn` or `not ack`: iptables' --syn is [syn, not ack, not fin, "
			"not rst]",
			field->name);
		return false;
	}
	if (flags->mask & bit) {
		diag_error(p->diags, node->position, "'%s' has the flag '%s' twice", field->name, rest ? rest : text);
		return false;
	}
	flags->mask |= (uint8_t)bit;
	flags->set |= rest ? 0 : (uint8_t)bit;
	return true;
}

static bool tcp_flags_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	struct nft_flags flags = {};
	bool good = true;

	if (node->type == NODE_SEQUENCE && !node->n) {
		diag_error(p->diags, node->position, "'%s' is an empty list; leave it out to match everything", field->name);
		return false;
	}
	for (size_t i = 0; node->type == NODE_SEQUENCE && i < node->n; i++)
		good &= add_flag(p, field, node->items[i], &flags);
	if (node->type != NODE_SEQUENCE)
		good = add_flag(p, field, node, &flags);
	*(struct nft_flags *)value = flags;
	return good;
}

static void tcp_flags_print(const struct field *field _unused_, const void *value, struct text *out) {
	const struct nft_flags *flags = value;
	const char *separator = "[";

	for (const struct enum_name *name = tcp_flags; name->name; name++)
		if (flags->mask & name->value) {
			text_addf(out, "%s%s%s", separator, flags->set & name->value ? "" : "not ", name->name);
			separator = ", ";
		}
	text_add(out, "]");
}

#define SCHEMA_FLAG "{\"type\": \"string\"}"
const struct type type_nft_tcp_flags = {
	.name = "TCP flag",
	.schema = NFT_SCHEMA_LIST(SCHEMA_FLAG),
	.size = sizeof(struct nft_flags),
	.parse = tcp_flags_parse,
	.print = tcp_flags_print,
};

/* Limits: `10/minute`, `10/minute burst 20`. */

enum { BURST = 5 }; /* nft's, where none is given */

static const struct enum_name units[] = {
	{ "second", 1 },  { "sec", 1 },  { "s", 1 },       { "minute", 60 }, { "min", 60 },      { "m", 60 },
	{ "hour", 3600 }, { "h", 3600 }, { "day", 86400 }, { "d", 86400 },   { "week", 604800 }, {},
};

static bool limit_from_text(const char *text, struct nft_limit *ret) {
	unsigned rate, burst = BURST;
	char unit[8], end;
	int n = sscanf(text, "%9u/%7[a-z] burst %9u%c", &rate, unit, &burst, &end);

	if ((n != 2 && n != 3) || (n == 2 && strchr(text, ' ')) || !rate || !burst || *text == '-' || *text == '+')
		return false;
	*ret = (struct nft_limit){ .rate = rate, .burst = burst };
	/* The kernel has the time for a burst in nanoseconds (nft_limit_init()). */
	return word_find(units, unit, &ret->seconds) &&
	       burst <= INT64_MAX / (ret->seconds * UINT64_C(1000000000) / rate + 1);
}

static bool limit_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	const char *text = parse_scalar(p, field, node);

	if (!text)
		return false;
	if (limit_from_text(text, value))
		return true;
	diag_error(
		p->diags, node->position,
		"'%s' takes packets per second, minute, hour, day or week, such as 10/minute or 10/minute burst 20, not '%s'",
		field->name, text);
	return false;
}

static void limit_print(const struct field *field _unused_, const void *value, struct text *out) {
	const struct nft_limit *limit = value;
	const struct enum_name *unit = units;

	while (unit->name && unit->value != limit->seconds)
		unit++;
	text_addf(out, "%u/%s", limit->rate, unit->name);
	if (limit->burst != BURST)
		text_addf(out, " burst %u", limit->burst);
}

const struct type type_nft_limit = {
	.name = "limit",
	.size = sizeof(struct nft_limit),
	.parse = limit_parse,
	.print = limit_print,
};

/* Logs. */

enum {
	PREFIX_MAX = 127, /* NF_LOG_PREFIXLEN in linux/netfilter/nf_log.h, with the NUL */
	LOG_WARNING = 4,  /* the kernel's level, where none is given */
};

static const struct enum_name levels[] = {
	{ "emerg", 0 },  { "alert", 1 }, { "crit", 2 },  { "err", 3 }, { "warn", 4 },
	{ "notice", 5 }, { "info", 6 },  { "debug", 7 }, {},
};

static bool prefix_parse_text(struct parse *p, const struct field *field, const struct node *node, void *value) {
	if (!type_text.parse(p, field, node, value))
		return false;
	if (strlen(*(const char **)value) <= PREFIX_MAX)
		return true;
	diag_error(p->diags, node->position, "'%s' has %zu bytes; the kernel takes %d", field->name,
		   strlen(*(const char **)value), PREFIX_MAX);
	return false;
}

static const struct type type_prefix_text = { .name = "text", .size = sizeof(const char *), .parse = prefix_parse_text };

static const struct field log_fields[] = {
	{ .name = "prefix", .type = &type_prefix_text, .offset = offsetof(struct nft_log, prefix) },
	{ .name = "level", .type = &type_enum, .offset = offsetof(struct nft_log, level), .names = levels },
	{ .name = "limit", .type = &type_nft_limit, .offset = offsetof(struct nft_log, limit) },
};

static bool log_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	struct nft_log log = { .on = true, .level = LOG_WARNING };
	uint64_t set = 0;
	uint32_t on = 0;
	bool good;

	if (node->type == NODE_MAPPING) {
		good = fields_parse(p, node,
				    &(struct fields_parse){ .what = "'log'",
							    .fields = log_fields,
							    .n = ARRAY_SIZE(log_fields),
							    .base = &log,
							    .set = &set });
	} else if (node->type == NODE_SCALAR && node_is_bool_word(node)) {
		good = type_bool.parse(p, field, node, &on);
		log.on = on;
	} else {
		good = prefix_parse_text(p, field, node, &log.prefix);
	}
	*(struct nft_log *)value = log;
	return good;
}

void nft_print_log_level(uint32_t level, struct text *out) {
	if (level != LOG_WARNING && level + 1 < ARRAY_SIZE(levels))
		text_add(out, levels[level].name);
}

static void log_print(const struct field *field _unused_, const void *value, struct text *out) {
	const struct nft_log *log = value;

	if (!log->on) {
		text_add(out, "false");
		return;
	}
	text_addf(out, "\"%s\"", log->prefix ? log->prefix : "");
	if (log->level != LOG_WARNING)
		text_addf(out, " level %s", levels[log->level].name);
	if (log->limit.rate) {
		text_add(out, " limit ");
		limit_print(NULL, &log->limit, out);
	}
}

const struct type type_nft_log = {
	.name = "log",
	.schema =
		"{\"anyOf\": [{\"type\": [\"string\", \"boolean\"]}, {\"type\": \"object\", \"properties\": {"
		"\"prefix\": {\"type\": \"string\"}, \"limit\": {\"type\": \"string\"}, \"level\": {\"enum\": [\"emerg\", "
		"\"alert\", \"crit\", \"err\", \"warn\", \"notice\", \"info\", \"debug\"]}}, \"additionalProperties\": false}]}",
	.size = sizeof(struct nft_log),
	.parse = log_parse,
	.print = log_print,
};
