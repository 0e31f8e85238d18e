/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An object: one thing of the network that can be declared, observed, compared and changed.
 *
 * Desired and observed objects have the same type, so that comparing, printing and encoding are written once. Kinds
 * embed struct object at the beginning of their own struct; the values behind it are described by the kind's table of
 * fields, one bit of `set` for each. Nothing here knows a kind by name.
 *
 * An object is made (object_new()), filled in, and sealed: object_seal() computes its key, the identity within its
 * namespace, from the KEY fields. From then on these must not change. The rest of struct object is notes of those who
 * work with it: what is declared about it, how it was observed, which change is planned for it. Each note says whose it
 * is and on which objects.
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
	const struct position *positions; /* where each field is declared, or NULL */
	uint64_t returning;               /* desired: fields that go back to their former values and are then forgotten */
	enum drift_policy drift;
	bool owned;            /* observed: has this topology's mark in the kernel */
	bool stamped;          /* observed: some topod made it, and the kernel does not show which */
	bool kernel_made;      /* observed: the kernel made it by itself; never pruned */
	bool pending;          /* observed: exists, but is not usable yet (a tentative address) */
	bool failed;           /* observed: exists, but the kernel gave it up (a duplicate address) */
	bool external;         /* desired: exists without topod (`existing`): never created or deleted */
	bool implied;          /* desired: declared without a kind; some controller must list it as a port */
	bool gone;             /* desired: no longer declared, only returning fields */
	bool awaited;          /* desired: foreign, comes and goes; waits while it is absent */
	bool required;         /* desired, awaited: the topology is not converged without it */
	bool waits;            /* desired: absent in the latest scan, waits for something outside topod */
	bool came;             /* desired, awaited: it existed in the latest scan */
	const char *gone_with; /* desired: topod removed an object in this namespace, which took this one along; or NULL */
	bool settled;          /* desired: was observed as declared since the file was loaded */
	bool joins_down;       /* desired: its controller takes it only while it is down, see kind->ports_join_down */
	struct object *twin;   /* desired: the other end of a veth pair, made in the same request */
	/* Notes of the reconciler and the planner. They are here because both are needed for every object of a scan or plan,
	 * and a separate table would cost a search each time; plan_done() and scan_set_done() clear them. */
	uint8_t scan_sets;     /* desired: one bit for each set that contains it (daemon/reconcile/scan_set) */
	struct change *change; /* the change that is planned for it */
	UT_hash_handle hh;     /* its key is the identity within the namespace, see object_seal() */
};

/* A zeroed object of the kind. */
struct object *object_new(struct arena *arena, const struct kind *kind, const char *ns);

/* Computes the key from the KEY fields; after this they must not change. */
void object_seal(struct arena *arena, struct object *object);

/* Do they have the same identity within a namespace? */
static inline bool object_same_key(const struct object *a, const struct object *b) {
	return a->hh.keylen == b->hh.keylen && memcmp(a->hh.key, b->hh.key, a->hh.keylen) == 0;
}

/* Does the object, or the other end of its pair, wait? */
static inline bool object_waits(const struct object *object) {
	return object->waits || (object->twin && object->twin->waits);
}

/* The bit of a field in a mask, by its position in the kind's table. */
static inline uint64_t field_bit(size_t field) {
	return UINT64_C(1) << field;
}

static inline bool object_has(const struct object *object, size_t field) {
	return object->set >> field & 1;
}

/* The fields that are set in desired and that differ, or are not set, in observed. */
uint64_t object_compare(const struct object *desired, const struct object *observed);

/* Do two objects of one kind have the same fields set to equal values, including fields that are never read back? */
bool object_same_fields(const struct object *a, const struct object *b);

/* The link that the object belongs to: itself, or the first KEY field that names one; NULL. */
const char *object_home_link(const struct object *object);
/* Does the desired object reach the address without a gateway: is it in an address's network, or behind a route over
 * a link? */
bool object_leads_to(const struct object *object, const struct ip *ip);
/* Prints where the object is: "web/eth0", "web". */
void object_print_scope(const struct object *object, struct text *out);
/* Prints what it is: "address 10.0.0.11/24", "route default via 10.0.0.1", "bridge". */
void object_print_noun(const struct object *object, struct text *out);

/* How programs see an object, beside its namespace. */
struct object_parts {
	const char *interface; /* that it is or that it belongs to; NULL: none */
	const char *kind;
	const char *key; /* distinguishes it from others of its kind there; NULL: there is only one */
};
/* scope and noun were printed of the object; the parts are borrowed from them. */
struct object_parts object_parts(const struct object *object, const char *scope, const char *noun);

/* Prints scope and noun as the ledger has them: unique within the topology. */
void object_print_id(const struct object *object, struct text *out);
/* Prints the fields in mask: "mtu 1400 -> 1500, up true"; with observed NULL only the new values. */
void object_print_fields(const struct object *desired, const struct object *observed, uint64_t mask, struct text *out);

/* The position of the field; of the object if that is not known. */
struct position object_position(const struct object *object, const struct field *field);

/* Another object that this one needs, by its identity. The other end of a pair does not count, because both are made
 * together; it is the `twin`. */
struct need {
	const struct field *field; /* names it */
	const struct class *class;
	const char *ns;
	const char *name; /* the name of a link; else NULL */
	const void *key;  /* its key within the class, see object_seal() … */
	size_t size;      /* … in bytes */
	size_t next;      /* where the walk continues */
	size_t item;      /* … and the position inside the field's value */
};

/* Walks over the objects that this one needs. They are read from the fields each time, because some fields of an
 * object (its controller, an observed link's lower link) are only known after it was sealed. */
bool object_next_need(const struct object *object, struct need *need);
#define object_foreach_need(need, object) for (struct need need = {}; object_next_need(object, &(need));)
/* The link on which this one is made (FIELD_LOWER); zeroed: there is none. */
struct need object_lower(const struct object *object);
