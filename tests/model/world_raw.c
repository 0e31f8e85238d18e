/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy rules, static neighbours, entries of a bridge's forwarding table and next hops, kept as the messages by which they were
 * made: a scan reads them with topod's own decoders. As fib_newrule() and fib_delrule() (net/core/fib_rules.c), neigh_add() and
 * neigh_delete() (net/core/neighbour.c), br_fdb_add() and br_fdb_delete() (net/bridge/br_fdb.c), rtm_new_nexthop() and
 * remove_nexthop() (net/ipv4/nexthop.c).
 *
 * Neighbours that the kernel resolves, those of state `noarp`, and learned addresses are left out.
 */
#include "world_private.h"

#include <linux/fib_rules.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

#include "kind/kinds.h"
#include "model/source.h"

enum {
	ATTRIBUTES_MAX = 32, /* more than FRA_MAX, NDA_MAX and NHA_MAX */
};

static bool is_rule(const struct nlmsghdr *nlh) {
	return nlh->nlmsg_type == RTM_NEWRULE || nlh->nlmsg_type == RTM_DELRULE;
}

static bool is_nexthop(const struct nlmsghdr *nlh) {
	return nlh->nlmsg_type == RTM_NEWNEXTHOP || nlh->nlmsg_type == RTM_DELNEXTHOP;
}

static uint8_t family_of(const struct nlmsghdr *nlh) {
	return *(const uint8_t *)mnl_nlmsg_get_payload(nlh);
}

static bool is_fdb(const struct nlmsghdr *nlh) {
	return !is_rule(nlh) && !is_nexthop(nlh) && family_of(nlh) == AF_BRIDGE;
}

const struct class *raw_class(const struct nlmsghdr *nlh) {
	return is_rule(nlh) ? &class_rule : is_nexthop(nlh) ? &class_nexthop : is_fdb(nlh) ? &class_fdb : &class_neighbor;
}

bool raw_deletes(const struct nlmsghdr *nlh) {
	return nlh->nlmsg_type == RTM_DELRULE || nlh->nlmsg_type == RTM_DELNEIGH || nlh->nlmsg_type == RTM_DELNEXTHOP;
}

static size_t header_size(const struct nlmsghdr *nlh) {
	return is_rule(nlh) ? sizeof(struct fib_rule_hdr) : is_nexthop(nlh) ? sizeof(struct nhmsg) : sizeof(struct ndmsg);
}

static void parse(const struct nlmsghdr *nlh, const struct nlattr *tb[ATTRIBUTES_MAX + 1]) {
	nl_parse(nlh, header_size(nlh), tb, ATTRIBUTES_MAX);
}

/* 0: it has none. */
static unsigned protocol_attribute(const struct nlmsghdr *nlh) {
	return is_rule(nlh) ? FRA_PROTOCOL : is_nexthop(nlh) ? 0 : NDA_PROTOCOL;
}

uint32_t raw_protocol(const struct w_raw *raw) {
	const struct nlattr *tb[ATTRIBUTES_MAX + 1];

	if (is_nexthop(raw->message))
		return ((const struct nhmsg *)mnl_nlmsg_get_payload(raw->message))->nh_protocol;
	parse(raw->message, tb);
	return nl_get_u8(tb[protocol_attribute(raw->message)], 0);
}

static void raw_event(struct world *w, struct w_ns *ns, const struct w_raw *raw, uint16_t type) {
	struct nlmsghdr *message = arena_memdup(&w->arena, raw->message, raw->message->nlmsg_len);
	struct hint hint = {};

	message->nlmsg_type = type;
	if (raw->class->source->about(&(struct event){ .message = message, .arena = &w->arena }, &hint) == ABOUT_HINT)
		world_event(w, ns, hint);
}

/* Comparing. */

static bool same_attribute(const struct nlattr *a, const struct nlattr *b) {
	return a && b && a->nla_len == b->nla_len && memcmp(a, b, a->nla_len) == 0;
}

