/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A namespace's nftables rules as one object: what each section adds to it, what follows from the rest of the namespace
 * (`hairpin`), and how it is changed.
 *
 * What the keys mean is in ruleset_nat.c and ruleset_filter.c.
 */
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "kind/nft_entry.h"
#include "model/change.h"
#include "model/section.h"

/* What the kernel's table should contain: the messages that create it are read like the kernel's answers. NULL: too much. */
static const struct ruleset *content_of(struct arena *arena, const struct ruleset *desired) {
	const struct decode decode = { .arena = arena, .ns = desired->object.ns, .topology = "" };
	_cleanup_(nl_writer_done) struct nl_writer w = {};
	struct nft_reader reader;
	struct ruleset *read = NULL;

	nft_reader_begin(&reader, &decode);
	if (!nft_put_table(&w, "", desired))
		return NULL;
	vec_foreach(message, &w.messages)
		nft_reader_message(&reader, *message);
	return nft_reader_finish(&reader, &read) == 0 && !reader.full ? read : NULL;
}

static bool compute_text(struct arena *arena, struct ruleset *ruleset) {
	const struct ruleset *content = content_of(arena, ruleset);

	if (!content)
		return false;
	ruleset->text = content->text;
	ruleset->head = content->head;
	ruleset->chains = content->chains;
	ruleset->n_chains = content->n_chains;
	return true;
}

/* Hairpin. */

/* The interface behind which the target is; NULL after an error. */
static const char *find_inside(struct parse *p, const struct ns_state *ns, const struct nft_entry *entry) {
	const struct ip *to = &entry->to.first;
	struct lead lead = {};
	char buf[IP_TEXT_MAX];
	bool known = ns && ruleset_find_lead(ns, to, &lead);

	if (known && !lead.dev && lead.via.family) {
		const struct ip gateway = lead.via;

		known = ruleset_find_lead(ns, &gateway, &lead);
	}
	if (known && lead.dev)
		return lead.dev;
	diag_error(p->diags, entry->positions[NAT_KEY_HAIRPIN],
		   "no address or route in the file shows behind which interface %s is; write 'hairpin: INTERFACE'",
		   ip_format(to, buf));
	return NULL;
}

static struct nft_match match_of(struct arena *arena, const struct nft_item *items, size_t n) {
	return (struct nft_match){ .n = n, .items = arena_memdup(arena, items, n * sizeof(*items)) };
}

typedef vec(struct nft_entry) entry_list;

/* The same translation for packets from the inside, and a new source, so that the target does not answer directly. If
 * `inside` is a bridge and bridge-nf-call-iptables is on, the kernel takes a packet from port to port after the translation,
 * and in postrouting it has no incoming interface (br_nf_post_routing()). */
static bool add_hairpin(struct parse *p, const struct ns_state *ns, const struct nft_entry *entry, entry_list *list) {
	const struct ip *to = &entry->to.first;
	const char *inside = entry->hairpin.link ? entry->hairpin.link : find_inside(p, ns, entry);
	const struct nft_item links[] = { { .link = inside }, { .link = "" } };
	const struct nft_item target = { .prefix = { *to, ip_bits(to->family) } };
	struct nft_entry again = *entry, back = { .position = entry->position, .action = NFT_MASQUERADE };

	if (!inside)
		return false;
	again.in = match_of(p->arena, links, 1);
	again.to_local = !entry->destination.n;
	if (entry->in.n)
		vec_push(list, again);
	back.chain = NFT_NAT_POSTROUTING;
	back.in = match_of(p->arena, links, 2);
	back.out = again.in;
	back.family = to->family;
	back.protocol = entry->protocol;
	back.translated = true;
	if (ip_equal(to, &entry->to.last))
		back.destination = match_of(p->arena, &target, 1);
	vec_push(list, back);
	return true;
}

static bool collect(struct parse *p, const struct ns_state *ns, const struct nft_entries *from, entry_list *list) {
	bool good = true;

	for (size_t i = 0; i < from->n; i++) {
		vec_push(list, from->items[i]);
		if (from->items[i].hairpin.on)
			good &= add_hairpin(p, ns, &from->items[i], list);
	}
	return good;
}

