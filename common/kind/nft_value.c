/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The values of a NAT entry: what is matched (prefixes, interfaces, protocols, ports), and the target.
 *
 * A match is an item or a list of items; `not` is written before an item or before the list. Either all items of a
 * match are negated or none are: "one of these" and "none of those" are two conditions, which need two entries.
 */
#include "kind/ruleset.h"

#define SCHEMA_ONE_OR_LIST(one) "{\"anyOf\": [" one ", {\"type\": \"array\", \"items\": " one ", \"minItems\": 1}]}"
#define SCHEMA_TEXTS SCHEMA_ONE_OR_LIST("{\"type\": \"string\"}")
#define SCHEMA_NUMBER "{\"type\": [\"string\", \"integer\"], \"minimum\": 1, \"maximum\": 65535}"
#define SCHEMA_NUMBERS SCHEMA_ONE_OR_LIST(SCHEMA_NUMBER)

/* One type of item. */
struct nat_item_type {
	/* False after an error was added. */
	bool (*parse)(struct parse *p, const struct field *field, const struct node *node, const char *text,
		      struct nat_item *ret);
	void (*print)(const struct nat_item *item, struct text *out);
	/* Does outer match everything that inner matches? Is there anything that both match? */
	bool (*covers)(const struct nat_item *outer, const struct nat_item *inner);
	bool (*meets)(const struct nat_item *a, const struct nat_item *b);
};

/* Lists of items. */

struct match_list {
	vec(struct nat_item) items;
	bool negated; /* of the first item */
	size_t n;     /* items seen, valid or not */
};

static void match_list_done(struct match_list *list) {
	vec_done(&list->items);
}

/* What follows the word `not` and white space; NULL: the text has no `not`. */
static const char *skip_not(const char *text) {
	const char *rest = startswith(text, "not");
	size_t blanks = rest ? strspn(rest, " \t") : 0;

	return blanks && rest[blanks] ? rest + blanks : NULL;
}

static bool check_mixture(struct parse *p, const struct field *field, const struct node *node, bool negated,
			  struct match_list *list) {
	if (!list->n++)
		list->negated = negated;
	if (list->negated == negated)
		return true;
	diag_error(p->diags, node->position,
		   "'%s' mixes items with and without 'not'; put 'not' before all of them, or keep only those without it",
		   field->name);
	return false;
}

/* `not "fd00::/8"` is one plain scalar in YAML, including the quotes. */
static const char *strip_quotes(struct arena *arena, const char *text) {
	size_t n = strlen(text);
	bool quoted = n > 2 && (*text == '"' || *text == '\'') && text[n - 1] == *text;

	return quoted ? arena_strndup(arena, text + 1, n - 2) : text;
}

static bool add_item(struct parse *p, const struct field *field, const struct node *node, const char *text, bool negated,
		     const struct nat_item_type *type, struct match_list *list) {
	struct nat_item item = { .position = node->position };

	if (*text == '!') {
		diag_error(p->diags, node->position, "'%s' is written \"not %s\"", text, text + strspn(text, "!= \t"));
		return false;
	}
	if (!check_mixture(p, field, node, negated, list))
		return false;
	if (!type->parse(p, field, node, negated ? strip_quotes(p->arena, text) : text, &item))
		return false;
	vec_push(&list->items, item);
	return true;
}

/* `not [a, b]` is one plain scalar in YAML. Each part becomes an item with a `not`. */
static bool add_negated_list(struct parse *p, const struct field *field, const struct node *node, const char *text,
			     const struct nat_item_type *type, struct match_list *list) {
	const char *end = text + strlen(text) - 1;
	bool good = true;

	if (*end != ']' || end == text + 1) {
		diag_error(p->diags, node->position, "'%s' takes a list as [not a, not b] or \"not [a, b]\", not '%s'",
			   field->name, node->text);
		return false;
	}
	for (const char *at = text + 1; at <= end;) {
		size_t n = strcspn(at, ",]"), blanks = strspn(at, " \t");
		const char *start = at + MIN(blanks, n), *last = at + n;

		while (last > start && (last[-1] == ' ' || last[-1] == '\t'))
			last--;
		good &= add_item(p, field, node, arena_strndup(p->arena, start, (size_t)(last - start)), true, type, list);
		at += n + 1;
	}
	return good;
}

