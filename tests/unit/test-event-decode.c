/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From an event to the hint where to scan, for each kind of event. A truncated or malformed event leads to a scan of the
 * whole namespace, never to a wrong place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/netconf.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>

#include "kernel/event_decode.h"
#include "kind/kinds.h"
#include "kind/route.h"

struct message {
	union {
		struct nlmsghdr nlh;
		char bytes[512];
	};
};

static void *begin(struct message *m, uint16_t type, size_t extra) {
	memset(m, 0, sizeof(*m));
	mnl_nlmsg_put_header(m);
	m->nlh.nlmsg_type = type;
	return mnl_nlmsg_put_extra_header(&m->nlh, extra);
}

static void make_link(struct message *m, uint16_t type, uint8_t family, unsigned flags) {
	struct ifinfomsg *ifi = begin(m, type, sizeof(*ifi));

	ifi->ifi_family = family;
	ifi->ifi_index = 5;
	ifi->ifi_flags = flags;
	mnl_attr_put_strz(&m->nlh, IFLA_IFNAME, "eth0");
	mnl_attr_put_strz(&m->nlh, IFLA_IFALIAS, "topod:office");
}

static void make_address(struct message *m) {
	struct ifaddrmsg *ifa = begin(m, RTM_DELADDR, sizeof(*ifa));

	ifa->ifa_index = 5;
}

static void make_route(struct message *m, uint8_t family, size_t size) {
	static const uint8_t address[32] = { 10, 1 };
	struct rtmsg *rtm = begin(m, RTM_NEWROUTE, sizeof(*rtm));

	rtm->rtm_family = family;
	rtm->rtm_dst_len = 16;
	rtm->rtm_table = RT_TABLE_COMPAT;
	rtm->rtm_protocol = RTPROT_KERNEL;
	mnl_attr_put(&m->nlh, RTA_DST, size, address);
	mnl_attr_put_u32(&m->nlh, RTA_TABLE, 1000);
	mnl_attr_put_u32(&m->nlh, RTA_OIF, 5);
	mnl_attr_put_u32(&m->nlh, RTA_PRIORITY, 7);
}

static void make_setting(struct message *m, int32_t index) {
	begin(m, RTM_NEWNETCONF, sizeof(struct netconfmsg));
	mnl_attr_put_u32(&m->nlh, NETCONFA_IFINDEX, (uint32_t)index);
}

static void make_nft(struct message *m, uint16_t type, const char *table) {
	begin(m, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), sizeof(struct nfgenmsg));
	if (table)
		mnl_attr_put_strz(&m->nlh, NFTA_TABLE_NAME, table);
}

/* All sources, as if one socket received everything. */
static const struct source *sources[32];
static struct arena arena;

static int find_sources(_unused_ void **state) {
	size_t n = 0;

	for (const struct class *const *class = classes; *class; class ++)
		if ((*class)->source && (*class)->source->groups)
			sources[n++] = (*class)->source;
	for (const struct kind *const *kind = kinds; *kind; kind++)
		if ((*kind)->source && (*kind)->source->groups)
			sources[n++] = (*kind)->source;
	assert_in_range(n, 6, ARRAY_SIZE(sources) - 1);
	return 0;
}

static int drop_objects(_unused_ void **state) {
	arena_done(&arena);
	return 0;
}

static bool hear(struct message *m, struct hint *ret) {
	struct hint hints[EVENT_HINTS];
	size_t n = event_hints(sources, &m->nlh, m->nlh.nlmsg_len, &arena, hints);

	*ret = hints[0];
	return n > 0;
}

static struct hint hint_of(struct message *m) {
	struct hint hint;

	assert_true(hear(m, &hint));
	return hint;
}

static void assert_about(struct message *m, enum hint_type type, const struct class *class) {
	struct hint hint = hint_of(m);

	assert_int_equal(hint.type, type);
	assert_ptr_equal(hint.class, class);
}

