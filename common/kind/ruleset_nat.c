/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list `nat`: the table of an entry's keys, and the dependencies between keys.
 *
 * This file knows what makes sense on a packet's path. nft_compile.c and nft_table.c translate it for the kernel.
 */
#include "kind/nft_entry.h"

static const struct enum_name action_names[] = {
	{ "masquerade", NFT_MASQUERADE }, { "snat", NFT_SNAT },     { "dnat", NFT_DNAT },
	{ "redirect", NFT_REDIRECT },     { "netmap", NFT_NETMAP }, {},
};

static const struct enum_name hook_names[] = {
	{ "prerouting", NFT_NAT_PREROUTING },
	{ "output", NFT_NAT_OUTPUT },
	{ "postrouting", NFT_NAT_POSTROUTING },
	{},
};

const struct field nat_fields[NAT_N_KEYS] = {
	[NFT_KEY_ACTION] = { .name = "action",
			     .type = &type_enum,
			     .offset = offsetof(struct nft_entry, action),
			     .flags = FIELD_REQUIRED,
			     .names = action_names,
			     .doc = "What is done: the source becomes the outgoing interface's address (masquerade) or "
				    "a given one (snat); the destination becomes another host (dnat) or this one "
				    "(redirect); each address of a network becomes the one at the same place in another "
				    "network (netmap)." },
	NFT_MATCH_FIELDS,
	[NAT_KEY_TO] = { .name = "to",
			 .type = &type_nft_target,
			 .offset = offsetof(struct nft_entry, to),
			 .doc = "The new address, port or both: ADDR, ADDR:PORT, ADDR:PORT-PORT, [ADDR6]:PORT, "
				"ADDR-ADDR, :PORT. For netmap a prefix as long as that of `source` or `destination`, "
				"whichever is to be mapped." },
	[NAT_KEY_HOOK] = { .name = "hook",
			   .type = &type_enum,
			   .offset = offsetof(struct nft_entry, hook),
			   .names = hook_names,
			   .doc = "For dnat, redirect and a netmap of the destination: packets that arrive (prerouting, the "
				  "default), or the namespace's own (output). `postrouting` is for a netmap of the "
				  "source, where `destination` has a prefix of the same length too." },
	[NAT_KEY_RANDOM] = { .name = "random",
			     .type = &type_bool,
			     .offset = offsetof(struct nft_entry, random),
			     .doc = "Whether the new port is chosen at random." },
	[NAT_KEY_PERSISTENT] = { .name = "persistent",
				 .type = &type_bool,
				 .offset = offsetof(struct nft_entry, persistent),
				 .doc = "Whether a client gets the same address of a range for each connection." },
	[NAT_KEY_HAIRPIN] = { .name = "hairpin",
			      .type = &type_nft_hairpin,
			      .offset = offsetof(struct nft_entry, hairpin),
			      .doc = "For dnat: whether it also applies to hosts behind the same interface as the target. "
				     "Their connections are masqueraded too, so that the answers come back this way. "
				     "Instead of `true`, write that interface if no address or route in the file leads to "
				     "the target. Without `destination` it holds for every address of the namespace." },
};

static const char *action_name(const struct nft_check *check) {
	for (const struct enum_name *name = action_names; name->name; name++)
		if (name->value == check->entry->action)
			return name->name;
	return "";
}

/* Netmap. */

static bool is_network(const struct nft_match *match, const struct nft_target *to) {
	return match->n == 1 && !match->negated && match->items[0].prefix.length == to->length &&
	       match->items[0].prefix.address.family == to->first.family;
}

static void check_netmap(struct nft_check *check) {
	const struct nft_entry *entry = check->entry;
	const struct nft_target *to = &entry->to;

	if (!nft_has(check, NAT_KEY_TO)) {
		if (!nft_is_written(check, NAT_KEY_TO))
			nft_refuse(check, NAT_KEY_TO, "netmap needs 'to'");
		return;
	}
	bool source = is_network(&entry->source, to), destination = is_network(&entry->destination, to);
	if (!to->network)
		nft_refuse(check, NAT_KEY_TO, "netmap takes a prefix in 'to', such as 10.1.0.0/24");
	else if (!source && !destination)
		nft_refuse(check, NAT_KEY_TO,
			   "netmap maps a network to one of the same size: write it as 'source' or 'destination', with a "
			   "prefix of /%u",
			   to->length);
	else if (source && destination && !nft_is_written(check, NAT_KEY_HOOK))
		nft_refuse(check, NAT_KEY_TO,
			   "both 'source' and 'destination' are as large as 'to'; write 'hook: prerouting' to map the "
			   "destination, or 'hook: postrouting' to map the source");
	else if (nft_has(check, NAT_KEY_HOOK) && !(entry->hook == NFT_NAT_POSTROUTING ? source : destination))
		nft_refuse(check, NAT_KEY_HOOK, "hook '%s' maps the %s, which has no prefix of /%u here",
			   hook_names[entry->hook].name, entry->hook == NFT_NAT_POSTROUTING ? "source" : "destination",
			   to->length);
}

bool nft_maps_destination(const struct nft_entry *entry) {
	if (entry->set >> NAT_KEY_HOOK & 1)
		return entry->hook != NFT_NAT_POSTROUTING;
	return !is_network(&entry->source, &entry->to);
}

/* Other actions. */

