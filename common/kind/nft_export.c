/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's table as the file's `nat` and `filter`: the opposite of nft_compile.c.
 *
 * Each rule is read as words (nft_words.c). Rules that differ in one part only and follow each other are one entry with a list,
 * a chain that rules jump to is the limit of an entry, and the rules that `hairpin` adds are that key. Then the words are read
 * and compiled as those of any file: only if that gives the same table are they right. Otherwise somebody has changed the
 * table, and it is left out.
 */
#include "kind/nft_words.h"

#include "kind/nft_value.h"
#include "model/state.h"

static const char *const keys[NFT_N_WORDS] = {
	[NFT_WORD_STATE] = "state",       [NFT_WORD_IN] = "in",
	[NFT_WORD_OUT] = "out",           [NFT_WORD_FWMARK] = "fwmark",
	[NFT_WORD_SOURCE] = "source",     [NFT_WORD_DESTINATION] = "destination",
	[NFT_WORD_PROTOCOL] = "protocol", [NFT_WORD_SOURCE_PORT] = "source-port",
	[NFT_WORD_PORT] = "port",         [NFT_WORD_ICMP_TYPE] = "icmp-type",
};

typedef vec(struct nft_rule_words) rule_list;

struct words {
	struct arena arena;
	const struct ruleset *seen;
	rule_list chains[NFT_N_CHAINS];
	rule_list nat; /* in the order of the file */
	struct text nat_text, filter_text;
};

static void words_done(struct words *words) {
	for (size_t i = 0; i < NFT_N_CHAINS; i++)
		vec_done(&words->chains[i]);
	vec_done(&words->nat);
	text_done(&words->nat_text);
	text_done(&words->filter_text);
	arena_done(&words->arena);
}

/* Lists. */

static bool same_items(const struct nft_words *a, const struct nft_words *b) {
	for (size_t i = 0; i < a->n && a->n == b->n; i++)
		if (!streq(a->items[i], b->items[i]))
			return false;
	return a->n == b->n && a->negated == b->negated;
}

/* Everything except what they match. */
static bool same_rest(const struct nft_rule_words *a, const struct nft_rule_words *b) {
	return a->family == b->family && streq_ptr(a->flags, b->flags) && streq_ptr(a->limit, b->limit) &&
	       a->to_local == b->to_local && a->translated == b->translated && a->counter == b->counter &&
	       a->log == b->log && streq_ptr(a->log_prefix, b->log_prefix) && a->log_level == b->log_level &&
	       streq_ptr(a->mark, b->mark) && streq_ptr(a->clamp, b->clamp) && streq_ptr(a->action, b->action) &&
	       streq_ptr(a->chain, b->chain) && streq_ptr(a->to, b->to) && a->random == b->random &&
	       a->persistent == b->persistent;
}

/* Do they differ in this part only, so that one entry with a list stands for both? Not with a limit, which would apply to both
 * together. */
static bool can_join(const struct nft_rule_words *a, const struct nft_rule_words *b, size_t part) {
	for (size_t i = 0; i < NFT_N_WORDS; i++)
		if (i == part ? !a->match[i].n || !b->match[i].n || a->match[i].negated || b->match[i].negated
			      : !same_items(&a->match[i], &b->match[i]))
			return false;
	return !a->limit && same_rest(a, b);
}

static size_t n_rules(const struct nft_rule_words *words) {
	size_t n = 1;

	for (size_t i = 0; i < NFT_N_WORDS; i++)
		n *= i != NFT_WORD_STATE && words->match[i].n && !words->match[i].negated ? words->match[i].n : 1;
	return n;
}

static void join(struct arena *arena, struct nft_words *a, const struct nft_words *b) {
	const char **items = arena_newn(arena, const char *, a->n + b->n);

	memcpy(items, a->items, a->n * sizeof(*items));
	memcpy(items + a->n, b->items, b->n * sizeof(*items));
	a->items = items;
	a->n += b->n;
}

