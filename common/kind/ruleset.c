/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list `nat`: the table of an entry's fields, rules between the keys of one entry, and the object.
 *
 * This file knows what makes sense on a packet's path. How the kernel is told is in nft_compile.c and nft_table.c.
 */
#include "kind/ruleset.h"
#include "model/change.h"
#include "model/section.h"

static const struct enum_name action_names[] = {
	{ "masquerade", NAT_MASQUERADE }, { "snat", NAT_SNAT }, { "dnat", NAT_DNAT }, { "redirect", NAT_REDIRECT }, {},
};

static const struct enum_name hook_names[] = {
	{ "prerouting", NAT_PREROUTING },
	{ "output", NAT_OUTPUT },
	{},
};

const struct field nat_entry_fields[NAT_N_KEYS] = {
	[NAT_KEY_ACTION] = { .name = "action",
			     .type = &type_enum,
			     .offset = offsetof(struct nat_entry, action),
			     .flags = FIELD_REQUIRED,
			     .names = action_names,
			     .doc = "What is done: the source becomes the outgoing interface's address (masquerade) or "
				    "a given one (snat); the destination becomes another host (dnat) or this one "
				    "(redirect)." },
	[NAT_KEY_SOURCE] = { .name = "source",
			     .type = &type_nat_prefixes,
			     .offset = offsetof(struct nat_entry, source),
			     .doc = "Source addresses that match: a prefix, an address or a list; `not 10.0.0.0/8` or "
				    "`[not 10.0.0.0/8, not 192.168.0.0/16]` match all others." },
	[NAT_KEY_DESTINATION] = { .name = "destination",
				  .type = &type_nat_prefixes,
				  .offset = offsetof(struct nat_entry, destination),
				  .doc = "Destination addresses that match, as for source." },
	[NAT_KEY_IN] = { .name = "in",
			 .type = &type_nat_links,
			 .offset = offsetof(struct nat_entry, in),
			 .doc = "The interface on which a packet arrived, or a list; `not br0` is any other, `[not br0, not "
				"lo]` any except these two, and `eth*` each whose name begins with eth." },
	[NAT_KEY_OUT] = { .name = "out",
			  .type = &type_nat_links,
			  .offset = offsetof(struct nat_entry, out),
			  .doc = "The interface through which a packet leaves, as for in." },
	[NAT_KEY_PROTOCOL] = { .name = "protocol",
			       .type = &type_nat_protocols,
			       .offset = offsetof(struct nat_entry, protocol),
			       .doc = "The protocol: a name (tcp, udp, icmp, icmpv6, sctp, dccp, udplite, esp, ah, gre), "
				      "a number, or a list; `not icmp` is any other." },
	[NAT_KEY_SOURCE_PORT] = { .name = "source-port",
				  .type = &type_nat_ports,
				  .offset = offsetof(struct nat_entry, source_port),
				  .doc = "Source ports that match: a port, a range `100-200` or a list; `not 22` is any other." },
	[NAT_KEY_PORT] = { .name = "port",
			   .type = &type_nat_ports,
			   .offset = offsetof(struct nat_entry, port),
			   .doc = "Destination ports that match, as for source-port." },
	[NAT_KEY_TO] = { .name = "to",
			 .type = &type_nat_target,
			 .offset = offsetof(struct nat_entry, to),
			 .doc = "The new address, port or both: ADDR, ADDR:PORT, ADDR:PORT-PORT, [ADDR6]:PORT, "
				"ADDR-ADDR, :PORT." },
	[NAT_KEY_HOOK] = { .name = "hook",
			   .type = &type_enum,
			   .offset = offsetof(struct nat_entry, hook),
			   .names = hook_names,
			   .doc = "For dnat and redirect: packets that arrive (prerouting, the default), or the "
				  "namespace's own (output)." },
};

/* The entry that is being checked. */
struct check {
	struct parse *p;
	struct nat_entry *entry;
	const struct node *node;
	bool good;
};

static bool has(const struct check *check, enum nat_key key) {
	return check->entry->set >> key & 1;
}

/* Is the key in the file, valid or not? An invalid one was reported already and is not reported as missing. */
static bool is_written(const struct check *check, enum nat_key key) {
	return node_get(check->node, nat_entry_fields[key].name);
}

static void _printf_(3, 0) refuse_at(struct check *check, struct position position, const char *format, va_list args) {
	_cleanup_free_ char *text = NULL;

	if (vasprintf(&text, format, args) < 0)
		abort();
	diag_error(check->p->diags, position, "%s", text);
	check->good = false;
}

/* Reports a wrong or missing value. */
static void _printf_(3, 4) refuse(struct check *check, enum nat_key key, const char *format, ...) {
	va_list args;

	va_start(args, format);
	refuse_at(check, has(check, key) ? check->entry->positions[key] : check->node->position, format, args);
	va_end(args);
}

