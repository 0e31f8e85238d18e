/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that refer to something that was removed since the scan: each fails and says what is missing, and none is sent
 * with the number 0 instead.
 */
#include "spec-helper.h"

#include <linux/rtnetlink.h>

#include "plan/plan.h"

/* What exists: links by name, namespaces or none, one link of the host by its MAC address. */
struct there {
	const char *links;
	bool namespaces;
	uint32_t by_mac;
};

static uint32_t ifindex(void *userdata, const char *ns _unused_, const char *name) {
	const struct there *there = userdata;

	return there->links && streq(there->links, name) ? 5 : 0;
}

static int netns_fd(void *userdata, const char *ns _unused_) {
	const struct there *there = userdata;

	return there->namespaces ? 3 : -ENOENT;
}

static uint32_t new_ifindex(void *userdata _unused_, const char *ns _unused_, const char *name _unused_) {
	return 99;
}

static uint32_t ifindex_by_mac(void *userdata, const struct mac *mac) {
	const struct there *there = userdata;

	assert_int_equal(mac->bytes[5], 1);
	return there->by_mac;
}

struct request {
	struct read_spec spec;
	struct nl_writer writer;
	struct encode encode;
	int r;
};

static void request_done(struct request *request) {
	read_spec_done(&request->spec);
	nl_writer_done(&request->writer);
}
#define _request_ _cleanup_(request_done) struct request

static void make(struct request *request, const char *text, const char *id, enum change_type type, struct there *there) {
	const struct resolver resolver = { .userdata = there,
					   .ifindex = ifindex,
					   .netns_fd = netns_fd,
					   .new_ifindex = new_ifindex,
					   .ifindex_by_mac = ifindex_by_mac };
	struct change change = { .type = type };

	*request = (struct request){};
	good_spec(&request->spec, text);
	change.desired = get_object(&request->spec.spec.state, id);
	change.observed = type == CHANGE_DELETE ? change.desired : NULL;
	change.fields = change.desired->set;
	request->encode = (struct encode){
		.writer = &request->writer, .resolver = &resolver, .topology = "t", .arena = &request->spec.spec.state.arena
	};
	request->r = change.desired->kind->encode(&request->encode, &change);
	request->encode.resolver = NULL;
}

static void check(const char *text, const char *id, enum change_type type, struct there there, int r, const char *problem) {
	_request_ request;

	make(&request, text, id, type, &there);
	assert_int_equal(request.r, r);
	assert_string_equal(request.encode.problem ? request.encode.problem : "", problem);
}

#define HOST(rest) "namespaces: {host: {" rest "}}"
#define PAIR "namespaces: {host: {interfaces: {br0: {kind: bridge, ports: [c1]}}}, web: {}}\nlinks: [[web:eth0, host:c1]]\n"
#define PHYSICAL(source) "namespaces: {web: {interfaces: {p: {kind: physical, source: " source "}}}}"

static void test_links_that_are_gone(void **state _unused_) {
	const struct there none = {}, e = { .links = "e" };
	const char *port =
		HOST("interfaces: {b: {kind: bridge, ports: [{name: e, cost: 5}]}, e: {kind: existing, mtu: 1400}}");
	const char *address = HOST("interfaces: {e: {kind: existing, addresses: 10.0.0.1/8}}");

	check(port, "host/e bridge port of b", CHANGE_UPDATE, none, -ENODEV, "there is no e in host");
	check(port, "host/e bridge port of b", CHANGE_UPDATE, e, 0, "");
	check(port, "host/e link", CHANGE_UPDATE, none, -ENODEV, "the interface is gone");
	check(port, "host/e link", CHANGE_UPDATE, e, -ENODEV, "there is no b in host"); /* its controller */
	check(address, "host/e address 10.0.0.1/8", CHANGE_CREATE, none, -ENODEV, "there is no e in host");
	check(address, "host/e address 10.0.0.1/8", CHANGE_CREATE, e, 0, "");
}

static void test_lower_links_that_are_gone(void **state _unused_) {
	const char *macvlan = HOST("interfaces: {m: {kind: macvlan, link: e}, e: {kind: existing}}");
	const char *vxlan = HOST("interfaces: {v: {kind: vxlan, id: 5, dev: e}, e: {kind: existing}}");

	check(macvlan, "host/m link", CHANGE_CREATE, (struct there){}, -ENODEV, "there is no e in host");
	check(vxlan, "host/v link", CHANGE_CREATE, (struct there){}, -ENODEV, "there is no e in host");
	check(macvlan, "host/m link", CHANGE_CREATE, (struct there){ .links = "e" }, 0, "");
	check(vxlan, "host/v link", CHANGE_CREATE, (struct there){ .links = "e" }, 0, "");
}

static void test_ways_that_are_gone(void **state _unused_) {
	const char *dev = HOST("routes: {to: 10.0.0.0/8, dev: e}"),
		   *gateway = HOST("routes: {to: 10.0.0.0/8, via: 10.9.0.1}");
	const char *hops = HOST("routes: {to: 10.0.0.0/8, nexthops: [{via: 10.9.0.1, dev: e}, {via: 10.9.0.2, dev: f}]}");
	const char *id = "host route 10.0.0.0/8";

	check(dev, id, CHANGE_CREATE, (struct there){}, -ENODEV, "there is no e in host");
	check(dev, id, CHANGE_CREATE, (struct there){ .links = "e" }, 0, "");
	check(hops, id, CHANGE_CREATE, (struct there){}, -ENODEV, "there is no e in host");
	check(hops, id, CHANGE_CREATE, (struct there){ .links = "e" }, -ENODEV, "there is no f in host");
	check(gateway, id, CHANGE_CREATE, (struct there){}, 0, "");
}

