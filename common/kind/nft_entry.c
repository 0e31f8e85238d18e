/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading an entry of `nat` or a rule of `filter`, and the checks of the keys that both have: addresses of one family,
 * ports only with a protocol that has them, not too many rules.
 */
#include "kind/nft_entry.h"

bool nft_has(const struct nft_check *check, enum nft_key key) {
	return check->entry->set >> key & 1;
}

bool nft_is_written(const struct nft_check *check, enum nft_key key) {
	return node_get(check->node, check->fields[key].name);
}

static void _printf_(3, 0) refuse_at(struct nft_check *check, struct position position, const char *format, va_list args) {
	diag_verror(check->p->diags, position, format, args);
	check->good = false;
}

void nft_refuse(struct nft_check *check, enum nft_key key, const char *format, ...) {
	va_list args;

	va_start(args, format);
	refuse_at(check, nft_has(check, key) ? check->entry->positions[key] : check->node->position, format, args);
	va_end(args);
}

void nft_refuse_key(struct nft_check *check, enum nft_key key, const char *format, ...) {
	va_list args;

	va_start(args, format);
	refuse_at(check, node_key_position(check->node, check->fields[key].name), format, args);
	va_end(args);
}

struct nft_check nft_read_entry(struct parse *p, const struct node *node, const struct field *fields, size_t n,
				const char *what, struct nft_entry *ret) {
	ret->position = node->position;
	fields_parse(p, node,
		     &(struct fields_parse){ .what = what,
					     .fields = fields,
					     .n = n,
					     .base = ret,
					     .set = &ret->set,
					     .positions = ret->positions });
	return (struct nft_check){ .p = p, .fields = fields, .entry = ret, .node = node, .good = true };
}

static bool has_ports(uint8_t protocol) {
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP || protocol == IPPROTO_DCCP ||
	       protocol == IPPROTO_UDPLITE;
}

static bool all_have_ports(const struct nft_match *protocol) {
	for (size_t i = 0; i < protocol->n; i++)
		if (!has_ports(protocol->items[i].protocol))
			return false;
	return protocol->n && !protocol->negated;
}

void nft_check_port(struct nft_check *check, enum nft_key key, const char *what) {
	if (!nft_is_written(check, NFT_KEY_PROTOCOL))
		nft_refuse_key(check, key, "%s needs 'protocol': tcp, udp, sctp, dccp or udplite", what);
	else if (nft_has(check, NFT_KEY_PROTOCOL) && !all_have_ports(&check->entry->protocol))
		nft_refuse_key(check, key, "%s needs a 'protocol' that has ports: tcp, udp, sctp, dccp or udplite", what);
}

void nft_settle_family(struct nft_check *check, enum nft_key key, uint8_t family) {
	if (!family || family == check->entry->family)
		return;
	if (check->entry->family)
		nft_refuse(check, key,
			   "'%s' has an %s address in an entry that has an %s one before; write an entry for "
			   "each family",
			   check->fields[key].name, family == AF_INET ? "IPv4" : "IPv6",
			   family == AF_INET ? "IPv6" : "IPv4");
	else
		check->entry->family = family;
}

static void check_prefixes(struct nft_check *check, enum nft_key key, const struct nft_match *match) {
	for (size_t i = 0; i < match->n && check->good; i++) {
		nft_settle_family(check, key, match->items[i].prefix.address.family);
		if (match->negated && !match->items[i].prefix.length)
			nft_refuse(check, key, "'%s' excludes every address: the entry would never match",
				   check->fields[key].name);
	}
}

void nft_check_ports_and_family(struct nft_check *check) {
	if (nft_has(check, NFT_KEY_PORT))
		nft_check_port(check, NFT_KEY_PORT, "'port'");
	if (nft_has(check, NFT_KEY_SOURCE_PORT))
		nft_check_port(check, NFT_KEY_SOURCE_PORT, "'source-port'");
	if (!check->good)
		return;
	check_prefixes(check, NFT_KEY_SOURCE, &check->entry->source);
	check_prefixes(check, NFT_KEY_DESTINATION, &check->entry->destination);
}

static void check_icmp(struct nft_check *check) {
	const struct nft_match *protocol = &check->entry->protocol;
	uint8_t other = check->entry->family == AF_INET ? IPPROTO_ICMPV6 : IPPROTO_ICMP;

	for (size_t i = 0; i < protocol->n && check->entry->family && !protocol->negated; i++)
		if (protocol->items[i].protocol == other)
			nft_refuse(check, NFT_KEY_PROTOCOL,
				   "%s is not a protocol of IPv%d, the family of the entry's addresses",
				   other == IPPROTO_ICMP ? "icmp" : "icmpv6", check->entry->family == AF_INET ? 4 : 6);
}

void nft_check_size(struct nft_check *check) {
	size_t negated = nft_entry_n_not(check->entry);
	int most = check->entry->chain < NFT_FILTER_PREROUTING ? NFT_ENTRY_NOT_MAX : NFT_FILTER_NOT_MAX;

	check_icmp(check);
	if (negated > (size_t)most)
		nft_refuse(check, NFT_KEY_ACTION,
			   "an entry takes at most %d items with 'not', not %zu: they become one rule, and the "
			   "kernel limits its size",
			   most, negated);
	if (nft_entry_n_rules(check->entry) > NFT_ENTRY_RULES_MAX)
		nft_refuse(check, NFT_KEY_ACTION,
			   "the lists of this entry have too many combinations: each becomes a "
			   "rule, and an entry may have %d",
			   NFT_ENTRY_RULES_MAX);
}

void nft_print_entry(const struct nft_entry *entry, const struct field *fields, size_t n, struct text *out) {
	const char *separator = "";

	for (size_t i = 0; i < n; i++) {
		if (!(entry->set >> i & 1))
			continue;
		text_add(out, separator);
		if (i != NFT_KEY_ACTION)
			text_addf(out, "%s ", fields[i].name);
		field_print(&fields[i], entry, out);
		separator = " ";
	}
	text_add(out, "\n");
}