/* `{80, 443}` is a mapping without values in YAML. */
static bool is_set(const struct node *node) {
	for (size_t i = 0; i < node->n; i++)
		if (!node_is_null(node->pairs[i].value))
			return false;
	return node->n;
}

static void refuse_set(struct parse *p, const struct field *field, const struct node *node) {
	_cleanup_text_ struct text right = {};

	for (size_t i = 0; i < node->n; i++)
		text_addf(&right, "%s%s", i ? ", " : "", node->pairs[i].key->text);
	diag_error(p->diags, node->position, "'%s' takes a list in brackets: [%s]", field->name, right.data);
}

/* The user wrote `{not: X}`, as in other languages. */
static void refuse_mapping(struct parse *p, const struct field *field, const struct node *node) {
	const struct node *value = node_get(node, "not");
	bool list = value && value->type == NODE_SEQUENCE;
	_cleanup_text_ struct text right = {};

	for (size_t i = 0; value && i < (list ? value->n : 1); i++) {
		const struct node *item = list ? value->items[i] : value;

		text_addf(&right, "%snot %s", i ? ", " : "", item->type == NODE_SCALAR ? item->text : "X");
	}
	if (is_set(node))
		refuse_set(p, field, node);
	else if (value)
		diag_error(p->diags, node->position, "'not' stands before the value; write '%s: %s%s%s'", field->name,
			   list ? "[" : "", text_str(&right), list ? "]" : "");
	else
		diag_error(p->diags, node->position,
			   "'%s' takes one %s or a list of them, optionally with 'not', not a mapping", field->name,
			   field->type->name);
}

static bool add_node(struct parse *p, const struct field *field, const struct node *node, const struct nat_item_type *type,
		     struct match_list *list) {
	const char *text, *rest;

	if (node->type == NODE_MAPPING) {
		refuse_mapping(p, field, node);
		return false;
	}
	text = parse_scalar(p, field, node);
	if (!text)
		return false;
	rest = skip_not(text);
	if (rest && *rest == '[')
		return add_negated_list(p, field, node, rest, type, list);
	return add_item(p, field, node, rest ? rest : text, rest, type, list);
}

static bool match_parse(struct parse *p, const struct field *field, const struct node *node, void *value,
			const struct nat_item_type *type) {
	_cleanup_(match_list_done) struct match_list list = {};
	struct nat_match *match = value;
	bool good = true;

	if (node->type == NODE_SEQUENCE && !node->n) {
		diag_error(p->diags, node->position, "'%s' is an empty list; leave it out to match everything", field->name);
		return false;
	}
	if (node->type != NODE_SEQUENCE)
		good = add_node(p, field, node, type, &list);
	for (size_t i = 0; node->type == NODE_SEQUENCE && i < node->n; i++)
		good &= add_node(p, field, node->items[i], type, &list);
	if (!good)
		return false;
	*match = (struct nat_match){ .negated = list.negated, .n = list.items.n, .type = type };
	match->items = arena_memdup(p->arena, list.items.items, list.items.n * sizeof(struct nat_item));
	return true;
}

static void match_print(const struct field *field _unused_, const void *value, struct text *out) {
	const struct nat_match *match = value;

	text_add(out, match->negated ? "not " : "");
	text_add(out, match->n > 1 ? "[" : "");
	for (size_t i = 0; i < match->n; i++) {
		text_add(out, i ? ", " : "");
		match->type->print(&match->items[i], out);
	}
	text_add(out, match->n > 1 ? "]" : "");
}

/* Equal texts are equal matches. */
static bool match_equal(const void *a, const void *b) {
	_cleanup_text_ struct text x = {}, y = {};

	match_print(NULL, a, &x);
	match_print(NULL, b, &y);
	return streq(text_str(&x), text_str(&y));
}

