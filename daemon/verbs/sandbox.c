/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `topod sandbox`: a topology and a command in separate namespaces, without root. */
#include "cli/process.h"
#include "verbs/verbs.h"
#include "inside/command.h"
#include "inside/sandbox.h"

struct stay {
	const struct options *options;
	struct loaded_spec loaded;
};

/* The first line is the problem, the others are solutions. */
static int complain_lines(const char *problem) {
	const char *end = strchrnul(problem, '\n');

	complain("%.*s", (int)(end - problem), problem);
	while (*end) {
		const char *line = end + 1;

		end = strchrnul(line, '\n');
		hint("%.*s", (int)(end - line), line);
	}
	return COMMAND_NOT_STARTED;
}

static int inside(void *userdata, const char *problem, const char *warnings) {
	struct stay *stay = userdata;
	_cleanup_free_ char *topology = xstrdup(stay->loaded.spec.topology), *failure = NULL;
	int code;

	if (problem)
		return complain_lines(problem);
	print_warnings(warnings);
	if (apply_quietly(&stay->loaded, stay->options) != EXIT_DONE) {
		complain("the topology cannot be made as declared, so the command is not started");
		return COMMAND_NOT_STARTED;
	}
	restore_process();
	setenv("TOPOD_SANDBOX", topology, 1);
	code = sandbox_command(stay->options->command, topology, &failure);
	if (failure)
		complain("%s", failure);
	return code;
}

int verb_sandbox(const struct options *options) {
	struct stay stay = { .options = options };
	_cleanup_free_ char *problem = NULL;
	int code = EXIT_SPEC;

	if (load_spec(options->args[0], SPEC_FILE_STDIN, options, &stay.loaded)) {
		code = sandbox_run(inside, &stay, &problem);
		if (problem)
			complain_lines(problem);
	}
	loaded_spec_done(&stay.loaded);
	return code;
}
