/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Situations with a name, in the same model: what a random case (test-model.c) gets into once in thousands, or where it
 * would end well by another way, only later. Each says which topology, what happens, and what must hold at which moment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "check.h"
#include "trouble.h"

/* Each with ledgers of its own, so that one that fails leaves nothing to the next. */

static char place[64];

static int make_place(void **state _unused_) {
	run_make_place(place);
	return 0;
}

static int remove_place(void **state _unused_) {
	rmdir(place); /* gone by itself where all went well */
	return 0;
}

#define situation_test(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)


struct situation {
	struct c_case c;
	struct run run;
};

static void begin(struct situation *s, const char *first, const char *second) {
	*s = (struct situation){ .c = { .seed = 1, .yaml = { first, second } } };
	run_init(&s->run, &s->c, true);
}

static void no_failure(struct situation *s) {
	if (s->run.failure)
		fail_msg("%s\n%s%s", s->run.failure, text_str(&s->run.story), text_str(&s->run.fake.trace));
}

/* Nothing is left of it when it is taken down. */
static void end(struct situation *s) {
	run_stop(&s->run);
	run_start(&s->run, -1);
	run_quiesce(&s->run);
	check_gone(&s->run);
	no_failure(s);
	run_done(&s->run);
	arena_done(&s->c.arena);
}

#define _situation_ _cleanup_(end) struct situation

static void start(struct situation *s) {
	run_start(&s->run, 0);
	run_settle(&s->run);
	no_failure(s);
}

static void act(struct situation *s, struct op op) {
	run_op(&s->run, &op);
	if (s->run.r)
		run_settle(&s->run);
	no_failure(s);
}

/* Somebody else's. */
static void add_card(struct situation *s) {
	act(s, (struct op){ .type = OP_VETH, .ns = NS_HOST, .name = "f0", .ns2 = NS_HOST, .name2 = "f1" });
}

static struct reconciler_status status_of(struct situation *s) {
	struct reconciler_status status;

	reconciler_status(s->run.r, &status);
	return status;
}

/* Until something is due, and that is done. */
static void await_due(struct situation *s) {
	s->run.w->now_usec = MAX(reconciler_due(s->run.r), s->run.w->now_usec);
	run_settle(&s->run);
	no_failure(s);
}

static void is_degraded(struct situation *s) {
	assert_int_equal(status_of(s).phase, PHASE_DEGRADED);
}

/* Everything is as declared, and it says so: as soon as what is due has been done. */
static void is_well(struct situation *s) {
	run_quiesce(&s->run);
	check_rest(&s->run);
	no_failure(s);
	state_foreach(ns, &reconciler_spec(s->run.r)->state)
		ns_foreach(object, ns)
			assert_true(check_is_well(&s->run, object));
	assert_int_equal(status_of(s).phase, PHASE_CONVERGED);
}

/* How often something was told, or done. */
static size_t count(struct situation *s, const char *words) {
	size_t n = 0;

	text_addf(&s->run.story, "%s", text_str(&s->run.fake.trace));
	text_done(&s->run.fake.trace);
	for (const char *at = text_str(&s->run.story); (at = strstr(at, words)); at++)
		n++;
	return n;
}

/* What is found rather than made cannot be made again: that is told as drift, with the reason. */
static void test_found_and_lost(void **state _unused_) {
	_situation_ s;

	begin(&s, "topology: t\nnamespaces: {host: {interfaces: {f0: {kind: existing}}}}\n", NULL);
	add_card(&s);
	start(&s);
	is_well(&s);
	act(&s, (struct op){ .type = OP_LINK_DELETE, .ns = NS_HOST, .name = "f0" });
	is_degraded(&s);
	assert_int_equal(count(&s, "= drift, failed: host/f0"), 1);
	assert_int_equal(count(&s, "there is no such interface"), 1);
}

/* Somebody in another namespace is waited for. */

#define CROSSING(card)                                                                            \
	"topology: t\nnamespaces: {host: {interfaces: {f0: {kind: existing" card "}}},\n"         \
	"  n0: {interfaces: {mv: {kind: macvlan, link: 'host:f0'},\n"                             \
	"    br: {kind: bridge, addresses: [10.1.0.1/24]}}}}\n"

static void lose_address(struct situation *s) {
	act(s, (struct op){ .type = OP_ADDRESS_DELETE, .ns = "n0", .name = "br", .text = "10.1.0.1/24" });
}

/* That the card has come is told in its namespace only. */
static void test_lower_comes(void **state _unused_) {
	_situation_ s;

	begin(&s, CROSSING(""), NULL);
	start(&s);
	is_degraded(&s);
	add_card(&s);
	is_well(&s);
}