/* Has it everything that is requested? exactly: and nothing else. */
static bool is_rule_like(const struct nlmsghdr *rule, const struct nlmsghdr *asked, bool exactly) {
	const struct nlattr *have[ATTRIBUTES_MAX + 1], *want[ATTRIBUTES_MAX + 1];

	if (memcmp(mnl_nlmsg_get_payload(rule), mnl_nlmsg_get_payload(asked), sizeof(struct fib_rule_hdr)) != 0)
		return false;
	parse(rule, have);
	parse(asked, want);
	for (unsigned i = 1; i <= ATTRIBUTES_MAX; i++)
		if (i != FRA_PROTOCOL && (want[i] || (exactly && have[i])) && !same_attribute(have[i], want[i]))
			return false;
	return true;
}

static bool is_neighbor_like(const struct nlmsghdr *neighbor, const struct nlmsghdr *asked) {
	const struct ndmsg *a = mnl_nlmsg_get_payload(neighbor), *b = mnl_nlmsg_get_payload(asked);
	const struct nlattr *have[ATTRIBUTES_MAX + 1], *want[ATTRIBUTES_MAX + 1];

	parse(neighbor, have);
	parse(asked, want);
	return a->ndm_family == b->ndm_family && a->ndm_ifindex == b->ndm_ifindex &&
	       !((a->ndm_flags ^ b->ndm_flags) & NTF_PROXY) && same_attribute(have[NDA_DST], want[NDA_DST]);
}

static uint32_t id_of(const struct nlmsghdr *nexthop) {
	const struct nlattr *tb[ATTRIBUTES_MAX + 1];

	parse(nexthop, tb);
	return nl_get_u32(tb[NHA_ID], 0);
}

/* A bridge has an address once, at whichever port. */
static bool is_fdb_like(const struct w_raw *fdb, const struct nlmsghdr *asked, const struct w_link *port) {
	const struct nlattr *have[ATTRIBUTES_MAX + 1], *want[ATTRIBUTES_MAX + 1];

	parse(fdb->message, have);
	parse(asked, want);
	return port && fdb->link->master == port->master && same_attribute(have[NDA_LLADDR], want[NDA_LLADDR]);
}

static struct w_link *link_of(const struct w_ns *ns, const struct nlmsghdr *neighbor) {
	return ns_link_at(ns, (uint32_t)((const struct ndmsg *)mnl_nlmsg_get_payload(neighbor))->ndm_ifindex);
}

static bool is_like(const struct w_ns *ns, const struct w_raw *raw, const struct nlmsghdr *asked, bool exactly) {
	if (raw->class != raw_class(asked))
		return false;
	if (is_rule(asked))
		return is_rule_like(raw->message, asked, exactly);
	if (is_nexthop(asked))
		return id_of(raw->message) == id_of(asked);
	return is_fdb(asked) ? is_fdb_like(raw, asked, link_of(ns, asked)) : is_neighbor_like(raw->message, asked);
}

struct w_raw *raw_find(struct w_ns *ns, const struct nlmsghdr *asked, bool exactly) {
	vec_foreach(raw, &ns->raw)
		if (is_like(ns, raw, asked, exactly))
			return raw;
	return NULL;
}

/* Rules. */

static uint32_t priority_of(const struct nlmsghdr *rule) {
	const struct nlattr *tb[ATTRIBUTES_MAX + 1];

	parse(rule, tb);
	return nl_get_u32(tb[FRA_PRIORITY], 0);
}

/* Right before the second rule (fib_default_rule_pref()). */
static uint32_t free_priority(const struct w_ns *ns, uint8_t family) {
	size_t n = 0;

	vec_foreach(raw, &ns->raw)
		if (is_rule(raw->message) && family_of(raw->message) == family && n++ == 1)
			return priority_of(raw->message) ? priority_of(raw->message) - 1 : 0;
	return 0;
}

