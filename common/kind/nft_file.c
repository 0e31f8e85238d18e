/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The content of a file in nft's own language, as the kernel's messages about a table that was made from it elsewhere
 * (daemon/files/nft_file.c). Here they are rewritten for the topology's table.
 *
 * Messages keep their order and attributes, except for the table's name, and for values that the kernel only reports, such
 * as handles and use counts. Attributes that are not listed here are left out: a later kernel may report some that it does
 * not accept.
 */
#include "kind/ruleset.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

enum {
	TABLE = 1,              /* the attribute with the table's name, in all of these messages */
	CHAIN_BINDING = 1 << 2, /* NFT_CHAIN_BINDING, linux/netfilter/nf_tables.h, since 5.9 */
	CHAIN_OFFLOAD = 1 << 1, /* NFT_CHAIN_HW_OFFLOAD, since 5.5 */
	GROWTH = 256,           /* how much longer a message becomes, at most */
	ATTR_MAX = 31,
};

#define BIT(type) (UINT32_C(1) << (type))

static const struct {
	uint16_t message;
	uint32_t attrs; /* besides the table */
} sent[] = {
	{ NFT_MSG_NEWCHAIN, BIT(NFTA_CHAIN_NAME) | BIT(NFTA_CHAIN_HOOK) | BIT(NFTA_CHAIN_POLICY) | BIT(NFTA_CHAIN_TYPE) },
	{ NFT_MSG_NEWRULE, BIT(NFTA_RULE_CHAIN) | BIT(NFTA_RULE_EXPRESSIONS) | BIT(NFTA_RULE_USERDATA) },
	{ NFT_MSG_NEWSET, BIT(NFTA_SET_NAME) | BIT(NFTA_SET_FLAGS) | BIT(NFTA_SET_KEY_TYPE) | BIT(NFTA_SET_KEY_LEN) |
				  BIT(NFTA_SET_DATA_TYPE) | BIT(NFTA_SET_DATA_LEN) | BIT(NFTA_SET_POLICY) |
				  BIT(NFTA_SET_DESC) | BIT(NFTA_SET_TIMEOUT) | BIT(NFTA_SET_GC_INTERVAL) |
				  BIT(NFTA_SET_USERDATA) | BIT(NFTA_SET_OBJ_TYPE) | BIT(NFTA_SET_EXPR) |
				  BIT(NFTA_SET_EXPRESSIONS) },
	{ NFT_MSG_NEWSETELEM, BIT(NFTA_SET_ELEM_LIST_SET) | BIT(NFTA_SET_ELEM_LIST_ELEMENTS) },
	{ NFT_MSG_NEWOBJ, BIT(NFTA_OBJ_NAME) | BIT(NFTA_OBJ_TYPE) | BIT(NFTA_OBJ_DATA) | BIT(NFTA_OBJ_USERDATA) },
};

static uint16_t type_of(const struct nlmsghdr *nlh) {
	return nlh->nlmsg_type & 0xff;
}

/* The attributes of such a message that are sent; 0: the message is not supported. */
static uint32_t sent_attrs(const struct nlmsghdr *nlh) {
	for (size_t i = 0; i < ARRAY_SIZE(sent); i++)
		if (sent[i].message == type_of(nlh))
			return sent[i].attrs;
	return 0;
}

static const struct nlattr *attr_of(const struct nlmsghdr *nlh, uint16_t type) {
	const struct nlattr *tb[ATTR_MAX + 1];

	nl_parse(nlh, sizeof(struct nfgenmsg), tb, ATTR_MAX);
	return tb[type];
}

const char *nft_chain_of_message(const struct nlmsghdr *nlh) {
	return type_of(nlh) == NFT_MSG_NEWCHAIN ? nl_get_text(attr_of(nlh, NFTA_CHAIN_NAME)) : NULL;
}

const char *nft_file_refuses(const struct nlmsghdr *nlh) {
	uint64_t flags = type_of(nlh) == NFT_MSG_NEWCHAIN ? nl_get_number(attr_of(nlh, NFTA_CHAIN_FLAGS)) : 0;

	if (!sent_attrs(nlh))
		return type_of(nlh) == NFT_MSG_NEWFLOWTABLE ? "a flowtable" : "something that topod does not know";
	return flags & CHAIN_BINDING   ? "a chain inside of a rule"
	       : flags & CHAIN_OFFLOAD ? "a chain with flags offload"
				       : NULL;
}

static void put(struct nl_writer *w, const char *table, const struct nlmsghdr *nlh, uint32_t set_id) {
	bool rule = type_of(nlh) == NFT_MSG_NEWRULE;
	uint32_t attrs = sent_attrs(nlh);
	struct nfgenmsg *header;
	const struct nlattr *attr;

	header = nl_begin(w, nlh->nlmsg_type, (uint16_t)(NLM_F_CREATE | (rule ? NLM_F_APPEND : 0)), sizeof(*header));
	if (w->overflow)
		return;
	header->nfgen_family = NFPROTO_INET;
	header->version = NFNETLINK_V0;
	nl_put_text(w, TABLE, table);
	mnl_attr_for_each(attr, nlh, sizeof(*header)) {
		uint16_t type = mnl_attr_get_type(attr);

		if (type <= ATTR_MAX && attrs & BIT(type))
			nl_put(w, attr->nla_type, mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
	}
	if (type_of(nlh) == NFT_MSG_NEWSET)
		nl_put_u32(w, NFTA_SET_ID, htonl(set_id));
}

void nft_put_file(struct nl_writer *w, const char *topology, const struct nft_file *file) {
	_cleanup_free_ char *table = nft_table_name(topology);
	uint32_t set_id = 0;

	for (size_t i = 0; i < file->n; i++)
		if (sent_attrs(file->messages[i])) {
			put(w, table, file->messages[i], ++set_id);
			nl_set_position(w, file->position);
		}
}

size_t nft_file_size(const struct nft_file *file) {
	size_t size = 0;

	for (size_t i = 0; i < file->n; i++)
		size += file->messages[i]->nlmsg_len + GROWTH;
	return size;
}

static void print_count(size_t n, const char *what, const char *before, struct text *out) {
	if (n)
		text_addf(out, "%s%zu %s%s", before, n, what, n == 1 ? "" : "s");
}

void nft_print_file(const struct nft_file *file, struct text *out) {
	size_t rules = 0, chains = 0, sets = 0;

	for (size_t i = 0; i < file->n; i++) {
		rules += type_of(file->messages[i]) == NFT_MSG_NEWRULE;
		chains += type_of(file->messages[i]) == NFT_MSG_NEWCHAIN;
		sets += type_of(file->messages[i]) == NFT_MSG_NEWSET;
	}
	text_addf(out, "nft %s", file->path);
	print_count(rules, "rule", ": ", out);
	print_count(chains, "chain", rules ? " in " : ": ", out);
	print_count(sets, "set", ", ", out);
	text_add(out, "\n");
}
