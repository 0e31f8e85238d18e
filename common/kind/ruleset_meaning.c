/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mistakes with NAT entries and filters: one that matches everything, one that an earlier entry hides, unreachable or
 * misunderstood targets, a policy that drops neighbour discovery. */
#include "kind/link.h"
#include "kind/ruleset.h"
#include "meaning/places.h"

#include <linux/netfilter/nf_conntrack_common.h>

enum {
	COMPARE_MAX = 2 * 1000 * 1000, /* limit of comparing entries in one namespace: a warning is not worth minutes */
	WAYS_MAX = 2 * 1000 * 1000,    /* limit of addresses and routes searched for paths to targets */
	WAY_MAX = 8,                   /* limit of routers on the path to a target */
};

static bool is_everything(const struct nft_match *match) {
	return !match->n || (!match->negated && match->items[0].prefix.length == 0);
}

static void check_masquerade(struct meaning *m, const struct nft_entry *e) {
	if (e->action != NFT_MASQUERADE || e->in.n || e->out.n || e->protocol.n || e->fwmark.n ||
	    !is_everything(&e->source) || !is_everything(&e->destination))
		return;
	diag_warning(m->diags, e->position,
		     "this masquerades every connection, including incoming and internal ones; restrict it "
		     "with 'out' (the interface to the outside) or 'source'");
}

/* The kernel chooses any free port of a range (nf_nat_l4proto_unique_tuple()), but keeps a port that is already in the
 * range. */
static void check_ports(struct meaning *m, const struct nft_entry *e) {
	const struct nft_item *port = e->port.items;

	if ((e->action != NFT_DNAT && e->action != NFT_REDIRECT) || e->to.first_port == e->to.last_port || e->port.negated)
		return;
	for (size_t i = 0; i < e->port.n; i++)
		if (port[i].first != port[i].last && (port[i].first < e->to.first_port || port[i].last > e->to.last_port)) {
			diag_warning(
				m->diags, e->positions[NAT_KEY_TO],
				"port %u does not map to %u, %u to %u and so on: the kernel takes any port of the range; "
				"write an entry for each port, or leave the ports out of 'to', which keeps them",
				port[i].first, e->to.first_port, port[i].first + 1, e->to.first_port + 1);
			return;
		}
}

/* Targets. */

static bool is_declared(const struct meaning *m, const struct nft_target *to) {
	const struct place *place = place_first(m, &to->first);

	return place < place_end(m) && place->ip.family == to->first.family &&
	       memcmp(&place->ip, &to->last, sizeof(place->ip)) <= 0;
}

static bool lead_of(const struct object *object, struct lead *ret) {
	const struct kind *kind = object->kind;

	*ret = (struct lead){ .direct = true };
	return kind->leads ? kind->leads(object, ret) : kind->connects && kind->connects(object, &ret->to);
}

bool ruleset_find_lead(const struct ns_state *ns, const struct ip *ip, struct lead *ret) {
	const struct object *by = NULL;
	struct lead lead;

	ns_foreach(object, ns)
		if (lead_of(object, &lead) && prefix_contains(&lead.to, ip) && (!by || lead.to.length > ret->to.length)) {
			by = object;
			*ret = lead;
		}
	if (by && !by->kind->leads)
		ret->dev = object_home_link(by);
	return by;
}

/* The namespace that has the gateway address, or NULL. */
static const struct ns_state *router(const struct meaning *m, const struct ip *ip) {
	const struct place *place = ip->family ? place_first(m, ip) : place_end(m);

	return place < place_end(m) && ip_equal(&place->ip, ip) ? place->ns : NULL;
}

static bool is_private(const struct ns_state *ns) {
	return !streq(ns->name, NS_HOST) && !ns->adopt;
}