/* Does any item of the match cover, or overlap, the item? */
static bool any_covers(const struct nat_match *match, const struct nat_item *item) {
	for (size_t i = 0; i < match->n; i++)
		if (match->type->covers(&match->items[i], item))
			return true;
	return false;
}

static bool any_meets(const struct nat_match *match, const struct nat_item *item) {
	for (size_t i = 0; i < match->n; i++)
		if (match->type->meets(&match->items[i], item))
			return true;
	return false;
}

bool nat_match_covers(const struct nat_match *outer, const struct nat_match *inner) {
	/* What outer excludes, inner must exclude too. */
	const struct nat_match *from = outer->negated && inner->negated ? outer : inner;

	if (!outer->n)
		return true;
	if (!inner->n || (inner->negated && !outer->negated))
		return false;
	for (size_t i = 0; i < from->n; i++) {
		const struct nat_item *item = &from->items[i];

		if (outer->negated && !inner->negated ? any_meets(outer, item)
						      : !any_covers(from == outer ? inner : outer, item))
			return false;
	}
	return true;
}

/* Prefixes. */

static bool prefix_item_parse(struct parse *p, const struct field *field, const struct node *node, const char *text,
			      struct nat_item *ret) {
	struct prefix network;
	char buf[PREFIX_TEXT_MAX];

	if (prefix_parse(text, &ret->prefix) < 0) {
		prefix_refuse(p, field, node, text, "10.0.0.0/24 or \"fd00::/64\"");
		return false;
	}
	network = prefix_network(&ret->prefix);
	if (!prefix_equal(&ret->prefix, &network)) {
		diag_error(p->diags, node->position, "'%s' has host bits set; the prefix is %s", text,
			   prefix_format(&network, buf));
		return false;
	}
	return true;
}

/* A single address is written without its length. */
static void prefix_item_print(const struct nat_item *item, struct text *out) {
	const struct ip *address = &item->prefix.address;
	char buf[PREFIX_TEXT_MAX];

	if (item->prefix.length == ip_bits(address->family))
		text_add(out, ip_format(address, buf));
	else
		text_add(out, prefix_format(&item->prefix, buf));
}

static bool prefix_item_covers(const struct nat_item *outer, const struct nat_item *inner) {
	return outer->prefix.length <= inner->prefix.length && prefix_contains(&outer->prefix, &inner->prefix.address);
}

static bool prefix_item_meets(const struct nat_item *a, const struct nat_item *b) {
	return prefix_item_covers(a, b) || prefix_item_covers(b, a);
}

static const struct nat_item_type prefix_items = {
	prefix_item_parse,
	prefix_item_print,
	prefix_item_covers,
	prefix_item_meets,
};

static bool prefixes_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	return match_parse(p, field, node, value, &prefix_items);
}

const struct type type_nat_prefixes = {
	.name = "prefix",
	.schema = SCHEMA_TEXTS,
	.size = sizeof(struct nat_match),
	.parse = prefixes_parse,
	.print = match_print,
	.equal = match_equal,
};

/* Interfaces. */

static bool link_item_parse(struct parse *p, const struct field *field, const struct node *node, const char *text,
			    struct nat_item *ret) {
	size_t n = strlen(text);
	bool beginning = n && text[n - 1] == '*';
	const char *name = beginning ? arena_strndup(p->arena, text, n - 1) : text, *why;

	if (node_is_bool_word(node) || node_is_sexagesimal(node)) {
		diag_error(p->diags, node->position, "YAML reads an unquoted '%s' as %s; write \"%s\"", text,
			   node_is_bool_word(node) ? "a boolean or null" : "a base-60 number", text);
		return false;
	}
	if (beginning && !*name) {
		diag_error(p->diags, node->position, "'*' means every interface; leave '%s' out", field->name);
		return false;
	}
	if (!parse_no_range(p, node, name))
		return false;
	if (!link_name_valid(name, &why)) {
		diag_error(p->diags, node->position, "the interface name '%s' %s", name, why);
		return false;
	}
	if (n > 1 && text[n - 1] == '+')
		diag_warning(p->diags, node->position,
			     "'%s' is the name of one interface; to match all that begin with it write \"%.*s*\"", text,
			     (int)n - 1, text);
	ret->link = arena_strdup(p->arena, text);
	return true;
}

