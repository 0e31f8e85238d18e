/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Excuses: why a declared object may be missing or wrong. Something foreign is in its place, or something that it needs has
 * an excuse. Judged by the world and the ledger, never by what the reconciler says.
 */
#include "check_private.h"

#include <linux/rtnetlink.h>

#include "kind/kinds.h"
#include "kind/physical.h"
#include "kind/sysctl.h"

const char *check_id(const struct object *object, char buf[256]) {
	_cleanup_text_ struct text id = {};

	object_print_id(object, &id);
	snprintf(buf, 256, "%s", id.data);
	return buf;
}

bool check_is_made(struct run *run, const struct object *object) {
	const struct ledger_entry *entry = ledger_find_object(&run->ledger, object);

	return entry && entry->made;
}

bool check_is_stranger(struct run *run, const struct w_link *link, const char *ns, const char *name) {
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
	return there && (there->external || check_is_stranger(run, there, object->ns, there->values->name));
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

	return there && (failed_for_good(run, there) || (there->external && !check_is_made(run, object)) ||
			 is_behind_foreign(ns, there) || is_kept_apart(ns, a, there));
}

/* Somebody added a route by hand that the kernel prefers; see common/kind/route_front.c. */
static bool is_preceded(struct run *run, const struct w_ns *ns, const struct route *r) {
	if (ns_is_open(state_find(run_desired(run), r->object.ns)))
		return false;
	vec_foreach(other, &ns->routes)
		if (prefix_equal(&other->to, &r->to) && prefix_equal(&other->from, &r->from) && other->table == r->table &&
		    other->tos == r->tos && other->metric < r->metric && other->protocol == RTPROT_BOOT)
			return true;
	return false;
}

struct w_route check_route_like(const struct route *r) {
	return (struct w_route){ .to = r->to, .from = r->from, .table = r->table, .tos = r->tos, .metric = r->metric };
}

bool check_is_hidden(struct run *run, const struct object *object) {
	const struct route *r = (const struct route *)object;
	const struct w_route like = check_route_like(r);
	struct w_ns *ns = world_ns_or_held(run->w, object->ns);
	const struct w_route *used = ns ? ns_route(ns, &like) : NULL,
			     *ours = ns ? ns_route_by(ns, &like, TOPOD_PROTOCOL) : NULL;

	return ours && ((ours != used && used->protocol != RTPROT_KERNEL) || is_preceded(run, ns, r));
}

static bool route_in_the_way(struct run *run, const struct object *object) {
	const struct route *r = (const struct route *)object;
	const struct w_route like = check_route_like(r);
	struct w_ns *ns = world_ns_or_held(run->w, object->ns);
	const struct w_route *there = ns ? ns_route(ns, &like) : NULL;

	return check_is_hidden(run, object) || (there && there->external && !check_is_made(run, object));
}

/* A rule, neighbour, forwarding entry or next hop of somebody else's. */
static bool raw_in_the_way(struct run *run, const struct object *object) {
	struct state state = {};
	const struct object *seen;
	bool found;

	check_see(run, object->ns, &state);
	seen = ns_find(state_find(&state, object->ns), object);
	found = seen && !seen->owned && !check_is_made(run, object);
	state_done(&state);
	return found;
}

static bool has_file(struct run *run, const char *ns) {
	const struct w_name *stale = world_stale(run->w, ns);

	return stale && stale->external;
}

bool check_in_the_way(struct run *run, const struct object *object) {
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
	return file && file->external && !check_is_made(run, object);
}

static bool excused(struct run *run, const struct object *object, unsigned depth);

/* A setting should turn IPv6 on again, but cannot. */
static bool ipv6_excused(struct run *run, const struct object *object, unsigned depth) {
	_cleanup_free_ char *path = xasprintf("net/ipv6/conf/%s/disable_ipv6", object_home_link(object));

	ns_foreach(other, state_find(run_desired(run), object->ns))
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
		const struct object *link = state_find_need(run_desired(run), &need);

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
	ns_foreach(other, state_find(run_desired(run), object->ns)) {
		bool leads = other->kind->class == &class_route && has_gateway(object) && !has_gateway(other);

		if ((other->kind->class == &class_address || object_is_link(other) || leads) &&
		    excused(run, other, depth + 1))
			return true;
	}
	return false;
}

static bool excused(struct run *run, const struct object *object, unsigned depth) {
	const struct ns_state *ns = state_find(run_desired(run), object->ns);
	char id[256];

	if (depth > 6)
		return false;
	if (check_in_the_way(run, object) || check_is_disputed(run, object) ||
	    (object->drift != DRIFT_RESTORE && run->disturbed) ||
	    (run->faulted && streq(check_id(object, id), run->faulted)))
		return true;
	if (!object_is_namespace(object) && ns_self(ns) && excused(run, ns_self(ns), depth + 1))
		return true;
	if (object->kind->class == &class_route && route_excused(run, object, depth))
		return true;
	return needs_excused(run, object, depth);
}

bool check_is_excused(struct run *run, const struct object *object) {
	return excused(run, object, 0);
}
