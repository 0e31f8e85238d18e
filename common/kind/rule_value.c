/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The types of a policy rule's values. Each can be read again as it is printed, because the ledger stores the printed
 * form.
 */
#include "kind/rule.h"

static bool selector_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	struct selector *selector = value;
	const char *text = parse_scalar(p, field, node), *rest = text ? startswith(text, "not ") : NULL;
	struct node inner = *node;

	if (rest) {
		inner.text = rest + strspn(rest, " ");
		inner.n = strlen(inner.text);
		selector->inverted = true;
	}
	return text && type_network.parse(p, field, &inner, &selector->prefix);
}

static void selector_print(const struct field *field, const void *value, struct text *out) {
	const struct selector *selector = value;

	text_add(out, selector->inverted ? "not " : "");
	type_network.print(field, &selector->prefix, out);
}

static bool selector_equal(const void *a, const void *b) {
	const struct selector *x = a, *y = b;

	return prefix_equal(&x->prefix, &y->prefix) && x->inverted == y->inverted;
}

const struct type rule_selector = {
	.name = "prefix",
	.size = sizeof(struct selector),
	.parse = selector_parse,
	.print = selector_print,
	.equal = selector_equal,
};

static bool pair_equal(const void *a, const void *b) {
	return memcmp(a, b, 2 * sizeof(uint32_t)) == 0;
}

/* Two numbers with a separator; a single one leaves *ret_second as it is. */
static bool parse_pair(struct parse *p, const struct field *field, const struct node *node, char sign, uint32_t *ret_first,
		       uint32_t *ret_second, bool *ret_both) {
	const char *text = parse_scalar(p, field, node), *at = text ? strchr(text, sign) : NULL;
	const char *first = at ? arena_strndup(p->arena, text, (size_t)(at - text)) : text;

	*ret_both = at;
	return text && parse_u32(first, ret_first) == 0 && (!at || parse_u32(at + 1, ret_second) == 0);
}

static bool range_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	size_t errors = p->diags->n_errors;
	struct range range = {};
	bool both, good = parse_pair(p, field, node, '-', &range.first, &range.last, &both);

	if (good && !both)
		range.last = range.first;
	if (good && range.first <= range.last && range.first >= field->min && range.last <= field->max) {
		*(struct range *)value = range;
		return true;
	}
	if (p->diags->n_errors == errors)
		diag_error(p->diags, node->position,
			   "'%s' takes a number from %u to %u, or a range such as 1000-2000, not '%s'", field->name,
			   field->min, field->max, node->text);
	return false;
}

static void range_print(const struct field *field _unused_, const void *value, struct text *out) {
	const struct range *range = value;

	text_addf(out, "%u", range->first);
	if (range->last != range->first)
		text_addf(out, "-%u", range->last);
}

const struct type rule_range = {
	.name = "range",
	.schema = "{\"type\": [\"string\", \"integer\"]}",
	.size = sizeof(struct range),
	.parse = range_parse,
	.print = range_print,
	.equal = pair_equal,
};

static const struct enum_name ip_protocols[] = {
	{ "icmp", IPPROTO_ICMP },     { "tcp", IPPROTO_TCP },   { "udp", IPPROTO_UDP },
	{ "gre", IPPROTO_GRE },       { "esp", IPPROTO_ESP },   { "ah", IPPROTO_AH },
	{ "icmpv6", IPPROTO_ICMPV6 }, { "sctp", IPPROTO_SCTP }, {},
};

static bool ip_protocol_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	const char *text = parse_scalar(p, field, node);
	uint32_t number;

	for (const struct enum_name *name = ip_protocols; text && name->name; name++)
		if (streq(text, name->name)) {
			*(uint32_t *)value = name->value;
			return true;
		}
	if (text && parse_u32(text, &number) == 0 && number >= 1 && number <= UINT8_MAX) {
		*(uint32_t *)value = number;
		return true;
	}
	if (text)
		diag_error(
			p->diags, node->position,
			"unknown protocol '%s'; it is icmp, tcp, udp, gre, esp, ah, icmpv6, sctp or a number from 1 to 255",
			text);
	return false;
}

static void ip_protocol_print(const struct field *field _unused_, const void *value, struct text *out) {
	uint32_t number = *(const uint32_t *)value;

	for (const struct enum_name *name = ip_protocols; name->name; name++)
		if (name->value == number) {
			text_add(out, name->name);
			return;
		}
	text_addf(out, "%u", number);
}

static bool number_equal(const void *a, const void *b) {
	return *(const uint32_t *)a == *(const uint32_t *)b;
}

const struct type rule_ip_protocol = {
	.name = "protocol",
	.schema = "{\"type\": [\"string\", \"integer\"]}",
	.size = sizeof(uint32_t),
	.parse = ip_protocol_parse,
	.print = ip_protocol_print,
	.equal = number_equal,
};

/* A number, or `none`, for which the kernel has -1. */
static bool limit_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	if (node->type == NODE_SCALAR && streq(node->text, "none")) {
		*(uint32_t *)value = RULE_NO_LIMIT;
		return true;
	}
	return type_integer.parse(p, field, node, value);
}

static void limit_print(const struct field *field, const void *value, struct text *out) {
	if (*(const uint32_t *)value == RULE_NO_LIMIT)
		text_add(out, "none");
	else
		type_integer.print(field, value, out);
}

const struct type rule_limit = {
	.name = "integer",
	.schema = "{\"type\": [\"string\", \"integer\"]}",
	.size = sizeof(uint32_t),
	.parse = limit_parse,
	.print = limit_print,
	.equal = number_equal,
};
