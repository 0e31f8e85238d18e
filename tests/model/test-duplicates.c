/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An address that another host has: the kernel keeps it and does not use it. That is reported once and, if topod may
 * recreate the address, retried until the other host is gone.
 */
#include "situation.h"

#define RIVAL "topology: t\nnamespaces: {n0: {interfaces: {vx: {kind: vxlan, id: 7, addresses: ['fd00::1/64']}}}}\n"

static struct w_address *duplicate(struct situation *s) {
	vec_foreach(address, &world_ns(s->run.w, "n0")->addresses)
		if (address->address.address.family == AF_INET6 && address->protocol == TOPOD_PROTOCOL)
			return address;
	fail_msg("the address is not there");
	return NULL;
}

static size_t n_tries(struct situation *s) {
	return s->run.fake.n_requests / 2; /* each try deletes and creates it */
}

/* A retry recreates it, with growing pauses, regardless of other events: recreating it causes some. */
static void test_duplicate_is_retried(void **state _unused_) {
	_situation_ s;
	size_t before;

	begin(&s, RIVAL, NULL);
	start(&s);
	s.run.w->rival = duplicate(&s)->address.address;
	duplicate(&s)->failed = true;
	reconciler_dirty(s.run.r, "n0");
	run_settle(&s.run);
	before = n_tries(&s);
	for (int i = 0; i < 60 * 4; i++) { /* a minute */
		s.run.w->now_usec += 250 * 1000;
		world_detect(s.run.w);
		reconciler_dirty(s.run.r, "n0");
		run_settle(&s.run);
	}
	assert_in_range(n_tries(&s) - before, 4, 7); /* after 1, 2, 4, … seconds */
	assert_int_equal(status_of(&s).phase, PHASE_DEGRADED);
	assert_int_equal(count(&s, "duplicate address detection found another host with it"), 1);
	assert_int_equal(count(&s, "= recovered"), 0);
	/* The other host goes, and an event of its neighbour entry reports that. */
	before = n_tries(&s);
	s.run.w->rival = (struct ip){};
	reconciler_hint(s.run.r, "n0", &(struct hint){ .type = HINT_NEIGHBOUR, .address = duplicate(&s)->address.address });
	run_settle(&s.run);
	assert_int_equal(n_tries(&s) - before, 1);
	is_well(&s);
	assert_int_equal(count(&s, "= recovered: n0/vx"), 1);
	assert_false(reconciler_wants_neighbours(s.run.r));
}

/* Without a carrier a try is useless; when the carrier comes, it is tried at once. */
static void test_duplicate_without_carrier(void **state _unused_) {
	_situation_ s;
	size_t before;

	begin(&s,
	      "topology: t\nnamespaces: {n0: {interfaces: {e0: {addresses: ['fd00::1/64']}}}, n1: {}}\nlinks: [[n0:e0, n1:e1]]\n",
	      NULL);
	start(&s);
	is_well(&s);
	duplicate(&s)->failed = true;
	s.run.w->by_topod = false;
	reconciler_pause(s.run.r); /* the other end stays down */
	act(&s, (struct op){ .type = OP_DOWN, .ns = "n1", .name = "e1" });
	reconciler_dirty(s.run.r, "n0");
	run_settle(&s.run);
	before = n_tries(&s);
	s.run.w->now_usec += 1;
	reconciler_resume(s.run.r);
	run_quiesce(&s.run);
	is_well(&s);
	assert_in_range(n_tries(&s) - before, 1, 2); /* one more for the link itself */
}

static void find_duplicate(struct situation *s, bool there) {
	vec_foreach(address, &world_ns(s->run.w, "n0")->addresses)
		address->failed = there;
	reconciler_dirty(s->run.r, "n0");
	run_settle(&s->run);
}

/* It exists and cannot be used: another host has the same address. */
static void test_duplicate_address(void **state _unused_) {
	_situation_ s;

	begin(&s, "topology: t\nnamespaces: {n0: {interfaces: {br: {kind: vxlan, id: 7, addresses: ['fd00::1/64']}}}}\n",
	      NULL);
	start(&s);
	is_well(&s);
	find_duplicate(&s, true);
	is_degraded(&s);
	find_duplicate(&s, false);
	is_well(&s);
	assert_int_equal(count(&s, "duplicate address detection found another host with it"), 1);
	assert_int_equal(count(&s, "= recovered: n0/br"), 1);
}

/* Runs until another host is found to have the address. */
static void meet_rival(struct situation *s, const char *yaml) {
	begin(s, yaml, NULL);
	if (ip_parse("fd00::1", &s->run.w->rival) < 0)
		abort();
	start(s);
	run_quiesce(&s->run);
	no_failure(s);
	is_degraded(s);
	assert_int_equal(count(s, "duplicate address detection found another host with it"), 1);
}

/* After a refused try, others follow: an address that could not be deleted still belongs to topod, even in somebody else's
 * namespace. */
