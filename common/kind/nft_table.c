/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing the table: the transaction that makes it, and the requests that read it. nft_read.c reads the answers.
 *
 * libnftnl is only used for writing: it aborts the process when it reads something unexpected, and messages may come from a
 * namespace in which others are root.
 */
#include "kind/ruleset.h"

#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <libnftnl/rule.h>

enum {
	RULE_SIZE = 2048,              /* upper bound of a rule's message without `not`; usually 600 bytes */
	NOT_SIZE = 256,                /* upper bound of what a `not` item adds */
	DELETION_SIZE = 512,           /* upper bound of a deletion, whose names are at most 128 bytes */
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

static void put_chain(struct nl_writer *w, const char *topology, const struct nft_program_chain *chain) {
	put_nft(w, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	put_table_name(w, NFTA_CHAIN_TABLE, topology);
	nl_put_text(w, NFTA_CHAIN_NAME, chain->name);
	if (!chain->place)
		return;
	struct nlattr *hook = nl_nest(w, NFTA_CHAIN_HOOK);
	nl_put_u32(w, NFTA_HOOK_HOOKNUM, htonl(chain->place->hook));
	nl_put_u32(w, NFTA_HOOK_PRIORITY, htonl((uint32_t)chain->place->priority));
	nl_nest_end(w, hook);
	nl_put_u32(w, NFTA_CHAIN_POLICY, htonl(chain->policy));
	nl_put_text(w, NFTA_CHAIN_TYPE, chain->type);
}

static void rule_freep(struct nftnl_rule **rule) {
	nftnl_rule_free(*rule);
}

/* before: the handle of a rule of the chain; 0: at its end. libnftnl does not know where the buffer ends, so room is checked
 * first. */
static void put_rule(struct nl_writer *w, const char *table, const char *chain, const struct nft_step *step,
		     uint64_t before) {
	_cleanup_(rule_freep) struct nftnl_rule *rule = nft_build_rule(step);

	if (!nl_has_room(w)) {
		w->overflow = true;
		return;
	}
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, table);
	nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, chain);
	if (before)
		nftnl_rule_set_u64(rule, NFTNL_RULE_POSITION, before);
	put_nft(w, NFT_MSG_NEWRULE, NLM_F_CREATE | (before ? 0 : NLM_F_APPEND));
	nl_set_position(w, step->entry->position);
	nftnl_rule_nlmsg_build_payload(w->message, rule);
	nl_zero_gaps(w, sizeof(struct nfgenmsg));
}

static void reserve(struct nl_writer *w, const struct ruleset *desired, size_t n_seen) {
	size_t size = NL_MESSAGE_MAX + n_seen * DELETION_SIZE + nft_file_size(&desired->file);
	const struct nft_program *program = desired->program;

	for (size_t i = 0; i < program->n; i++)
		for (size_t k = 0; k < program->chains[i].n; k++)
			size += RULE_SIZE + nft_entry_n_not(program->chains[i].steps[k].entry) * NOT_SIZE;
	nl_reserve(w, MIN(size, (size_t)TABLE_SIZE));
}

static void begin(struct nl_writer *w) {
	put_header(w, NFNL_MSG_BATCH_BEGIN, 0, NFPROTO_UNSPEC, NFNL_SUBSYS_NFTABLES);
}

static void end(struct nl_writer *w) {
	put_header(w, NFNL_MSG_BATCH_END, 0, NFPROTO_UNSPEC, NFNL_SUBSYS_NFTABLES);
}

bool nft_put_table(struct nl_writer *w, const char *topology, const struct ruleset *desired) {
	const struct nft_program *program = desired ? desired->program : NULL;
	_cleanup_free_ char *table = nft_table_name(topology);

	if (program)
		reserve(w, desired, 0);
	begin(w);
	/* Deleting fails if there is no table, so it is created first. */
	put_table(w, NFT_MSG_NEWTABLE, NLM_F_CREATE, topology);
	put_table(w, NFT_MSG_DELTABLE, 0, topology);
	if (program)
		put_table(w, NFT_MSG_NEWTABLE, NLM_F_CREATE, topology);
	for (size_t i = 0; program && i < program->n; i++)
		put_chain(w, topology, &program->chains[i]);
	for (size_t i = 0; program && i < program->n; i++)
		for (size_t k = 0; k < program->chains[i].n; k++)
			put_rule(w, table, program->chains[i].name, &program->chains[i].steps[k], 0);
	if (program)
		nft_put_file(w, topology, &desired->file);
	end(w);
	return !w->overflow;
}

