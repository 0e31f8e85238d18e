/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * veth: a pair of links, made by one message in two namespaces under their final names.
 *
 * Each end is an object with the other one as its twin; only the first end is created, and its request contains both.
 * The kernel refuses IFF_UP and ignores a master for the second end until the pair is complete, so these follow in an
 * update (see following_fields() in plan/diff_change.c).
 */
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#include "kind/veth.h"
#include "model/change.h"

static const struct field fields[] = {
	LINK_FIELDS("1500"),
	[VETH_PEER] = { .name = "peer",
			.type = &type_link_ref,
			.offset = offsetof(struct veth, peer),
			.class = FIELD_RECREATE,
			.flags = FIELD_HIDDEN | FIELD_DEV | FIELD_PEER },
};

static uint64_t second_end_mask(const struct object *end) {
	uint64_t mask = end->set & ~field_bit(LINK_MASTER);

	for (size_t i = 0; i < LINK_N_FIELDS; i++)
		if (fields[i].wire != WIRE_ATTR || fields[i].flags & FIELD_AFTER)
			mask &= ~field_bit(i);
	return mask;
}

static int encode_pair(struct encode *encode, const struct change *change) {
	const struct object *end = change->desired, *twin = end->twin;
	struct nl_writer *w = encode->writer;
	struct ifinfomsg *ifi = link_begin(encode, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);

	int r = link_put_end(encode, end, change->fields, ifi);
	if (r < 0)
		return r;
	struct nlattr *info = nl_nest(w, IFLA_LINKINFO);
	nl_put_text(w, IFLA_INFO_KIND, "veth");
	struct nlattr *data = nl_nest(w, IFLA_INFO_DATA), *peer = nl_nest(w, VETH_INFO_PEER);
	if (!w->overflow) {
		/* The peer's nest begins with its own header; its attributes follow that. */
		ifi = mnl_nlmsg_put_extra_header(w->message, sizeof(*ifi));
		r = link_put_end(encode, twin, second_end_mask(twin), ifi);
	}
	nl_nest_end(w, peer);
	nl_nest_end(w, data);
	nl_nest_end(w, info);
	return r;
}

static int encode_veth(struct encode *encode, const struct change *change) {
	return change->type == CHANGE_CREATE ? encode_pair(encode, change) : link_encode(encode, change);
}

static const char *sent_in(const struct change *change) {
	/* The request names the namespaces of both ends, so it can be sent in any; using the same one for all pairs gives
	 * the longest batches. */
	return change->type == CHANGE_CREATE ? "host" : link_sent_in(change);
}

static void noun(const struct object *object, struct text *out) {
	const struct link_ref *peer = &((const struct veth *)object)->peer;

	text_add(out, "link");
	if (peer->name)
		text_addf(out, " to %s/%s", peer->ns, peer->name);
}

const struct kind kind_veth = {
	.segment = SEGMENT_PAIR,
	.name = "veth",
	.class = &class_link,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct veth),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.link_kind = "veth",
	.unnamed = true,
	.markable = true,
	.sent_in = sent_in,
	.encode = encode_veth,
	.noun = noun,
};
