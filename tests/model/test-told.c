/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is reported, how often, and how it is counted. The state of the network does not show errors in this.
 */
#include "situation.h"

/* `drift: report`: reported once, not changed even by a reload, and over when a full scan finds it as declared again. */
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
	assert_int_equal(status.counts.n_reported, 1);
	assert_int_equal(status.counts.n_drifts, 1);
	assert_int_equal(count(&s, "= reported: "), 1);
	assert_int_equal(ns_link(world_ns(s.run.w, "n0"), "br")->values->txqueuelen, 77);
	set_queue(&s, 500);
	is_well(&s);
}

/* A reported object is no longer declared, or declared differently: it is not "as declared again". */
static void test_reported_and_redeclared(void **state _unused_) {
	_situation_ s;

	begin(&s, QUEUE("report"),
	      "topology: t\nnamespaces: {n0: {drift: report, interfaces: {br: {kind: bridge, txqueuelen: 600}}}}\n");
	start(&s);
	set_queue(&s, 77);
	lose_address(&s);
	assert_int_equal(count(&s, "= reported: "), 2);
	run_reload(&s.run, 1);
	is_well(&s);
	assert_int_equal(count(&s, "= recovered: "), 0);
	assert_int_equal(ns_link(world_ns(s.run.w, "n0"), "br")->values->txqueuelen, 600);
}

/* The same for a namespace that is removed from the file and never existed. */
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

static void note_tries(void *userdata, const struct failure *t) {
	*(size_t *)userdata = t->n_tries;
}

/* Scans for other reasons are not tries of something that a scan alone shows to be impossible: they are not counted, and do
 * not lengthen its pause. */
static void test_scans_are_no_tries(void **state _unused_) {
	size_t n_tries = 0;
	_situation_ s;

	begin(&s, "topology: t\nnamespaces: {n0: {}, n1: {adopt: true}}\n", NULL);
	start(&s);
	is_degraded(&s);
	for (int i = 0; i < 10; i++)
		run_step(&s.run, &(struct step){ .type = STEP_DIRTY, .n = 1 });
	reconciler_failures(s.run.r, note_tries, &n_tries);
	assert_int_equal(n_tries, 1);
	assert_true(reconciler_due(s.run.r) <= s.run.w->now_usec + FAILURE_PAUSE_FIRST_USEC);
	for (size_t i = 1; i <= 3; i++) {
		for (int looks = 0; n_tries == i && looks < 5; looks++) {
			await_due(&s);
			reconciler_failures(s.run.r, note_tries, &n_tries);
		}
		assert_int_equal(n_tries, 1 + i);
		assert_int_equal(status_of(&s).counts.n_retries, i);
	}
}

static void begin_pause(struct situation *s) {
	begin(s, QUEUE("restore"), NULL);
	start(s);
	reconciler_pause(s->run.r);
	set_queue(s, 77);
	run_step(&s->run, &(struct step){ .type = STEP_DIRTY, .n = 1 });
	assert_int_equal(status_of(s).counts.n_held, 1);
	assert_int_equal(status_of(s).counts.n_drifts, 1);
}

/* Reported and counted as held: its repair afterwards is not a second drift. */
static void test_held_and_restored(void **state _unused_) {
	_situation_ s;

	begin_pause(&s);
	reconciler_resume(s.run.r);
	run_settle(&s.run);
	is_well(&s);
	assert_int_equal(status_of(&s).counts.n_drifts, 1);
	assert_int_equal(status_of(&s).counts.n_restored, 1);
	assert_int_equal(count(&s, "= restored: "), 1);
}

/* … nor is a failed repair, or one that succeeds later. */
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
	assert_int_equal(status_of(&s).counts.n_drifts, 1);
	assert_int_equal(status_of(&s).counts.n_restored, 1);
	assert_int_equal(count(&s, "= recovered: "), 1);
}

/* An object that failed before a pause is still failing during it, is not reported again, and is tried at its end. */
static void test_failed_and_paused(void **state _unused_) {
	_situation_ s;

	begin(&s, QUEUE("restore"), NULL);
	vec_push(&s.run.fake.faults, (struct fault){ .id = "n0/br link", .error = -EBUSY });
	start(&s);
	reconciler_pause(s.run.r);
	s.run.w->now_usec += FAILURE_PAUSE_FIRST_USEC; /* when it would be due */
	run_step(&s.run, &(struct step){ .type = STEP_DIRTY, .n = 1 });
	assert_int_equal(status_of(&s).counts.n_failing, 1);
	assert_int_equal(status_of(&s).counts.n_held, 0);
	assert_int_equal(status_of(&s).counts.n_drifts, 0);
	vec_clear(&s.run.fake.faults);
	reconciler_resume(s.run.r);
	run_settle(&s.run);
	is_well(&s);
	assert_int_equal(count(&s, "= recovered: n0/br"), 1);
}