/* The last part varies fastest in the rules of an entry, so it is joined first. */
static void join_rules(struct arena *arena, rule_list *rules) {
	for (size_t part = NFT_N_WORDS; part-- > 0;) {
		size_t kept = 0;

		for (size_t i = 1; i < rules->n && part != NFT_WORD_STATE; i++) {
			struct nft_rule_words *before = &rules->items[kept], *rule = &rules->items[i];

			if (can_join(before, rule, part) && n_rules(before) + n_rules(rule) <= NFT_ENTRY_RULES_MAX)
				join(arena, &before->match[part], &rule->match[part]);
			else
				rules->items[++kept] = *rule;
		}
		if (rules->n && part != NFT_WORD_STATE)
			rules->n = kept + 1;
	}
}

/* Chains. */

static bool read_rules(struct words *w, const struct nft_content *chain, rule_list *ret) {
	struct nft_rule_words words;

	for (size_t i = 0; chain && i < chain->n; i++) {
		if (!nft_read_words(&w->arena, chain->rules[i].text, &words))
			return false;
		vec_push(ret, words);
	}
	return true;
}

/* What the chain of an entry does: it returns above the limit, logs within the log's, and then does everything else. */
static bool take_chain(struct words *w, struct nft_rule_words *entry) {
	rule_list rules = {};
	bool good = read_rules(w, ruleset_find_chain(w->seen, entry->chain), &rules) && rules.n;
	struct nft_rule_words all = good ? rules.items[rules.n - 1] : (struct nft_rule_words){};

	memcpy(all.match, entry->match, sizeof(all.match));
	all.family = entry->family;
	all.flags = entry->flags;
	for (size_t i = 0; good && i + 1 < rules.n; i++) {
		const struct nft_rule_words *rule = &rules.items[i];

		if (rule->over) {
			all.limit = rule->limit;
		} else {
			all.log = rule->log;
			all.log_prefix = rule->log_prefix;
			all.log_level = rule->log_level;
			all.log_limit = rule->limit;
		}
	}
	vec_done(&rules);
	*entry = all;
	return good;
}

static bool read_chain(struct words *w, enum nft_chain chain) {
	rule_list *rules = &w->chains[chain];
	bool good = read_rules(w, ruleset_find_chain(w->seen, nft_places[chain].name), rules);

	join_rules(&w->arena, rules);
	vec_foreach(entry, rules)
		if (entry->chain)
			good = good && take_chain(w, entry);
	return good;
}

/* Hairpin. */

static void remove_at(rule_list *rules, size_t at) {
	memmove(&rules->items[at], &rules->items[at + 1], (--rules->n - at) * sizeof(rules->items[0]));
}

/* Is `again` the translation for packets from the inside that follows this one? */
static bool is_again(const struct nft_rule_words *entry, const struct nft_rule_words *again, const char *inside) {
	struct nft_rule_words copy = *again;

	copy.match[NFT_WORD_IN] = entry->match[NFT_WORD_IN];
	copy.to_local = entry->to_local;
	for (size_t i = 0; i < NFT_N_WORDS; i++)
		if (!same_items(&entry->match[i], &copy.match[i]))
			return false;
	return again->match[NFT_WORD_IN].n == 1 && streq(again->match[NFT_WORD_IN].items[0], inside) &&
	       same_rest(entry, &copy);
}

/* The entry whose `hairpin` has this masquerade; the number of entries: none. */
static size_t find_hairpin(rule_list *entries, const struct nft_rule_words *back) {
	const struct nft_words *target = &back->match[NFT_WORD_DESTINATION], *inside = &back->match[NFT_WORD_OUT];

	for (size_t i = 0; i < entries->n && inside->n == 1; i++) {
		struct nft_rule_words *entry = &entries->items[i];
		bool again = i + 1 < entries->n && is_again(entry, &entries->items[i + 1], inside->items[0]);

		if (entry->hairpin || !streq(entry->action, "dnat") ||
		    !same_items(&entry->match[NFT_WORD_PROTOCOL], &back->match[NFT_WORD_PROTOCOL]) ||
		    (target->n ? !streq_ptr(entry->address, target->items[0]) : entry->address != NULL) ||
		    again != (entry->match[NFT_WORD_IN].n != 0))
			continue;
		entry->hairpin = inside->items[0];
		if (again)
			remove_at(entries, i + 1);
		return i;
	}
	return entries->n;
}

static void move_entries(rule_list *from, size_t *at, size_t end, rule_list *to) {
	for (; *at < end; (*at)++)
		vec_push(to, from->items[*at]);
}

