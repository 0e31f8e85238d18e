/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trials.h"

#include "check.h"
#include "reconcile/failures.h"

uint64_t luck(const struct run *run, unsigned salt, uint64_t n) {
	uint64_t x = (run->c->seed + salt) * UINT64_C(0x9e3779b97f4a7c15);

	return (x >> 32 ^ x) % n;
}

/* An object that always fails. */

static const struct object *pick_object(struct run *run, const struct state *state) {
	const struct object *picked = NULL;
	uint64_t n = 0;

	state_foreach(ns, state)
		ns_foreach(object, ns) {
			bool lo = object_is_link(object) && streq(((const struct link *)object)->name, "lo");

			if (lo)
				continue;
			n++; /* each with the same chance */
			if (luck(run, (unsigned)(1000 + n), n) == 0)
				picked = object;
		}
	return picked;
}

/* Makes passes until the next try is more than three seconds away. */
static void fail_for_a_while(struct run *run) {
	for (int i = 0; i < 8 && !run->failure; i++) {
		run_settle(run);
		uint64_t due = reconciler_due(run->r);

		if (due == UINT64_MAX || due > run->w->now_usec + 3000000)
			return;
		world_tick(run->w, true);
		run->w->now_usec = due;
	}
}

struct dragging {
	struct run *run;
	const struct object *object; /* the failing one */
	const struct object *other;  /* one that may need it */
	bool needs;
};

static bool needs(struct dragging *d) {
	const struct object *twin = d->other->twin;

	d->needs = object_is_namespace(d->object) && d->other != d->object &&
		   (streq(d->other->ns, d->object->ns) || (twin && streq(twin->ns, d->object->ns)));
	object_foreach_need(need, d->other)
		d->needs |= object_is_link(d->object) && streq(need.ns, d->object->ns) &&
			    streq_ptr(need.name, ((const struct link *)d->object)->name);
	return d->needs;
}

static void find_dragged(void *userdata, const struct failure *t) {
	struct dragging *d = userdata;
	_cleanup_text_ struct text scope = {}, noun = {};

	object_print_scope(d->other, &scope);
	object_print_noun(d->other, &noun);
	if (streq(t->scope, scope.data) && streq(t->noun, noun.data))
		run_fail(d->run, "trouble: %s %s only waits for %s, and is reported", t->scope, t->noun, d->run->faulted);
}

/* An object that only depends on the failing one is not reported. */
static void check_dragged(struct run *run, const struct state *state, const struct object *object) {
	state_foreach(ns, state)
		ns_foreach(other, ns) {
			struct dragging d = { .run = run, .object = object, .other = other };

			if (other != object && needs(&d) && !check_in_the_way(run, other))
				reconciler_failures(run->r, find_dragged, &d);
		}
}

static void check_reported(struct run *run, const struct object *object, const char *error) {
	struct reconciler_status status;

	reconciler_status(run->r, &status);
	if (!check_is_told(run, object, "failing", error))
		run_fail(run, "trouble: what always fails (%s) is not reported", run->faulted);
	if (status.phase != PHASE_DEGRADED)
		run_fail(run, "trouble: something always fails, and it says phase %d", status.phase);
}

/* A hint within a second of a try does not cause another; a later one does, even before the pause is over. */
static void recover_by_event(struct run *run, const struct object *object) {
	uint64_t due = reconciler_due(run->r);
	size_t tries = run->fake.n_injected, requests;

	if (due < run->w->now_usec + 2500000)
		return;
	reconciler_dirty(run->r, object->ns);
	run_settle(run);
	if (run->fake.n_injected != tries && reconciler_due(run->r) > run->w->now_usec + 900000 &&
	    run->w->now_usec < due - 29000000)
		run_fail(run, "trouble: tried again at once");
	run->w->now_usec += 1100000;
	vec_clear(&run->fake.faults);
	tries = run->fake.n_injected;
	requests = run->fake.n_requests;
	reconciler_dirty(run->r, object->ns);
	run_settle(run);
	if (!check_is_well(run, object) && run->fake.n_injected == tries && run->fake.n_requests == requests)
		run_fail(run, "trouble: %s was not tried again on an event", run->faulted);
}

