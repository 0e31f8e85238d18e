/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * topod's reconciler against a model of the kernel: random machines, random topologies, random histories.
 *
 *     test-model [--seed S] [--count N] [--seconds T] [--case S] [--whole]
 *
 * Each case is one machine with foreign objects, one topology in one or two versions, and what happens to them. All of it
 * follows from the seed of the case, which is the run's seed plus the number of the case. Whenever nothing is left to do,
 * everything declared must exist, another plan must be empty, and nothing foreign may have been changed; after `down` the
 * machine must be as before. A failing case is reduced and printed step by step; --case S repeats one, --whole does not
 * reduce it.
 */
#include "cases.h"
#include "check.h"
#include "trials.h"

struct totals totals;

/* Before topod. */

static void prepare(struct run *run) {
	run->w->slowness = (unsigned)luck(run, 1, 12);
	run->whole = luck(run, 2, 4) == 0;
	vec_foreach(step, &run->c->before)
		if (case_has(run->c, step->id))
			run_op(run, &step->op);
	run->disturbed = false;
}

/* With the last IPv4 address of a link the kernel deletes all its routes, and with a primary address its secondaries. They
 * are restored after the next scan, so requests that need them fail first. */
static bool takes_others_along(const struct c_case *c) {
	vec_foreach(at, &c->addresses) {
		const struct c_address *a = *at;
		bool made_again = !streq_ptr(a->rest[0], a->rest[1]) || a->noprefixroute[0] != a->noprefixroute[1];

		if (strstr(a->text, ".9/") || (c->upgrade && made_again && !a->ipv6))
			return true;
	}
	return false;
}

/* If nothing was in the way, no request was refused: the order of all requests was possible. */
static void check_order(struct run *run) {
	struct reconciler_status status;

	reconciler_status(run->r, &status);
	if (status.phase == PHASE_CONVERGED && run->fake.n_failed && !run->fake.n_injected && !run->n_crashes &&
	    !run->n_degraded && !takes_others_along(run->c))
		run_fail(run, "order: %zu requests were refused on the way", run->fake.n_failed);
}

/* Reading the same file again makes no request. */
static void check_idle_reload(struct run *run) {
	struct reconciler_status status;
	size_t before = run->fake.n_requests;

	reconciler_status(run->r, &status);
	if (run->failure || status.phase != PHASE_CONVERGED)
		return;
	run_reload(run, run->version);
	run_quiesce(run);
	if (run->fake.n_requests != before)
		run_fail(run, "minimal: an unchanged file asked for %zu requests", run->fake.n_requests - before);
	check_rest(run);
}

/* Between two versions that differ in single values, each value is one request. */

/* A link-local address is only missed once the kernel has been told to make one, and with `arp` the kernel removes the
 * neighbors. */
static bool is_live(const struct object *object, uint64_t fields) {
	if (object_is_link(object) && fields & (field_bit(LINK_ADDRESS_GENERATION) | field_bit(LINK_ARP)))
		return false;
	for (size_t i = 0; i < object->kind->n_fields; i++)
		if (fields >> i & 1 && object->kind->fields[i].class != FIELD_LIVE)
			return false;
	return !object->kind->recreate || !object->kind->recreate(object, object, fields);
}

/* Fields that have no former value stay as they are when they are no longer declared. */
static uint64_t differing(const struct object *before, const struct object *after) {
	uint64_t differs = object_compare(before, after);

	for (size_t i = 0; i < before->kind->n_fields; i++)
		if (!object_has(after, i) && before->kind->fields[i].flags & FIELD_ONE_WAY)
			differs &= ~field_bit(i);
	return differs;
}

/* Counts objects that differ; *ret_live: only in values that are changed in place. */
static size_t count_differences(struct run *run, const struct state *a, const struct state *b, bool *ret_live) {
	size_t n = 0;

	*ret_live = true;
	state_foreach(ns, a)
		ns_foreach(object, ns) {
			const struct object *other = ns_find(state_find(b, ns->name), object);

			if (check_is_held_up(run, object)) { /* it may or may not be changed */
				*ret_live &= other && !differing(object, other);
				continue;
			}
			n += !other || differing(object, other);
			*ret_live &= !other || is_live(object, differing(object, other));
		}
	return n;
}

/* Counts objects that only the second version has; what they wait for may be new as well. */
static size_t count_new(struct run *run, const struct state *a, const struct state *b) {
	size_t n = 0;

	state_foreach(ns, b)
		ns_foreach(object, ns)
			n += !ns_find(state_find(a, ns->name), object) && !check_is_held_up(run, object);
	return n;
}

static void check_minimal_reload(struct run *run) {
	struct reconciler_status status;
	struct spec before = {}, after = {};
	size_t n = run->fake.n_requests - run->fake.n_again, expected;
	bool live;

	if (run->failure || !run_read(run, 0, &before) || !run_read(run, 1, &after)) {
		spec_done(&before);
		spec_done(&after);
		return;
	}
	expected = count_differences(run, &before.state, &after.state, &live);
	run_reload(run, 1);
	expected += count_new(run, &before.state, &after.state);
	run_quiesce(run);
	n = run->fake.n_requests - run->fake.n_again - n;
	reconciler_status(run->r, &status);
	if (status.phase == PHASE_CONVERGED && live && n != expected)
		run_fail(run, "minimal: %zu values differ, and %zu requests were made", expected, n);
	totals.n_minimal += live && expected;
	spec_done(&before);
	spec_done(&after);
}

