/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "check.h"

#include <linux/rtnetlink.h>

#include "kind/kinds.h"
#include "kind/physical.h"
#include "kind/sysctl.h"
#include "plan/diff.h"

static const char *id_of(const struct object *object, char buf[256]) {
	_cleanup_text_ struct text id = {};

	object_print_id(object, &id);
	snprintf(buf, 256, "%s", id.data);
	return buf;
}

static const struct state *desired(const struct run *run) {
	return &reconciler_spec(run->r)->state;
}

static void see(struct run *run, const char *ns, struct state *ret);

/* Excuses. */

static bool is_made(struct run *run, const struct object *object) {
	const struct ledger_entry *entry = ledger_find_object(&run->ledger, object);

	return entry && entry->made;
}

/* Somebody has changed its mark and its MAC address, or one of them before the other was set: topod cannot recognise it. */
static bool is_stranger(struct run *run, const struct w_link *link, const char *ns, const char *name) {
	_cleanup_free_ char *id = xasprintf("%s/%s link", ns, name);
	const struct ledger_entry *entry = ledger_find(&run->ledger, ns, id);

	return run->disturbed && !streq(link->values->alias, "topod:t") &&
	       !(entry && entry->made && ledger_is_signed(entry, &link->values->object));
}

/* A link with the same id, made by somebody else, or by topod but no longer recognisable. */
static bool id_in_the_way(struct run *run, const struct object *object) {
	const struct w_ns *birthplace = world_ns(run->w, object->ns);
	const struct w_link *there;

	for (size_t i = LINK_N_FIELDS; i < object->kind->n_fields; i++)
		if (object->kind->fields[i].type == &type_link_ref && object_has(object, i))
			birthplace =
				world_ns(run->w, ((const struct link_ref *)field_of(&object->kind->fields[i], object))->ns);
	there = object->kind == &kind_vxlan && birthplace ? vxlan_with_id(run->w, birthplace, object) : NULL;
	return there && (!streq(there->values->alias, "topod:t") ||
			 memcmp(&there->values->mac, &((const struct link *)object)->mac, sizeof(there->values->mac)) != 0);
}

/* It is not in the host namespace, neither under its own name nor with topod's mark. */
static bool card_is_lost(struct run *run, const struct physical *physical) {
	const struct w_ns *host = run->w->spaces.items[0];

	vec_foreach(at, &host->links)
		if ((*at)->hardware && streq((*at)->values->alias, "topod:t"))
			return false;
	return !world_card(run->w, physical->source);
}

static bool link_in_the_way(struct run *run, const struct object *object) {
	const struct w_link *there = ns_link(world_ns_or_held(run->w, object->ns), ((const struct link *)object)->name);

	if (object->external)
		return !there && !object->awaited;
	if (object->kind == &kind_physical)
		return there ? !there->moved : card_is_lost(run, (const struct physical *)object);
	if (!there && id_in_the_way(run, object))
		return true;
	return there && (there->external || is_stranger(run, there, object->ns, there->values->name));
}

/* The first address of its subnet is foreign, so this one cannot be the first. */
static bool is_behind_foreign(const struct w_ns *ns, const struct w_address *there) {
	const struct w_address *primary = there->secondary ? ns_primary(ns, there) : NULL;

	return primary && primary->external;
}

/* Another host has it, or topod may not recreate it. */
static bool failed_for_good(const struct run *run, const struct w_address *there) {
	bool rival = ip_equal(&there->address.address, &run->w->rival) && address_is_tentative(there);

	return rival || (there->failed && (there->external || !link_has_carrier(there->link) ||
					   ip_equal(&there->address.address, &run->w->rival)));
}

/* Somebody else's address of the subnet has another scope, which the kernel refuses beside the declared one. */
static bool is_kept_apart(const struct w_ns *ns, const struct address *a, const struct w_address *there) {
	vec_foreach(other, &ns->addresses)
		if (other->external && other->secondary && ns_primary(ns, other) == there && other->scope != a->scope)
			return true;
	return false;
}

