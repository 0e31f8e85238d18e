/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the exported namespaces need from other ones: a lower link in a namespace that is not exported, an underlay. The file
 * must name these as existing.
 */
#include "export/export_private.h"

#include "kind/link.h"

static void each_of(const struct state *seen, const struct object *object, export_around_fn fn, void *userdata) {
	for (size_t i = LINK_N_FIELDS; i < object->kind->n_fields; i++) {
		const struct field *field = &object->kind->fields[i];
		const struct link_ref *ref = field_of(field, object);
		bool link = field->type == &type_link_ref && !(field->flags & FIELD_PEER) && ref->name;

		if ((link || field->type == &type_underlay) && object_has(object, i) && ref->ns &&
		    !export_has(state_find(seen, ref->ns)))
			fn(userdata, ref->ns, link ? ref->name : NULL);
	}
}

void export_each_around(const struct state *seen, export_around_fn fn, void *userdata) {
	state_foreach(ns, seen)
		ns_foreach(object, ns)
			if (object_is_link(object))
				each_of(seen, object, fn, userdata);
}

/* Another namespace, with the links that are needed in it, each once. */
struct place {
	const char *ns;
	vec(const char *) links;
};

struct around {
	vec(struct place) places;
};

static void add(void *userdata, const char *ns, const char *link) {
	struct around *around = userdata;
	struct place *place = NULL;

	vec_foreach(p, &around->places)
		if (streq(p->ns, ns))
			place = p;
	if (!place) {
		vec_push(&around->places, (struct place){ .ns = ns });
		place = &around->places.items[around->places.n - 1];
	}
	vec_foreach(name, &place->links)
		if (link && streq(*name, link))
			return;
	if (link)
		vec_push(&place->links, link);
}

static const struct node *existing(struct export *x, const char *ns, const char *name) {
	const struct ns_state *there = x->options->around ? state_find(x->options->around, ns) : NULL;
	const struct link *link = (const struct link *)ns_find_link(there, name);
	const char *kind = streq(name, "lo") ? NULL : "existing";
	bool down = link && !link->up;

	return build_mapping(x->arena, (struct position){},
			     { "kind", kind ? build_text(x->arena, (struct position){}, kind) : NULL },
			     { "up", down ? build_word(x->arena, (struct position){}, "false") : NULL });
}

void export_around(struct export *x, node_pairs *namespaces) {
	struct around around = {};

	export_each_around(x->seen, add, &around);
	vec_foreach(place, &around.places) {
		node_pairs pairs = {}, interfaces = {};

		if (!x->options->fresh && !streq(place->ns, NS_HOST))
			pairs_add(x, &pairs, "adopt", build_word(x->arena, (struct position){}, "true"));
		vec_foreach(name, &place->links)
			pairs_add(x, &interfaces, *name, existing(x, place->ns, *name));
		pairs_add(x, &pairs, "interfaces", pairs_finish(x, &interfaces));
		const struct node *node = pairs_finish(x, &pairs);
		export_note(x, namespaces, place->ns, NULL, "%s is listed because interfaces in this file are made on it",
			    place->ns);
		pairs_add(x, namespaces, place->ns, node ? node : build_mapping(x->arena, (struct position){}, { 0 }));
		vec_done(&place->links);
	}
	vec_done(&around.places);
}
