/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing the table: the transaction that makes it, and the requests that read it. nft_read.c reads the answers.
 *
 * libnftnl only writes. When it reads something unexpected it ends the process, and what is read may come from a
 * namespace in which others are root.
 */
#include "kind/ruleset.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <libnftnl/rule.h>

/* As nft has them: dstnat, -100, srcnat. */
static const struct {
	uint32_t hook;
	int32_t priority;
} chain_places[NFT_N_CHAINS] = {
	[NFT_NAT_PREROUTING] = { NF_INET_PRE_ROUTING, -100 },
	[NFT_NAT_OUTPUT] = { NF_INET_LOCAL_OUT, -100 },
	[NFT_NAT_POSTROUTING] = { NF_INET_POST_ROUTING, 100 },
};

enum {
	RULE_SIZE = 2048,              /* upper bound of a rule's message without `not`; usually 600 bytes */
	NOT_SIZE = 256,                /* upper bound of what a `not` item adds */
	TABLE_SIZE = 4 * NFT_TEXT_MAX, /* upper bound of all messages, some of which are larger than their text */
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

char *nft_table_name(const char *topology) {
	return xasprintf("topod-%s", topology);
}

static void put_table_name(struct nl_writer *w, uint16_t attr, const char *topology) {
	_cleanup_free_ char *name = nft_table_name(topology);

	nl_put_text(w, attr, name);
}

static void put_table(struct nl_writer *w, uint16_t type, uint16_t flags, const char *topology) {
	put_nft(w, type, flags);
	put_table_name(w, NFTA_TABLE_NAME, topology);
}

static void put_chain(struct nl_writer *w, const char *topology, const struct nft_program *program, enum nft_chain chain) {
	put_nft(w, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	put_table_name(w, NFTA_CHAIN_TABLE, topology);
	nl_put_text(w, NFTA_CHAIN_NAME, program->chains[chain].name);

	struct nlattr *hook = nl_nest(w, NFTA_CHAIN_HOOK);
	nl_put_u32(w, NFTA_HOOK_HOOKNUM, htonl(chain_places[chain].hook));
	nl_put_u32(w, NFTA_HOOK_PRIORITY, htonl((uint32_t)chain_places[chain].priority));
	nl_nest_end(w, hook);
	nl_put_u32(w, NFTA_CHAIN_POLICY, htonl(NF_ACCEPT));
	nl_put_text(w, NFTA_CHAIN_TYPE, "nat");
}

static void rule_freep(struct nftnl_rule **rule) {
	nftnl_rule_free(*rule);
}

/* libnftnl does not know where the buffer ends, so room is checked first. */
static void put_rule(struct nl_writer *w, const char *table, const char *chain, const struct nft_step *step) {
	_cleanup_(rule_freep) struct nftnl_rule *rule = nft_build_rule(step);

	if (!nl_has_room(w)) {
		w->overflow = true;
		return;
	}
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, table);
	nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, chain);
	put_nft(w, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	nftnl_rule_nlmsg_build_payload(w->message, rule);
	nl_zero_gaps(w, sizeof(struct nfgenmsg));
}

static void put_program(struct nl_writer *w, const char *topology, const struct nft_program *program) {
	_cleanup_free_ char *table = nft_table_name(topology);

	for (enum nft_chain chain = 0; chain < NFT_N_CHAINS; chain++)
		if (program->chains[chain].n)
			put_chain(w, topology, program, chain);
	for (enum nft_chain chain = 0; chain < NFT_N_CHAINS; chain++)
		for (size_t i = 0; i < program->chains[chain].n; i++)
			put_rule(w, table, program->chains[chain].name, &program->chains[chain].steps[i]);
}

static size_t size_of(const struct nft_program *program) {
	size_t size = NL_MESSAGE_MAX;

	for (enum nft_chain chain = 0; chain < NFT_N_CHAINS; chain++)
		for (size_t i = 0; i < program->chains[chain].n; i++)
			size += RULE_SIZE + nft_entry_n_not(program->chains[chain].steps[i].entry) * NOT_SIZE;
	return MIN(size, (size_t)TABLE_SIZE);
}

/* Deletes the rules of the whole table, because no chain is named. */
static void put_all_rules(struct nl_writer *w, const char *topology) {
	put_nft(w, NFT_MSG_DELRULE, 0);
	put_table_name(w, NFTA_RULE_TABLE, topology);
}

bool nft_put_table(struct nl_writer *w, const char *topology, const struct nft_program *program, bool keep) {
	if (program)
		nl_reserve(w, size_of(program));
	put_header(w, NFNL_MSG_BATCH_BEGIN, 0, NFPROTO_UNSPEC, NFNL_SUBSYS_NFTABLES);
	/* Deleting fails if there is no table, so it is created first. */
	put_table(w, NFT_MSG_NEWTABLE, NLM_F_CREATE, topology);
	if (keep)
		put_all_rules(w, topology);
	else
		put_table(w, NFT_MSG_DELTABLE, 0, topology);
	if (program) {
		put_table(w, NFT_MSG_NEWTABLE, NLM_F_CREATE, topology);
		put_program(w, topology, program);
	}
	put_header(w, NFNL_MSG_BATCH_END, 0, NFPROTO_UNSPEC, NFNL_SUBSYS_NFTABLES);
	return !w->overflow;
}

void nft_put_request(struct nl_writer *w, const char *topology, enum nft_request request) {
	switch (request) {
	case NFT_REQUEST_TABLE:
		put_table(w, NFT_MSG_GETTABLE, 0, topology);
		break;
	case NFT_REQUEST_CHAINS: /* the kernel can select only by family */
		put_nft(w, NFT_MSG_GETCHAIN, NLM_F_DUMP);
		break;
	case NFT_REQUEST_RULES:
		put_nft(w, NFT_MSG_GETRULE, NLM_F_DUMP);
		put_table_name(w, NFTA_RULE_TABLE, topology);
		break;
	}
}
