/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A namespace that cannot be scanned is left out of the pass, and so is every change that depends on it: the other end of a
 * pair is not missing just because it could not be seen.
 */
#include "reconcile/outage.h"

#include "files/error_text.h"
#include "reconcile/pass.h"

static const struct backoff_limits limits = { FAILURE_PAUSE_FIRST_USEC, FAILURE_PAUSE_MAX_USEC };

static const struct {
	const char *noun, *plural, *what, *over, *problem;
} words[] = {
	[OUTAGE_NAMESPACE] = { "namespace", "namespaces", "cannot be scanned", "can be scanned again",
			       "it cannot be scanned" },
	[OUTAGE_NETWORK] = { "network", "network", "cannot be scanned", "can be scanned again", "it cannot be scanned" },
	[OUTAGE_LEDGER] = { "ledger", "ledger", "cannot be written", "can be written again", "it cannot be written" },
	[OUTAGE_EVENTS] = { "events", "events", "cannot be received", "can be received again", "they cannot be received" },
};

/* ---- a single outage ---- */

void outage_done(struct outage *outage) {
	free(outage->problem);
	*outage = (struct outage){};
}

static void meet(struct outage *outage, enum outage_sort sort, int error, uint64_t now) {
	if (outage->error != error || outage->sort != sort) {
		free(outage->problem);
		outage->problem = xasprintf("%s: %s", words[sort].problem, error_text(error));
		outage->announced = false;
	}
	outage->sort = sort;
	outage->error = error;
	outage->n_tries++;
	backoff_start(&outage->backoff, &limits, now);
}

void outage_tell(struct reconciler *r, const struct outage *outage, const char *scope, size_t n_others, bool over) {
	_cleanup_free_ char *all = xasprintf("%s and %zu other%s", scope, n_others, n_others == 1 ? "" : "s");
	struct occurrence occurrence = {
		.type = over ? OCCURRENCE_RECOVERED : OCCURRENCE_FAILING,
		.ns = outage->sort == OUTAGE_NAMESPACE && !n_others ? scope : NULL,
		.scope = n_others ? all : scope,
		.noun = n_others ? words[outage->sort].plural : words[outage->sort].noun,
		.what = over ? words[outage->sort].over : words[outage->sort].what,
		.error = over ? NULL : error_text(outage->error),
		.pause_usec = over ? 0 : outage->backoff.pause_usec,
	};

	reconciler_tell(r, &occurrence);
}

void outage_begin(struct reconciler *r, struct outage *outage, enum outage_sort sort, int error) {
	meet(outage, sort, error, reconciler_now(r));
	if (!outage->announced)
		outage_tell(r, outage, r->spec.topology, 0, false);
	outage->announced = true;
}

bool outage_end(struct reconciler *r, struct outage *outage) {
	if (!outage_stands(outage))
		return false;
	outage_tell(r, outage, r->spec.topology, 0, true);
	outage_done(outage);
	return true;
}

/* ---- namespaces ---- */

/* Namespaces with the same error share a line: without free descriptors all of them fail. */
static void tell_unreachable(struct pass *pass, const struct state *observed) {
	const struct worklist *w = &pass->r->work;

	for (struct ns_state *ns = observed->namespaces; ns; ns = ns->hh.next) {
		struct ns_info *first = ns->error ? worklist_find(w, ns->name) : NULL;
		size_t n_others = 0;

		if (!first || first->outage.announced)
			continue;
		for (struct ns_state *other = ns->hh.next; other; other = other->hh.next) {
			struct ns_info *info = other->error == ns->error ? worklist_find(w, other->name) : NULL;

			if (!info || info->outage.announced)
				continue;
			info->outage.announced = true;
			n_others++;
		}
		outage_tell(pass->r, &first->outage, first->name, n_others, false);
		first->outage.announced = true;
	}
}

static void set_unreachable(struct pass *pass, struct ns_info *info, int error) {
	struct worklist *w = &pass->r->work;

	w->n_unreachable += !outage_stands(&info->outage);
	meet(&info->outage, OUTAGE_NAMESPACE, error, reconciler_now(pass->r));
	info->scan_again_usec = info->outage.backoff.due_usec;
	pass_remove(pass, info);
	worklist_mark(w, info, reconciler_now(pass->r));
}

