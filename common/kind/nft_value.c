/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an entry can match: prefixes, interfaces, protocols, ports, marks. Each is a type of items; nft_match.c makes
 * lists of them.
 */
#include "kind/nft_value.h"

/* Prefixes. */

static bool prefix_item_parse(struct parse *p, const struct field *field, const struct node *node, const char *text,
			      struct nft_item *ret) {
	if (prefix_parse(text, &ret->prefix) < 0) {
		prefix_refuse(p, field, node, text, "10.0.0.0/24 or \"fd00::/64\"");
		return false;
	}
	return prefix_check_network(p, node, text, &ret->prefix);
}

/* A single address is written without its length. */
static void prefix_item_print(const struct nft_item *item, struct text *out) {
	const struct ip *address = &item->prefix.address;
	char buf[PREFIX_TEXT_MAX];

	if (item->prefix.length == ip_bits(address->family))
		text_add(out, ip_format(address, buf));
	else
		text_add(out, prefix_format(&item->prefix, buf));
}

static bool prefix_item_covers(const struct nft_item *outer, const struct nft_item *inner) {
	return outer->prefix.length <= inner->prefix.length && prefix_contains(&outer->prefix, &inner->prefix.address);
}

static bool prefix_item_meets(const struct nft_item *a, const struct nft_item *b) {
	return prefix_item_covers(a, b) || prefix_item_covers(b, a);
}

static const struct nft_item_type prefix_items = {
	prefix_item_parse,
	prefix_item_print,
	prefix_item_covers,
	prefix_item_meets,
};

static bool prefixes_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	return nft_match_parse(p, field, node, value, &prefix_items);
}

const struct type type_nft_prefixes = NFT_MATCH_TYPE("prefix", NFT_SCHEMA_TEXTS, prefixes_parse);

/* Interfaces. */

static bool link_item_parse(struct parse *p, const struct field *field, const struct node *node, const char *text,
			    struct nft_item *ret) {
	text = parse_real_name(p, p->ns, text);
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

static void link_item_print(const struct nft_item *item, struct text *out) {
	text_add(out, item->link);
}

/* A name, or all names with the same beginning. */
static bool link_item_covers(const struct nft_item *outer, const struct nft_item *inner) {
	size_t n = strlen(outer->link);

	return outer->link[n - 1] == '*' ? strncmp(outer->link, inner->link, n - 1) == 0 : streq(outer->link, inner->link);
}

static bool link_item_meets(const struct nft_item *a, const struct nft_item *b) {
	return link_item_covers(a, b) || link_item_covers(b, a);
}

static const struct nft_item_type link_items = { link_item_parse, link_item_print, link_item_covers, link_item_meets };

static bool links_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	return nft_match_parse(p, field, node, value, &link_items);
}

const struct type type_nft_links = NFT_MATCH_TYPE("interface name", NFT_SCHEMA_TEXTS, links_parse);

/* Ports. */

/* The number in n decimal digits, 1 to 65535; 0: invalid. */
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
void nft_parse_ports(const char *text, uint16_t *ret_first, uint16_t *ret_last) {
	size_t n = strcspn(text, "-");
	uint16_t first = port_number(text, n);
	uint16_t last = text[n] ? port_number(text + n + 1, strlen(text + n + 1)) : first;

	*ret_first = first && last ? first : 0;
	*ret_last = first && last ? last : 0;
}

bool nft_check_order(struct parse *p, const struct node *node, uint16_t first, uint16_t last) {
	if (first <= last)
		return true;
	diag_error(p->diags, node->position, "the port range %u-%u is reversed; write %u-%u", first, last, last, first);
	return false;
}

