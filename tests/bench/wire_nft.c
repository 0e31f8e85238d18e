/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Raw netlink for the benchmark: nf_tables. */
#include "wire.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* Of a host of the campus. */
#define FILTER_TABLE "bench"
#define FILTER_CHAIN "filter-input"
enum { FIRST_PORT = 1001 };

static struct nlmsghdr *add_nft(struct batch *b, uint16_t type, uint16_t flags, uint8_t family, uint16_t id) {
	struct nlmsghdr *h = batch_add(b, type, flags);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof(*g));

	g->nfgen_family = family;
	g->version = NFNETLINK_V0;
	g->res_id = htons(id);
	return h;
}

static uint16_t nft_type(uint16_t message) {
	return (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message);
}

static void begin_transaction(struct batch *b) {
	add_nft(b, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
}

/* Before Linux 6.10 the end itself is not acknowledged. */
static void end_transaction(struct batch *b) {
	b->last->nlmsg_flags |= NLM_F_ACK;
	b->awaited = b->last->nlmsg_seq;
	add_nft(b, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
}

/* An expression's nest, open; end_expression() closes both levels. */
struct expression {
	struct nlattr *element, *data;
};

static struct expression begin_expression(struct nlmsghdr *h, const char *name) {
	struct expression e = { .element = mnl_attr_nest_start(h, NFTA_LIST_ELEM) };

	mnl_attr_put_strz(h, NFTA_EXPR_NAME, name);
	e.data = mnl_attr_nest_start(h, NFTA_EXPR_DATA);
	return e;
}

static void end_expression(struct nlmsghdr *h, struct expression e) {
	mnl_attr_nest_end(h, e.data);
	mnl_attr_nest_end(h, e.element);
}

static void put_compare(struct nlmsghdr *h, uint32_t operation, const void *data, size_t size) {
	struct expression e = begin_expression(h, "cmp");
	struct nlattr *value;

	mnl_attr_put_u32(h, NFTA_CMP_SREG, htonl(NFT_REG_1));
	mnl_attr_put_u32(h, NFTA_CMP_OP, htonl(operation));
	value = mnl_attr_nest_start(h, NFTA_CMP_DATA);
	mnl_attr_put(h, NFTA_DATA_VALUE, size, data);
	mnl_attr_nest_end(h, value);
	end_expression(h, e);
}

static void put_load(struct nlmsghdr *h, uint32_t base, uint32_t offset, uint32_t size) {
	struct expression e = begin_expression(h, "payload");

	mnl_attr_put_u32(h, NFTA_PAYLOAD_DREG, htonl(NFT_REG_1));
	mnl_attr_put_u32(h, NFTA_PAYLOAD_BASE, htonl(base));
	mnl_attr_put_u32(h, NFTA_PAYLOAD_OFFSET, htonl(offset));
	mnl_attr_put_u32(h, NFTA_PAYLOAD_LEN, htonl(size));
	end_expression(h, e);
}

static void put_meta(struct nlmsghdr *h, uint32_t key) {
	struct expression e = begin_expression(h, "meta");

	mnl_attr_put_u32(h, NFTA_META_DREG, htonl(NFT_REG_1));
	mnl_attr_put_u32(h, NFTA_META_KEY, htonl(key));
	end_expression(h, e);
}

/* ip saddr of the bridge's network; a /16 ends on a byte, so no mask is needed. */
static void put_source_match(struct nlmsghdr *h, const struct bridge *br) {
	uint8_t network[2] = { (uint8_t)(br->address >> 24), (uint8_t)(br->address >> 16) };

	put_load(h, NFT_PAYLOAD_NETWORK_HEADER, 12, sizeof(network));
	put_compare(h, NFT_CMP_EQ, network, sizeof(network));
}

/* A rule, with the list of its expressions open. */
static struct nlmsghdr *begin_rule(struct batch *b, uint8_t family, const char *table, const char *chain,
				   struct nlattr **ret) {
	struct nlmsghdr *h = add_nft(b, nft_type(NFT_MSG_NEWRULE), NLM_F_CREATE | NLM_F_APPEND, family, 0);

	mnl_attr_put_strz(h, NFTA_RULE_TABLE, table);
	mnl_attr_put_strz(h, NFTA_RULE_CHAIN, chain);
	*ret = mnl_attr_nest_start(h, NFTA_RULE_EXPRESSIONS);
	return h;
}

static void put_rule(struct batch *b, const char *table, const char *chain, const struct bridge *br) {
	struct nlattr *list;
	struct nlmsghdr *h = begin_rule(b, NFPROTO_IPV4, table, chain, &list);

	put_source_match(h, br);
	put_meta(h, NFT_META_OIFNAME);
	put_compare(h, NFT_CMP_NEQ, br->name, IF_NAME_SIZE);
	end_expression(h, begin_expression(h, "masq"));
	mnl_attr_nest_end(h, list);
}

static void put_table(struct batch *b, uint8_t family, const char *table) {
	mnl_attr_put_strz(add_nft(b, nft_type(NFT_MSG_NEWTABLE), NLM_F_CREATE, family, 0), NFTA_TABLE_NAME, table);
}

static void put_chain(struct batch *b, uint8_t family, const char *table, const char *chain, const char *type, uint32_t hook,
		      int priority) {
	struct nlmsghdr *h = add_nft(b, nft_type(NFT_MSG_NEWCHAIN), NLM_F_CREATE, family, 0);
	struct nlattr *where;

	mnl_attr_put_strz(h, NFTA_CHAIN_TABLE, table);
	mnl_attr_put_strz(h, NFTA_CHAIN_NAME, chain);
	mnl_attr_put_strz(h, NFTA_CHAIN_TYPE, type);
	where = mnl_attr_nest_start(h, NFTA_CHAIN_HOOK);
	mnl_attr_put_u32(h, NFTA_HOOK_HOOKNUM, htonl(hook));
	mnl_attr_put_u32(h, NFTA_HOOK_PRIORITY, htonl((uint32_t)priority));
	mnl_attr_nest_end(h, where);
}

void put_nat(struct batch *b, unsigned bridges) {
	static const char table[] = "bench", chain[] = "postrouting";

	begin_transaction(b);
	put_table(b, NFPROTO_IPV4, table);
	put_chain(b, NFPROTO_IPV4, table, chain, "nat", NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC);
	for (unsigned k = 0; k < bridges; k++) {
		struct bridge br = shape_bridge(k);
		put_rule(b, table, chain, &br);
	}
	end_transaction(b);
}

void put_nat_flush(struct batch *b, uint8_t family, const char *table) {
	begin_transaction(b);
	mnl_attr_put_strz(add_nft(b, nft_type(NFT_MSG_DELRULE), 0, family, 0), NFTA_RULE_TABLE, table);
	end_transaction(b);
}

/* A rule that accepts a TCP port, as nft writes `tcp dport PORT accept`. */
static void put_accept(struct batch *b, unsigned number) {
	struct nlattr *list, *data, *verdict;
	struct nlmsghdr *h = begin_rule(b, NFPROTO_INET, FILTER_TABLE, FILTER_CHAIN, &list);
	struct expression e;

	put_meta(h, NFT_META_L4PROTO);
	put_compare(h, NFT_CMP_EQ, &(uint8_t){ IPPROTO_TCP }, sizeof(uint8_t));
	put_load(h, NFT_PAYLOAD_TRANSPORT_HEADER, 2, sizeof(uint16_t));
	put_compare(h, NFT_CMP_EQ, &(uint16_t){ htons((uint16_t)(FIRST_PORT + number)) }, sizeof(uint16_t));
	e = begin_expression(h, "immediate");
	mnl_attr_put_u32(h, NFTA_IMMEDIATE_DREG, htonl(NFT_REG_VERDICT));
	data = mnl_attr_nest_start(h, NFTA_IMMEDIATE_DATA);
	verdict = mnl_attr_nest_start(h, NFTA_DATA_VERDICT);
	mnl_attr_put_u32(h, NFTA_VERDICT_CODE, htonl(NF_ACCEPT));
	mnl_attr_nest_end(h, verdict);
	mnl_attr_nest_end(h, data);
	end_expression(h, e);
	mnl_attr_nest_end(h, list);
}

void put_filter(struct batch *b) {
	begin_transaction(b);
	put_table(b, NFPROTO_INET, FILTER_TABLE);
	put_chain(b, NFPROTO_INET, FILTER_TABLE, FILTER_CHAIN, "filter", NF_INET_LOCAL_IN, NF_IP_PRI_FILTER);
	for (unsigned i = 0; i < FILTER_RULES; i++)
		put_accept(b, i);
	end_transaction(b);
}

void put_last_filter_rule(struct batch *b) {
	begin_transaction(b);
	put_accept(b, FILTER_RULES - 1);
	end_transaction(b);
}

void put_nft_rule_delete(struct batch *b, const struct nft_rule *rule) {
	struct nlmsghdr *h;

	begin_transaction(b);
	h = add_nft(b, nft_type(NFT_MSG_DELRULE), 0, rule->family, 0);
	mnl_attr_put_strz(h, NFTA_RULE_TABLE, rule->table);
	mnl_attr_put_strz(h, NFTA_RULE_CHAIN, rule->chain);
	mnl_attr_put_u64(h, NFTA_RULE_HANDLE, rule->handle);
	end_transaction(b);
}

void put_dump_nft(struct batch *b, uint16_t message) {
	add_nft(b, nft_type(message), NLM_F_DUMP, NFPROTO_UNSPEC, 0);
}
