/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Segments by union-find over the declared links (segment.h).
 */
#include "meaning/segment.h"

#include "model/kind.h"

static size_t index_of(const struct segments *s, const struct object *link) {
	struct segment_member *found = NULL;

	if (link)
		HASH_FIND_PTR(s->by_link, &link, found);
	return found ? (size_t)(found - s->members.items) : SEGMENT_NONE;
}

static size_t top_of(struct segments *s, size_t i) {
	struct segment_member *members = s->members.items;

	while (members[i].parent != i)
		i = members[i].parent = members[members[i].parent].parent;
	return i;
}

static void join(struct segments *s, size_t a, const struct object *other) {
	size_t b = index_of(s, other);

	a = top_of(s, a);
	if (b == SEGMENT_NONE) {
		s->members.items[a].open = true;
		return;
	}
	b = top_of(s, b);
	s->members.items[b].open |= s->members.items[a].open;
	s->members.items[a].parent = b;
}

/* With VLAN filtering, two ports of a bridge may not reach each other, and the file does not show which do. */
static bool has_vlans(const struct object *bridge) {
	int i = bridge->kind->segment == SEGMENT_PORTS ? kind_field(bridge->kind, "vlan-filtering") : -1;

	return i >= 0 && object_has(bridge, (size_t)i) && *(const uint32_t *)field_of(&bridge->kind->fields[i], bridge);
}

bool segment_is_ethernet(const struct object *link) {
	return link->kind->segment != SEGMENT_ELSEWHERE;
}

/* A tunnel sends packets, not frames, through its lower link; a VLAN's frames have a tag; ports of a VRF only share
 * routes. */
static bool is_on_segment_of(const struct object *from, const struct field *field, const struct object *to) {
	if (field->flags & FIELD_CONTROLLER)
		return !to || to->kind->segment == SEGMENT_PORTS;
	return from->kind->segment == SEGMENT_LOWER;
}

static void join_lower(struct segments *s, const struct state *state, size_t from) {
	const struct object *link = s->members.items[from].link;

	if (link->twin)
		join(s, from, link->twin);
	object_foreach_need(need, link) {
		const struct object *to = state_find_need(state, &need);
		bool port = need.field->flags & FIELD_CONTROLLER;

		if (!is_on_segment_of(link, need.field, to))
			continue;
		if (port && to)
			s->members.items[index_of(s, to)].ported = true;
		if (port && to && has_vlans(to))
			s->members.items[top_of(s, from)].open = true;
		else
			join(s, from, to);
	}
}

/* Existing interfaces, tunnels and VLANs lead to hosts that the file does not declare. */
static bool leads_on(const struct object *link) {
	return link->kind->segment == SEGMENT_ELSEWHERE || link->kind->segment == SEGMENT_TAGGED || has_vlans(link);
}

/* With proxy_arp or proxy_ndp a host answers for others, regardless of the declarations. */
static void open_proxies(struct segments *s, const struct ns_state *ns, const struct object *setting) {
	const char *dev;

	if (!setting->kind->proxies || !setting->kind->proxies(setting, &dev))
		return;
	ns_foreach(object, ns) {
		size_t i = index_of(s, object);

		if (i != SEGMENT_NONE && (!dev || streq(object_home_link(object), dev)))
			s->members.items[top_of(s, i)].open = true;
	}
}

static bool has_controller(const struct object *link) {
	object_foreach_need(need, link)
		if (need.field->flags & FIELD_CONTROLLER)
			return true;
	return false;
}

/* In a namespace that topod shares with others, they may give an interface without an address one, or make it a port. This
 * does not excuse a bridge without an address: forgetting it is as likely there as elsewhere. */
static void open_bare(struct segments *s, const struct ns_state *ns) {
	if (!streq(ns->name, NS_HOST) && !ns->adopt)
		return;
	ns_foreach(object, ns) {
		size_t i = index_of(s, object);

		if (i != SEGMENT_NONE && object->kind->segment != SEGMENT_PORTS && !has_controller(object) &&
		    !s->members.items[i].addressed)
			s->members.items[top_of(s, i)].open = true;
	}
}

/* A bridge without ports waits for ports that others add. */
static void open_empty(struct segments *s) {
	for (size_t i = 0; i < s->members.n; i++)
		if (s->members.items[i].link->kind->segment == SEGMENT_PORTS && !s->members.items[i].ported)
			s->members.items[top_of(s, i)].open = true;
}

static void add_members(struct segments *s, const struct state *state) {
	state_foreach(ns, state)
		ns_foreach(object, ns)
			if (object_is_link(object) && !streq(object_home_link(object), "lo"))
				vec_push(&s->members, (struct segment_member){ .link = object, .open = leads_on(object) });
	for (size_t i = 0; i < s->members.n; i++) { /* the members do not move from now on */
		s->members.items[i].parent = i;
		HASH_ADD_PTR(s->by_link, link, &s->members.items[i]);
	}
}

void segments_find(struct segments *ret, const struct state *state) {
	*ret = (struct segments){};
	add_members(ret, state);
	for (size_t i = 0; i < ret->members.n; i++)
		join_lower(ret, state, i);
	open_empty(ret);
	state_foreach(ns, state) {
		ns_foreach(object, ns) {
			size_t i = object->kind->assigns ? index_of(ret, ns_find_link(ns, object_home_link(object)))
							 : SEGMENT_NONE;

			if (i != SEGMENT_NONE)
				ret->members.items[i].addressed = true;
			open_proxies(ret, ns, object);
		}
		open_bare(ret, ns);
	}
}

void segments_done(struct segments *segments) {
	HASH_CLEAR(hh, segments->by_link);
	vec_done(&segments->members);
}

size_t segment_of(struct segments *segments, const struct object *link) {
	size_t i = index_of(segments, link);

	return i == SEGMENT_NONE ? i : top_of(segments, i);
}

bool segment_is_open(const struct segments *segments, size_t segment) {
	return segment == SEGMENT_NONE || segments->members.items[segment].open;
}