static void recover_by_time(struct run *run, const struct object *object) {
	uint64_t due = reconciler_due(run->r);

	vec_clear(&run->fake.faults);
	if (due > run->w->now_usec + 31000000)
		run_fail(run, "trouble: %s is not due", run->faulted);
	run->w->now_usec = MAX(run->w->now_usec, due);
	run_settle(run);
	(void)object;
}

/* Somebody else adds the address while topod cannot: then it is foreign. Or the link is gone, and there is nothing to
 * try. */
static void be_overtaken(struct run *run, const struct object *object) {
	const struct address *a = (const struct address *)object;
	struct w_ns *ns = world_ns_or_held(run->w, object->ns);
	struct w_link *link = object->kind->class == &class_address ? ns_link(ns, a->dev) : NULL;

	if (!link || streq(a->dev, "lo") || state_find(run_desired(run), object->ns)->adopt)
		return;
	if (link->external && luck(run, 8, 2))
		link_remove(run->w, link);
	else
		address_add(run->w, ns, (struct w_address){ .link = link, .address = a->address, .nodad = true });
	run->disturbed = true;
}

static bool is_there(struct run *run, const struct object *object) {
	struct w_ns *ns = world_ns_or_held(run->w, object->ns);

	return ns &&
	       (object_is_namespace(object) || (object_is_link(object) && ns_link(ns, ((const struct link *)object)->name)));
}

/* One object cannot be made for a long time: all others are, it is reported, and it is made once that is possible. */
void fail_one(struct run *run) {
	static const int errors[] = { ENOMEM, EBUSY, EPERM, ENOBUFS, EOPNOTSUPP };
	int error = errors[luck(run, 5, 5)];
	struct spec spec = {};
	const struct object *object = run_read(run, 1, &spec) ? pick_object(run, &spec.state) : NULL;
	_cleanup_text_ struct text id = {};

	if (!object) {
		spec_done(&spec);
		return;
	}
	object_print_id(object, &id);
	run->faulted = id.data;
	vec_push(&run->fake.faults, (struct fault){ .id = id.data, .error = -error });
	run_start(run, 1);
	fail_for_a_while(run);
	/* A link may have inherited the setting. */
	if (run->fake.n_injected && !run->failure && !check_is_well(run, object)) {
		totals.n_faults++;
		check_reported(run, object, strerror(error));
		if (!is_there(run, object))
			check_dragged(run, &spec.state, object);
		check_rest(run);
		if (luck(run, 9, 3) == 0)
			be_overtaken(run, object);
		else if (luck(run, 6, 2))
			recover_by_event(run, object);
		else
			recover_by_time(run, object);
	}
	vec_clear(&run->fake.faults);
	run->faulted = NULL;
	run_quiesce(run);
	check_rest(run);
	spec_done(&spec);
}

/* A field that is set after creation, or the whole of an object that is one request; NULL: this case has none. */
static const char *pick_ignored(const struct run *run, const struct object *object, bool *ret_any) {
	const struct kind *kind = object->kind;
	const char *picked = NULL;
	uint64_t n = 0;

	*ret_any = kind->class != &class_link && kind->class != &class_netns;
	for (size_t i = 0; kind->class == &class_link && i < kind->n_fields; i++) {
		const struct field *field = &kind->fields[i];

		if (!object_has(object, i) || field->class != FIELD_LIVE ||
		    field->flags & (FIELD_HIDDEN | FIELD_DEV | FIELD_SIGN) || field->wire == WIRE_IFF ||
		    (kind->recreate && kind->recreate(object, object, field_bit(i))))
			continue;
		n++; /* each with the same chance */
		if (luck(run, (unsigned)(2000 + n), n) == 0)
			picked = field->name;
	}
	*ret_any |= picked != NULL;
	return picked;
}

