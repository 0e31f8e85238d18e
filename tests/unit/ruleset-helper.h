/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a list of `nat` or the mapping `filter` alone, and compares the result or the errors. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kind/ruleset.h"

/* The result of reading one list. */
struct reading {
	struct arena arena;
	struct diags diags;
	struct ruleset *nat;
	bool good;
};

static inline void reading_done(struct reading *reading) {
	arena_done(&reading->arena);
	diags_done(&reading->diags);
}
#define _reading_ _cleanup_(reading_done) struct reading

/* Texts of `filter` begin with the name of a chain. */
static inline bool is_filter(const char *text) {
	return strchr("fiop", *text);
}

static inline void read_list(struct reading *r, const char *text) {
	*r = (struct reading){};
	uint8_t source = diags_add_source(&r->diags, (struct source_text){ "f", text, strlen(text) });
	const struct node *list = yaml_read(&r->arena, &r->diags, source);

	assert_non_null(list);
	assert_int_equal(r->diags.n_errors, 0);
	r->nat = (struct ruleset *)object_new(&r->arena, &kind_ruleset, "web");
	struct parse p = { &r->arena, &r->diags, "web" };
	r->good = (is_filter(text) ? ruleset_read_filter(&p, list, r->nat) : ruleset_read_nat(&p, list, r->nat)) &&
		  ruleset_finish(&p, NULL, r->nat);
	assert_int_equal(r->good, r->diags.n_errors == 0);
}

static inline void read_good(struct reading *r, const char *text) {
	read_list(r, text);
	if (!r->good) {
		_cleanup_free_ char *all = diags_format(&r->diags, false);

		fail_msg("%s", all);
	}
}

/* The entries must be printed as `words`, and reading these must give the same. */
static inline void check_words(const char *text, const char *words) {
	_reading_ r = {};
	_cleanup_text_ struct text out = {};

	read_good(&r, text);
	ruleset_print(r.nat, &out);
	assert_string_equal(text_str(&out), words);
}

/* The first errors, one line each, without the file's name. */
static inline void check_errors(const char *text, const char *expected) {
	_reading_ r = {};
	_cleanup_text_ struct text out = {};

	read_list(&r, text);
	vec_foreach(diag, &r.diags.list) {
		_cleanup_free_ char *line = diag_format_line(&r.diags, diag);

		text_addf(&out, "%s%s", out.size ? "\n" : "", line);
	}
	assert_string_equal(text_str(&out), expected);
}
