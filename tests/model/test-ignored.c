/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that the kernel acknowledges but does not carry out: reported once, retried with growing pauses, and everything
 * else is as declared. Also changes that somebody undoes while a file is still being applied.
 */
#include "situation.h"

#include "kind/sysctl.h"

#define RP "net.ipv4.conf.br.rp_filter"
#define SETTING(value) "topology: t\nnamespaces: {n0: {sysctl: {" RP ": " value "}, interfaces: {br: {kind: bridge}}}}\n"

static void ignore(struct situation *s, const char *id, const char *field) {
	vec_push(&s->run.fake.faults, (struct fault){ .id = id, .error = FAULT_IGNORED, .field = field });
}

/* No busy loop; the report names the value that the kernel keeps; pauses grow; each try is counted. */
static void test_setting(void **state _unused_) {
	struct reconciler_status status;
	uint64_t due, before = 0;
	size_t n;
	_situation_ s;

	begin(&s, SETTING("1"), NULL);
	ignore(&s, "n0 sysctl " RP, NULL);
	start(&s);
	is_degraded(&s);
	assert_true(reconciler_settled(s.run.r));
	assert_int_equal(count(&s, "the kernel keeps 0, not 1"), 1);
	status = status_of(&s);
	assert_int_equal(status.counts.n_failing, 1);
	assert_int_equal(status.counts.n_drifts, 0);
	for (size_t i = 1; i <= 7; i++) {
		due = reconciler_due(s.run.r) - s.run.w->now_usec;
		assert_true(due >= before);
		before = due;
		n = s.run.fake.n_requests;
		await_due(&s);
		assert_int_equal(s.run.fake.n_requests, n + 1);
		assert_int_equal(status_of(&s).counts.n_retries, i);
	}
	assert_true(before > FAILURE_PAUSE_MAX_USEC / 2);
	assert_int_equal(count(&s, "the kernel keeps 0, not 1"), 1);
	vec_clear(&s.run.fake.faults);
	is_well(&s);
	assert_int_equal(count(&s, "= recovered: n0"), 1);
}

/* The same for a setting that cannot be read before it is written. */
static void test_unreadable_setting(void **state _unused_) {
	size_t n;
	_situation_ s;

	begin(&s,
	      "topology: t\nnamespaces: {n0: {sysctl: {net.ipv6.conf.br.stable_secret: '2001:db8::1'},\n"
	      "  interfaces: {br: {kind: bridge}}}}\n",
	      NULL);
	ignore(&s, "n0 sysctl net.ipv6.conf.br.stable_secret", NULL);
	start(&s);
	is_degraded(&s);
	assert_true(reconciler_settled(s.run.r));
	assert_int_equal(count(&s, "it is not there afterwards"), 1);
	for (size_t i = 1; i <= 3; i++) {
		n = s.run.fake.n_requests;
		await_due(&s);
		assert_int_equal(s.run.fake.n_requests, n + 1);
	}
	vec_clear(&s.run.fake.faults);
	is_well(&s);
	assert_int_equal(count(&s, "= recovered: n0"), 1);
}

/* Other fields of the object are repaired meanwhile, and that is drift. */
static void test_one_field(void **state _unused_) {
	_situation_ s;

	begin(&s, "topology: t\nnamespaces: {n0: {interfaces: {br: {kind: bridge, txqueuelen: 500, ageing-time: 100s}}}}\n",
	      NULL);
	ignore(&s, "n0/br link", "txqueuelen");
	start(&s);
	is_degraded(&s);
	assert_int_equal(count(&s, "the kernel keeps 1000, not 500"), 1);
	act(&s, (struct op){ .type = OP_DOWN, .ns = "n0", .name = "br" });
	assert_true(ns_link(world_ns(s.run.w, "n0"), "br")->values->up);
	assert_int_equal(status_of(&s).counts.n_drifts, 1);
	assert_int_equal(status_of(&s).counts.n_restored, 1);
	assert_int_equal(status_of(&s).counts.n_failing, 1);
	vec_clear(&s.run.fake.faults);
	is_well(&s);
}

