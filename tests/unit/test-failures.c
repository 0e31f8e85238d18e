/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When something that failed or is contested is tried again: contention and storms, with a clock that the test moves. */
#include "spec-helper.h"

#include "reconcile/failures.h"

enum { SECOND = 1000 * 1000 };

struct bench {
	struct read_spec spec;
	struct failures t;
	const struct object *a, *b;
	uint64_t now;
};

static int set_up(void **state) {
	struct bench *bench = xmalloc(sizeof(*bench));

	good_spec(&bench->spec, "namespaces: {web: {interfaces: {lo: {addresses: [10.0.0.1/32, 10.0.0.2/32]}}}}\n");
	bench->a = get_object(&bench->spec.spec.state, "web/lo address 10.0.0.1/32");
	bench->b = get_object(&bench->spec.spec.state, "web/lo address 10.0.0.2/32");
	bench->now = 1000 * (uint64_t)SECOND;
	*state = bench;
	return 0;
}

static int tear_down(void **state) {
	struct bench *bench = *state;

	failures_done(&bench->t);
	read_spec_done(&bench->spec);
	free(bench);
	return 0;
}

/* Each is a separate pass. */

static bool repair(struct bench *bench, const struct object *object) {
	bool too_often = failure_repaired(&bench->t, object, bench->now);

	if (!too_often)
		storm_disturbed(&bench->t.storm, bench->now);
	failures_settle(&bench->t);
	return too_often;
}

static void see(struct bench *bench, const struct object *object, uint32_t scan) {
	failure_seen(&bench->t, failure_find(&bench->t, object), scan, bench->now);
	failures_settle(&bench->t);
}

static void happen(struct bench *bench, unsigned n) {
	for (unsigned i = 0; i < n; i++)
		storm_disturbed(&bench->t.storm, bench->now);
	failures_settle(&bench->t);
}

static void be_quiet(struct bench *bench) {
	bench->now += STORM_QUIET_USEC;
	failures_begin(&bench->t, bench->now);
}

static bool may_try(const struct bench *bench, const struct object *object) {
	return failure_may_try(&bench->t, failure_find(&bench->t, object), bench->now);
}

/* Somebody undoes it five times, and the fifth time it is left alone. */
static void begin_fight(struct bench *bench, const struct object *object) {
	for (int i = 1; i < CONTENTION_COUNT; i++)
		assert_false(repair(bench, object));
	assert_true(repair(bench, object));
	see(bench, object, 1);
	assert_false(may_try(bench, object));
}

static void check_due(const struct bench *bench, uint64_t in) {
	assert_int_equal(failure_due(&bench->t), bench->now + in);
}

/* The adversary undoes each repair and does nothing else: each pause is twice as long. */
static void test_contention(void **state) {
	struct bench *bench = *state;

	begin_fight(bench, bench->a);
	for (uint64_t pause = SECOND; pause <= 16 * (uint64_t)SECOND; pause *= 2) {
		check_due(bench, pause);
		bench->now += pause - 1;
		assert_false(may_try(bench, bench->a));
		bench->now++;
		assert_true(may_try(bench, bench->a));
		assert_true(repair(bench, bench->a));
		see(bench, bench->a, 1);
		see(bench, bench->a, 1); /* scanned again for another reason */
	}
	check_due(bench, FAILURE_PAUSE_MAX_USEC);
}

/* One adversary undoes two objects: neither shortens the pause of the other. */
static void test_contention_about_two(void **state) {
	struct bench *bench = *state;

	for (int i = 0; i < CONTENTION_COUNT; i++) {
		repair(bench, bench->a);
		repair(bench, bench->b);
	}
	see(bench, bench->a, 1);
	see(bench, bench->b, 1);
	for (uint64_t pause = SECOND; pause <= 16 * (uint64_t)SECOND; pause *= 2) {
		check_due(bench, pause);
		bench->now += pause;
		repair(bench, bench->a);
		repair(bench, bench->b);
		see(bench, bench->a, 1);
		see(bench, bench->b, 1);
	}
	check_due(bench, FAILURE_PAUSE_MAX_USEC);
}

/* Other objects keep being disturbed: when that ends, the pause ends too, however long it was. */
static void test_storm(void **state) {
	struct bench *bench = *state;

	begin_fight(bench, bench->a);
	for (uint64_t end = bench->now + 60 * (uint64_t)SECOND; bench->now < end; bench->now += SECOND / 100) {
		happen(bench, 1);
		if (may_try(bench, bench->a)) {
			repair(bench, bench->a);
			see(bench, bench->a, 1);
		}
	}
	begin_fight(bench, bench->b); /* at the end of the storm */
	check_due(bench, STORM_QUIET_USEC);
	be_quiet(bench);
	assert_true(may_try(bench, bench->a));
	assert_true(may_try(bench, bench->b));
	repair(bench, bench->a);
	repair(bench, bench->b);
	check_due(bench, STORM_QUIET_USEC); /* nothing undone since then: recovered */
}

