/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conditions that keep topod from working: reported once when they begin and once when they end, and retried with growing
 * pauses. In the kernel of this test everything is as declared, and scanning fails when the test says so.
 */
#include "plan-helper.h"

#include "reconcile/reconcile.h"

enum { SECOND = 1000 * 1000 };

struct machine {
	struct kernel kernel;
	struct reconciler *reconciler;
	struct ledger ledger;
	struct ledger_file file;
	struct text told;
	uint64_t now;
	size_t n_scans;
	int error;            /* of every scan */
	int error_a, error_b; /* of scanning one namespace */
	bool duplicates;      /* another host has the addresses */
	uint64_t scan_usec;   /* how long a scan takes */
};

/* ---- the kernel ---- */

static struct machine *machine_of(struct kernel *kernel) {
	return (struct machine *)kernel;
}

/* As declared. */
static void add_seen(const struct machine *m, struct state *ret, struct ns_state *ns, const struct state *desired) {
	ns->present = true;
	ns_foreach(object, state_find(desired, ns->name)) {
		struct object *copy = arena_memdup(&ret->arena, object, object->kind->size);

		copy->change = NULL;
		copy->failed = m->duplicates && object->kind->class == &class_address;
		make_seen(copy);
		copy->owned = false; /* it existed before topod, so there is nothing to record */
		ns_add(ns, copy);
	}
}

static int observe(struct kernel *kernel, const struct scan_request *request, const struct scope *scopes, size_t n,
		   struct state *ret) {
	struct machine *m = machine_of(kernel);

	m->n_scans++;
	m->now += m->scan_usec;
	for (size_t i = 0; i < n && !m->error; i++) {
		struct ns_state *ns = state_namespace(ret, scopes[i].ns);

		ns->error = streq(ns->name, "a") ? m->error_a : streq(ns->name, "b") ? m->error_b : 0;
		if (!ns->error)
			add_seen(m, ret, ns, request->desired);
	}
	return m->error;
}

static void execute(struct kernel *kernel _unused_, const struct scan_request *look _unused_, struct plan *plan,
		    const struct execute_hooks *hooks _unused_) {
	_cleanup_text_ struct text text = {};

	print_changes(plan, &text);
	fail_msg("something is changed: %s", text_str(&text));
}

static void nothing(struct kernel *kernel _unused_) {
}

static const struct kernel_ops ops = { .observe = observe, .execute = execute, .rest = nothing, .free = nothing };

/* ---- the reconciler ---- */

static void occurred(void *userdata, const struct occurrence *o) {
	struct machine *m = userdata;

	if (o->type == OCCURRENCE_OVERRUN) {
		text_addf(&m->told, "overrun, %u ms\n", (unsigned)(o->pause_usec / 1000));
		return;
	}
	if (o->type == OCCURRENCE_CONVERGED) {
		text_add(&m->told, "converged\n");
		return;
	}
	assert_true(o->type == OCCURRENCE_FAILING || o->type == OCCURRENCE_RECOVERED);
	text_addf(&m->told, "%s: %s %s%s%s\n", o->scope, o->noun, o->what, o->error ? ": " : "", o->error ? o->error : "");
	assert_int_equal(!o->error, o->type == OCCURRENCE_RECOVERED);
}

static uint64_t now(void *userdata) {
	return ((struct machine *)userdata)->now;
}

static struct machine *begin(void **state, const char *text) {
	struct machine *m = xmalloc(sizeof(*m));
	const struct reconciler_hooks hooks = { .userdata = m, .occurred = occurred, .now = now };
	_spec_ spec;

	good_spec(&spec, text);
	m->kernel.ops = &ops;
	m->file = LEDGER_FILE_NONE; /* something must be recorded, and cannot be */
	m->file.topology = "obstacle";
	ledger_file_set_root("/nonexistent");
	m->now = 100 * SECOND;
	m->reconciler = reconciler_new(&spec.spec, &m->kernel, &m->ledger, &m->file, &hooks);
	*state = m;
	return m;
}

#define TWO "namespaces: {a: {adopt: true}, b: {adopt: true}}"

static int tear_down(void **state) {
	struct machine *m = *state;

	reconciler_free(m->reconciler);
	ledger_done(&m->ledger);
	text_done(&m->told);
	free(m);
	return 0;
}

static void check_told(struct machine *m, const char *expected) {
	assert_string_equal(text_str(&m->told), expected);
	text_done(&m->told);
}

/* Makes a pass as soon as one is due; returns how long that took. */
static uint64_t pass_when_due(struct machine *m) {
	uint64_t due = reconciler_due(m->reconciler), before = m->now;

	assert_true(due != UINT64_MAX);
	m->now = MAX(m->now, due);
	reconciler_pass(m->reconciler);
	return m->now - before;
}

static struct reconciler_status status_of(const struct machine *m) {
	struct reconciler_status status;

