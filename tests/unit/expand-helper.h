/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of abbreviations: two files that mean the same, and the file that `check --expand` prints. */
#pragma once

#include "spec-helper.h"

/* Reads text, writes it out, and reads that: the topology must be the same. */
static inline void check_written_out(const char *text) {
	_cleanup_text_ struct text out = {}, again = {}, one = {}, other = {};
	struct spec_options options = { .topology = "t", .machine_id = { 1, 2, 3 }, .written_out = &out };
	_spec_ r = {}, second = {};

	diags_add_source(&r.diags, (struct source_text){ "f", text, strlen(text) });
	if (!spec_read(&r.spec, &r.diags, 0, &options)) {
		_cleanup_free_ char *all = diags_format(&r.diags, false);

		fail_msg("%s", all);
	}
	options = (struct spec_options){ .topology = "u", .machine_id = { 1, 2, 3 }, .written_out = &again };
	diags_add_source(&second.diags, (struct source_text){ "out", text_str(&out), out.size });
	if (!spec_read(&second.spec, &second.diags, 0, &options)) {
		_cleanup_free_ char *all = diags_format(&second.diags, false);

		fail_msg("%s\n%s", all, text_str(&out));
	}
	print_state(&r.spec.state, &one);
	print_state(&second.spec.state, &other);
	assert_string_equal(text_str(&one), text_str(&other));
	assert_string_equal(r.spec.topology, second.spec.topology);
	assert_string_equal(text_str(&out), text_str(&again));
}

static inline int compare_lines(const void *a, const void *b) {
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The objects in the order of their names: that of two files may differ. */
static inline char *sorted_state(const struct state *state) {
	_cleanup_text_ struct text text = {}, sorted = {};
	char *lines[1000];
	size_t n = 0;

	print_state(state, &text);
	for (char *at = text.data, *line; (line = strsep(&at, "\n")) && n < ARRAY_SIZE(lines);)
		lines[n++] = line;
	qsort(lines, n, sizeof(lines[0]), compare_lines);
	for (size_t i = 0; i < n; i++)
		text_addf(&sorted, "%s\n", lines[i]);
	return text_take(&sorted);
}

static inline void check_same(const char *text, const char *written_out) {
	_spec_ r, other;

	good_spec(&r, text);
	good_spec(&other, written_out);
	_cleanup_free_ char *found = sorted_state(&r.spec.state), *expected = sorted_state(&other.spec.state);
	assert_string_equal(found, expected);
	check_written_out(text);
	check_written_out(written_out);
}
