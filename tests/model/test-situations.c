/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Single situations in the same model, which a random case (test-model.c) meets once in thousands, or in which it would only
 * take longer to reach the right state. Each has a topology, events, and checks at certain moments.
 */
#include "situation.h"

#include <signal.h>
#include <sys/resource.h>

/* Waiting for an object in another namespace. */

#define CROSSING(card)                                                                    \
	"topology: t\nnamespaces: {host: {interfaces: {f0: {kind: existing" card "}}},\n" \
	"  n0: {interfaces: {mv: {kind: macvlan, link: 'host:f0'},\n"                     \
	"    br: {kind: bridge, addresses: [10.1.0.1/24]}}}}\n"

/* The event of the card's arrival is in its own namespace only. */
static void test_lower_comes(void **state _unused_) {
	_situation_ s;

	begin(&s, CROSSING(""), NULL);
	start(&s);
	is_degraded(&s);
	add_card(&s);
	is_well(&s);
	assert_int_equal(count(&s, "= converged: "), 1);
	assert_true(strstr(s.run.story.data, "= converged: ") > strstr(s.run.story.data, "create n0/mv link"));
}

/* Something else happens meanwhile in the waiting namespace: waiting continues, and ends. */
static void test_lower_comes_late(void **state _unused_) {
	_situation_ s;
	size_t n_narrow;

	begin(&s, CROSSING(""), NULL);
	start(&s);
	lose_address(&s);
	is_degraded(&s);
	add_card(&s);
	is_well(&s);
	n_narrow = s.run.fake.n_partial;
	lose_address(&s);
	is_well(&s);
	assert_true(s.run.fake.n_partial > n_narrow);
}

/* A failed object is declared differently just when it could be made: nothing is left that could recover. */
static void test_lower_comes_with_a_reload(void **state _unused_) {
	_situation_ s;

	begin(&s, CROSSING(""), CROSSING(", mtu: 1400"));
	start(&s);
	run_op(&s.run, &(struct op){ .type = OP_VETH, .ns = NS_HOST, .name = "f0", .ns2 = NS_HOST, .name2 = "f1" });
	vec_clear(&s.run.w->events);
	run_reload(&s.run, 1);
	run_settle(&s.run);
	is_well(&s);
}

/* A change needs something in a namespace that cannot be scanned. */
static void test_lower_is_seen_again(void **state _unused_) {
	_situation_ s;

	begin(&s, CROSSING(""), NULL);
	add_card(&s);
	start(&s);
	is_well(&s);
	s.run.fake.closed = NS_HOST;
	reconciler_dirty(s.run.r, NS_HOST);
	act(&s, (struct op){ .type = OP_LINK_DELETE, .ns = "n0", .name = "mv" });
	is_degraded(&s);
	assert_null(ns_link(world_ns(s.run.w, "n0"), "mv"));
	s.run.fake.closed = NULL;
	await_due(&s);
	is_well(&s);
}

/* Something failed, and now an object that it needs is gone: its pauses still grow. */
static void test_pauses_of_the_hindered(void **state _unused_) {
	uint64_t due;
	_situation_ s;

	begin(&s, "topology: t\nnamespaces: {host: {interfaces: {f0: {kind: existing}, mv: {kind: macvlan, link: f0}}}}\n",
	      NULL);
	add_card(&s);
	vec_push(&s.run.fake.faults, (struct fault){ .id = "host/mv link", .error = -ENOMEM });
	start(&s);
	assert_int_equal(count(&s, "= failing: host/mv"), 1);
	act(&s, (struct op){ .type = OP_LINK_DELETE, .ns = NS_HOST, .name = "f0" });
	for (int i = 0; i < 12; i++) {
		assert_true(reconciler_due(s.run.r) > s.run.w->now_usec);
		await_due(&s);
	}
	due = reconciler_due(s.run.r) - s.run.w->now_usec;
	if (due < FAILURE_PAUSE_MAX_USEC / 4)
		fail_msg("after twelve tries it is tried each %llu ms", (unsigned long long)due / 1000);
	vec_clear(&s.run.fake.faults);
	add_card(&s);
	is_well(&s);
}