/* The entries of `nat` in an order that has these chains: a hairpin's masquerade stands where its entry does. */
static bool order_nat(struct words *w) {
	rule_list *arriving = &w->chains[NFT_NAT_PREROUTING], *leaving = &w->chains[NFT_NAT_POSTROUTING];
	size_t at = 0, last = 0, zero = 0;

	for (size_t i = 0; i < leaving->n; i++)
		last = leaving->items[i].translated ? i + 1 : last;
	for (size_t i = 0; i < leaving->n; i++) {
		size_t found = leaving->items[i].translated ? find_hairpin(arriving, &leaving->items[i]) : arriving->n;

		if (leaving->items[i].translated && found == arriving->n)
			return false;
		if (i >= last)
			move_entries(arriving, &at, arriving->n, &w->nat);
		if (!leaving->items[i].translated)
			vec_push(&w->nat, leaving->items[i]);
		else
			move_entries(arriving, &at, found + 1, &w->nat);
	}
	move_entries(arriving, &at, arriving->n, &w->nat);
	move_entries(&w->chains[NFT_NAT_OUTPUT], &zero, w->chains[NFT_NAT_OUTPUT].n, &w->nat);
	return true;
}

/* Printing, as flow mappings. */

static void print_key(const char *key, struct text *out) {
	text_addf(out, "%s%s: ", out->size && out->data[out->size - 1] != '{' ? ", " : "", key);
}

static void print_pair(const char *key, const char *text, struct text *out) {
	if (!text)
		return;
	print_key(key, out);
	yaml_add_value(out, text);
}

static void print_match(const char *key, const struct nft_words *words, struct text *out) {
	if (!words->n)
		return;
	print_key(key, out);
	text_add(out, words->n > 1 ? "[" : "");
	for (size_t i = 0; i < words->n; i++) {
		_cleanup_text_ struct text item = {};

		text_addf(&item, "%s%s", words->negated ? "not " : "", words->items[i]);
		text_add(out, i ? ", " : "");
		yaml_add_value(out, text_str(&item));
	}
	text_add(out, words->n > 1 ? "]" : "");
}

static void print_log(const struct nft_rule_words *entry, struct text *out) {
	_cleanup_text_ struct text level = {};

	if (!entry->log)
		return;
	print_key("log", out);
	nft_print_log_level(entry->log_level, &level);
	if (!level.size && !entry->log_limit) {
		if (entry->log_prefix)
			yaml_add_quoted(out, entry->log_prefix);
		else
			text_add(out, "true");
		return;
	}
	text_add(out, "{");
	if (entry->log_prefix) {
		text_add(out, "prefix: ");
		yaml_add_quoted(out, entry->log_prefix);
	}
	print_pair("level", level.size ? level.data : NULL, out);
	print_pair("limit", entry->log_limit, out);
	text_add(out, "}");
}

static void print_true(const char *key, bool value, struct text *out) {
	if (!value)
		return;
	print_key(key, out);
	text_add(out, "true");
}

static void print_entry(const struct nft_rule_words *entry, const char *hook, struct text *out) {
	bool translates = entry->to || streq_ptr(entry->action, "masquerade") || streq_ptr(entry->action, "redirect");

	text_add(out, "{");
	print_pair("action", translates ? entry->action : NULL, out);
	for (size_t i = 0; i < NFT_N_WORDS; i++)
		print_match(keys[i], &entry->match[i], out);
	if (entry->flags) {
		print_key("tcp-flags", out);
		text_add(out, entry->flags);
	}
	print_pair("to", entry->to, out);
	print_pair("hook", hook, out);
	print_pair("hairpin", entry->hairpin, out);
	print_true("random", entry->random, out);
	print_true("persistent", entry->persistent, out);
	print_pair("limit", entry->limit, out);
	print_pair("mark", entry->mark, out);
	print_pair("clamp-mss", entry->clamp, out);
	print_true("counter", entry->counter, out);
	print_log(entry, out);
	print_pair("action", translates ? NULL : entry->action, out);
	if (!entry->action && !entry->mark && !entry->clamp && !entry->counter && !entry->log) {
		print_key("counter", out); /* each rule has to say what it does */
		text_add(out, "false");
	}
	text_add(out, "}");
}