/* An address that is acknowledged but does not exist. */
static void test_address(void **state _unused_) {
	_situation_ s;

	begin(&s,
	      "topology: t\nnamespaces: {n0: {interfaces: {br: {kind: bridge, addresses: [10.1.0.1/24, 10.2.0.1/24]}}}}\n",
	      NULL);
	ignore(&s, "n0/br address 10.1.0.1/24", NULL);
	start(&s);
	is_degraded(&s);
	assert_int_equal(count(&s, "it is not there afterwards"), 1);
	act(&s, (struct op){ .type = OP_ADDRESS_DELETE, .ns = "n0", .name = "br", .text = "10.2.0.1/24" });
	assert_int_equal(status_of(&s).counts.n_restored, 1);
	vec_clear(&s.run.fake.faults);
	is_well(&s);
}

/* Counts the scans until n addresses are known to be ignored. */
static size_t scans_for(size_t n) {
	_cleanup_text_ struct text spec = {};
	_situation_ s;

	text_add(&spec, "topology: t\nnamespaces: {n0: {interfaces: {br: {kind: bridge, addresses: [10.1.0.1/24");
	for (size_t i = 2; i <= n; i++)
		text_addf(&spec, ", 10.1.%zu.1/24", i);
	text_add(&spec, "]}}}}\n");
	begin(&s, text_str(&spec), NULL);
	for (size_t i = 2; i <= n; i++) {
		char *id = arena_printf(&s.c.arena, "n0/br address 10.1.%zu.1/24", i);

		ignore(&s, id, NULL);
	}
	start(&s);
	is_degraded(&s);
	assert_int_equal(status_of(&s).counts.n_failing, n - 1);
	return s.run.fake.n_scans;
}

/* All suspects are scanned together: one by one, thousands would keep the daemon from everything else. */
static void test_many(void **state _unused_) {
	assert_int_equal(scans_for(100), scans_for(2));
}

/* The kernel has accepted the value before, so it is more likely that somebody undoes the repairs than that the kernel
 * ignores them: a fast opponent does so before topod scans. */
static void test_drift(void **state _unused_) {
	_situation_ s;

	begin(&s, SETTING("1"), NULL);
	start(&s);
	is_well(&s);
	ignore(&s, "n0 sysctl " RP, NULL);
	act(&s, (struct op){ .type = OP_SETTING, .ns = "n0", .text = RP, .value = "2" });
	is_degraded(&s);
	assert_int_equal(count(&s, "= drift, failed: "), 0);
	assert_int_equal(status_of(&s).counts.n_fights, 1);
	vec_clear(&s.run.fake.faults);
	is_well(&s);
}

/* A link that the kernel makes on another lower link than requested: it is not recreated again and again, and everything on
 * it is as declared. */
static void test_made_elsewhere(void **state _unused_) {
	uint32_t index;
	_situation_ s;

	begin(&s,
	      "topology: t\nnamespaces: {n0: {interfaces: {br: {kind: bridge}, b2: {kind: bridge},\n"
	      "  m2: {kind: macvlan, link: b2}, mv: {kind: macvlan, link: br, addresses: [10.1.0.1/24]}}}}\n",
	      NULL);
	s.run.fake.elsewhere = "b2";
	start(&s);
	is_degraded(&s);
	assert_int_equal(count(&s, "the kernel keeps n0:b2, not n0:br"), 1);
	index = ns_link(world_ns(s.run.w, "n0"), "mv")->index;
	act(&s, (struct op){ .type = OP_ADDRESS_DELETE, .ns = "n0", .name = "mv", .text = "10.1.0.1/24" });
	assert_int_equal(status_of(&s).counts.n_restored, 1);
	for (int i = 0; i < 3; i++) /* for a reason other than time */
		run_step(&s.run, &(struct step){ .type = STEP_DIRTY, .n = 1 });
	assert_int_equal(ns_link(world_ns(s.run.w, "n0"), "mv")->index, index);
	assert_int_equal(count(&s, "the kernel keeps n0:b2, not n0:br"), 1);
	s.run.fake.elsewhere = NULL;
	is_well(&s);
}

/* A reload that declares something else ends it; the same file tries it at once. */
static void test_reload(void **state _unused_) {
	size_t n;
	_situation_ s;

	begin(&s, SETTING("1"), SETTING("0"));
	ignore(&s, "n0 sysctl " RP, NULL);
	start(&s);
	is_degraded(&s);
	n = s.run.fake.n_requests;
	run_reload(&s.run, 0);
	run_settle(&s.run);
	is_degraded(&s);
	assert_true(s.run.fake.n_requests > n);
	run_reload(&s.run, 1);
	is_well(&s);
	assert_int_equal(count(&s, "= recovered: "), 0);
}

