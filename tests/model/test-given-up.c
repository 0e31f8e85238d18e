/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects that topod made and gives up, because the file now declares them as existing: the mark and the ledger entry go,
 * even after a crash, and the object stays.
 */
#include "situation.h"

/* A namespace that topod made and is now to adopt is not topod's any more, for good. */
static void test_given_up(void **state _unused_) {
	static const char mine[] = "topology: t\nnamespaces: {n0: {interfaces: {br: {kind: bridge}}}}\n";
	_situation_ s;

	begin(&s, mine, "topology: t\nnamespaces: {n0: {adopt: true, interfaces: {br: {kind: bridge}}}}\n");
	s.run.fake.holding = true;
	start(&s);
	is_well(&s);
	struct w_ns *before = world_ns(s.run.w, "n0");
	size_t n_requests = s.run.fake.n_requests;
	run_reload(&s.run, 1);
	is_well(&s);
	assert_int_equal(s.run.fake.n_requests, n_requests);
	assert_null(before->held);
	before->external = true;
	run_reload(&s.run, 0);
	run_quiesce(&s.run);
	is_degraded(&s);
	run_reload(&s.run, 1);
	is_well(&s);
	assert_true(ns_link(before, "lo")->values->up);
}

/* Like the namespace, a link, which loses its mark. */
static void test_link_given_up(void **state _unused_) {
	static const char mine[] = "topology: t\nnamespaces: {n0: {interfaces: {br: {kind: bridge, mtu: 1400}}}}\n";
	_situation_ s;

	begin(&s, mine, "topology: t\nnamespaces: {n0: {interfaces: {br: {kind: existing, mtu: 1400}}}}\n");
	start(&s);
	is_well(&s);
	struct w_link *before = ns_link(world_ns(s.run.w, "n0"), "br");
	run_reload(&s.run, 1);
	is_well(&s);
	assert_ptr_equal(before, ns_link(world_ns(s.run.w, "n0"), "br"));
	assert_string_equal(before->values->alias, "");
	run_reload(&s.run, 0);
	run_quiesce(&s.run);
	is_degraded(&s);
	run_reload(&s.run, 1);
	is_well(&s);
}

/* topod dies when the ledger has forgotten the link and the kernel still shows the mark. */
static void test_crash_between_ledger_and_mark(void **state _unused_) {
	const struct step crash = { .type = STEP_CRASH, .n = 1, .after = true };
	struct w_link *bridge;
	_situation_ s;

	begin(&s, "topology: t\nnamespaces: {host: {interfaces: {br0: {kind: bridge}}}}\n",
	      "topology: t\nnamespaces: {host: {interfaces: {br0: {kind: existing}}, sysctl: {net.ipv4.ip_forward: 1}}}\n");
	start(&s);
	is_well(&s);
	bridge = ns_link(world_ns(s.run.w, NS_HOST), "br0");
	run_plan_crash(&s.run, &crash);
	run_reload(&s.run, 1);
	run_settle(&s.run);
	assert_int_equal(s.run.n_crashes, 1);
	assert_string_equal(bridge->values->alias, "topod:t");
	is_well(&s);
	assert_string_equal(bridge->values->alias, "");
	run_reload(&s.run, -1);
	is_well(&s);
	assert_ptr_equal(bridge, ns_link(world_ns(s.run.w, NS_HOST), "br0"));
}

/* Somebody else's alias, in a namespace that is shared, is not topod's mark, and comes back. */
static void test_alias_of_somebody_else(void **state _unused_) {
	struct w_link *bridge;
	_situation_ s;

	begin(&s, "topology: t\nnamespaces: {n0: {adopt: true, interfaces: {br0: {kind: bridge, mtu: 1400}}}}\n", NULL);
	act(&s, (struct op){ .type = OP_NS_ADD, .ns = "n0" });
	act(&s, (struct op){ .type = OP_BRIDGE, .ns = "n0", .name = "br0" });
	act(&s, (struct op){ .type = OP_ALIAS, .ns = "n0", .name = "br0", .text = "mine" });
	start(&s);
	is_well(&s);
	bridge = ns_link(world_ns(s.run.w, "n0"), "br0");
	assert_string_equal(bridge->values->alias, "mine");
	run_reload(&s.run, -1);
	is_well(&s);
	assert_string_equal(bridge->values->alias, "mine");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		situation_test(test_given_up),
		situation_test(test_link_given_up),
		situation_test(test_crash_between_ledger_and_mark),
		situation_test(test_alias_of_somebody_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
