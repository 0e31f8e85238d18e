/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routes in the kernel's messages (rtnetlink(7), RTM_NEWROUTE). A changed route is replaced by one message; the kernel
 * finds which of several routes to one destination to replace by table, tos and metric.
 */
#include "kind/route_wire.h"

#include <linux/icmpv6.h>
#include <linux/rtnetlink.h>

#include "kind/connected.h"
#include "model/change.h"

enum {
	RTO_MIN_LOCK =
		1 << RTAX_RTO_MIN, /* without it the kernel does not use the metric (tcp_rto_min(), net/ipv4/tcp_output.c) */
};

static bool has(const struct route *r, size_t field) {
	return object_has(&r->object, field);
}

/* Writing. */

static void put_via(struct nl_writer *w, const struct route *r, const struct ip *via) {
	struct {
		uint16_t family;
		uint8_t bytes[16];
	} other = { .family = via->family };

	if (!via->family)
		return;
	nl_origin(w, &route_fields[ROUTE_VIA]);
	if (via->family == r->to.address.family) {
		nl_put(w, RTA_GATEWAY, via->bytes, ip_size(via->family));
		return;
	}
	memcpy(other.bytes, via->bytes, ip_size(via->family));
	nl_put(w, RTA_VIA, &other, sizeof(other.family) + ip_size(via->family));
}

static int put_nexthop(struct encode *encode, const struct route *r, const struct nexthop *hop) {
	struct nl_writer *w = encode->writer;
	struct nlmsghdr *nlh = w->message;

	if (w->overflow)
		return -EMSGSIZE;
	/* struct rtnexthop has its own length; its attributes follow it. */
	struct rtnexthop *rtnh = (struct rtnexthop *)mnl_nlmsg_get_payload_tail(nlh);
	uint32_t before = nlh->nlmsg_len;
	memset(rtnh, 0, sizeof(*rtnh));
	nlh->nlmsg_len += sizeof(*rtnh);
	rtnh->rtnh_hops = (uint8_t)(hop->weight - 1);
	rtnh->rtnh_flags = hop->on_link ? RTNH_F_ONLINK : 0;
	if (hop->dev) {
		rtnh->rtnh_ifindex = (int)encode_ifindex(encode, r->object.ns, hop->dev);
		if (!rtnh->rtnh_ifindex)
			return -ENODEV;
	}
	put_via(w, r, &hop->via);
	encap_put(encode->arena, w, &hop->encap, RTA_ENCAP_TYPE, RTA_ENCAP);
	rtnh->rtnh_len = (uint16_t)(nlh->nlmsg_len - before);
	return 0;
}

static int put_nexthops(struct encode *encode, const struct route *r) {
	struct nl_writer *w = encode->writer;
	int err = 0;

	nl_origin(w, &route_fields[ROUTE_NEXTHOPS]);
	struct nlattr *nest = nl_nest(w, RTA_MULTIPATH);
	for (size_t i = 0; i < r->nexthops.n && err == 0; i++)
		err = put_nexthop(encode, r, &r->nexthops.items[i]);
	nl_nest_end(w, nest);
	return err;
}

static bool is_metric(size_t field) {
	return route_fields[field].wire == WIRE_METRIC;
}

static void put_metrics(struct nl_writer *w, const struct route *r) {
	struct nlattr *nest = NULL;

	for (size_t i = 0; i < kind_route.n_fields; i++) {
		if (!is_metric(i) || !has(r, i))
			continue;
		nest = nest ? nest : nl_nest(w, RTA_METRICS);
		nl_origin(w, &route_fields[i]);
		route_fields[i].type->put(w, &route_fields[i], field_of(&route_fields[i], r));
	}
	if (!nest)
		return;
	if (r->metrics[RTAX_RTO_MIN])
		nl_put_u32(w, RTAX_LOCK, RTO_MIN_LOCK);
	nl_nest_end(w, nest);
}

static void put_identity(struct nl_writer *w, const struct route *r) {
	if (r->to.length) {
		nl_origin(w, &route_fields[ROUTE_TO]);
		nl_put(w, RTA_DST, r->to.address.bytes, ip_size(r->to.address.family));
	}
	if (r->from.length) {
		nl_origin(w, &route_fields[ROUTE_FROM]);
		nl_put(w, RTA_SRC, r->from.address.bytes, ip_size(r->from.address.family));
	}
	nl_origin(w, &route_fields[ROUTE_TABLE]);
	nl_put_u32(w, RTA_TABLE, r->table);
	if (r->metric)
		nl_put_u32(w, RTA_PRIORITY, r->metric);
}

