/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `topod doctor`: problems on this machine, their effects, and the commands that correct them. */
#include "cli/output.h"
#include "cli/spec_argument.h"
#include "doctor/doctor.h"
#include "kernel/named_netns.h"
#include "verbs/verbs.h"

enum { INDENT = 9 };

static const struct {
	const char *name, *color;
} severities[] = {
	[FINDING_NOTE] = { "note", "\033[1;36m" },
	[FINDING_WARNING] = { "warning", "\033[1;35m" },
	[FINDING_ERROR] = { "error", "\033[1;31m" },
};

static void print_finding(const struct finding *finding, const struct loaded_spec *loaded, bool color) {
	const char *file = spec_file_of(&loaded->spec, finding->position);
	_cleanup_free_ char *place = file ? xasprintf(" (%s:%u)", file, finding->position.line) : xstrdup("");
	_cleanup_free_ char *sentence = xasprintf("%s: %s%s", finding->what, finding->effect, place);
	const char *name = severities[finding->severity].name;

	printf("%s%s%s%*s", color ? severities[finding->severity].color : "", name, color ? "\033[0m" : "",
	       (int)(INDENT - strlen(name)), "");
	print_wrapped(stdout, INDENT, sentence);
	if (finding->mend) /* in one line, to be copied */
		printf("%*s→ %s%s%s\n", INDENT, "", color ? "\033[1m" : "", finding->mend, color ? "\033[0m" : "");
}

static json_t *finding_json(const struct finding *finding, const struct loaded_spec *loaded) {
	const char *file = spec_file_of(&loaded->spec, finding->position);
	json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:s*}", "severity", severities[finding->severity].name, "check",
				 finding->check, "what", finding->what, "effect", finding->effect, "mend", finding->mend);

	if (file) {
		json_object_set_new(json, "file", json_string(file));
		json_object_set_new(json, "line", json_integer(finding->position.line));
		json_object_set_new(json, "column", json_integer(finding->position.column));
	}
	return json;
}

static void print_all_json(const struct findings *findings, const struct loaded_spec *loaded) {
	json_t *list = json_array();

	vec_foreach(finding, &findings->list)
		json_array_append_new(list, finding_json(finding, loaded));
	print_json(json_pack("{s:o, s:I, s:I, s:I}", "findings", list, "errors", (json_int_t)findings->count[FINDING_ERROR],
			     "warnings", (json_int_t)findings->count[FINDING_WARNING], "notes",
			     (json_int_t)findings->count[FINDING_NOTE]));
}

static void print_all(const struct findings *findings, const struct loaded_spec *loaded, const struct options *options) {
	bool color = color_on(options, stdout);

	for (int severity = FINDING_ERROR; severity >= FINDING_NOTE; severity--)
		vec_foreach(finding, &findings->list)
			if (finding->severity == (enum finding_severity)severity)
				print_finding(finding, loaded, color);
	if (!findings->count[FINDING_ERROR] && !findings->count[FINDING_WARNING])
		puts("No problems were found.");
}

int verb_doctor(const struct options *options) {
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};
	_cleanup_(findings_done) struct findings findings = {};
	bool given = options->n_args > 0;

	if (given && !load_spec(options->args[0], SPEC_FILE_STDIN | SPEC_FILE_CHECK, options, &loaded))
		return EXIT_SPEC;
	int r = netns_init();
	if (r < 0) {
		complain("cannot find the own network namespace: %s", strerror(-r));
		return EXIT_FAILED;
	}
	doctor_examine(&findings, given ? &loaded.spec : NULL);
	if (options->json)
		print_all_json(&findings, &loaded);
	else
		print_all(&findings, &loaded, options);
	return findings.count[FINDING_ERROR] ? EXIT_FAILED : findings.count[FINDING_WARNING] ? EXIT_DIFFERENCES : EXIT_DONE;
}