/* In between something else happens where it is waited: the waiting goes on, and it ends. */
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

/* What failed was declared differently just when it came: nothing is left that could recover. */
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

/* What is to be seen for a change is in a namespace that cannot be looked at. */
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

#define QUEUE(drift)                                                                              \
	"topology: t\nnamespaces: {n0: {drift: " drift ", interfaces: {br: {kind: bridge, txqueuelen: 500, addresses: [10.1.0.1/24]}}}}\n"

static void set_queue(struct situation *s, uint32_t length) {
	act(s, (struct op){ .type = OP_TXQLEN, .ns = "n0", .name = "br", .number = length });
}

/* Something failed, and now what it needs is gone: it is asked for ever more seldom all the same. */
static void test_pauses_of_the_hindered(void **state _unused_) {
	uint64_t due;
	_situation_ s;

	begin(&s, "topology: t\nnamespaces: {host: {interfaces: {f0: {kind: existing}, mv: {kind: macvlan, link: f0}}}}\n", NULL);
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
	if (due < TROUBLE_PAUSE_MAX_USEC / 4)
		fail_msg("after twelve tries it is tried each %llu ms", (unsigned long long)due / 1000);
	vec_clear(&s.run.fake.faults);
	add_card(&s);
	is_well(&s);
}

/* It is fought over, and when its time has come what it needs is not there: it is asked for no more than once a pause. */
static void test_fought_over_and_hindered(void **state _unused_) {
	_situation_ s;

	begin(&s, "topology: t\nnamespaces: {host: {interfaces: {f0: {kind: existing}, mv: {kind: macvlan, link: f0}}}}\n", NULL);
	add_card(&s);
	start(&s);
	for (int i = 0; i < TROUBLE_FIGHT_COUNT; i++)
		act(&s, (struct op){ .type = OP_LINK_DELETE, .ns = NS_HOST, .name = "mv" });
	assert_int_equal(status_of(&s).n_fights, 1);
	act(&s, (struct op){ .type = OP_LINK_DELETE, .ns = NS_HOST, .name = "f0" });
	await_due(&s);
	assert_true(reconciler_due(s.run.r) >= s.run.w->now_usec + TROUBLE_PAUSE_FIRST_USEC / 2);
	add_card(&s);
	is_well(&s);
}

/* A storm that blows at one thing alone: others change it on and on while it is left alone, and when that ends, so does
 * its pause. */
static void test_storm_over_one_thing(void **state _unused_) {
	_situation_ s;

	begin(&s, QUEUE("restore"), NULL);
	start(&s);
	for (uint32_t i = 1; i <= TROUBLE_FIGHT_COUNT + 1 + TROUBLE_STORM_COUNT; i++)
		set_queue(&s, i);
	assert_int_equal(status_of(&s).n_fights, 1);
	assert_true(reconciler_due(s.run.r) <= s.run.w->now_usec + TROUBLE_QUIET_USEC);
	is_well(&s);
}

/* The namespace of what fails cannot be looked at when its time has come. */
static void test_failing_and_unseen(void **state _unused_) {
	_situation_ s;

	begin(&s, "topology: t\nnamespaces: {n0: {interfaces: {br: {kind: bridge}}}}\n", NULL);
	vec_push(&s.run.fake.faults, (struct fault){ .id = "n0/br link", .error = -ENOMEM });
	start(&s);
	is_degraded(&s);
	s.run.fake.closed = "n0";
	await_due(&s);
	assert_true(reconciler_due(s.run.r) >= s.run.w->now_usec + TROUBLE_PAUSE_FIRST_USEC / 2);
	s.run.fake.closed = NULL;
	vec_clear(&s.run.fake.faults);
	is_well(&s);
}

/* What is told of drift, and how often. */

/* Told once, left as it is also by a reload, and over when it is as declared again: that is seen in a look at all of it. */
static void test_reported(void **state _unused_) {
	struct reconciler_status status;
	_situation_ s;

	begin(&s, QUEUE("report"), NULL);
	start(&s);
	is_well(&s);
	set_queue(&s, 77);
	run_step(&s.run, &(struct step){ .type = STEP_DIRTY, .n = 1 });
	run_reload(&s.run, 0);
	run_settle(&s.run);
	status = status_of(&s);
	assert_int_equal(status.phase, PHASE_DEGRADED);
	assert_int_equal(status.n_reported, 1);
	assert_int_equal(status.n_drifts, 1);
	assert_int_equal(count(&s, "= reported: "), 1);
	assert_int_equal(ns_link(world_ns(s.run.w, "n0"), "br")->values->txqueuelen, 77);
	set_queue(&s, 500);
	is_well(&s);
}