static void print_entries(const rule_list *entries, size_t first, const char *hook, struct text *out) {
	for (size_t i = first; i < entries->n; i++) {
		bool both = streq_ptr(entries->items[i].action, "netmap") && entries->items[i].match[NFT_WORD_SOURCE].n &&
			    entries->items[i].match[NFT_WORD_DESTINATION].n;

		text_add(out, i ? ", " : "");
		print_entry(&entries->items[i], hook ? hook : both ? "postrouting" : NULL, out);
	}
}

static void print_filter(const struct words *w, struct text *out) {
	for (enum nft_chain chain = NFT_FILTER_PREROUTING; chain < NFT_N_CHAINS; chain++) {
		const struct nft_content *content = ruleset_find_chain(w->seen, nft_places[chain].name);

		if (!content)
			continue;
		print_key(startswith(nft_places[chain].name, "filter-"), out);
		text_add(out, "{");
		print_pair("policy", content->policy ? NULL : "drop", out); /* NF_DROP is 0 */
		if (w->chains[chain].n) {
			print_key("rules", out);
			text_add(out, "[");
			print_entries(&w->chains[chain], 0, NULL, out);
			text_add(out, "]");
		}
		text_add(out, "}");
	}
}

/* Checking. */

static const struct node *read_back(struct words *w, struct diags *diags, const struct text *text, const char *brackets) {
	const char *whole = arena_printf(&w->arena, "%c%s%c", brackets[0], text_str(text), brackets[1]);

	return yaml_read(&w->arena, diags,
			 diags_add_source(diags, (struct source_text){ .text = whole, .size = strlen(whole) }));
}

/* Do the words become the table? */
static bool is_right(struct words *w) {
	_cleanup_(diags_done) struct diags quiet = {};
	struct parse p = { .arena = &w->arena, .diags = &quiet, .ns = w->seen->object.ns };
	struct ruleset again = {};

	if (w->nat_text.size && !ruleset_read_nat(&p, read_back(w, &quiet, &w->nat_text, "[]"), &again))
		return false;
	if (w->filter_text.size && !ruleset_read_filter(&p, read_back(w, &quiet, &w->filter_text, "{}"), &again))
		return false;
	return ruleset_finish(&p, NULL, &again) && streq(again.text, w->seen->text);
}

/* False: the language has no words for the table. */
static bool find_words(const struct ruleset *seen, struct words *ret) {
	ret->seen = seen;
	for (enum nft_chain chain = 0; chain < NFT_N_CHAINS; chain++)
		if (!read_chain(ret, chain))
			return false;
	if (!order_nat(ret))
		return false;
	size_t before_output = ret->nat.n - ret->chains[NFT_NAT_OUTPUT].n;
	size_t all = ret->nat.n;

	ret->nat.n = before_output;
	print_entries(&ret->nat, 0, NULL, &ret->nat_text);
	ret->nat.n = all;
	print_entries(&ret->nat, before_output, "output", &ret->nat_text);
	print_filter(ret, &ret->filter_text);
	return is_right(ret);
}

void ruleset_words_of_nat(const struct ns_state *seen, const char *link _unused_, struct text *out) {
	const struct ruleset *ruleset = (const struct ruleset *)ns_find_only(seen, &class_ruleset);
	_cleanup_(words_done) struct words words = {};

	if (ruleset && find_words(ruleset, &words) && words.nat_text.size)
		text_addf(out, "[%s]", words.nat_text.data);
}

void ruleset_words_of_filter(const struct ns_state *seen, const char *link _unused_, struct text *out) {
	const struct ruleset *ruleset = (const struct ruleset *)ns_find_only(seen, &class_ruleset);
	_cleanup_(words_done) struct words words = {};

	if (ruleset && find_words(ruleset, &words) && words.filter_text.size)
		text_addf(out, "{%s}", words.filter_text.data);
}

const char *ruleset_left_out(struct arena *arena, const struct object *observed) {
	const struct ruleset *ruleset = (const struct ruleset *)observed;
	_cleanup_(words_done) struct words words = {};

	return find_words(ruleset, &words)
		       ? NULL
		       : arena_printf(arena,
				      "inet topod-%s left out, because it has what `nat` and `filter` cannot say: "
				      "`nft list ruleset` shows it",
				      ruleset->topology);
}