	reconciler_status(m->reconciler, &status);
	return status;
}

static void begin_well(struct machine *m) {
	pass_when_due(m);
	check_told(m, "converged\n");
	assert_int_equal(status_of(m).phase, PHASE_CONVERGED);
	m->n_scans = 0;
}

static void count_trouble(void *userdata, const struct failure *failure) {
	struct text *all = userdata;

	text_addf(all, "%s %s %s, %zu tries: %s\n", failure->scope, failure->noun, failure->state, failure->n_tries,
		  failure->error);
}

static void check_troubles(const struct machine *m, const char *expected) {
	_cleanup_text_ struct text all = {};

	reconciler_failures(m->reconciler, count_trouble, &all);
	assert_string_equal(text_str(&all), expected);
}

/* ---- nothing can be scanned ---- */

#define FILES "topod has reached its limit of open files (LimitNOFILE= of its unit, or ulimit -n)"

static void test_no_look(void **state) {
	struct machine *m = begin(state, TWO);
	int error;

	m->error = -EMFILE;
	pass_when_due(m);
	check_told(m, "t: network cannot be scanned: " FILES "\n");
	assert_int_equal(status_of(m).phase, PHASE_DEGRADED);
	assert_int_equal(status_of(m).counts.n_failing, 1);
	assert_true(reconciler_settled(m->reconciler)); /* only retries are left */

	/* Not before its time, with a longer pause each time, and without another message. */
	reconciler_pass(m->reconciler);
	assert_int_equal(m->n_scans, 1);
	assert_int_equal(pass_when_due(m), SECOND);
	assert_int_equal(pass_when_due(m), 2 * SECOND);
	check_told(m, "");
	assert_int_equal(reconciler_obstructed(m->reconciler, &error), 3);
	assert_int_equal(error, -EMFILE);
	check_troubles(m, "t network failing, 3 tries: it cannot be scanned: " FILES "\n");

	m->error = -EIO; /* for another reason */
	assert_int_equal(pass_when_due(m), 4 * SECOND);
	check_told(m, "t: network cannot be scanned: Input/output error\n");
	m->error = 0;
	pass_when_due(m);
	check_told(m, "t: network can be scanned again\n"
		      "converged\n");
	assert_int_equal(reconciler_obstructed(m->reconciler, &error), 0);
	assert_int_equal(status_of(m).counts.n_failing, 0);
	check_troubles(m, "");
}

/* ---- some namespaces cannot be scanned ---- */

static void test_namespaces_in_one_line(void **state) {
	struct machine *m = begin(state, TWO);

	m->error_a = m->error_b = -EACCES;
	pass_when_due(m);
	check_told(m, "a and 1 other: namespaces cannot be scanned: Permission denied\n");
	assert_int_equal(status_of(m).counts.n_failing, 2);
	pass_when_due(m);
	check_told(m, "");
	m->error_a = 0;
	pass_when_due(m);
	check_told(m, "a: namespace can be scanned again\n");
	m->error_b = -EIO;
	pass_when_due(m);
	check_told(m, "b: namespace cannot be scanned: Input/output error\n");
	m->error_b = 0;
	pass_when_due(m);
	check_told(m, "b: namespace can be scanned again\n"
		      "converged\n");
}

static void test_each_for_its_reason(void **state) {
	struct machine *m = begin(state, TWO);

	m->error_a = -EACCES;
	m->error_b = -EIO;
	pass_when_due(m);
	check_told(m, "a: namespace cannot be scanned: Permission denied\n"
		      "b: namespace cannot be scanned: Input/output error\n");
	m->error_a = m->error_b = 0;
	pass_when_due(m);
	check_told(m, "a and 1 other: namespaces can be scanned again\n"
		      "converged\n");
}

/* ---- events ---- */

/* While events cannot be received, everything is scanned instead. */
static void test_deaf(void **state) {
	struct machine *m = begin(state, TWO);
	uint64_t first;

	begin_well(m);
	reconciler_deaf(m->reconciler, -EIO);
	check_told(m, "t: events cannot be received: Input/output error\n");
	first = reconciler_listen_usec(m->reconciler);
	assert_int_equal(first, m->now + SECOND);
	pass_when_due(m);
	assert_int_equal(m->n_scans, 1);
	assert_int_equal(status_of(m).phase, PHASE_DEGRADED);

	m->now = first;
	reconciler_deaf(m->reconciler, -EIO);
	check_told(m, "");
	assert_int_equal(reconciler_listen_usec(m->reconciler), m->now + 2 * SECOND);
	pass_when_due(m);
	assert_int_equal(m->n_scans, 2);
	check_troubles(m, "t events failing, 2 tries: they cannot be received: Input/output error\n");

	/* What happened meanwhile is unknown. */
	reconciler_heard(m->reconciler, false);
	check_told(m, "t: events can be received again\n");
	assert_int_equal(reconciler_listen_usec(m->reconciler), 0);
	pass_when_due(m);
	assert_int_equal(m->n_scans, 3);
	assert_int_equal(status_of(m).phase, PHASE_CONVERGED);
	reconciler_heard(m->reconciler, false);
	check_told(m, "");
}

