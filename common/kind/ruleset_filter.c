/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mapping `filter`: the tables of keys of chains and rules, and the dependencies between keys.
 *
 * This file knows what makes sense at which point of a packet's path. nft_compile.c translates it for the kernel.
 */
#include "kind/nft_entry.h"

static const struct enum_name action_names[] = {
	{ "accept", NFT_ACCEPT },
	{ "drop", NFT_DROP },
	{ "reject", NFT_REJECT },
	{},
};

/* A policy has no `reject`. */
static const struct enum_name policy_names[] = { { "accept", NFT_ACCEPT }, { "drop", NFT_DROP }, {} };

static const struct enum_name clamp_names[] = { { "pmtu", NFT_CLAMP_PMTU }, {} };

const struct field filter_chain_fields[1] = {
	{ .name = "policy",
	  .type = &type_enum,
	  .offset = offsetof(struct nft_filter_chain, policy),
	  .names = policy_names,
	  .doc = "What becomes of packets that no rule accepts, drops or rejects; accept by default." },
};

const struct field filter_fields[FILTER_N_KEYS] = {
	[NFT_KEY_ACTION] = { .name = "action",
			     .type = &type_enum,
			     .offset = offsetof(struct nft_entry, action),
			     .names = action_names,
			     .doc = "What becomes of the packet: accept, drop, or reject (drop and tell the sender: port "
				    "unreachable). Without it the next rule decides." },
	NFT_MATCH_FIELDS,
	[FILTER_KEY_STATE] = { .name = "state",
			       .type = &type_nft_states,
			       .offset = offsetof(struct nft_entry, state),
			       .doc = "State of the packet's connection: new, established, related, invalid, untracked, or a "
				      "list; `not invalid` is any other. IPv6 neighbour discovery is untracked." },
	[FILTER_KEY_ICMP_TYPE] = { .name = "icmp-type",
				   .type = &type_nft_icmp_types,
				   .offset = offsetof(struct nft_entry, icmp_type),
				   .doc = "Type of ICMP or ICMPv6: a name such as echo-request or nd-neighbor-solicit, a number, "
					  "TYPE/CODE, or a list; with protocol icmp or icmpv6." },
	[FILTER_KEY_TCP_FLAGS] = { .name = "tcp-flags",
				   .type = &type_nft_tcp_flags,
				   .offset = offsetof(struct nft_entry, tcp_flags),
				   .doc = "TCP flags that are set, or not set: syn, `[syn, not ack]`; all of a list must hold. "
					  "With protocol tcp." },
	[FILTER_KEY_LIMIT] = { .name = "limit",
			       .type = &type_nft_limit,
			       .offset = offsetof(struct nft_entry, limit),
			       .doc = "How many packets the rule applies to: `10/minute`, `10/minute burst 20`, also per second, "
				      "hour, day, week; the burst is 5 by default. For packets above it the next rule decides." },
	[FILTER_KEY_MARK] = { .name = "mark",
			      .type = &type_fwmark,
			      .offset = offsetof(struct nft_entry, mark),
			      .doc = "Sets the packet's mark, `value` or `value/mask`, for policy rules and other rules by `fwmark`. "
				     "In output the packet is routed again." },
	[FILTER_KEY_CLAMP_MSS] = { .name = "clamp-mss",
				   .type = &type_integer,
				   .offset = offsetof(struct nft_entry, clamp_mss),
				   .min = 88,
				   .max = 65495,
				   .names = clamp_names,
				   .doc = "Lowers the maximum segment size of TCP connections as they are opened: to what the path's "
					  "MTU allows (`pmtu`), or to a number of bytes. With protocol tcp." },
	[FILTER_KEY_COUNTER] = { .name = "counter",
				 .type = &type_bool,
				 .offset = offsetof(struct nft_entry, counter),
				 .doc = "Whether the rule counts packets and bytes (`nft list ruleset` shows them)." },
	[FILTER_KEY_LOG] = { .name = "log",
			     .type = &type_nft_log,
			     .offset = offsetof(struct nft_entry, log),
			     .doc = "Writes packets to the kernel's log, with this prefix; or `{prefix, level, limit}`, whose limit "
				    "is the log's alone. In other network namespaces than the machine's first the kernel logs only "
				    "with `net.netfilter.nf_log_all_netns` = 1." },
};

/* The chains, and what is known about a packet in them. */
static const struct place {
	const char *name;
	enum nft_chain chain;
	bool has_in, has_out;
	bool reject; /* nft_reject_validate() in net/netfilter/nft_reject.c */
	bool path;   /* clamp-mss: pmtu: nft_rt_validate() in net/netfilter/nft_rt.c */
} places[] = {
	{ "prerouting", NFT_FILTER_PREROUTING, .has_in = true, .reject = true },
	{ "input", NFT_FILTER_INPUT, .has_in = true, .reject = true },
	{ "forward", NFT_FILTER_FORWARD, .has_in = true, .has_out = true, .reject = true, .path = true },
	{ "output", NFT_FILTER_OUTPUT, .has_out = true, .reject = true, .path = true },
	{ "postrouting", NFT_FILTER_POSTROUTING, .has_in = true, .has_out = true, .path = true },
};