static bool is_excused_by_others(struct run *run, const struct object *object) {
	const char *faulted = run->faulted;
	bool excused;

	run->faulted = NULL;
	excused = check_is_excused(run, object);
	run->faulted = faulted;
	return excused;
}

/* The kernel acknowledges something but does not do it: this is reported with the value that it keeps, and everything else
 * is as declared. */
void ignore_one(struct run *run) {
	struct spec spec = {};
	const struct object *object = run_read(run, 1, &spec) ? pick_object(run, &spec.state) : NULL;
	_cleanup_text_ struct text id = {};
	bool any = false;
	const char *field = object ? pick_ignored(run, object, &any) : NULL;

	if (!any) {
		spec_done(&spec);
		return;
	}
	object_print_id(object, &id);
	run->faulted = id.data;
	vec_push(&run->fake.faults, (struct fault){ .id = id.data, .error = FAULT_IGNORED, .field = field });
	run_start(run, 1);
	fail_for_a_while(run);
	if (run->fake.n_injected && !run->failure && !check_is_well(run, object) && !is_excused_by_others(run, object)) {
		totals.n_ignored++;
		check_reported(run, object, "the kernel ");
		check_rest(run);
		recover_by_time(run, object);
	}
	vec_clear(&run->fake.faults);
	run->faulted = NULL;
	run_quiesce(run);
	check_rest(run);
	spec_done(&spec);
}

/* Contention is noticed. */

/* The only address of its link; one of several might not disappear alone. */
static bool is_alone(const struct ns_state *ns, const struct address *a) {
	ns_foreach(object, ns)
		if (object->kind->class == &class_address && object != &a->object &&
		    streq(((const struct address *)object)->dev, a->dev))
			return false;
	return true;
}

static const struct address *pick_address(const struct state *state, const struct run *run) {
	state_foreach(ns, state)
		ns_foreach(object, ns)
			if (object->kind->class == &class_address && object->drift == DRIFT_RESTORE && !object->gone &&
			    ((const struct address *)object)->address.address.family == AF_INET &&
			    is_alone(ns, (const struct address *)object) && ledger_find_object(&run->ledger, object))
				return (const struct address *)object;
	return NULL;
}

static bool undo(struct run *run, const struct address *a) {
	struct w_ns *ns = world_ns_or_held(run->w, a->object.ns);

	if (address_delete(run->w, ns, ns_link(ns, a->dev), &a->address, &a->peer) < 0)
		return false;
	run_settle(run);
	return check_is_well(run, &a->object);
}

void fight(struct run *run) {
	const struct address *a = pick_address(run_desired(run), run);
	struct reconciler_status status;
	uint64_t due;

	reconciler_status(run->r, &status);
	if (!a || status.phase != PHASE_CONVERGED || run->failure)
		return;
	totals.n_fights++;
	run->w->now_usec += CONTENTION_WINDOW_USEC + 1;
	for (int i = 0; i < 5; i++)
		if (!undo(run, a))
			run_fail(run, "fight: repair %d was not made", i + 1);
	if (undo(run, a))
		run_fail(run, "fight: repaired without end");
	reconciler_status(run->r, &status);
	due = reconciler_due(run->r);
	if (status.counts.n_fights != 1 || due > run->w->now_usec + 1100000 || due < run->w->now_usec + 800000)
		run_fail(run, "fight: %zu are told of, due in %lld us", status.counts.n_fights,
			 (long long)(due - run->w->now_usec));
	run->w->now_usec = due;
	run_settle(run);
	if (!check_is_well(run, &a->object))
		run_fail(run, "fight: not repaired after the pause");
	run_quiesce(run);
	check_rest(run);
	reconciler_status(run->r, &status);
	if (status.counts.n_fights)
		run_fail(run, "fight: not over when nobody fights");
}