static bool port_item_parse(struct parse *p, const struct field *field, const struct node *node, const char *text,
			    struct nft_item *ret) {
	size_t digits = strspn(text, "0123456789");

	nft_parse_ports(text, &ret->first, &ret->last);
	if (ret->first)
		return nft_check_order(p, node, ret->first, ret->last);
	if (text[digits] == ':' && digits && atoi(text) > atoi(text + digits + 1))
		diag_error(p->diags, node->position,
			   "'%s' takes the port that packets arrive at, here %.*s; write their destination in 'to', as "
			   "ADDRESS:%s",
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

void nft_print_ports(uint16_t first, uint16_t last, struct text *out) {
	text_addf(out, "%u", first);
	if (last != first)
		text_addf(out, "-%u", last);
}

static void port_item_print(const struct nft_item *item, struct text *out) {
	nft_print_ports(item->first, item->last, out);
}

static bool port_item_covers(const struct nft_item *outer, const struct nft_item *inner) {
	return outer->first <= inner->first && inner->last <= outer->last;
}

static bool port_item_meets(const struct nft_item *a, const struct nft_item *b) {
	return a->first <= b->last && b->first <= a->last;
}

static const struct nft_item_type port_items = { port_item_parse, port_item_print, port_item_covers, port_item_meets };

static bool ports_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	return nft_match_parse(p, field, node, value, &port_items);
}

const struct type type_nft_ports = NFT_MATCH_TYPE("port", NFT_SCHEMA_NUMBERS, ports_parse);

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
				const char *text, struct nft_item *ret) {
	uint32_t number = 0;

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (streq(text, protocols[i].name))
			number = protocols[i].value;
	if (streq(text, "ipv6-icmp")) /* its name in /etc/protocols, and nft's */
		number = IPPROTO_ICMPV6;
	if (!number && (parse_u32(text, &number) < 0 || !number || number > UINT8_MAX)) {
		unknown_protocol(p, node, text);
		return false;
	}
	ret->protocol = (uint8_t)number;
	return true;
}

void nft_print_protocol(uint8_t protocol, struct text *out) {
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (protocols[i].value == protocol) {
			text_add(out, protocols[i].name);
			return;
		}
	text_addf(out, "%u", protocol);
}

static void protocol_item_print(const struct nft_item *item, struct text *out) {
	nft_print_protocol(item->protocol, out);
}

static bool protocol_item_equal(const struct nft_item *a, const struct nft_item *b) {
	return a->protocol == b->protocol;
}

static const struct nft_item_type protocol_items = {
	protocol_item_parse,
	protocol_item_print,
	protocol_item_equal,
	protocol_item_equal,
};

static bool protocols_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	return nft_match_parse(p, field, node, value, &protocol_items);
}

const struct type type_nft_protocols = NFT_MATCH_TYPE("protocol", NFT_SCHEMA_NUMBERS, protocols_parse);

/* Marks. */

bool nft_check_mark(struct parse *p, const struct field *field, const struct node *node, const struct fwmark *mark) {
	if (!(mark->value & ~mark->mask))
		return true;
	diag_error(p->diags, node->position, "'%s': 0x%x has bits that are not in the mask 0x%x", field->name, mark->value,
		   mark->mask);
	return false;
}

static bool mark_item_parse(struct parse *p, const struct field *field, const struct node *node, const char *text,
			    struct nft_item *ret) {
	struct node inner = *node;

	inner.text = text;
	inner.n = strlen(text);
	return type_fwmark.parse(p, field, &inner, &ret->mark) && nft_check_mark(p, field, node, &ret->mark);
}

static void mark_item_print(const struct nft_item *item, struct text *out) {
	type_fwmark.print(NULL, &item->mark, out);
}

static bool mark_item_covers(const struct nft_item *outer, const struct nft_item *inner) {
	return (outer->mark.mask & ~inner->mark.mask) == 0 && (inner->mark.value & outer->mark.mask) == outer->mark.value;
}

static bool mark_item_meets(const struct nft_item *a, const struct nft_item *b) {
	uint32_t both = a->mark.mask & b->mark.mask;

	return (a->mark.value & both) == (b->mark.value & both);
}

static const struct nft_item_type mark_items = { mark_item_parse, mark_item_print, mark_item_covers, mark_item_meets };

static bool marks_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	return nft_match_parse(p, field, node, value, &mark_items);
}

const struct type type_nft_marks =
	NFT_MATCH_TYPE("mark", NFT_SCHEMA_LIST("{\"type\": [\"string\", \"integer\"]}"), marks_parse);
