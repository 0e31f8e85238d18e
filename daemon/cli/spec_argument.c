/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/spec_argument.h"

#include "cli/output.h"

/* The name, if the user may have meant a file in the directory of services. NULL: it is a path. */
static char *configured(const char *argument) {
	return strchr(argument, '/') || strchr(argument, '.') || streq(argument, "-")
		       ? NULL
		       : xasprintf(TOPOD_CONFIG_DIR "/%s.yaml", argument);
}

char *spec_argument(const char *argument) {
	_cleanup_free_ char *path = configured(argument);

	return path && access(argument, F_OK) < 0 && access(path, F_OK) == 0 ? TAKE_PTR(path) : xstrdup(argument);
}

void hint_about_argument(const char *argument) {
	_cleanup_free_ char *path = configured(argument);

	if (path && access(argument, F_OK) < 0 && access(path, F_OK) < 0)
		hint("there is no %s either", path);
}

bool load_spec(const char *argument, unsigned flags, const struct options *options, struct loaded_spec *ret) {
	_cleanup_free_ char *path = spec_argument(argument);
	bool good = spec_file_load(path, flags & ~LOAD_QUIET, ret);

	if (!good || !(flags & LOAD_QUIET))
		print_diags(&ret->diags, options);
	if (!good)
		hint_about_argument(argument);
	return good;
}

unsigned trusted_flags(const struct options *options) {
	return options->insecure ? 0 : SPEC_FILE_TRUSTED;
}

struct spec_counts count_spec(const struct spec *spec) {
	struct spec_counts counts = {};

	state_foreach(ns, &spec->state) {
		counts.n_namespaces += ns->objects || ns->declared;
		counts.n_objects += HASH_COUNT(ns->objects);
	}
	return counts;
}

void print_counts(const struct spec_counts *counts, struct text *out) {
	text_addf(out, "%zu object%s in %zu namespace%s", counts->n_objects, counts->n_objects == 1 ? "" : "s",
		  counts->n_namespaces, counts->n_namespaces == 1 ? "" : "s");
}
