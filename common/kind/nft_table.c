/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table in the kernel's messages: the transaction that makes it, the requests that read it, and the canonical text
 * by which the two are compared.
 *
 * The desired text is made from the very messages that would be sent, so there is only one way to make it. Defaults
 * that the kernel adds to an answer are added here too, on both sides. What topod never writes (a chain of another
 * name, another expression, a set) is not described: its presence alone is a difference. Sets, maps, objects and flow
 * tables are not requested; they show in the table's use count.
 *
 * libnftnl only writes. When it reads something unexpected it ends the process, and what is read here may come from a
 * namespace in which others are root.
 */
#include "kind/ruleset.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <libnftnl/rule.h>

const char *const nat_chain_names[NAT_N_CHAINS] = {
	[NAT_PREROUTING] = "prerouting",
	[NAT_OUTPUT] = "output",
	[NAT_POSTROUTING] = "postrouting",
};

/* As nft has them: dstnat, -100, srcnat. */
static const struct {
	uint32_t hook;
	int32_t priority;
} chain_places[NAT_N_CHAINS] = {
	[NAT_PREROUTING] = { NF_INET_PRE_ROUTING, -100 },
	[NAT_OUTPUT] = { NF_INET_LOCAL_OUT, -100 },
	[NAT_POSTROUTING] = { NF_INET_POST_ROUTING, 100 },
};

#define TABLE_PREFIX "topod-"

/* Writing. */

enum {
	FIRST_CHAIN = 4,               /* after the batch's begin, and the table created, deleted and created */
	RULE_SIZE = 2048,              /* upper bound of a rule's message without `not`; usually 600 bytes */
	NOT_SIZE = 256,                /* upper bound of what a `not` item adds */
	TABLE_SIZE = 4 * NAT_TEXT_MAX, /* upper bound of all messages, some of which are larger than their text */
};

static void put_header(struct nl_writer *w, uint16_t type, uint16_t flags, uint8_t family, uint16_t resource) {
	struct nfgenmsg *header = nl_begin(w, type, flags, sizeof(*header));

	header->nfgen_family = family;
	header->version = NFNETLINK_V0;
	header->res_id = htons(resource);
}

static void put_nft(struct nl_writer *w, uint16_t type, uint16_t flags) {
	put_header(w, NFNL_SUBSYS_NFTABLES << 8 | type, flags, NFPROTO_INET, 0);
}

char *nat_table_name(const char *topology) {
	return xasprintf(TABLE_PREFIX "%s", topology);
}

static void put_table_name(struct nl_writer *w, uint16_t attr, const char *topology) {
	_cleanup_free_ char *name = nat_table_name(topology);

	nl_put_text(w, attr, name);
}

static void put_table(struct nl_writer *w, uint16_t type, uint16_t flags, const char *topology) {
	put_nft(w, type, flags);
	put_table_name(w, NFTA_TABLE_NAME, topology);
}

static void put_chain(struct nl_writer *w, const char *topology, enum nat_chain chain) {
	put_nft(w, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	put_table_name(w, NFTA_CHAIN_TABLE, topology);
	nl_put_text(w, NFTA_CHAIN_NAME, nat_chain_names[chain]);

	struct nlattr *hook = nl_nest(w, NFTA_CHAIN_HOOK);
	nl_put_u32(w, NFTA_HOOK_HOOKNUM, htonl(chain_places[chain].hook));
	nl_put_u32(w, NFTA_HOOK_PRIORITY, htonl((uint32_t)chain_places[chain].priority));
	nl_nest_end(w, hook);
	nl_put_u32(w, NFTA_CHAIN_POLICY, htonl(NF_ACCEPT));
	nl_put_text(w, NFTA_CHAIN_TYPE, "nat");
}

struct rule_writer {
	struct nl_writer *writer;
	const char *table, *chain;
};

/* libnftnl does not know where the buffer ends, so room is checked first. */
static void put_rule(void *userdata, struct nftnl_rule *rule) {
	struct rule_writer *rw = userdata;
	struct nl_writer *w = rw->writer;

	if (!nl_has_room(w)) {
		w->overflow = true;
		return;
	}
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, rw->table);
	nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, rw->chain);
	put_nft(w, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	nftnl_rule_nlmsg_build_payload(w->message, rule);
	nl_zero_gaps(w, sizeof(struct nfgenmsg));
}