void outage_sort_out(struct pass *pass, struct state *observed) {
	struct worklist *w = &pass->r->work;
	const char *first_again = NULL;
	size_t n_again = 0, n_unreachable = 0;
	struct ns_state *unseen, *next;

	state_foreach(ns, observed) {
		struct ns_info *info = worklist_find(w, ns->name);

		n_unreachable += ns->error < 0;
		if (!info)
			continue; /* of an earlier file, where the other end of a pair might be */
		if (ns->error) {
			set_unreachable(pass, info, ns->error);
		} else if (outage_stands(&info->outage)) {
			first_again = n_again++ ? first_again : info->name;
			w->n_unreachable--;
			outage_done(&info->outage);
			pass->reachable_again = true;
		}
	}
	if (n_again) {
		drift_tell(&pass->lines, pass->r->hooks.occurred, pass->r->hooks.userdata); /* what happened before */
		outage_tell(pass->r, &(struct outage){ .sort = OUTAGE_NAMESPACE }, first_again, n_again - 1, true);
	}
	if (!n_unreachable)
		return;
	tell_unreachable(pass, observed);
	HASH_ITER(hh, observed->namespaces, unseen, next)
		if (unseen->error)
			state_remove(observed, unseen);
}

static bool is_unreachable(const struct worklist *w, const char *ns) {
	const struct ns_info *info = ns ? worklist_find(w, ns) : NULL;

	return info && outage_stands(&info->outage);
}

bool outage_blocks(const struct pass *pass, const struct change *change) {
	const struct worklist *w = &pass->r->work;
	const struct object *object = change_object(change);
	const struct ns_state *ns = state_find(&pass->r->spec.state, object->ns);
	const struct object *declared = ns ? ns_find(ns, object) : NULL;

	if (!w->n_unreachable || !declared)
		return false;
	object_foreach_need(need, declared)
		if (is_unreachable(w, need.ns))
			return true;
	return (declared->twin && is_unreachable(w, declared->twin->ns)) ||
	       (change->type == CHANGE_CREATE && declared->kind->sent_in &&
		is_unreachable(w, declared->kind->sent_in(change)));
}

/* ---- all outages ---- */

void outages_hurry(struct reconciler *r) {
	r->whole.backoff.due_usec = r->hearing.deaf.backoff.due_usec = 0;
	worklist_hurry(&r->work);
}

size_t outages_count(const struct reconciler *r) {
	return r->work.n_unreachable + outage_stands(&r->whole) + outage_stands(&r->hearing.deaf);
}

size_t reconciler_obstructed(const struct reconciler *r, int *ret_error) {
	const struct outage *worst = r->whole.n_tries >= r->hearing.deaf.n_tries ? &r->whole : &r->hearing.deaf;

	for (struct ns_info *info = r->work.n_unreachable ? r->work.all : NULL; info; info = info->hh.next)
		worst = info->outage.n_tries > worst->n_tries ? &info->outage : worst;
	*ret_error = worst->error;
	return worst->n_tries;
}

static void list(const struct outage *outage, const char *scope, void (*fn)(void *, const struct failure *),
		 void *userdata) {
	struct failure failure = { .scope = scope,
				   .noun = words[outage->sort].noun,
				   .state = "failing",
				   .ns = outage->sort == OUTAGE_NAMESPACE ? scope : NULL,
				   .error = outage->problem,
				   .n_tries = outage->n_tries,
				   .next_try_usec = outage->backoff.due_usec };

	if (outage_stands(outage))
		fn(userdata, &failure);
}

void outages_each(const struct reconciler *r, void (*fn)(void *userdata, const struct failure *), void *userdata) {
	list(&r->whole, r->spec.topology, fn, userdata);
	list(&r->hearing.deaf, r->spec.topology, fn, userdata);
	for (struct ns_info *info = r->work.n_unreachable ? r->work.all : NULL; info; info = info->hh.next)
		list(&info->outage, info->name, fn, userdata);
}
