/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "check_private.h"

#include "kind/kinds.h"
#include "plan/diff.h"

/* What is declared. */

/* A rule whose priority the kernel chose is found without it. */
static void identify(struct run *run, struct state *seen, const char *ns) {
	const struct plan_input input = { .desired = run_desired(run), .observed = seen, .ledger = &run->ledger };
	struct diff diff = { .input = &input };
	struct ns_state *there = state_find(seen, ns);

	there->desired = state_find(run_desired(run), ns);
	diff_identify(&diff, there);
	there->desired = NULL;
}

void check_see(struct run *run, const char *ns, struct state *ret) {
	struct scan_request request = { .desired = run_desired(run),
					.ledger = &run->ledger,
					.topology = reconciler_spec(run->r)->topology };

	fake_see(&run->fake, &request, ns, ret);
	identify(run, ret, ns);
}

bool check_is_disputed(struct run *run, const struct object *object) {
	struct ledger others = {};
	const struct claimant claimant = { run->beside ? run->beside->topology : "", &others };
	const struct claims claims = { run->topology, &claimant, 1 };
	struct state state = {};
	struct stake claim = {};

	if (!run->beside)
		return false;
	run_read_ledger(run->beside, &others);
	check_see(run, object->ns, &state);
	const struct ns_state *ns = state_find(&state, object->ns);
	const struct object *seen = ns_find(ns, object);
	bool disputed = claims_disputed(&claims, object, seen, &run->ledger, ns, &claim);
	if (!object->external && (object_is_link(object) || (object_is_namespace(object) && seen)))
		disputed |= claims_maker(&claims, object, seen, ns).by && !check_is_made(run, object);
	state_done(&state);
	ledger_done(&others);
	return disputed;
}

static bool is_besides(struct run *run, const struct object *object) {
	struct ledger others = {};

	if (run->beside)
		run_read_ledger(run->beside, &others);
	bool found = ledger_find_object(&others, object);
	ledger_done(&others);
	return found;
}

static bool has_besides(struct run *run, const char *ns, const struct class *class) {
	struct ledger others = {};

	if (run->beside)
		run_read_ledger(run->beside, &others);
	bool found = ledger_concerns(ledger_namespace(&others, ns), NULL, class);
	ledger_done(&others);
	return found;
}

/* A vxlan sends frames with unknown destinations to its remote end and nowhere else. */
static bool floods_well(const struct run *run, const struct object *object) {
	size_t remote = (size_t)kind_field(&kind_vxlan, "remote");
	const struct w_link *link;

	if (object->kind != &kind_vxlan || !object_has(object, remote))
		return true;
	link = ns_link(world_ns(run->w, object->ns), ((const struct link *)object)->name);
	return link && link->n_flood == 1 && ip_equal(&link->flood[0], field_of(&kind_vxlan.fields[remote], object));
}

/* Objects that others made in an adopted namespace keep their mark and MAC address, unless the file has one. */
static uint64_t left_signs(struct run *run, const struct object *object, const struct object *seen) {
	const struct ns_state *ns = state_find(run_desired(run), object->ns);
	uint64_t mask = 0;

	for (size_t i = 0; ns->adopt && seen && !seen->owned && i < object->kind->n_fields; i++)
		if (diff_fills_in(object, i) && (object_is_link(object) || !(object->kind->fields[i].flags & FIELD_ONE_WAY)))
			mask |= field_bit(i);
	return object->gone || check_is_made(run, object) ? 0 : mask;
}

static bool is_well(struct run *run, const struct ns_state *seen_in, const struct object *object) {
	const struct object *seen = ns_find(seen_in, object);
	/* The other topology may declare fields that this one no longer does. */
	uint64_t fields = (run->beside ? ~object->returning : UINT64_MAX) & ~left_signs(run, object, seen);

	return floods_well(run, object) && seen && (seen->kind == object->kind || object->kind->any_kind) &&
	       !(object_compare(object, seen) & fields) && !seen->pending && !seen->failed &&
	       !(seen->kind == &kind_route && (((const struct route *)seen)->front || ((const struct route *)seen)->better));
}

