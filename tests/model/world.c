/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "world_private.h"

#include <linux/rtnetlink.h>

#include "kind/kinds.h"
#include "kind/protocol.h"
#include "kind/route.h"
#include "kind/veth.h"

/* The machine. */

uint64_t world_random(struct world *w) {
	uint64_t x = w->random += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

void world_event(struct world *w, struct w_ns *ns, struct hint hint) {
	if (ns && (ns->name || ns->held))
		vec_push(&w->events, (struct w_event){ .ns = ns, .hint = hint });
}

void name_event(struct world *w, const char *name) {
	vec_push(&w->events, (struct w_event){ .name = arena_strdup(&w->arena, name) });
}

void link_changed(struct world *w, struct w_link *link) {
	world_event(w, link->ns,
		    (struct hint){ .type = HINT_LINK,
				   .ifindex = link->index,
				   .link = link->values->name,
				   .alias = link->values->alias,
				   .down = !link->values->up });
}

void addresses_changed(struct world *w, struct w_ns *ns, const struct w_link *link) {
	world_event(w, ns, (struct hint){ .type = HINT_DEPENDENTS, .ifindex = link->index });
}

void route_changed(struct world *w, struct w_ns *ns, const struct w_route *route) {
	struct route *like = (struct route *)object_new(&w->arena, &kind_route, NULL);
	bool usual = route->table == RT_TABLE_MAIN || route->table == RT_TABLE_LOCAL;

	like->to = route->to;
	like->table = route->table;
	like->tos = route->tos;
	like->metric = route->metric;
	object_seal(&w->arena, &like->object);
	world_event(w, ns,
		    (struct hint){ .type = HINT_OBJECT,
				   .like = &like->object,
				   .precedes = protocol_is_by_hand(route->protocol),
				   .ifindex = route->n_hops == 1 ? route->hops[0].dev->index : 0,
				   .by_kernel = route->protocol == RTPROT_KERNEL && usual });
}

/* The kernel reuses inode numbers; the time of creation is unique (here a counter). */
struct netns_identity world_next_identity(const struct world *w) {
	return (struct netns_identity){ .inode = 4026531840 + w->spaces.n % 2, .born_nsec = w->spaces.n };
}

static struct w_ns *new_ns(struct world *w, const char *name) {
	struct w_ns *ns = arena_new(&w->arena, struct w_ns);
	struct w_link *lo = link_new(w, &kind_other, "lo");

	ns->name = arena_strdup(&w->arena, name);
	ns->nsid = (int32_t)w->spaces.n;
	ns->identity = world_next_identity(w);
	ns->external = !w->by_topod;
	vec_push(&w->spaces, ns);
	link_enter(w, lo, ns);
	lo->values->mtu = 65536;
	add_rules_of_kernel(w, ns);
	return ns;
}

struct world *world_new(uint64_t seed) {
	struct world *w = xmalloc(sizeof(*w));

	w->random = seed;
	w->now_usec = 1000 * 1000 * 1000;
	new_ns(w, NS_HOST);
	link_set_up(w, ns_link(w->spaces.items[0], "lo"), true);
	vec_clear(&w->events);
	return w;
}

void world_free(struct world *w) {
	if (!w)
		return;
	vec_foreach(at, &w->spaces) {
		vec_done(&(*at)->links);
		vec_done(&(*at)->addresses);
		vec_done(&(*at)->routes);
		vec_done(&(*at)->made);
		vec_done(&(*at)->raw);
		vec_done(&(*at)->settings);
	}
	vec_done(&w->spaces);
	vec_done(&w->files);
	vec_done(&w->stale);
	vec_done(&w->events);
	arena_done(&w->arena);
	free(w);
}

/* Namespaces. */

struct w_ns *world_ns(const struct world *w, const char *name) {
	vec_foreach(at, &w->spaces)
		if ((*at)->name && streq((*at)->name, name))
			return *at;
	return NULL;
}

struct w_ns *world_held(const struct world *w, const char *name) {
	vec_foreach(at, &w->spaces)
		if ((*at)->held && streq((*at)->held, name))
			return *at;
	return NULL;
}

struct w_ns *world_ns_or_held(const struct world *w, const char *name) {
	struct w_ns *ns = world_ns(w, name);

	return ns ? ns : world_held(w, name);
}

struct w_ns *world_ns_by_id(const struct world *w, int32_t nsid) {
	vec_foreach(at, &w->spaces)
		if ((*at)->nsid == nsid)
			return *at;
	return NULL;
}

const struct w_name *world_stale(const struct world *w, const char *name) {
	vec_foreach(at, &w->stale)
		if (streq(at->name, name))
			return at;
	return NULL;
}

void world_add_stale(struct world *w, const char *name, bool external) {
	if (!world_ns(w, name) && !world_stale(w, name))
		vec_push(&w->stale, (struct w_name){ arena_strdup(&w->arena, name), external });
	name_event(w, name);
}

/* topod never removes something foreign. */
void world_clear_stale(struct world *w, const char *name) {
	const struct w_name *stale = world_stale(w, name);

	if (!stale || (stale->external && w->by_topod))
		return;
	drop_where(&w->stale, at, streq(at->name, name));
	name_event(w, name);
}

int world_add_ns(struct world *w, const char *name) {
	if (world_ns(w, name) || world_stale(w, name))
		return -EEXIST;
	new_ns(w, name);
	name_event(w, name);
	return 0;
}

int world_add_attached(struct world *w, const char *name) {
	int r = world_add_ns(w, name);

	if (r == 0)
		world_ns(w, name)->attached = world_ns(w, name)->external = true;
	return r;
}

int world_unname(struct world *w, const char *name) {
	struct w_ns *ns = world_ns(w, name);

	if (!ns)
		return -ENOENT;
	name_event(w, name);
	ns->lost_name = ns->name;
	ns->name = NULL;
	ns->busy = true; /* until the processes end */
	return 0;
}

static void take_apart(struct world *w, struct w_ns *ns) {
	ns->dying = 0;
	vec_foreach(at, &w->spaces) /* vxlan_exit_batch_rtnl() */
		for (size_t i = 0; i < (*at)->links.n;)
			if ((*at)->links.items[i]->birthplace == ns) {
				link_remove(w, (*at)->links.items[i]);
				i = 0; /* the list has changed */
			} else {
				i++;
			}
	for (size_t i = 0; i < ns->links.n;) {
		struct w_link *link = ns->links.items[i];
		char name[IFNAMSIZ];

		if (!link->hardware) {
			link_remove(w, link);
			continue;
		}
		snprintf(name, sizeof(name), "dev%u", link->index);
		link_move(w, link, w->spaces.items[0],
			  ns_link(w->spaces.items[0], link->values->name) ? name : link->values->name);
	}
}

/* cleanup_net() runs in a work queue. */
static void begin_to_die(struct world *w, struct w_ns *ns) {
	if (ns->name || ns->held || ns->busy)
		return;
	ns->dying = 1 + (w->slowness ? (unsigned)(world_random(w) % w->slowness) : 0);
	if (!w->slowness)
		take_apart(w, ns);
}

void world_release(struct world *w, struct w_ns *only) {
	for (size_t i = 0; i < w->spaces.n; i++) {
		struct w_ns *ns = w->spaces.items[i];

		if (!ns->held || (only && ns != only))
			continue;
		ns->held = NULL;
		begin_to_die(w, ns);
	}
}

int world_name_again(struct world *w, struct w_ns *ns) {
	if (world_ns(w, ns->held) || world_stale(w, ns->held))
		return -EEXIST;
	ns->name = ns->held;
	name_event(w, ns->name);
	return 0;
}

/* The name is free at once; the contents disappear some time later, when nobody holds the namespace. */
int world_delete_ns(struct world *w, const char *name) {
	struct w_ns *ns = world_ns(w, name);

	if (!ns)
		return -ENOENT;
	name_event(w, name);
	ns->name = NULL;
	begin_to_die(w, ns);
	return 0;
}

void world_end_processes(struct world *w) {
	for (size_t i = 0; i < w->spaces.n; i++) {
		struct w_ns *ns = w->spaces.items[i];

		if (!ns->busy)
			continue;
		ns->busy = false;
		ns->lost_name = NULL;
		begin_to_die(w, ns);
	}
}

void world_tick(struct world *w, bool all) {
	for (size_t i = 0; i < w->spaces.n; i++) {
		struct w_ns *ns = w->spaces.items[i];

		if (ns->dying && (all || --ns->dying == 0))
			take_apart(w, ns);
	}
	world_carriers(w);
}

/* Files and tables. */

struct w_file *world_file(struct world *w, const char *ns) {
	vec_foreach(file, &w->files)
		if (streq(file->ns, ns))
			return file;
	return NULL;
}

void world_write_file(struct world *w, const char *ns, const char *content) {
	world_remove_file(w, ns);
	vec_push(&w->files, (struct w_file){ arena_strdup(&w->arena, ns), arena_strdup(&w->arena, content), !w->by_topod });
	name_event(w, ns);
}

void world_remove_file(struct world *w, const char *ns) {
	drop_where(&w->files, file, streq(file->ns, ns));
	name_event(w, ns);
}

void ns_set_nat(struct world *w, struct w_ns *ns, const char *text) {
	ns->nat = text ? arena_strdup(&w->arena, text) : NULL;
	ns->nat_foreign = !w->by_topod;
	world_event(w, ns, (struct hint){ .type = HINT_CLASS, .class = &class_ruleset });
}
