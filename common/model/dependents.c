/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which desired objects depend on which link. The scan after an event can then be as large as what depends on the link,
 * instead of the whole namespace.
 *
 * It names no kind: an object's dependencies are in its fields (FIELD_DEV) and its kind's depends(). A gateway's link is
 * found through the networks that the declared addresses reach, hashed by network and prefix length.
 */
#include "model/state.h"

struct link_dependents {
	const char *link;
	struct object_item *parts, *links;
};

struct network {
	struct prefix prefix;
	const char *link;
	struct network *same; /* the same network on another link */
	UT_hash_handle hh;
};

/* Kept for each namespace while the file is in force; what is only needed to compute it is in struct survey. */
struct dependents_index {
	struct link_dependents *by_link; /* sorted by link */
	size_t n;
	struct object_item *strays, *linkless, *users;
};

struct found_link {
	struct link_dependents dependents;
	UT_hash_handle hh;
};

/* The state of the computation. */
struct survey {
	struct arena *arena;
	struct arena scratch;
	struct ns_state *ns;
	struct dependents_index *index;
	struct found_link *by_link;
	struct network *networks;
	bool lengths[2][129]; /* IPv4 and IPv6: which prefix lengths occur */
	struct object *object;
};

static void add_item(struct arena *arena, struct object_item **list, struct object *object) {
	struct object_item *item;

	if (*list && (*list)->object == object)
		return;
	item = arena_new(arena, struct object_item);
	*item = (struct object_item){ .object = object, .next = *list };
	*list = item;
}

static struct link_dependents *dependents_of(struct survey *s, const char *link) {
	struct found_link *found = NULL;

	HASH_FIND_STR(s->by_link, link, found);
	if (!found) {
		found = arena_new(&s->scratch, struct found_link);
		found->dependents.link = link;
		HASH_ADD_KEYPTR(hh, s->by_link, link, strlen(link), found);
	}
	return &found->dependents;
}

/* A port's attributes belong to its own link, and are lost with the controller. */
static void add_needs(struct survey *s) {
	bool link = object_is_link(s->object);

	object_foreach_need(need, s->object) {
		if (!need.name)
			add_item(s->arena, &s->index->users, s->object);
		if (!need.name || !streq(need.ns, s->ns->name))
			continue;
		struct link_dependents *dependents = dependents_of(s, need.name);
		bool whole = link || need.field->flags & FIELD_CONTROLLER;
		add_item(s->arena, whole ? &dependents->links : &dependents->parts, s->object);
	}
}

/* Networks. */

static struct network *find_network(const struct survey *s, const struct ip *ip, uint8_t length) {
	struct prefix key = { .address = *ip, .length = length };
	struct network *network = NULL;

	key = prefix_network(&key);
	HASH_FIND(hh, s->networks, &key, sizeof(key), network);
	return network;
}

static void add_network(struct survey *s, const struct object *object) {
	struct prefix prefix;

	if (!object->kind->reaches || !object->kind->reaches(object, &prefix))
		return;
	struct network *before = find_network(s, &prefix.address, prefix.length);
	struct network *network = arena_new(&s->scratch, struct network);
	network->prefix = prefix;
	network->link = object_home_link(object);
	s->lengths[prefix.address.family == AF_INET6][prefix.length] = true;
	if (before) {
		network->same = before->same;
		before->same = network;
	} else {
		HASH_ADD(hh, s->networks, prefix, sizeof(network->prefix), network);
	}
}

/* Adds the object to every link that reaches the address; false: none does. */
static bool add_reached(struct survey *s, const struct ip *ip) {
	bool found = false;

	for (unsigned length = 0; length <= ip_bits(ip->family); length++) {
		if (!s->lengths[ip->family == AF_INET6][length])
			continue;
		for (struct network *n = find_network(s, ip, (uint8_t)length); n; n = n->same) {
			add_item(s->arena, &dependents_of(s, n->link)->parts, s->object);
			found = true;
		}
	}
	return found;
}

static void add_dependences(struct survey *s) {
	const struct kind *kind = s->object->kind;
	const struct ip *ip;
	const char *dev;

	for (size_t i = 0; kind->depends && kind->depends(s->object, i, &dev, &ip); i++) {
		if (dev)
			add_item(s->arena, &dependents_of(s, dev)->parts, s->object);
		if (ip && !add_reached(s, ip))
			add_item(s->arena, &s->index->strays, s->object);
	}
}

static void add_linkless(struct survey *s) {
	struct need need = {};

	if (!object_is_link(s->object) && !object_next_need(s->object, &need))
		add_item(s->arena, &s->index->linkless, s->object);
}

static int compare_links(const void *a, const void *b) {
	return strcmp(((const struct link_dependents *)a)->link, ((const struct link_dependents *)b)->link);
}

static void keep_index(struct survey *s) {
	struct dependents_index *index = s->index;

	index->by_link = arena_newn(s->arena, struct link_dependents, HASH_COUNT(s->by_link));
	for (const struct found_link *found = s->by_link; found; found = found->hh.next)
		index->by_link[index->n++] = found->dependents;
	if (index->n)
		qsort(index->by_link, index->n, sizeof(*index->by_link), compare_links);
}

static const struct dependents_index *survey(struct state *state, struct ns_state *ns) {
	struct survey s = { .arena = &state->arena, .ns = ns };

	if (ns->dependents)
		return ns->dependents;
	ns->dependents = s.index = arena_new(&state->arena, struct dependents_index);
	ns_foreach(object, ns)
		add_network(&s, object);
	ns_foreach(object, ns) {
		s.object = object;
		add_needs(&s);
		add_dependences(&s);
		add_linkless(&s);
	}
	keep_index(&s);
	HASH_CLEAR(hh, s.by_link);
	HASH_CLEAR(hh, s.networks);
	arena_done(&s.scratch);
	return s.index;
}

struct dependents state_dependents(struct state *state, struct ns_state *ns, const char *link) {
	const struct dependents_index *index = survey(state, ns);
	const struct link_dependents key = { .link = link };
	const struct link_dependents *dependents =
		index->n ? bsearch(&key, index->by_link, index->n, sizeof(key), compare_links) : NULL;

	return (struct dependents){ .parts = dependents ? dependents->parts : NULL,
				    .links = dependents ? dependents->links : NULL,
				    .strays = index->strays };
}

const struct object_item *state_users(struct state *state, struct ns_state *ns) {
	return survey(state, ns)->users;
}

const struct object_item *state_linkless(struct state *state, struct ns_state *ns) {
	return survey(state, ns)->linkless;
}

static bool crosses(const struct object *object) {
	object_foreach_need(need, object)
		if (!streq(need.ns, object->ns))
			return true;
	return false;
}

const struct object_item *state_crossings(struct state *state) {
	if (state->crossings_known)
		return state->crossings;
	state->crossings_known = true;
	state_foreach(ns, state)
		ns_foreach(object, ns)
			if (crosses(object))
				add_item(&state->arena, &state->crossings, object);
	return state->crossings;
}