/* Changes. */

static int compare_names(const void *key, const void *content) {
	return strcmp(key, ((const struct nft_content *)content)->name);
}

const struct nft_content *ruleset_find_chain(const struct ruleset *ruleset, const char *name) {
	return ruleset->n_chains
		       ? bsearch(name, ruleset->chains, ruleset->n_chains, sizeof(ruleset->chains[0]), compare_names)
		       : NULL;
}

bool nft_program_has(const struct nft_program *program, const char *chain) {
	for (size_t i = 0; i < program->n; i++)
		if (streq(program->chains[i].name, chain))
			return true;
	return false;
}

/* The chain of that name, if it is at the same place. */
static const struct nft_content *find_same(const struct ruleset *ruleset, const struct nft_content *chain) {
	const struct nft_content *found = ruleset_find_chain(ruleset, chain->name);

	return found && streq(found->head, chain->head) ? found : NULL;
}

/* Deletes a rule; handle 0: all rules of the chain. */
static void put_deletion(struct nl_writer *w, const char *topology, const char *chain, uint64_t handle) {
	put_nft(w, NFT_MSG_DELRULE, 0);
	put_table_name(w, NFTA_RULE_TABLE, topology);
	nl_put_text(w, NFTA_RULE_CHAIN, chain);
	handle = htobe64(handle);
	if (handle)
		nl_put(w, NFTA_RULE_HANDLE, &handle, sizeof(handle));
}

static void put_chain_deletion(struct nl_writer *w, const char *topology, const char *chain) {
	put_nft(w, NFT_MSG_DELCHAIN, 0);
	put_table_name(w, NFTA_CHAIN_TABLE, topology);
	nl_put_text(w, NFTA_CHAIN_NAME, chain);
}

/* Deletes rules and chains that do not stay. kept: the flags of all chains' rules, one after another. */
static void put_deletions(struct nl_writer *w, const char *topology, const struct ruleset *desired,
			  const struct ruleset *seen, const bool *kept) {
	for (size_t i = 0; i < seen->n_chains; i++) {
		const struct nft_content *chain = &seen->chains[i];

		if (!find_same(desired, chain))
			put_deletion(w, topology, chain->name, 0);
		for (size_t k = 0; k < chain->n; k++, kept++)
			if (!*kept && find_same(desired, chain))
				put_deletion(w, topology, chain->name, chain->rules[k].handle);
	}
	for (size_t i = 0; i < seen->n_chains; i++) /* nothing jumps to it any more */
		if (!find_same(desired, &seen->chains[i]))
			put_chain_deletion(w, topology, seen->chains[i].name);
}

static void put_chain_rules(struct nl_writer *w, const char *table, const struct nft_program_chain *chain,
			    const struct nft_content *seen, const size_t *stays) {
	for (size_t k = 0; k < chain->n; k++) {
		size_t next = k;

		if (stays[k] != NFT_NEW_RULE)
			continue;
		while (next < chain->n && stays[next] == NFT_NEW_RULE)
			next++;
		put_rule(w, table, chain->name, &chain->steps[k], next < chain->n ? seen->rules[stays[next]].handle : 0);
	}
}

/* Which rules of a file's chains stay. */
static void mark_file_rules(const struct ruleset *desired, const struct ruleset *seen, bool *kept) {
	for (size_t i = 0; i < seen->n_chains; kept += seen->chains[i++].n) {
		const struct nft_content *chain = ruleset_find_chain(desired, seen->chains[i].name);
		_cleanup_free_ size_t *stays = NULL;

		if (!chain || nft_program_has(desired->program, chain->name) || !streq(chain->head, seen->chains[i].head))
			continue;
		stays = xmalloc(chain->n * sizeof(*stays) + 1);
		nft_match_rules(chain, &seen->chains[i], stays, kept);
	}
}