static int put_rest(struct encode *encode, const struct route *r) {
	struct nl_writer *w = encode->writer;

	if (has(r, ROUTE_SRC) && r->src.family) {
		nl_origin(w, &route_fields[ROUTE_SRC]);
		nl_put(w, RTA_PREFSRC, r->src.bytes, ip_size(r->src.family));
	}
	if (has(r, ROUTE_PREFERENCE)) {
		nl_origin(w, &route_fields[ROUTE_PREFERENCE]);
		nl_put_u8(w, RTA_PREF, (uint8_t)r->preference);
	}
	put_metrics(w, r);
	if (r->nexthop) {
		nl_origin(w, &route_fields[ROUTE_NEXTHOP]);
		nl_put_u32(w, RTA_NH_ID, r->nexthop);
		return 0;
	}
	if (r->nexthops.n)
		return put_nexthops(encode, r);
	put_via(w, r, &r->via);
	nl_origin(w, &route_fields[ROUTE_ENCAP]);
	if (has(r, ROUTE_ENCAP))
		encap_put(encode->arena, w, &r->encap, RTA_ENCAP_TYPE, RTA_ENCAP);
	if (has(r, ROUTE_DEV)) {
		uint32_t index = encode_ifindex(encode, r->object.ns, r->dev);

		if (!index)
			return -ENODEV;
		nl_origin(w, &route_fields[ROUTE_DEV]);
		nl_put_u32(w, RTA_OIF, index);
	}
	return 0;
}

/* A foreign route is changed only if it still exists: creating it again would restore what its owner has just
 * removed. */
static uint16_t update_flags(const struct change *change) {
	bool ours = change->observed && change->observed->owned && !change->desired->gone;

	return ours ? NLM_F_CREATE | NLM_F_REPLACE : NLM_F_REPLACE;
}

/* Going back means making the route again only if a foreign one is in front: then it is put behind that one, as before. */
static uint16_t creation_flags(const struct change *change) {
	return NLM_F_CREATE | (change->type == CHANGE_CREATE && change->desired->gone ? NLM_F_APPEND : NLM_F_EXCL);
}

int route_encode(struct encode *encode, const struct change *change) {
	const uint16_t flags[] = {
		[CHANGE_CREATE] = creation_flags(change),
		[CHANGE_UPDATE] = change->type == CHANGE_UPDATE ? update_flags(change) : 0,
		[CHANGE_DELETE] = 0,
	};
	bool delete = change->type == CHANGE_DELETE;
	const struct route *r = (const struct route *)(delete ? change->observed : change->desired);
	uint16_t type = delete ? RTM_DELROUTE : RTM_NEWROUTE;
	struct rtmsg *rtm = nl_begin(encode->writer, type, flags[change->type], sizeof(*rtm));

	rtm->rtm_family = r->to.address.family;
	rtm->rtm_dst_len = r->to.length;
	rtm->rtm_src_len = r->from.length;
	rtm->rtm_tos = (uint8_t)r->tos;
	rtm->rtm_table = r->table < 256 ? (uint8_t)r->table : RT_TABLE_UNSPEC;
	rtm->rtm_type = (uint8_t)r->type;
	rtm->rtm_protocol = (uint8_t)r->protocol;
	rtm->rtm_scope = r->to.address.family == AF_INET ? (uint8_t)r->scope : RT_SCOPE_UNIVERSE;
	if (has(r, ROUTE_ON_LINK) && r->on_link)
		rtm->rtm_flags |= RTNH_F_ONLINK;
	put_identity(encode->writer, r);
	return delete ? 0 : put_rest(encode, r);
}

/* A route over lo with one encapsulation: the route's own, or the next hop's of that index. */
static void try_encap(struct encode *encode, const struct route *desired, const struct nexthop *hop, struct trial *ret) {
	const struct encap *encap = hop ? &hop->encap : &desired->encap;
	struct route probe = { .object = { .kind = &kind_route, .ns = desired->object.ns },
			       .to.address.family = desired->to.address.family,
			       .table = RT_TABLE_MAIN,
			       .type = RTN_UNICAST,
			       .scope = RT_SCOPE_LINK,
			       .dev = "lo",
			       .encap = *encap,
			       .congctl = "" };

	ret->what = encap_what(encap, &ret->module);
	ret->field = &route_fields[hop ? ROUTE_NEXTHOPS : ROUTE_ENCAP];
	probe.object.set = field_bit(ROUTE_DEV) | field_bit(ROUTE_ENCAP);
	if (ret->what)
		(void)route_encode(encode, &(struct change){ .type = CHANGE_CREATE, .desired = &probe.object });
}

