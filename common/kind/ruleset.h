/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Address translation and filters: the list `nat` and the mapping `filter` of a namespace, and the one nftables table
 * that they become.
 *
 * The table is `topod-TOPOLOGY` of family inet. Its name is topod's mark, so everything in it is topod's, and topod
 * looks at nothing outside it. The kernel accepts all characters of a topology's name. The nft command shows a table whose
 * name has characters other than letters, digits and `_.-`, but does not accept such a name.
 *
 * The whole table is one object with one field, its rules as a canonical text: a rule has no identity, its position
 * matters, and the kernel changes a table in one transaction, so that no packet sees half of it. Translations that
 * have begun belong to conntrack and survive the change.
 */
#pragma once

#include "model/kind.h"

extern const struct class class_ruleset;
extern const struct source source_ruleset;
extern const struct kind kind_ruleset;

struct nftnl_rule;

/* What a rule does with a packet that it matches; NFT_GO_ON: the next rule decides. */
enum nft_action {
	NFT_GO_ON,
	NFT_MASQUERADE,
	NFT_SNAT,
	NFT_DNAT,
	NFT_REDIRECT,
	NFT_NETMAP,
	NFT_ACCEPT,
	NFT_DROP,
	NFT_REJECT,
};

/* The chains with a hook. */
enum nft_chain {
	NFT_NAT_PREROUTING,
	NFT_NAT_OUTPUT,
	NFT_NAT_POSTROUTING,
	NFT_FILTER_PREROUTING,
	NFT_FILTER_INPUT,
	NFT_FILTER_FORWARD,
	NFT_FILTER_OUTPUT,
	NFT_FILTER_POSTROUTING,
	NFT_N_CHAINS,
};

enum {
	NFT_ENTRY_RULES_MAX = 4096,      /* limit of the rules to which one entry's lists expand */
	NFT_ENTRY_NOT_MAX = 24,          /* limit of `not` items in an entry of nat: the kernel limits a rule to 4 KiB */
	NFT_FILTER_NOT_MAX = 16,         /* the same for filter, whose rules have more other content */
	NFT_RULES_MAX = 32768,           /* limit of the rules in a table */
	NFT_TEXT_MAX = 16 * 1024 * 1024, /* limit of a table's canonical text */
};

/* One value of a match; the field determines which member is used. */
struct nft_item {
	struct position position;
	union {
		struct prefix prefix;
		const char *link; /* a name, or a prefix of names followed by `*` */
		struct {
			uint16_t first, last;
		}; /* ports */
		uint8_t protocol;
		struct fwmark mark;
		uint32_t state; /* the bit of a connection's state */
		struct {
			const char *word;    /* as written */
			int16_t icmp, icmp6; /* type; -1: there is none of this name */
			int16_t code;        /* -1: any */
		};
	};
};

/* Matches one of the items, or (negated) none of them. */
struct nft_match {
	bool negated;
	size_t n; /* 0: not given, everything matches */
	const struct nft_item *items;
	const struct nft_item_type *type;
};

/* The new destination or source: an address, a range or a network, a port or a range, or both. */
struct nft_target {
	struct ip first, last;          /* AF_UNSPEC: none; equal for one address */
	uint16_t first_port, last_port; /* 0: none; equal for one port */
	bool network;                   /* written as a prefix */
	uint8_t length;                 /* of the prefix */
};

/* `hairpin`: whether it is on, and the interface behind which the target is; NULL: follows from the declared addresses. */
struct nft_hairpin {
	bool on;
	const char *link;
};

/* TCP flags: those that are checked, and which of them must be set. */
struct nft_flags {
	uint8_t set, mask; /* mask 0: not given */
};

/* A number of packets in a number of seconds, after a burst. */
struct nft_limit {
	uint32_t rate, seconds, burst; /* rate 0: no limit */
};

struct nft_log {
	bool on;
	const char *prefix; /* NULL: none */
	uint32_t level;     /* as syslog(3) */
	struct nft_limit limit;
};

/* The keys of an entry, in the order of its table of fields. */
enum nft_key {
	NFT_KEY_ACTION,
	NFT_KEY_SOURCE,
	NFT_KEY_DESTINATION,
	NFT_KEY_IN,
	NFT_KEY_OUT,
	NFT_KEY_PROTOCOL,
	NFT_KEY_SOURCE_PORT,
	NFT_KEY_PORT,
	NFT_KEY_FWMARK,
	NFT_N_COMMON_KEYS,

	NAT_KEY_TO = NFT_N_COMMON_KEYS,
	NAT_KEY_HOOK,
	NAT_KEY_RANDOM,
	NAT_KEY_PERSISTENT,
	NAT_KEY_HAIRPIN,
	NAT_N_KEYS,

