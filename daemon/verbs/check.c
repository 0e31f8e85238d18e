/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `topod check`: validates files and prints all diagnostics. */
#include "doctor/lacking.h"
#include "report/report.h"
#include "verbs/verbs.h"

static void print_valid(const struct loaded_spec *loaded) {
	struct spec_counts counts = count_spec(&loaded->spec);
	size_t warnings = loaded->diags.n_warnings, dropins = loaded->files.n - 1;

	printf("%s: valid, %zu namespace%s, %zu object%s", loaded->name, counts.n_namespaces,
	       counts.n_namespaces == 1 ? "" : "s", counts.n_objects, counts.n_objects == 1 ? "" : "s");
	if (dropins)
		printf(", with %zu drop-in%s", dropins, dropins == 1 ? "" : "s");
	if (warnings)
		printf(", %zu warning%s", warnings, warnings == 1 ? "" : "s");
	printf("\n");
}

static void add_lack(void *userdata, const struct lack *lack) {
	diag_error(userdata, lack->position, "this kernel has no %s%s%s", lack->what,
		   lack->module ? "; there may be a module: modprobe " : "", lack->module ? lack->module : "");
}

/* False if the kernel cannot be asked. */
static bool ask_kernel(struct loaded_spec *loaded) {
	_cleanup_(arena_done) struct arena arena = {};
	int r = kernel_lacks(&arena, &loaded->spec.state, add_lack, &loaded->diags);

	if (r < 0)
		complain("--kernel tries what the file needs in a network namespace of its own, which cannot be made: %s%s",
			 strerror(-r), r == -EPERM ? "; run it as root" : "");
	return r == 0;
}

static bool check_file(const char *argument, const struct options *options, json_t *results) {
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};
	_cleanup_free_ char *path = spec_argument(argument);
	unsigned flags = SPEC_FILE_STDIN | SPEC_FILE_CHECK | (options->expand ? SPEC_FILE_EXPAND : 0);
	bool good = spec_file_load(path, flags, &loaded);

	if (good && options->kernel)
		good = ask_kernel(&loaded) && !loaded.diags.n_errors;
	if (options->strict) {
		diags_be_strict(&loaded.diags);
		good &= !loaded.diags.n_errors;
	}
	if (results) {
		json_t *result = report_check_json(loaded.name, &loaded.diags);

		if (options->expand && good)
			json_object_set_new(result, "expanded", json_string(text_str(&loaded.written_out)));
		json_array_append_new(results, result);
		return good;
	}
	print_diags(&loaded.diags, options);
	if (!good)
		hint_about_argument(argument);
	if (good && options->expand)
		fputs(text_str(&loaded.written_out), stdout);
	else if (good)
		print_valid(&loaded);
	return good;
}

int verb_check(const struct options *options) {
	json_t *results = options->json ? json_array() : NULL;
	bool good = true;

	if (options->expand && options->n_args > 1 && !options->json) {
		complain("--expand takes one file");
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < options->n_args; i++)
		good &= check_file(options->args[i], options, results);
	if (results)
		print_json(json_pack("{s:o}", "files", results));
	return good ? EXIT_DONE : EXIT_SPEC;
}