void nft_find_changes(const struct ruleset *desired, const struct ruleset *seen, struct nft_changes *ret) {
	const struct nft_program *program = desired->program;
	size_t n_seen = 0, n_steps = 0, *at;

	for (size_t i = 0; i < seen->n_chains; i++)
		n_seen += seen->chains[i].n + 2;
	for (size_t i = 0; i < program->n; i++)
		n_steps += program->chains[i].n;
	*ret = (struct nft_changes){ .n_seen = n_seen,
				     .kept = xmalloc(n_seen * sizeof(*ret->kept) + 1),
				     .stays = xmalloc(n_steps * sizeof(*ret->stays) + 1) };
	memset(ret->kept, 0, n_seen);
	at = ret->stays;
	for (size_t i = 0; i < program->n; at += program->chains[i++].n) {
		const struct nft_content *chain = ruleset_find_chain(desired, program->chains[i].name),
					 *same = find_same(seen, chain);
		bool *marks = ret->kept;

		for (const struct nft_content *before = seen->chains; same && before < same; before++)
			marks += before->n;
		nft_match_rules(chain, same, at, marks);
	}
	mark_file_rules(desired, seen, ret->kept);
}

void nft_changes_done(struct nft_changes *changes) {
	free(changes->kept);
	free(changes->stays);
}

bool nft_put_changes(struct nl_writer *w, const char *topology, const struct ruleset *desired, const struct ruleset *seen) {
	const struct nft_program *program = desired->program;
	_cleanup_free_ char *table = nft_table_name(topology);
	_cleanup_(nft_changes_done) struct nft_changes changes = {};
	const size_t *at;

	if (!streq(desired->head, seen->head) || desired->file.n)
		return nft_put_table(w, topology, desired);
	nft_find_changes(desired, seen, &changes);
	reserve(w, desired, changes.n_seen);
	begin(w);
	put_deletions(w, topology, desired, seen, changes.kept);
	for (size_t i = 0; i < program->n; i++) {
		const struct nft_content *chain = ruleset_find_chain(desired, program->chains[i].name),
					 *same = find_same(seen, chain);

		if (!same || same->policy != chain->policy)
			put_chain(w, topology, &program->chains[i]);
	}
	at = changes.stays;
	for (size_t i = 0; i < program->n; at += program->chains[i++].n)
		put_chain_rules(w, table, &program->chains[i],
				find_same(seen, ruleset_find_chain(desired, program->chains[i].name)), at);
	end(w);
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
	case NFT_REQUEST_OBJECTS:
		put_nft(w, NFT_MSG_GETOBJ, NLM_F_DUMP);
		put_table_name(w, NFTA_OBJ_TABLE, topology);
		break;
	case NFT_REQUEST_SETS:
		put_nft(w, NFT_MSG_GETSET, NLM_F_DUMP);
		put_table_name(w, NFTA_SET_TABLE, topology);
		break;
	case NFT_REQUEST_ELEMENTS: /* nft_put_elements_request() */
		break;
	case NFT_REQUEST_RULES:
		put_nft(w, NFT_MSG_GETRULE, NLM_F_DUMP);
		put_table_name(w, NFTA_RULE_TABLE, topology);
		break;
	case NFT_REQUEST_ALL:
		put_header(w, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE, NLM_F_DUMP, NFPROTO_UNSPEC, 0);
		break;
	}
}

void nft_put_elements_request(struct nl_writer *w, const char *topology, const char *set) {
	put_nft(w, NFT_MSG_GETSETELEM, NLM_F_DUMP);
	put_table_name(w, NFTA_SET_ELEM_LIST_TABLE, topology);
	nl_put_text(w, NFTA_SET_ELEM_LIST_SET, set);
}
