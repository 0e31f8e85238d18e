/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a vxlan sends frames to unknown addresses: `remote`, `group`, `remotes`.
 *
 * Two places say where frames to unknown addresses go. The link has one `remote` or `group`, for which it makes an
 * entry for the address 00:00:00:00:00:00 in its forwarding table (vxlan_fdb_update() in drivers/net/vxlan); from then
 * on only the table counts. Somebody may delete the entry or append others while the link still shows the same far end.
 * So a far end is compared with both, and `remotes`, which the link does not show, with the table alone. If a routing daemon
 * manages the entries, none of these keys is declared. Entries for other addresses are objects of their own (fdb.c).
 */
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "kind/vxlan.h"
#include "model/change.h"

/* The kernel has one attribute for a remote host or a group; the language has two keys. */
static bool far_end_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	struct ip ip;

	if (!type_ip.parse(p, field, node, &ip))
		return false;
	if (ip_is_multicast(&ip) != streq(field->name, "group")) {
		diag_error(p->diags, node->position,
			   ip_is_multicast(&ip) ? "'%s' takes the address of one host; write a multicast address as 'group'"
						: "'%s' takes a multicast address; write a single host as 'remote'",
			   field->name);
		return false;
	}
	*(struct far_end *)value = (struct far_end){ .ip = ip };
	return true;
}

/* Does the table have exactly the entry that the link shows? */
static bool is_in_force(const struct far_end *end) {
	const struct destination *entry = end->entries;

	return !end->looked_up || (entry && !entry->next && entry->plain && ip_equal(&entry->ip, &end->ip));
}

static void print_entries(const struct field *field, const struct destination *entries, const char *between,
			  struct text *out) {
	text_add(out, entries ? "" : "none");
	for (const struct destination *entry = entries; entry; entry = entry->next) {
		text_add(out, entry == entries ? "" : between);
		type_ip.print(field, &entry->ip, out);
		if (entry->port)
			text_addf(out, " port %u", ntohs(entry->port));
		if (entry->vni)
			text_addf(out, " id %u", entry->vni);
		if (!entry->plain && entry->ifindex)
			text_addf(out, " by interface %u", entry->ifindex);
	}
}

static void far_end_print(const struct field *field, const void *value, struct text *out) {
	const struct far_end *end = value;

	if (is_in_force(end))
		type_ip.print(field, &end->ip, out);
	else
		print_entries(field, end->entries, " and ", out);
}

static bool far_end_equal(const void *a, const void *b) {
	return ip_equal(a, b) && is_in_force(a) && is_in_force(b);
}

static void far_end_put(struct nl_writer *w, const struct field *field, const void *value) {
	type_ip.put(w, field, value);
}

static bool far_end_get(struct arena *arena, const struct field *field, const struct nlattr *attr, void *value) {
	struct far_end *end = value;

	*end = (struct far_end){};
	return type_ip.get(arena, field, attr, &end->ip);
}

const struct type type_far_end = {
	.name = "address",
	.size = sizeof(struct far_end),
	.parse = far_end_parse,
	.print = far_end_print,
	.equal = far_end_equal,
	.put = far_end_put,
	.get = far_end_get,
};

static bool far_ends_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	struct value_set set = {};
	char buf[IP_TEXT_MAX];

	if (!set_parse(p, field, node, &set))
		return false;
	for (size_t i = 0; i < set.n; i++) {
		const struct ip *ip = (const struct ip *)set.items + i;

		if (!ip_is_multicast(ip))
			continue;
		diag_error(
			p->diags, node->position,
			"'%s' takes the addresses of other ends, for example [192.0.2.2, 192.0.2.3]; %s is a multicast address",
			field->name, ip_format(ip, buf));
		return false;
	}
	*(struct far_ends *)value = (struct far_ends){ .set = set };
	return true;
}

static void far_ends_print(const struct field *field, const void *value, struct text *out) {
	const struct far_ends *ends = value;

	if (ends->looked_up) {
		print_entries(field, ends->entries, " ", out);
		return;
	}
	set_print(field, &ends->set, out);
}