/* During a storm, pauses still end by time, so that the object is not left alone for as long as the storm lasts. */
static void test_storm_that_does_not_end(void **state) {
	struct bench *bench = *state;
	uint64_t due;

	begin_fight(bench, bench->a);
	due = failure_due(&bench->t);
	for (; bench->now < due; bench->now += STORM_QUIET_USEC / 2) {
		assert_false(may_try(bench, bench->a));
		happen(bench, STORM_COUNT);
	}
	assert_true(may_try(bench, bench->a));
}

/* Undone once more after the storm: that is contention, and only time ends the next pauses. */
static void test_contention_after_a_storm(void **state) {
	struct bench *bench = *state;

	begin_fight(bench, bench->a);
	happen(bench, 100);
	be_quiet(bench);
	assert_true(may_try(bench, bench->a));
	repair(bench, bench->a);
	see(bench, bench->a, 1);
	check_due(bench, 2 * SECOND);
}

/* One more disturbance comes when the storm seemed to be over. */
static void test_aftermath(void **state) {
	struct bench *bench = *state;

	begin_fight(bench, bench->a);
	happen(bench, 100);
	be_quiet(bench);
	repair(bench, bench->a);
	see(bench, bench->a, 1);
	happen(bench, 1);
	check_due(bench, STORM_QUIET_USEC);
}

/* Disturbances elsewhere now and then are not a storm. */
static void test_calm_weather(void **state) {
	struct bench *bench = *state;

	begin_fight(bench, bench->a);
	for (int i = 0; i < 2 * STORM_COUNT; i++) {
		bench->now += CONTENTION_WINDOW_USEC + 1;
		if (may_try(bench, bench->a)) {
			repair(bench, bench->a);
			see(bench, bench->a, 1);
		}
		happen(bench, 1);
		assert_true(failure_due(&bench->t) != bench->now + STORM_QUIET_USEC);
	}
}

/* The object itself keeps being changed, each time differently, while it is left alone. */
static void test_changed_while_left_alone(void **state) {
	struct bench *bench = *state;

	begin_fight(bench, bench->a);
	for (uint32_t i = 2; i < 2 + STORM_COUNT; i++)
		see(bench, bench->a, i);
	check_due(bench, STORM_QUIET_USEC);
}

static void fail_to(struct bench *bench, const struct object *object) {
	failures_begin(&bench->t, bench->now);
	failure_failed(&bench->t, object, true, "no", (struct position){}, bench->now);
	failures_settle(&bench->t);
}

/* A hint within a second of a failed try does not cause another try at once, but is not forgotten. */
static void test_failing_and_asked(void **state) {
	struct bench *bench = *state;

	for (int i = 0; i < 6; i++) {
		bench->now = MAX(bench->now, failure_due(&bench->t) == UINT64_MAX ? 0 : failure_due(&bench->t));
		fail_to(bench, bench->a);
	}
	see(bench, bench->a, 1); /* in the same pass */
	check_due(bench, FAILURE_PAUSE_MAX_USEC);
	for (uint64_t quiet = STORM_QUIET_USEC; quiet < FAILURE_PAUSE_MAX_USEC / 2; quiet *= 2) {
		bench->now += SECOND / 2;
		assert_false(may_try(bench, bench->a));
		failures_begin(&bench->t, bench->now);
		see(bench, bench->a, 1);
		check_due(bench, quiet);
		bench->now += quiet;
		assert_true(may_try(bench, bench->a));
		fail_to(bench, bench->a);
		check_due(bench, FAILURE_PAUSE_MAX_USEC);
	}
}

/* It is due but cannot be tried, because an object that it needs is missing: the timer is not due at once, but it may be
 * tried as soon as possible. */
static void test_due_and_hindered(void **state) {
	struct bench *bench = *state;

	begin_fight(bench, bench->a);
	bench->now += SECOND;
	assert_int_equal(failure_due(&bench->t), bench->now);
	failures_postpone(&bench->t, bench->now, bench->now);
	check_due(bench, SECOND);
	bench->now += 1;
	assert_true(may_try(bench, bench->a));
	repair(bench, bench->a);
	assert_false(may_try(bench, bench->a));
}

/* The same after a storm; a storm ends only once. */
static void test_storm_and_hindered(void **state) {
	struct bench *bench = *state;

	begin_fight(bench, bench->a);
	happen(bench, 100);
	be_quiet(bench);
	check_due(bench, SECOND - STORM_QUIET_USEC);
	bench->now += 1;
	assert_true(may_try(bench, bench->a));
	repair(bench, bench->a);
	assert_false(may_try(bench, bench->a));
}

/* A repair is forgotten once it is too long ago to count as contention. */
static void test_forgotten(void **state) {
	struct bench *bench = *state;

	repair(bench, bench->a);
	bench->now += CONTENTION_WINDOW_USEC;
	failure_expire(&bench->t, bench->now);
	assert_non_null(failure_find(&bench->t, bench->a));
	failure_expire(&bench->t, bench->now + 1);
	assert_null(failure_find(&bench->t, bench->a));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_contention, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_contention_about_two, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_storm, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_storm_that_does_not_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_contention_after_a_storm, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_changed_while_left_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_failing_and_asked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_aftermath, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_calm_weather, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_due_and_hindered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_storm_and_hindered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_forgotten, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