static void warn_unreachable(struct meaning *m, const struct nft_entry *e, const struct ns_state *ns, const char *dev) {
	_cleanup_text_ struct text others = {};
	char buf[IP_TEXT_MAX];

	if (dev)
		place_print_others(m, place_segment(m, ns, dev), &e->to.first, NULL, &others);
	if (dev)
		diag_warning(m->diags, e->positions[NAT_KEY_TO],
			     "no host on the segment of %s/%s has the target address %s; give it to a host there, or "
			     "write that host's address%s",
			     ns->name, dev, ip_format(&e->to.first, buf), text_str(&others));
	else
		diag_warning(m->diags, e->positions[NAT_KEY_TO],
			     "no host has the target address %s, and no route of %s leads to it",
			     ip_format(&e->to.first, buf), ns->name);
}

/* Follows the declared routes to the target's segment. No warning if they lead to something undeclared. */
static void check_target(struct meaning *m, const struct ns_state *ns, const struct nft_entry *e, size_t *budget) {
	const struct ip *to = &e->to.first;
	bool loopback = to->family == AF_INET && to->bytes[0] == 127;

	if (e->action != NFT_DNAT || !to->family || loopback || ip_is_link_local(to) || is_declared(m, &e->to))
		return;
	for (int i = 0; ns && i<WAY_MAX && * budget> HASH_COUNT(ns->objects); i++) {
		struct lead lead = {};
		bool known = ruleset_find_lead(ns, to, &lead);

		*budget -= HASH_COUNT(ns->objects);
		if (known && lead.direct) {
			if (!place_is_answered(m, place_segment(m, ns, lead.dev), to, NULL))
				warn_unreachable(m, e, ns, lead.dev);
			return;
		}
		if (!known && is_private(ns))
			warn_unreachable(m, e, ns, NULL);
		ns = router(m, &lead.via);
	}
}

/* Hidden entries. */

/* An index of entries by destination port: single ports one by one, 0 for entries that match more. Only entries
 * under 0 or under its own first port can hide an entry. */
struct listed {
	uint32_t key;
	size_t entry;
};

struct listing {
	vec(struct listed) list;
	size_t budget;
};

static uint32_t key_of(const struct nft_entry *e, uint16_t port) {
	return (uint32_t)e->chain << 16 | port;
}

static bool has_single_ports(const struct nft_entry *e) {
	for (size_t i = 0; i < e->port.n; i++)
		if (e->port.items[i].first != e->port.items[i].last)
			return false;
	return e->port.n && !e->port.negated;
}

static int compare_listed(const void *a, const void *b) {
	const struct listed *x = a, *y = b;

	if (x->key != y->key)
		return (x->key > y->key) - (x->key < y->key);
	return (x->entry > y->entry) - (x->entry < y->entry);
}

static void list_entries(const struct nft_entries *rules, struct listing *listing) {
	for (size_t i = 0; i < rules->n; i++) {
		const struct nft_entry *e = &rules->items[i];
		bool single = has_single_ports(e);

		for (size_t k = 0; k < (single ? e->port.n : 1); k++)
			vec_push(&listing->list, (struct listed){ key_of(e, single ? e->port.items[k].first : 0), i });
	}
	if (listing->list.n)
		qsort(listing->list.items, listing->list.n, sizeof(*listing->list.items), compare_listed);
}

static bool hides(const struct nft_entry *first, const struct nft_entry *e) {
	return (!first->family || first->family == e->family) && nft_match_covers(&first->source, &e->source) &&
	       nft_match_covers(&first->destination, &e->destination) && nft_match_covers(&first->in, &e->in) &&
	       nft_match_covers(&first->out, &e->out) && nft_match_covers(&first->protocol, &e->protocol) &&
	       nft_match_covers(&first->source_port, &e->source_port) && nft_match_covers(&first->port, &e->port) &&
	       nft_match_covers(&first->fwmark, &e->fwmark) && nft_match_covers(&first->state, &e->state) &&
	       nft_match_covers(&first->icmp_type, &e->icmp_type) && first->action != NFT_GO_ON && !first->limit.rate &&
	       (!first->tcp_flags.mask || memcmp(&first->tcp_flags, &e->tcp_flags, sizeof(e->tcp_flags)) == 0);
}