	FILTER_KEY_STATE = NFT_N_COMMON_KEYS,
	FILTER_KEY_ICMP_TYPE,
	FILTER_KEY_TCP_FLAGS,
	FILTER_KEY_LIMIT,
	FILTER_KEY_MARK,
	FILTER_KEY_CLAMP_MSS,
	FILTER_KEY_COUNTER,
	FILTER_KEY_LOG,
	FILTER_N_KEYS,

	NFT_KEYS_MAX = FILTER_N_KEYS,
};

enum { NFT_CLAMP_PMTU = UINT32_MAX }; /* clamp_mss: the path MTU */

/* An entry of the list `nat`, or a rule of `filter`. */
struct nft_entry {
	struct position position, positions[NFT_KEYS_MAX];
	uint64_t set;    /* bit i: the i-th field of its table is given */
	uint32_t action; /* enum nft_action */
	uint32_t hook;   /* enum nft_chain, as written */
	struct nft_match source, destination, in, out, protocol, port, source_port, fwmark;
	struct nft_target to;
	uint32_t random, persistent;
	struct nft_hairpin hairpin;
	struct nft_match state, icmp_type;
	struct nft_flags tcp_flags;
	struct nft_limit limit;
	struct fwmark mark;
	uint32_t clamp_mss, counter; /* 0: not given */
	struct nft_log log;
	uint8_t family;       /* AF_INET, AF_INET6 or, for both, AF_UNSPEC */
	enum nft_chain chain; /* in which its rules are */
	/* For entries that `hairpin` adds, without a key. */
	bool to_local;   /* matches packets to an address of the namespace */
	bool translated; /* matches connections whose destination was translated */
};

struct nft_entries {
	size_t n;
	const struct nft_entry *items;
};

/* A chain of `filter`. */
struct nft_filter_chain {
	bool given;
	uint32_t policy;              /* enum nft_action */
	struct position positions[1]; /* of `policy` */
	uint64_t set;
	struct nft_entries rules;
};

/* The part of an entry that a rule of the table implements. */
enum nft_part {
	NFT_PART_WHOLE, /* everything */
	NFT_PART_JUMP,  /* matches, and jumps to a chain that has the rest … */
	NFT_PART_OVER,  /* … there: returns if the entry's limit is exceeded */
	NFT_PART_LOG,   /* … logs within the log's own limit */
	NFT_PART_REST,  /* … everything else */
};

/* One rule: the index-th combination of the items of an entry's lists. */
struct nft_step {
	const struct nft_entry *entry;
	uint32_t index;
	enum nft_part part;
	const char *chain; /* NFT_PART_JUMP: where to */
};

/* Where a chain is on a packet's path, in nft's terms. */
struct nft_place {
	const char *name, *type;
	uint32_t hook;
	int32_t priority;
};

/* The chains that the kernel is to have, each with its rules. */
struct nft_program {
	size_t n;
	struct nft_program_chain {
		const char *name;
		const struct nft_place *place; /* NULL: it has no hook, others jump to it */
		const char *type;
		uint32_t policy; /* NF_ACCEPT or NF_DROP */
		size_t n;
		struct nft_step *steps;
	} * chains;
};

/* A chain of the kernel, observed or desired. */
struct nft_content {
	const char *name;
	const char *head; /* where it is, as text */
	int policy;
	size_t n;
	const struct nft_content_rule {
		const char *text;
		uint64_t handle; /* 0: not in the kernel */
	} * rules;
};

/* `nft`: a file in nft's own language. daemon/files/nft_file.c has it loaded into a separate namespace and takes the kernel's
 * messages about the result. */
struct nft_file {
	const char *path; /* as written; NULL: none */
	struct position position;
	size_t n;                               /* 0: empty, or not read */
	const struct nlmsghdr *const *messages; /* chains, objects, sets, their elements, rules: in this order */
};

enum ruleset_field {
	RULESET_TEXT,
	RULESET_N_FIELDS,
};

struct ruleset {
	struct object object;
	struct nft_entries nat; /* desired: the entries as written */
	struct nft_filter_chain filter[NFT_N_CHAINS];
	const struct nft_program *program; /* desired; NULL: no table */
	struct nft_file file;              /* desired */
	const char *text;                  /* canonical text of the table: its head, then the chains */
	const char *head;
	size_t n_chains;
	const struct nft_content *chains; /* by name */
	const char *topology;             /* observed: whose table it is */
};

/* The keys of an entry of `nat`, of a chain of `filter` and of its rules. */
extern const struct field nat_fields[NAT_N_KEYS], filter_chain_fields[1], filter_fields[FILTER_N_KEYS];

