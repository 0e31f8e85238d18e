/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the table from the kernel's messages into the canonical text by which tables are compared.
 *
 * The desired text is made from the messages that would be sent, so both texts are made in the same way. Defaults that the
 * kernel adds to an answer are added here too, on both sides. Sets, maps and objects, which only a file in nft's language
 * can ask for, are in nft_set.c. Flow tables are not requested; they show in the table's use count.
 */
#include "kind/ruleset.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

struct nft_reader_line {
	struct nft_reader_line *next;
	const char *text;
	uint64_t handle;
};

struct nft_reader_chain {
	const char *name;
	const char *head; /* NULL: only rules of it were seen */
	int policy;
	size_t n;
	struct nft_reader_line *first, **end;
	struct nft_reader_chain *next;
};

void nft_reader_begin(struct nft_reader *reader, const struct decode *decode) {
	_cleanup_free_ char *table = nft_table_name(decode->topology);

	*reader = (struct nft_reader){ .decode = decode };
	reader->table = arena_strdup(decode->arena, table);
}

void nft_reader_restart(void *userdata) {
	struct nft_reader *reader = userdata;

	reader->torn = true;
}

bool nft_reader_is_ours(const struct nft_reader *reader, const struct nlattr *table) {
	return streq_ptr(nl_get_text(table), reader->table);
}

/* Counts the memory used; false: it is too much. */
bool nft_reader_take_size(struct nft_reader *reader, size_t size) {
	reader->full |= reader->size + size > NFT_TEXT_MAX;
	reader->size += reader->full ? 0 : size;
	return !reader->full;
}

static struct nft_reader_chain *find_chain(const struct nft_reader *reader, const char *name) {
	/* The kernel reports the rules of one chain after another, in the order of the chains. */
	for (struct nft_reader_chain *chain = reader->latest; chain; chain = chain->next)
		if (streq(chain->name, name))
			return chain;
	for (struct nft_reader_chain *chain = reader->chains; chain && chain != reader->latest; chain = chain->next)
		if (streq(chain->name, name))
			return chain;
	return NULL;
}

/* NULL: there is too much. */
static struct nft_reader_chain *add_chain(struct nft_reader *reader, const char *name) {
	struct nft_reader_chain *chain;

	if (!nft_reader_take_size(reader, sizeof(*chain)))
		return NULL;
	chain = arena_new(reader->decode->arena, struct nft_reader_chain);
	chain->name = arena_strdup(reader->decode->arena, name);
	chain->end = &chain->first;
	*(reader->last ? &reader->last->next : &reader->chains) = chain;
	reader->last = chain;
	reader->n_chains++;
	return chain;
}

static void read_table(struct nft_reader *reader, const struct nlmsghdr *nlh) {
	const struct nlattr *tb[NFTA_TABLE_MAX + 1];

	nl_parse(nlh, sizeof(struct nfgenmsg), tb, NFTA_TABLE_MAX);
	if (!nft_reader_is_ours(reader, tb[NFTA_TABLE_NAME]))
		return;
	reader->present = true;
	reader->flags = ntohl(nl_get_u32(tb[NFTA_TABLE_FLAGS], 0));
	reader->use = ntohl(nl_get_u32(tb[NFTA_TABLE_USE], 0));
}

static const char *known_type(const struct nlattr *attr) {
	const char *type = nl_get_text(attr);

	return streq_ptr(type, "nat") || streq_ptr(type, "filter") || streq_ptr(type, "route") ? type : "other";
}

/* Not all kernels report the base flag of a chain with a hook. */
static void read_chain(struct nft_reader *reader, const struct nlmsghdr *nlh) {
	const struct nlattr *tb[NFTA_CHAIN_MAX + 1], *hook[NFTA_HOOK_MAX + 1];

	nl_parse(nlh, sizeof(struct nfgenmsg), tb, NFTA_CHAIN_MAX);
	const char *name = nl_get_text(tb[NFTA_CHAIN_NAME]);
	struct nft_reader_chain *chain =
		name && nft_reader_is_ours(reader, tb[NFTA_CHAIN_TABLE]) ? add_chain(reader, name) : NULL;
	if (!chain)
		return;
	uint32_t flags = ntohl(nl_get_u32(tb[NFTA_CHAIN_FLAGS], 0)) & ~(uint32_t)NFT_CHAIN_BASE;
	if (!tb[NFTA_CHAIN_HOOK]) {
		chain->head = arena_printf(reader->decode->arena, "flags %u", flags);
		return;
	}
	nl_parse_nested(tb[NFTA_CHAIN_HOOK], hook, NFTA_HOOK_MAX);
	chain->policy = (int)ntohl(nl_get_u32(tb[NFTA_CHAIN_POLICY], htonl(NF_ACCEPT)));
	chain->head = arena_printf(reader->decode->arena, "type %s hook %d prio %d flags %u",
				   known_type(tb[NFTA_CHAIN_TYPE]), (int)ntohl(nl_get_u32(hook[NFTA_HOOK_HOOKNUM], ~0u)),
				   (int32_t)ntohl(nl_get_u32(hook[NFTA_HOOK_PRIORITY], 0)), flags);
}

