/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets, maps, their elements and stateful objects of the table, as text. Only a file in nft's language can ask for them. The text
 * has the kernel's own bytes: both sides come from the same kernel. It leaves out values that change by themselves, such as
 * counts and remaining timeouts, and elements that do not come from the file: those of sets that rules add to or that time
 * out.
 */
#include <stdlib.h>

#include "kind/ruleset.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

static void print_attrs(const struct nlattr *const *tb, const uint16_t *types, size_t n, struct text *out) {
	for (size_t i = 0; i < n; i++)
		if (tb[types[i]]) {
			text_addf(out, " %u ", types[i]);
			text_add_hex(out, mnl_attr_get_payload(tb[types[i]]), mnl_attr_get_payload_len(tb[types[i]]));
		}
}

static const char *take_text(struct nft_reader *reader, const struct text *text) {
	return nft_reader_take_size(reader, text->size) ? arena_strndup(reader->decode->arena, text_str(text), text->size)
							: NULL;
}

static void add(struct nft_reader *reader, const char *name, bool changes, const struct text *text) {
	const char *kept = take_text(reader, text);
	struct nft_reader_set *set;

	if (!kept)
		return;
	set = arena_new(reader->decode->arena, struct nft_reader_set);
	*set = (struct nft_reader_set){
		.next = reader->others, .name = arena_strdup(reader->decode->arena, name), .text = kept, .changes = changes
	};
	reader->others = set;
	reader->n_others++;
}

static void print_name(const char *what, const char *name, struct text *out) {
	text_addf(out, "%s ", what);
	text_add_hex(out, name, strlen(name));
}

static void read_set(struct nft_reader *reader, const struct nlmsghdr *nlh) {
	static const uint16_t types[] = { NFTA_SET_FLAGS,    NFTA_SET_KEY_TYPE, NFTA_SET_KEY_LEN, NFTA_SET_DATA_TYPE,
					  NFTA_SET_DATA_LEN, NFTA_SET_TIMEOUT,  NFTA_SET_OBJ_TYPE };
	const struct nlattr *tb[NFTA_SET_MAX + 1];
	_cleanup_text_ struct text text = {};

	nl_parse(nlh, sizeof(struct nfgenmsg), tb, NFTA_SET_MAX);
	const char *name = nl_get_text(tb[NFTA_SET_NAME]);
	if (!name || !*name || !nft_reader_is_ours(reader, tb[NFTA_SET_TABLE]))
		return;
	print_name("set", name, &text);
	print_attrs(tb, types, ARRAY_SIZE(types), &text);
	add(reader, name, nl_get_number(tb[NFTA_SET_FLAGS]) & (NFT_SET_EVAL | NFT_SET_TIMEOUT), &text);
}

static void read_object(struct nft_reader *reader, const struct nlmsghdr *nlh) {
	const struct nlattr *tb[NFTA_OBJ_MAX + 1];
	_cleanup_text_ struct text text = {};

	nl_parse(nlh, sizeof(struct nfgenmsg), tb, NFTA_OBJ_MAX);
	const char *name = nl_get_text(tb[NFTA_OBJ_NAME]);
	uint64_t type = nl_get_number(tb[NFTA_OBJ_TYPE]);
	bool counts = type == NFT_OBJECT_COUNTER || type == NFT_OBJECT_QUOTA;
	const uint16_t types[] = { NFTA_OBJ_TYPE, NFTA_OBJ_DATA };
	if (!name || !nft_reader_is_ours(reader, tb[NFTA_OBJ_TABLE]))
		return;
	print_name("object", name, &text);
	print_attrs(tb, types, counts ? 1 : 2, &text);
	add(reader, "", true, &text);
}

static struct nft_reader_set *find_set(const struct nft_reader *reader, const char *name) {
	for (struct nft_reader_set *set = reader->others; set; set = set->next)
		if (streq(set->name, name))
			return set;
	return NULL;
}

static void read_elements(struct nft_reader *reader, const struct nlmsghdr *nlh) {
	static const uint16_t types[] = { NFTA_SET_ELEM_KEY, NFTA_SET_ELEM_KEY_END, NFTA_SET_ELEM_DATA, NFTA_SET_ELEM_FLAGS,
					  NFTA_SET_ELEM_OBJREF };
	const struct nlattr *tb[NFTA_SET_ELEM_LIST_MAX + 1], *parts[NFTA_SET_ELEM_MAX + 1], *element;

	nl_parse(nlh, sizeof(struct nfgenmsg), tb, NFTA_SET_ELEM_LIST_MAX);
	const char *name = nl_get_text(tb[NFTA_SET_ELEM_LIST_SET]);
	struct nft_reader_set *set =
		name && nft_reader_is_ours(reader, tb[NFTA_SET_ELEM_LIST_TABLE]) ? find_set(reader, name) : NULL;
	if (!set || set->changes || !tb[NFTA_SET_ELEM_LIST_ELEMENTS])
		return;
	mnl_attr_for_each_nested(element, tb[NFTA_SET_ELEM_LIST_ELEMENTS]) {
		_cleanup_text_ struct text text = {};
		const char *kept;

		nl_parse_nested(element, parts, NFTA_SET_ELEM_MAX);
		print_attrs(parts, types, ARRAY_SIZE(types), &text);
		kept = take_text(reader, &text);
		if (!kept || !nft_reader_take_size(reader, sizeof(*set->elements)))
			return;
		struct nft_reader_element *first = arena_new(reader->decode->arena, struct nft_reader_element);
		*first = (struct nft_reader_element){ set->elements, kept };
		set->elements = first;
	}
}

void nft_reader_set_message(struct nft_reader *reader, const struct nlmsghdr *nlh) {
	switch (nlh->nlmsg_type & 0xff) {
	case NFT_MSG_NEWSET:
		read_set(reader, nlh);
		break;
	case NFT_MSG_NEWSETELEM:
		read_elements(reader, nlh);
		break;
	case NFT_MSG_NEWOBJ:
		read_object(reader, nlh);
		break;
	}
}

static int by_text(const void *a, const void *b) {
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int by_set(const void *a, const void *b) {
	return strcmp((*(struct nft_reader_set *const *)a)->text, (*(struct nft_reader_set *const *)b)->text);
}

/* The kernel's order of elements differs from table to table. */
static void print_elements(const struct nft_reader_set *set, struct text *out) {
	vec(const char *) sorted = {};

	for (const struct nft_reader_element *element = set->elements; element; element = element->next)
		vec_push(&sorted, element->text);
	if (sorted.n)
		qsort(sorted.items, sorted.n, sizeof(sorted.items[0]), by_text);
	vec_foreach(element, &sorted)
		text_addf(out, " %s\n", *element);
	vec_done(&sorted);
}

void nft_reader_print_sets(const struct nft_reader *reader, struct text *out) {
	vec(struct nft_reader_set *) sorted = {};

	for (struct nft_reader_set *set = reader->others; set; set = set->next)
		vec_push(&sorted, set);
	if (sorted.n)
		qsort(sorted.items, sorted.n, sizeof(sorted.items[0]), by_set);
	vec_foreach(set, &sorted) {
		text_addf(out, "%s\n", (*set)->text);
		print_elements(*set, out);
	}
	vec_done(&sorted);
}
