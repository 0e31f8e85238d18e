/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests of single situations in the model: sets up a topology, makes things happen, and checks the state.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "check.h"
#include "reconcile/failures.h"

/* Each test has its own ledgers, so that a failing one leaves nothing to the next. */

static char place[64];

static inline int make_place(void **state _unused_) {
	run_make_place(place);
	return 0;
}

static inline int remove_place(void **state _unused_) {
	rmdir(place); /* removed already on success */
	return 0;
}

#define situation_test(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

struct situation {
	struct c_case c;
	struct run run;
};

static inline void begin(struct situation *s, const char *first, const char *second) {
	*s = (struct situation){ .c = { .seed = 1, .yaml = { first, second } } };
	run_init(&s->run, &s->c, true);
}

static inline void no_failure(struct situation *s) {
	if (s->run.failure)
		fail_msg("%s\n%s%s", s->run.failure, text_str(&s->run.story), text_str(&s->run.fake.trace));
}

/* Takes the topology down and checks that nothing is left of it. */
static inline void end(struct situation *s) {
	run_stop(&s->run);
	run_start(&s->run, -1);
	run_quiesce(&s->run);
	check_gone(&s->run);
	no_failure(s);
	run_done(&s->run);
	arena_done(&s->c.arena);
}

#define _situation_ _cleanup_(end) struct situation

static inline void start(struct situation *s) {
	run_start(&s->run, 0);
	run_settle(&s->run);
	no_failure(s);
}

static inline void act(struct situation *s, struct op op) {
	run_op(&s->run, &op);
	if (s->run.r)
		run_settle(&s->run);
	no_failure(s);
}

/* Adds a foreign link. */
static inline void add_card(struct situation *s) {
	act(s, (struct op){ .type = OP_VETH, .ns = NS_HOST, .name = "f0", .ns2 = NS_HOST, .name2 = "f1" });
}

static inline struct reconciler_status status_of(struct situation *s) {
	struct reconciler_status status;

	reconciler_status(s->run.r, &status);
	return status;
}

/* Waits until something is due, and does it. */
static inline void await_due(struct situation *s) {
	s->run.w->now_usec = MAX(reconciler_due(s->run.r), s->run.w->now_usec);
	run_settle(&s->run);
	no_failure(s);
}

static inline void is_degraded(struct situation *s) {
	assert_int_equal(status_of(s).phase, PHASE_DEGRADED);
}

/* After everything that is due: everything is as declared, and the status says so. */
static inline void is_well(struct situation *s) {
	run_quiesce(&s->run);
	check_rest(&s->run);
	no_failure(s);
	state_foreach(ns, run_desired(&s->run))
		ns_foreach(object, ns)
			assert_true(check_is_well(&s->run, object));
	assert_int_equal(status_of(s).phase, PHASE_CONVERGED);
}

/* How often something was reported or done. */
static inline size_t count(struct situation *s, const char *words) {
	size_t n = 0;

	text_addf(&s->run.story, "%s", text_str(&s->run.fake.trace));
	text_done(&s->run.fake.trace);
	for (const char *at = text_str(&s->run.story); (at = strstr(at, words)); at++)
		n++;
	return n;
}

/* A bridge with a queue and an address. */
#define QUEUE(drift)                                   \
	"topology: t\nnamespaces: {n0: {drift: " drift \
	", interfaces: {br: {kind: bridge, txqueuelen: 500, addresses: [10.1.0.1/24]}}}}\n"

static inline void set_queue(struct situation *s, uint32_t length) {
	act(s, (struct op){ .type = OP_TXQLEN, .ns = "n0", .name = "br", .number = length });
}

static inline void lose_address(struct situation *s) {
	act(s, (struct op){ .type = OP_ADDRESS_DELETE, .ns = "n0", .name = "br", .text = "10.1.0.1/24" });
}
