/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For unit tests: a world is a file's declarations, the kernel's state, a ledger, and the resulting plan. The state of the
 * kernel is given in the same language, and is read as if topod had made it and then scanned it.
 */
#pragma once

#include "kind/kinds.h"
#include "kind/netns.h"
#include "kind/veth.h"
#include "plan/plan.h"
#include "spec-helper.h"

#define OFFICE                                                                                                          \
	"namespaces:\n"                                                                                                 \
	"  host: {interfaces: {br0: {kind: bridge, ports: [c1], addresses: 10.0.0.1/24}}, nat: {action: masquerade}}\n" \
	"  web: {interfaces: {eth0: {addresses: 10.0.0.11/24}}, routes: {to: default, via: 10.0.0.1, dev: eth0},\n"     \
	"    sysctl: {net.ipv4.conf.eth0.rp_filter: 2, net.ipv4.conf.default.rp_filter: 1}}\n"                          \
	"links: [[web:eth0, host:c1]]\n"

#define PAIR                                                                              \
	"namespaces: {a: {interfaces: {x: {addresses: 10.0.0.1/8}}}, b: {adopt: true}}\n" \
	"links: [[a:x, b:z]]\n"

struct world {
	struct read_spec desired, seen;
	struct ledger ledger;
	struct plan plan;
	uint64_t (*kept)(void *userdata, const struct object *object, uint64_t differs);
	bool explains;
};

static inline void world_done(struct world *w) {
	plan_done(&w->plan);
	ledger_done(&w->ledger);
	read_spec_done(&w->desired);
	read_spec_done(&w->seen);
}
#define _world_ _cleanup_(world_done) struct world

/* Turns a declared object into an observed one. */
static inline void make_seen(struct object *object) {
	object->owned = object->kind->markable;
	object->external = object->implied = false;
	object->twin = NULL;
	object->positions = NULL;
	object->position = (struct position){};
	object->drift = DRIFT_RESTORE;
	if (object->kind == &kind_existing || object->kind == &kind_loopback) {
		object->kind = &kind_other;
		object->owned = false;
		((struct link *)object)->kind_text = "";
		object->kernel_made = streq(((struct link *)object)->name, "lo");
	}
}

/* topod's entries for everything that it has made there; not for a namespace that it adopts. */
static inline void note_made(struct ledger *ledger, const struct state *state) {
	_cleanup_text_ struct text lines = {};

	state_foreach(ns, state)
		ns_foreach(object, ns)
			if (!object->kernel_made && !object->kind->class->permanent && object->kind != &kind_other &&
			    !(object_is_namespace(object) && ns->adopt))
				ledger_note(ledger, object, NULL, object->set, true, &lines);
}

/* seen: what the kernel has; NULL: nothing yet. */
static inline void world_make(struct world *w, const char *desired, const char *seen) {
	*w = (struct world){};
	good_spec(&w->desired, desired);
	good_spec(&w->seen, seen ? seen : "");
	state_foreach(ns, &w->seen.spec.state) {
		ns->present = true;
		ns_foreach(object, ns)
			make_seen(object);
	}
	state_foreach(ns, &w->desired.spec.state)
		state_namespace(&w->seen.spec.state, ns->name);
	note_made(&w->ledger, &w->seen.spec.state);
}

static inline void world_plan(struct world *w) {
	const struct plan_input input = {
		.desired = &w->desired.spec.state,
		.observed = &w->seen.spec.state,
		.ledger = &w->ledger,
		.kept = w->kept,
		.explains = w->explains,
	};

	plan_make(&w->plan, &input);
}

/* One line per change, in order: "+ web/eth0 link", "~ web/eth0 link: mtu 1400 -> 1500", "- …", "! …: why", followed by
 * "(again)" or "(follows)". Marks are left out, and so are updates that only set a mark. */
static inline void print_changes(const struct plan *plan, struct text *out) {
	vec_foreach(at, &plan->changes) {
		const struct change *change = *at;
		static const char symbols[] = { [CHANGE_CREATE] = '+', [CHANGE_UPDATE] = '~', [CHANGE_DELETE] = '-' };

		text_addf(out, "%c ", change->refused ? '!' : symbols[change->type]);
		object_print_id(change_object(change), out);
		if (change->type == CHANGE_UPDATE) {
			text_add(out, ": ");
			object_print_fields(change->desired, change->observed, change->fields, out);
		}
		if (change->refused)
			text_addf(out, ": %s", change->text);
		text_addf(out, "%s%s\n", change->recreates ? " (again)" : "", change->completes ? " (follows)" : "");
	}
}

static inline void check_plan(struct world *w, const char *expected) {
	_cleanup_text_ struct text out = {};

	print_changes(&w->plan, &out);
	assert_string_equal(text_str(&out), expected);
}

/* Makes a world and checks its plan. */
static inline void check_world(const char *desired, const char *seen, const char *expected) {
	_world_ w;

	world_make(&w, desired, seen);
	world_plan(&w);
	check_plan(&w, expected);
}

static inline struct object *seen_object(struct world *w, const char *id) {
	return get_object(&w->seen.spec.state, id);
}

/* Removes an object from what the kernel has. */
static inline void lose(struct world *w, const char *id) {
	struct object *object = seen_object(w, id);

	ns_remove(state_find(&w->seen.spec.state, object->ns), object);
}

static inline void disown(struct world *w, const char *id) {
	struct object *object = seen_object(w, id);
	_cleanup_text_ struct text lines = {};

	object->owned = false;
	ledger_forget(&w->ledger, object->ns, id, &lines);
}

static inline struct change *change_of(struct world *w, const char *id) {
	vec_foreach(at, &w->plan.changes) {
		_cleanup_text_ struct text text = {};

		object_print_id(change_object(*at), &text);
		if (streq(text.data, id) && !(*at)->completes)
			return *at;
	}
	fail_msg("there is no change of %s", id);
	return NULL;
}

static inline bool needs(const struct change *change, const struct change *need) {
	for (unsigned i = 0; i < change->n_needs; i++)
		if (change->needs[i] == need)
			return true;
	return false;
}