static bool address_in_the_way(struct run *run, const struct object *object) {
	const struct address *a = (const struct address *)object;
	struct w_ns *ns = world_ns_or_held(run->w, object->ns);
	const struct w_link *link = ns_link(ns, a->dev);
	const struct w_address *there = link ? ns_address(ns, link, &a->address, &a->peer) : NULL;

	return there && (failed_for_good(run, there) || (there->external && !is_made(run, object)) ||
			 is_behind_foreign(ns, there) || is_kept_apart(ns, a, there));
}

/* Somebody added a route by hand that the kernel prefers; see common/kind/route_front.c. */
static bool is_preceded(struct run *run, const struct w_ns *ns, const struct route *r) {
	if (ns_is_open(state_find(&reconciler_spec(run->r)->state, r->object.ns)))
		return false;
	vec_foreach(other, &ns->routes)
		if (prefix_equal(&other->to, &r->to) && prefix_equal(&other->from, &r->from) && other->table == r->table &&
		    other->tos == r->tos && other->metric < r->metric && other->protocol == RTPROT_BOOT)
			return true;
	return false;
}

/* A route of the world with the same identity. */
static struct w_route route_like(const struct route *r) {
	return (struct w_route){ .to = r->to, .from = r->from, .table = r->table, .tos = r->tos, .metric = r->metric };
}

/* A foreign route is used instead. */
static bool is_hidden(struct run *run, const struct object *object) {
	const struct route *r = (const struct route *)object;
	const struct w_route like = route_like(r);
	struct w_ns *ns = world_ns_or_held(run->w, object->ns);
	const struct w_route *used = ns ? ns_route(ns, &like) : NULL,
			     *ours = ns ? ns_route_by(ns, &like, TOPOD_PROTOCOL) : NULL;

	return ours && ((ours != used && used->protocol != RTPROT_KERNEL) || is_preceded(run, ns, r));
}

static bool route_in_the_way(struct run *run, const struct object *object) {
	const struct route *r = (const struct route *)object;
	const struct w_route like = route_like(r);
	struct w_ns *ns = world_ns_or_held(run->w, object->ns);
	const struct w_route *there = ns ? ns_route(ns, &like) : NULL;

	return is_hidden(run, object) || (there && there->external && !is_made(run, object));
}

/* A rule, neighbour, forwarding entry or next hop of somebody else's. */
static bool raw_in_the_way(struct run *run, const struct object *object) {
	struct state state = {};
	const struct object *seen;
	bool found;

	see(run, object->ns, &state);
	seen = ns_find(state_find(&state, object->ns), object);
	found = seen && !seen->owned && !is_made(run, object);
	state_done(&state);
	return found;
}

static bool has_file(struct run *run, const char *ns) {
	const struct w_name *stale = world_stale(run->w, ns);

	return stale && stale->external;
}

static bool is_disputed(struct run *run, const struct object *object);

static bool in_the_way(struct run *run, const struct object *object) {
	const struct w_ns *ns = world_ns_or_held(run->w, object->ns);
	const struct w_file *file;

	if (check_is_absent(run, object->ns))
		return false;
	if (object_is_namespace(object))
		return object->external ? !ns : ns && ns->name ? ns->external : has_file(run, object->ns);
	if (object_is_link(object))
		return link_in_the_way(run, object);
	if (object->kind == &kind_address)
		return address_in_the_way(run, object);
	if (object->kind == &kind_route)
		return route_in_the_way(run, object);
	if (object->kind == &kind_rule || object->kind == &kind_neighbor || object->kind == &kind_fdb ||
	    object->kind == &kind_nexthop)
		return raw_in_the_way(run, object);
	if (object->kind != &kind_dns)
		return false;
	file = world_file(run->w, object->ns);
	return file && file->external && !is_made(run, object);
}

static bool excused(struct run *run, const struct object *object, unsigned depth);

/* A setting should turn IPv6 on again, but cannot. */
static bool ipv6_excused(struct run *run, const struct object *object, unsigned depth) {
	_cleanup_free_ char *path = xasprintf("net/ipv6/conf/%s/disable_ipv6", object_home_link(object));

	ns_foreach(other, state_find(desired(run), object->ns))
		if (other->kind == &kind_sysctl && streq(((const struct sysctl *)other)->path, path))
			return excused(run, other, depth + 1);
	return false;
}

