/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the entries of `nat` and the rules of `filter` share: the keys that say which packets match, and the checks between
 * keys (nft_entry.c). */
#pragma once

#include "kind/ruleset.h"

#define NFT_MATCH_FIELD(key_, name_, member_, type_, doc_) \
	[key_] = { .name = name_, .type = &type_, .offset = offsetof(struct nft_entry, member_), .doc = doc_ }

/* The rows of the common keys except `action`. */
#define NFT_MATCH_FIELDS                                                                                                 \
	NFT_MATCH_FIELD(NFT_KEY_SOURCE, "source", source, type_nft_prefixes,                                             \
			"Source addresses that match: a prefix, an address or a list; `not 10.0.0.0/8` or "              \
			"`[not 10.0.0.0/8, not 192.168.0.0/16]` match all others."),                                     \
		NFT_MATCH_FIELD(NFT_KEY_DESTINATION, "destination", destination, type_nft_prefixes,                      \
				"Destination addresses that match, as for source."),                                     \
		NFT_MATCH_FIELD(                                                                                         \
			NFT_KEY_IN, "in", in, type_nft_links,                                                            \
			"The interface on which a packet arrived, or a list; `not br0` is any other, `[not br0, not "    \
			"lo]` any except these two, and `eth*` each whose name begins with eth."),                       \
		NFT_MATCH_FIELD(NFT_KEY_OUT, "out", out, type_nft_links,                                                 \
				"The interface through which a packet leaves, as for in."),                              \
		NFT_MATCH_FIELD(NFT_KEY_PROTOCOL, "protocol", protocol, type_nft_protocols,                              \
				"The protocol: a name (tcp, udp, icmp, icmpv6, sctp, dccp, udplite, esp, ah, gre), "     \
				"a number, or a list; `not icmp` is any other."),                                        \
		NFT_MATCH_FIELD(NFT_KEY_SOURCE_PORT, "source-port", source_port, type_nft_ports,                         \
				"Source ports that match: a port, a range `100-200` or a list; `not 22` is any other."), \
		NFT_MATCH_FIELD(NFT_KEY_PORT, "port", port, type_nft_ports,                                              \
				"Destination ports that match, as for source-port."),                                    \
		NFT_MATCH_FIELD(NFT_KEY_FWMARK, "fwmark", fwmark, type_nft_marks,                                        \
				"The packet's mark: `value` or `value/mask`, or a list; `not 0x10` is any other.")

/* The entry that is being checked. */
struct nft_check {
	struct parse *p;
	const struct field *fields; /* the table of its keys */
	struct nft_entry *entry;
	const struct node *node;
	bool good;
};

/* Reads the keys of an entry, for example "a NAT entry". */
struct nft_check nft_read_entry(struct parse *p, const struct node *node, const struct field *fields, size_t n,
				const char *what, struct nft_entry *ret);

/* Is the key read? */
bool nft_has(const struct nft_check *check, enum nft_key key);
/* Is the key in the file, valid or not? An invalid one has been reported already, so it is not reported as missing. */
bool nft_is_written(const struct nft_check *check, enum nft_key key);

/* Reports a wrong or missing value. */
void nft_refuse(struct nft_check *check, enum nft_key key, const char *format, ...) _printf_(3, 4);
/* Reports a key that is not allowed here, with any value. */
void nft_refuse_key(struct nft_check *check, enum nft_key key, const char *format, ...) _printf_(3, 4);

/* A port needs a protocol that has ports. what: "'port'". */
void nft_check_port(struct nft_check *check, enum nft_key key, const char *what);
/* The first address determines the entry's family. */
void nft_settle_family(struct nft_check *check, enum nft_key key, uint8_t family);
/* The keys that all entries have. */
void nft_check_ports_and_family(struct nft_check *check);
/* To be called last: checks the number and size of the entry's rules, and icmp of the wrong family. */
void nft_check_size(struct nft_check *check);

/* Prints the entry as one line: "masquerade source 10.0.0.0/24". */
void nft_print_entry(const struct nft_entry *entry, const struct field *fields, size_t n, struct text *out);