/* Is the address the only content of the entry? */
static bool is_simple(const struct destination *entry) {
	return !entry->port && !entry->vni && (!entry->ifindex || entry->plain);
}

static bool has_end(const struct value_set *ends, const struct destination *entry) {
	return is_simple(entry) && set_has(ends, &entry->ip);
}

static bool far_ends_equal(const void *a, const void *b) {
	const struct far_ends *x = a, *y = b, *seen = x->looked_up ? x : y, *want = x->looked_up ? y : x;
	size_t n = 0;

	if (!seen->looked_up)
		return set_equal(&x->set, &y->set);
	for (const struct destination *entry = seen->entries; entry; entry = entry->next, n++)
		if (!has_end(&want->set, entry))
			return false;
	return n == want->set.n;
}

const struct type type_far_ends = {
	.words = true,
	.name = "list of addresses",
	SET_ITEMS(type_ip),
	.size = sizeof(struct far_ends),
	.parse = far_ends_parse,
	.print = far_ends_print,
	.equal = far_ends_equal,
};

/* The forwarding table. */

static bool declares_forwarding(const struct object *desired) {
	return object_has(desired, REMOTE) || object_has(desired, GROUP) || object_has(desired, REMOTES);
}

static void ask(const struct source_scan *scan _unused_, struct nl_writer *w, const struct object *observed) {
	struct ndmsg *ndm = nl_begin(w, RTM_GETNEIGH, NLM_F_DUMP, sizeof(*ndm));

	ndm->ndm_family = AF_BRIDGE;
	ndm->ndm_ifindex = (int)((const struct link *)observed)->ifindex;
}

static bool is_zero(const struct nlattr *lladdr) {
	static const uint8_t zero[6];

	return lladdr && mnl_attr_get_payload_len(lladdr) == sizeof(zero) &&
	       memcmp(mnl_attr_get_payload(lladdr), zero, sizeof(zero)) == 0;
}

static struct destination *read_entry(struct arena *arena, const struct vxlan *seen, const struct nlmsghdr *nlh) {
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[NDA_IFINDEX + 1];
	struct ip ip;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ndm) || ndm->ndm_family != AF_BRIDGE ||
	    (uint32_t)ndm->ndm_ifindex != seen->link.ifindex || !(ndm->ndm_flags & NTF_SELF))
		return NULL;
	nl_parse(nlh, sizeof(*ndm), tb, NDA_IFINDEX);
	if (!is_zero(tb[NDA_LLADDR]) || !tb[NDA_DST] || !type_ip.get(arena, NULL, tb[NDA_DST], &ip))
		return NULL;
	struct destination *entry = arena_new(arena, struct destination);
	entry->ip = ip;
	entry->vni = nl_get_u32(tb[NDA_VNI], 0);
	entry->ifindex = nl_get_u32(tb[NDA_IFINDEX], 0);
	if (tb[NDA_PORT] && mnl_attr_get_payload_len(tb[NDA_PORT]) == sizeof(entry->port))
		memcpy(&entry->port, mnl_attr_get_payload(tb[NDA_PORT]), sizeof(entry->port));
	entry->plain = !entry->port && !entry->vni && entry->ifindex == seen->dev.ifindex;
	return entry;
}

static void take_forwarding(struct arena *arena, struct object *observed, const struct nlmsghdr *nlh) {
	struct vxlan *seen = (struct vxlan *)observed;
	struct destination *entry = nlh && nlh->nlmsg_type == RTM_NEWNEIGH ? read_entry(arena, seen, nlh) : NULL;
	const struct destination **last = &seen->remote.entries;

	if (!nlh) {
		seen->remote.looked_up = seen->group.looked_up = seen->remotes.looked_up = true;
		seen->remote.entries = seen->group.entries = seen->remotes.entries = NULL;
		observed->set |= field_bit(REMOTES);
	}
	while (*last)
		last = (const struct destination **)(uintptr_t) & (*last)->next;
	*last = entry;
	seen->group.entries = seen->remotes.entries = seen->remote.entries;
}

