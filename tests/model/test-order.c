/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Situations in which the order of changes matters, or one object disappears with another: addresses of one subnet, network
 * cards that are swapped, routes whose gateway is not reachable yet.
 */
#include "situation.h"

static void go_down(struct situation *s) {
	run_stop(&s->run);
	run_start(&s->run, -1);
	run_quiesce(&s->run);
	check_gone(&s->run);
	no_failure(s);
}

static struct w_address *address_of(struct situation *s, const char *ns, const char *link, const char *text) {
	struct w_ns *there = world_ns(s->run.w, ns);
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, &prefix), 0);
	return ns_address(there, ns_link(there, link), &prefix, &(struct prefix){});
}

/* A foreign address is taken over, and recreated after the one that the file declares first. It stays foreign: `down` leaves
 * it as it was. */
static void test_taken_over_and_put_behind(void **state _unused_) {
	_situation_ s;

	begin(&s,
	      "topology: t\nnamespaces: {n0: {adopt: true, interfaces: {f1: {kind: existing, addresses:\n"
	      "  [10.2.0.1/24, 10.2.0.9/24]}}}}\n",
	      NULL);
	act(&s, (struct op){ .type = OP_NS_ADD, .ns = "n0" });
	act(&s, (struct op){ .type = OP_VETH, .ns = "n0", .name = "f0", .ns2 = "n0", .name2 = "f1" });
	act(&s, (struct op){ .type = OP_ADDRESS_ADD, .ns = "n0", .name = "f1", .text = "10.2.0.9/24" });
	start(&s);
	is_well(&s);
	assert_true(address_of(&s, "n0", "f1", "10.2.0.9/24")->secondary);
	go_down(&s);
	assert_null(address_of(&s, "n0", "f1", "10.2.0.1/24"));
	assert_non_null(address_of(&s, "n0", "f1", "10.2.0.9/24"));
	assert_int_equal(address_of(&s, "n0", "f1", "10.2.0.9/24")->protocol, 0);
}

/* Somebody adds another address of the subnet. It stays when topod's is recreated and when it goes, although the kernel deletes
 * secondary addresses together with the primary one. */
static void keep_secondary(bool promotes) {
	_situation_ s;

	begin(&s, "topology: t\nnamespaces: {host: {interfaces: {f0: {kind: existing, addresses: [10.2.0.1/24]}}}}\n",
	      "topology: t\nnamespaces: {host: {interfaces: {f0: {kind: existing, addresses:\n"
	      "  [{address: 10.2.0.1/24, label: 'f0:x'}]}}}}\n");
	s.run.w->promotes = promotes;
	add_card(&s);
	start(&s);
	is_well(&s);
	act(&s, (struct op){ .type = OP_ADDRESS_ADD, .ns = NS_HOST, .name = "f0", .text = "10.2.0.9/24" });
	is_well(&s);
	run_reload(&s.run, 1);
	is_well(&s);
	assert_non_null(address_of(&s, NS_HOST, "f0", "10.2.0.9/24"));
	assert_int_equal(count(&s, "= restored"), 0);
	go_down(&s);
	assert_null(address_of(&s, NS_HOST, "f0", "10.2.0.1/24"));
	assert_non_null(address_of(&s, NS_HOST, "f0", "10.2.0.9/24"));
	assert_int_equal(address_of(&s, NS_HOST, "f0", "10.2.0.9/24")->protocol, 0);
}

/* Between the two halves of a recreation somebody adds the same address. It is theirs, and stays when topod goes. */
static void test_taken_in_between(void **state _unused_) {
	_situation_ s;

	begin(&s, "topology: t\nnamespaces: {host: {interfaces: {f0: {kind: existing, addresses: [10.2.0.1/24]}}}}\n",
	      "topology: t\nnamespaces: {host: {interfaces: {f0: {kind: existing, addresses:\n"
	      "  [{address: 10.2.0.1/24, label: 'f0:x'}]}}}}\n");
	add_card(&s);
	start(&s);
	is_well(&s);
	vec_push(&s.run.scheduled,
		 (struct scheduled){ s.run.fake.n_requests + 2,
				     false,
				     { .type = OP_ADDRESS_ADD, .ns = NS_HOST, .name = "f0", .text = "10.2.0.1/24" } });
	run_reload(&s.run, 1);
	run_quiesce(&s.run);
	go_down(&s);
	assert_non_null(address_of(&s, NS_HOST, "f0", "10.2.0.1/24"));
}