static size_t chain_n_rules(const struct nat_rules *rules, enum nat_chain chain) {
	size_t n = 0;

	for (size_t i = 0; i < rules->n; i++)
		if (nat_entry_chain(&rules->items[i]) == chain)
			n += nat_entry_n_rules(&rules->items[i]);
	return n;
}

static void put_chains(struct nl_writer *w, const char *topology, const struct nat_rules *rules) {
	for (enum nat_chain chain = 0; chain < NAT_N_CHAINS; chain++)
		if (chain_n_rules(rules, chain))
			put_chain(w, topology, chain);
}

static void put_rules(struct nl_writer *w, const char *topology, const struct nat_rules *rules) {
	_cleanup_free_ char *table = nat_table_name(topology);

	for (enum nat_chain chain = 0; chain < NAT_N_CHAINS; chain++)
		nat_compile(rules, chain, put_rule, &(struct rule_writer){ w, table, nat_chain_names[chain] });
}

static size_t size_of(const struct nat_rules *rules) {
	size_t size = NL_MESSAGE_MAX;

	for (const struct nat_entry *entry = rules->items; entry < rules->items + rules->n; entry++)
		size += nat_entry_n_rules(entry) * (RULE_SIZE + nat_entry_n_not(entry) * NOT_SIZE);
	return MIN(size, (size_t)TABLE_SIZE);
}

/* Deletes the rules of the whole table, because no chain is named. */
static void put_all_rules(struct nl_writer *w, const char *topology) {
	put_nft(w, NFT_MSG_DELRULE, 0);
	put_table_name(w, NFTA_RULE_TABLE, topology);
}

bool nat_put_table(struct nl_writer *w, const char *topology, const struct nat_rules *rules, bool keep) {
	if (rules)
		nl_reserve(w, size_of(rules));
	put_header(w, NFNL_MSG_BATCH_BEGIN, 0, NFPROTO_UNSPEC, NFNL_SUBSYS_NFTABLES);
	/* Deleting fails if there is no table, so it is created first. */
	put_table(w, NFT_MSG_NEWTABLE, NLM_F_CREATE, topology);
	if (keep)
		put_all_rules(w, topology);
	else
		put_table(w, NFT_MSG_DELTABLE, 0, topology);
	if (rules) {
		put_table(w, NFT_MSG_NEWTABLE, NLM_F_CREATE, topology);
		put_chains(w, topology, rules);
		put_rules(w, topology, rules);
	}
	put_header(w, NFNL_MSG_BATCH_END, 0, NFPROTO_UNSPEC, NFNL_SUBSYS_NFTABLES);
	return !w->overflow;
}

static const struct nat_entry *entry_of(const struct nat_rules *rules, enum nat_chain chain, size_t *index) {
	for (const struct nat_entry *entry = rules->items; entry < rules->items + rules->n; entry++) {
		size_t n = nat_entry_chain(entry) == chain ? nat_entry_n_rules(entry) : 0;

		if (*index < n)
			return entry;
		*index -= n;
	}
	return NULL;
}

struct position nat_mark(const struct nat *nat, size_t message) {
	size_t first = FIRST_CHAIN;

	for (enum nat_chain chain = 0; nat->rules && chain < NAT_N_CHAINS; chain++)
		first += chain_n_rules(nat->rules, chain) > 0;
	if (!nat->rules || message < first)
		return nat->object.position;
	message -= first;
	for (enum nat_chain chain = 0; chain < NAT_N_CHAINS; chain++) {
		const struct nat_entry *entry = entry_of(nat->rules, chain, &message);

		if (entry)
			return entry->position;
	}
	return nat->object.position;
}