/* Failing scans. */

/* Objects that cannot be scanned are not taken for gone: nothing is done or forgotten, and the scan is retried with growing
 * pauses. */
static void look_in_vain(struct run *run, size_t expected, uint64_t pause_usec) {
	size_t looks = run->fake.n_scans;
	struct reconciler_status status;
	uint64_t due;

	run_settle(run);
	reconciler_status(run->r, &status);
	due = reconciler_due(run->r);
	if (run->fake.n_scans != looks + expected)
		run_fail(run, "blind: %zu looks at once", run->fake.n_scans - looks);
	if (status.phase == PHASE_CONVERGED)
		run_fail(run, "blind: nothing can be read, and it says converged");
	if (due == UINT64_MAX || due < run->w->now_usec + pause_usec * 9 / 10 ||
	    due > run->w->now_usec + pause_usec * 11 / 10)
		run_fail(run, "blind: the scan is not repeated in time");
	run->w->now_usec = MAX(due, run->w->now_usec);
}

/* Scanning works again. `requests` and the ledger `before`: from when it failed. */
static void check_untouched(struct run *run, const char *what, size_t requests, const char *before) {
	_cleanup_free_ char *after = ledger_format(&run->ledger);
	struct reconciler_status status;

	if (run->fake.n_requests != requests || !streq(before, after))
		run_fail(run, "%s: something was done or forgotten", what);
	check_rest(run);
	reconciler_status(run->r, &status);
	if (status.phase != PHASE_CONVERGED)
		run_fail(run, "%s: all can be scanned again, and it does not say converged", what);
	totals.n_blind++;
}

void be_blind(struct run *run) {
	_cleanup_free_ char *before = ledger_format(&run->ledger);
	size_t requests = run->fake.n_requests;
	struct reconciler_status status;

	reconciler_status(run->r, &status);
	if (run->failure || status.phase != PHASE_CONVERGED)
		return;
	run->fake.blind = -ENOBUFS;
	reconciler_dirty_all(run->r);
	for (int i = 0; i < 3 && !run->failure; i++)
		look_in_vain(run, 1, (uint64_t)1000000 << i);
	run->fake.blind = 0;
	run_quiesce(run);
	check_untouched(run, "blind", requests, before);
}

/* One namespace cannot be scanned: changes that depend on it are left out, and it is reported. */
void be_locked_out(struct run *run) {
	_cleanup_free_ char *before = ledger_format(&run->ledger), *after = NULL;
	struct w_ns *ns = run->w->spaces.items[luck(run, 13, run->w->spaces.n)];
	size_t requests = run->fake.n_requests;
	struct reconciler_status status;

	reconciler_status(run->r, &status);
	if (run->failure || status.phase != PHASE_CONVERGED || !ns->name || !state_find(run_desired(run), ns->name))
		return;
	run->fake.closed = ns->name;
	reconciler_dirty_all(run->r);
	run_settle(run);
	reconciler_status(run->r, &status);
	if (status.phase != PHASE_DEGRADED || status.counts.n_failing != 1)
		run_fail(run, "locked out: %s cannot be scanned, and %zu are failing", ns->name, status.counts.n_failing);
	run->fake.closed = NULL;
	run_quiesce(run);
	check_untouched(run, "locked out", requests, before);
}

static bool has_hardware(const struct c_case *c) {
	vec_foreach(at, &c->links)
		if ((*at)->source[0])
			return true;
	return false;
}

/* Without its ledger topod recognises its objects only by their marks, and takes all others for foreign. (A card that was
 * moved in has no mark.) */
void lose_ledger(struct run *run) {
	struct reconciler_status status;

	reconciler_status(run->r, &status);
	if (run->failure || status.phase != PHASE_CONVERGED || has_hardware(run->c))
		return;
	run_lose_ledger(run);
	run_quiesce(run);
	check_rest(run);
	totals.n_lost++;
}
