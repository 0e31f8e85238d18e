/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network address translation: the list `nat` of a namespace, and the one nftables table that it becomes.
 *
 * The table is `topod-TOPOLOGY` of family inet. Its name is topod's mark, so everything in it is topod's, and topod
 * looks at nothing outside it. The kernel accepts every byte that a topology's name may have. The nft command shows a
 * table whose name has characters other than letters, digits and `_.-`, but cannot be given that name.
 *
 * The whole table is one object with one field, its rules as a canonical text: a rule has no identity, its position
 * matters, and the kernel replaces a table in one transaction, so that no packet sees half of it. Translations that
 * have begun belong to conntrack and survive the replacement.
 */
#pragma once

#include "model/kind.h"

extern const struct class class_nat;
extern const struct source source_nat;
extern const struct kind kind_nat;

struct nftnl_rule;

enum nat_action {
	NAT_MASQUERADE,
	NAT_SNAT,
	NAT_DNAT,
	NAT_REDIRECT,
};

enum nat_chain {
	NAT_PREROUTING,
	NAT_OUTPUT,
	NAT_POSTROUTING,
	NAT_N_CHAINS,
};

extern const char *const nat_chain_names[NAT_N_CHAINS];

enum {
	NAT_ENTRY_RULES_MAX = 4096,      /* limit of the rules to which one entry's lists expand */
	NAT_ENTRY_NOT_MAX = 24,          /* limit of `not` items in one entry: the kernel limits a rule to 4 KiB */
	NAT_RULES_MAX = 32768,           /* limit of the rules in a table */
	NAT_TEXT_MAX = 16 * 1024 * 1024, /* limit of a table's canonical text */
};

/* One value of a match; the field determines which member is used. */
struct nat_item {
	struct position position;
	union {
		struct prefix prefix;
		const char *link; /* a name, or a prefix of names followed by `*` */
		struct {
			uint16_t first, last;
		}; /* ports */
		uint8_t protocol;
	};
};

/* Matches one of the items, or (negated) none of them. */
struct nat_match {
	bool negated;
	size_t n; /* 0: not given, everything matches */
	const struct nat_item *items;
	const struct nat_item_type *type;
};

/* The new destination or source: an address or a range, a port or a range, or both. */
struct nat_target {
	struct ip first, last;          /* AF_UNSPEC: none; equal for one address */
	uint16_t first_port, last_port; /* 0: none; equal for one port */
};

/* The keys of an entry, in the order of nat_entry_fields. */
enum nat_key {
	NAT_KEY_ACTION,
	NAT_KEY_SOURCE,
	NAT_KEY_DESTINATION,
	NAT_KEY_IN,
	NAT_KEY_OUT,
	NAT_KEY_PROTOCOL,
	NAT_KEY_SOURCE_PORT,
	NAT_KEY_PORT,
	NAT_KEY_TO,
	NAT_KEY_HOOK,
	NAT_N_KEYS
};

/* One entry of the list. */
struct nat_entry {
	struct position position, positions[NAT_N_KEYS];
	uint64_t set;    /* bit i: nat_entry_fields[i] is given */
	uint32_t action; /* enum nat_action */
	uint32_t hook;   /* enum nat_chain */
	struct nat_match source, destination, in, out, protocol, port, source_port;
	struct nat_target to;
	uint8_t family; /* AF_INET, AF_INET6 or, for both, AF_UNSPEC */
};

struct nat_rules {
	size_t n;
	const struct nat_entry *items;
};

enum nat_field {
	NAT_RULESET,
	NAT_N_FIELDS,
};

struct nat {
	struct object object;
	const struct nat_rules *rules; /* desired: the entries as written; observed: NULL */
	const char *ruleset;           /* canonical text of the table */
};

/* The keys of an entry, for the schema and the reference page. */
extern const struct field nat_entry_fields[NAT_N_KEYS];

/* The values of an entry (nat_match and nat_target). */
extern const struct type type_nat_prefixes, type_nat_links, type_nat_ports, type_nat_protocols, type_nat_target;