static void try_from(struct encode *encode, const struct route *desired, struct trial *ret) {
	struct route probe = { .object = { .kind = &kind_route, .ns = desired->object.ns },
			       .to = desired->to,
			       .from = desired->from,
			       .table = RT_TABLE_MAIN,
			       .type = RTN_UNICAST,
			       .dev = "lo",
			       .congctl = "" };

	probe.object.set = field_bit(ROUTE_DEV);
	ret->what = "routes by source (CONFIG_IPV6_SUBTREES)";
	ret->field = &route_fields[ROUTE_FROM];
	(void)route_encode(encode, &(struct change){ .type = CHANGE_CREATE, .desired = &probe.object });
}

bool route_trial(struct encode *encode, const struct object *desired, size_t i, struct trial *ret) {
	const struct route *r = (const struct route *)desired;

	if (i == 0 && r->from.length)
		try_from(encode, r, ret);
	else if (i >= 1 && i <= 1 + r->nexthops.n)
		try_encap(encode, r, i == 1 ? NULL : &r->nexthops.items[i - 2], ret);
	return i <= 1 + r->nexthops.n;
}

/* Reading. */

static void get_via(const struct route *r, const struct nlattr *gateway, const struct nlattr *via, struct ip *ret) {
	const uint8_t *data = via ? mnl_attr_get_payload(via) : NULL;
	uint16_t family, size = via ? mnl_attr_get_payload_len(via) : 0;

	if (gateway)
		ip_from_bytes(r->to.address.family, mnl_attr_get_payload(gateway), mnl_attr_get_payload_len(gateway), ret);
	if (size <= sizeof(family))
		return;
	memcpy(&family, data, sizeof(family));
	ip_from_bytes((uint8_t)family, data + sizeof(family), size - sizeof(family), ret);
}

/* Decodes the next hop at `at`. Returns its length; 0: it is malformed. */
static size_t decode_nexthop(const struct decode *decode, const struct route *r, const char *at, size_t left,
			     struct nexthop *hop) {
	const struct rtnexthop *rtnh = (const struct rtnexthop *)(const void *)at;
	const struct nlattr *tb[RTA_ENCAP + 1];

	if (left < sizeof(*rtnh) || rtnh->rtnh_len < sizeof(*rtnh) || rtnh->rtnh_len > left)
		return 0;
	nl_parse_range(at + sizeof(*rtnh), rtnh->rtnh_len - sizeof(*rtnh), tb, RTA_ENCAP);
	get_via(r, tb[RTA_GATEWAY], tb[RTA_VIA], &hop->via);
	encap_get(decode->arena, tb[RTA_ENCAP_TYPE], tb[RTA_ENCAP], &hop->encap);
	hop->weight = rtnh->rtnh_hops + 1U;
	hop->on_link = !!(rtnh->rtnh_flags & RTNH_F_ONLINK);
	hop->dev = decode->link_name(decode->userdata, (uint32_t)rtnh->rtnh_ifindex);
	return MNL_ALIGN(rtnh->rtnh_len);
}

static void decode_nexthops(const struct decode *decode, struct route *r, const struct nlattr *multipath) {
	const char *at = mnl_attr_get_payload(multipath);
	size_t left = mnl_attr_get_payload_len(multipath), size, max = left / sizeof(struct rtnexthop);

	r->nexthops.items = arena_newn(decode->arena, struct nexthop, max);
	while (r->nexthops.n < max && (size = decode_nexthop(decode, r, at, left, &r->nexthops.items[r->nexthops.n])) > 0) {
		r->nexthops.n++;
		if (size >= left)
			break;
		at += size;
		left -= size;
	}
	nexthops_sort(&r->nexthops);
}

static void decode_metrics(struct arena *arena, struct route *r, const struct nlattr *metrics) {
	const struct nlattr *tb[RTAX_MAX + 1];

	nl_parse_nested(metrics, tb, RTAX_MAX);
	r->congctl = "";
	for (size_t i = 0; i < kind_route.n_fields; i++) {
		const struct field *field = &route_fields[i];

		if (!is_metric(i))
			continue;
		if (tb[field->attr])
			(void)field->type->get(arena, field, tb[field->attr], field_of(field, r));
		r->object.set |= field_bit(i);
	}
	if (!(nl_get_u32(tb[RTAX_LOCK], 0) & RTO_MIN_LOCK))
		r->metrics[RTAX_RTO_MIN] = 0;
}

