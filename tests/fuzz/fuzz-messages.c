/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decoders of rtnetlink and nf_tables messages: each message in memory of its exact size, all messages of one namespace
 * at once. The resulting objects can be stored, compared with themselves, printed and recorded.
 *
 * The first byte says whether impossible lengths of attributes are corrected first: else decoding most fuzzed messages would
 * end at the first attribute.
 */
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>

#include "fuzz.h"
#include "kind/address.h"
#include "kind/link.h"
#include "kind/ruleset.h"
#include "kind/bridge_port.h"
#include "kind/connected.h"
#include "kind/route.h"
#include "ledger/ledger.h"

enum { REPAIR_LENGTHS = 1, OLD_KERNEL = 2, DEPTH_MAX = 8 };

struct ns_scan {
	struct state state;
	struct ns_state *ns;
	struct decode decode;
	struct nft_reader reader;
};

static const char *link_name(void *userdata, uint32_t ifindex) {
	struct ns_scan *scan = userdata;

	return ifindex % 3 ? arena_printf(&scan->state.arena, "link%u", ifindex % 7) : NULL;
}

static size_t header_size(const struct nlmsghdr *nlh) {
	if (nlh->nlmsg_type >> 8 == NFNL_SUBSYS_NFTABLES)
		return sizeof(struct nfgenmsg);
	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
		return sizeof(struct ifinfomsg);
	case RTM_NEWADDR:
		return sizeof(struct ifaddrmsg);
	default:
		return sizeof(struct rtmsg);
	}
}

/* Corrects the lengths of the attributes from at to end, and of those inside nested ones, or inside ones that could be
 * nested. */
static void repair(char *at, char *end, unsigned depth) {
	while (end - at >= (ptrdiff_t)sizeof(struct nlattr)) {
		struct nlattr *attr = (struct nlattr *)(void *)at;

		if (attr->nla_len < sizeof(*attr) || attr->nla_len > end - at)
			attr->nla_len = (uint16_t)MIN((size_t)(end - at), sizeof(*attr) + attr->nla_len % 64);
		if (attr->nla_type & NLA_F_NESTED && depth < DEPTH_MAX)
			repair(at + sizeof(*attr), at + attr->nla_len, depth + 1);
		at += MNL_ALIGN(attr->nla_len);
	}
}

static void keep(struct ns_scan *scan, struct object *object) {
	if (object)
		ns_add(scan->ns, object);
}

static void decode_message(struct ns_scan *scan, const struct nlmsghdr *nlh) {
	struct link *link;
	struct address *address;
	struct route *route;

	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
		link = link_decode(&scan->decode, nlh);
		if (!link)
			return;
		keep(scan, &link->object);
		struct port *port = port_decode(&scan->decode, nlh, link);
		keep(scan, port ? &port->object : NULL);
		return;
	case RTM_NEWADDR:
		address = address_decode(&scan->decode, nlh);
		keep(scan, address ? &address->object : NULL);
		return;
	case RTM_NEWROUTE:
		(void)made_route_decode(nlh, &(struct made_route){});
		route = route_decode(&scan->decode, nlh);
		keep(scan, route ? &route->object : NULL);
		return;
	case RTM_NEWNEIGH:
		ns_foreach(object, scan->ns)
			if (object->kind->source && object->kind->source->take) {
				object->kind->source->take(&scan->state.arena, object, NULL);
				object->kind->source->take(&scan->state.arena, object, nlh);
			}
		return;
	default:
		nft_reader_message(&scan->reader, nlh);
	}
}

static void take_message(struct ns_scan *scan, const uint8_t *data, size_t size, uint8_t mode) {
	_cleanup_free_ struct nlmsghdr *nlh = xmalloc(size);
	size_t head;

	memcpy(nlh, data, size);
	nlh->nlmsg_len = (uint32_t)size;
	head = NLMSG_HDRLEN + MNL_ALIGN(header_size(nlh));
	if (mode & REPAIR_LENGTHS && size > head)
		repair((char *)nlh + head, (char *)nlh + size, 0);
	decode_message(scan, nlh);
}

static void use_object(struct ns_scan *scan, struct object *object) {
	_cleanup_(ledger_done) struct ledger ledger = {};
	_cleanup_text_ struct text text = {};

	if (object_is_link(object))
		link_resolve(&scan->decode, (struct link *)object);
	object_print_noun(object, &text);
	object_print_fields(object, NULL, object->set, &text);
	object_print_fields(object, object, object->set, &text);
	must(object_compare(object, object) == 0);
	must(ns_find(scan->ns, object) == object);
	if (object->kind->opponent)
		object->kind->opponent(&scan->state.arena, object);
	ledger_note(&ledger, object, object, object->set, false, &text);
}

static void ns_scan_done(struct ns_scan *scan) {
	state_done(&scan->state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	_cleanup_(ns_scan_done) struct ns_scan scan = {};
	uint8_t mode = size ? *data : 0;
	struct ruleset *nat = NULL;

	scan.ns = state_namespace(&scan.state, "web");
	scan.decode = (struct decode){ .arena = &scan.state.arena,
				       .ns = "web",
				       .topology = "office",
				       .address_marks = !(mode & OLD_KERNEL),
				       .userdata = &scan,
				       .link_name = link_name };
	nft_reader_begin(&scan.reader, &scan.decode);
	for (size_t at = 1, n; at + NLMSG_HDRLEN <= size; at += n) {
		uint32_t length;

		memcpy(&length, data + at, sizeof(length));
		n = length < NLMSG_HDRLEN || length > size - at ? size - at : length;
		take_message(&scan, data + at, n, mode);
		n = MIN(MNL_ALIGN(n), size - at);
	}
	if (nft_reader_finish(&scan.reader, &nat) == 0 && nat)
		keep(&scan, &nat->object);
	ns_foreach(object, scan.ns)
		use_object(&scan, object);
	return 0;
}