/* Reports a key that is not allowed here, whatever its value. */
static void _printf_(3, 4) refuse_key(struct check *check, enum nat_key key, const char *format, ...) {
	va_list args;

	va_start(args, format);
	refuse_at(check, node_key_position(check->node, nat_entry_fields[key].name), format, args);
	va_end(args);
}

static const char *action_name(const struct check *check) {
	return action_names[check->entry->action].name;
}

/* Where on a packet's path the rules are, and what is known about the packet there. */
static void check_hook(struct check *check) {
	bool destination = check->entry->action == NAT_DNAT || check->entry->action == NAT_REDIRECT;

	if (!destination && is_written(check, NAT_KEY_HOOK))
		refuse_key(check, NAT_KEY_HOOK, "'hook' is for dnat and redirect; %s is always in postrouting",
			   action_name(check));
	if (!destination || (is_written(check, NAT_KEY_HOOK) && !has(check, NAT_KEY_HOOK)))
		return;
	if (check->entry->hook == NAT_OUTPUT && is_written(check, NAT_KEY_IN))
		refuse_key(check, NAT_KEY_IN,
			   "'in' never matches with hook 'output': the namespace's own packets did not arrive "
			   "through an interface");
	if (check->entry->hook == NAT_PREROUTING && is_written(check, NAT_KEY_OUT))
		refuse_key(
			check, NAT_KEY_OUT,
			"'out' is not known yet when %s is applied: the outgoing interface is chosen for the new destination",
			action_name(check));
}

static void check_target(struct check *check) {
	const struct nat_target *to = &check->entry->to;

	switch ((enum nat_action)check->entry->action) {
	case NAT_SNAT:
	case NAT_DNAT:
		if (!is_written(check, NAT_KEY_TO))
			refuse(check, NAT_KEY_TO, "%s needs 'to'", action_name(check));
		else if (has(check, NAT_KEY_TO) && check->entry->action == NAT_SNAT && !to->first.family)
			refuse(check, NAT_KEY_TO,
			       "snat needs an address in 'to'; for the outgoing interface's own address use masquerade");
		break;
	case NAT_MASQUERADE:
	case NAT_REDIRECT:
		if (to->first.family)
			refuse(check, NAT_KEY_TO, "%s takes only a port in 'to', as \":8080\"; an address is for %s",
			       action_name(check), check->entry->action == NAT_MASQUERADE ? "snat" : "dnat");
		break;
	}
}

static bool has_ports(uint8_t protocol) {
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP || protocol == IPPROTO_DCCP ||
	       protocol == IPPROTO_UDPLITE;
}

static bool all_have_ports(const struct nat_match *protocol) {
	for (size_t i = 0; i < protocol->n; i++)
		if (!has_ports(protocol->items[i].protocol))
			return false;
	return protocol->n && !protocol->negated;
}

static void check_port(struct check *check, enum nat_key key) {
	const char *what = key == NAT_KEY_TO ? "a port in 'to'" : nat_entry_fields[key].name;
	const char *quote = key == NAT_KEY_TO ? "" : "'";

	if (!is_written(check, NAT_KEY_PROTOCOL))
		refuse_key(check, key, "%s%s%s needs 'protocol': tcp, udp, sctp, dccp or udplite", quote, what, quote);
	else if (has(check, NAT_KEY_PROTOCOL) && !all_have_ports(&check->entry->protocol))
		refuse_key(check, key, "%s%s%s needs a 'protocol' that has ports: tcp, udp, sctp, dccp or udplite", quote,
			   what, quote);
}

static void check_ports(struct check *check) {
	if (has(check, NAT_KEY_PORT))
		check_port(check, NAT_KEY_PORT);
	if (has(check, NAT_KEY_SOURCE_PORT))
		check_port(check, NAT_KEY_SOURCE_PORT);
	if (check->entry->to.first_port)
		check_port(check, NAT_KEY_TO);
}

/* The first address determines the entry's family. */
static void settle_family(struct check *check, enum nat_key key, uint8_t family) {
	if (!family || family == check->entry->family)
		return;
	if (check->entry->family)
		refuse(check, key,
		       "'%s' has an %s address in an entry that has an %s one before; write an entry for "
		       "each family",
		       nat_entry_fields[key].name, family == AF_INET ? "IPv4" : "IPv6", family == AF_INET ? "IPv6" : "IPv4");
	else
		check->entry->family = family;
}