static bool needs_excused(struct run *run, const struct object *object, unsigned depth) {
	if (object->twin && excused(run, object->twin, depth + 1))
		return true;
	if (object->kind->needs_ipv6 && object->kind->needs_ipv6(object) && ipv6_excused(run, object, depth))
		return true;
	object_foreach_need(need, object) {
		const struct object *link = state_find_need(desired(run), &need);

		if (link ? excused(run, link, depth + 1)
			 : need.name && !ns_link(world_ns_or_held(run->w, need.ns), need.name)) /* nothing here makes it */
			return true;
	}
	return false;
}

static bool has_gateway(const struct object *route) {
	return ((const struct route *)route)->via.family || ((const struct route *)route)->nexthops.n;
}

/* A route depends on more than it names: on the addresses, links and routes through which its gateway is reached. */
static bool route_excused(struct run *run, const struct object *object, unsigned depth) {
	ns_foreach(other, state_find(desired(run), object->ns)) {
		bool leads = other->kind->class == &class_route && has_gateway(object) && !has_gateway(other);

		if ((other->kind->class == &class_address || object_is_link(other) || leads) &&
		    excused(run, other, depth + 1))
			return true;
	}
	return false;
}

static bool excused(struct run *run, const struct object *object, unsigned depth) {
	const struct ns_state *ns = state_find(desired(run), object->ns);
	char id[256];

	if (depth > 6)
		return false;
	if (in_the_way(run, object) || is_disputed(run, object) || (object->drift != DRIFT_RESTORE && run->disturbed) ||
	    (run->faulted && streq(id_of(object, id), run->faulted)))
		return true;
	if (!object_is_namespace(object) && ns_self(ns) && excused(run, ns_self(ns), depth + 1))
		return true;
	if (object->kind->class == &class_route && route_excused(run, object, depth))
		return true;
	return needs_excused(run, object, depth);
}

bool check_in_the_way(struct run *run, const struct object *object) {
	return in_the_way(run, object);
}

bool check_is_excused(struct run *run, const struct object *object) {
	return excused(run, object, 0);
}

/* What is declared. */

/* A rule whose priority the kernel chose is found without it. */
static void identify(struct run *run, struct state *seen, const char *ns) {
	const struct plan_input input = { .desired = desired(run), .observed = seen, .ledger = &run->ledger };
	struct diff diff = { .input = &input };
	struct ns_state *there = state_find(seen, ns);

	there->desired = state_find(desired(run), ns);
	diff_identify(&diff, there);
	there->desired = NULL;
}

static void see(struct run *run, const char *ns, struct state *ret) {
	struct scan_request request = { .desired = desired(run),
					.ledger = &run->ledger,
					.topology = reconciler_spec(run->r)->topology };

	fake_see(&run->fake, &request, ns, ret);
	identify(run, ret, ns);
}

/* Does the other topology declare it differently, or does the link or namespace belong to that topology? */
static bool is_disputed(struct run *run, const struct object *object) {
	struct ledger others = {};
	const struct claimant claimant = { run->beside ? run->beside->topology : "", &others };
	const struct claims claims = { run->topology, &claimant, 1 };
	struct state state = {};
	struct stake claim = {};

	if (!run->beside)
		return false;
	run_read_ledger(run->beside, &others);
	see(run, object->ns, &state);
	const struct ns_state *ns = state_find(&state, object->ns);
	const struct object *seen = ns_find(ns, object);
	bool disputed = claims_disputed(&claims, object, seen, &run->ledger, ns, &claim);
	if (!object->external && (object_is_link(object) || (object_is_namespace(object) && seen)))
		disputed |= claims_maker(&claims, object, seen, ns).by && !is_made(run, object);
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
	const struct ns_state *ns = state_find(desired(run), object->ns);
	uint64_t mask = 0;

	for (size_t i = 0; ns->adopt && seen && !seen->owned && i < object->kind->n_fields; i++)
		if (diff_fills_in(object, i) && (object_is_link(object) || !(object->kind->fields[i].flags & FIELD_ONE_WAY)))
			mask |= field_bit(i);
	return object->gone || is_made(run, object) ? 0 : mask;
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

	see(run, object->ns, &state);
	well = is_well(run, state_find(&state, object->ns), object);
	state_done(&state);
	return well;
}

