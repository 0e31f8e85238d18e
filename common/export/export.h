/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes what was observed as the shortest possible topology file: the opposite of reading a file.
 *
 * Each object is written by its kind's table of fields. What need not be written is left out: the kernel's defaults
 * (`initial` and `fallback` of a field, kind->is_usual()), what the kernel makes by itself, what a daemon maintains
 * (kind->left_out()). What the language cannot express becomes a note, which is a comment in the file.
 */
#pragma once

#include <jansson.h>

#include "base/vec.h"
#include "yaml/yaml.h"
#include "model/state.h"
#include "ledger/ledger.h"

/* A note on what the file leaves out. */
struct export_note {
	const char *ns, *interface; /* interface NULL: it is about the namespace; ns NULL too: about the whole file */
	const char *text;
};

struct export_options {
	bool fresh;                  /* for a machine where none of it exists: without `adopt` */
	const void *machine_id;      /* 16 bytes, from which topod computes MAC addresses */
	uint32_t queues;             /* the number of queues that a pair's ends have by default */
	const struct state *around;  /* what export_each_around() found, observed */
	const char *topology;        /* the file is this topology's, which may have made some of it; NULL: a new one */
	const struct ledger *ledger; /* … and its ledger; NULL: none */
	/* The topology that made the namespace, and its file (NULL: not known); NULL: topod did not. */
	const char *(*maker)(void *userdata, const struct ns_state *ns, const char **ret_file);
	void *userdata;
};

struct exported {
	const struct node *root; /* for yaml_write(), with the notes as comments */
	vec(struct export_note) notes;
};

/* Calls fn for each link and namespace outside the exported ones that the file must name; link NULL: only the namespace. */
typedef void (*export_around_fn)(void *userdata, const char *ns, const char *link);
void export_each_around(const struct state *seen, export_around_fn fn, void *userdata);

/* Writes the namespaces of the state that exist and were scanned without an error. The result lives in arena and refers to
 * the state; the notes are freed with vec_done(). */
void export_state(struct arena *arena, const struct state *seen, const struct export_options *options, struct exported *ret);

/* The file as JSON (which is YAML as well): {"namespaces": {NAME: {…}}, "links": […]}. The caller frees. */
json_t *export_json(const struct node *root);