/* Somebody who undoes each repair at once, but not within the pass, is still recognised as somebody else. */
static void test_contention(void **state _unused_) {
	_situation_ s;

	begin(&s, SETTING("1"), NULL);
	start(&s);
	for (int i = 0; i < CONTENTION_COUNT; i++)
		act(&s, (struct op){ .type = OP_SETTING, .ns = "n0", .text = RP, .value = "2" });
	assert_int_equal(status_of(&s).counts.n_fights, 1);
	assert_int_equal(status_of(&s).counts.n_failing, 0);
	is_well(&s);
}

/* Twice it is undone even before topod scans again; the third time that comes too late. */
static void test_fast_contention(void **state _unused_) {
	const struct op undo = { .type = OP_SETTING, .ns = "n0", .text = RP, .value = "2" };
	_situation_ s;

	begin(&s, SETTING("1"), NULL);
	start(&s);
	run_op(&s.run, &undo);
	for (size_t i = 1; i <= 2; i++)
		vec_push(&s.run.scheduled, (struct scheduled){ s.run.fake.n_scans + i, true, undo });
	run_settle(&s.run);
	no_failure(&s);
	assert_int_equal(status_of(&s).counts.n_failing, 0);
	is_well(&s);
}

/* Each scan finds something else: that is a storm, which ends; until then the status says what is changing. */
static void test_no_rest(void **state _unused_) {
	static const char *const addresses[] = { "10.1.0.1/24", "10.2.0.1/24", "10.3.0.1/24", "10.4.0.1/24", "10.5.0.1/24",
						 "10.6.0.1/24", "10.7.0.1/24", "10.8.0.1/24", "10.9.0.1/24" };
	struct op undo = { .type = OP_ADDRESS_DELETE, .ns = "n0", .name = "br" };
	_situation_ s;

	begin(&s,
	      "topology: t\nnamespaces: {n0: {interfaces: {br: {kind: bridge, addresses: [10.1.0.1/24, 10.2.0.1/24,\n"
	      "  10.3.0.1/24, 10.4.0.1/24, 10.5.0.1/24, 10.6.0.1/24, 10.7.0.1/24, 10.8.0.1/24, 10.9.0.1/24]}}}}\n",
	      NULL);
	start(&s);
	assert_null(reconciler_restless(s.run.r));
	for (size_t i = 1; i < ARRAY_SIZE(addresses); i++) {
		undo.text = addresses[i];
		vec_push(&s.run.scheduled, (struct scheduled){ s.run.fake.n_scans + i, true, undo });
	}
	act(&s, (struct op){ .type = OP_ADDRESS_DELETE, .ns = "n0", .name = "br", .text = addresses[0] });
	assert_string_equal(reconciler_restless(s.run.r), "n0/br address 10.8.0.1/24");
	assert_int_equal(status_of(&s).counts.n_failing, 0);
	is_well(&s);
}

#define SLOW                                                                                                                   \
	"topology: t\nnamespaces: {n0: {interfaces: {br: {kind: bridge, txqueuelen: 500}, x: {addresses: ['fd00::1/64']}}}}\n" \
	"links: [[n0:x, n0:y]]\n"

/* The file is not applied yet, because an address is in detection; but an object that was as declared and differs again is
 * drift. */
static void test_drift_while_applying(void **state _unused_) {
	_situation_ s;

	begin(&s, SLOW, NULL);
	start(&s);
	assert_int_equal(status_of(&s).phase, PHASE_CONVERGING);
	set_queue(&s, 77);
	assert_int_equal(status_of(&s).counts.n_drifts, 1);
	assert_int_equal(status_of(&s).counts.n_restored, 1);
	assert_int_equal(count(&s, "= restored: n0/br"), 1);
	is_well(&s);
	assert_int_equal(count(&s, "= restored: "), 1);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		situation_test(test_setting),        situation_test(test_unreadable_setting),
		situation_test(test_one_field),      situation_test(test_address),
		situation_test(test_many),           situation_test(test_drift),
		situation_test(test_made_elsewhere), situation_test(test_reload),
		situation_test(test_contention),     situation_test(test_fast_contention),
		situation_test(test_no_rest),        situation_test(test_drift_while_applying),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
