/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses in the kernel's messages: RTM_NEWADDR and RTM_DELADDR with struct ifaddrmsg (linux/if_addr.h). The requests for the
 * routes that belong to an address are in address_made.c.
 */
#include "kind/address.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "model/change.h"

#ifndef IFA_PROTO /* 5.18; Debian 12's headers have it, older ones do not */
#define IFA_PROTO 11
#endif

/* An update sets all flags: those that the file does not mention stay as observed. */
static uint32_t wanted_flags(const struct address *a, const struct address *seen) {
	const struct address *nodad = object_has(&a->object, ADDRESS_NODAD) ? a : seen;
	const struct address *noprefixroute = object_has(&a->object, ADDRESS_NOPREFIXROUTE) ? a : seen;
	uint32_t flags = 0;

	if (nodad && nodad->nodad)
		flags |= IFA_F_NODAD;
	if (noprefixroute && noprefixroute->noprefixroute)
		flags |= IFA_F_NOPREFIXROUTE;
	return flags;
}

static void put_addresses(struct nl_writer *w, const struct address *a) {
	const struct ip *local = &a->address.address;
	const struct ip *address = a->peer.address.family ? &a->peer.address : local;

	nl_origin(w, &kind_address.fields[ADDRESS_ADDRESS]);
	nl_put(w, IFA_LOCAL, local->bytes, ip_size(local->family));
	nl_origin(w, &kind_address.fields[ADDRESS_PEER]);
	nl_put(w, IFA_ADDRESS, address->bytes, ip_size(address->family));
}

static void put_new(struct nl_writer *w, const struct address *a, const struct object *seen) {
	if (object_has(&a->object, ADDRESS_LABEL)) {
		nl_origin(w, &kind_address.fields[ADDRESS_LABEL]);
		nl_put_text(w, IFA_LABEL, a->label);
	}
	if (object_has(&a->object, ADDRESS_BROADCAST)) {
		nl_origin(w, &kind_address.fields[ADDRESS_BROADCAST]);
		nl_put(w, IFA_BROADCAST, a->broadcast.bytes, 4);
	}
	nl_put_u32(w, IFA_FLAGS, wanted_flags(a, (const struct address *)seen));
	nl_put_u8(w, IFA_PROTO, (uint8_t)a->protocol); /* topod's, or the former one if the address is given back */
}

int address_encode(struct encode *encode, const struct change *change) {
	static const uint16_t flags[] = {
		[CHANGE_CREATE] = NLM_F_CREATE | NLM_F_EXCL,
		[CHANGE_UPDATE] = NLM_F_REPLACE,
		[CHANGE_DELETE] = 0,
	};
	const struct object *object = change_object(change);
	const struct address *a = (const struct address *)object;
	struct nl_writer *w = encode->writer;
	uint16_t type = change->type == CHANGE_DELETE ? RTM_DELADDR : RTM_NEWADDR;
	uint32_t index = encode_ifindex(encode, object->ns, a->dev);
	struct ifaddrmsg *ifa;

	if (!index)
		return -ENODEV;
	if (change->type == CHANGE_UPDATE &&
	    !(change->fields & ~(field_bit(ADDRESS_CONNECTED) | field_bit(ADDRESS_LOCAL)))) {
		address_put_missing(w, change, index);
		return 0;
	}
	ifa = nl_begin(w, type, flags[change->type], sizeof(*ifa));
	if (change->type == CHANGE_DELETE)
		a = (const struct address *)change->observed;
	ifa->ifa_family = a->address.address.family;
	ifa->ifa_prefixlen = a->address.length;
	ifa->ifa_scope = address_scope(a);
	ifa->ifa_index = index;
	put_addresses(w, a);
	if (change->type != CHANGE_DELETE)
		put_new(w, a, change->type == CHANGE_UPDATE ? change->observed : NULL);
	return 0;
}

static void decode_flags(struct address *a, uint32_t flags) {
	struct object *o = &a->object;

	a->nodad = !!(flags & IFA_F_NODAD);
	a->noprefixroute = !!(flags & IFA_F_NOPREFIXROUTE);
	o->set |= field_bit(ADDRESS_NODAD) | field_bit(ADDRESS_NOPREFIXROUTE);
	o->pending = flags & IFA_F_TENTATIVE && !(flags & IFA_F_OPTIMISTIC);
	o->failed = flags & IFA_F_DADFAILED;
	a->settling = a->address.address.family == AF_INET6 && flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED);
	a->secondary = a->address.address.family == AF_INET && flags & IFA_F_SECONDARY;
	address_set_local(a, true); /* until the routes show otherwise */
	if (address_has_connected_route(a) || address_needs_no_route(a))
		address_set_connected(a, true);
	if (o->failed)
		o->pending = false;
	if (a->address.address.family == AF_INET)
		address_set_primary(a, !a->secondary);
	a->lease = !(flags & IFA_F_PERMANENT);
	if (a->lease)
		o->kernel_made = true; /* from a lease or a router advertisement that renews it */
}