static void link_item_print(const struct nat_item *item, struct text *out) {
	text_add(out, item->link);
}

/* A name, or all names with the same beginning. */
static bool link_item_covers(const struct nat_item *outer, const struct nat_item *inner) {
	size_t n = strlen(outer->link);

	return outer->link[n - 1] == '*' ? strncmp(outer->link, inner->link, n - 1) == 0 : streq(outer->link, inner->link);
}

static bool link_item_meets(const struct nat_item *a, const struct nat_item *b) {
	return link_item_covers(a, b) || link_item_covers(b, a);
}

static const struct nat_item_type link_items = { link_item_parse, link_item_print, link_item_covers, link_item_meets };

static bool links_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	return match_parse(p, field, node, value, &link_items);
}

const struct type type_nat_links = {
	.name = "interface name",
	.schema = SCHEMA_TEXTS,
	.size = sizeof(struct nat_match),
	.parse = links_parse,
	.print = match_print,
	.equal = match_equal,
};

/* Ports. */

/* The number of n decimal digits, 1 to 65535; 0: it is not one. */
static uint16_t port_number(const char *text, size_t n) {
	uint32_t number = 0;

	if (!n || n > 5 || *text == '0')
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		number = number * 10 + (uint32_t)(text[i] - '0');
	}
	return number <= UINT16_MAX ? (uint16_t)number : 0;
}

/* "80" or "100-200"; zeros if it is neither. */
static void parse_ports(const char *text, uint16_t *ret_first, uint16_t *ret_last) {
	size_t n = strcspn(text, "-");
	uint16_t first = port_number(text, n);
	uint16_t last = text[n] ? port_number(text + n + 1, strlen(text + n + 1)) : first;

	*ret_first = first && last ? first : 0;
	*ret_last = first && last ? last : 0;
}

static bool check_order(struct parse *p, const struct node *node, uint16_t first, uint16_t last) {
	if (first <= last)
		return true;
	diag_error(p->diags, node->position, "the port range %u-%u is reversed; write %u-%u", first, last, last, first);
	return false;
}

static bool port_item_parse(struct parse *p, const struct field *field, const struct node *node, const char *text,
			    struct nat_item *ret) {
	size_t digits = strspn(text, "0123456789");

	parse_ports(text, &ret->first, &ret->last);
	if (ret->first)
		return check_order(p, node, ret->first, ret->last);
	if (text[digits] == ':' && digits && atoi(text) > atoi(text + digits + 1))
		diag_error(
			p->diags, node->position,
			"'%s' takes the port that packets arrive at, here %.*s; write where they go in 'to', as ADDRESS:%s",
			field->name, (int)digits, text, text + digits + 1);
	else if (text[digits] == '/' && digits)
		diag_error(p->diags, node->position, "the protocol of '%s' has its own key: protocol: %s, %s: %.*s", text,
			   text + digits + 1, field->name, (int)digits, text);
	else if (text[digits] == ',' && digits)
		diag_error(p->diags, node->position, "'%s' takes a port or a range, not '%s'; a list is written [%s]",
			   field->name, text, text);
	else if (text[digits] == ':' && digits)
		diag_error(p->diags, node->position, "a range of ports is written %.*s-%s, not '%s'", (int)digits, text,
			   text + digits + 1, text);
	else if (!text[digits])
		diag_error(p->diags, node->position, "a port must be from 1 to 65535, not '%s'", text);
	else
		diag_error(p->diags, node->position, "'%s' takes a port or a range, for example 80 or 100-200, not '%s'",
			   field->name, text);
	return false;
}

static void print_ports(uint16_t first, uint16_t last, struct text *out) {
	text_addf(out, "%u", first);
	if (last != first)
		text_addf(out, "-%u", last);
}

