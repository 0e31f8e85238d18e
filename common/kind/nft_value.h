/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the types of an entry's values share: lists of items (nft_match.c), and ports. */
#pragma once

#include "kind/ruleset.h"

#define NFT_SCHEMA_LIST(one) "{\"anyOf\": [" one ", {\"type\": \"array\", \"items\": " one ", \"minItems\": 1}]}"
#define NFT_SCHEMA_TEXTS NFT_SCHEMA_LIST("{\"type\": \"string\"}")
#define NFT_SCHEMA_PORT "{\"type\": [\"string\", \"integer\"], \"minimum\": 1, \"maximum\": 65535}"
#define NFT_SCHEMA_NUMBERS NFT_SCHEMA_LIST(NFT_SCHEMA_PORT)

/* One type of item. */
struct nft_item_type {
	/* False after an error was added. */
	bool (*parse)(struct parse *p, const struct field *field, const struct node *node, const char *text,
		      struct nft_item *ret);
	void (*print)(const struct nft_item *item, struct text *out);
	/* Does outer match everything that inner matches? Is there anything that both match? */
	bool (*covers)(const struct nft_item *outer, const struct nft_item *inner);
	bool (*meets)(const struct nft_item *a, const struct nft_item *b);
};

/* The functions of a type whose value is a struct nft_match. */
bool nft_match_parse(struct parse *p, const struct field *field, const struct node *node, void *value,
		     const struct nft_item_type *type);
void nft_match_print(const struct field *field, const void *value, struct text *out);

/* The type of matches with items of type `items_`. */
#define NFT_MATCH_TYPE(name_, schema_, parse_) \
	{ .name = name_, .schema = schema_, .size = sizeof(struct nft_match), .parse = parse_, .print = nft_match_print }

/* False after an error: the value has bits outside of its mask. */
bool nft_check_mark(struct parse *p, const struct field *field, const struct node *node, const struct fwmark *mark);

/* Ports: "80" or "100-200"; zeros if it is neither. */
void nft_parse_ports(const char *text, uint16_t *ret_first, uint16_t *ret_last);
void nft_print_ports(uint16_t first, uint16_t last, struct text *out);
/* False after an error: the range is reversed. */
bool nft_check_order(struct parse *p, const struct node *node, uint16_t first, uint16_t last);

/* What the items print. */
void nft_print_log_level(uint32_t level, struct text *out); /* nothing for the usual one */
void nft_print_protocol(uint8_t protocol, struct text *out);
const char *nft_state_name(uint32_t bit); /* NULL: the language has no word for it */
void nft_print_icmp(uint8_t protocol, uint8_t type, int16_t code, struct text *out); /* code -1: any */