/* In the order of their priorities; the rest stands behind them. */
static void insert(struct w_ns *ns, struct w_raw raw) {
	size_t at = 0;

	while (is_rule(raw.message) && at < ns->raw.n && is_rule(ns->raw.items[at].message) &&
	       priority_of(ns->raw.items[at].message) <= priority_of(raw.message))
		at++;
	if (!is_rule(raw.message))
		at = ns->raw.n;
	vec_push(&ns->raw, raw);
	for (size_t i = ns->raw.n - 1; i > at; i--)
		ns->raw.items[i] = ns->raw.items[i - 1];
	ns->raw.items[at] = raw;
}

/* With one more attribute, unless number is NULL. */
static struct nlmsghdr *copy(struct world *w, const struct nlmsghdr *nlh, uint16_t attribute, const uint32_t *number) {
	size_t room = nlh->nlmsg_len + MNL_ALIGN(sizeof(struct nlattr) + sizeof(*number));
	struct nlmsghdr *message = arena_alloc(&w->arena, room);

	memcpy(message, nlh, nlh->nlmsg_len);
	if (number)
		mnl_attr_put_u32(message, attribute, *number);
	return message;
}

static int new_rule(struct world *w, struct w_ns *ns, const struct nlmsghdr *nlh) {
	const struct nlattr *tb[ATTRIBUTES_MAX + 1];
	uint32_t priority = free_priority(ns, family_of(nlh));
	struct w_raw raw = { .class = &class_rule, .external = !w->by_topod };

	parse(nlh, tb);
	if (nlh->nlmsg_flags & NLM_F_EXCL && tb[FRA_PRIORITY] && raw_find(ns, nlh, true))
		return -EEXIST;
	raw.message = copy(w, nlh, FRA_PRIORITY, tb[FRA_PRIORITY] ? NULL : &priority);
	insert(ns, raw);
	raw_event(w, ns, &raw, RTM_NEWRULE);
	return 0;
}

void add_rules_of_kernel(struct world *w, struct w_ns *ns) {
	static const struct {
		uint8_t family;
		uint32_t priority, table;
	} rules[] = { { AF_INET, 0, RT_TABLE_LOCAL },
		      { AF_INET, 32766, RT_TABLE_MAIN },
		      { AF_INET, 32767, RT_TABLE_DEFAULT },
		      { AF_INET6, 0, RT_TABLE_LOCAL },
		      { AF_INET6, 32766, RT_TABLE_MAIN } };

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		uint32_t buffer[64] = {};
		struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
		struct fib_rule_hdr *hdr = mnl_nlmsg_put_extra_header(nlh, sizeof(*hdr));

		nlh->nlmsg_type = RTM_NEWRULE;
		hdr->family = rules[i].family;
		hdr->action = FR_ACT_TO_TBL;
		mnl_attr_put_u32(nlh, FRA_PRIORITY, rules[i].priority);
		mnl_attr_put_u32(nlh, FRA_TABLE, rules[i].table);
		mnl_attr_put_u8(nlh, FRA_PROTOCOL, RTPROT_KERNEL);
		insert(ns, (struct w_raw){ .class = &class_rule, .message = copy(w, nlh, 0, NULL), .external = true });
	}
}

/* Neighbours. */

static bool is_proxy(const struct nlmsghdr *nlh) {
	return ((const struct ndmsg *)mnl_nlmsg_get_payload(nlh))->ndm_flags & NTF_PROXY;
}