/* Does outer match everything that inner matches? */
bool nat_match_covers(const struct nat_match *outer, const struct nat_match *inner);

/* Reads the list of entries (or a single one) into a new object of kind_nat: its rules and canonical text; the
 * caller seals and adds it. False after errors were added. For an empty list there are no rules (nat->rules->n is
 * 0), and there should be no object. */
bool nat_parse(struct parse *p, const struct node *list, struct nat *nat);

/* Prints the entries, one per line: "masquerade source 10.0.0.0/24 out not br0". Nothing for an observed object. */
void nat_print_rules(const struct nat *nat, struct text *out);

/* The name of the table; the caller frees. */
char *nat_table_name(const char *topology);

/* The position of the entry that produced this message of the transaction (counted as by nl_transact()); that of the
 * list if no entry did. */
struct position nat_mark(const struct nat *nat, size_t message);

/* Compiling (nft_compile.c). */

/* The chain that contains the rules of an entry. */
enum nat_chain nat_entry_chain(const struct nat_entry *entry);

/* How many rules an entry becomes; SIZE_MAX: too many to count. */
size_t nat_entry_n_rules(const struct nat_entry *entry);

/* How many `not` items an entry has; each of its rules contains them all. */
size_t nat_entry_n_not(const struct nat_entry *entry);

/* Calls fn for each rule of a chain, in order. The rule has only expressions, no table or chain, and is freed
 * afterwards. */
typedef void (*nat_rule_fn)(void *userdata, struct nftnl_rule *rule);
void nat_compile(const struct nat_rules *rules, enum nat_chain chain, nat_rule_fn fn, void *userdata);

/* Messages (nft_table.c). */

/* Writes one transaction that leaves the table with exactly these rules; rules NULL: without the table, whether it
 * existed or not. keep: table and chains are already right, and only the rules are replaced, so that the hooks stay.
 * The writer must be empty. False if the transaction does not fit (writer->overflow). */
bool nat_put_table(struct nl_writer *w, const char *topology, const struct nat_rules *rules, bool keep);

/* Are two canonical texts equal apart from the rules? */
bool nat_same_frame(const char *ruleset, const char *other);

enum nat_request {
	NAT_REQUEST_TABLE,  /* one answer; or ENOENT: there is no table, and the other two need not be sent */
	NAT_REQUEST_CHAINS, /* a dump */
	NAT_REQUEST_RULES,  /* a dump */
};

/* Writes one of the requests that read the topology's table. */
void nat_put_request(struct nl_writer *w, const char *topology, enum nat_request request);

/* Prints NFTA_RULE_EXPRESSIONS as canonical text (nft_text.c). */
void nat_print_expressions(const struct nlattr *list, struct text *out);

struct nat_reader_line;

/* The state of reading. Memory comes from decode->arena, so no cleanup is needed. */
struct nat_reader {
	const struct decode *decode;
	const char *table;
	bool present;
	bool torn;    /* the ruleset was changed between the answers */
	bool counted; /* `generation` is known */
	uint16_t generation;
	uint32_t flags, use; /* of the table */
	uint32_t n_chains;
	size_t size; /* of all lines */
	bool full;
	struct {
		const char *head; /* NULL: the chain does not exist */
		struct nat_reader_line *first, **end;
	} chains[NAT_N_CHAINS];
};

void nat_reader_begin(struct nat_reader *reader, const struct decode *decode);

/* Takes one message of an answer; messages about other tables are ignored. Returns 0. It is an nl_message_fn with
 * the reader as userdata. */
int nat_reader_message(void *reader, const struct nlmsghdr *nlh);

/* An answer begins again (restart of nl_dump()). */
void nat_reader_restart(void *reader);

/* 0 and the sealed object, or NULL if there is no table; -EAGAIN: the ruleset changed meanwhile, begin again. */
int nat_reader_finish(struct nat_reader *reader, struct nat **ret);

/* ruleset_meaning.c, see struct kind */
void nat_warn(struct meaning *m);