static void overruns(struct machine *m, unsigned n, uint64_t gap_usec) {
	for (unsigned i = 0; i < n; i++) {
		m->now += gap_usec;
		reconciler_overrun(m->reconciler);
		pass_when_due(m);
	}
}

/* Events are lost at each reading: from the eighth time on they are left unread for a moment, which grows. */
static void test_flood(void **state) {
	struct machine *m = begin(state, TWO);

	begin_well(m);
	overruns(m, 7, SECOND);
	check_told(
		m,
		"overrun, 0 ms\noverrun, 0 ms\noverrun, 0 ms\noverrun, 0 ms\noverrun, 0 ms\noverrun, 0 ms\noverrun, 0 ms\n");
	assert_true(reconciler_listen_usec(m->reconciler) <= m->now);
	overruns(m, 1, SECOND);
	check_told(m, "overrun, 10 ms\n");
	assert_int_equal(reconciler_listen_usec(m->reconciler), m->now + 10 * 1000);
	overruns(m, 1, SECOND);
	assert_int_equal(reconciler_listen_usec(m->reconciler), m->now + 20 * 1000);
	overruns(m, 10, SECOND);
	assert_int_equal(reconciler_listen_usec(m->reconciler), m->now + 250 * 1000);
	check_told(m, "");
	assert_int_equal(status_of(m).counts.n_overruns, 19);
	assert_int_equal(m->n_scans, 19);

	reconciler_heard(m->reconciler, true); /* lost again */
	check_told(m, "");
	reconciler_heard(m->reconciler, false);
	check_told(m, "t: events can be received again\n");
	assert_int_equal(reconciler_listen_usec(m->reconciler), 0);
	overruns(m, 1, 0); /* the count starts again */
	check_told(m, "overrun, 0 ms\n");
}

/* A burst now and then is not a flood. */
static void test_no_flood(void **state) {
	struct machine *m = begin(state, TWO);

	begin_well(m);
	for (int i = 0; i < 5; i++) {
		overruns(m, 7, 1000);
		m->now += SECOND;
	}
	assert_true(reconciler_listen_usec(m->reconciler) <= m->now);
	assert_null(strstr(text_str(&m->told), "10 ms"));
}

/* If no events report changes of files, they are read from time to time; else no timer runs for them. */
static void test_silent_files(void **state) {
	struct machine *m = begin(state, "namespaces: {a: {adopt: true, dns: {servers: 10.0.0.1}}}");

	begin_well(m);
	assert_false(reconciler_has_silent(m->reconciler));
	assert_false(reconciler_dirty_periodic(m->reconciler));
	reconciler_files_silent(m->reconciler);
	assert_true(reconciler_has_silent(m->reconciler));
	assert_true(reconciler_dirty_periodic(m->reconciler));
	pass_when_due(m);
	assert_int_equal(m->n_scans, 1);
	assert_int_equal(status_of(m).counts.n_scanned_for, 1);
}

#define TEST(fn) cmocka_unit_test_teardown(fn, tear_down)

/* While something fails, changes at full speed cause scans for only a part of the time. */
static void test_no_more_than_a_part_of_the_time(void **state) {
	struct machine *m = begin(state, "namespaces: {a: {adopt: true, interfaces: {lo: {addresses: fd00::1/64}}}}");
	size_t n;

	m->duplicates = true;
	m->scan_usec = 1000;
	pass_when_due(m);
	n = m->n_scans;
	for (int i = 0; i < 1000; i++) {
		m->now += 100;
		reconciler_hint(m->reconciler, "a", &(struct hint){ .type = HINT_NAMESPACE });
		reconciler_pass(m->reconciler);
	}
	assert_in_range(m->n_scans - n, 1, 3);
	assert_in_range(reconciler_listen_usec(m->reconciler), m->now, m->now + SECOND / 10);
	n = m->n_scans;
	assert_in_range(pass_when_due(m), 1, SECOND / 20);
	assert_int_equal(m->n_scans, n + 1);
	m->now += SECOND / 10;
	reconciler_hint(m->reconciler, "a", &(struct hint){ .type = HINT_NAMESPACE });
	reconciler_pass(m->reconciler);
	assert_int_equal(m->n_scans, n + 2); /* the first after a quiet time */
}

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(test_no_look),
		TEST(test_namespaces_in_one_line),
		TEST(test_each_for_its_reason),
		TEST(test_deaf),
		TEST(test_flood),
		TEST(test_no_flood),
		TEST(test_silent_files),
		TEST(test_no_more_than_a_part_of_the_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