static void test_links(_unused_ void **state) {
	struct message m;
	struct hint hint;

	make_link(&m, RTM_NEWLINK, AF_UNSPEC, IFF_UP);
	hint = hint_of(&m);
	assert_int_equal(hint.type, HINT_LINK);
	assert_int_equal(hint.ifindex, 5);
	assert_string_equal(hint.link, "eth0");
	assert_string_equal(hint.alias, "topod:office");
	assert_false(hint.down);
	make_link(&m, RTM_NEWLINK, AF_UNSPEC, 0);
	assert_true(hint_of(&m).down);
	make_link(&m, RTM_DELLINK, AF_UNSPEC, IFF_UP);
	assert_true(hint_of(&m).down);
	make_link(&m, RTM_NEWLINK, AF_BRIDGE, IFF_UP);
	assert_about(&m, HINT_PARTS, &class_port);
	begin(&m, RTM_NEWLINK, sizeof(struct ifinfomsg)); /* without a name */
	assert_int_equal(hint_of(&m).type, HINT_NAMESPACE);
}

static void test_addresses(_unused_ void **state) {
	struct message m;

	make_address(&m);
	assert_int_equal(hint_of(&m).type, HINT_DEPENDENTS);
	assert_int_equal(hint_of(&m).ifindex, 5);
}

static void test_forwarding(_unused_ void **state) {
	struct message m;
	struct ndmsg *ndm = begin(&m, RTM_DELNEIGH, sizeof(*ndm));

	struct hint hints[EVENT_HINTS];

	ndm->ndm_family = AF_BRIDGE;
	ndm->ndm_ifindex = 5;
	/* A bridge's entry may have come from another port. */
	assert_about(&m, HINT_CLASS, &class_fdb);
	ndm->ndm_flags = NTF_SELF;
	assert_about(&m, HINT_PARTS, &class_fdb);
	mnl_attr_put(&m.nlh, NDA_LLADDR, 6, "\0\0\0\0\0\0");
	assert_int_equal(event_hints(sources, &m.nlh, m.nlh.nlmsg_len, &arena, hints), 2);
	assert_int_equal(hints[0].ifindex, 5);
	assert_int_equal(hints[1].type, HINT_DETAIL);
	assert_int_equal(hints[1].ifindex, 5);
}

static void test_neighbours(_unused_ void **state) {
	struct message m;
	struct ndmsg *ndm = begin(&m, RTM_DELNEIGH, sizeof(*ndm));
	struct hint hints[EVENT_HINTS];

	/* It may be a declared entry, and the way to the host that used an address of ours. */
	ndm->ndm_family = AF_BRIDGE;
	ndm->ndm_ifindex = 5;
	mnl_attr_put(&m.nlh, NDA_LLADDR, 6, "\x02\x00\x00\x00\x00\x01");
	assert_int_equal(event_hints(sources, &m.nlh, m.nlh.nlmsg_len, &arena, hints), 2);
	assert_ptr_equal(hints[0].class, &class_fdb);
	assert_int_equal(hints[1].type, HINT_NEIGHBOUR);
	assert_int_equal(hints[1].address.family, 0);
	ndm = begin(&m, RTM_NEWNEIGH, sizeof(*ndm));
	ndm->ndm_family = AF_INET;
	ndm->ndm_ifindex = 5;
	mnl_attr_put(&m.nlh, NDA_DST, 4, "\x0a\x00\x00\x01");
	/* It may be a declared one, and it may be the host that used an address of ours. */
	assert_int_equal(event_hints(sources, &m.nlh, m.nlh.nlmsg_len, &arena, hints), 2);
	assert_int_equal(hints[0].type, HINT_PARTS);
	assert_ptr_equal(hints[0].class, &class_neighbor);
	assert_int_equal(hints[1].type, HINT_NEIGHBOUR);
	assert_int_equal(hints[1].address.family, AF_INET);
	assert_memory_equal(hints[1].address.bytes, "\x0a\x00\x00\x01", 4);
}