bool ruleset_finish(struct parse *p, const struct ns_state *ns, struct ruleset *ruleset) {
	entry_list list = {};
	bool good = collect(p, ns, &ruleset->nat, &list);
	struct nft_entries all = { .n = list.n };

	all.items = arena_memdup(p->arena, list.items, list.n * sizeof(list.items[0]));
	vec_done(&list);
	if (!good)
		return false;
	ruleset->program = nft_compile(p->arena, &all, ruleset->filter);
	if (!ruleset->program || !compute_text(p->arena, ruleset)) {
		diag_error(p->diags, ruleset->object.position,
			   "the entries of 'nat' and 'filter' become too many rules; a namespace may have %d",
			   NFT_RULES_MAX);
		return false;
	}
	ruleset->object.set = field_bit(RULESET_TEXT);
	return true;
}

struct ruleset *ruleset_with_file(const struct ns_state *ns) {
	struct ruleset *ruleset = (struct ruleset *)ns_find_only(ns, &class_ruleset);

	return ruleset && ruleset->file.path ? ruleset : NULL;
}

bool ruleset_take_file(struct arena *arena, struct ruleset *ruleset, const struct nlmsghdr *const *messages, size_t n,
		       const char **ret_problem) {
	*ret_problem = NULL;
	for (size_t i = 0; i < n && !*ret_problem; i++) {
		const char *what = nft_file_refuses(messages[i]), *name = what ? NULL : nft_chain_of_message(messages[i]);

		if (what)
			*ret_problem = arena_printf(arena, "has %s, which topod cannot take over", what);
		if (name && nft_program_has(ruleset->program, name))
			*ret_problem = arena_printf(
				arena, "has a chain '%s', the name of one that 'nat' or 'filter' makes; rename it", name);
	}
	ruleset->file.messages = messages;
	ruleset->file.n = n;
	if (!*ret_problem && !compute_text(arena, ruleset))
		*ret_problem = "has too many rules";
	return !*ret_problem;
}

/* The sections. All entries of a namespace are one object, because their order matters. */

/* The object of the namespace, to which both sections add. */
static struct ruleset *ruleset_here(struct reading *r, struct position position) {
	struct object *object = ns_find_only(r->ns, &class_ruleset);

	if (!object) {
		object = object_new(r->parse.arena, &kind_ruleset, r->ns->name);
		object->position = position;
		object->drift = r->drift;
		object_seal(r->parse.arena, object);
		reading_add(r, r->ns, object);
	}
	return (struct ruleset *)object;
}

static void read_nat(struct reading *r, const struct section *section _unused_, const struct node *node) {
	struct ruleset part = {};

	if (ruleset_read_nat(&r->parse, node, &part) && part.nat.n)
		ruleset_here(r, node->position)->nat = part.nat;
}

static void read_filter(struct reading *r, const struct section *section _unused_, const struct node *node) {
	struct ruleset part = {};
	bool given = false;

	if (!ruleset_read_filter(&r->parse, node, &part))
		return;
	for (enum nft_chain chain = 0; chain < NFT_N_CHAINS; chain++)
		given |= part.filter[chain].given;
	if (given)
		memcpy(ruleset_here(r, node->position)->filter, part.filter, sizeof(part.filter));
}

static const struct field file_field = { .name = "nft", .type = &type_text };

static void read_file(struct reading *r, const struct section *section _unused_, const struct node *node) {
	struct ruleset *ruleset;
	const char *path;

	if (!type_text.parse(&r->parse, &file_field, node, &path))
		return;
	if (!*path || path[strlen(path) - 1] == '/') {
		diag_error(r->parse.diags, node->position, "'nft' takes the name of a file in nft's language");
		return;
	}
	ruleset = ruleset_here(r, node->position);
	ruleset->file.path = path;
	ruleset->file.position = node->position;
}

static void settle(struct reading *r, struct ns_state *ns) {
	struct ruleset *ruleset = (struct ruleset *)ns_find_only(ns, &class_ruleset);
	struct parse p = r->parse;

	p.ns = ns->name;
	if (ruleset)
		ruleset_finish(&p, ns, ruleset);
}

static const struct mapping nat_mapping = {
	.name = "nat-entry",
	.title = "NAT entries",
	.doc = "An entry of `nat`.",
	.what = "a NAT entry",
	.fields = nat_fields,
	.n_fields = NAT_N_KEYS,
};

static const struct mapping rule_mapping = {
	.name = "filter-rule",
	.title = "Filter rules",
	.doc = "A rule of a filter chain. The first rule that accepts, drops or rejects a packet decides. Lists are "
	       "alternatives, and a packet must match all keys.",
	.what = "a filter rule",
	.fields = filter_fields,
	.n_fields = FILTER_N_KEYS,
};