static void check_place(struct nft_check *check, const struct place *place) {
	const struct nft_entry *entry = check->entry;

	if (!place->has_in && nft_is_written(check, NFT_KEY_IN))
		nft_refuse_key(check, NFT_KEY_IN,
			       "'in' never matches in %s: the namespace's own packets did not arrive through an interface",
			       place->name);
	if (!place->has_out && nft_is_written(check, NFT_KEY_OUT))
		nft_refuse_key(check, NFT_KEY_OUT, "'out' never matches in %s: %s", place->name,
			       place->chain == NFT_FILTER_INPUT ? "the packets leave through no interface"
								: "the outgoing interface is not chosen yet");
	if (!place->reject && entry->action == NFT_REJECT)
		nft_refuse(check, NFT_KEY_ACTION,
			   "'reject' is not possible in %s; drop the packet there, or reject it in forward", place->name);
	if (!place->path && entry->clamp_mss == NFT_CLAMP_PMTU)
		nft_refuse(check, FILTER_KEY_CLAMP_MSS,
			   "'clamp-mss: pmtu' is for forward, output and postrouting: in %s the path is not known yet",
			   place->name);
}

/* Is the protocol exactly this one? */
static bool is_only(const struct nft_match *protocol, uint8_t number) {
	return protocol->n == 1 && !protocol->negated && protocol->items[0].protocol == number;
}

static void check_tcp(struct nft_check *check, enum nft_key key) {
	if (nft_has(check, key) && !is_only(&check->entry->protocol, IPPROTO_TCP) &&
	    nft_has(check, NFT_KEY_PROTOCOL) == nft_is_written(check, NFT_KEY_PROTOCOL))
		nft_refuse_key(check, key, "'%s' needs 'protocol: tcp'", filter_fields[key].name);
}

static void check_icmp_types(struct nft_check *check) {
	const struct nft_match *types = &check->entry->icmp_type, *protocol = &check->entry->protocol;
	bool invalid = nft_is_written(check, NFT_KEY_PROTOCOL) && !nft_has(check, NFT_KEY_PROTOCOL);

	for (size_t i = 0; i < types->n && !invalid; i++) {
		if (!protocol->n || protocol->negated) {
			nft_refuse_key(check, FILTER_KEY_ICMP_TYPE, "'icmp-type' needs 'protocol': icmp or icmpv6");
			return;
		}
		for (size_t k = 0; k < protocol->n; k++) {
			uint8_t number = protocol->items[k].protocol;

			if (number != IPPROTO_ICMP && number != IPPROTO_ICMPV6)
				nft_refuse_key(check, FILTER_KEY_ICMP_TYPE, "'icmp-type' needs 'protocol': icmp or icmpv6");
			else if ((number == IPPROTO_ICMP ? types->items[i].icmp : types->items[i].icmp6) < 0)
				nft_refuse(check, FILTER_KEY_ICMP_TYPE, "%s has no type '%s'; it is one of %s",
					   number == IPPROTO_ICMP ? "icmp" : "icmpv6", types->items[i].word,
					   number == IPPROTO_ICMP ? "icmpv6" : "icmp");
			if (!check->good)
				return;
		}
	}
}

static void check_rule(struct nft_check *check, const struct place *place) {
	static const enum nft_key effects[] = { NFT_KEY_ACTION, FILTER_KEY_MARK, FILTER_KEY_CLAMP_MSS, FILTER_KEY_COUNTER,
						FILTER_KEY_LOG };
	bool has_effect = false;

	for (size_t i = 0; i < ARRAY_SIZE(effects); i++)
		has_effect |= nft_is_written(check, effects[i]);
	if (!has_effect)
		nft_refuse(
			check, NFT_KEY_ACTION,
			"a rule needs something to do: 'action' (accept, drop or reject), 'mark', 'clamp-mss', 'counter' or "
			"'log'");
	if (nft_has(check, FILTER_KEY_MARK) && (check->entry->mark.value & ~check->entry->mark.mask))
		nft_refuse(check, FILTER_KEY_MARK, "'mark': 0x%x has bits that are not in the mask 0x%x",
			   check->entry->mark.value, check->entry->mark.mask);
	check_place(check, place);
	check_tcp(check, FILTER_KEY_TCP_FLAGS);
	check_tcp(check, FILTER_KEY_CLAMP_MSS);
	check_icmp_types(check);
}