static void decode_way(const struct decode *decode, struct route *r, const struct rtmsg *rtm,
		       const struct nlattr *const *tb) {
	const char *dev = tb[RTA_OIF] ? decode->link_name(decode->userdata, nl_get_u32(tb[RTA_OIF], 0)) : NULL;

	get_via(r, tb[RTA_GATEWAY], tb[RTA_VIA], &r->via);
	encap_get(decode->arena, tb[RTA_ENCAP_TYPE], tb[RTA_ENCAP], &r->encap);
	if (dev) {
		r->dev = dev;
		r->object.set |= field_bit(ROUTE_DEV);
	}
	if (tb[RTA_MULTIPATH])
		decode_nexthops(decode, r, tb[RTA_MULTIPATH]);
	r->on_link = !!(rtm->rtm_flags & RTNH_F_ONLINK);
}

static void decode_rest(const struct decode *decode, struct route *r, const struct rtmsg *rtm,
			const struct nlattr *const *tb) {
	r->nexthop = nl_get_u32(tb[RTA_NH_ID], 0);
	if (!r->nexthop) /* otherwise these attributes show the next hop as it is now (net.ipv4.nexthop_compat_mode) */
		decode_way(decode, r, rtm, tb);
	if (tb[RTA_PREFSRC])
		type_ip.get(decode->arena, NULL, tb[RTA_PREFSRC], &r->src);
	r->preference = nl_get_u8(tb[RTA_PREF], ICMPV6_ROUTER_PREF_MEDIUM);
	if (r->to.address.family == AF_INET6)
		r->object.set |= field_bit(ROUTE_PREFERENCE);
	decode_metrics(decode->arena, r, tb[RTA_METRICS]);
	r->object.set |= field_bit(ROUTE_VIA) | field_bit(ROUTE_ENCAP) | field_bit(ROUTE_NEXTHOPS) |
			 field_bit(ROUTE_NEXTHOP) | field_bit(ROUTE_SRC) | field_bit(ROUTE_ON_LINK);
}

static bool decode_prefix(uint8_t family, uint8_t length, const struct nlattr *attr, struct prefix *ret) {
	ret->address.family = family;
	ret->length = length;
	return length <= ip_bits(family) && (!attr || ip_from_bytes(family, mnl_attr_get_payload(attr),
								    mnl_attr_get_payload_len(attr), &ret->address) == 0);
}

bool route_decode_identity(struct route *r, const struct rtmsg *rtm, const struct nlattr *const *tb) {
	r->table = nl_get_u32(tb[RTA_TABLE], rtm->rtm_table);
	r->metric = nl_get_u32(tb[RTA_PRIORITY], 0);
	r->tos = rtm->rtm_tos;
	r->object.set |= field_bit(ROUTE_TO) | field_bit(ROUTE_FROM) | field_bit(ROUTE_TABLE) | field_bit(ROUTE_METRIC) |
			 field_bit(ROUTE_TOS);
	return decode_prefix(rtm->rtm_family, rtm->rtm_dst_len, tb[RTA_DST], &r->to) &&
	       (!rtm->rtm_src_len || decode_prefix(rtm->rtm_family, rtm->rtm_src_len, tb[RTA_SRC], &r->from));
}

/* This skips three quarters of a namespace's routes: for each address the ones to itself, broadcast, multicast. */
static bool is_local(const struct rtmsg *rtm) {
	return rtm->rtm_table == RT_TABLE_LOCAL && rtm->rtm_protocol == RTPROT_KERNEL;
}

struct route *route_decode(const struct decode *decode, const struct nlmsghdr *nlh) {
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[RTA_MAX + 1];

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm) || rtm->rtm_flags & RTM_F_CLONED || !ip_size(rtm->rtm_family) ||
	    (decode->skips_local && is_local(rtm)))
		return NULL;
	nl_parse(nlh, sizeof(*rtm), tb, RTA_MAX);

	struct object *object = object_new(decode->arena, &kind_route, decode->ns);
	struct route *r = (struct route *)object;
	if (!route_decode_identity(r, rtm, tb))
		return NULL;
	r->type = rtm->rtm_type;
	r->scope = rtm->rtm_scope;
	r->protocol = rtm->rtm_protocol;
	object->set |= field_bit(ROUTE_TYPE) | field_bit(ROUTE_SCOPE) | field_bit(ROUTE_PROTOCOL);
	decode_rest(decode, r, rtm, tb);
	object->owned = r->protocol == TOPOD_PROTOCOL;
	object->kernel_made = r->protocol == RTPROT_KERNEL || r->protocol == RTPROT_REDIRECT || r->protocol == RTPROT_RA;
	object_seal(decode->arena, object);
	return r;
}
