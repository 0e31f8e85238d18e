/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the reports share: time spans, and text that is safe to show. */
#include "report/report_private.h"

#include <inttypes.h>

#include "base/utf8.h"

void report_clean(const char *piece, struct text *out) {
	size_t size = strlen(piece), n;

	for (size_t i = 0; i < size; i += MAX(n, (size_t)1)) {
		uint32_t code;

		n = utf8_decode(piece + i, size - i, &code);
		if (n && !utf8_is_unsafe(code))
			text_addn(out, piece + i, n);
		else
			text_add(out, "?");
	}
}

void report_set(json_t *object, const char *key, json_t *value) {
	if (json_object_set_new(object, key, value) < 0)
		abort(); /* out of memory (base.h); texts are always valid here */
}

json_t *report_json_text(const char *text) {
	_cleanup_text_ struct text clean = {};

	if (!text)
		return json_null();
	report_clean(text, &clean);
	return json_string(text_str(&clean));
}

static void add_tenths(uint64_t value, uint64_t unit, const char *name, struct text *out) {
	uint64_t tenths = (value * 10 + unit / 2) / unit;

	if (tenths < 100 && tenths % 10)
		text_addf(out, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10, tenths % 10, name);
	else
		text_addf(out, "%" PRIu64 " %s", (value + unit / 2) / unit, name);
}

static void add_two(uint64_t value, uint64_t per_large, const char *large, const char *small, struct text *out) {
	text_addf(out, "%" PRIu64 " %s", value / per_large, large);
	if (value % per_large)
		text_addf(out, " %" PRIu64 " %s", value % per_large, small);
}

void report_duration(uint64_t usec, struct text *out) {
	uint64_t seconds = usec / 1000000, minutes = seconds / 60, hours = minutes / 60;

	if (usec < 999500)
		add_tenths(usec, 1000, "ms", out);
	else if (usec < 59500000)
		add_tenths(usec, 1000000, "s", out);
	else if (usec < 60000000)
		text_add(out, "1 min");
	else if (hours == 0)
		add_two(seconds, 60, "min", "s", out);
	else if (hours < 24)
		add_two(minutes, 60, "h", "min", out);
	else
		add_two(hours, 24, "d", "h", out);
}