static void check_prefixes(struct check *check, enum nat_key key, const struct nat_match *match) {
	for (size_t i = 0; i < match->n && check->good; i++) {
		settle_family(check, key, match->items[i].prefix.address.family);
		if (match->negated && !match->items[i].prefix.length)
			refuse(check, key, "'%s' excludes every address: the entry would never match",
			       nat_entry_fields[key].name);
	}
}

static void check_icmp(struct check *check) {
	const struct nat_match *protocol = &check->entry->protocol;
	uint8_t other = check->entry->family == AF_INET ? IPPROTO_ICMPV6 : IPPROTO_ICMP;

	for (size_t i = 0; i < protocol->n && check->entry->family && !protocol->negated; i++)
		if (protocol->items[i].protocol == other)
			refuse(check, NAT_KEY_PROTOCOL, "%s is not a protocol of IPv%d, the family of the entry's addresses",
			       other == IPPROTO_ICMP ? "icmp" : "icmpv6", check->entry->family == AF_INET ? 4 : 6);
}

static void check_size(struct check *check) {
	size_t negated = nat_entry_n_not(check->entry);

	if (negated > NAT_ENTRY_NOT_MAX)
		refuse(check, NAT_KEY_ACTION,
		       "an entry takes at most %d items with 'not', not %zu: they become one rule, and the "
		       "kernel limits its size",
		       NAT_ENTRY_NOT_MAX, negated);
	if (nat_entry_n_rules(check->entry) > NAT_ENTRY_RULES_MAX)
		refuse(check, NAT_KEY_ACTION,
		       "the lists of this entry have too many combinations: each becomes a "
		       "rule, and an entry may have %d",
		       NAT_ENTRY_RULES_MAX);
}

static bool parse_entry(struct parse *p, const struct node *node, struct nat_entry *entry) {
	struct check check = { .p = p, .entry = entry, .node = node, .good = true };
	size_t errors = p->diags->n_errors;

	entry->position = node->position;
	fields_parse(p, node,
		     &(struct fields_parse){ .what = "a NAT entry",
					     .fields = nat_entry_fields,
					     .n = NAT_N_KEYS,
					     .base = entry,
					     .set = &entry->set,
					     .positions = entry->positions });
	if (has(&check, NAT_KEY_ACTION)) {
		check_hook(&check);
		check_target(&check);
	}
	check_ports(&check);
	if (check.good) {
		check_prefixes(&check, NAT_KEY_SOURCE, &entry->source);
		check_prefixes(&check, NAT_KEY_DESTINATION, &entry->destination);
		settle_family(&check, NAT_KEY_TO, entry->to.first.family);
		check_icmp(&check);
		check_size(&check);
	}
	return p->diags->n_errors == errors;
}

/* Each entry is within its own limit. */
static size_t count_rules(const struct nat_rules *rules) {
	size_t n = 0;

	for (size_t i = 0; i < rules->n; i++)
		n += nat_entry_n_rules(&rules->items[i]);
	return n;
}

/* The text that the kernel's table should have: the messages that make it are read like the kernel's answers. */
static const char *ruleset_of(struct parse *p, const struct nat_rules *rules) {
	const struct decode decode = { .arena = p->arena, .ns = p->ns, .topology = "" };
	_cleanup_(nl_writer_done) struct nl_writer w = {};
	struct nat_reader reader;
	struct nat *read = NULL;

	nat_reader_begin(&reader, &decode);
	if (count_rules(rules) > NAT_RULES_MAX || !nat_put_table(&w, "", rules, false))
		return NULL;
	vec_foreach(message, &w.messages)
		nat_reader_message(&reader, *message);
	if (reader.full || nat_reader_finish(&reader, &read) < 0 || !read)
		return NULL;
	return read->ruleset;
}

static bool parse_entries(struct parse *p, const struct node *const *nodes, size_t n, struct nat_entry *entries) {
	bool good = true;

	for (size_t i = 0; i < n; i++)
		good &= parse_entry(p, nodes[i], &entries[i]);
	return good;
}

bool nat_parse(struct parse *p, const struct node *list, struct nat *nat) {
	bool one = list->type == NODE_MAPPING;
	size_t n = one ? 1 : list->n;
	struct nat_rules *rules;
	struct nat_entry *entries;

	if (list->type == NODE_SCALAR) {
		diag_error(p->diags, list->position, "'nat' takes a list of entries, not %s",
			   node_is_null(list) ? "nothing" : "a string");
		return false;
	}
	rules = arena_new(p->arena, struct nat_rules);
	entries = arena_newn(p->arena, struct nat_entry, n);
	*rules = (struct nat_rules){ .n = n, .items = entries };
	if (!parse_entries(p, one ? &list : list->items, n, entries))
		return false;
	nat->rules = rules;
	nat->ruleset = ruleset_of(p, rules);
	nat->object.position = list->position;
	nat->object.set = field_bit(NAT_RULESET);
	if (!nat->ruleset)
		diag_error(p->diags, list->position, "the entries of 'nat' become too many rules; a namespace may have %d",
			   NAT_RULES_MAX);
	return nat->ruleset;
}

