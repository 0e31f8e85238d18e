/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files report*.c share. */
#pragma once

#include "report/report.h"

enum report_action {
	ACTION_CREATE,
	ACTION_CHANGE,
	ACTION_RECREATE,
	ACTION_DELETE,
	ACTION_REFUSED,
	ACTION_REPORTED, /* topod leaves it, and says so */
	N_ACTIONS,
};

/* One line of a plan as shown: a change, or both halves of a recreation. */
struct report_item {
	enum report_action action;
	const struct object *object; /* as it will be; deletions: as it is */
	const struct object *before; /* changes and recreations: as it is, or NULL */
	uint64_t fields;             /* changes: those that differ; recreations: those that require it */
	bool along;                  /* recreated because its interface, or its lower interface, is */
	const struct change *change;
	size_t next; /* index of the next item of the namespace, or 0 */
};

/* The items of one namespace. */
struct report_group {
	const char *ns;
	size_t first, last;
	UT_hash_handle hh;
};

struct report_items {
	struct arena arena;
	vec(struct report_item) list;
	size_t n_give_up;
	struct report_group *groups; /* by name, in the order of first appearance */
};

void report_items_make(struct report_items *items, const struct plan *plan);
void report_items_done(struct report_items *items);

struct report_summary report_items_summary(const struct report_items *items);

/* Is the field shown? The identity, which is in the object's name, and topod's marks are not. */
bool report_shows(const struct object *object, size_t field);

/* Prints why an object must be recreated: "queues 1 -> 2". */
void report_reason(const struct report_item *item, struct text *out);

/* Prints one field: "mtu 1400 -> 1500", or "mtu 1400" if before is NULL. */
void report_field(const struct object *object, const struct object *before, size_t field, struct text *out);

/* The scope without the namespace: "eth0", or "". Points into scope. */
const char *report_short_scope(const struct object *object, struct text *scope);

/* Prints the planner's reason for a refusal, without the object's scope. */
void report_refusal(const struct change *change, struct text *out);

/* Sets a member; takes over value. */
void report_set(json_t *object, const char *key, json_t *value);
