/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A change: one step of a plan and, after it was carried out, its result.
 *
 * The planner makes changes, a kind encodes them (kind->encode), the kernel's side sends them and fills in the results.
 */
#pragma once

#include "model/kind.h"

enum change_type {
	CHANGE_CREATE,
	CHANGE_UPDATE,
	CHANGE_DELETE,
};

/* One step of a plan and, later, its result. */
struct change {
	enum change_type type;
	const struct object *desired;  /* create, update */
	const struct object *observed; /* update, delete */
	uint64_t fields;               /* update: the fields to change; create: all set fields that are not FIELD_AFTER */
	const struct object *former;   /* create: the FIELD_BIRTH fields of a lost object that topod had made there */
	bool recreates;                /* one half of a recreation */
	bool report_only;              /* an update that is only reported, never made: a foreign object hides this one */
	bool revives;                  /* one half of recreating an object that is as declared but that the kernel gave up */
	const struct object *then;     /* deletion: the desired object that takes its place after the next scan, or NULL */
	bool makes_room;               /* one half of recreating an object after another one that must come first */
	bool completes; /* an update that completes another change of the plan: the FIELD_AFTER fields of a creation, or what
			   that change overwrites */
	struct change **needs; /* changes that must succeed first; see plan_add_need() */
	unsigned n_needs;
	/* the result */
	bool done;                    /* it was tried, or given up because of a change that it needs */
	bool refused;                 /* the plan knows that it cannot be done */
	bool held;                    /* left alone for now */
	int error;                    /* 0 or -errno */
	bool noted;                   /* its intent was new in the ledger */
	bool unsure;                  /* sent, but the answer was lost: it may have been done */
	const struct change *blocked; /* given up because of this one */
	const struct field *culprit;  /* the field at fault, if the kernel said which */
	struct position position;     /* the part of the object at fault (a rule of a table); line 0: unknown */
	/* The kernel's message, or NULL; in the plan's arena. For a change that is refused or only reported, it continues a
	 * sentence that begins with the object's noun: "exists and is not topod's". */
	const char *text;
	const char *moved;    /* creation: where the link was that was deleted for it, or NULL; in the plan's arena */
	struct change *whole; /* this change tries a single field of that one, which failed */
};

/* The errors with which the kernel says that something does not exist. */
static inline bool error_is_gone(int error) {
	return error == -ENODEV || error == -ENOENT || error == -ESRCH || error == -EADDRNOTAVAIL || error == -ENXIO;
}

/* The errors with which it says that a gateway cannot be reached. */
static inline bool error_is_unreachable(int error) {
	return error == -ENETUNREACH || error == -EHOSTUNREACH;
}

/* Does the kernel's answer contradict what was scanned: the object exists already, does not exist any more, or what
 * it depends on is gone, or has no carrier? */
static inline bool change_is_contradicted(const struct change *change) {
	return (change->type == CHANGE_CREATE &&
		(change->error == -EEXIST || change->error == -ENETDOWN || error_is_unreachable(change->error))) ||
	       error_is_gone(change->error);
}

/* The object that the change is about. */
static inline const struct object *change_object(const struct change *change) {
	return change->desired ? change->desired : change->observed;
}

/* The position of a failure's reason in the file. */
static inline struct position change_position(const struct change *change) {
	return change->position.line ? change->position : object_position(change_object(change), change->culprit);
}

static inline enum transport change_transport(const struct change *change) {
	const struct kind *kind = change_object(change)->kind;

	return kind->transport_of ? kind->transport_of(change) : kind->transport;
}