bool check_is_well(struct run *run, const struct object *object) {
	struct state state = {};
	bool well;

	check_see(run, object->ns, &state);
	well = is_well(run, state_find(&state, object->ns), object);
	state_done(&state);
	return well;
}

static void tell_wrong(struct run *run, const struct ns_state *seen_in, const struct object *object) {
	const struct object *seen = ns_find(seen_in, object);
	_cleanup_text_ struct text fields = {};
	char id[256];

	if (!seen)
		run_fail(run, "missing: %s", check_id(object, id));
	else if (seen->kind == object->kind || object->kind->any_kind)
		object_print_fields(object, seen, object_compare(object, seen), &fields);
	run_fail(run, "different: %s: %s", check_id(object, id), text_str(&fields));
}

/* Waiting objects count too, but may have drifted meanwhile in a way that is only reported. */
static bool has_drifted(const struct ns_state *seen_in, const struct object *object) {
	const struct object *seen = object->drift == DRIFT_RESTORE ? NULL : ns_find(seen_in, object);

	if (seen && seen->kind != object->kind && !object->kind->any_kind)
		return true;
	return seen && object_compare(object, seen);
}

static bool check_declared(struct run *run) {
	bool all = true;

	state_foreach(ns, run_desired(run)) {
		struct state state = {};

		check_see(run, ns->name, &state);
		ns_foreach(object, ns) {
			if (object->gone)
				continue;
			/* Not if it only looks the same and was not taken over. */
			const struct ledger_entry *entry = ledger_find_object(&run->ledger, object);
			all &= !check_is_disputed(run, object) &&
			       (!check_in_the_way(run, object) || (entry && !ledger_is_only_birth(entry)));
			if (is_well(run, state_find(&state, ns->name), object))
				continue;
			if (check_may_wait(run, object)) {
				all &= !has_drifted(state_find(&state, ns->name), object);
				continue;
			}
			all = false;
			if (!check_is_excused(run, object))
				tell_wrong(run, state_find(&state, ns->name), object);
		}
		state_done(&state);
	}
	return all;
}

/* What exists. */

/* Objects that topod made in a namespace that is no longer adopted stay, with their ledger entries, while the namespace is
 * refused. */
static bool is_shut_in(struct run *run, const struct object *like) {
	const struct object *self = ns_self(state_find(run_desired(run), like->ns));

	return self && check_in_the_way(run, self) && ledger_find_object(&run->ledger, like);
}

static void check_object_declared(struct run *run, const struct object *like) {
	const struct ns_state *ns = state_find(run_desired(run), like->ns);
	const struct object *object = ns_find(ns, like);
	char id[256];

	if ((!object || object->gone) && !is_besides(run, like) && !is_shut_in(run, like))
		run_fail(run, "leaked: %s", check_id(like, id));
}

static bool is_ours(struct w_ns *ns, const struct route *r) {
	const struct w_route like = check_route_like(r);

	return !r->object.kernel_made && !ns_route_by(ns, &like, r->protocol)->external;
}

static void check_ns_left(struct run *run, struct w_ns *there, struct state *state) {
	const struct ns_state *seen = state_find(state, there->name);

	if (!there->external && ns_self(seen))
		check_object_declared(run, ns_self(seen));
	vec_foreach(at, &there->links)
		if (!(*at)->external && !streq((*at)->values->name, "lo") &&
		    !check_is_stranger(run, *at, there->name, (*at)->values->name))
			check_object_declared(run, ns_find_link(seen, (*at)->values->name));
	ns_foreach(object, seen) {
		const struct address *a = (const struct address *)object;

		if (object->kind->class == &class_address) {
			const struct w_address *it = ns_address(there, ns_link(there, a->dev), &a->address, &a->peer);
			if (!it->external)
				check_object_declared(run, object);
		} else if (object->kind->class == &class_route && is_ours(there, (const struct route *)object)) {
			check_object_declared(run, object);
		} else if (object->kind->class == &class_ruleset && !there->nat_foreign) {
			check_object_declared(run, object);
		}
	}
}

