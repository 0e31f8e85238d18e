/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a topology's nf_tables table is read and heard. Reading takes three answers; if the ruleset changes in between,
 * all of it is read again.
 */
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include "kind/ruleset.h"
#include "model/source.h"

enum {
	TRIES = 10,
	N_REQUESTS = NFT_REQUEST_RULES + 1,
};

struct nft_reading {
	struct nft_reader reader;
	bool absent;
};

static enum nft_request request_of(const struct source_scan *scan) {
	return (enum nft_request)(scan->round % N_REQUESTS);
}

static void dump(struct source_scan *scan, struct nl_writer *w) {
	struct nft_reading *reading = scan->own;

	if (scan->everything) {
		nft_put_request(w, "", NFT_REQUEST_ALL);
		return;
	}
	if (!reading)
		reading = scan->own = arena_new(scan->decode.arena, struct nft_reading);
	if (request_of(scan) == NFT_REQUEST_TABLE)
		nft_reader_begin(&reading->reader, &scan->decode);
	nft_put_request(w, scan->decode.topology, request_of(scan));
}

static void begin(struct source_scan *scan) {
	struct nft_reading *reading = scan->own;

	if (scan->restarted && !scan->everything)
		nft_reader_restart(&reading->reader);
}

static int decode(struct source_scan *scan, const struct nlmsghdr *nlh) {
	struct nft_reading *reading = scan->own;
	struct object *table = scan->everything ? nft_foreign_decode(&scan->decode, nlh) : NULL;

	if (table)
		scan_add(scan, table);
	if (scan->everything)
		return 0;
	return nft_reader_message(&reading->reader, nlh);
}

static int refused(struct source_scan *scan, int error) {
	struct nft_reading *reading = scan->own;

	if (scan->everything) /* a kernel without nf_tables */
		return error == -EOPNOTSUPP || error == -EPROTONOSUPPORT ? 0 : error;
	reading->absent = error == -ENOENT;
	return reading->absent ? 0 : error;
}

static int finish(struct source_scan *scan) {
	struct nft_reading *reading = scan->own;
	struct ruleset *ruleset = NULL;

	if (scan->everything || reading->absent)
		return 0;
	if (request_of(scan) != NFT_REQUEST_RULES)
		return 1;
	int r = nft_reader_finish(&reading->reader, &ruleset);
	if (r == -EAGAIN)
		return scan->round + 1 < TRIES * N_REQUESTS ? 1 : -EINTR;
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