/* What was told of is not declared any more, or otherwise: nothing is "as declared again". */
static void test_reported_and_redeclared(void **state _unused_) {
	_situation_ s;

	begin(&s, QUEUE("report"), "topology: t\nnamespaces: {n0: {drift: report, interfaces: {br: {kind: bridge, txqueuelen: 600}}}}\n");
	start(&s);
	set_queue(&s, 77);
	lose_address(&s);
	assert_int_equal(count(&s, "= reported: "), 2);
	run_reload(&s.run, 1);
	is_well(&s);
	assert_int_equal(count(&s, "= recovered: "), 0);
	assert_int_equal(ns_link(world_ns(s.run.w, "n0"), "br")->values->txqueuelen, 600);
}

/* The same of a namespace that leaves the file without ever having been there. */
static void test_failing_and_undeclared(void **state _unused_) {
	_situation_ s;

	begin(&s, "topology: t\nnamespaces: {n0: {}, n1: {adopt: true}}\n", "topology: t\nnamespaces: {n0: {}}\n");
	start(&s);
	is_degraded(&s);
	run_reload(&s.run, 1);
	is_well(&s);
	assert_int_equal(count(&s, "= failing: n1"), 1);
	assert_int_equal(count(&s, "= recovered: "), 0);
}

static void begin_pause(struct situation *s) {
	begin(s, QUEUE("restore"), NULL);
	start(s);
	reconciler_pause(s->run.r);
	set_queue(s, 77);
	run_step(&s->run, &(struct step){ .type = STEP_DIRTY, .n = 1 });
	assert_int_equal(status_of(s).n_held, 1);
	assert_int_equal(status_of(s).n_drifts, 1);
}

/* Told as held, and counted there: that it is put right afterwards is no second drift. */
static void test_held_and_restored(void **state _unused_) {
	_situation_ s;

	begin_pause(&s);
	reconciler_resume(s.run.r);
	run_settle(&s.run);
	is_well(&s);
	assert_int_equal(status_of(&s).n_drifts, 1);
	assert_int_equal(status_of(&s).n_restored, 1);
	assert_int_equal(count(&s, "= restored: "), 1);
}

/* … nor is it one that the repair fails, and neither when it succeeds at last. */
static void test_held_and_failed(void **state _unused_) {
	_situation_ s;

	begin_pause(&s);
	vec_push(&s.run.fake.faults, (struct fault){ .id = "n0/br link", .error = -EBUSY });
	reconciler_resume(s.run.r);
	run_settle(&s.run);
	is_degraded(&s);
	assert_int_equal(count(&s, "= drift, failed: "), 1);
	vec_clear(&s.run.fake.faults);
	is_well(&s);
	assert_int_equal(status_of(&s).n_drifts, 1);
	assert_int_equal(status_of(&s).n_restored, 1);
	assert_int_equal(count(&s, "= recovered: "), 1);
}

/* A pause is no news of what failed before it: that is still failing, and in its end it is tried. */
static void test_failed_and_paused(void **state _unused_) {
	_situation_ s;

	begin(&s, QUEUE("restore"), NULL);
	vec_push(&s.run.fake.faults, (struct fault){ .id = "n0/br link", .error = -EBUSY });
	start(&s);
	reconciler_pause(s.run.r);
	run_step(&s.run, &(struct step){ .type = STEP_DIRTY, .n = 1 });
	assert_int_equal(status_of(&s).n_failing, 1);
	assert_int_equal(status_of(&s).n_held, 0);
	assert_int_equal(status_of(&s).n_drifts, 0);
	vec_clear(&s.run.fake.faults);
	reconciler_resume(s.run.r);
	run_settle(&s.run);
	is_well(&s);
	assert_int_equal(count(&s, "= recovered: n0/br"), 1);
}

/* A pair that is gone in a pause is one thing, although its other end takes a request of its own. */
static void test_pair_held(void **state _unused_) {
	_situation_ s;

	begin(&s, "topology: t\nnamespaces: {n0: {}, n1: {}}\nlinks: [[n0:x, n1:y]]\n", NULL);
	start(&s);
	reconciler_pause(s.run.r);
	act(&s, (struct op){ .type = OP_LINK_DELETE, .ns = "n0", .name = "x" });
	assert_int_equal(status_of(&s).n_held, 1);
	assert_int_equal(status_of(&s).n_drifts, 1);
	reconciler_resume(s.run.r);
	run_settle(&s.run);
	is_well(&s);
}