/* A kernel without VLAN filtering: the bridge is made without it, with everything on it; the one key is reported. */
static void test_attribute_that_the_kernel_lacks(void **state _unused_) {
	static const char text[] =
		"topology: t\nnamespaces: {n0: {interfaces: {br: {kind: bridge%s, priority: 7, ports: [p],\n"
		"  addresses: [10.1.0.1/24]}}, routes: {to: 10.2.0.0/16, via: 10.1.0.2}}, n1: {}}\nlinks: [[n0:p, n1:q]]\n";
	_cleanup_free_ char *with = xasprintf(text, ", vlan-filtering: true"), *without = xasprintf(text, "");
	struct w_link *bridge;
	_situation_ s;

	begin(&s, with, without);
	s.run.w->lacks = "vlan-filtering";
	start(&s);
	is_degraded(&s);
	assert_int_equal(count(&s, "= failing: "), 1);
	assert_int_equal(count(&s, "= failing: n0/br bridge vlan-filtering true Operation"), 1);
	bridge = ns_link(world_ns(s.run.w, "n0"), "br");
	assert_non_null(bridge);
	assert_true(bridge->values->up);
	assert_ptr_equal(ns_link(world_ns(s.run.w, "n0"), "p")->master, bridge);
	assert_int_equal(world_ns(s.run.w, "n0")->routes.n, 2); /* of the address, and the one through its gateway */
	/* If the bridge is deleted, it returns with the next try, and the failure is not reported twice. */
	act(&s, (struct op){ .type = OP_LINK_DELETE, .ns = "n0", .name = "br" });
	await_due(&s);
	assert_non_null(ns_link(world_ns(s.run.w, "n0"), "br"));
	is_degraded(&s);
	assert_int_equal(count(&s, "= failing: "), 1);
	run_reload(&s.run, 1);
	run_settle(&s.run);
	is_well(&s);
}

/* It is contested, and when its pause is over, an object that it needs is missing: it is tried no more than once per
 * pause. */
static void test_contested_and_hindered(void **state _unused_) {
	_situation_ s;

	begin(&s, "topology: t\nnamespaces: {host: {interfaces: {f0: {kind: existing}, mv: {kind: macvlan, link: f0}}}}\n",
	      NULL);
	add_card(&s);
	start(&s);
	for (int i = 0; i < CONTENTION_COUNT; i++)
		act(&s, (struct op){ .type = OP_LINK_DELETE, .ns = NS_HOST, .name = "mv" });
	assert_int_equal(status_of(&s).counts.n_fights, 1);
	act(&s, (struct op){ .type = OP_LINK_DELETE, .ns = NS_HOST, .name = "f0" });
	await_due(&s);
	assert_true(reconciler_due(s.run.r) >= s.run.w->now_usec + FAILURE_PAUSE_FIRST_USEC / 2);
	add_card(&s);
	is_well(&s);
}

/* A storm about a single object: others keep changing it while it is left alone. When that ends, so does its pause. */
static void test_storm_over_one_thing(void **state _unused_) {
	_situation_ s;

	begin(&s, QUEUE("restore"), NULL);
	start(&s);
	for (uint32_t i = 1; i <= CONTENTION_COUNT + 1 + STORM_COUNT; i++)
		set_queue(&s, i);
	assert_int_equal(status_of(&s).counts.n_fights, 1);
	assert_true(reconciler_due(s.run.r) <= s.run.w->now_usec + STORM_QUIET_USEC);
	is_well(&s);
}

/* The namespace of a failing object cannot be scanned when its pause is over. */
static void test_failing_and_unseen(void **state _unused_) {
	_situation_ s;

	begin(&s, "topology: t\nnamespaces: {n0: {interfaces: {br: {kind: bridge}}}}\n", NULL);
	vec_push(&s.run.fake.faults, (struct fault){ .id = "n0/br link", .error = -ENOMEM });
	start(&s);
	is_degraded(&s);
	s.run.fake.closed = "n0";
	await_due(&s);
	assert_true(reconciler_due(s.run.r) >= s.run.w->now_usec + FAILURE_PAUSE_FIRST_USEC / 2);
	s.run.fake.closed = NULL;
	vec_clear(&s.run.fake.faults);
	is_well(&s);
}