static void port_item_print(const struct nat_item *item, struct text *out) {
	print_ports(item->first, item->last, out);
}

static bool port_item_covers(const struct nat_item *outer, const struct nat_item *inner) {
	return outer->first <= inner->first && inner->last <= outer->last;
}

static bool port_item_meets(const struct nat_item *a, const struct nat_item *b) {
	return a->first <= b->last && b->first <= a->last;
}

static const struct nat_item_type port_items = { port_item_parse, port_item_print, port_item_covers, port_item_meets };

static bool ports_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	return match_parse(p, field, node, value, &port_items);
}

const struct type type_nat_ports = {
	.name = "port",
	.schema = SCHEMA_NUMBERS,
	.size = sizeof(struct nat_match),
	.parse = ports_parse,
	.print = match_print,
	.equal = match_equal,
};

/* Protocols. */

static const struct enum_name protocols[] = {
	{ "tcp", IPPROTO_TCP },   { "udp", IPPROTO_UDP },   { "icmp", IPPROTO_ICMP },       { "icmpv6", IPPROTO_ICMPV6 },
	{ "sctp", IPPROTO_SCTP }, { "dccp", IPPROTO_DCCP }, { "udplite", IPPROTO_UDPLITE }, { "esp", IPPROTO_ESP },
	{ "ah", IPPROTO_AH },     { "gre", IPPROTO_GRE },
};

static void unknown_protocol(struct parse *p, const struct node *node, const char *text) {
	struct suggestion near = suggest_for(text);

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		suggest(&near, protocols[i].name);
	diag_unknown(p->diags, node->position, &near,
		     "it is tcp, udp, icmp, icmpv6, sctp, dccp, udplite, esp, ah, gre or a number from 1 to 255",
		     "unknown protocol '%s'", text);
}

static bool protocol_item_parse(struct parse *p, const struct field *field _unused_, const struct node *node,
				const char *text, struct nat_item *ret) {
	uint32_t number = 0;

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (streq(text, protocols[i].name))
			number = protocols[i].value;
	if (!number && (parse_u32(text, &number) < 0 || !number || number > UINT8_MAX)) {
		unknown_protocol(p, node, text);
		return false;
	}
	ret->protocol = (uint8_t)number;
	return true;
}

static void protocol_item_print(const struct nat_item *item, struct text *out) {
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (protocols[i].value == item->protocol) {
			text_add(out, protocols[i].name);
			return;
		}
	text_addf(out, "%u", item->protocol);
}

static bool protocol_item_equal(const struct nat_item *a, const struct nat_item *b) {
	return a->protocol == b->protocol;
}

static const struct nat_item_type protocol_items = {
	protocol_item_parse,
	protocol_item_print,
	protocol_item_equal,
	protocol_item_equal,
};

static bool protocols_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	return match_parse(p, field, node, value, &protocol_items);
}

const struct type type_nat_protocols = {
	.name = "protocol",
	.schema = SCHEMA_NUMBERS,
	.size = sizeof(struct nat_match),
	.parse = protocols_parse,
	.print = match_print,
	.equal = match_equal,
};

/* Targets. */

/* The parts of a target's text; n_addresses 0: no address. */
struct target_text {
	const char *addresses, *ports;
	size_t n_addresses;
};

/* Colons decide: two or more without brackets are an IPv6 address, one precedes a port. A text without a colon is an
 * address if it has a dot. */
static struct target_text split_target(const char *text) {
	const char *bracket = strrchr(text, ']'), *colon = strchr(bracket ? bracket : text, ':');
	struct target_text parts = { .addresses = text, .n_addresses = strlen(text) };

	if (!colon && !bracket && !strchr(text, '.'))
		return (struct target_text){ .ports = text };
	if (!colon || (!bracket && strchr(colon + 1, ':')))
		return parts;
	parts.n_addresses = (size_t)(colon - text);
	parts.ports = colon + 1;
	return parts;
}