/* The values of an entry: nft_match; nft_target, nft_hairpin; nft_flags, nft_limit, nft_log. */
extern const struct type type_nft_prefixes, type_nft_links, type_nft_ports, type_nft_protocols, type_nft_marks,
	type_nft_states, type_nft_icmp_types;
extern const struct type type_nft_target, type_nft_hairpin;
extern const struct type type_nft_tcp_flags, type_nft_limit, type_nft_log;

/* Does outer match everything that inner matches? */
bool nft_match_covers(const struct nft_match *outer, const struct nft_match *inner);

/* Reads the list `nat` (or a single entry) into an object of kind_ruleset. False after errors were added. */
bool ruleset_read_nat(struct parse *p, const struct node *list, struct ruleset *ruleset);

/* The same for the mapping `filter`. */
bool ruleset_read_filter(struct parse *p, const struct node *mapping, struct ruleset *ruleset);

/* Computes program and text from the entries. ns: the namespace with everything that the file declares in it; NULL: nothing
 * is known. False after errors were added. */
bool ruleset_finish(struct parse *p, const struct ns_state *ns, struct ruleset *ruleset);

/* The desired ruleset of a namespace that has `nft`, or NULL. */
struct ruleset *ruleset_with_file(const struct ns_state *ns);
/* Gives the ruleset the content of its file, and computes its text again. False: not possible, and *ret_problem, in arena,
 * says why. The messages must outlive the ruleset. */
bool ruleset_take_file(struct arena *arena, struct ruleset *ruleset, const struct nlmsghdr *const *messages, size_t n,
		       const char **ret_problem);

/* Prints the entries, one per line: "masquerade source 10.0.0.0/24 out not br0". Nothing for an observed object. */
void ruleset_print(const struct ruleset *ruleset, struct text *out);

/* The name of the table; the caller frees. */
char *nft_table_name(const char *topology);

/* Compiling (nft_compile.c, nft_rule.c). */

/* How many rules an entry becomes; SIZE_MAX: too many to count. */
size_t nft_entry_n_rules(const struct nft_entry *entry);

/* How many `not` items an entry has; each of its rules contains them all. */
size_t nft_entry_n_not(const struct nft_entry *entry);

/* Does netmap map the destination (else the source)? */
bool nft_maps_destination(const struct nft_entry *entry);

/* By enum nft_chain. */
extern const struct nft_place nft_places[NFT_N_CHAINS];

/* The rules of all entries, those of nat first, by chain; NULL: too many. The entries must outlive the program. */
const struct nft_program *nft_compile(struct arena *arena, const struct nft_entries *nat,
				      const struct nft_filter_chain filter[NFT_N_CHAINS]);

/* A rule with its expressions, without table and chain (nft_rule.c); the caller frees (nftnl_rule_free()). */
struct nftnl_rule *nft_build_rule(const struct nft_step *step);

/* Messages (nft_table.c). */

/* The chain of that name of an observed or desired table, or NULL. */
const struct nft_content *ruleset_find_chain(const struct ruleset *ruleset, const char *name);
/* Do the entries of `nat` and `filter` make a chain of this name? */
bool nft_program_has(const struct nft_program *program, const char *chain);

/* Writes one transaction that leaves the table with exactly what the desired one has; NULL: without the table, whether it
 * existed or not. The writer must be empty. False if the transaction does not fit (writer->overflow). */
bool nft_put_table(struct nl_writer *w, const char *topology, const struct ruleset *desired);

/* The same, as a minimal change of the observed table: chains and rules that are already right stay, with their counters. */
bool nft_put_changes(struct nl_writer *w, const char *topology, const struct ruleset *desired, const struct ruleset *seen);

#define NFT_NEW_RULE SIZE_MAX

/* For each desired rule the index of the observed rule that stays in its place, or NFT_NEW_RULE; and which observed rules
 * stay (nft_diff.c). seen NULL: none. */
void nft_match_rules(const struct nft_content *desired, const struct nft_content *seen, size_t *stays, bool *kept);

/* Which rules of the table stay when it changes. */
struct nft_changes {
	size_t *stays; /* by the steps of the desired program's chains, one chain after another: as of nft_match_rules() */
	bool *kept;    /* by the rules of the chains that were seen, one after another */
	size_t n_seen; /* the size of kept, which is not less than their number */
};
void nft_find_changes(const struct ruleset *desired, const struct ruleset *seen, struct nft_changes *ret);
void nft_changes_done(struct nft_changes *changes);

enum nft_request {
	NFT_REQUEST_TABLE,    /* one answer; or ENOENT: there is no table, and the other two need not be sent */
	NFT_REQUEST_CHAINS,   /* a dump */
	NFT_REQUEST_OBJECTS,  /* a dump, as the following ones: only if the table has more than chains */
	NFT_REQUEST_SETS,     /* the same */
	NFT_REQUEST_ELEMENTS, /* the same: of one set */
	NFT_REQUEST_RULES,    /* a dump */
	NFT_REQUEST_ALL,      /* a dump of all tables, see nft_foreign.c */
};