static int new_neighbor(struct world *w, struct w_ns *ns, const struct nlmsghdr *nlh) {
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	struct w_link *link = link_of(ns, nlh);
	struct w_raw *before = raw_find(ns, nlh, true),
		     raw = { .class = &class_neighbor, .link = link, .external = !w->by_topod };

	if (!link)
		return -ENODEV;
	if (ndm->ndm_family == AF_INET6 && !link_has_ipv6(link) && !(ndm->ndm_flags & NTF_PROXY))
		return -EINVAL;
	if (before && !(ndm->ndm_flags & NTF_PROXY) && !(nlh->nlmsg_flags & NLM_F_REPLACE))
		return -EEXIST;
	raw.message = copy(w, nlh, 0, NULL);
	if (is_proxy(nlh)) /* pneigh_fill_info() shows none */
		((struct ndmsg *)mnl_nlmsg_get_payload(raw.message))->ndm_state = 0;
	if (before)
		*before = raw;
	else
		insert(ns, raw);
	raw_event(w, ns, &raw, RTM_NEWNEIGH);
	return 0;
}

/* With an event, except for proxies (pneigh_ifdown()). */
void drop_neighbors(struct world *w, struct w_link *link, uint8_t family, bool proxies) {
	struct w_ns *ns = link->ns;

	for (size_t i = 0; i < ns->raw.n;) {
		struct w_raw raw = ns->raw.items[i];

		if (raw.link != link || raw.class != &class_neighbor || (family && family_of(raw.message) != family) ||
		    (!proxies && is_proxy(raw.message))) {
			i++;
			continue;
		}
		drop_where(&ns->raw, other, other == ns->raw.items + i);
		if (!is_proxy(raw.message))
			raw_event(w, ns, &raw, RTM_DELNEIGH);
	}
}

/* A bridge's forwarding table. */

static int new_fdb(struct world *w, struct w_ns *ns, const struct nlmsghdr *nlh) {
	struct w_link *link = link_of(ns, nlh);
	struct w_raw *before = raw_find(ns, nlh, true),
		     raw = { .class = &class_fdb, .link = link, .external = !w->by_topod };

	if (!link)
		return -ENODEV;
	if (!link->port)
		return -EOPNOTSUPP;
	if (before && !(nlh->nlmsg_flags & NLM_F_REPLACE))
		return -EEXIST;
	raw.message = copy(w, nlh, NDA_MASTER, &link->master->index);
	((struct ndmsg *)mnl_nlmsg_get_payload(raw.message))->ndm_flags &= (uint8_t)~NTF_MASTER;
	if (before)
		*before = raw;
	else
		insert(ns, raw);
	raw_event(w, ns, &raw, RTM_NEWNEIGH);
	return 0;
}

static void drop_at(struct world *w, struct w_ns *ns, size_t i, bool told) {
	struct w_raw gone = ns->raw.items[i];

	drop_where(&ns->raw, other, other == ns->raw.items + i);
	if (told)
		raw_event(w, ns, &gone, is_nexthop(gone.message) ? RTM_DELNEXTHOP : RTM_DELNEIGH);
}

void drop_fdb(struct world *w, struct w_link *port) {
	for (size_t i = port->ns->raw.n; i-- > 0;)
		if (port->ns->raw.items[i].link == port && port->ns->raw.items[i].class == &class_fdb)
			drop_at(w, port->ns, i, true);
}

/* Next hops: over a link, none (`blackhole`), or groups of one member. */

static uint32_t member_of(const struct nlmsghdr *nexthop) {
	const struct nlattr *tb[ATTRIBUTES_MAX + 1];

	parse(nexthop, tb);
	return tb[NHA_GROUP] ? ((const struct nexthop_grp *)mnl_attr_get_payload(tb[NHA_GROUP]))->id : 0;
}

static bool has_nexthop(const struct w_ns *ns, uint32_t id) {
	vec_foreach(raw, &ns->raw)
		if (raw->class == &class_nexthop && id_of(raw->message) == id)
			return true;
	return false;
}

