/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filters of a qdisc: which packets go to which class.
 *
 * For a mark alone the kernel's classifier is `fw`; for anything in the packet it is `u32`, which compares words at fixed
 * offsets. So a port is compared only at its usual offset: in packets without IP options, and not in later fragments. Each
 * filter has its own priority, because filters of one priority must have one protocol, and u32 cannot change a filter in
 * place.
 */
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>

#include "kind/qdisc.h"

/* An entry of the file. */
struct entry {
	uint32_t protocol, source_port, port, class, family;
	struct prefix source, destination;
	struct fwmark mark;
};

enum { PROTOCOL, SOURCE, DESTINATION, SOURCE_PORT, PORT, FWMARK, FAMILY, CLASS };

static const struct enum_name protocols[] = {
	{ "tcp", IPPROTO_TCP },       { "udp", IPPROTO_UDP },   { "icmp", IPPROTO_ICMP },
	{ "icmpv6", IPPROTO_ICMPV6 }, { "sctp", IPPROTO_SCTP }, { "esp", IPPROTO_ESP },
	{ "ah", IPPROTO_AH },         { "gre", IPPROTO_GRE },   {},
};
static const struct enum_name families[] = { { "ipv4", AF_INET }, { "ipv6", AF_INET6 }, {} };

#define ROW(index, key, member, value_type, ...) \
	[index] = { .name = key, .type = value_type, .offset = offsetof(struct entry, member), __VA_ARGS__ }

const struct field qdisc_filter_fields[QDISC_FILTER_FIELDS] = {
	ROW(PROTOCOL, "protocol", protocol, &type_integer, .names = protocols, .min = 1, .max = 255,
	    .doc = "The protocol in the IP packet."),
	ROW(SOURCE, "source", source, &type_network, .doc = "The source of the packet."),
	ROW(DESTINATION, "destination", destination, &type_network, .doc = "The destination of the packet."),
	ROW(SOURCE_PORT, "source-port", source_port, &type_integer, .min = 1, .max = 65535, .doc = "The source port."),
	ROW(PORT, "port", port, &type_integer, .min = 1, .max = 65535, .doc = "The destination port."),
	ROW(FWMARK, "fwmark", mark, &type_fwmark,
	    .doc = "The packet's mark, which cannot be combined: let a rule of `filter` match the rest and set the mark "
		   "(`mark`)."),
	ROW(FAMILY, "family", family, &type_enum, .names = families, .doc = "`ipv4` or `ipv6`; both by default."),
	ROW(CLASS, "class", class, &type_integer, .min = 1, .max = 0xfffe, .flags = FIELD_REQUIRED,
	    .doc = "The `id` of the class; of prio the number of the band, from 1."),
};

/* The file. */

/* The family that follows from the entry; false after an error. */
static bool settle_family(struct parse *p, const struct node *node, struct entry *e, uint64_t set) {
	const struct prefix *prefixes[] = { set >> SOURCE & 1 ? &e->source : NULL,
					    set >> DESTINATION & 1 ? &e->destination : NULL };
	uint32_t family = set >> FAMILY & 1 ? e->family : 0;

	if (set >> PROTOCOL & 1 && !family && e->protocol == IPPROTO_ICMP)
		family = AF_INET;
	if (set >> PROTOCOL & 1 && !family && e->protocol == IPPROTO_ICMPV6)
		family = AF_INET6;
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		if (!prefixes[i])
			continue;
		if (family && family != prefixes[i]->address.family) {
			diag_error(p->diags, node->position, "a filter cannot match IPv4 and IPv6 at once; write two");
			return false;
		}
		family = prefixes[i]->address.family;
	}
	e->family = family;
	/* A prefix of length 0 only gives the family. */
	if (!e->source.length)
		e->source = (struct prefix){};
	if (!e->destination.length)
		e->destination = (struct prefix){};
	return true;
}