static void check_raw_left(struct run *run, struct w_ns *there) {
	vec_foreach(raw, &there->raw) {
		struct state state = {};
		struct ns_state *seen = state_namespace(&state, there->name);

		fake_show_raw(&state, seen, there, raw);
		identify(run, &state, there->name);
		ns_foreach(object, raw->external ? NULL : seen)
			check_object_declared(run, object);
		state_done(&state);
	}
}

static void check_left(struct run *run) {
	vec_foreach(at, &run->w->spaces) {
		struct state state = {};

		if (!(*at)->name)
			continue;
		check_see(run, (*at)->name, &state);
		check_ns_left(run, *at, &state);
		check_raw_left(run, *at);
		state_done(&state);
	}
	vec_foreach(file, &run->w->files)
		if (!file->external && !ns_find_only(state_find(run_desired(run), file->ns), &class_dns) &&
		    !has_besides(run, file->ns, &class_dns))
			run_fail(run, "leaked: file of %s", file->ns);
}

static void check_ledger(struct run *run) {
	for (const struct ledger_ns *ns = run->ledger.namespaces; ns; ns = ns->hh.next)
		for (const struct ledger_entry *entry = ns->entries; entry; entry = entry->hh.next) {
			bool found = false;

			ns_foreach(object, state_find(run_desired(run), ns->name)) {
				char id[256];

				found |= !object->gone && streq(check_id(object, id), entry->id);
			}
			if (!found && !ledger_setting_rests(run_desired(run), entry))
				run_fail(run, "ledger: %s is noted and not declared", entry->id);
		}
	state_foreach(ns, run_desired(run))
		ns_foreach(object, ns) {
			bool makes = !object->external && !object->kind->class->permanent && !object->gone && !ns->adopt;
			char id[256];

			if (makes && check_is_well(run, object) && !check_is_excused(run, object) &&
			    !check_is_made(run, object))
				run_fail(run, "ledger: %s was made and is not noted", check_id(object, id));
		}
}

/* The plan. */

static void check_plan(struct run *run, bool all_well) {
	struct plan plan;
	struct state observed;
	char id[256];

	if (reconciler_plan(run->r, true, &plan, &observed) < 0)
		run_fail(run, "plan: the scan failed");
	vec_foreach(at, &plan.changes) {
		const struct change *change = *at;

		if (all_well || (!change->refused && !change->n_needs && !check_is_excused(run, change_object(change))))
			run_fail(run, "plan: %s would be %s", check_id(change_object(change), id),
				 change->type == CHANGE_CREATE   ? "made"
				 : change->type == CHANGE_UPDATE ? "changed"
								 : "deleted");
	}
	plan_done(&plan);
	state_done(&observed);
}

static void check_violations(struct run *run) {
	if (run->fake.violations.size)
		run_fail(run, "foreign: %s", run->fake.violations.data);
	if (run->w->n_taken > 0)
		run_fail(run, "foreign: %d addresses went with one of topod's", run->w->n_taken);
}

static void check_told_awaited(struct run *run, const struct object *object) {
	struct w_ns *ns = world_ns(run->w, object->ns);
	bool there = object_is_namespace(object) ? ns != NULL : ns_link(ns, object_home_link(object)) != NULL;
	_cleanup_text_ struct text scope = {}, noun = {};

	object_print_scope(object, &scope);
	object_print_noun(object, &noun);
	if (run_was_told(there ? &run->gone : &run->arrived, scope.data, noun.data))
		run_fail(run, "told: %s is %s, and something else was told last", scope.data, there ? "there" : "gone");
}