static void test_secondary_of_somebody_else(void **state _unused_) {
	keep_secondary(false);
}

static void test_secondary_that_is_promoted(void **state _unused_) {
	keep_secondary(true);
}

/* A route is not requested at the moment when one card is gone and the other has not arrived. */
static void test_route_over_a_card_that_changes(void **state _unused_) {
	_situation_ s;

	begin(&s, "topology: t\nnamespaces: {n0: {interfaces: {wan: {kind: physical, source: eth8}}}}\n",
	      "topology: t\nnamespaces: {n0: {interfaces: {wan: {kind: physical, source: eth9,\n"
	      "  addresses: [10.5.0.1/24, 10.5.0.9/24]}}, routes: [{to: 172.16.0.0/24, via: 10.5.0.254}]}}\n");
	act(&s, (struct op){ .type = OP_HARDWARE, .ns = NS_HOST, .name = "eth8", .text = "enp8s0" });
	act(&s, (struct op){ .type = OP_HARDWARE, .ns = NS_HOST, .name = "eth9", .text = "enp9s0" });
	start(&s);
	is_well(&s);
	run_reload(&s.run, 1);
	is_well(&s);
	assert_int_equal(s.run.fake.n_failed, 0);
}

/* An object that a route needs to reach its gateway fails: only that is reported, and the route is made together with it. */
static void test_gateway_that_cannot_be_reached(void **state _unused_) {
	_situation_ s;

	begin(&s,
	      "topology: t\nnamespaces: {n0: {interfaces: {br: {kind: bridge, addresses: [10.5.0.1/24]}},\n"
	      "  routes: [{to: 172.16.0.0/24, via: 10.5.0.254}]}}\n",
	      NULL);
	vec_push(&s.run.fake.faults, (struct fault){ .id = "n0/br address 10.5.0.1/24", .error = -ENOMEM });
	start(&s);
	is_degraded(&s);
	assert_int_equal(count(&s, "= failing: "), 1);
	assert_int_equal(s.run.fake.n_failed, s.run.fake.n_injected);
	vec_clear(&s.run.fake.faults);
	await_due(&s);
	is_well(&s);
	assert_int_equal(count(&s, "= recovered: "), 1);
}

/* The gateway is reached by a network on an interface that others move in. The route also waits if only the route is
 * scanned. */
static void test_gateway_behind_what_is_awaited(void **state _unused_) {
	_situation_ s;

	begin(&s,
	      "topology: t\nnamespaces: {host: {}, n0: {interfaces: {f0: {kind: existing}},\n"
	      "  routes: [{to: 172.18.0.0/24, via: 10.77.1.254}, {to: 10.77.1.0/24, dev: f0}]}}\n"
	      "links: [[host:e0, n0:e0]]\n",
	      NULL);
	act(&s, (struct op){ .type = OP_BRIDGE, .ns = NS_HOST, .name = "e0" });
	start(&s);
	for (int i = 0; i < 3; i++)
		await_due(&s);
	assert_true(s.run.fake.n_partial > 0);
	assert_int_equal(count(&s, "create n0 route"), 0);
	act(&s, (struct op){ .type = OP_LINK_DELETE, .ns = NS_HOST, .name = "e0" });
	act(&s, (struct op){ .type = OP_VETH, .ns = "n0", .name = "f0", .ns2 = "n0", .name2 = "f1" });
	is_well(&s);
}

/* topod dies while it tries to move in an interface that is not there. An interface that somebody else then makes under that
 * name in an adopted namespace is theirs. */
static void test_card_that_is_not_there(void **state _unused_) {
	const struct step crash = { .type = STEP_CRASH, .n = 1, .after = true };
	_situation_ s;

	begin(&s, "topology: t\nnamespaces: {n0: {adopt: true, interfaces: {wan: {kind: physical, source: eth9}}}}\n", NULL);
	act(&s, (struct op){ .type = OP_NS_ADD, .ns = "n0" });
	run_plan_crash(&s.run, &crash);
	start(&s);
	run_quiesce(&s.run);
	assert_int_equal(s.run.n_crashes, 1);
	act(&s, (struct op){ .type = OP_BRIDGE, .ns = "n0", .name = "wan" });
	go_down(&s);
	assert_non_null(ns_link(world_ns(s.run.w, "n0"), "wan"));
	assert_int_equal(count(&s, "delete n0/wan"), 0);
}

