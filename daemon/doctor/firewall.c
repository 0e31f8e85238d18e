/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Firewalls of others on this machine: chains of the forward hook that drop by default, in any table of nftables. iptables
 * (as Docker and ufw use it) is nftables too since iptables-nft. For the older iptables-legacy, only the presence of tables is
 * checked.
 */
#include <netinet/in.h> /* before linux/in.h */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include "base/text.h"
#include "doctor/doctor_private.h"
#include "kernel/nl_socket.h"
#include "kind/link.h"
#include "kind/ruleset.h"
#include "net/nl_message.h"

/* The owner of a table, recognised by a chain that only it has, and how to let a bridge through. */
static const struct {
	const char *chain, *who, *mend;
} owners[] = {
	{ "DOCKER-USER", "Docker",
	  "iptables -I DOCKER-USER -i BRIDGE -j ACCEPT; iptables -I DOCKER-USER -o BRIDGE -j ACCEPT" },
	{ "ufw-user-forward", "ufw", "ufw route allow in on BRIDGE; ufw route allow out on BRIDGE" },
	{ "filter_FORWARD", "firewalld",
	  "firewall-cmd --permanent --zone=trusted --add-interface=BRIDGE; firewall-cmd --reload" },
	{ "KUBE-FORWARD", "Kubernetes", "iptables -I FORWARD -i BRIDGE -j ACCEPT; iptables -I FORWARD -o BRIDGE -j ACCEPT" },
};

/* The relevant parts of a chain. */
struct chain {
	const char *family, *table, *name;
	bool drops; /* of the hook forward, with the policy drop */
};

struct chains {
	struct arena *arena;
	vec(struct chain) list;
};

static int add_chain(void *userdata, const struct nlmsghdr *nlh) {
	struct chains *chains = userdata;
	const struct nfgenmsg *header = NLMSG_DATA(nlh);
	const struct nlattr *tb[NFTA_CHAIN_MAX + 1], *hook[NFTA_HOOK_MAX + 1];

	nl_parse(nlh, sizeof(struct nfgenmsg), tb, NFTA_CHAIN_MAX);
	nl_parse_nested(tb[NFTA_CHAIN_HOOK], hook, NFTA_HOOK_MAX);
	const char *table = nl_get_text(tb[NFTA_CHAIN_TABLE]), *name = nl_get_text(tb[NFTA_CHAIN_NAME]);
	if (!table || !name)
		return 0;
	bool forwards = hook[NFTA_HOOK_HOOKNUM] && nl_get_number(hook[NFTA_HOOK_HOOKNUM]) == NF_INET_FORWARD &&
			header->nfgen_family != NFPROTO_BRIDGE;
	vec_push(&chains->list, (struct chain){ .family = header->nfgen_family == NFPROTO_INET   ? "inet"
							  : header->nfgen_family == NFPROTO_IPV6 ? "ip6"
												 : "ip",
						.table = arena_strdup(chains->arena, table),
						.name = arena_strdup(chains->arena, name),
						.drops = forwards && tb[NFTA_CHAIN_POLICY] &&
							 nl_get_number(tb[NFTA_CHAIN_POLICY]) == NF_DROP });
	return 0;
}

static void forget_chains(void *userdata) {
	struct chains *chains = userdata;

	chains->list.n = 0;
}

static void read_chains(struct chains *chains) {
	_cleanup_(nl_writer_done) struct nl_writer w = {};
	struct nl_socket sock = { .fd = -1 };
	struct nfgenmsg *header;

	if (nl_open(&sock, NETLINK_NETFILTER, -1) < 0)
		return;
	header = nl_begin(&w, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN, 0, sizeof(*header));
	*header = (struct nfgenmsg){ .nfgen_family = NFPROTO_UNSPEC, .version = NFNETLINK_V0 };
	(void)nl_dump(&sock, w.messages.items[0], add_chain, forget_chains, chains);
	nl_close(&sock);
}

/* Does the file make the host forward packets between its interfaces, or between ports of a bridge? Returns an interface
 * through which they arrive, or NULL. */
static const char *forwarding_link(const struct spec *spec) {
	const struct ns_state *host = spec ? state_find(&spec->state, NS_HOST) : NULL;

	ns_foreach(object, host)
		if (object_is_link(object) && !object->kind->found && object->kind->segment == SEGMENT_PORTS)
			return ((const struct link *)object)->name;
	ns_foreach(object, host)
		if (object_is_link(object) && !object->kind->found && !object->kind->unnamed)
			return ((const struct link *)object)->name;
	return NULL;
}

/* The text with the name of the bridge, if that is known. */
static const char *about_link(struct doctor *d, const char *text, const char *link) {
	static const char place[] = "BRIDGE";
	_cleanup_text_ struct text out = {};

	for (const char *at; link && (at = strstr(text, place)); text = at + strlen(place))
		text_addf(&out, "%.*s%s", (int)(at - text), text, link);
	text_add(&out, text);
	return say(d, "%s", text_str(&out));
}

static void report(struct doctor *d, const struct chains *chains, const struct chain *chain) {
	_cleanup_free_ char *own = d->spec ? nft_table_name(d->spec->topology) : NULL;
	const char *link = forwarding_link(d->spec), *who = NULL, *mend = NULL;

	if (own && streq(chain->table, own))
		return;
	vec_foreach(other, &chains->list)
		for (size_t i = 0; i < ARRAY_SIZE(owners) && streq(other->table, chain->table); i++)
			if (streq(other->name, owners[i].chain)) {
				who = owners[i].who;
				mend = owners[i].mend;
			}
	find(d, link ? FINDING_WARNING : FINDING_NOTE,
	     say(d, "%s%s%s drops packets that this machine forwards, unless one of its rules says otherwise",
		 who ? who : "the table ", who ? "" : chain->table, who ? "'s firewall" : " of nftables"),
	     "namespaces behind this machine reach neither the outside nor, through routing, each other",
	     about_link(d,
			mend ? mend
			     : say(d, "nft insert rule %s %s %s iifname BRIDGE accept", chain->family, chain->table,
				   chain->name),
			link));
}

/* A packet has to pass both, and neither tool shows the rules of the other. The files name the tables of this namespace. */
static void check_legacy(struct doctor *d) {
	static const struct {
		const char *path, *command;
	} families[] = {
		{ "/proc/net/ip_tables_names", "iptables" },
		{ "/proc/net/ip6_tables_names", "ip6tables" },
	};
	const char *link = forwarding_link(d->spec);

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		const char *command = families[i].command, *table = first_line(d, families[i].path);

		if (table && *table)
			find(d, link ? FINDING_WARNING : FINDING_NOTE,
			     say(d, "%s-legacy has rules of its own beside nftables (in the table %s)", command, table),
			     "a packet has to pass both; what they drop is shown by neither `nft` nor this examination",
			     say(d, "%s-legacy-save; to move them: %s-legacy-save | %s-nft-restore, then %s-legacy -F",
				 command, command, command, command));
	}
}

void check_firewall(struct doctor *d) {
	struct chains chains = { .arena = &d->found->arena };

	if (!d->has_rights)
		return;
	read_chains(&chains);
	vec_foreach(chain, &chains.list)
		if (chain->drops)
			report(d, &chains, chain);
	vec_done(&chains.list);
	check_legacy(d);
}