/* Passes messages about forwarding entries (ndm_family AF_BRIDGE) for the hardware address of all zeros. */
static struct sock_filter zero_filter[] = {
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NLMSG_HDRLEN),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_BRIDGE, 0, 9),
	BPF_STMT(BPF_LD | BPF_IMM, NLMSG_HDRLEN + sizeof(struct ndmsg)),
	BPF_STMT(BPF_LDX | BPF_IMM, NDA_LLADDR),
	/* offset of the attribute; 0: there is none */
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_NLATTR)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 5, 0),
	BPF_STMT(BPF_MISC | BPF_TAX, 0),
	BPF_STMT(BPF_LD | BPF_W | BPF_IND, NLA_HDRLEN),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2),
	BPF_STMT(BPF_LD | BPF_H | BPF_IND, NLA_HDRLEN + 4),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, 0),
	BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
};

/* Entries for other addresses are learned and forgotten all the time. */
static enum about about(const struct event *event, struct hint *ret) {
	const struct ndmsg *ndm = event_header(event, sizeof(*ndm));
	const struct nlattr *tb[NDA_LLADDR + 1];

	if (!ndm)
		return ABOUT_UNKNOWN;
	nl_parse(event->message, sizeof(*ndm), tb, NDA_LLADDR);
	if (ndm->ndm_family != AF_BRIDGE || (tb[NDA_LLADDR] && !is_zero(tb[NDA_LLADDR])))
		return ABOUT_OTHER;
	ret->type = HINT_DETAIL;
	ret->ifindex = (uint32_t)ndm->ndm_ifindex;
	return ABOUT_HINT;
}

const struct source vxlan_forwarding = {
	.protocol = NETLINK_ROUTE,
	.first = RTM_NEWNEIGH,
	.last = RTM_DELNEIGH,
	.groups = (const int[]){ RTNLGRP_NEIGH, 0 },
	.filter = &(const struct sock_fprog){ ARRAY_SIZE(zero_filter), zero_filter },
	.only_if_declared = true,
	.about = about,
	.declares = declares_forwarding,
	.ask = ask,
	.take = take_forwarding,
};

/* The link makes its entry when its far end changes, so the far end is set to none and back. A request for the entry
 * itself could not name an underlay in another namespace. */
static int put_entry_again(struct encode *encode, const struct change *change, uint64_t field) {
	struct vxlan none = *(const struct vxlan *)change->desired;
	struct change away = *change, back = *change;

	memset(none.remote.ip.bytes, 0, sizeof(none.remote.ip.bytes));
	memset(none.group.ip.bytes, 0, sizeof(none.group.ip.bytes));
	away.desired = &none.link.object;
	away.fields = back.fields = field;
	int r = link_encode(encode, &away);
	return r < 0 ? r : link_encode(encode, &back);
}

static void put_entry(struct nl_writer *w, const struct field *field, uint16_t type, uint32_t ifindex,
		      const struct destination *entry) {
	static const uint8_t zero[6];
	uint16_t flags = type == RTM_NEWNEIGH ? NLM_F_CREATE | NLM_F_APPEND : 0;
	struct ndmsg *ndm = nl_begin(w, type, flags, sizeof(*ndm));

	ndm->ndm_family = AF_BRIDGE;
	ndm->ndm_ifindex = (int32_t)ifindex;
	ndm->ndm_state = NUD_PERMANENT;
	ndm->ndm_flags = NTF_SELF;
	nl_put(w, NDA_LLADDR, zero, sizeof(zero));
	nl_origin(w, field);
	nl_put(w, NDA_DST, entry->ip.bytes, ip_size(entry->ip.family));
	if (entry->port)
		nl_put(w, NDA_PORT, &entry->port, sizeof(entry->port));
	if (entry->vni)
		nl_put_u32(w, NDA_VNI, entry->vni);
	if (entry->ifindex)
		nl_put_u32(w, NDA_IFINDEX, entry->ifindex);
}