static bool check(struct parse *p, const struct node *node, const struct entry *e, uint64_t set) {
	bool other = set & ~(field_bit(FWMARK) | field_bit(CLASS));

	if (set >> FWMARK & 1 && other)
		diag_error(p->diags, node->position,
			   "'fwmark' cannot be combined: let a rule of the namespace's 'filter' match the rest and set the "
			   "mark ('mark')");
	else if (set >> FWMARK & 1 && !(e->mark.value & e->mark.mask))
		diag_error(p->diags, node->position, "a packet without a mark has the mark 0, which no filter can match");
	else if (!(set >> FWMARK & 1) && !other)
		diag_error(
			p->diags, node->position,
			"a filter needs something to match; packets that no filter matches go to the class with 'default: "
			"true'");
	else if ((set >> PORT & 1 || set >> SOURCE_PORT & 1) && !(set >> PROTOCOL & 1))
		diag_error(p->diags, node->position,
			   "a port belongs to a protocol: write 'protocol: tcp' or 'protocol: udp', too");
	else if ((set >> PORT & 1 || set >> SOURCE_PORT & 1) && e->protocol != IPPROTO_TCP && e->protocol != IPPROTO_UDP &&
		 e->protocol != IPPROTO_SCTP)
		diag_error(p->diags, node->position, "only tcp, udp and sctp have ports");
	else
		return true;
	return false;
}

bool qdisc_read_filter(struct parse *p, const struct node *node, qdisc_filters *filters) {
	static const uint8_t both[] = { AF_INET, AF_INET6 };
	struct entry e = {};
	uint64_t set = 0;
	const struct fields_parse how = {
		.what = "a filter", .fields = qdisc_filter_fields, .n = QDISC_FILTER_FIELDS, .base = &e, .set = &set
	};

	if (!fields_parse(p, node, &how) || !check(p, node, &e, set) || !settle_family(p, node, &e, set))
		return false;
	struct qdisc_filter filter = { .protocol = (uint8_t)e.protocol,
				       .source = e.source,
				       .destination = e.destination,
				       .source_port = (uint16_t)e.source_port,
				       .port = (uint16_t)e.port,
				       .mark = e.mark,
				       .class = e.class,
				       .position = node->position };
	filter.mark.value &= filter.mark.mask;
	for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
		filter.family = e.mark.mask ? AF_UNSPEC : both[i];
		if (!e.family || e.family == filter.family || !filter.family)
			vec_push(filters, filter);
		if (!filter.family)
			break;
	}
	return true;
}

void qdisc_print_filter(const struct qdisc_filter *f, struct text *out) {
	const struct entry e = { .protocol = f->protocol,
				 .source_port = f->source_port,
				 .port = f->port,
				 .class = f->class,
				 .family = f->family,
				 .source = f->source,
				 .destination = f->destination,
				 .mark = f->mark };
	const bool given[] = { [PROTOCOL] = f->protocol,
			       [SOURCE] = f->source.address.family,
			       [DESTINATION] = f->destination.address.family,
			       [SOURCE_PORT] = f->source_port,
			       [PORT] = f->port,
			       [FWMARK] = f->mark.mask,
			       [FAMILY] = f->family,
			       [CLASS] = true };

	text_add(out, "{");
	for (size_t i = 0; i < QDISC_FILTER_FIELDS; i++) {
		bool quoted = (i == SOURCE || i == DESTINATION) && f->family == AF_INET6;

		if (!given[i])
			continue;
		text_addf(out, "%s%s: %s", out->data[out->size - 1] == '{' ? "" : ", ", qdisc_filter_fields[i].name,
			  quoted ? "\"" : "");
		field_print(&qdisc_filter_fields[i], &e, out);
		text_add(out, quoted ? "\"" : "");
	}
	text_add(out, f->foreign ? ", foreign: true}" : "}");
}

/* The kernel's messages: words of a packet, from the beginning of the IP header. */

enum { KEYS_MAX = 16 };

struct keys {
	struct tc_u32_sel sel; /* followed by the keys */
	struct tc_u32_key keys[KEYS_MAX];
};

/* offsetof(sel.keys) is the struct's size, so that the keys follow it without a gap. */
_Static_assert(offsetof(struct keys, keys) == sizeof(struct tc_u32_sel), "keys follow the selector");