/* What could not be made at first is made as soon as it can be, drift or not; what stood on it comes with it. */
static void test_report_is_no_excuse(void **state _unused_) {
	_situation_ s;

	begin(&s, QUEUE("report"), NULL);
	vec_push(&s.run.fake.faults, (struct fault){ .id = "n0/br link", .error = -EBUSY });
	start(&s);
	is_degraded(&s);
	vec_clear(&s.run.fake.faults);
	is_well(&s);
	assert_int_equal(count(&s, "= reported: "), 0);
}

/* It is there, and of no use: another host has the same address. */
static void test_duplicate_address(void **state _unused_) {
	_situation_ s;

	begin(&s, "topology: t\nnamespaces: {n0: {interfaces: {br: {kind: bridge, addresses: ['fd00::1/64']}}}}\n", NULL);
	start(&s);
	is_well(&s);
	for (int failed = 1; failed >= 0; failed--) {
		vec_foreach(address, &world_ns(s.run.w, "n0")->addresses)
			address->failed = failed;
		reconciler_dirty(s.run.r, "n0");
		run_settle(&s.run);
		assert_int_equal(status_of(&s).phase, failed ? PHASE_DEGRADED : PHASE_CONVERGED);
	}
	assert_int_equal(count(&s, "duplicate address detection found another host with it"), 1);
	assert_int_equal(count(&s, "= recovered: n0/br"), 1);
}

/* What a setting was is read just before it is set where there was nothing to look at. */
static void test_setting_of_a_new_link(void **state _unused_) {
	_situation_ s;

	begin(&s, "topology: t\nnamespaces: {host: {interfaces: {br: {kind: bridge}}, sysctl: {net.ipv4.conf.br.rp_filter: 2}}}\n",
	      "topology: t\nnamespaces: {host: {interfaces: {br: {kind: bridge}}}}\n");
	start(&s);
	is_well(&s);
	run_reload(&s.run, 1);
	is_well(&s);
	assert_string_equal(setting_get(world_ns(s.run.w, NS_HOST), "net/ipv4/conf/br/rp_filter"), "0");
}

/* What is somebody else's is changed where it is; what he takes away before that is made, and topod's to take away again. */
static void test_taken_away(void **state _unused_) {
	_situation_ s;

	begin(&s, "topology: t\nnamespaces: {a0: {adopt: true, routes: [{to: 172.16.0.0/24, via: 10.1.0.9}],\n"
		  "  interfaces: {f0: {kind: existing, addresses: [10.1.0.1/24]}}}}\n", NULL);
	act(&s, (struct op){ .type = OP_NS_ADD, .ns = "a0" });
	act(&s, (struct op){ .type = OP_VETH, .ns = "a0", .name = "f0", .ns2 = "a0", .name2 = "f1" });
	act(&s, (struct op){ .type = OP_UP, .ns = "a0", .name = "f0" });
	act(&s, (struct op){ .type = OP_ROUTE_ADD, .ns = "a0", .name = "f0", .text = "172.16.0.0/24" });
	vec_push(&s.run.scheduled, (struct scheduled){ .at = 2, .op = { .type = OP_ROUTE_DELETE, .ns = "a0", .text = "172.16.0.0/24" } });
	start(&s);
	is_well(&s);
	assert_int_equal(count(&s, "update a0 route 172.16.0.0/24: "), 1);
	assert_int_equal(count(&s, " ! ENOENT"), 1);
	assert_int_equal(count(&s, "create a0 route 172.16.0.0/24"), 1);
}

/* A namespace under a name of the file's is somebody else's, and so is the link in it: nothing is made upon that. */
static void test_lower_of_somebody_else(void **state _unused_) {
	_situation_ s;

	begin(&s, "topology: t\nnamespaces: {n1: {interfaces: {e0: {kind: bridge}}},\n"
		  "  n0: {interfaces: {mv: {kind: macvlan, link: 'n1:e0'}}}}\n", NULL);
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

int main(void) {
	const struct CMUnitTest tests[] = {
		situation_test(test_found_and_lost), situation_test(test_lower_comes), situation_test(test_lower_comes_late),
		situation_test(test_lower_comes_with_a_reload), situation_test(test_lower_is_seen_again),
		situation_test(test_pauses_of_the_hindered), situation_test(test_fought_over_and_hindered),
		situation_test(test_storm_over_one_thing), situation_test(test_failing_and_unseen), situation_test(test_reported),
		situation_test(test_reported_and_redeclared), situation_test(test_failing_and_undeclared),
		situation_test(test_held_and_restored), situation_test(test_held_and_failed),
		situation_test(test_failed_and_paused), situation_test(test_pair_held), situation_test(test_report_is_no_excuse), situation_test(test_taken_away),
		situation_test(test_duplicate_address), situation_test(test_setting_of_a_new_link),
		situation_test(test_lower_of_somebody_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