/* Cancels steps that have not happened yet. */
static void calm(struct run *run) {
	vec_clear(&run->fake.faults);
	vec_clear(&run->scheduled);
	run->fake.look_fault = run->fake.crash_at = 0;
}

/* The history of a case. */

static void live(struct run *run) {
	const struct c_case *c = run->c;

	if (c->upgrade) {
		run_start(run, 0);
		run_plan_crash(run, &c->crashes[0]);
		run_quiesce(run);
		check_rest(run);
		if (c->minimal) {
			check_minimal_reload(run);
		} else if (luck(run, 3, 2)) {
			run_plan_crash(run, &c->crashes[1]);
			run_reload(run, 1);
		} else {
			run_stop(run);
			run_start(run, 1);
			run_plan_crash(run, &c->crashes[1]);
		}
	} else if (luck(run, 4, 4) == 0) {
		if (luck(run, 13, 2))
			fail_one(run);
		else
			ignore_one(run);
	} else {
		run_start(run, 1);
		run_plan_crash(run, &c->crashes[1]);
	}
	if (run->r)
		run_quiesce(run);
	calm(run);
}

static void happen(struct run *run) {
	vec_foreach(step, &run->c->steps)
		if (case_has(run->c, step->id) && !run->failure) {
			run_step(run, step);
			totals.n_steps++;
		}
	run_quiesce(run);
	calm(run);
	reconciler_dirty_periodic(run->r);
	run_quiesce(run);
	run->w->now_usec += 60 * 1000 * 1000;
	run_quiesce(run);
}

/* The other host goes, and the address becomes usable. */
static void lose_rival(struct run *run) {
	if (!run->w->rival.family || run->failure)
		return;
	run_op(run, &(struct op){ .type = OP_RIVAL_GONE, .ns = NS_HOST, .number = luck(run, 14, 2) });
	run_quiesce(run);
	check_rest(run);
}

static void go_down(struct run *run, const char *before) {
	run_stop(run);
	calm(run);
	run_start(run, -1);
	run_plan_crash(run, &run->c->crashes[VERSIONS]);
	run_quiesce(run);
	check_gone(run);
	_cleanup_free_ char *after = world_dump(run->w, true);
	if (!run->disturbed && !run->fake.gave_up && !streq(before, after))
		run_fail(run, "before: after `down` the machine is not as it was\n--- before\n%s--- after\n%s", before,
			 after);
}

static void do_case(struct run *run) {
	prepare(run);
	_cleanup_free_ char *before = world_dump(run->w, true);
	live(run);
	if (run->failure || !run->r)
		return;
	check_rest(run);
	check_order(run);
	check_idle_reload(run);
	if (luck(run, 11, 6) == 0)
		be_blind(run);
	if (luck(run, 12, 6) == 0)
		be_locked_out(run);
	if (luck(run, 10, 6) == 0)
		lose_ledger(run);
	if (luck(run, 7, 4) == 0) {
		fight(run);
		run->disturbed = true; /* the secondaries were deleted with their primary */
	}
	if (!run->failure && run->c->steps.n) {
		happen(run);
		check_rest(run);
	}
	lose_rival(run);
	if (!run->failure)
		go_down(run, before);
}

static void add_up(const struct run *run) {
	totals.n_requests += run->fake.n_requests;
	totals.n_scans += run->fake.n_scans;
	totals.n_partial += run->fake.n_partial;
	totals.n_failed += run->fake.n_failed;
	totals.n_passes += run->n_passes;
	totals.n_converged += run->n_converged;
	totals.n_degraded += run->n_degraded;
}

char *try_case(uint64_t seed, bool *off, int n_off, bool telling) {
	struct c_case *c = case_new(seed, false, off, n_off);
	_cleanup_text_ struct text story = {};
	struct run run;
	char *failure;

	run_init(&run, c, telling);
	do_case(&run);
	failure = TAKE_PTR(run.failure);
	if (telling) {
		case_print(c, &story);
		printf("%s# What topod did:\n%s%s\n", text_str(&story), text_str(&run.story), text_str(&run.fake.trace));
	} else {
		add_up(&run);
	}
	run_done(&run);
	case_free(c);
	return failure;
}

const bool cases_real = false;
const unsigned cases_jobs = 1;

int main(int argc, char **argv) {
	char place[64];
	int r;

	run_make_place(place);
	r = cases_main(argc, argv, 20);
	printf("model: %zu looks (%zu narrow), %zu requests (%zu refused), %zu passes, %zu steps; at rest %zu times converged, "
	       "%zu degraded; %zu minimal reloads, %zu lasting faults, %zu ignored requests, %zu fights, %zu lost ledgers, %zu times blind\n",
	       totals.n_scans, totals.n_partial, totals.n_requests, totals.n_failed, totals.n_passes, totals.n_steps,
	       totals.n_converged, totals.n_degraded, totals.n_minimal, totals.n_faults, totals.n_ignored, totals.n_fights,
	       totals.n_lost, totals.n_blind);
	rmdir(place);
	return r;
}