static const struct section chain_sections[] = {
	{ .key = "rules",
	  .shape = SECTION_LIST,
	  .may_be_empty = true,
	  .mapping = &rule_mapping,
	  .value = "list of [rules](#filter-rule)",
	  .doc = "The rules, in order." },
	{},
};

static const struct mapping chain_mapping = {
	.name = "filter-chain",
	.title = "Filter chains",
	.doc = "A chain of `filter`.",
	.what = "a filter chain",
	.fields = filter_chain_fields,
	.n_fields = ARRAY_SIZE(filter_chain_fields),
	.sections = chain_sections,
};

#define CHAIN(key_, doc_)                                                                               \
	{                                                                                               \
		.key = key_, .shape = SECTION_MAPPING, .may_be_empty = true, .mapping = &chain_mapping, \
		.value = "[chain](#filter-chain)", .doc = doc_                                          \
	}

static const struct section filter_sections[] = {
	CHAIN("prerouting", "Packets that arrive, before they are routed and before their destination is translated."),
	CHAIN("input", "Packets to the namespace itself."),
	CHAIN("forward", "Packets that pass through."),
	CHAIN("output", "Packets from the namespace itself."),
	CHAIN("postrouting", "Packets that leave, before their source is translated."),
	{},
};

static const struct mapping filter_mapping = {
	.name = "filter",
	.title = "Filter",
	.doc = "The mapping `filter`: chains of the topology's table of nftables, `topod-TOPOLOGY`, where they are called "
	       "filter-input and so on.",
	.what = "filter",
	.sections = filter_sections,
};

static const struct section sections[] = {
	{ .key = "nat",
	  .place = SECTION_NAMESPACE,
	  .shape = SECTION_LIST,
	  .may_be_empty = true,
	  .mapping = &nat_mapping,
	  .value = "list of [NAT entries](#nat-entry)",
	  .doc = "Address translation, in order.",
	  .print = ruleset_words_of_nat,
	  .read = read_nat },
	{ .key = "filter",
	  .place = SECTION_NAMESPACE,
	  .shape = SECTION_MAPPING,
	  .may_be_empty = true,
	  .mapping = &filter_mapping,
	  .value = "[filter](#filter)",
	  .doc = "Which packets pass, and what else is done with them.",
	  .print = ruleset_words_of_filter,
	  .read = read_filter },
	{ .key = "nft",
	  .place = SECTION_NAMESPACE,
	  .shape = SECTION_VALUE,
	  .field = &file_field,
	  .doc = "A file with sets, maps and chains in nft's own language, as inside a table, or in one table of family "
		 "inet: its content is put into the topology's table, `topod-TOPOLOGY`, in the same transaction. The path, "
		 "and those of its `include`, count from the directory of this file.",
	  .read = read_file },
	{},
};

void ruleset_print(const struct ruleset *ruleset, struct text *out) {
	for (size_t i = 0; i < ruleset->nat.n; i++)
		nft_print_entry(&ruleset->nat.items[i], nat_fields, NAT_N_KEYS, out);
	for (enum nft_chain chain = NFT_FILTER_PREROUTING; chain < NFT_N_CHAINS; chain++) {
		const struct nft_filter_chain *filter = &ruleset->filter[chain];
		const char *name = startswith(nft_places[chain].name, "filter-");

		if (filter->given)
			text_addf(out, "%s policy %s\n", name, filter->policy == NFT_DROP ? "drop" : "accept");
		for (size_t i = 0; i < filter->rules.n; i++) {
			text_addf(out, "%s ", name);
			nft_print_entry(&filter->rules.items[i], filter_fields, FILTER_N_KEYS, out);
		}
	}
	if (ruleset->file.path)
		nft_print_file(&ruleset->file, out);
}

/* The object. */

static int encode(struct encode *encode, const struct change *change) {
	const struct ruleset *desired = change->type == CHANGE_DELETE ? NULL : (const struct ruleset *)change->desired;
	const struct ruleset *seen = change->type == CHANGE_UPDATE ? (const struct ruleset *)change->observed : NULL;

	if (desired && seen ? nft_put_changes(encode->writer, encode->topology, desired, seen)
			    : nft_put_table(encode->writer, encode->topology, desired))
		return 0;
	encode->problem = "the rules do not fit into one transaction";
	return -EMSGSIZE;
}