/* The link's own message sets a new far end with its entry; other entries are deleted. */
static int encode_far_end(struct encode *encode, const struct change *change, size_t at) {
	const struct field *field = &kind_vxlan.fields[at];
	const struct far_end *want = field_of(field, change->desired), *have = field_of(field, change->observed);
	const struct vxlan *seen = (const struct vxlan *)change->observed;
	struct change rest = *change;
	bool same = ip_equal(&want->ip, &have->ip), found = false;
	int r = 0;

	for (const struct destination *entry = have->entries; entry; entry = entry->next)
		found |= entry->plain && ip_equal(&entry->ip, &want->ip);
	if (same)
		rest.fields &= ~field_bit(at);
	if (same && !found)
		r = put_entry_again(encode, change, field_bit(at));
	if (r == 0 && rest.fields)
		r = link_encode(encode, &rest);
	for (const struct destination *entry = have->entries; entry && r == 0; entry = entry->next)
		if (!entry->plain || !(ip_equal(&entry->ip, &want->ip) || ip_equal(&entry->ip, &have->ip)))
			put_entry(encode->writer, field, RTM_DELNEIGH, seen->link.ifindex, entry);
	return r;
}

static struct value_set simple_entries(struct arena *arena, const struct destination *entries) {
	size_t n = 0;

	for (const struct destination *entry = entries; entry; entry = entry->next)
		n++;
	struct value_set set = set_new(arena, &type_ip, n);
	for (const struct destination *entry = entries; entry; entry = entry->next) {
		*(struct ip *)set_next(&set) = entry->ip;
		set.n += is_simple(entry);
	}
	set_sort(&set);
	return set;
}

/* Adds missing entries before it deletes others. */
static int encode_remotes(struct encode *encode, const struct change *change) {
	const struct vxlan *want = (const struct vxlan *)change->desired, *have = (const struct vxlan *)change->observed;
	const struct destination *entries = have ? have->remotes.entries : NULL;
	uint32_t index = encode_ifindex(encode, want->link.object.ns, want->link.name);

	struct value_set there = simple_entries(encode->arena, entries);
	for (size_t i = 0; index && i < want->remotes.set.n; i++) {
		const struct ip *ip = (const struct ip *)want->remotes.set.items + i;

		if (!set_has(&there, ip))
			put_entry(encode->writer, &kind_vxlan.fields[REMOTES], RTM_NEWNEIGH, index,
				  &(struct destination){ .ip = *ip });
	}
	for (const struct destination *entry = index ? entries : NULL; entry; entry = entry->next)
		if (!has_end(&want->remotes.set, entry))
			put_entry(encode->writer, &kind_vxlan.fields[REMOTES], RTM_DELNEIGH, index, entry);
	return index ? 0 : -ENODEV;
}

static int encode_link(struct encode *encode, const struct change *change) {
	const struct object *seen = change->type == CHANGE_UPDATE ? change->observed : NULL;
	size_t at = object_has(change_object(change), GROUP) ? GROUP : REMOTE;

	if (!seen || seen->kind != &kind_vxlan || !(change->fields & field_bit(at)) ||
	    is_in_force(field_of(&kind_vxlan.fields[at], seen)))
		return link_encode(encode, change);
	return encode_far_end(encode, change, at);
}

int vxlan_encode(struct encode *encode, const struct change *change) {
	struct change rest = *change;
	int r = 0;

	if (change->type == CHANGE_UPDATE)
		rest.fields &= ~field_bit(REMOTES);
	if (rest.fields || rest.fields == change->fields)
		r = encode_link(encode, &rest);
	return r < 0 || rest.fields == change->fields ? r : encode_remotes(encode, change);
}

/* With `remote` or `group` the link makes its own entry again. */
const char *vxlan_fallback(struct arena *arena _unused_, const struct ns_state *ns _unused_, const struct object *desired,
			   size_t field) {
	return field == REMOTES && !object_has(desired, REMOTE) && !object_has(desired, GROUP) ? "none" : NULL;
}