/* All entries together are one object, because their order matters. */
static void read_nat(struct reading *r, const struct section *section _unused_, const struct node *node) {
	struct object *object = object_new(r->parse.arena, &kind_nat, r->ns->name);
	struct nat *nat = (struct nat *)object;

	if (!nat_parse(&r->parse, node, nat) || !nat->rules->n)
		return;
	object->drift = r->drift;
	object_seal(r->parse.arena, object);
	reading_add(r, r->ns, object);
}

static const struct mapping entry_mapping = {
	.name = "nat-entry",
	.title = "NAT entries",
	.doc = "An entry of `nat`.",
	.what = "a NAT entry",
	.fields = nat_entry_fields,
	.n_fields = NAT_N_KEYS,
};

static const struct section sections[] = {
	{ .key = "nat",
	  .place = SECTION_NAMESPACE,
	  .shape = SECTION_LIST,
	  .may_be_empty = true,
	  .mapping = &entry_mapping,
	  .value = "list of [NAT entries](#nat-entry)",
	  .doc = "Address translation, in order.",
	  .read = read_nat },
	{},
};

static void print_entry(const struct nat_entry *entry, struct text *out) {
	for (size_t i = 0; i < NAT_N_KEYS; i++) {
		if (!(entry->set >> i & 1))
			continue;
		if (i != NAT_KEY_ACTION)
			text_addf(out, " %s ", nat_entry_fields[i].name);
		field_print(&nat_entry_fields[i], entry, out);
	}
	text_add(out, "\n");
}

void nat_print_rules(const struct nat *nat, struct text *out) {
	for (size_t i = 0; nat->rules && i < nat->rules->n; i++)
		print_entry(&nat->rules->items[i], out);
}

/* The object. */

static int nat_encode(struct encode *encode, const struct change *change) {
	const struct nat *nat = change->type == CHANGE_DELETE ? NULL : (const struct nat *)change->desired;
	const struct nat *seen = change->type == CHANGE_UPDATE ? (const struct nat *)change->observed : NULL;
	bool keep = nat && seen && nat_same_frame(nat->ruleset, seen->ruleset);

	if (nat_put_table(encode->writer, encode->topology, nat ? nat->rules : NULL, keep))
		return 0;
	encode->problem = "the rules do not fit into one transaction";
	return -EMSGSIZE;
}

/* Checks that need the whole file. */

/* Rules accept any name, also of an interface that comes later; but in a namespace that topod makes, an unknown name
 * is probably a mistake. */
static void check_nat_links(struct reading *r, const struct ns_state *ns, const char *key, const struct nat_match *match) {
	for (size_t i = 0; i < match->n; i++) {
		const char *name = match->items[i].link;

		if (!strchr(name, '*') && !ns_find_link(ns, name))
			diag_warning(r->parse.diags, match->items[i].position,
				     "'%s' names %s, but %s has no interface of that name", key, name, ns->name);
	}
}

static void nat_check(struct reading *r, const struct ns_state *ns, const struct object *object) {
	const struct nat_rules *rules = ((const struct nat *)object)->rules;

	for (size_t i = 0; rules && !ns_is_open(ns) && i < rules->n; i++) {
		check_nat_links(r, ns, "in", &rules->items[i].in);
		check_nat_links(r, ns, "out", &rules->items[i].out);
	}
}

static void nat_noun(const struct object *object _unused_, struct text *out) {
	text_add(out, "NAT table");
}

static const struct field nat_fields[NAT_N_FIELDS] = {
	[NAT_RULESET] = { .name = "ruleset",
			  .type = &type_text,
			  .offset = offsetof(struct nat, ruleset),
			  .class = FIELD_LIVE,
			  .flags = FIELD_HIDDEN | FIELD_OPAQUE },
};

const struct class class_nat = {
	.sections = sections,
	.name = "NAT table",
	.plural = "NAT tables",
	.source = &source_nat,
	.part_of = &class_netns,
	.per_topology = true,
};

static void lines(const struct object *object, struct text *out) {
	nat_print_rules((const struct nat *)object, out);
}

const struct kind kind_nat = {
	.name = "nat",
	.class = &class_nat,
	.transport = TRANSPORT_NETFILTER,
	.size = sizeof(struct nat),
	.fields = nat_fields,
	.n_fields = NAT_N_FIELDS,
	.markable = true,
	.check = nat_check,
	.encode = nat_encode,
	.noun = nat_noun,
	.lines = lines,
	.warn = nat_warn,
};
