/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A namespace that cannot be looked at is left out of the pass, together with every change that would have to see it: an end
 * of a pair there is not missing because nobody could look. The rest goes on.
 *
 * Where events cannot be heard, looking at everything takes their place. Where they are lost at each reading, to read
 * on at once would only be to lose more: they are left alone for a moment, which grows to a fraction of a second, so that
 * what happens is still seen within that. After either everything is looked at once more.
 */
#include "reconcile/outage.h"

#include "files/error_text.h"
#include "reconcile/pass.h"

enum {
	FLOOD_IN_A_ROW = 8,           /* overruns, of which … */
	FLOOD_GAP_USEC = 1000 * 1000, /* … each follows the one before within this time */
};

static const struct backoff_limits limits = { FAILURE_PAUSE_FIRST_USEC, FAILURE_PAUSE_MAX_USEC },
				   flood_limits = { 10 * 1000, 250 * 1000 };

static const struct {
	const char *noun, *plural, *what, *over, *problem;
} words[] = {
	[OUTAGE_NAMESPACE] = { "namespace", "namespaces", "cannot be looked at", "can be looked at again",
			       "it cannot be looked at" },
	[OUTAGE_NETWORK] = { "network", "network", "cannot be looked at", "can be looked at again",
			     "it cannot be looked at" },
	[OUTAGE_LEDGER] = { "ledger", "ledger", "cannot be written", "can be written again", "it cannot be written" },
	[OUTAGE_EVENTS] = { "events", "events", "cannot be heard", "can be heard again", "they cannot be heard" },
};

static uint64_t now(const struct reconciler *r) {
	return r->hooks.now(r->hooks.userdata);
}

/* ---- one ---- */

void outage_done(struct outage *outage) {
	free(outage->problem);
	*outage = (struct outage){};
}

static void name_problem(struct outage *outage, enum outage_sort sort, int error) {
	free(outage->problem);
	outage->problem = xasprintf("%s: %s", words[sort].problem, error_text(error));
	outage->told = false;
}

static void meet(struct outage *outage, enum outage_sort sort, int error, uint64_t when) {
	if (outage->error != error || outage->sort != sort)
		name_problem(outage, sort, error);
	outage->sort = sort;
	outage->error = error;
	outage->n_tries++;
	backoff_start(&outage->backoff, &limits, when);
}

/* scope: a namespace, or the whole topology. */
static void tell(struct reconciler *r, const struct outage *outage, const char *scope, size_t n_others, bool over) {
	_cleanup_free_ char *all = xasprintf("%s and %zu other%s", scope, n_others, n_others == 1 ? "" : "s");
	struct object object = { .ns = scope };
	struct occurrence occurrence = {
		.type = over ? OCCURRENCE_RECOVERED : OCCURRENCE_FAILING,
		.object = outage->sort == OUTAGE_NAMESPACE && !n_others ? &object : NULL,
		.scope = n_others ? all : scope,
		.noun = n_others ? words[outage->sort].plural : words[outage->sort].noun,
		.what = over ? words[outage->sort].over : words[outage->sort].what,
		.error = over ? NULL : error_text(outage->error),
		.pause_usec = over ? 0 : outage->backoff.pause_usec,
	};

	r->hooks.occurred(r->hooks.userdata, &occurrence);
}

static void meet_whole(struct reconciler *r, struct outage *outage, enum outage_sort sort, int error) {
	meet(outage, sort, error, now(r));
	if (!outage->told)
		tell(r, outage, r->spec.topology, 0, false);
	outage->told = true;
}

static bool end_whole(struct reconciler *r, struct outage *outage) {
	if (!outage_stands(outage))
		return false;
	tell(r, outage, r->spec.topology, 0, true);
	outage_done(outage);
	return true;
}

void outage_of_pass(struct pass *pass, enum outage_sort sort, int error) {
	if (error < 0)
		meet_whole(pass->r, &pass->r->whole, sort, error);
	else
		end_whole(pass->r, &pass->r->whole);
}

/* ---- namespaces ---- */

void outage_forget(struct reconciler *r, struct outage *outage) {
	r->n_unseen -= outage_stands(outage);
	outage_done(outage);
}

/* Those with the same error, told in one line: where there is no descriptor left it is all of them. */
static void tell_unseen(struct pass *pass, const struct state *observed) {
	for (struct ns_state *ns = observed->namespaces; ns; ns = ns->hh.next) {
		struct ns_info *first = ns->error ? pass_info(pass->r, ns->name) : NULL;
		size_t n_others = 0;

		if (!first || first->unseen.told)
			continue;
		for (struct ns_state *other = ns->hh.next; other; other = other->hh.next) {
			struct ns_info *info = other->error == ns->error ? pass_info(pass->r, other->name) : NULL;

			if (!info || info->unseen.told)
				continue;
			info->unseen.told = true;
			n_others++;
		}
		tell(pass->r, &first->unseen, first->name, n_others, false);
		first->unseen.told = true;
	}
}

static void tell_seen_again(struct pass *pass, const struct outage *first, const char *name, size_t n) {
	if (!n)
		return;
	drift_tell(&pass->lines, pass->r->hooks.occurred, pass->r->hooks.userdata); /* what was before */
	tell(pass->r, first, name, n - 1, true);
}

static void set_unseen(struct pass *pass, struct ns_info *info, int error) {
	pass->r->n_unseen += !outage_stands(&info->unseen);
	meet(&info->unseen, OUTAGE_NAMESPACE, error, now(pass->r));
	info->scan_again_usec = info->unseen.backoff.due_usec;
	pass_remove(pass, info);
	reconciler_dirty(pass->r, info->name);
}