/* Rules accept any name, also of an interface that comes later; but in a namespace that topod makes, an unknown name
 * is probably a mistake. */
static void check_links(struct reading *r, const struct ns_state *ns, const char *key, const struct nft_match *match) {
	for (size_t i = 0; i < match->n; i++) {
		const char *name = match->items[i].link;

		if (!strchr(name, '*') && !ns_find_link(ns, name))
			diag_warning(r->parse.diags, match->items[i].position,
				     "'%s' names %s, but %s has no interface of that name", key, name, ns->name);
	}
}

static void check_entries(struct reading *r, const struct ns_state *ns, const struct nft_entries *entries) {
	for (size_t i = 0; i < entries->n; i++) {
		check_links(r, ns, "in", &entries->items[i].in);
		check_links(r, ns, "out", &entries->items[i].out);
	}
}

static void check(struct reading *r, const struct ns_state *ns, const struct object *object) {
	const struct ruleset *ruleset = (const struct ruleset *)object;

	if (ns_is_open(ns))
		return;
	check_entries(r, ns, &ruleset->nat);
	for (enum nft_chain chain = NFT_FILTER_PREROUTING; chain < NFT_N_CHAINS; chain++)
		check_entries(r, ns, &ruleset->filter[chain].rules);
}

static void noun(const struct object *object _unused_, struct text *out) {
	text_add(out, "nftables table");
}

/* The ledger's words since 0.1. */
static void id(const struct object *object _unused_, struct text *out) {
	text_add(out, "NAT table");
}

static void lines(const struct object *object, struct text *out) {
	ruleset_print((const struct ruleset *)object, out);
}

/* Were the rules made from this entry, or a copy of it? */
static bool is_of(const struct nft_entry *made, const struct nft_entry *written) {
	return position_same(&made->position, &written->position) && made->position.origin == written->position.origin;
}

/* Is a rule of the entry new? An entry may be several rules. */
static bool is_new(const struct ruleset *desired, const struct nft_changes *changes, const struct nft_entry *entry) {
	const struct nft_program *program = desired->program;
	const size_t *at = changes->stays;

	for (size_t i = 0; i < program->n; at += program->chains[i++].n)
		for (size_t k = 0; k < program->chains[i].n; k++)
			if (at[k] == NFT_NEW_RULE && is_of(program->chains[i].steps[k].entry, entry))
				return true;
	return false;
}

static bool same_policy(const struct ruleset *a, const struct ruleset *b, const char *name) {
	const struct nft_content *x = ruleset_find_chain(a, name), *y = ruleset_find_chain(b, name);

	return x && y && x->policy == y->policy;
}

static bool same_rules(const struct nft_content *a, const struct nft_content *b) {
	bool same = b && a->n == b->n && a->policy == b->policy && streq(a->head, b->head);

	for (size_t k = 0; same && k < a->n; k++)
		same = streq(a->rules[k].text, b->rules[k].text);
	return same;
}

/* The parts of the file's content that differ from the kernel's table: sets and objects, or one of its chains. */
static void print_file_differences(const struct ruleset *desired, const struct ruleset *seen, struct text *out) {
	if (!streq(desired->head, seen->head))
		text_add(out, "+ nft sets, maps or objects\n");
	for (size_t i = 0; i < desired->n_chains; i++) {
		const struct nft_content *chain = &desired->chains[i];

		if (!nft_program_has(desired->program, chain->name) &&
		    !same_rules(chain, ruleset_find_chain(seen, chain->name)))
			text_addf(out, "+ nft chain %s\n", chain->name);
	}
}

