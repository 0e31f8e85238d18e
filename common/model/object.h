/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An object: one thing of the network that can be declared, looked at, compared and changed.
 *
 * Desired and observed objects are of the same type. What they hold is described by their kind's table of
 * fields; nothing here knows any kind by name.
 */
#pragma once

#include "model/field.h"
#include "base/hash.h"

enum drift_policy {
	DRIFT_RESTORE,
	DRIFT_REPORT,
	DRIFT_IGNORE,
};

struct object {
	const struct kind *kind;
	const char *ns;                   /* name of its namespace */
	uint64_t set;                     /* bit i: fields[i] is managed (desired) or known (observed) */
	uint64_t needing;                 /* bit i: fields[i] may name another object, see object_next_need() */
	struct position position;         /* where it is declared */
	const struct position *positions; /* where each field is, or NULL */
	uint64_t returning;               /* desired: fields that go back to what they were and are then forgotten */
	enum drift_policy drift;
	bool owned;       /* observed: bears this topology's mark in the kernel */
	bool kernel_made; /* observed: the kernel's own doing, never pruned */
	bool pending;     /* observed: exists, but is not usable yet (a tentative address) */
	bool failed;      /* observed: exists, but the kernel gave it up (duplicate address) */
	bool external;    /* desired: exists without topod (existing): never created, never deleted */
	bool implied;     /* desired: written without a kind; some controller must name it as a port */
	bool gone;        /* desired: no longer declared, only returning fields */
	bool awaited;     /* desired: foreign, and comes and goes: it waits where it is not there */
	bool waits;       /* desired: it was not there at the latest look, and waits for something outside of topod */
	bool came;        /* desired, awaited: it was there at the latest scan */
	const char *
		gone_with; /* desired: the namespace that topod removed and with which it went; NULL; the state's own name */
	bool settled;      /* desired: was seen as declared since the file was put in force */
	uint8_t scan_sets; /* desired: bits of the extents that it is in (daemon/reconcile/extent) */
	struct object *twin;   /* desired: the other end of a veth pair, made in the same request */
	struct change *change; /* planner's: what is done about it */
	UT_hash_handle hh;     /* its key is the identity within the namespace, see object_seal() */
};

/* A zeroed object of that kind. */
struct object *object_new(struct arena *arena, const struct kind *kind, const char *ns);

/* Computes the key from the KEY fields; after this they must not change. */
void object_seal(struct arena *arena, struct object *object);

/* Have they one identity, within one namespace? */
static inline bool object_same_key(const struct object *a, const struct object *b) {
	return a->hh.keylen == b->hh.keylen && memcmp(a->hh.key, b->hh.key, a->hh.keylen) == 0;
}

/* Does it, or the other end of its pair, wait? */
static inline bool object_waits(const struct object *object) {
	return object->waits || (object->twin && object->twin->waits);
}

/* The bit of a field, by its place in the kind's table, in a mask of fields. */
static inline uint64_t field_bit(size_t field) {
	return UINT64_C(1) << field;
}

static inline bool object_has(const struct object *object, size_t field) {
	return object->set >> field & 1;
}

/* The fields that desired manages and in which observed differs or of which it knows nothing. */
uint64_t object_compare(const struct object *desired, const struct object *observed);

/* Are the same fields set in two objects of one kind, with the same values? Also those that are never read back. */
bool object_same_fields(const struct object *a, const struct object *b);

/* The link that the object is at home in: itself, or the first KEY field that names one; NULL. */
const char *object_home_link(const struct object *object);
/* Is the address reached by this desired object without a gateway: in an address's network, or by a route over a link? */
bool object_leads_to(const struct object *object, const struct ip *ip);
/* "web/eth0", "web": where the object is, for people. */
void object_print_scope(const struct object *object, struct text *out);
/* "address 10.0.0.11/24", "route default via 10.0.0.1", "link". */
void object_print_noun(const struct object *object, struct text *out);
/* Scope and noun, as one line of the ledger names it: unique within the topology. */
void object_print_id(const struct object *object, struct text *out);
/* "mtu 1400 -> 1500, up" for the fields in mask; with observed NULL only the new values. */
void object_print_fields(const struct object *desired, const struct object *observed, uint64_t mask, struct text *out);

/* The place of the field, of the object where that is not known. */
struct position object_position(const struct object *object, const struct field *field);

/* Another object that this one needs, by its identity. What is made together with it, the other end of a pair, is not one:
 * that is its `twin`. */
struct need {
	const struct field *field; /* that names it */
	const struct class *class;
	const char *ns;
	const char *name; /* of a link; else NULL */
	const void *key;  /* what its class has as key, see object_seal() … */
	size_t size;      /* … in bytes */
	size_t next;      /* where the walk goes on: the field … */
	size_t item;      /* … and what is named inside of it */
};

/* Walks over the objects that this one needs. It is the table of fields that tells, and not a list made once: where a link
 * is a port, and what an observed one stands on, is known only after it was sealed. */
bool object_next_need(const struct object *object, struct need *need);
#define object_foreach_need(need, object) for (struct need need = {}; object_next_need(object, &(need));)
/* The link that this one is made upon (FIELD_LOWER); zeroed where there is none. */
struct need object_lower(const struct object *object);