static int new_nexthop(struct world *w, struct w_ns *ns, const struct nlmsghdr *nlh) {
	const struct nlattr *tb[ATTRIBUTES_MAX + 1];
	struct w_raw *before = raw_find(ns, nlh, true), raw = { .class = &class_nexthop, .external = !w->by_topod };

	parse(nlh, tb);
	raw.link = tb[NHA_OIF] ? ns_link_at(ns, nl_get_u32(tb[NHA_OIF], 0)) : NULL;
	if (tb[NHA_OIF] && !raw.link)
		return -ENODEV;
	if (raw.link && !link_has_carrier(raw.link))
		return -ENETDOWN;
	if (before && nlh->nlmsg_flags & NLM_F_EXCL)
		return -EEXIST;
	if (tb[NHA_GROUP] && !has_nexthop(ns, member_of(nlh)))
		return -EINVAL;
	if (before && !member_of(before->message) != !member_of(nlh))
		return -EINVAL; /* replace_nexthop() */
	raw.message = copy(w, nlh, 0, NULL);
	if (before)
		*before = raw;
	else
		insert(ns, raw);
	raw_event(w, ns, &raw, RTM_NEWNEXTHOP);
	return 0;
}

/* With the groups that have no other member. */
static void drop_nexthop(struct world *w, struct w_ns *ns, uint32_t id, bool told) {
	for (size_t i = ns->raw.n; i-- > 0;)
		if (ns->raw.items[i].class == &class_nexthop &&
		    (id_of(ns->raw.items[i].message) == id || member_of(ns->raw.items[i].message) == id))
			drop_at(w, ns, i, told);
}

/* Without an event (nexthop_flush_dev()). */
void drop_nexthops(struct world *w, struct w_link *link) {
	for (size_t i = 0; i < link->ns->raw.n;)
		if (link->ns->raw.items[i].link == link && link->ns->raw.items[i].class == &class_nexthop) {
			drop_nexthop(w, link->ns, id_of(link->ns->raw.items[i].message), false);
			i = 0;
		} else {
			i++;
		}
}

/* All. */

static int carry_out_new(struct world *w, struct w_ns *ns, const struct nlmsghdr *nlh) {
	if (is_rule(nlh))
		return new_rule(w, ns, nlh);
	if (is_nexthop(nlh))
		return new_nexthop(w, ns, nlh);
	return is_fdb(nlh) ? new_fdb(w, ns, nlh) : new_neighbor(w, ns, nlh);
}

int raw_carry_out(struct world *w, struct w_ns *ns, const struct nlmsghdr *nlh) {
	struct w_raw *found = raw_deletes(nlh) ? raw_find(ns, nlh, false) : NULL, gone;

	if (!raw_deletes(nlh))
		return carry_out_new(w, ns, nlh);
	if (is_fdb(nlh) && !link_of(ns, nlh))
		return -ENODEV;
	if (!found || (is_fdb(nlh) && found->link != link_of(ns, nlh)))
		return -ENOENT;
	gone = *found;
	if (is_nexthop(nlh))
		drop_nexthop(w, ns, id_of(gone.message), true);
	else
		drop_where(&ns->raw, raw, raw == found);
	if (is_rule(nlh) || is_fdb(nlh) || (!is_nexthop(nlh) && !is_proxy(nlh)))
		raw_event(w, ns, &gone, nlh->nlmsg_type);
	return 0;
}

void raw_print(const struct w_raw *raw, struct text *out) {
	const struct nlattr *tb[ATTRIBUTES_MAX + 1];
	const uint8_t *header = mnl_nlmsg_get_payload(raw->message);

	text_addf(out, "%s ", raw->class->name);
	for (size_t i = 0; i < header_size(raw->message); i++)
		text_addf(out, "%02x", header[i]);
	parse(raw->message, tb);
	for (unsigned i = 1; i <= ATTRIBUTES_MAX; i++) {
		const uint8_t *bytes = tb[i] && i != protocol_attribute(raw->message) ? mnl_attr_get_payload(tb[i]) : NULL;

		text_addf(out, bytes ? " %u:" : "", i);
		for (size_t j = 0; bytes && j < mnl_attr_get_payload_len(tb[i]); j++)
			text_addf(out, "%02x", bytes[j]);
	}
}