#define PAIR "topology: t\nnamespaces: {n0: {}, n1: {}}\nlinks: [[n0:x, n1:y]]\n"

/* A renamed end is one extra object and one missing. The other end, which is deleted and recreated with it, is not
 * counted. */
static void test_pair_held(void **state _unused_) {
	_situation_ s;

	begin(&s, PAIR, NULL);
	start(&s);
	reconciler_pause(s.run.r);
	act(&s, (struct op){ .type = OP_RENAME, .ns = "n1", .name = "y", .name2 = "q" });
	assert_int_equal(status_of(&s).counts.n_held, 2);
	assert_int_equal(status_of(&s).counts.n_drifts, 2);
	assert_int_equal(count(&s, "= held: "), 2);
	assert_int_equal(count(&s, "was added"), 1);
	reconciler_resume(s.run.r);
	run_settle(&s.run);
	is_well(&s);
}

/* An object that could not be made at first is made as soon as possible, even with `drift: report`, and so is everything on
 * it. */
static void test_report_is_no_excuse(void **state _unused_) {
	_situation_ s;

	begin(&s, QUEUE("report"), NULL);
	vec_push(&s.run.fake.faults, (struct fault){ .id = "n0/br link", .error = -EBUSY });
	start(&s);
	is_degraded(&s);
	vec_clear(&s.run.fake.faults);
	is_well(&s);
	assert_int_equal(count(&s, "= reported: "), 0);
	assert_int_equal(status_of(&s).counts.n_drifts + status_of(&s).counts.n_restored, 0);
}

/* One value that fails does not prevent others, and is the only one reported. */
static void test_one_bad_value(void **state _unused_) {
	_situation_ s;

	begin(&s,
	      "topology: t\nnamespaces: {host: {interfaces: {f0: {kind: existing},\n"
	      "  mv: {kind: macvlan, link: f0, mtu: 1500, txqueuelen: 500}}}}\n",
	      NULL);
	add_card(&s);
	start(&s);
	run_op(&s.run, &(struct op){ .type = OP_MTU, .ns = NS_HOST, .name = "mv", .number = 1400 });
	run_op(&s.run, &(struct op){ .type = OP_TXQLEN, .ns = NS_HOST, .name = "mv", .number = 77 });
	act(&s, (struct op){ .type = OP_MTU,
			     .ns = NS_HOST,
			     .name = "f0",
			     .number = 1400 }); /* upper links may not have a larger one */
	assert_int_equal(ns_link(world_ns(s.run.w, NS_HOST), "mv")->values->txqueuelen, 500);
	assert_int_equal(count(&s, "= drift, failed: host/mv macvlan mtu was changed from 1500 to 1400 "), 1);
	act(&s, (struct op){ .type = OP_MTU, .ns = NS_HOST, .name = "f0", .number = 1500 });
	is_well(&s);
}

/* The same without a pause; objects on the other end, here and elsewhere, are not counted either. */
static void test_pair_torn(void **state _unused_) {
	_situation_ s;

	begin(&s,
	      "topology: t\nnamespaces: {n0: {interfaces: {mv: {kind: macvlan, link: x}}}, n1: {},\n"
	      "  n2: {interfaces: {mv: {kind: macvlan, link: 'n0:x'}}}}\nlinks: [[n0:x, n1:y]]\n",
	      NULL);
	start(&s);
	act(&s, (struct op){ .type = OP_RENAME, .ns = "n1", .name = "y", .name2 = "q" });
	is_well(&s);
	assert_int_equal(count(&s, "= restored: "), 2);
	assert_int_equal(count(&s, "was added"), 1);
	assert_int_equal(status_of(&s).counts.n_drifts, 4); /* every object is counted once */
	assert_int_equal(status_of(&s).counts.n_restored, 4);
}

/* An object that topod does not make cannot be restored: that is reported as drift, with the reason. */
static void test_found_and_lost(void **state _unused_) {
	_situation_ s;

	begin(&s, "topology: t\nnamespaces: {host: {interfaces: {f0: {kind: existing}}}}\n", NULL);
	add_card(&s);
	start(&s);
	is_well(&s);
	act(&s, (struct op){ .type = OP_LINK_DELETE, .ns = NS_HOST, .name = "f0" });
	is_degraded(&s);
	assert_int_equal(count(&s, "= drift, failed: host/f0"), 1);
	assert_int_equal(count(&s, "does not exist, and 'kind: existing'"), 1);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		situation_test(test_reported),
		situation_test(test_reported_and_redeclared),
		situation_test(test_failing_and_undeclared),
		situation_test(test_scans_are_no_tries),
		situation_test(test_held_and_restored),
		situation_test(test_held_and_failed),
		situation_test(test_failed_and_paused),
		situation_test(test_pair_held),
		situation_test(test_report_is_no_excuse),
		situation_test(test_one_bad_value),
		situation_test(test_pair_torn),
		situation_test(test_found_and_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
