/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects that wait for something outside topod, counted by class and reason. */
#include "report/report_private.h"

static bool is_like(const struct waiting *a, const struct waiting *b) {
	return a->object->kind->class == b->object->kind->class && streq_ptr(a->why, b->why);
}

/* The number of objects like this one from here on; 0: it is not the first of them. */
static size_t count_like(const struct waiting *waiting, size_t n, size_t i) {
	size_t count = 0;

	if (!waiting[i].why)
		return 0;
	for (size_t j = 0; j < i; j++)
		if (is_like(&waiting[j], &waiting[i]))
			return 0;
	for (size_t j = i; j < n; j++)
		count += is_like(&waiting[j], &waiting[i]);
	return count;
}

void report_waiting_text(const struct waiting *waiting, size_t n, struct text *out) {
	const char *separator = "";

	for (size_t i = 0; i < n; i++) {
		size_t count = count_like(waiting, n, i);

		if (!count)
			continue;
		const struct class *class = waiting[i].object->kind->class;
		text_addf(out, "%s%zu %s wait%s %s", separator, count, count > 1 ? class->plural : class->name,
			  count > 1 ? "" : "s", waiting[i].why);
		separator = ", ";
	}
}