/* Rules that only the kernel has are counted, not shown: they have no entry in the file. */
static void diff(const struct object *object, const struct object *before, struct text *out) {
	const struct ruleset *desired = (const struct ruleset *)object, *seen = (const struct ruleset *)before;
	_cleanup_(nft_changes_done) struct nft_changes changes = {};
	size_t gone = 0, at = 0;

	nft_find_changes(desired, seen, &changes);
	for (size_t i = 0; i < desired->nat.n; i++) {
		text_add(out, is_new(desired, &changes, &desired->nat.items[i]) ? "+ " : "  ");
		nft_print_entry(&desired->nat.items[i], nat_fields, NAT_N_KEYS, out);
	}
	for (enum nft_chain chain = NFT_FILTER_PREROUTING; chain < NFT_N_CHAINS; chain++) {
		const struct nft_filter_chain *filter = &desired->filter[chain];
		const char *name = startswith(nft_places[chain].name, "filter-");

		if (filter->given)
			text_addf(out, "%s%s policy %s\n", same_policy(desired, seen, nft_places[chain].name) ? "  " : "+ ",
				  name, filter->policy == NFT_DROP ? "drop" : "accept");
		for (size_t i = 0; i < filter->rules.n; i++) {
			text_addf(out, "%s%s ", is_new(desired, &changes, &filter->rules.items[i]) ? "+ " : "  ", name);
			nft_print_entry(&filter->rules.items[i], filter_fields, FILTER_N_KEYS, out);
		}
	}
	if (desired->file.path) {
		text_add(out, "  ");
		nft_print_file(&desired->file, out);
		print_file_differences(desired, seen, out);
	}
	for (size_t i = 0; i < seen->n_chains; i++)
		for (size_t k = 0; k < seen->chains[i].n; k++)
			gone += !changes.kept[at++];
	if (gone)
		text_addf(out, "- %zu rule%s of the kernel's table\n", gone, gone == 1 ? "" : "s");
}

static const struct field fields[RULESET_N_FIELDS] = {
	[RULESET_TEXT] = { .name = "ruleset",
			   .type = &type_text,
			   .offset = offsetof(struct ruleset, text),
			   .class = FIELD_LIVE,
			   .flags = FIELD_HIDDEN | FIELD_OPAQUE },
};

/* The expression of a rule at which the kernel points. */
static const char *expression_at(const struct refusal *refusal) {
	const struct nlattr *tb[NFTA_RULE_EXPRESSIONS + 1], *attr, *parts[NFTA_EXPR_NAME + 1];
	const char *start = (const char *)refusal->message;

	nl_parse(refusal->message, sizeof(struct nfgenmsg), tb, NFTA_RULE_EXPRESSIONS);
	if (!tb[NFTA_RULE_EXPRESSIONS])
		return NULL;
	mnl_attr_for_each_nested(attr, tb[NFTA_RULE_EXPRESSIONS]) {
		size_t at = (size_t)((const char *)attr - start);

		if (refusal->offset < at || refusal->offset >= at + attr->nla_len)
			continue;
		nl_parse_nested(attr, parts, NFTA_EXPR_NAME);
		return nl_get_text(parts[NFTA_EXPR_NAME]);
	}
	return NULL;
}

static const char *lacking(struct arena *arena, const struct refusal *refusal, const char **ret_module) {
	const struct nlattr *tb[NFTA_CHAIN_TYPE + 1];
	const char *name = NULL;

	if (refusal->error != -ENOENT && refusal->error != -EOPNOTSUPP)
		return NULL;
	if ((refusal->message->nlmsg_type & 0xff) == NFT_MSG_NEWRULE)
		name = expression_at(refusal);
	if (name) {
		*ret_module = arena_printf(arena, "nft_%s", name);
		return arena_printf(arena, "'%s' in rules of nftables", name);
	}
	if ((refusal->message->nlmsg_type & 0xff) != NFT_MSG_NEWCHAIN)
		return NULL;
	nl_parse(refusal->message, sizeof(struct nfgenmsg), tb, NFTA_CHAIN_TYPE);
	name = nl_get_text(tb[NFTA_CHAIN_TYPE]);
	*ret_module = name && streq(name, "nat") ? "nft_chain_nat" : NULL;
	return name ? arena_printf(arena, "chains of type %s in nftables", name) : NULL;
}

static const char *topology(const struct object *observed) {
	return observed->kind == &kind_ruleset ? ((const struct ruleset *)observed)->topology : NULL;
}

const struct class class_ruleset = {
	.topology = topology,
	.sections = sections,
	.name = "nftables table",
	.plural = "nftables tables",
	.source = &source_ruleset,
	.part_of = &class_netns,
	.per_topology = true,
};

const struct kind kind_ruleset = {
	.name = "nat", /* also the ledger's word */
	.class = &class_ruleset,
	.transport = TRANSPORT_NETFILTER,
	.size = sizeof(struct ruleset),
	.fields = fields,
	.n_fields = RULESET_N_FIELDS,
	.markable = true,
	.settle = settle,
	.check = check,
	.encode = encode,
	.lacking = lacking,
	.noun = noun,
	.id = id,
	.lines = lines,
	.diff = diff,
	.left_out = ruleset_left_out,
	.warn = ruleset_warn,
	.asks = ruleset_asks,
	.warn_value = ruleset_warn_value,
};
