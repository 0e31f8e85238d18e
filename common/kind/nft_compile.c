/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which chains and rules the entries of a namespace become. The content of a rule is made in nft_rule.c.
 */
#include "kind/ruleset.h"

#include <linux/netfilter.h>

/* Priorities as nft names them: dstnat -100, srcnat 100, mangle -150, filter 0. In prerouting and postrouting, filters see
 * the addresses as they are outside the translation. */
const struct nft_place nft_places[NFT_N_CHAINS] = {
	[NFT_NAT_PREROUTING] = { "prerouting", "nat", NF_INET_PRE_ROUTING, -100 },
	[NFT_NAT_OUTPUT] = { "output", "nat", NF_INET_LOCAL_OUT, -100 },
	[NFT_NAT_POSTROUTING] = { "postrouting", "nat", NF_INET_POST_ROUTING, 100 },
	[NFT_FILTER_PREROUTING] = { "filter-prerouting", "filter", NF_INET_PRE_ROUTING, -150 },
	[NFT_FILTER_INPUT] = { "filter-input", "filter", NF_INET_LOCAL_IN, 0 },
	[NFT_FILTER_FORWARD] = { "filter-forward", "filter", NF_INET_FORWARD, 0 },
	[NFT_FILTER_OUTPUT] = { "filter-output", "filter", NF_INET_LOCAL_OUT, 0 },
	[NFT_FILTER_POSTROUTING] = { "filter-postrouting", "filter", NF_INET_POST_ROUTING, -150 },
};

/* A limit applies to the whole entry, not to each of its rules; a log's limit applies only to the log. So if there is a
 * limit, the entry's rules only match and jump to a separate chain. */
static bool needs_chain(const struct nft_entry *entry) {
	return entry->log.limit.rate || (entry->limit.rate && nft_entry_n_rules(entry) > 1);
}

struct compiler {
	struct arena *arena;
	vec(struct nft_program_chain) chains;
	vec(struct nft_step) steps; /* of the chain that is being compiled */
	size_t n_rules;
};

static void add_step(struct compiler *c, struct nft_step step) {
	vec_push(&c->steps, step);
	c->n_rules++;
}

/* Ends a chain: its steps are those from `first` on. */
static void end_chain(struct compiler *c, struct nft_program_chain chain, size_t first) {
	chain.n = c->steps.n - first;
	chain.steps = arena_memdup(c->arena, c->steps.items + first, chain.n * sizeof(chain.steps[0]));
	c->steps.n = first;
	vec_push(&c->chains, chain);
}

static const char *add_own_chain(struct compiler *c, const struct nft_entry *entry, size_t number) {
	const char *name = arena_printf(c->arena, "%s-%zu", nft_places[entry->chain].name, number);
	size_t first = c->steps.n;

	if (entry->limit.rate)
		add_step(c, (struct nft_step){ entry, .part = NFT_PART_OVER });
	if (entry->log.limit.rate)
		add_step(c, (struct nft_step){ entry, .part = NFT_PART_LOG });
	add_step(c, (struct nft_step){ entry, .part = NFT_PART_REST });
	end_chain(c, (struct nft_program_chain){ .name = name }, first);
	return name;
}

static bool add_entries(struct compiler *c, const struct nft_entries *entries, enum nft_chain chain) {
	size_t number = 0;

	for (size_t i = 0; i < entries->n; i++) {
		const struct nft_entry *entry = &entries->items[i];
		size_t n = nft_entry_n_rules(entry); /* at most NFT_ENTRY_RULES_MAX */

		if (entry->chain != chain)
			continue;
		if (c->n_rules + n > NFT_RULES_MAX)
			return false;
		const char *own = needs_chain(entry) ? add_own_chain(c, entry, ++number) : NULL;
		for (size_t k = 0; k < n; k++)
			add_step(c, (struct nft_step){ entry, (uint32_t)k, own ? NFT_PART_JUMP : NFT_PART_WHOLE, own });
	}
	return true;
}

/* A mark that is set on the namespace's own packets chooses another route only in a chain of this type. */
static const char *type_of(enum nft_chain chain, const struct nft_entries *entries) {
	for (size_t i = 0; chain == NFT_FILTER_OUTPUT && i < entries->n; i++)
		if (entries->items[i].mark.mask)
			return "route";
	return nft_places[chain].type;
}

const struct nft_program *nft_compile(struct arena *arena, const struct nft_entries *nat,
				      const struct nft_filter_chain filter[NFT_N_CHAINS]) {
	struct compiler c = { .arena = arena };
	struct nft_program *program = NULL;
	bool good = true;

	for (enum nft_chain chain = 0; chain < NFT_N_CHAINS; chain++) {
		const struct nft_entries *entries = chain < NFT_FILTER_PREROUTING ? nat : &filter[chain].rules;

		good = good && add_entries(&c, entries, chain);
		if (good && (c.steps.n || filter[chain].given))
			end_chain(&c,
				  (struct nft_program_chain){
					  .name = nft_places[chain].name,
					  .place = &nft_places[chain],
					  .type = type_of(chain, entries),
					  .policy = filter[chain].policy == NFT_DROP ? NF_DROP : NF_ACCEPT,
				  },
				  0);
	}
	if (good) {
		program = arena_new(arena, struct nft_program);
		program->n = c.chains.n;
		program->chains = arena_memdup(arena, c.chains.items, c.chains.n * sizeof(c.chains.items[0]));
	}
	vec_done(&c.chains);
	vec_done(&c.steps);
	return program;
}