/* Targets of rules in iptables and nft that are a separate key here, or belong elsewhere. */
static bool check_target_words(struct parse *p, const struct node *node) {
	static const struct {
		const char *theirs, *ours;
	} words[] = {
		{ "LOG", "logging is a separate key: 'log: PREFIX', beside 'action' if there is one" },
		{ "MARK", "a mark is set by the key 'mark'" },
		{ "CONNMARK", "a mark is set by the key 'mark'" },
		{ "TCPMSS", "the segment size is lowered by the key 'clamp-mss: pmtu'" },
		{ "COUNTER", "counting is a separate key: 'counter: true'" },
		{ "MASQUERADE", "translations belong in the list 'nat' of the namespace" },
		{ "SNAT", "translations belong in the list 'nat' of the namespace" },
		{ "DNAT", "translations belong in the list 'nat' of the namespace" },
		{ "REDIRECT", "translations belong in the list 'nat' of the namespace" },
		{ "RETURN", "there are no chains to return from; leave 'action' out, and the next rule decides" },
		{ "CONTINUE", "leave 'action' out, and the next rule decides" },
	};
	const struct node *action = node->type == NODE_MAPPING ? node_get(node, "action") : NULL;

	for (size_t i = 0; action && action->type == NODE_SCALAR && i < ARRAY_SIZE(words); i++)
		if (strcasecmp(action->text, words[i].theirs) == 0) {
			diag_error(p->diags, action->position, "'%s' is not an action: %s", action->text, words[i].ours);
			return false;
		}
	return true;
}

/* A rule in the syntax of nft or iptables is a string in YAML. */
static bool check_is_mapping(struct parse *p, const struct node *node) {
	if (node->type != NODE_SCALAR || node_is_null(node))
		return true;
	diag_error(p->diags, node->position,
		   "a rule is a mapping, such as {in: lan, protocol: tcp, port: 22, action: accept}, not a line of %s",
		   *node->text == '-' ? "iptables" : "nft");
	return false;
}

static bool read_rule(struct parse *p, const struct node *node, const struct place *place, struct nft_entry *entry) {
	size_t errors = p->diags->n_errors;

	if (!check_is_mapping(p, node) || !check_target_words(p, node))
		return false;
	struct nft_check check = nft_read_entry(p, node, filter_fields, FILTER_N_KEYS, "a filter rule", entry);
	if (node->type != NODE_MAPPING)
		return false;
	entry->chain = place->chain;
	check_rule(&check, place);
	nft_check_ports_and_family(&check);
	if (check.good)
		nft_check_size(&check);
	return p->diags->n_errors == errors;
}

static bool read_rules(struct parse *p, const struct node *list, const struct place *place, struct nft_entries *ret) {
	bool one = list->type == NODE_MAPPING, good = true;
	size_t n = one ? 1 : list->n;

	if (node_is_null(list))
		return true;
	if (list->type == NODE_SCALAR) {
		diag_error(p->diags, list->position, "'rules' takes a list of rules, not a string");
		return false;
	}
	struct nft_entry *entries = arena_newn(p->arena, struct nft_entry, n);
	for (size_t i = 0; i < n; i++)
		good &= read_rule(p, one ? list : list->items[i], place, &entries[i]);
	*ret = (struct nft_entries){ .n = n, .items = entries };
	return good;
}

static bool read_chain(struct parse *p, const struct node *node, const struct place *place, struct nft_filter_chain *chain) {
	static const char *const others[] = { "rules", NULL };
	const struct node *rules = NULL;

	*chain = (struct nft_filter_chain){ .given = true, .policy = NFT_ACCEPT };
	if (node->type == NODE_SEQUENCE) {
		diag_error(p->diags, node->position,
			   "the rules of %s belong below 'rules', beside 'policy': {policy: drop, rules: [...]}",
			   place->name);
		return false;
	}
	return fields_parse(p, node,
			    &(struct fields_parse){ .what = "a filter chain",
						    .fields = filter_chain_fields,
						    .n = ARRAY_SIZE(filter_chain_fields),
						    .may_be_empty = true,
						    .others = others,
						    .values = &rules,
						    .base = chain,
						    .set = &chain->set,
						    .positions = chain->positions }) &
	       (!rules || read_rules(p, rules, place, &chain->rules));
}

bool ruleset_read_filter(struct parse *p, const struct node *mapping, struct ruleset *ruleset) {
	const char *names[ARRAY_SIZE(places) + 1] = {};
	const struct node *chains[ARRAY_SIZE(places)] = {};
	bool good;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		names[i] = places[i].name;
	if (mapping->type == NODE_SEQUENCE) {
		diag_error(
			p->diags, mapping->position,
			"'filter' takes chains, each with its rules: {forward: {policy: drop, rules: [...]}}, not a list");
		return false;
	}
	good = fields_parse(
		p, mapping,
		&(struct fields_parse){ .what = "filter", .may_be_empty = true, .others = names, .values = chains });
	ruleset->object.position = mapping->position;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (chains[i] && !node_is_null(chains[i]))
			good &= read_chain(p, chains[i], &places[i], &ruleset->filter[places[i].chain]);
	return good;
}