void nat_put_request(struct nl_writer *w, const char *topology, enum nat_request request) {
	switch (request) {
	case NAT_REQUEST_TABLE:
		put_table(w, NFT_MSG_GETTABLE, 0, topology);
		break;
	case NAT_REQUEST_CHAINS: /* the kernel can select only by family */
		put_nft(w, NFT_MSG_GETCHAIN, NLM_F_DUMP);
		break;
	case NAT_REQUEST_RULES:
		put_nft(w, NFT_MSG_GETRULE, NLM_F_DUMP);
		put_table_name(w, NFTA_RULE_TABLE, topology);
		break;
	}
}

/* Reading messages. */

struct nat_reader_line {
	struct nat_reader_line *next;
	size_t size;
	const char *text;
};

void nat_reader_begin(struct nat_reader *reader, const struct decode *decode) {
	*reader = (struct nat_reader){ .decode = decode };
	reader->table = arena_printf(decode->arena, TABLE_PREFIX "%s", decode->topology);
	for (enum nat_chain chain = 0; chain < NAT_N_CHAINS; chain++)
		reader->chains[chain].end = &reader->chains[chain].first;
}

void nat_reader_restart(void *userdata) {
	struct nat_reader *reader = userdata;

	reader->torn = true;
}

static bool is_ours(const struct nat_reader *reader, const struct nlattr *table) {
	return streq_ptr(nl_get_text(table), reader->table);
}

/* -1: a chain with another name. */
static int find_chain(const struct nlattr *attr) {
	const char *name = nl_get_text(attr);

	for (int chain = 0; name && chain < NAT_N_CHAINS; chain++)
		if (streq(name, nat_chain_names[chain]))
			return chain;
	return -1;
}

static void read_table(struct nat_reader *reader, const struct nlmsghdr *nlh) {
	const struct nlattr *tb[NFTA_TABLE_MAX + 1];

	nl_parse(nlh, sizeof(struct nfgenmsg), tb, NFTA_TABLE_MAX);
	if (!is_ours(reader, tb[NFTA_TABLE_NAME]))
		return;
	reader->present = true;
	reader->flags = ntohl(nl_get_u32(tb[NFTA_TABLE_FLAGS], 0));
	reader->use = ntohl(nl_get_u32(tb[NFTA_TABLE_USE], 0));
}

/* Not all kernels report the base flag of a chain with a hook. */
static void read_chain(struct nat_reader *reader, const struct nlmsghdr *nlh) {
	const struct nlattr *tb[NFTA_CHAIN_MAX + 1], *hook[NFTA_HOOK_MAX + 1];

	nl_parse(nlh, sizeof(struct nfgenmsg), tb, NFTA_CHAIN_MAX);
	if (!is_ours(reader, tb[NFTA_CHAIN_TABLE]))
		return;
	reader->n_chains++;
	int chain = find_chain(tb[NFTA_CHAIN_NAME]);
	if (chain < 0)
		return;
	nl_parse_nested(tb[NFTA_CHAIN_HOOK], hook, NFTA_HOOK_MAX);
	const char *type = nl_get_text(tb[NFTA_CHAIN_TYPE]);
	reader->chains[chain].head = arena_printf(
		reader->decode->arena, "chain %s type %s hook %d prio %d policy %d flags %u\n", nat_chain_names[chain],
		type && streq(type, "nat") ? type : "other", (int)ntohl(nl_get_u32(hook[NFTA_HOOK_HOOKNUM], ~0u)),
		(int32_t)ntohl(nl_get_u32(hook[NFTA_HOOK_PRIORITY], 0)),
		(int)ntohl(nl_get_u32(tb[NFTA_CHAIN_POLICY], htonl(NF_ACCEPT))),
		ntohl(nl_get_u32(tb[NFTA_CHAIN_FLAGS], 0)) & ~(uint32_t)NFT_CHAIN_BASE);
}

static void add_line(struct nat_reader *reader, int chain, const char *text) {
	struct nat_reader_line *line;
	size_t size = strlen(text);

	reader->full |= reader->size + size > NAT_TEXT_MAX;
	if (reader->full)
		return;
	reader->size += size;
	line = arena_new(reader->decode->arena, struct nat_reader_line);
	*line = (struct nat_reader_line){ .size = size, .text = arena_strndup(reader->decode->arena, text, size) };
	*reader->chains[chain].end = line;
	reader->chains[chain].end = &line->next;
}