/* The first entry with the key, before entry i, that matches everything that e matches; or NULL. */
static const struct nft_entry *find_under(const struct nft_entries *rules, struct listing *listing, uint32_t key, size_t i,
					  const struct nft_entry *e) {
	const struct listed *all = listing->list.items;
	size_t low = 0, high = listing->list.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (all[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < listing->list.n && all[low].key == key && all[low].entry < i && listing->budget;
	     low++, listing->budget--)
		if (hides(&rules->items[all[low].entry], e))
			return &rules->items[all[low].entry];
	return NULL;
}

static const struct nft_entry *find_hider(const struct nft_entries *rules, struct listing *listing, size_t i,
					  const struct nft_entry *e) {
	const struct nft_entry *first = find_under(rules, listing, key_of(e, 0), i, e);

	if (!first && e->port.n && !e->port.negated)
		first = find_under(rules, listing, key_of(e, e->port.items[0].first), i, e);
	return first;
}

/* Warns about a list item that an earlier entry matches completely. A range that contains an exception is not one. */
static void check_items(struct meaning *m, const struct nft_entries *rules, struct listing *listing, size_t i,
			const struct field *field) {
	struct nft_entry part = rules->items[i];
	struct nft_match *match = field_of(field, &part), all = *match;

	for (size_t k = 0; k < all.n && all.n > 1 && !all.negated; k++) {
		*match = all;
		match->items = &all.items[k];
		match->n = 1;

		const struct nft_entry *first = find_hider(rules, listing, i, &part);
		if (!first)
			continue;
		_cleanup_text_ struct text item = {};
		field_print(field, &part, &item);
		diag_warning(m->diags, all.items[k].position,
			     "%s %s never reaches this entry: an earlier one matches it; name it in only one of them",
			     field->name, text_str(&item));
		diag_note(m->diags, first->position, "the earlier one is here");
	}
}

static void check_hidden(struct meaning *m, const struct nft_entries *rules, const struct field *fields) {
	struct listing listing = { .budget = COMPARE_MAX };

	list_entries(rules, &listing);
	for (size_t i = 1; i < rules->n; i++) {
		const struct nft_entry *e = &rules->items[i], *first = find_hider(rules, &listing, i, e);

		if (!first) {
			check_items(m, rules, &listing, i, &fields[NFT_KEY_PORT]);
			check_items(m, rules, &listing, i, &fields[NFT_KEY_DESTINATION]);
			continue;
		}
		diag_warning(m->diags, e->position,
			     "this entry never matches: an earlier one matches everything first; move this one before "
			     "it, or remove it");
		diag_note(m->diags, first->position, "the earlier one is here");
	}
	vec_done(&listing.list);
}

/* Neighbour discovery. */

static bool match_takes(const struct nft_match *match, const struct nft_item *item) {
	const struct nft_match one = { .n = 1, .items = item, .type = match->type };

	return nft_match_covers(match, &one);
}

/* Does the rule accept neighbour solicitations, which conntrack does not track, from any link? */
static bool accepts_discovery(const struct nft_entry *e) {
	static const struct nft_item icmpv6 = { .protocol = IPPROTO_ICMPV6 },
				     untracked = { .state = NF_CT_STATE_UNTRACKED_BIT },
				     solicit = { .icmp = -1, .icmp6 = 135, .code = -1 };
	bool only_lo = e->in.n == 1 && !e->in.negated && streq(e->in.items[0].link, "lo");

	return e->action == NFT_ACCEPT && e->family != AF_INET && !only_lo && match_takes(&e->protocol, &icmpv6) &&
	       match_takes(&e->state, &untracked) && match_takes(&e->icmp_type, &solicit);
}

static bool has_ipv6(const struct ns_state *ns) {
	struct prefix prefix;

	ns_foreach(object, ns)
		if (object->kind->assigns && object->kind->assigns(object, &prefix) && prefix.address.family == AF_INET6)
			return true;
	return !is_private(ns);
}

static void check_input(struct meaning *m, const struct ns_state *ns, const struct nft_filter_chain *input) {
	if (!input->given || input->policy != NFT_DROP || !has_ipv6(ns))
		return;
	for (size_t i = 0; i < input->rules.n; i++)
		if (accepts_discovery(&input->rules.items[i]))
			return;
	diag_warning(
		m->diags, input->positions[0],
		"this policy also drops IPv6 neighbour discovery, so that no neighbour can reach the namespace by IPv6; add "
		"{protocol: icmpv6, icmp-type: [nd-neighbor-solicit, nd-neighbor-advert], action: accept}");
}

/* Bridged packets. */

static bool is_cut(const struct nft_filter_chain *forward, const char *bridge) {
	const struct nft_item link = { .link = bridge };

	for (size_t i = 0; i < forward->rules.n; i++) {
		const struct nft_entry *e = &forward->rules.items[i];

		if (e->action == NFT_ACCEPT && match_takes(&e->in, &link) && match_takes(&e->out, &link))
			return false;
	}
	return true;
}

/* A bridge with several ports between which the chain forward accepts nothing; NULL: there is none. */
static const struct link *cut_bridge(const struct ns_state *ns, const struct nft_filter_chain *forward) {
	if (!forward->given || forward->policy != NFT_DROP)
		return NULL;
	ns_foreach(bridge, ns) {
		const char *name = object_is_link(bridge) ? ((const struct link *)bridge)->name : NULL;
		size_t n_ports = 0;

		if (!name || bridge->kind->segment != SEGMENT_PORTS || !is_cut(forward, name))
			continue;
		ns_foreach(port, ns)
			n_ports += object_is_link(port) && streq_ptr(((const struct link *)port)->master, name);
		if (n_ports > 1)
			return (const struct link *)bridge;
	}
	return NULL;
}

const char *ruleset_asks(const struct object *desired, const struct ns_state *ns) {
	return cut_bridge(ns, &((const struct ruleset *)desired)->filter[NFT_FILTER_FORWARD])
		       ? "net/bridge/bridge-nf-call-iptables"
		       : NULL;
}

void ruleset_warn_value(const struct object *desired, const struct ns_state *ns, const char *value, struct diags *diags) {
	const struct nft_filter_chain *forward = &((const struct ruleset *)desired)->filter[NFT_FILTER_FORWARD];
	const struct link *bridge = cut_bridge(ns, forward);

	if (bridge && !streq(value, "0"))
		diag_warning(diags, forward->positions[0],
			     "this policy also drops packets between ports of %s/%s, because "
			     "net.bridge.bridge-nf-call-iptables is on; add {in: %s, out: %s, action: accept}, or write "
			     "'sysctl: {net.bridge.bridge-nf-call-iptables: 0}'",
			     ns->name, bridge->name, bridge->name, bridge->name);
}

static void check_filter(struct meaning *m, const struct ns_state *ns, const struct nft_filter_chain *filter) {
	check_input(m, ns, &filter[NFT_FILTER_INPUT]);
	for (enum nft_chain chain = NFT_FILTER_PREROUTING; chain < NFT_N_CHAINS; chain++)
		check_hidden(m, &filter[chain].rules, filter_fields);
}

void ruleset_warn(struct meaning *m) {
	size_t budget = WAYS_MAX;

	state_foreach(ns, m->state)
		ns_foreach(object, ns) {
			const struct nft_entries *rules = &((const struct ruleset *)object)->nat;

			if (object->kind != &kind_ruleset)
				continue;
			for (size_t i = 0; i < rules->n; i++) {
				check_masquerade(m, &rules->items[i]);
				check_ports(m, &rules->items[i]);
				check_target(m, ns, &rules->items[i], &budget);
			}
			check_hidden(m, rules, nat_fields);
			check_filter(m, ns, ((const struct ruleset *)object)->filter);
		}
}