/* The journal must lead to the same result. */
static void check_told(struct run *run) {
	vec_foreach(at, &run->ill.list)
		if (*at)
			run_fail(run, "told: %s is well, and was last told of as ill", *at);
	state_foreach(ns, run_desired(run))
		ns_foreach(object, ns)
			if (object->awaited)
				check_told_awaited(run, object);
}

struct wanted {
	const struct object *object;
	const char *state, *words;
	bool found;
};

static void find_told(void *userdata, const struct failure *t) {
	struct wanted *wanted = userdata;
	_cleanup_text_ struct text scope = {}, noun = {};

	object_print_scope(wanted->object, &scope);
	object_print_noun(wanted->object, &noun);
	wanted->found |= streq(t->scope, scope.data) && streq(t->noun, noun.data) && streq(t->state, wanted->state) &&
			 t->error && strstr(t->error, wanted->words);
}

bool check_is_told(struct run *run, const struct object *object, const char *state, const char *words) {
	struct wanted wanted = { .object = object, .state = state, .words = words };

	reconciler_failures(run->r, find_told, &wanted);
	return wanted.found;
}

static bool has_failed(struct run *run, const struct object *object) {
	const struct address *a = (const struct address *)object;
	struct w_ns *ns = world_ns_or_held(run->w, object->ns);
	const struct w_link *link = ns_link(ns, a->dev);
	const struct w_address *there = link ? ns_address(ns, link, &a->address, &a->peer) : NULL;

	return there && there->failed && !there->external;
}

/* An address that exists as declared but cannot be used is reported. */
static void check_useless(struct run *run) {
	char id[256];

	state_foreach(ns, run_desired(run))
		ns_foreach(object, ns) {
			const struct class *class = object->kind->class;

			if (ns_self(ns) && check_in_the_way(run, ns_self(ns)))
				break;
			if (object->gone || object->drift != DRIFT_RESTORE || check_may_wait(run, object))
				continue;
			if (class == &class_route && check_is_hidden(run, object) &&
			    !check_is_told(run, object, "reported", "is hidden by"))
				run_fail(run, "useless: nobody is told that %s is hidden", check_id(object, id));
			if (class == &class_address && has_failed(run, object) &&
			    !check_is_told(run, object, "failing", "duplicate"))
				run_fail(run, "useless: nobody is told that another host has %s", check_id(object, id));
		}
}

void check_rest(struct run *run) {
	struct reconciler_status status;
	bool all_well;

	if (run->failure)
		return;
	check_violations(run);
	all_well = check_declared(run);
	check_left(run);
	check_plan(run, all_well);
	check_useless(run);
	reconciler_status(run->r, &status);
	if (status.phase == PHASE_CONVERGED) /* otherwise restored objects are still in the ledger */
		check_ledger(run);
	if (all_well && status.phase != PHASE_CONVERGED && !status.counts.n_fights)
		run_fail(run, "phase: all is as declared, and it says %s (failing %zu)",
			 status.phase == PHASE_CONVERGING ? "converging" : "degraded", status.counts.n_failing);
	if (!all_well && status.phase == PHASE_CONVERGED && !run->disturbed)
		run_fail(run, "phase: something is wrong, and it says converged");
	if (status.phase == PHASE_CONVERGED)
		check_told(run);
	run->n_converged += status.phase == PHASE_CONVERGED;
	run->n_degraded += status.phase == PHASE_DEGRADED;
}

void check_gone(struct run *run) {
	check_violations(run);
	check_left(run);
	vec_foreach(at, &run->w->spaces)
		if ((*at)->held && !(run->beside && run->beside->r)) /* the other one may hold it */
			run_fail(run, "held: %s is still held", (*at)->held);
	if (!run->failure && run->ledger.namespaces)
		run_fail(run, "ledger: %s is left after down", run->ledger.namespaces->entries->id);
}