static void test_routes(_unused_ void **state) {
	struct message m;
	struct hint hint;
	char text[PREFIX_TEXT_MAX];

	make_route(&m, AF_INET, 4);
	hint = hint_of(&m);
	assert_int_equal(hint.type, HINT_OBJECT);
	const struct route *route = (const struct route *)hint.like;
	assert_string_equal(prefix_format(&route->to, text), "10.1.0.0/16");
	assert_int_equal(route->table, 1000);
	assert_int_equal(route->metric, 7);
	assert_int_equal(hint.ifindex, 5);
	assert_false(hint.by_kernel); /* the kernel adds no routes along with addresses to this table */
	make_route(&m, AF_INET, 4);
	((struct rtmsg *)mnl_nlmsg_get_payload(&m.nlh))->rtm_dst_len = 17;
	assert_false(object_same_key(hint.like, hint_of(&m).like));
	/* An invalid destination. */
	make_route(&m, AF_INET, 16);
	assert_int_equal(hint_of(&m).type, HINT_NAMESPACE);
	make_route(&m, AF_INET6, 4);
	assert_int_equal(hint_of(&m).type, HINT_NAMESPACE);
	make_route(&m, AF_MPLS, 4);
	assert_int_equal(hint_of(&m).type, HINT_NAMESPACE);
}

/* Routes that an address adds to the table `local` are covered by the address's event; removing one has only its own
 * event. */