static void read_rule(struct nat_reader *reader, const struct nlmsghdr *nlh) {
	const struct nlattr *tb[NFTA_RULE_MAX + 1];
	_cleanup_text_ struct text text = {};

	nl_parse(nlh, sizeof(struct nfgenmsg), tb, NFTA_RULE_MAX);
	int chain = find_chain(tb[NFTA_RULE_CHAIN]);
	if (!is_ours(reader, tb[NFTA_RULE_TABLE]) || chain < 0)
		return;
	nat_print_expressions(tb[NFTA_RULE_EXPRESSIONS], &text);
	text_add(&text, "\n");
	add_line(reader, chain, text_str(&text));
}

/* Each answer contains the generation of the ruleset. */
static void check_generation(struct nat_reader *reader, const struct nfgenmsg *header) {
	if (reader->counted && reader->generation != header->res_id)
		reader->torn = true;
	reader->counted = true;
	reader->generation = header->res_id;
}

int nat_reader_message(void *userdata, const struct nlmsghdr *nlh) {
	struct nat_reader *reader = userdata;
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES || nlh->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*header) ||
	    header->nfgen_family != NFPROTO_INET)
		return 0;
	check_generation(reader, header);
	switch (nlh->nlmsg_type & 0xff) {
	case NFT_MSG_NEWTABLE:
		read_table(reader, nlh);
		break;
	case NFT_MSG_NEWCHAIN:
		read_chain(reader, nlh);
		break;
	case NFT_MSG_NEWRULE:
		read_rule(reader, nlh);
		break;
	}
	return 0;
}

/* What the table has besides our chains. In messages that are to be sent the count is absent. */
static void print_head(const struct nat_reader *reader, struct text *out) {
	uint32_t others = reader->use > reader->n_chains ? reader->use - reader->n_chains : 0;
	uint32_t chains = reader->n_chains;

	for (enum nat_chain chain = 0; chain < NAT_N_CHAINS; chain++)
		chains -= reader->chains[chain].head != NULL;
	text_addf(out, "table flags %u other chains %u other objects %u%s\n", reader->flags, chains, others,
		  reader->full ? " too long" : "");
}

static const char *whole_text(const struct nat_reader *reader) {
	_cleanup_text_ struct text text = {};

	print_head(reader, &text);
	for (enum nat_chain chain = 0; chain < NAT_N_CHAINS; chain++) {
		if (!reader->chains[chain].head)
			continue;
		text_add(&text, reader->chains[chain].head);
		for (const struct nat_reader_line *line = reader->chains[chain].first; line; line = line->next)
			text_addn(&text, line->text, line->size);
	}
	return arena_strndup(reader->decode->arena, text_str(&text), text.size);
}

static const char *next_line(const char *text) {
	text = strchrnul(text, '\n');
	return *text ? text + 1 : text;
}

/* The next line that is not a rule (rules are indented); the end of the text if there is none. */
static const char *frame_line(const char *text) {
	while (*text == ' ')
		text = next_line(text);
	return text;
}

bool nat_same_frame(const char *a, const char *b) {
	for (a = frame_line(a), b = frame_line(b); *a && *b; a = frame_line(next_line(a)), b = frame_line(next_line(b)))
		if (strncmp(a, b, strcspn(a, "\n") + 1) != 0)
			return false;
	return !*a && !*b;
}

int nat_reader_finish(struct nat_reader *reader, struct nat **ret) {
	const struct decode *decode = reader->decode;
	struct nat *nat;

	*ret = NULL;
	if (reader->torn)
		return -EAGAIN;
	if (!reader->present)
		return 0;
	nat = (struct nat *)object_new(decode->arena, &kind_nat, decode->ns);
	nat->ruleset = whole_text(reader);
	nat->object.set = field_bit(NAT_RULESET);
	nat->object.owned = true;
	object_seal(decode->arena, &nat->object);
	*ret = nat;
	return 0;
}