static void test_pair(void **state _unused_) {
	check(PAIR, "web/eth0 link", CHANGE_CREATE, (struct there){}, -ENOENT, "there is no namespace web");
	check(PAIR, "host/c1 link", CHANGE_CREATE, (struct there){ .namespaces = true }, -ENODEV, "there is no br0 in host");
	check(PAIR, "host/c1 link", CHANGE_CREATE, (struct there){ .namespaces = true, .links = "br0" }, 0, "");
}

/* Found by its name, or by its MAC address: then it is moved under any name. */
static void test_interface_to_move(void **state _unused_) {
	struct there there = { .namespaces = true, .by_mac = 77 };
	const struct ifinfomsg *ifi;
	_request_ request;

	check(PHYSICAL("nic"), "web/p link", CHANGE_CREATE, there, -ENODEV,
	      "there is no interface nic in the host namespace");
	check(PHYSICAL("'02:00:00:00:00:01'"), "web/p link", CHANGE_CREATE,
	      (struct there){ .namespaces = true, .links = "nic" }, -ENODEV,
	      "there is no interface 02:00:00:00:00:01 in the host namespace");
	make(&request, PHYSICAL("'02:00:00:00:00:01'"), "web/p link", CHANGE_CREATE, &there);
	assert_int_equal(request.r, 0);
	assert_int_equal(request.writer.messages.n, 1);
	ifi = mnl_nlmsg_get_payload(request.writer.messages.items[0]);
	assert_int_equal(ifi->ifi_index, 77);
	there.namespaces = false;
	check(PHYSICAL("'02:00:00:00:00:01'"), "web/p link", CHANGE_CREATE, there, -ENOENT, "there is no namespace web");
}

/* Its index may belong to another link by now. */
static void test_deletion_by_name(void **state _unused_) {
	struct there there = { .namespaces = true };
	const struct nlattr *attrs[IFLA_MAX + 1];
	const struct ifinfomsg *ifi;
	_request_ request;

	make(&request, PAIR, "host/c1 link", CHANGE_DELETE, &there);
	assert_int_equal(request.r, 0);
	ifi = mnl_nlmsg_get_payload(request.writer.messages.items[0]);
	assert_int_equal(ifi->ifi_index, 0);
	nl_parse(request.writer.messages.items[0], sizeof(*ifi), attrs, IFLA_MAX);
	assert_string_equal(mnl_attr_get_str(attrs[IFLA_IFNAME]), "c1");
}

/* Under an index of our choice: the kernel might reuse that of a link that was just deleted, and a late deletion of that
 * link would delete this one. */
static void test_interface_given_back(void **state _unused_) {
	struct there there = { .namespaces = true };
	const struct nlattr *attrs[IFLA_MAX + 1];
	_request_ request;

	make(&request, PHYSICAL("nic"), "web/p link", CHANGE_DELETE, &there);
	assert_int_equal(request.r, 0);
	assert_int_equal(request.writer.messages.n, 1);
	nl_parse(request.writer.messages.items[0], sizeof(struct ifinfomsg), attrs, IFLA_MAX);
	assert_string_equal(mnl_attr_get_str(attrs[IFLA_IFNAME]), "nic");
	assert_non_null(attrs[IFLA_NEW_IFINDEX]);
	assert_int_equal(mnl_attr_get_u32(attrs[IFLA_NEW_IFINDEX]), 99);
}

/* The kernel applies the flags of a message first, and generates the link-local address at that moment. */
static void test_address_generation_before_up(void **state _unused_) {
	const char *text = HOST("interfaces: {e: {kind: existing, up: true, ipv6-address-generation: none, mtu: 1400}}");
	struct there there = { .links = "e" };
	_request_ request;

	make(&request, text, "host/e link", CHANGE_UPDATE, &there);
	assert_int_equal(request.r, 0);
	assert_int_equal(request.writer.messages.n, 2);
	const struct ifinfomsg *first = mnl_nlmsg_get_payload(request.writer.messages.items[0]);
	const struct ifinfomsg *second = mnl_nlmsg_get_payload(request.writer.messages.items[1]);
	assert_int_equal(first->ifi_index, 5);
	assert_int_equal(first->ifi_change, 0);
	assert_int_equal(second->ifi_index, 5);
	assert_int_equal(second->ifi_flags & IFF_UP, IFF_UP);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_links_that_are_gone), cmocka_unit_test(test_lower_links_that_are_gone),
		cmocka_unit_test(test_ways_that_are_gone),  cmocka_unit_test(test_pair),
		cmocka_unit_test(test_interface_to_move),   cmocka_unit_test(test_interface_given_back),
		cmocka_unit_test(test_deletion_by_name),    cmocka_unit_test(test_address_generation_before_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