static void read_rule(struct nft_reader *reader, const struct nlmsghdr *nlh) {
	const struct nlattr *tb[NFTA_RULE_MAX + 1];
	_cleanup_text_ struct text text = {};
	struct nft_reader_line *line;

	nl_parse(nlh, sizeof(struct nfgenmsg), tb, NFTA_RULE_MAX);
	const char *name = nl_get_text(tb[NFTA_RULE_CHAIN]);
	if (!name || !nft_reader_is_ours(reader, tb[NFTA_RULE_TABLE]))
		return;
	struct nft_reader_chain *chain = find_chain(reader, name);
	chain = reader->latest = chain ? chain : add_chain(reader, name);
	if (!chain)
		return;
	nft_print_expressions(tb[NFTA_RULE_EXPRESSIONS], &text);
	if (tb[NFTA_RULE_USERDATA]) /* nft's comment */
		text_add_hex(&text, mnl_attr_get_payload(tb[NFTA_RULE_USERDATA]),
			     mnl_attr_get_payload_len(tb[NFTA_RULE_USERDATA]));
	text_add(&text, "\n");
	if (!nft_reader_take_size(reader, text.size))
		return;
	line = arena_new(reader->decode->arena, struct nft_reader_line);
	*line = (struct nft_reader_line){
		.text = arena_strndup(reader->decode->arena, text_str(&text), text.size),
		.handle = nl_get_number(tb[NFTA_RULE_HANDLE]),
	};
	*chain->end = line;
	chain->end = &line->next;
	chain->n++;
}

/* Each answer contains the generation of the ruleset. */
static void check_generation(struct nft_reader *reader, const struct nfgenmsg *header) {
	if (reader->counted && reader->generation != header->res_id)
		reader->torn = true;
	reader->counted = true;
	reader->generation = header->res_id;
}

int nft_reader_message(void *userdata, const struct nlmsghdr *nlh) {
	struct nft_reader *reader = userdata;
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
	case NFT_MSG_NEWSET:
	case NFT_MSG_NEWSETELEM:
	case NFT_MSG_NEWOBJ:
		nft_reader_set_message(reader, nlh);
		break;
	}
	return 0;
}

bool nft_reader_has_more(const struct nft_reader *reader) {
	return reader->present && reader->use > reader->n_chains;
}

/* What the table has besides chains. Messages that topod sends have no count. */
static const char *head_of(const struct nft_reader *reader) {
	size_t known = reader->n_chains + reader->n_others, others = reader->use > known ? reader->use - known : 0;
	_cleanup_text_ struct text text = {};

	text_addf(&text, "table flags %u other objects %zu%s\n", reader->flags, others, reader->full ? " too long" : "");
	nft_reader_print_sets(reader, &text);
	return arena_strndup(reader->decode->arena, text_str(&text), text.size);
}

static int by_name(const void *a, const void *b) {
	return strcmp(((const struct nft_content *)a)->name, ((const struct nft_content *)b)->name);
}

static const struct nft_content_rule *rules_of(const struct nft_reader *reader, const struct nft_reader_chain *chain) {
	struct nft_content_rule *rules = arena_newn(reader->decode->arena, struct nft_content_rule, chain->n), *rule = rules;

	for (const struct nft_reader_line *line = chain->first; line; line = line->next)
		*rule++ = (struct nft_content_rule){ line->text, line->handle };
	return rules;
}

/* The chains by name. */
static void fill_chains(struct nft_reader *reader, struct ruleset *ruleset) {
	struct nft_content *content;

	ruleset->n_chains = reader->n_chains;
	ruleset->chains = content = arena_newn(reader->decode->arena, struct nft_content, reader->n_chains);
	for (const struct nft_reader_chain *chain = reader->chains; chain; chain = chain->next)
		*content++ = (struct nft_content){
			.name = chain->name,
			.head = chain->head ? chain->head : "unknown",
			.policy = chain->policy,
			.n = chain->n,
			.rules = rules_of(reader, chain),
		};
	if (reader->n_chains)
		qsort(content - reader->n_chains, reader->n_chains, sizeof(*content), by_name);
}

/* Escapes names that topod never writes, so that they cannot look like other parts of the text. */
static void print_name(const char *name, struct text *out) {
	for (; *name; name++)
		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789-", *name))
			text_addn(out, name, 1);
		else
			text_addf(out, "\\%02x", (unsigned char)*name);
}

static const char *whole_text(const struct nft_reader *reader, const struct ruleset *ruleset) {
	_cleanup_text_ struct text text = {};

	text_add(&text, ruleset->head);
	for (size_t i = 0; i < ruleset->n_chains; i++) {
		const struct nft_content *chain = &ruleset->chains[i];

		text_add(&text, "chain ");
		print_name(chain->name, &text);
		text_addf(&text, " %s policy %d\n", chain->head, chain->policy);
		for (size_t k = 0; k < chain->n; k++)
			text_add(&text, chain->rules[k].text);
	}
	return arena_strndup(reader->decode->arena, text_str(&text), text.size);
}

int nft_reader_finish(struct nft_reader *reader, struct ruleset **ret) {
	const struct decode *decode = reader->decode;
	struct ruleset *ruleset;

	*ret = NULL;
	if (reader->torn)
		return -EAGAIN;
	if (!reader->present)
		return 0;
	ruleset = (struct ruleset *)object_new(decode->arena, &kind_ruleset, decode->ns);
	ruleset->topology = decode->topology;
	ruleset->head = head_of(reader);
	fill_chains(reader, ruleset);
	ruleset->text = whole_text(reader, ruleset);
	ruleset->object.set = field_bit(RULESET_TEXT);
	ruleset->object.owned = true;
	object_seal(decode->arena, &ruleset->object);
	*ret = ruleset;
	return 0;
}