static void limit_files(size_t size) {
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size ? size : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A change that cannot be recorded is not made, and earlier records stay known. */
static void test_no_room_for_the_ledger(void **state _unused_) {
	_situation_ s;

	begin(&s, "topology: t\nnamespaces: {n0: {interfaces: {br: {kind: bridge}}}}\n",
	      "topology: t\nnamespaces: {n0: {interfaces: {br: {kind: bridge}, br1: {kind: bridge}}}}\n");
	start(&s);
	is_well(&s);
	signal(SIGXFSZ, SIG_IGN);
	limit_files(s.run.file.size);
	run_reload(&s.run, 1);
	run_settle(&s.run);
	limit_files(0);
	is_degraded(&s);
	assert_null(ns_link(world_ns(s.run.w, "n0"), "br1"));
	is_well(&s);
}

/* A renamed link is recognised by its MAC address, even by one that a later file gave it. */
static void test_renamed_with_a_later_sign(void **state _unused_) {
	_situation_ s;

	begin(&s, "topology: t\nnamespaces: {n0: {interfaces: {br: {kind: bridge, mac-address: '02:00:00:00:00:01'}}}}\n",
	      "topology: t\nnamespaces: {n0: {interfaces: {br: {kind: bridge, mac-address: '02:00:00:00:00:02'}}}}\n");
	start(&s);
	run_reload(&s.run, 1);
	is_well(&s);
	act(&s, (struct op){ .type = OP_RENAME, .ns = "n0", .name = "br", .name2 = "q" });
	is_well(&s);
	assert_null(ns_link(world_ns(s.run.w, "n0"), "q"));
}

#define EXCLUSIVE(word) \
	"topology: t\nnamespaces: {n0: {exclusive: " word ", interfaces: {br: {kind: bridge, addresses: [10.1.0.1/24]}}}}\n"

static void add_address(struct situation *s) {
	act(s, (struct op){ .type = OP_ADDRESS_ADD, .ns = "n0", .name = "br", .text = "10.9.0.1/24" });
}

static size_t count_foreign(struct situation *s) {
	size_t n = 0;

	vec_foreach(address, &world_ns(s->run.w, "n0")->addresses)
		n += address->external && !address->made;
	return n;
}

/* A scan covers only what is declared and was disturbed; but an exclusive namespace needs more. */
static void test_added_to_an_exclusive_namespace(void **state _unused_) {
	_situation_ s;

	begin(&s, EXCLUSIVE("true"), NULL);
	start(&s);
	is_well(&s);
	add_address(&s);
	is_well(&s);
	assert_int_equal(count_foreign(&s), 0);
}

/* No declared object changes, but undeclared ones do not belong there any more. */
static void test_made_exclusive(void **state _unused_) {
	_situation_ s;

	begin(&s, EXCLUSIVE("false"), EXCLUSIVE("true"));
	start(&s);
	add_address(&s);
	is_well(&s);
	assert_int_equal(count_foreign(&s), 1);
	run_reload(&s.run, 1);
	is_well(&s);
	assert_int_equal(count_foreign(&s), 0);
}

/* In a new file, the drifted object is to be repaired. */
static void test_reported_no_more(void **state _unused_) {
	_situation_ s;

	begin(&s, QUEUE("report"), QUEUE("restore"));
	start(&s);
	set_queue(&s, 77);
	is_degraded(&s);
	run_reload(&s.run, 1);
	is_well(&s);
}

/* After a reload, retries begin with the shortest pause again. */
static void test_pauses_after_a_reload(void **state _unused_) {
	_situation_ s;

	begin(&s, QUEUE("restore"), NULL);
	vec_push(&s.run.fake.faults, (struct fault){ .id = "n0/br link", .error = -EBUSY });
	start(&s);
	for (int i = 0; i < 5; i++)
		await_due(&s);
	assert_true(reconciler_due(s.run.r) > s.run.w->now_usec + 10 * FAILURE_PAUSE_FIRST_USEC);
	run_reload(&s.run, 0);
	run_settle(&s.run);
	is_degraded(&s);
	assert_true(reconciler_due(s.run.r) <= s.run.w->now_usec + FAILURE_PAUSE_FIRST_USEC);
	vec_clear(&s.run.fake.faults);
	is_well(&s);
}

/* After `topod resume`, and after a reload, everything that failed before is tried again. */
static void test_new_start(void **state _unused_) {
	_situation_ s;

	begin(&s, QUEUE("restore"), NULL);
	vec_push(&s.run.fake.faults, (struct fault){ .id = "n0/br link", .error = -EBUSY });
	start(&s);
	for (int i = 0; i < 3; i++) {
		vec_clear(&s.run.fake.faults);
		s.run.fake.closed = NULL;
		if (i < 2) {
			reconciler_pause(s.run.r);
			reconciler_resume(s.run.r);
		} else {
			run_reload(&s.run, 0);
		}
		run_settle(&s.run);
		assert_int_equal(status_of(&s).phase, PHASE_CONVERGED);
		s.run.fake.closed = "n0";
		reconciler_dirty(s.run.r, "n0");
		run_settle(&s.run);
		is_degraded(&s);
	}
	s.run.fake.closed = NULL;
	is_well(&s);
}

/* Events elsewhere do not shorten the pause of a namespace that cannot be scanned. */
static void test_unseen_is_left_alone(void **state _unused_) {
	_situation_ s;
	int error;

	begin(&s, "topology: t\nnamespaces: {n0: {interfaces: {br: {kind: bridge, txqueuelen: 500}}}, n1: {}}\n", NULL);
	start(&s);
	s.run.fake.closed = "n1";
	reconciler_dirty(s.run.r, "n1");
	for (uint32_t i = 1; i < CONTENTION_COUNT; i++) {
		set_queue(&s, i);
		assert_int_equal(reconciler_obstructed(s.run.r, &error), 1);
	}
	s.run.fake.closed = NULL;
	is_well(&s);
}

/* A value that could not be restored is not forgotten. */
static void test_going_back_fails(void **state _unused_) {
	_situation_ s;
	uint32_t before;

	begin(&s, "topology: t\nnamespaces: {host: {interfaces: {f0: {kind: existing, txqueuelen: 500}}}}\n",
	      "topology: t\nnamespaces: {host: {interfaces: {f0: {kind: existing}}}}\n");
	add_card(&s);
	before = ns_link(world_ns(s.run.w, NS_HOST), "f0")->values->txqueuelen;
	start(&s);
	is_well(&s);
	vec_push(&s.run.fake.faults, (struct fault){ .id = "host/f0 link", .error = -EBUSY });
	run_reload(&s.run, 1);
	run_settle(&s.run);
	is_degraded(&s);
	vec_clear(&s.run.fake.faults);
	is_well(&s);
	assert_int_equal(ns_link(world_ns(s.run.w, NS_HOST), "f0")->values->txqueuelen, before);
}

/* If the link did not exist during the scan, the former value of a setting is read just before it is set. */
static void test_setting_of_a_new_link(void **state _unused_) {
	_situation_ s;

	begin(&s,
	      "topology: t\nnamespaces: {host: {interfaces: {br: {kind: bridge}}, sysctl: {net.ipv4.conf.br.rp_filter: 2}}}\n",
	      "topology: t\nnamespaces: {host: {interfaces: {br: {kind: bridge}}}}\n");
	start(&s);
	is_well(&s);
	run_reload(&s.run, 1);
	is_well(&s);
	assert_string_equal(setting_get(world_ns(s.run.w, NS_HOST), "net/ipv4/conf/br/rp_filter"), "0");
}

/* A foreign object is changed in place; if its owner deletes it before that, topod creates it, and it is topod's to
 * delete. */
static void test_taken_away(void **state _unused_) {
	_situation_ s;

	begin(&s,
	      "topology: t\nnamespaces: {a0: {adopt: true, routes: [{to: 172.16.0.0/24, via: 10.1.0.9}],\n"
	      "  interfaces: {f0: {kind: existing, addresses: [10.1.0.1/24]}}}}\n",
	      NULL);
	act(&s, (struct op){ .type = OP_NS_ADD, .ns = "a0" });
	act(&s, (struct op){ .type = OP_VETH, .ns = "a0", .name = "f0", .ns2 = "a0", .name2 = "f1" });
	act(&s, (struct op){ .type = OP_UP, .ns = "a0", .name = "f0" });
	act(&s, (struct op){ .type = OP_ROUTE_ADD, .ns = "a0", .name = "f0", .text = "172.16.0.0/24" });
	vec_push(&s.run.scheduled,
		 (struct scheduled){ .at = 2, .op = { .type = OP_ROUTE_DELETE, .ns = "a0", .text = "172.16.0.0/24" } });
	start(&s);
	is_well(&s);
	assert_int_equal(count(&s, "update a0 route 172.16.0.0/24: "), 1);
	assert_int_equal(count(&s, " ! ENOENT"), 1);
	assert_int_equal(count(&s, "create a0 route 172.16.0.0/24"), 1);
}

/* A declared name belongs to a foreign namespace with a foreign link in it: nothing is made on that link. */
static void test_lower_of_somebody_else(void **state _unused_) {
	_situation_ s;

	begin(&s,
	      "topology: t\nnamespaces: {n1: {interfaces: {e0: {kind: bridge}}},\n"
	      "  n0: {interfaces: {mv: {kind: macvlan, link: 'n1:e0'}}}}\n",
	      NULL);
	act(&s, (struct op){ .type = OP_NS_ADD, .ns = "n1" });
	act(&s, (struct op){ .type = OP_BRIDGE, .ns = "n1", .name = "e0" });
	act(&s, (struct op){ .type = OP_UP, .ns = "n1", .name = "e0" });
	start(&s);
	run_quiesce(&s.run);
	check_rest(&s.run);
	is_degraded(&s);
	assert_null(ns_link(world_ns(s.run.w, "n0"), "mv"));
	act(&s, (struct op){ .type = OP_NS_DELETE, .ns = "n1" });
	is_well(&s);
}

static struct op by_name(enum op_type type) {
	return (struct op){ .type = type, .ns = "n0" };
}

/* The daemon holds the namespaces that it made: if the name is removed, it is restored without changing the contents. */
static void test_name_lost(void **state _unused_) {
	_situation_ s;

	begin(&s, QUEUE("restore"), NULL);
	s.run.fake.holding = true;
	start(&s);
	is_well(&s);
	struct w_ns *before = world_ns(s.run.w, "n0");
	size_t n_requests = s.run.fake.n_requests;
	act(&s, by_name(OP_NS_DELETE));
	is_well(&s);
	assert_ptr_equal(world_ns(s.run.w, "n0"), before);
	assert_int_equal(s.run.fake.n_requests, n_requests + 1);
	assert_int_equal(count(&s, "restored: n0 namespace was left without its name"), 1);
}

/* Somebody's file has the name: meanwhile the contents of the namespace are still maintained. */
static void test_name_taken(void **state _unused_) {
	_situation_ s;

	begin(&s, QUEUE("restore"), NULL);
	s.run.fake.holding = true;
	start(&s);
	is_well(&s);
	struct w_ns *before = world_ns(s.run.w, "n0");
	struct op steal = by_name(OP_NS_DELETE), put = by_name(OP_NS_FILE);
	run_op(&s.run, &steal);
	act(&s, put);
	is_degraded(&s);
	vec_clear(&before->addresses);
	await_due(&s);
	size_t n_declared = 0;
	vec_foreach(address, &before->addresses)
		n_declared += !address->made;
	assert_int_equal(n_declared, 1);
	assert_non_null(world_stale(s.run.w, "n0"));
	act(&s, steal);
	is_well(&s);
	assert_ptr_equal(world_ns(s.run.w, "n0"), before);
}

/* With `drift: report`, a deleted namespace stays deleted. */
static void test_not_held(void **state _unused_) {
	_situation_ s;

	begin(&s, QUEUE("report"), NULL);
	s.run.fake.holding = true;
	start(&s);
	is_well(&s);
	act(&s, by_name(OP_NS_DELETE));
	assert_null(world_held(s.run.w, "n0"));
	assert_int_equal(count(&s, "reported: n0 namespace was removed"), 1);
}

/* An end that is only expected from now on (kind: existing) disappears with the namespace of the other end, which the same
 * plan deletes. */
static void test_goes_with_a_namespace(void **state _unused_) {
	_situation_ s;

	begin(&s, "topology: t\nnamespaces: {a0: {adopt: true, interfaces: {e0: {}}}, n0: {}}\nlinks: [[a0:e0, n0:e0]]\n",
	      "topology: t\nnamespaces: {a0: {adopt: true, interfaces: {e0: {kind: existing}}}}\n");
	s.run.w->slowness = 20;
	act(&s, (struct op){ .type = OP_NS_ADD, .ns = "a0" });
	start(&s);
	is_well(&s);
	run_reload(&s.run, 1);
	run_settle(&s.run);
	is_degraded(&s);
	assert_int_equal(count(&s, "goes with its other end or lower link, which is in the namespace 'n0'"), 1);
	assert_null(ns_link(world_ns(s.run.w, "a0"), "e0"));
	run_quiesce(&s.run);
	check_rest(&s.run);
	is_degraded(&s);
}

/* A link that somebody renamed is deleted in the end, even if neither deleting nor recreating it works at first: a failed
 * creation does not make it foreign. */
static void test_renamed_and_in_the_way(void **state _unused_) {
	_situation_ s;

	begin(&s, "topology: t\nnamespaces: {host: {interfaces: {vx: {kind: vxlan, id: 7}}}}\n", NULL);
	start(&s);
	is_well(&s);
	vec_push(&s.run.fake.faults, (struct fault){ .id = "host/moved link", .error = -EPERM });
	act(&s, (struct op){ .type = OP_RENAME, .ns = NS_HOST, .name = "vx", .name2 = "moved" });
	is_degraded(&s);
	vec_clear(&s.run.fake.faults);
	is_well(&s);
	assert_null(ns_link(world_ns(s.run.w, NS_HOST), "moved"));
}

/* A route had a source address that somebody deleted and topod created: `down` deletes the address, and does not put it back
 * into the route either. */
static void test_former_source_is_gone(void **state _unused_) {
	_situation_ s;

	begin(&s,
	      "topology: t\nnamespaces: {n0: {adopt: true, interfaces: {f0: {kind: existing, addresses: [{address: 'fd00::1/64', nodad: true}]}},\n"
	      "  routes: [{to: 'fd10::/64', dev: f0, src: 'fd00::1', mtu: 1300}]}}\n",
	      NULL);
	act(&s, (struct op){ .type = OP_NS_ADD, .ns = "n0" });
	act(&s, (struct op){ .type = OP_VETH, .ns = "n0", .name = "f0", .ns2 = "n0", .name2 = "f1" });
	act(&s, (struct op){ .type = OP_UP, .ns = "n0", .name = "f0" });
	act(&s, (struct op){ .type = OP_ADDRESS_ADD, .ns = "n0", .name = "f0", .text = "fd00::1/64", .nodad = true });
	act(&s, (struct op){ .type = OP_ROUTE_ADD, .ns = "n0", .name = "f0", .text = "fd10::/64" });
	ip_parse("fd00::1", &world_ns(s.run.w, "n0")->routes.items[world_ns(s.run.w, "n0")->routes.n - 1].src);
	start(&s);
	is_well(&s);
	act(&s, (struct op){ .type = OP_ADDRESS_DELETE, .ns = "n0", .name = "f0", .text = "fd00::1/64" });
	is_well(&s);
}

/* An object with topod's mark is topod's, even in an adopted namespace after the ledger was lost. */
static void test_lost_ledger_in_an_adopted_namespace(void **state _unused_) {
	_situation_ s;

	begin(&s,
	      "topology: t\nnamespaces: {n0: {adopt: true, interfaces: {vx: {kind: vxlan, id: 7, addresses: [10.1.0.1/24]}}}}\n",
	      NULL);
	act(&s, (struct op){ .type = OP_NS_ADD, .ns = "n0" });
	start(&s);
	is_well(&s);
	run_lose_ledger(&s.run);
	is_well(&s);
	act(&s, (struct op){ .type = OP_RENAME, .ns = "n0", .name = "vx", .name2 = "moved" });
	is_well(&s);
	assert_null(ns_link(world_ns(s.run.w, "n0"), "moved"));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		situation_test(test_lower_comes),
		situation_test(test_lower_comes_late),
		situation_test(test_lower_comes_with_a_reload),
		situation_test(test_lower_is_seen_again),
		situation_test(test_attribute_that_the_kernel_lacks),
		situation_test(test_pauses_of_the_hindered),
		situation_test(test_contested_and_hindered),
		situation_test(test_storm_over_one_thing),
		situation_test(test_failing_and_unseen),
		situation_test(test_no_room_for_the_ledger),
		situation_test(test_renamed_with_a_later_sign),
		situation_test(test_added_to_an_exclusive_namespace),
		situation_test(test_made_exclusive),
		situation_test(test_reported_no_more),
		situation_test(test_pauses_after_a_reload),
		situation_test(test_new_start),
		situation_test(test_going_back_fails),
		situation_test(test_unseen_is_left_alone),
		situation_test(test_setting_of_a_new_link),
		situation_test(test_taken_away),
		situation_test(test_lower_of_somebody_else),
		situation_test(test_name_lost),
		situation_test(test_name_taken),
		situation_test(test_not_held),
		situation_test(test_goes_with_a_namespace),
		situation_test(test_renamed_and_in_the_way),
		situation_test(test_former_source_is_gone),
		situation_test(test_lost_ledger_in_an_adopted_namespace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
