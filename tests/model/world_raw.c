/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy rules and static neighbours, kept as the messages by which they were made: a scan reads them with topod's own
 * decoders. As fib_newrule() and fib_delrule() (net/core/fib_rules.c), neigh_add() and neigh_delete() (net/core/neighbour.c).
 *
 * Neighbours that the kernel resolves, and those of state `noarp`, are left out.
 */
#include "world_private.h"

#include <linux/fib_rules.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "kind/kinds.h"
#include "model/source.h"

enum {
	ATTRIBUTES_MAX = 32, /* more than FRA_MAX and NDA_MAX */
};

static bool is_rule(const struct nlmsghdr *nlh) {
	return nlh->nlmsg_type == RTM_NEWRULE || nlh->nlmsg_type == RTM_DELRULE;
}

static size_t header_size(const struct nlmsghdr *nlh) {
	return is_rule(nlh) ? sizeof(struct fib_rule_hdr) : sizeof(struct ndmsg);
}

static void parse(const struct nlmsghdr *nlh, const struct nlattr *tb[ATTRIBUTES_MAX + 1]) {
	nl_parse(nlh, header_size(nlh), tb, ATTRIBUTES_MAX);
}

static unsigned protocol_attribute(const struct nlmsghdr *nlh) {
	return is_rule(nlh) ? FRA_PROTOCOL : NDA_PROTOCOL;
}

uint32_t raw_protocol(const struct w_raw *raw) {
	const struct nlattr *tb[ATTRIBUTES_MAX + 1];

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

struct w_raw *raw_find(struct w_ns *ns, const struct nlmsghdr *asked, bool exactly) {
	vec_foreach(raw, &ns->raw)
		if (is_rule(raw->message) == is_rule(asked) &&
		    (is_rule(asked) ? is_rule_like(raw->message, asked, exactly) : is_neighbor_like(raw->message, asked)))
			return raw;
	return NULL;
}

/* Rules. */

static uint32_t priority_of(const struct nlmsghdr *rule) {
	const struct nlattr *tb[ATTRIBUTES_MAX + 1];

	parse(rule, tb);
	return nl_get_u32(tb[FRA_PRIORITY], 0);
}

static uint8_t rule_family(const struct nlmsghdr *rule) {
	return ((const struct fib_rule_hdr *)mnl_nlmsg_get_payload(rule))->family;
}

/* Right before the second rule (fib_default_rule_pref()). */
static uint32_t free_priority(const struct w_ns *ns, uint8_t family) {
	size_t n = 0;

	vec_foreach(raw, &ns->raw)
		if (is_rule(raw->message) && rule_family(raw->message) == family && n++ == 1)
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

static struct nlmsghdr *copy(struct world *w, const struct nlmsghdr *nlh, const uint32_t *priority) {
	size_t room = nlh->nlmsg_len + MNL_ALIGN(sizeof(struct nlattr) + sizeof(*priority));
	struct nlmsghdr *message = arena_alloc(&w->arena, room);

	memcpy(message, nlh, nlh->nlmsg_len);
	if (priority)
		mnl_attr_put_u32(message, FRA_PRIORITY, *priority);
	return message;
}

static int new_rule(struct world *w, struct w_ns *ns, const struct nlmsghdr *nlh) {
	const struct nlattr *tb[ATTRIBUTES_MAX + 1];
	uint32_t priority = free_priority(ns, rule_family(nlh));
	struct w_raw raw = { .class = &class_rule, .external = !w->by_topod };

	parse(nlh, tb);
	if (nlh->nlmsg_flags & NLM_F_EXCL && tb[FRA_PRIORITY] && raw_find(ns, nlh, true))
		return -EEXIST;
	raw.message = copy(w, nlh, tb[FRA_PRIORITY] ? NULL : &priority);
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
		insert(ns, (struct w_raw){ .class = &class_rule, .message = copy(w, nlh, NULL), .external = true });
	}
}

/* Neighbours. */

static uint8_t neighbor_family(const struct nlmsghdr *nlh) {
	return ((const struct ndmsg *)mnl_nlmsg_get_payload(nlh))->ndm_family;
}

static bool is_proxy(const struct nlmsghdr *nlh) {
	return ((const struct ndmsg *)mnl_nlmsg_get_payload(nlh))->ndm_flags & NTF_PROXY;
}

static int new_neighbor(struct world *w, struct w_ns *ns, const struct nlmsghdr *nlh) {
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	struct w_link *link = ns_link_at(ns, (uint32_t)ndm->ndm_ifindex);
	struct w_raw *before = raw_find(ns, nlh, true),
		     raw = { .class = &class_neighbor, .link = link, .external = !w->by_topod };

	if (!link)
		return -ENODEV;
	if (ndm->ndm_family == AF_INET6 && !link_has_ipv6(link) && !(ndm->ndm_flags & NTF_PROXY))
		return -EINVAL;
	if (before && !(ndm->ndm_flags & NTF_PROXY) && !(nlh->nlmsg_flags & NLM_F_REPLACE))
		return -EEXIST;
	raw.message = copy(w, nlh, NULL);
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

		if (raw.link != link || (family && neighbor_family(raw.message) != family) ||
		    (!proxies && is_proxy(raw.message))) {
			i++;
			continue;
		}
		drop_where(&ns->raw, other, other == ns->raw.items + i);
		if (!is_proxy(raw.message))
			raw_event(w, ns, &raw, RTM_DELNEIGH);
	}
}

/* Both. */

int raw_carry_out(struct world *w, struct w_ns *ns, const struct nlmsghdr *nlh) {
	bool deletes = nlh->nlmsg_type == RTM_DELRULE || nlh->nlmsg_type == RTM_DELNEIGH;
	struct w_raw *found = deletes ? raw_find(ns, nlh, false) : NULL, gone;

	if (!deletes)
		return is_rule(nlh) ? new_rule(w, ns, nlh) : new_neighbor(w, ns, nlh);
	if (!found)
		return -ENOENT;
	gone = *found;
	drop_where(&ns->raw, raw, raw == found);
	if (is_rule(nlh) || !is_proxy(nlh))
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