/* The file names the card by its MAC address instead of its name. Its namespace is deleted while topod does not run, and a
 * process keeps it alive: the card is back in the host, with the MAC address that topod gave it, only after topod has missed
 * it. */
static void test_card_named_by_its_mac_address(void **state _unused_) {
	static const char text[] = "topology: t\nnamespaces: {n0: {interfaces: {wan: {kind: physical, source: \"%s\",\n"
				   "  mac-address: \"02:aa:00:00:02:02\"}}}}\n";
	struct mac mac = op_mac(NS_HOST, "eth8");
	char buffer[MAC_TEXT_MAX];
	_cleanup_free_ char *by_name = xasprintf(text, "eth8"), *by_mac = xasprintf(text, mac_format(&mac, buffer));
	_situation_ s;

	begin(&s, by_name, by_mac);
	act(&s, (struct op){ .type = OP_HARDWARE, .ns = NS_HOST, .name = "eth8", .text = "enp8s0" });
	start(&s);
	is_well(&s);
	act(&s, (struct op){ .type = OP_PROCESS, .ns = "n0" });
	run_stop(&s.run);
	act(&s, (struct op){ .type = OP_NS_DELETE, .ns = "n0" });
	run_start(&s.run, 1);
	run_settle(&s.run);
	is_degraded(&s);
	act(&s, (struct op){ .type = OP_PROCESS_END, .ns = NS_HOST });
	is_well(&s);
	go_down(&s);
	assert_memory_equal(&world_card(s.run.w, "eth8")->values->mac, &mac, sizeof(mac));
}

/* Somebody puts a route in front of one that topod found and changed. When that goes back, the one in front stays as it is. */
static void test_found_route_behind_a_foreign_one(void **state _unused_) {
	struct op route = { .ns = "n0", .name = "f0", .text = "172.16.0.0/24", .number = 60 };
	_cleanup_free_ char *before = NULL, *after = NULL;
	_situation_ s;

	begin(&s,
	      "topology: t\nnamespaces: {n0: {adopt: true, interfaces: {f0: {kind: existing, addresses: [10.1.0.1/24]}},\n"
	      "  routes: [{to: 172.16.0.0/24, via: 10.1.0.254, metric: 60, mtu: 1350}]}}\n",
	      NULL);
	act(&s, (struct op){ .type = OP_NS_ADD, .ns = "n0" });
	act(&s, (struct op){ .type = OP_VETH, .ns = "n0", .name = "f0", .ns2 = "n0", .name2 = "f1" });
	act(&s, (struct op){ .type = OP_UP, .ns = "n0", .name = "f0" });
	act(&s, (struct op){ .type = OP_ADDRESS_ADD, .ns = "n0", .name = "f0", .text = "10.252.0.1/24" });
	route.type = OP_ROUTE_ADD;
	act(&s, route);
	before = world_dump(s.run.w, false);
	start(&s);
	is_well(&s);
	route.type = OP_ROUTE_PREPEND;
	route.value = "10.252.0.254";
	act(&s, route);
	assert_int_equal(count(&s, "= reported: n0 route 172.16.0.0/24 via 10.1.0.254"), 1);
	go_down(&s);
	route.type = OP_ROUTE_DELETE;
	run_op(&s.run, &route);
	after = world_dump(s.run.w, false);
	assert_string_equal(before, after);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		situation_test(test_taken_over_and_put_behind),      situation_test(test_taken_in_between),
		situation_test(test_card_that_is_not_there),         situation_test(test_secondary_of_somebody_else),
		situation_test(test_secondary_that_is_promoted),     situation_test(test_route_over_a_card_that_changes),
		situation_test(test_gateway_that_cannot_be_reached), situation_test(test_gateway_behind_what_is_awaited),
		situation_test(test_card_named_by_its_mac_address),  situation_test(test_found_route_behind_a_foreign_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