static void tell_wrong(struct run *run, const struct ns_state *seen_in, const struct object *object) {
	const struct object *seen = ns_find(seen_in, object);
	_cleanup_text_ struct text fields = {};
	char id[256];

	if (!seen)
		run_fail(run, "missing: %s", id_of(object, id));
	else if (seen->kind == object->kind || object->kind->any_kind)
		object_print_fields(object, seen, object_compare(object, seen), &fields);
	run_fail(run, "different: %s: %s", id_of(object, id), text_str(&fields));
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

	state_foreach(ns, desired(run)) {
		struct state state = {};

		see(run, ns->name, &state);
		ns_foreach(object, ns) {
			if (object->gone)
				continue;
			/* Not if it only looks the same and was not taken over. */
			const struct ledger_entry *entry = ledger_find_object(&run->ledger, object);
			all &= !is_disputed(run, object) &&
			       (!in_the_way(run, object) || (entry && !ledger_is_only_birth(entry)));
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
	const struct object *self = ns_self(state_find(desired(run), like->ns));

	return self && in_the_way(run, self) && ledger_find_object(&run->ledger, like);
}

static void check_object_declared(struct run *run, const struct object *like) {
	const struct ns_state *ns = state_find(desired(run), like->ns);
	const struct object *object = ns_find(ns, like);
	char id[256];

	if ((!object || object->gone) && !is_besides(run, like) && !is_shut_in(run, like))
		run_fail(run, "leaked: %s", id_of(like, id));
}

static bool is_ours(struct w_ns *ns, const struct route *r) {
	const struct w_route like = route_like(r);

	return !r->object.kernel_made && !ns_route_by(ns, &like, r->protocol)->external;
}

static void check_ns_left(struct run *run, struct w_ns *there, struct state *state) {
	const struct ns_state *seen = state_find(state, there->name);

	if (!there->external && ns_self(seen))
		check_object_declared(run, ns_self(seen));
	vec_foreach(at, &there->links)
		if (!(*at)->external && !streq((*at)->values->name, "lo") &&
		    !is_stranger(run, *at, there->name, (*at)->values->name))
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
		see(run, (*at)->name, &state);
		check_ns_left(run, *at, &state);
		check_raw_left(run, *at);
		state_done(&state);
	}
	vec_foreach(file, &run->w->files)
		if (!file->external && !ns_find_only(state_find(desired(run), file->ns), &class_dns) &&
		    !has_besides(run, file->ns, &class_dns))
			run_fail(run, "leaked: file of %s", file->ns);
}

static void check_ledger(struct run *run) {
	for (const struct ledger_ns *ns = run->ledger.namespaces; ns; ns = ns->hh.next)
		for (const struct ledger_entry *entry = ns->entries; entry; entry = entry->hh.next) {
			bool found = false;

			ns_foreach(object, state_find(desired(run), ns->name)) {
				char id[256];

				found |= !object->gone && streq(id_of(object, id), entry->id);
			}
			if (!found && !ledger_setting_rests(desired(run), entry))
				run_fail(run, "ledger: %s is noted and not declared", entry->id);
		}
	state_foreach(ns, desired(run))
		ns_foreach(object, ns) {
			bool makes = !object->external && !object->kind->class->permanent && !object->gone && !ns->adopt;
			char id[256];

			if (makes && check_is_well(run, object) && !check_is_excused(run, object) && !is_made(run, object))
				run_fail(run, "ledger: %s was made and is not noted", id_of(object, id));
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
			run_fail(run, "plan: %s would be %s", id_of(change_object(change), id),
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
	state_foreach(ns, desired(run))
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

	state_foreach(ns, desired(run))
		ns_foreach(object, ns) {
			const struct class *class = object->kind->class;

			if (ns_self(ns) && in_the_way(run, ns_self(ns)))
				break;
			if (object->gone || object->drift != DRIFT_RESTORE || check_may_wait(run, object))
				continue;
			if (class == &class_route && is_hidden(run, object) &&
			    !check_is_told(run, object, "reported", "is hidden by"))
				run_fail(run, "useless: nobody is told that %s is hidden", id_of(object, id));
			if (class == &class_address && has_failed(run, object) &&
			    !check_is_told(run, object, "failing", "duplicate"))
				run_fail(run, "useless: nobody is told that another host has %s", id_of(object, id));
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
