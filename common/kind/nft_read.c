/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the table from the kernel's messages, as the canonical text by which a table is compared.
 *
 * The desired text is made from the very messages that would be sent, so there is only one way to make it. Defaults
 * that the kernel adds to an answer are added here too, on both sides. What topod never writes (a chain of another
 * name, another expression, a set) is not described: its presence alone is a difference. Sets, maps, objects and flow
 * tables are not requested; they show in the table's use count.
 */
#include "kind/ruleset.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

static const char *const chain_names[NFT_N_CHAINS] = {
	[NFT_NAT_PREROUTING] = "prerouting",
	[NFT_NAT_OUTPUT] = "output",
	[NFT_NAT_POSTROUTING] = "postrouting",
};

struct nft_reader_line {
	struct nft_reader_line *next;
	size_t size;
	const char *text;
};

void nft_reader_begin(struct nft_reader *reader, const struct decode *decode) {
	*reader = (struct nft_reader){ .decode = decode };
	_cleanup_free_ char *table = nft_table_name(decode->topology);

	reader->table = arena_strdup(decode->arena, table);
	for (enum nft_chain chain = 0; chain < NFT_N_CHAINS; chain++)
		reader->chains[chain].end = &reader->chains[chain].first;
}

void nft_reader_restart(void *userdata) {
	struct nft_reader *reader = userdata;

	reader->torn = true;
}

static bool is_ours(const struct nft_reader *reader, const struct nlattr *table) {
	return streq_ptr(nl_get_text(table), reader->table);
}

/* -1: a chain with another name. */
static int find_chain(const struct nlattr *attr) {
	const char *name = nl_get_text(attr);

	for (int chain = 0; name && chain < NFT_N_CHAINS; chain++)
		if (streq(name, chain_names[chain]))
			return chain;
	return -1;
}

static void read_table(struct nft_reader *reader, const struct nlmsghdr *nlh) {
	const struct nlattr *tb[NFTA_TABLE_MAX + 1];

	nl_parse(nlh, sizeof(struct nfgenmsg), tb, NFTA_TABLE_MAX);
	if (!is_ours(reader, tb[NFTA_TABLE_NAME]))
		return;
	reader->present = true;
	reader->flags = ntohl(nl_get_u32(tb[NFTA_TABLE_FLAGS], 0));
	reader->use = ntohl(nl_get_u32(tb[NFTA_TABLE_USE], 0));
}

/* Not all kernels report the base flag of a chain with a hook. */
static void read_chain(struct nft_reader *reader, const struct nlmsghdr *nlh) {
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
		reader->decode->arena, "chain %s type %s hook %d prio %d policy %d flags %u\n", chain_names[chain],
		type && streq(type, "nat") ? type : "other", (int)ntohl(nl_get_u32(hook[NFTA_HOOK_HOOKNUM], ~0u)),
		(int32_t)ntohl(nl_get_u32(hook[NFTA_HOOK_PRIORITY], 0)),
		(int)ntohl(nl_get_u32(tb[NFTA_CHAIN_POLICY], htonl(NF_ACCEPT))),
		ntohl(nl_get_u32(tb[NFTA_CHAIN_FLAGS], 0)) & ~(uint32_t)NFT_CHAIN_BASE);
}

static void add_line(struct nft_reader *reader, int chain, const char *text) {
	struct nft_reader_line *line;
	size_t size = strlen(text);

	reader->full |= reader->size + size > NFT_TEXT_MAX;
	if (reader->full)
		return;
	reader->size += size;
	line = arena_new(reader->decode->arena, struct nft_reader_line);
	*line = (struct nft_reader_line){ .size = size, .text = arena_strndup(reader->decode->arena, text, size) };
	*reader->chains[chain].end = line;
	reader->chains[chain].end = &line->next;
}

static void read_rule(struct nft_reader *reader, const struct nlmsghdr *nlh) {
	const struct nlattr *tb[NFTA_RULE_MAX + 1];
	_cleanup_text_ struct text text = {};

	nl_parse(nlh, sizeof(struct nfgenmsg), tb, NFTA_RULE_MAX);
	int chain = find_chain(tb[NFTA_RULE_CHAIN]);
	if (!is_ours(reader, tb[NFTA_RULE_TABLE]) || chain < 0)
		return;
	nft_print_expressions(tb[NFTA_RULE_EXPRESSIONS], &text);
	text_add(&text, "\n");
	add_line(reader, chain, text_str(&text));
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
	}
	return 0;
}

/* What the table has besides our chains. In messages that are to be sent the count is absent. */
static void print_head(const struct nft_reader *reader, struct text *out) {
	uint32_t others = reader->use > reader->n_chains ? reader->use - reader->n_chains : 0;
	uint32_t chains = reader->n_chains;

	for (enum nft_chain chain = 0; chain < NFT_N_CHAINS; chain++)
		chains -= reader->chains[chain].head != NULL;
	text_addf(out, "table flags %u other chains %u other objects %u%s\n", reader->flags, chains, others,
		  reader->full ? " too long" : "");
}

static const char *whole_text(const struct nft_reader *reader) {
	_cleanup_text_ struct text text = {};

	print_head(reader, &text);
	for (enum nft_chain chain = 0; chain < NFT_N_CHAINS; chain++) {
		if (!reader->chains[chain].head)
			continue;
		text_add(&text, reader->chains[chain].head);
		for (const struct nft_reader_line *line = reader->chains[chain].first; line; line = line->next)
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

bool nft_same_frame(const char *a, const char *b) {
	for (a = frame_line(a), b = frame_line(b); *a && *b; a = frame_line(next_line(a)), b = frame_line(next_line(b)))
		if (strncmp(a, b, strcspn(a, "\n") + 1) != 0)
			return false;
	return !*a && !*b;
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
	ruleset->text = whole_text(reader);
	ruleset->object.set = field_bit(RULESET_TEXT);
	ruleset->object.owned = true;
	object_seal(decode->arena, &ruleset->object);
	*ret = ruleset;
	return 0;
}
