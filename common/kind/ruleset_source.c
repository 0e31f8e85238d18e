/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a topology's nf_tables table is read and heard. Reading takes three answers, and more if it has sets; if the ruleset
 * changes in between, all of it is read again.
 *
 * For an export all tables are listed first. If a single one belongs to a topology, it is read; the others are only named.
 */
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include "kind/ruleset.h"
#include "model/source.h"

enum {
	TRIES = 10,
};

struct nft_reading {
	struct nft_reader reader;
	struct decode decode; /* with the topology whose table is read */
	bool absent;
	unsigned tries;
	enum nft_request step;
	const struct nft_reader_set *set; /* NFT_REQUEST_ELEMENTS: whose */
	struct object *ours;              /* for an export: the table of a topology */
	bool several;                     /* … and there are more of them */
};

static bool is_listing(const struct source_scan *scan) {
	return scan->everything && scan->round == 0;
}

/* The first set from this one on, NULL if there is none: objects have no elements. */
static const struct nft_reader_set *first_set(const struct nft_reader_set *other) {
	while (other && !*other->name)
		other = other->next;
	return other;
}

static void next_step(struct nft_reading *reading) {
	switch (reading->step) {
	case NFT_REQUEST_TABLE:
		reading->step = NFT_REQUEST_CHAINS;
		return;
	case NFT_REQUEST_CHAINS:
		reading->step = nft_reader_has_more(&reading->reader) ? NFT_REQUEST_OBJECTS : NFT_REQUEST_RULES;
		return;
	case NFT_REQUEST_OBJECTS:
		reading->step = NFT_REQUEST_SETS;
		return;
	case NFT_REQUEST_SETS:
	case NFT_REQUEST_ELEMENTS:
		reading->set = first_set(reading->step == NFT_REQUEST_SETS ? reading->reader.others : reading->set->next);
		reading->step = reading->set ? NFT_REQUEST_ELEMENTS : NFT_REQUEST_RULES;
		return;
	case NFT_REQUEST_RULES:
	case NFT_REQUEST_ALL:
		reading->step = NFT_REQUEST_TABLE;
		return;
	}
}

static void dump(struct source_scan *scan, struct nl_writer *w) {
	struct nft_reading *reading = scan->own;

	if (!reading) {
		reading = scan->own = arena_new(scan->decode.arena, struct nft_reading);
		reading->decode = scan->decode;
	}
	if (is_listing(scan)) {
		nft_put_request(w, "", NFT_REQUEST_ALL);
		return;
	}
	if (reading->step == NFT_REQUEST_TABLE)
		nft_reader_begin(&reading->reader, &reading->decode);
	if (reading->step == NFT_REQUEST_ELEMENTS)
		nft_put_elements_request(w, reading->decode.topology, reading->set->name);
	else
		nft_put_request(w, reading->decode.topology, reading->step);
}

static void begin(struct source_scan *scan) {
	struct nft_reading *reading = scan->own;

	if (is_listing(scan)) {
		reading->ours = NULL;
		reading->several = false;
	} else if (scan->restarted) {
		nft_reader_restart(&reading->reader);
	}
}

/* Names every table except the first of a topology. */
static void list_table(struct source_scan *scan, const struct nlmsghdr *nlh) {
	struct nft_reading *reading = scan->own;
	const char *topology = NULL;
	struct object *table = nft_foreign_decode(&scan->decode, nlh, &topology);

	if (table && topology && !reading->ours) {
		reading->ours = table;
		reading->decode.topology = topology;
		return;
	}
	reading->several |= topology != NULL;
	if (table)
		scan_add(scan, table);
}

static int decode(struct source_scan *scan, const struct nlmsghdr *nlh) {
	struct nft_reading *reading = scan->own;

	if (is_listing(scan))
		list_table(scan, nlh);
	else
		return nft_reader_message(&reading->reader, nlh);
	return 0;
}

static int refused(struct source_scan *scan, int error) {
	struct nft_reading *reading = scan->own;

	if (is_listing(scan)) /* a kernel without nf_tables */
		return error == -EOPNOTSUPP || error == -EPROTONOSUPPORT ? 0 : error;
	if (error == -ENOENT && reading->step == NFT_REQUEST_ELEMENTS) { /* the set has gone meanwhile */
		nft_reader_restart(&reading->reader);
		return 0;
	}
	reading->absent = error == -ENOENT;
	return reading->absent ? 0 : error;
}

static int finish(struct source_scan *scan) {
	struct nft_reading *reading = scan->own;
	struct ruleset *ruleset = NULL;

	if (is_listing(scan) && reading->ours && !reading->several)
		return 1;
	if (is_listing(scan) && reading->ours)
		scan_add(scan, reading->ours);
	if (is_listing(scan) || reading->absent)
		return 0;
	next_step(reading);
	if (reading->step != NFT_REQUEST_TABLE)
		return 1;
	int r = nft_reader_finish(&reading->reader, &ruleset);
	if (r == -EAGAIN)
		return ++reading->tries < TRIES ? 1 : -EINTR;
	if (ruleset)
		scan_add(scan, &ruleset->object);
	return r;
}

/* The table's name is the first attribute of everything in a table. The end of a transaction needs no scan, because
 * its parts were announced. */
static enum about about(const struct event *event, struct hint *ret) {
	const struct nlattr *tb[NFTA_TABLE_NAME + 1];

	if (event->message->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN))
		return ABOUT_NOTHING;
	nl_parse(event->message, sizeof(struct nfgenmsg), tb, NFTA_TABLE_NAME);
	ret->type = HINT_CLASS;
	ret->class = &class_ruleset;
	ret->name = nl_get_text(tb[NFTA_TABLE_NAME]);
	return ABOUT_HINT;
}

const struct source source_ruleset = {
	.protocol = NETLINK_NETFILTER,
	.first = NFNL_SUBSYS_NFTABLES << 8,
	.last = NFNL_SUBSYS_NFTABLES << 8 | 0xff,
	.groups = (const int[]){ NFNLGRP_NFTABLES, 0 },
	.only_if_declared = true,
	.grouped = true,
	.about = about,
	.dump = dump,
	.begin = begin,
	.decode = decode,
	.refused = refused,
	.finish = finish,
};
