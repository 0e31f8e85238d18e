/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is drawn of a desired state. The flags of a link's fields say which other links it refers to, and as what; the hooks
 * of an object's kind say which address it gives its link, and where it sends packets. So a new kind needs no code here.
 */
#include "graph/graph.h"

#include "base/hash.h"
#include "report/report.h"

struct known {
	const struct object *object;
	struct graph_link *link;
	UT_hash_handle hh;
};

struct making {
	struct graph *graph;
	const struct state *state;
	const struct graph_marks *marks;
	struct known *known;
	size_t n_ids;
};

const char *graph_mark_name(enum graph_mark mark) {
	static const char *const names[GRAPH_N_MARKS] = {
		[GRAPH_WAITS] = "waits", [GRAPH_DRIFTED] = "drifted", [GRAPH_FAILS] = "fails"
	};

	return names[mark];
}

static enum graph_mark mark_of(const struct making *m, const struct object *object) {
	return m->marks ? m->marks->of(m->marks->userdata, object) : GRAPH_WELL;
}

static struct graph_link *link_of(const struct making *m, const struct object *object) {
	struct known *known = NULL;

	if (object)
		HASH_FIND_PTR(m->known, &object, known);
	return known ? known->link : NULL;
}

/* What distinguishes a link from others of its kind: fields that cannot be changed, and the other end of a tunnel. */
static bool identifies(const struct object *object, size_t i) {
	const struct field *field = &object->kind->fields[i];

	if (!object_has(object, i) ||
	    field->flags & (FIELD_HIDDEN | FIELD_DEV | FIELD_UNDERLAY | FIELD_UNPRINTED | FIELD_ONCE))
		return false;
	return field->class == FIELD_RECREATE || field->type == &type_ip;
}

static void add_piece(struct text *out, const char *piece) {
	if (out->size)
		text_add(out, ", ");
	report_clean(piece, out);
}

static void add_identity(const struct object *object, struct text *out) {
	for (size_t i = 0; i < object->kind->n_fields; i++) {
		_cleanup_text_ struct text piece = {};

		if (!identifies(object, i))
			continue;
		text_addf(&piece, "%s ", object->kind->fields[i].name);
		field_print(&object->kind->fields[i], object, &piece);
		add_piece(out, text_str(&piece));
	}
}

static void add_link(struct making *m, struct graph_space *space, const struct object *object) {
	struct graph_link *link = arena_new(&m->graph->arena, struct graph_link);
	struct known *known = arena_new(&m->graph->arena, struct known);
	_cleanup_text_ struct text caption = {};

	*link = (struct graph_link){ .object = object, .name = object_home_link(object), .space = space };
	link->kind = object->kind->unnamed || object->kind->any_kind ? "" : object->kind->name;
	link->mark = mark_of(m, object);
	add_identity(object, &caption);
	link->caption = arena_strdup(&m->graph->arena, text_str(&caption));
	vec_push(&space->links, link);
	known->object = object;
	known->link = link;
	HASH_ADD_PTR(m->known, object, known);
}

/* An address of the link, and the state of what belongs to it. */
static void add_part(const struct making *m, struct graph_link *link, const struct object *object) {
	char buffer[PREFIX_TEXT_MAX];
	struct prefix address;

	link->mark = MAX(link->mark, mark_of(m, object));
	if (object->kind->assigns && object->kind->assigns(object, &address))
		link->caption = arena_printf(&m->graph->arena, "%s%s%s", link->caption, *link->caption ? ", " : "",
					     prefix_format(&address, buffer));
}

/* The loopback interface is drawn only if the file gives it addresses: every namespace has one. */
static void number_links(struct making *m, struct graph_space *space) {
	size_t n = 0;

	vec_foreach(at, &space->links) {
		struct known *known = NULL;

		if (*(*at)->caption || !streq((*at)->name, "lo")) {
			(*at)->id = m->n_ids++;
			space->links.items[n++] = *at;
			continue;
		}
		HASH_FIND_PTR(m->known, &(*at)->object, known);
		HASH_DEL(m->known, known);
	}
	space->links.n = n;
}

/* Default routes, and the entries of tables, one per line. */
static void add_notes(struct making *m, struct graph_space *space, const struct object *object) {
	_cleanup_text_ struct text text = {}, clean = {};
	struct lead lead;

	if (object->kind->leads && object->kind->leads(object, &lead) && !lead.to.length) {
		object_print_noun(object, &text);
	} else if (object->kind->lines) {
		object->kind->lines(object, &text);
	}
	for (char *at = text.data, *line; at && (line = strsep(&at, "\n"));) {
		clean.size = 0;
		report_clean(line, &clean);
		if (clean.size)
			vec_push(&space->notes, arena_strdup(&m->graph->arena, clean.data));
	}
}

static void add_space(struct making *m, const struct ns_state *ns) {
	struct graph_space *space = arena_new(&m->graph->arena, struct graph_space);

	*space = (struct graph_space){ .name = ns->name };
	ns_foreach(object, ns)
		if (object_is_link(object))
			add_link(m, space, object);
	ns_foreach(object, ns) {
		const char *home = object_is_link(object) ? NULL : object_home_link(object);
		struct graph_link *link = home ? link_of(m, ns_find_link(ns, home)) : NULL;

		if (link)
			add_part(m, link, object);
		if (!object_is_link(object) && (!home || object->kind->leads)) {
			space->mark = MAX(space->mark, mark_of(m, object));
			add_notes(m, space, object);
		}
	}
	number_links(m, space);
	space->id = m->n_ids++;
	vec_push(&m->graph->spaces, space);
}

static void connect_link(const struct making *m, struct graph_link *link) {
	const struct object *object = link->object;

	object_foreach_need(need, object) {
		struct graph_link *other = link_of(m, state_find_need(m->state, &need));

		if (need.field->flags & FIELD_CONTROLLER)
			link->controller = other;
		else if (need.field->flags & FIELD_LOWER)
			link->lower = other;
	}
	link->peer = link_of(m, object->twin);
	for (size_t i = 0; i < object->kind->n_fields; i++) {
		const struct link_ref *ref = field_of(&object->kind->fields[i], object);

		if (object->kind->fields[i].flags & FIELD_UNDERLAY && object_has(object, i) && ref->ns &&
		    !streq(ref->ns, object->ns))
			link->underlay = ref->ns;
	}
}

/* From the last to the first, because each is put at the front of its list. */
static void put_below(struct graph_space *space) {
	for (size_t i = space->links.n; i-- > 0;) {
		struct graph_link *link = space->links.items[i], *above = link->controller;

		if (!above || above->space != space)
			above = link->lower && link->lower->space == space ? link->lower : NULL;
		struct graph_link **list = above ? &above->below : &space->top;
		link->next = *list;
		*list = link;
	}
}

void graph_make(struct graph *ret, const char *topology, const struct state *state, const struct graph_marks *marks) {
	struct making m = { .graph = ret, .state = state, .marks = marks };

	*ret = (struct graph){ .topology = topology };
	state_foreach(ns, state)
		if (ns->objects || ns->declared)
			add_space(&m, ns);
	vec_foreach(space, &ret->spaces)
		vec_foreach(link, &(*space)->links)
			connect_link(&m, *link);
	vec_foreach(space, &ret->spaces)
		put_below(*space);
	HASH_CLEAR(hh, m.known);
}

void graph_done(struct graph *graph) {
	vec_foreach(space, &graph->spaces) {
		vec_done(&(*space)->links);
		vec_done(&(*space)->notes);
	}
	vec_done(&graph->spaces);
	arena_done(&graph->arena);
}