/* Decodes a table of NFT_REQUEST_ALL into a sealed object; NULL: it is another message. *ret_topology: the topology whose table
 * has such a name, or NULL. */
struct object *nft_foreign_decode(const struct decode *decode, const struct nlmsghdr *nlh, const char **ret_topology);

/* Writes one of the requests that read the topology's table. */
void nft_put_request(struct nl_writer *w, const char *topology, enum nft_request request);
/* NFT_REQUEST_ELEMENTS of this set. */
void nft_put_elements_request(struct nl_writer *w, const char *topology, const char *set);

/* The content of a file (nft_file.c). */

/* Writes it into a transaction, for the topology's table. */
void nft_put_file(struct nl_writer *w, const char *topology, const struct nft_file *file);
/* What topod does not support in the message, such as "a flowtable"; NULL: the message can be sent. */
const char *nft_file_refuses(const struct nlmsghdr *nlh);
/* "4 rules in 2 chains, 1 set". */
void nft_print_file(const struct nft_file *file, struct text *out);
size_t nft_file_size(const struct nft_file *file);
/* The name of the chain that the message creates, or NULL. */
const char *nft_chain_of_message(const struct nlmsghdr *nlh);

/* Reading (nft_read.c). */

/* Prints NFTA_RULE_EXPRESSIONS as canonical text (nft_text.c). */
void nft_print_expressions(const struct nlattr *list, struct text *out);

struct nft_reader_chain;

/* Sets and stateful objects of a table (nft_set.c), each as text. */
struct nft_reader_set {
	struct nft_reader_set *next;
	const char *name; /* "" for an object */
	const char *text;
	bool changes; /* rules or time change its elements: they are not compared */
	struct nft_reader_element {
		struct nft_reader_element *next;
		const char *text;
	} * elements;
};

/* The state of reading. Memory comes from decode->arena, so no cleanup is needed. */
struct nft_reader {
	const struct decode *decode;
	const char *table;
	bool present;
	bool torn;    /* the ruleset was changed between the answers */
	bool counted; /* `generation` is known */
	uint16_t generation;
	uint32_t flags, use; /* of the table */
	size_t size;         /* of all lines */
	bool full;
	size_t n_chains;
	struct nft_reader_chain *chains, *last, *latest; /* latest: of the rule before */
	size_t n_others;                                 /* the sets and objects */
	struct nft_reader_set *others;                   /* in any order */
};

/* Takes a message about a set, its elements, or an object. */
void nft_reader_set_message(struct nft_reader *reader, const struct nlmsghdr *nlh);
/* Prints them in the order of their texts. */
void nft_reader_print_sets(const struct nft_reader *reader, struct text *out);
/* Does the table have sets or objects, which must be read too? */
bool nft_reader_has_more(const struct nft_reader *reader);
/* Is this the name of the table that is read? */
bool nft_reader_is_ours(const struct nft_reader *reader, const struct nlattr *table);
/* Counts size more bytes; false: it is too much. */
bool nft_reader_take_size(struct nft_reader *reader, size_t size);

void nft_reader_begin(struct nft_reader *reader, const struct decode *decode);

/* Takes one message of an answer; messages about other tables are ignored. Returns 0. It is an nl_message_fn with
 * the reader as userdata. */
int nft_reader_message(void *reader, const struct nlmsghdr *nlh);

/* An answer begins again (restart of nl_dump()). */
void nft_reader_restart(void *reader);

/* 0 and the sealed object, or NULL if there is no table; -EAGAIN: the ruleset changed meanwhile, begin again. */
int nft_reader_finish(struct nft_reader *reader, struct ruleset **ret);

/* How the namespace reaches an address, by the longest declared prefix (ruleset_meaning.c). False: no declared object leads
 * to it. */
bool ruleset_find_lead(const struct ns_state *ns, const struct ip *ip, struct lead *ret);

/* nft_export.c, see struct section and struct kind */
void ruleset_words_of_nat(const struct ns_state *seen, const char *link, struct text *out);
void ruleset_words_of_filter(const struct ns_state *seen, const char *link, struct text *out);
const char *ruleset_left_out(struct arena *arena, const struct object *observed);

/* ruleset_meaning.c, see struct kind */
void ruleset_warn(struct meaning *m);
const char *ruleset_asks(const struct object *desired, const struct ns_state *ns);
void ruleset_warn_value(const struct object *desired, const struct ns_state *ns, const char *value, struct diags *diags);
