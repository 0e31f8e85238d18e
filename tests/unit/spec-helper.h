/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For unit tests: reads a YAML text as a spec, prints its diagnostics and objects as lines, and makes small states of such
 * texts, as if the kernel had exactly what the text declares.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kind/link.h"
#include "language/spec.h"

struct read_spec {
	struct spec spec;
	struct diags diags;
	bool good;
};

static inline void read_spec_done(struct read_spec *r) {
	spec_done(&r->spec);
	diags_done(&r->diags);
}
#define _spec_ _cleanup_(read_spec_done) struct read_spec

/* Reads text as the file `f`, of the topology `t` if it names none. */
static inline void spec_from_text(struct read_spec *r, const char *text) {
	static const struct name_number tables[] = { { "blue", 100 }, {} };
	const struct spec_options options = { .topology = "t", .tables = tables, .machine_id = { 1, 2, 3 } };

	*r = (struct read_spec){};
	uint8_t source = diags_add_source(&r->diags, (struct source_text){ "f", text, strlen(text) });
	r->good = spec_read(&r->spec, &r->diags, source, &options);
	assert_int_equal(r->good, r->diags.n_errors == 0);
}

/* The same, and it must be valid; warnings are ignored. */
static inline void good_spec(struct read_spec *r, const char *text) {
	spec_from_text(r, *text ? text : "namespaces: {}"); /* nothing is declared */
	if (!r->good) {
		_cleanup_free_ char *all = diags_format(&r->diags, false);

		fail_msg("%s", all);
	}
}

/* Checks the diagnostics of text, one line each without excerpts, in the order of the file. */
static inline void check_diags(const char *text, const char *expected) {
	_spec_ r;
	_cleanup_text_ struct text lines = {};

	spec_from_text(&r, text);
	_cleanup_free_ char *all = diags_format(&r.diags, false);
	for (char *at = all, *line; (line = strsep(&at, "\n"));)
		if (startswith(line, "f:") || startswith(line, "error:"))
			text_addf(&lines, "%s%s", lines.size ? "\n" : "", line);
	assert_string_equal(text_str(&lines), expected);
}

/* Prints the objects of a state as lines "SCOPE NOUN: FIELDS", in order, without marks and other hidden fields. */
static inline void print_state(const struct state *state, struct text *out) {
	state_foreach(ns, state)
		ns_foreach(object, ns) {
			uint64_t shown = 0;

			for (size_t i = 0; i < object->kind->n_fields; i++)
				if (object_has(object, i) && !(object->kind->fields[i].flags & FIELD_HIDDEN))
					shown |= field_bit(i);
			object_print_id(object, out);
			text_add(out, ": ");
			object_print_fields(object, NULL, shown, out);
			text_add(out, "\n");
		}
}

/* Checks what the text declares, as print_state() prints it. */
static inline void check_objects(const char *text, const char *expected) {
	_spec_ r;
	_cleanup_text_ struct text out = {};

	good_spec(&r, text);
	print_state(&r.spec.state, &out);
	assert_string_equal(text_str(&out), expected);
}

/* Checks the diagnostics of an address; it is in the second line. */
static inline void check_address(const char *entry, const char *expected) {
	_cleanup_free_ char *text =
		xasprintf("namespaces: {a: {interfaces: {x: {kind: bridge, addresses: [\n%s]}}}}", entry);

	check_diags(text, expected);
}

/* The same for a route of the host namespace. */
static inline void check_route(const char *entry, const char *expected) {
	_cleanup_free_ char *text = xasprintf("namespaces: {host: {routes: [\n%s]}}", entry);

	check_diags(text, expected);
}

static inline struct object *find_object(const struct state *state, const char *id) {
	state_foreach(ns, state)
		ns_foreach(object, ns) {
			_cleanup_text_ struct text text = {};

			object_print_id(object, &text);
			if (streq(text.data, id))
				return object;
		}
	return NULL;
}

/* Like find_object(), but the object must exist. */
static inline struct object *get_object(const struct state *state, const char *id) {
	struct object *object = find_object(state, id);

	if (!object)
		fail_msg("there is no object %s", id);
	return object;
}