/* Linux gives this address to lo whenever lo comes up, without any mark. */
static bool is_loopback(const struct address *a) {
	static const uint8_t loopback[] = { 127, 0, 0, 1 };

	return streq(a->dev, "lo") && a->address.address.family == AF_INET && a->address.length == 8 &&
	       !memcmp(a->address.address.bytes, loopback, sizeof(loopback));
}

static void decode_protocol(const struct decode *decode, struct address *a, const struct nlattr *attr) {
	struct object *o = &a->object;

	/* On a kernel that cannot mark addresses, the ledger alone decides. */
	a->protocol = decode->address_marks ? nl_get_u8(attr, 0) : TOPOD_PROTOCOL;
	o->owned = a->protocol == TOPOD_PROTOCOL;
	o->set |= field_bit(ADDRESS_PROTOCOL);
	/* IFAPROT_KERNEL_LO, _RA, _LL; before 5.18 the addresses of lo count as the kernel's. */
	if ((a->protocol >= 1 && a->protocol <= 3) || (!decode->address_marks && streq(a->dev, "lo")))
		o->kernel_made = true;
	o->kernel_made |= !o->owned && is_loopback(a);
}

static bool decode_addresses(struct address *a, uint8_t family, uint8_t length, const struct nlattr *const *tb) {
	const struct nlattr *address = tb[IFA_ADDRESS], *local = tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS];

	if (!local || length > ip_bits(family) ||
	    ip_from_bytes(family, mnl_attr_get_payload(local), mnl_attr_get_payload_len(local), &a->address.address) < 0)
		return false;
	a->address.length = length;
	if (address &&
	    ip_from_bytes(family, mnl_attr_get_payload(address), mnl_attr_get_payload_len(address), &a->peer.address) < 0)
		return false;
	a->peer.length = length;
	if (ip_equal(&a->peer.address, &a->address.address))
		a->peer = (struct prefix){};
	a->object.set |= field_bit(ADDRESS_ADDRESS) | field_bit(ADDRESS_PEER);
	return true;
}

static void decode_rest(const struct decode *decode, struct address *a, const struct nlattr *const *tb) {
	const char *label = nl_get_text(tb[IFA_LABEL]);

	if (label) {
		a->label = arena_strdup(decode->arena, label);
		a->object.set |= field_bit(ADDRESS_LABEL);
	}
	if (tb[IFA_BROADCAST] &&
	    type_ip.get(decode->arena, &kind_address.fields[ADDRESS_BROADCAST], tb[IFA_BROADCAST], &a->broadcast))
		a->object.set |= field_bit(ADDRESS_BROADCAST);
	/* The kernel omits the attribute if there is none; the file, like ip-address(8), has 0.0.0.0 then. */
	if (!tb[IFA_BROADCAST] && a->address.address.family == AF_INET) {
		a->broadcast = (struct ip){ .family = AF_INET };
		a->object.set |= field_bit(ADDRESS_BROADCAST);
	}
}

struct address *address_decode(const struct decode *decode, const struct nlmsghdr *nlh) {
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[IFA_PROTO + 1];
	const char *dev;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifa))
		return NULL;
	nl_parse(nlh, sizeof(*ifa), tb, IFA_PROTO);
	dev = decode->link_name(decode->userdata, ifa->ifa_index);
	if (!dev)
		return NULL; /* the link went away between the two dumps; its event is on the way */

	struct object *object = object_new(decode->arena, &kind_address, decode->ns);
	struct address *a = (struct address *)object;
	a->dev = dev;
	a->scope = ifa->ifa_scope;
	object->set = field_bit(ADDRESS_DEV) | field_bit(ADDRESS_SCOPE);
	if (!decode_addresses(a, ifa->ifa_family, ifa->ifa_prefixlen, tb))
		return NULL;
	if (tb[IFA_CACHEINFO] && mnl_attr_get_payload_len(tb[IFA_CACHEINFO]) >= sizeof(struct ifa_cacheinfo))
		a->created = ((const struct ifa_cacheinfo *)mnl_attr_get_payload(tb[IFA_CACHEINFO]))->cstamp;
	decode_flags(a, nl_get_u32(tb[IFA_FLAGS], ifa->ifa_flags));
	decode_protocol(decode, a, tb[IFA_PROTO]);
	decode_rest(decode, a, tb);
	object_seal(decode->arena, object);
	return a;
}