static void test_refused_try(void **state _unused_) {
	_situation_ s;

	begin(&s,
	      "topology: t\nnamespaces: {n0: {adopt: true, interfaces: {vx: {kind: vxlan, id: 7, addresses: ['fd00::1/64']}}}}\n",
	      NULL);
	act(&s, (struct op){ .type = OP_NS_ADD, .ns = "n0" });
	assert_int_equal(ip_parse("fd00::1", &s.run.w->rival), 0);
	start(&s);
	run_quiesce(&s.run);
	is_degraded(&s);
	vec_push(&s.run.fake.faults, (struct fault){ .request = s.run.fake.n_requests + 1, .error = -EBUSY });
	while (!s.run.fake.n_injected)
		await_due(&s);
	assert_true(reconciler_due(s.run.r) != UINT64_MAX);
	s.run.w->rival = (struct ip){};
	is_well(&s);
}

#define DRIFTING(policy)                                \
	"topology: t\nnamespaces: {n0: {drift: " policy \
	", interfaces: {vx: {kind: vxlan, id: 7, addresses: ['fd00::1/64']}}}}\n"

/* With `drift: report` it is not recreated, nor scanned again and again; a reload tries it. */
static void test_left_alone(void **state _unused_) {
	static const char *const files[] = { DRIFTING("report"), DRIFTING("ignore") };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_situation_ s;
		size_t before;

		meet_rival(&s, files[i]);
		before = s.run.fake.n_scans;
		assert_int_equal(reconciler_due(s.run.r), UINT64_MAX);
		s.run.w->now_usec += 3600 * UINT64_C(1000000);
		run_settle(&s.run);
		assert_int_equal(s.run.fake.n_scans, before);
		s.run.w->rival = (struct ip){};
		run_reload(&s.run, 0);
		is_well(&s);
	}
}

#define ADOPTED \
	"topology: t\nnamespaces: {n0: {adopt: true, interfaces: {vx: {kind: vxlan, id: 7, addresses: ['fd00::1/64']}}}}\n"

/* In an adopted namespace, too, the address is topod's. */
static void test_adopted(void **state _unused_) {
	_situation_ s;

	begin(&s, ADOPTED, NULL);
	act(&s, (struct op){ .type = OP_NS_ADD, .ns = "n0" });
	start(&s);
	is_well(&s);
	s.run.w->rival = duplicate(&s)->address.address;
	act(&s, (struct op){ .type = OP_DOWN, .ns = "n0", .name = "vx" });
	run_quiesce(&s.run);
	is_degraded(&s);
	s.run.w->rival = (struct ip){};
	is_well(&s);
}

/* A foreign address is not recreated. */
static void test_of_somebody_else(void **state _unused_) {
	_situation_ s;
	size_t before;

	begin(&s,
	      "topology: t\nnamespaces: {n0: {adopt: true, interfaces: {f0: {kind: existing, addresses: ['fd00::1/64']}}}}\n",
	      NULL);
	act(&s, (struct op){ .type = OP_NS_ADD, .ns = "n0" });
	act(&s, (struct op){ .type = OP_RIVAL, .ns = "n0", .text = "fd00::1" });
	act(&s, (struct op){ .type = OP_VXLAN, .ns = "n0", .name = "f0", .number = 7 });
	act(&s, (struct op){ .type = OP_UP, .ns = "n0", .name = "f0" });
	act(&s, (struct op){ .type = OP_ADDRESS_ADD, .ns = "n0", .name = "f0", .text = "fd00::1/64" });
	start(&s);
	run_quiesce(&s.run);
	is_degraded(&s);
	before = s.run.fake.n_scans;
	s.run.w->now_usec += 3600 * UINT64_C(1000000);
	run_settle(&s.run);
	assert_int_equal(s.run.fake.n_scans, before);
	assert_int_equal(count(&s, "delete n0/f0 address"), 0);
}

/* A try that fails for another reason is remembered only until the next one. */
static void test_another_reason(void **state _unused_) {
	_situation_ s;
	const struct object *address;

	meet_rival(&s, RIVAL);
	address = state_find(run_desired(&s.run), "n0")->objects;
	while (address->kind->class != &class_address)
		address = address->hh.next;
	/* It is deleted and created, and creating it fails. */
	vec_push(&s.run.fake.faults, (struct fault){ .request = s.run.fake.n_requests + 2, .error = -EBUSY });
	for (int i = 0; i < 4 && check_is_told(&s.run, address, "failing", "duplicate"); i++)
		await_due(&s);
	assert_true(check_is_told(&s.run, address, "failing", "busy"));
	for (int i = 0; i < 4 && !check_is_told(&s.run, address, "failing", "duplicate"); i++)
		await_due(&s);
	assert_true(check_is_told(&s.run, address, "failing", "duplicate"));
	s.run.w->rival = (struct ip){};
	is_well(&s);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		situation_test(test_duplicate_address),    situation_test(test_refused_try),
		situation_test(test_duplicate_is_retried), situation_test(test_duplicate_without_carrier),
		situation_test(test_left_alone),           situation_test(test_adopted),
		situation_test(test_of_somebody_else),     situation_test(test_another_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
