/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The new address and port of a translation (`to`), and `hairpin`. */
#include "kind/nft_value.h"

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

/* The range of a prefix's addresses; host bits are left for target_problem(). */
static bool parse_network(const char *text, struct nft_target *ret) {
	struct prefix prefix;

	if (prefix_parse(text, &prefix) < 0)
		return false;
	ret->first = ret->last = prefix.address;
	ret->network = true;
	ret->length = prefix.length;
	for (size_t bit = prefix.length; bit < ip_bits(prefix.address.family); bit++)
		ret->last.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return true;
}

static bool parse_addresses(const char *text, size_t n, struct nft_target *ret) {
	const char *dash = memchr(text, '-', n);
	size_t first = dash ? (size_t)(dash - text) : n;

	if (memchr(text, '/', n))
		return !text[n] && parse_network(text, ret);

	if (!parse_address(text, first, &ret->first))
		return false;
	ret->last = ret->first;
	return !dash || parse_address(dash + 1, n - first - 1, &ret->last);
}

/* What is wrong with the addresses, as the rest of a sentence; or NULL. */
static const char *target_problem(const struct nft_target *to) {
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
	struct nft_target to = {};

	if (!text)
		return false;
	struct target_text parts = split_target(text);
	bool good = !parts.n_addresses || parse_addresses(parts.addresses, parts.n_addresses, &to);
	if (parts.ports) {
		nft_parse_ports(parts.ports, &to.first_port, &to.last_port);
		good &= to.first_port != 0;
	}
	if (!good) {
		diag_error(p->diags, node->position,
			   "'%s' takes ADDRESS, ADDRESS:PORT, ADDRESS:PORT-PORT, "
			   "\"[ADDRESS6]:PORT\", ADDRESS-ADDRESS, PREFIX or :PORT, with ports from 1 to 65535, not '%s'",
			   field->name, text);
		return false;
	}
	if (to.network && !prefix_check_network(p, node, text, &(struct prefix){ to.first, to.length }))
		return false;
	problem = target_problem(&to);
	if (problem) {
		diag_error(p->diags, node->position, "'%s' %s", text, problem);
		return false;
	}
	*(struct nft_target *)value = to;
	return nft_check_order(p, node, to.first_port, to.last_port);
}

/* An IPv6 address is in brackets if a port follows. */
static void target_print(const struct field *field _unused_, const void *value, struct text *out) {
	const struct nft_target *to = value;
	bool brackets = to->first_port && to->first.family == AF_INET6;
	char buf[IP_TEXT_MAX];

	if (to->first.family)
		text_addf(out, brackets ? "[%s]" : "%s", ip_format(&to->first, buf));
	if (to->network) {
		text_addf(out, "/%u", to->length);
	} else if (to->first.family && !ip_equal(&to->first, &to->last)) {
		text_add(out, "-");
		text_addf(out, brackets ? "[%s]" : "%s", ip_format(&to->last, buf));
	}
	if (to->first_port) {
		text_add(out, ":");
		nft_print_ports(to->first_port, to->last_port, out);
	}
}

const struct type type_nft_target = {
	.name = "target",
	.schema = NFT_SCHEMA_PORT,
	.size = sizeof(struct nft_target),
	.parse = target_parse,
	.print = target_print,
};

/* Hairpin. */

static bool hairpin_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	const char *text = parse_scalar(p, field, node), *why;
	struct nft_hairpin *hairpin = value;
	uint32_t on;

	if (!text)
		return false;
	if (node_is_bool_word(node)) {
		if (!type_bool.parse(p, field, node, &on))
			return false;
		*hairpin = (struct nft_hairpin){ .on = on };
		return true;
	}
	text = parse_real_name(p, p->ns, text);
	if (!link_name_valid(text, &why)) {
		diag_error(p->diags, node->position, "'%s' takes true, or the interface behind which the target is; '%s' %s",
			   field->name, text, why);
		return false;
	}
	*hairpin = (struct nft_hairpin){ .on = true, .link = arena_strdup(p->arena, text) };
	return true;
}

static void hairpin_print(const struct field *field _unused_, const void *value, struct text *out) {
	const struct nft_hairpin *hairpin = value;

	text_add(out, hairpin->link ? hairpin->link : hairpin->on ? "true" : "false");
}

const struct type type_nft_hairpin = {
	.name = "boolean or interface name",
	.schema = "{\"type\": [\"boolean\", \"string\"]}",
	.size = sizeof(struct nft_hairpin),
	.parse = hairpin_parse,
	.print = hairpin_print,
};
