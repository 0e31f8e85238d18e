/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All tables of nftables by name, for an export: it finds a topology's table among them and mentions the others, whose content
 * nft(8) shows.
 */
#include "kind/ruleset.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

struct foreign_table {
	struct object object;
	const char *name; /* "ip nat" */
};

static void noun(const struct object *object, struct text *out) {
	text_addf(out, "nftables table %s", ((const struct foreign_table *)object)->name);
}

static const char *left_out(struct arena *arena _unused_, const struct object *observed _unused_) {
	return "left out: `nft list ruleset` shows it";
}

static const struct field fields[] = {
	{ .name = "name",
	  .type = &type_text,
	  .offset = offsetof(struct foreign_table, name),
	  .class = FIELD_KEY,
	  .flags = FIELD_HIDDEN },
};

/* Only observed, so it is in no list of kinds. */
static const struct kind kind_foreign_table = {
	.name = "table",
	.class = &class_ruleset,
	.transport = TRANSPORT_NETFILTER,
	.size = sizeof(struct foreign_table),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.noun = noun,
	.left_out = left_out,
};

static const char *family_name(uint8_t family) {
	static const char *const names[] = {
		[NFPROTO_INET] = "inet",     [NFPROTO_IPV4] = "ip",       [NFPROTO_ARP] = "arp",
		[NFPROTO_NETDEV] = "netdev", [NFPROTO_BRIDGE] = "bridge", [NFPROTO_IPV6] = "ip6",
	};

	return family < ARRAY_SIZE(names) && names[family] ? names[family] : "?";
}

struct object *nft_foreign_decode(const struct decode *decode, const struct nlmsghdr *nlh, const char **ret_topology) {
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[NFTA_TABLE_NAME + 1];

	if (nlh->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE) ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*nfg))
		return NULL;
	nl_parse(nlh, sizeof(*nfg), tb, NFTA_TABLE_NAME);
	const char *name = nl_get_text(tb[NFTA_TABLE_NAME]);
	if (!name)
		return NULL;
	struct foreign_table *table = (struct foreign_table *)object_new(decode->arena, &kind_foreign_table, decode->ns);
	table->name = arena_printf(decode->arena, "%s %s", family_name(nfg->nfgen_family), name);
	table->object.set = field_bit(0);
	object_seal(decode->arena, &table->object);
	const char *topology = nfg->nfgen_family == NFPROTO_INET ? startswith(name, "topod-") : NULL;
	*ret_topology = topology ? arena_strdup(decode->arena, topology) : NULL;
	return &table->object;
}