static bool parse_address(const char *text, size_t n, struct ip *ret) {
	char buf[IP_TEXT_MAX];

	if (n >= 2 && text[0] == '[' && text[n - 1] == ']')
		text++, n -= 2;
	if (!n || n >= sizeof(buf))
		return false;
	memcpy(buf, text, n);
	buf[n] = '\0';
	return ip_parse(buf, ret) == 0;
}

static bool parse_addresses(const char *text, size_t n, struct nat_target *ret) {
	const char *dash = memchr(text, '-', n);
	size_t first = dash ? (size_t)(dash - text) : n;

	if (!parse_address(text, first, &ret->first))
		return false;
	ret->last = ret->first;
	return !dash || parse_address(dash + 1, n - first - 1, &ret->last);
}

/* What is wrong with the addresses, as the rest of a sentence; or NULL. */
static const char *target_problem(const struct nat_target *to) {
	if (to->first.family != to->last.family)
		return "is a range across address families";
	if (memcmp(to->first.bytes, to->last.bytes, sizeof(to->first.bytes)) > 0)
		return "is a reversed range";
	if (to->first.family && ip_is_zero(&to->first))
		return "is not a host address";
	if (to->first.family && ip_is_multicast(&to->first))
		return "is a multicast address; NAT needs a single host";
	return NULL;
}

/* In YAML, unquoted brackets around an IPv6 address make it a list. */
static const char *target_scalar(struct parse *p, const struct field *field, const struct node *node) {
	if (node->type != NODE_SEQUENCE)
		return parse_scalar(p, field, node);
	diag_error(p->diags, node->position,
		   "'%s' takes one target, not a list: write several hosts as a range, such as "
		   "10.0.0.2-10.0.0.9, and quote an address in brackets, such as \"[fd00::1]:80\"",
		   field->name);
	return NULL;
}

static bool target_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	const char *text = target_scalar(p, field, node), *problem;
	struct nat_target to = {};

	if (!text)
		return false;
	struct target_text parts = split_target(text);
	bool good = !parts.n_addresses || parse_addresses(parts.addresses, parts.n_addresses, &to);
	if (parts.ports) {
		parse_ports(parts.ports, &to.first_port, &to.last_port);
		good &= to.first_port != 0;
	}
	if (!good) {
		diag_error(p->diags, node->position,
			   "'%s' takes ADDRESS, ADDRESS:PORT, ADDRESS:PORT-PORT, "
			   "\"[ADDRESS6]:PORT\", ADDRESS-ADDRESS or :PORT, with ports from 1 to 65535, not '%s'",
			   field->name, text);
		return false;
	}
	problem = target_problem(&to);
	if (problem) {
		diag_error(p->diags, node->position, "'%s' %s", text, problem);
		return false;
	}
	*(struct nat_target *)value = to;
	return check_order(p, node, to.first_port, to.last_port);
}

/* An IPv6 address is in brackets if a port follows. */
static void target_print(const struct field *field _unused_, const void *value, struct text *out) {
	const struct nat_target *to = value;
	bool brackets = to->first_port && to->first.family == AF_INET6;
	char buf[IP_TEXT_MAX];

	if (to->first.family)
		text_addf(out, brackets ? "[%s]" : "%s", ip_format(&to->first, buf));
	if (to->first.family && !ip_equal(&to->first, &to->last)) {
		text_add(out, "-");
		text_addf(out, brackets ? "[%s]" : "%s", ip_format(&to->last, buf));
	}
	if (to->first_port) {
		text_add(out, ":");
		print_ports(to->first_port, to->last_port, out);
	}
}

static bool target_equal(const void *a, const void *b) {
	const struct nat_target *x = a, *y = b;

	return ip_equal(&x->first, &y->first) && ip_equal(&x->last, &y->last) && x->first_port == y->first_port &&
	       x->last_port == y->last_port;
}

const struct type type_nat_target = {
	.name = "target",
	.schema = SCHEMA_NUMBER,
	.size = sizeof(struct nat_target),
	.parse = target_parse,
	.print = target_print,
	.equal = target_equal,
};