static void test_local_routes(_unused_ void **state) {
	static const struct {
		uint16_t type;
		uint8_t of, table;
		bool by_kernel;
	} cases[] = {
		{ RTM_NEWROUTE, RTN_LOCAL, RT_TABLE_LOCAL, false },    { RTM_DELROUTE, RTN_LOCAL, RT_TABLE_LOCAL, true },
		{ RTM_DELROUTE, RTN_BROADCAST, RT_TABLE_LOCAL, true }, { RTM_DELROUTE, RTN_MULTICAST, RT_TABLE_LOCAL, true },
		{ RTM_DELROUTE, RTN_ANYCAST, RT_TABLE_LOCAL, false },  { RTM_DELROUTE, RTN_UNICAST, RT_TABLE_MAIN, true },
		{ RTM_NEWROUTE, RTN_UNICAST, RT_TABLE_MAIN, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct message m;
		struct rtmsg *rtm = begin(&m, cases[i].type, sizeof(*rtm));
		struct hint hint;

		rtm->rtm_family = AF_INET;
		rtm->rtm_dst_len = 32;
		rtm->rtm_table = cases[i].table;
		rtm->rtm_protocol = RTPROT_KERNEL;
		rtm->rtm_type = cases[i].of;
		mnl_attr_put_u32(&m.nlh, RTA_OIF, 5);
		hint = hint_of(&m);
		assert_int_equal(hint.type, HINT_OBJECT);
		assert_int_equal(((const struct route *)hint.like)->table, cases[i].table);
		assert_int_equal(hint.by_kernel, cases[i].by_kernel);
	}
}

static void test_settings(_unused_ void **state) {
	struct message m;

	make_setting(&m, 5);
	assert_about(&m, HINT_PARTS, &class_sysctl);
	assert_int_equal(hint_of(&m).ifindex, 5);
	make_setting(&m, NETCONFA_IFINDEX_ALL);
	assert_about(&m, HINT_PARTS, &class_sysctl);
	assert_int_equal(hint_of(&m).ifindex, 0);
	begin(&m, RTM_NEWNETCONF, sizeof(struct netconfmsg)); /* of nothing */
	assert_int_equal(hint_of(&m).type, HINT_NAMESPACE);
}

static void test_tables(_unused_ void **state) {
	struct message m;
	struct hint hint;

	make_nft(&m, NFT_MSG_DELRULE, "topod-office");
	assert_about(&m, HINT_CLASS, &class_ruleset);
	assert_string_equal(hint_of(&m).name, "topod-office");
	make_nft(&m, NFT_MSG_NEWRULE, NULL);
	assert_about(&m, HINT_CLASS, &class_ruleset);
	assert_null(hint_of(&m).name);
	make_nft(&m, NFT_MSG_NEWGEN, NULL); /* the end of a transaction */
	assert_false(hear(&m, &hint));
	begin(&m, RTM_NEWRULE, 16);
	assert_about(&m, HINT_CLASS, &class_rule);
}

/* The rest that did not fit may be about any table; with rtnetlink it only continues the part that was read. */
static enum about about_first(_unused_ const struct event *event, struct hint *ret) {
	ret->type = HINT_DEPENDENTS;
	return ABOUT_HINT;
}

static enum about about_second(_unused_ const struct event *event, struct hint *ret) {
	ret->type = HINT_DETAIL;
	return ABOUT_HINT;
}

static enum about about_other(_unused_ const struct event *event, struct hint *ret) {
	ret->type = HINT_CLASS;
	return ABOUT_OTHER;
}

/* A neighbour that is gone may be a declared one, or the reason why an address failed. */
static void test_several_sources(_unused_ void **state) {
	const struct source first = { .first = 1000, .last = 1001, .about = about_first },
			    second = { .first = 1001, .last = 1003, .about = about_second },
			    other = { .first = 1000, .last = 1003, .about = about_other },
			    *const all[] = { &other, &first, &other, &second, NULL };
	struct hint hints[EVENT_HINTS];
	struct message m;

	begin(&m, 1001, 0);
	assert_int_equal(event_hints(all, &m.nlh, m.nlh.nlmsg_len, &arena, hints), 2);
	assert_int_equal(hints[0].type, HINT_DEPENDENTS);
	assert_int_equal(hints[1].type, HINT_DETAIL);
	begin(&m, 1003, 0);
	assert_int_equal(event_hints(all, &m.nlh, m.nlh.nlmsg_len, &arena, hints), 1);
	assert_int_equal(hints[0].type, HINT_DETAIL);
	begin(&m, 1004, 0); /* unknown type */
	assert_int_equal(event_hints(all, &m.nlh, m.nlh.nlmsg_len, &arena, hints), 1);
	assert_int_equal(hints[0].type, HINT_NAMESPACE);
}

static void test_unread(_unused_ void **state) {
	struct message m;
	struct hint hint;

	make_nft(&m, NFT_MSG_NEWTABLE, "topod-office");
	assert_true(event_hint_unread(sources, &m.nlh, &arena, &hint));
	assert_int_equal(hint.type, HINT_CLASS);
	assert_ptr_equal(hint.class, &class_ruleset);
	assert_null(hint.name);
	make_address(&m);
	assert_false(event_hint_unread(sources, &m.nlh, &arena, &hint));
}

/* Cuts the message at each length, in memory of exactly that size. */
static void check_cut(const struct message *m, enum hint_type type) {
	bool understood = false;

	for (size_t size = NLMSG_HDRLEN; size < m->nlh.nlmsg_len; size++) {
		_cleanup_free_ struct nlmsghdr *part = xmalloc(size);
		struct hint hints[EVENT_HINTS], hint;

		memcpy(part, m, size);
		assert_int_equal(event_hints(sources, part, size, &arena, hints), 1);
		hint = hints[0];
		assert_int_equal(part->nlmsg_len, size);
		assert_true(hint.type == HINT_NAMESPACE || hint.type == type);
		assert_false(understood && hint.type == HINT_NAMESPACE); /* a longer part contains at least as much */
		understood |= hint.type != HINT_NAMESPACE;
		if (hint.link)
			assert_string_equal(hint.link, "eth0");
		if (hint.name)
			assert_string_equal(hint.name, "topod-office");
	}
}

static void test_cut_off(_unused_ void **state) {
	struct message m;

	make_link(&m, RTM_NEWLINK, AF_UNSPEC, IFF_UP);
	check_cut(&m, HINT_LINK);
	make_address(&m);
	check_cut(&m, HINT_DEPENDENTS);
	make_setting(&m, 5);
	check_cut(&m, HINT_PARTS);
	make_nft(&m, NFT_MSG_NEWTABLE, "topod-office");
	check_cut(&m, HINT_CLASS);
	/* The metric may be the last attribute. */
	make_route(&m, AF_INET, 4);
	check_cut(&m, HINT_NAMESPACE);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_links),           cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_routes),          cmocka_unit_test(test_local_routes),
		cmocka_unit_test(test_forwarding),      cmocka_unit_test(test_neighbours),
		cmocka_unit_test(test_settings),        cmocka_unit_test(test_tables),
		cmocka_unit_test(test_unread),          cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_several_sources),
	};

	return cmocka_run_group_tests(tests, find_sources, drop_objects);
}