static void add_key(struct keys *keys, int offset, uint32_t value, uint32_t mask) {
	for (size_t i = 0; i < keys->sel.nkeys; i++)
		if (keys->keys[i].off == offset) {
			keys->keys[i].val |= htonl(value & mask);
			keys->keys[i].mask |= htonl(mask);
			return;
		}
	keys->keys[keys->sel.nkeys++] =
		(struct tc_u32_key){ .off = offset, .val = htonl(value & mask), .mask = htonl(mask) };
}

static void add_prefix(struct keys *keys, int offset, const struct prefix *prefix) {
	for (size_t i = 0; prefix->address.family && i * 32 < prefix->length; i++) {
		unsigned bits = MIN(prefix->length - (unsigned)i * 32, 32U);
		uint32_t word;

		memcpy(&word, prefix->address.bytes + 4 * i, sizeof(word));
		add_key(keys, offset + (int)(4 * i), ntohl(word), bits == 32 ? UINT32_MAX : ~(UINT32_MAX >> bits));
	}
}

/* Offsets: RFC 791 and RFC 8200. */
static struct keys keys_of(const struct qdisc_filter *f) {
	bool v6 = f->family == AF_INET6, ports = f->port || f->source_port;
	struct keys keys = { .sel.flags = TC_U32_TERMINAL };

	if (ports && !v6) {
		add_key(&keys, 0, 0x05000000, 0x0f000000); /* a header of 20 bytes */
		add_key(&keys, 4, 0, 0x00001fff);          /* the first fragment */
	}
	if (f->protocol)
		add_key(&keys, v6 ? 4 : 8, (uint32_t)f->protocol << (v6 ? 8 : 16), v6 ? 0x0000ff00 : 0x00ff0000);
	add_prefix(&keys, v6 ? 8 : 12, &f->source);
	add_prefix(&keys, v6 ? 24 : 16, &f->destination);
	if (f->source_port)
		add_key(&keys, v6 ? 40 : 20, (uint32_t)f->source_port << 16, 0xffff0000);
	if (f->port)
		add_key(&keys, v6 ? 40 : 20, f->port, 0x0000ffff);
	if (!keys.sel.nkeys)
		add_key(&keys, 0, 0, 0); /* the kernel wants one */
	return keys;
}

void qdisc_put_filter(struct nl_writer *w, uint32_t ifindex, uint32_t parent, const struct qdisc_filter *f) {
	uint16_t type = f->family == AF_INET ? ETH_P_IP : f->family == AF_INET6 ? ETH_P_IPV6 : ETH_P_ALL;
	struct tcmsg *tcm = qdisc_begin(w, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, ifindex, parent, 0);
	uint32_t class = TC_H_MAKE(parent, f->class);

	tcm->tcm_info = TC_H_MAKE((uint32_t)f->priority << 16, htons(type));
	if (!f->family) {
		tcm->tcm_handle = f->mark.value;
		nl_put_text(w, TCA_KIND, "fw");
		struct nlattr *nest = nl_nest(w, TCA_OPTIONS);
		nl_put_u32(w, TCA_FW_CLASSID, class);
		nl_put_u32(w, TCA_FW_MASK, f->mark.mask);
		nl_nest_end(w, nest);
	} else {
		const struct keys keys = keys_of(f);

		nl_put_text(w, TCA_KIND, "u32");
		struct nlattr *nest = nl_nest(w, TCA_OPTIONS);
		nl_put_u32(w, TCA_U32_CLASSID, class);
		nl_put(w, TCA_U32_SEL, &keys, sizeof(keys.sel) + keys.sel.nkeys * sizeof(keys.keys[0]));
		nl_nest_end(w, nest);
	}
	nl_set_position(w, f->position);
}

static void take_word(struct prefix *prefix, uint8_t family, size_t word, const struct tc_u32_key *key) {
	uint32_t value = key->val;

	prefix->address.family = family;
	memcpy(prefix->address.bytes + 4 * word, &value, sizeof(value));
	prefix->length = (uint8_t)(prefix->length + __builtin_popcount(key->mask));
}