static void drop_unseen(struct state *observed) {
	struct ns_state *ns, *next;

	HASH_ITER(hh, observed->namespaces, ns, next)
	if (ns->error)
		state_remove(observed, ns);
}

void outage_sort_out(struct pass *pass, struct state *observed) {
	struct outage before = {};
	const char *first = NULL;
	size_t n_again = 0, n_unseen = 0;

	state_foreach(ns, observed) {
		struct ns_info *info = pass_info(pass->r, ns->name);

		n_unseen += ns->error < 0;
		if (!info)
			continue; /* of an earlier file, where the other end of a pair might be */
		if (ns->error) {
			set_unseen(pass, info, ns->error);
		} else if (outage_stands(&info->unseen)) {
			if (n_again++ == 0) {
				before = info->unseen;
				first = info->name;
			}
			outage_forget(pass->r, &info->unseen);
			pass->seen_again = true;
		}
	}
	tell_seen_again(pass, &before, first, n_again);
	if (!n_unseen)
		return;
	tell_unseen(pass, observed);
	drop_unseen(observed);
}

struct reach {
	const struct reconciler *r;
	bool unseen;
};

static void reach_namespace(struct reach *reach, const char *name) {
	const struct ns_info *info = name ? pass_info(reach->r, name) : NULL;

	reach->unseen |= info && outage_stands(&info->unseen);
}

static void reach_link(void *userdata, const struct field *field _unused_, const char *ns, const char *name _unused_) {
	reach_namespace(userdata, ns);
}

bool outage_hinders(const struct pass *pass, const struct change *change) {
	struct reach reach = { .r = pass->r };
	const struct object *object = change_object(change);
	const struct ns_state *ns = state_find(&pass->r->spec.state, object->ns);
	const struct object *declared = ns ? ns_find(ns, object) : NULL;

	if (!reach.r->n_unseen || !declared)
		return false;
	object_links(declared, reach_link, &reach);
	reach_namespace(&reach, declared->twin ? declared->twin->ns : NULL);
	if (change->type == CHANGE_CREATE && declared->kind->sent_in)
		reach_namespace(&reach, declared->kind->sent_in(change));
	return reach.unseen;
}

/* ---- events ---- */

void reconciler_deaf(struct reconciler *r, int error) {
	reconciler_dirty_all(r);
	meet_whole(r, &r->deaf, OUTAGE_EVENTS, error);
}

static void tell_flood(struct reconciler *r, bool over) {
	struct outage outage = { .sort = OUTAGE_EVENTS };
	struct occurrence occurrence = { .type = OCCURRENCE_OVERRUN, .pause_usec = r->flood.backoff.pause_usec };

	if (over)
		tell(r, &outage, r->spec.topology, 0, true);
	else
		r->hooks.occurred(r->hooks.userdata, &occurrence);
}

void reconciler_overrun(struct reconciler *r) {
	struct occurrence occurrence = { .type = OCCURRENCE_OVERRUN };
	struct flood *flood = &r->flood;
	uint64_t when = now(r);

	r->status.n_overruns++;
	reconciler_dirty_all(r);
	flood->in_a_row = flood->in_a_row && when - flood->last_usec <= FLOOD_GAP_USEC ? flood->in_a_row + 1 : 1;
	flood->last_usec = when;
	if (flood->in_a_row < FLOOD_IN_A_ROW) {
		r->hooks.occurred(r->hooks.userdata, &occurrence);
		return;
	}
	backoff_start(&flood->backoff, &flood_limits, when);
	if (!flood->told)
		tell_flood(r, false);
	flood->told = true;
}

void reconciler_heard(struct reconciler *r, bool lost) {
	if (!lost && r->flood.told) {
		tell_flood(r, true);
		r->flood = (struct flood){};
	}
	if (end_whole(r, &r->deaf))
		reconciler_dirty_all(r);
}

uint64_t reconciler_listen_usec(const struct reconciler *r) {
	return MAX(r->listen_usec, MAX(r->flood.backoff.due_usec, outage_stands(&r->deaf) ? r->deaf.backoff.due_usec : 0));
}

/* ---- all ---- */

void outages_hurry(struct reconciler *r) {
	r->whole.backoff.due_usec = r->deaf.backoff.due_usec = 0;
	for (struct ns_info *info = r->n_unseen ? r->infos : NULL; info; info = info->hh.next)
		info->unseen.backoff.due_usec = 0;
}

size_t outages_count(const struct reconciler *r) {
	return r->n_unseen + outage_stands(&r->whole) + outage_stands(&r->deaf);
}

size_t reconciler_obstructed(const struct reconciler *r, int *ret_error) {
	const struct outage *worst = r->whole.n_tries >= r->deaf.n_tries ? &r->whole : &r->deaf;

	for (struct ns_info *info = r->n_unseen ? r->infos : NULL; info; info = info->hh.next)
		worst = info->unseen.n_tries > worst->n_tries ? &info->unseen : worst;
	*ret_error = worst->error;
	return worst->n_tries;
}

static void list(const struct outage *outage, const char *scope, void (*fn)(void *, const struct failure *),
		 void *userdata) {
	struct failure failure = { .scope = scope,
				   .noun = words[outage->sort].noun,
				   .state = "failing",
				   .error = outage->problem,
				   .n_tries = outage->n_tries,
				   .next_try_usec = outage->backoff.due_usec };

	if (outage_stands(outage))
		fn(userdata, &failure);
}

void outages_each(const struct reconciler *r, void (*fn)(void *userdata, const struct failure *), void *userdata) {
	list(&r->whole, r->spec.topology, fn, userdata);
	list(&r->deaf, r->spec.topology, fn, userdata);
	for (struct ns_info *info = r->n_unseen ? r->infos : NULL; info; info = info->hh.next)
		list(&info->unseen, info->name, fn, userdata);
}