/* The chain of the rules, and what is known about a packet in it. */
static void check_hook(struct nft_check *check) {
	struct nft_entry *entry = check->entry;
	enum nft_action action = (enum nft_action)entry->action;
	bool destination =
		action == NFT_DNAT || action == NFT_REDIRECT || (action == NFT_NETMAP && nft_maps_destination(entry));

	entry->chain = destination ? (enum nft_chain)entry->hook : NFT_NAT_POSTROUTING;
	if (action == NFT_MASQUERADE || action == NFT_SNAT) {
		if (nft_is_written(check, NAT_KEY_HOOK))
			nft_refuse_key(check, NAT_KEY_HOOK, "'hook' is for dnat and redirect; %s is always in postrouting",
				       action_name(check));
		return;
	}
	if (!destination || (nft_is_written(check, NAT_KEY_HOOK) && !nft_has(check, NAT_KEY_HOOK)))
		return;
	if (entry->chain == NFT_NAT_POSTROUTING)
		nft_refuse(check, NAT_KEY_HOOK, "%s changes the destination, which is too late in postrouting",
			   action_name(check));
	if (entry->chain == NFT_NAT_OUTPUT && nft_is_written(check, NFT_KEY_IN))
		nft_refuse_key(check, NFT_KEY_IN,
			       "'in' never matches with hook 'output': the namespace's own packets did not arrive "
			       "through an interface");
	if (entry->chain == NFT_NAT_PREROUTING && nft_is_written(check, NFT_KEY_OUT))
		nft_refuse_key(
			check, NFT_KEY_OUT,
			"'out' is not known yet when %s is applied: the outgoing interface is chosen for the new destination",
			action_name(check));
}

static void check_target(struct nft_check *check) {
	const struct nft_target *to = &check->entry->to;

	if (to->network && check->entry->action != NFT_NETMAP) {
		nft_refuse(check, NAT_KEY_TO,
			   "a prefix in 'to' is for netmap; several hosts are written as a range, such as "
			   "10.0.0.2-10.0.0.9");
		return;
	}
	switch ((enum nft_action)check->entry->action) {
	case NFT_SNAT:
	case NFT_DNAT:
		if (!nft_is_written(check, NAT_KEY_TO))
			nft_refuse(check, NAT_KEY_TO, "%s needs 'to'", action_name(check));
		else if (nft_has(check, NAT_KEY_TO) && check->entry->action == NFT_SNAT && !to->first.family)
			nft_refuse(check, NAT_KEY_TO,
				   "snat needs an address in 'to'; for the outgoing interface's own address use masquerade");
		break;
	case NFT_MASQUERADE:
	case NFT_REDIRECT:
		if (to->first.family)
			nft_refuse(check, NAT_KEY_TO, "%s takes only a port in 'to', as \":8080\"; an address is for %s",
				   action_name(check), check->entry->action == NFT_MASQUERADE ? "snat" : "dnat");
		break;
	case NFT_NETMAP:
		check_netmap(check);
		break;
	case NFT_ACCEPT: /* not in the list */
	case NFT_DROP:
	case NFT_REJECT:
	case NFT_GO_ON:
		break;
	}
}

static void check_options(struct nft_check *check) {
	const struct nft_entry *entry = check->entry;

	if (entry->action == NFT_NETMAP && entry->random)
		nft_refuse(check, NAT_KEY_RANDOM, "'random' chooses a port, and netmap keeps the port");
	if (entry->action == NFT_NETMAP && entry->persistent)
		nft_refuse(check, NAT_KEY_PERSISTENT,
			   "'persistent' chooses an address of a range, and netmap has one for each");
	if (!entry->hairpin.on)
		return;
	if (entry->action != NFT_DNAT)
		nft_refuse(check, NAT_KEY_HAIRPIN, "'hairpin' is for dnat, not for %s", action_name(check));
	else if (entry->chain == NFT_NAT_OUTPUT)
		nft_refuse(check, NAT_KEY_HAIRPIN,
			   "'hairpin' is for packets that arrive; hook 'output' is for the namespace's own");
	else if (nft_has(check, NAT_KEY_TO) && !entry->to.first.family)
		nft_refuse(check, NAT_KEY_HAIRPIN, "'hairpin' needs an address in 'to'");
}

static bool read_entry(struct parse *p, const struct node *node, struct nft_entry *entry) {
	size_t errors = p->diags->n_errors;
	struct nft_check check = nft_read_entry(p, node, nat_fields, NAT_N_KEYS, "a NAT entry", entry);

	if (nft_has(&check, NFT_KEY_ACTION)) {
		check_hook(&check);
		check_target(&check);
		check_options(&check);
	}
	nft_check_ports_and_family(&check);
	if (entry->to.first_port)
		nft_check_port(&check, NAT_KEY_TO, "a port in 'to'");
	if (check.good)
		nft_settle_family(&check, NAT_KEY_TO, entry->to.first.family);
	if (check.good)
		nft_check_size(&check);
	return p->diags->n_errors == errors;
}

bool ruleset_read_nat(struct parse *p, const struct node *list, struct ruleset *ruleset) {
	bool one = list->type == NODE_MAPPING, good = true;
	size_t n = one ? 1 : list->n;
	struct nft_entry *entries;

	if (list->type == NODE_SCALAR) {
		diag_error(p->diags, list->position, "'nat' takes a list of entries, not %s",
			   node_is_null(list) ? "nothing" : "a string");
		return false;
	}
	entries = arena_newn(p->arena, struct nft_entry, n);
	for (size_t i = 0; i < n; i++)
		good &= read_entry(p, one ? list : list->items[i], &entries[i]);
	ruleset->nat = (struct nft_entries){ .n = n, .items = entries };
	ruleset->object.position = list->position;
	return good;
}