static void take_key(struct qdisc_filter *f, const struct tc_u32_key *key) {
	bool v6 = f->family == AF_INET6;
	int source = v6 ? 8 : 12, end = v6 ? 24 : 16, ports = v6 ? 40 : 20;
	uint32_t value = ntohl(key->val), mask = ntohl(key->mask);

	if (key->off == (v6 ? 4 : 8) && mask == (v6 ? 0xff00U : 0xff0000U)) {
		f->protocol = (uint8_t)(value >> (v6 ? 8 : 16));
	} else if (key->off >= source && key->off < end && key->off % 4 == 0) {
		take_word(&f->source, f->family, (size_t)(key->off - source) / 4, key);
	} else if (key->off >= end && key->off < ports && key->off % 4 == 0) {
		take_word(&f->destination, f->family, (size_t)(key->off - end) / 4, key);
	} else if (key->off == ports) {
		f->source_port = mask >> 16 ? (uint16_t)(value >> 16) : 0;
		f->port = mask & 0xffff ? (uint16_t)value : 0;
	}
}

/* Is the filter in topod's form? Then writing it again gives the same words. */
static void take_keys(struct qdisc_filter *f, const struct nlattr *attr) {
	struct keys seen = {}, ours;
	size_t size = attr ? mnl_attr_get_payload_len(attr) : 0;

	f->foreign = true;
	if (size < sizeof(seen.sel) || size > sizeof(seen))
		return;
	memcpy(&seen, mnl_attr_get_payload(attr), size);
	if (seen.sel.nkeys > KEYS_MAX || size < sizeof(seen.sel) + seen.sel.nkeys * sizeof(seen.keys[0]))
		return;
	for (size_t i = 0; i < seen.sel.nkeys; i++)
		take_key(f, &seen.keys[i]);
	ours = keys_of(f);
	f->foreign = seen.sel.nkeys != ours.sel.nkeys || seen.sel.flags != ours.sel.flags || seen.sel.offmask ||
		     memcmp(seen.keys, ours.keys, ours.sel.nkeys * sizeof(ours.keys[0])) != 0;
}

bool qdisc_get_filter(const struct nlmsghdr *nlh, struct qdisc_filter *ret) {
	const struct tcmsg *tcm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[TCA_MAX + 1], *options[TCA_U32_MAX + 1];
	const char *kind;
	uint16_t type = ntohs((uint16_t)TC_H_MIN(tcm->tcm_info));

	nl_parse(nlh, sizeof(*tcm), tb, TCA_MAX);
	nl_parse_nested(tb[TCA_OPTIONS], options, TCA_U32_MAX);
	kind = nl_get_text(tb[TCA_KIND]);
	*ret = (struct qdisc_filter){ .priority = (uint16_t)(TC_H_MAJ(tcm->tcm_info) >> 16), .ethertype = type };
	if (!kind || !tb[TCA_OPTIONS] || nl_get_u32(tb[TCA_CHAIN], 0))
		return false;
	if (streq(kind, "u32") && !options[TCA_U32_SEL])
		return false; /* a table */
	ret->family = type == ETH_P_IP ? AF_INET : type == ETH_P_IPV6 ? AF_INET6 : AF_UNSPEC;
	ret->class = TC_H_MIN(nl_get_u32(options[TCA_U32_CLASSID], 0)); /* the same as TCA_FW_CLASSID */
	if (streq(kind, "u32") && ret->family) {
		take_keys(ret, options[TCA_U32_SEL]);
		ret->foreign |= options[TCA_U32_MARK] || options[TCA_U32_ACT] || options[TCA_U32_LINK];
	} else if (streq(kind, "fw") && type == ETH_P_ALL) {
		ret->mark = (struct fwmark){ tcm->tcm_handle, nl_get_u32(options[TCA_FW_MASK], UINT32_MAX) };
	} else {
		ret->foreign = true;
	}
	return true;
}
