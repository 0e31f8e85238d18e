/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that the fake kernel carries out from the messages that topod would send: objects of the kernel that topod makes
 * again, and what is kept as messages (world_raw.c).
 */
#include "fake_private.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "kind/kinds.h"

/* Objects that the kernel makes by itself, made again by topod: the messages are carried out one by one. */

static struct prefix prefix_of(const struct nlattr *attr, uint8_t family, uint8_t length) {
	struct prefix prefix = { .length = length };

	if (ip_from_bytes(family, mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr), &prefix.address) < 0)
		abort();
	return prefix;
}

static int carry_out_address(struct world *w, struct w_link *link, const struct nlmsghdr *nlh) {
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[IFA_PROTO + 1];
	int r;

	nl_parse(nlh, sizeof(*ifa), tb, IFA_PROTO);
	const struct prefix address = prefix_of(tb[IFA_LOCAL], ifa->ifa_family, ifa->ifa_prefixlen), none = {};
	if (nlh->nlmsg_type == RTM_DELADDR)
		return address_delete(w, link->ns, link, &address, &none);
	r = address_add(w, link->ns,
			(struct w_address){ .link = link,
					    .address = address,
					    .scope = ifa->ifa_scope,
					    .protocol = nl_get_u8(tb[IFA_PROTO], 0),
					    .made = true });
	return r == -EEXIST ? 0 : r;
}

static int carry_out_route(struct world *w, struct w_link *link, const struct nlmsghdr *nlh) {
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[RTA_PREFSRC + 1];
	struct made_route made;
	struct ip source = {};

	if (nlh->nlmsg_type == RTM_DELROUTE)
		return 0;
	nl_parse(nlh, sizeof(*rtm), tb, RTA_PREFSRC);
	const struct prefix to = prefix_of(tb[RTA_DST], rtm->rtm_family, rtm->rtm_dst_len);
	if (tb[RTA_PREFSRC])
		source = prefix_of(tb[RTA_PREFSRC], rtm->rtm_family, 0).address;
	if (made_route_decode(nlh, &made))
		return made_add(w, link, &to, made.type);
	return address_restore_connected(w, link, &to, &source);
}

static int carry_out_messages(struct world *w, struct w_link *link, const struct nl_writer *messages) {
	int first = 0;

	/* Messages after a refused one are carried out too. */
	for (size_t i = 0; i < messages->messages.n; i++) {
		const struct nlmsghdr *nlh = messages->messages.items[i];
		int r = nlh->nlmsg_type == RTM_NEWADDR || nlh->nlmsg_type == RTM_DELADDR ? carry_out_address(w, link, nlh)
											 : carry_out_route(w, link, nlh);

		first = first ? first : r;
	}
	return first;
}

int restore_own(struct world *w, struct w_link *link, const struct change *change) {
	_cleanup_(nl_writer_done) struct nl_writer writer = {};
	struct encode encode = { .writer = &writer };
	const char *path, *value;

	if (!(change->fields & (field_bit(LINK_OWN_ADDRESSES) | field_bit(LINK_OWN_ROUTES))))
		return 0;
	link_put_own_addresses(&encode, change, link->index);
	for (size_t i = 0; link_writes(change, i, &w->arena, &path, &value); i++)
		(void)setting_set(w, link->ns, path, value);
	return carry_out_messages(w, link, &writer);
}

int restore_routes(struct world *w, struct w_link *link, const struct change *change) {
	_cleanup_(nl_writer_done) struct nl_writer writer = {};

	address_put_missing(&writer, change, link->index);
	return carry_out_messages(w, link, &writer);
}

/* What is kept as messages. */

static uint32_t ifindex(void *userdata, const char *ns, const char *name) {
	const struct w_link *link = ns_link(world_ns_or_held(userdata, ns), name);

	return link ? link->index : 0;
}

int request_raw(struct fake *fake, const struct scan_request *request, const struct change *change) {
	const struct object *object = change_object(change);
	struct world *w = fake->world;
	struct w_ns *ns = world_ns_or_held(w, object->ns);
	const struct resolver resolver = { .userdata = w, .ifindex = ifindex };
	_cleanup_(nl_writer_done) struct nl_writer writer = {};
	struct encode encode = { .writer = &writer, .resolver = &resolver, .arena = &w->arena };
	int r = ns ? object->kind->encode(&encode, change) : -ENOENT;
	bool external = false;

	for (size_t i = 0; r == 0 && i < writer.messages.n; i++) {
		const struct nlmsghdr *nlh = writer.messages.items[i];
		const struct w_raw *there = raw_find(ns, nlh, false);

		if (there && change->type != CHANGE_CREATE && (raw_deletes(nlh) || object->kind != &kind_rule)) {
			judge(fake, request, there->external, change);
			external |= there->external;
		}
		r = raw_carry_out(w, ns, nlh);
	}
	/* Objects that others made stay theirs even if topod has changed them. */
	if (r == 0 && change->type == CHANGE_UPDATE)
		raw_find(ns, writer.messages.items[0], false)->external = external && !find_made(fake, object);
	return r;
}
