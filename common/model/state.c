/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The set of objects of a state: namespaces by name, objects by key (object.c).
 */
#include "model/state.h"

struct ns_state *state_find(const struct state *state, const char *name) {
	struct ns_state *ns = NULL;

	HASH_FIND_STR(state->namespaces, name, ns);
	return ns;
}

struct ns_state *state_namespace(struct state *state, const char *name) {
	struct ns_state *ns = state_find(state, name);

	if (!ns) {
		ns = arena_new(&state->arena, struct ns_state);
		ns->name = arena_strdup(&state->arena, name);
		HASH_ADD_KEYPTR(hh, state->namespaces, ns->name, strlen(ns->name), ns);
	}
	return ns;
}

static struct object *ns_find_key(const struct ns_state *ns, const void *key, size_t size) {
	struct object *object = NULL;

	if (ns)
		HASH_FIND(hh, ns->objects, key, size, object);
	return object;
}

struct object *ns_find(const struct ns_state *ns, const struct object *like) {
	struct object *object = NULL;

	if (ns)
		HASH_FIND_BYHASHVALUE(hh, ns->objects, like->hh.key, like->hh.keylen, like->hh.hashv, object);
	return object;
}

static struct object *find_of_class(const struct ns_state *ns, const struct class *class, const void *value, size_t size) {
	char key[64]; /* as object_seal() makes it: the class and the KEY fields */

	if (sizeof(class) + size > sizeof(key))
		return NULL;
	memcpy(key, &class, sizeof(class));
	memcpy(key + sizeof(class), value, size);
	return ns_find_key(ns, key, sizeof(class) + size);
}

struct object *ns_find_link(const struct ns_state *ns, const char *name) {
	return find_of_class(ns, &class_link, name, strlen(name) + 1);
}

struct object *ns_find_need(const struct ns_state *ns, const struct need *need) {
	return find_of_class(ns, need->class, need->key, need->size);
}

struct object *state_find_need(const struct state *state, const struct need *need) {
	return need->ns ? ns_find_need(state_find(state, need->ns), need) : NULL;
}

struct object *ns_find_only(const struct ns_state *ns, const struct class *class) {
	return ns_find_key(ns, &class, sizeof(class));
}

struct object *ns_add(struct ns_state *ns, struct object *object) {
	struct object *before = ns_find(ns, object);

	if (before)
		return before;
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, ns->objects, object->hh.key, object->hh.keylen, object->hh.hashv, object);
	if (object_is_namespace(object))
		ns->self = object;
	return NULL;
}

void ns_remove(struct ns_state *ns, struct object *object) {
	ns->dependents = NULL;
	HASH_DEL(ns->objects, object);
	if (ns->self == object)
		ns->self = NULL;
}

static void ns_done(struct ns_state *ns) {
	HASH_CLEAR(hh, ns->objects);
}

void state_remove(struct state *state, struct ns_state *ns) {
	HASH_DEL(state->namespaces, ns);
	ns_done(ns);
}

void state_done(struct state *state) {
	state_foreach(ns, state)
		ns_done(ns);
	HASH_CLEAR(hh, state->namespaces);
	arena_done(&state->arena);
}
