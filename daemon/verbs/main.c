/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line: which verb, and does it take these options and arguments?
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/random.h>

#include "cli/process.h"
#include "yaml/diag.h"
#include "verbs/verbs.h"

static int unknown_verb(const char *name) {
	struct suggestion meant = suggest_for_in(name, "a verb");

	for (const struct verb *v = verbs; v->name; v++)
		suggest(&meant, v->name);
	suggest(&meant, "help");
	complain_unknown(&meant, "unknown verb '%s'", name);
	hint("`topod help` lists the verbs");
	return EXIT_USAGE;
}

static int help_about(const struct options *options) {
	const struct verb *verb = options->n_args ? verb_find(options->args[0]) : NULL;

	if (options->n_args && !verb && !streq(options->args[0], "help"))
		return unknown_verb(options->args[0]);
	if (verb)
		verb_help(verb, stdout);
	else
		verbs_help(stdout);
	return EXIT_DONE;
}

static int wrong_usage(const struct verb *verb) {
	hint("usage: topod %s [OPTION…]%s%s; see `topod help %s`", verb->name, *verb->args ? " " : "", verb->args,
	     verb->name);
	return EXIT_USAGE;
}

static int run_verb(const struct verb *verb, const struct options *options) {
	const char *wrong = option_name(options->given & ~(verb->options | OPTIONS_OF_ALL));

	if (wrong) {
		complain("`%s` takes no %s", verb->name, wrong);
		return wrong_usage(verb);
	}
	if (options->n_args < verb->min_args) {
		complain("`%s` needs %s", verb->name, verb->args);
		return wrong_usage(verb);
	}
	if (options->n_args > verb->max_args) {
		complain("`%s` takes no '%s'", verb->name, options->args[verb->max_args]);
		return wrong_usage(verb);
	}
	if (options->quiet && !freopen("/dev/null", "we", stdout)) {
		complain("cannot open /dev/null: %s", strerror(errno));
		return EXIT_FAILED;
	}
	return verb->run(options);
}

static int run_command(struct options *options) {
	if (options->version)
		return verb_version(options);
	if (options->help)
		return help_about(options);
	if (!options->n_args) {
		complain("no verb given");
		verbs_help(stderr);
		return EXIT_USAGE;
	}
	const char *name = options->args[0];
	const struct verb *verb = verb_find(name);
	options->args++;
	options->n_args--;
	if (streq(name, "help"))
		return help_about(options);
	return verb ? run_verb(verb, options) : unknown_verb(name);
}

/* If standard descriptors are closed, a file that is opened later must not get their numbers. */
static void fill_standard_descriptors(void) {
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

/* Early in a boot there may be no randomness yet, and waiting for it would delay the network. */
static void choose_hash_key(void) {
	uint8_t key[16];

	if (getrandom(key, sizeof(key), GRND_NONBLOCK) == sizeof(key))
		hash_set_key(key);
}

/* What the program does under the name by which it was called; NULL: it is topod. */
static int (*find_other(const char *path))(int argc, char **argv) {
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} others[] = { { "oci-hook", oci_hook }, { "oci-runtime", oci_runtime } };
	const char *slash = strrchr(path, '/');

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (streq(slash ? slash + 1 : path, others[i].name))
			return others[i].run;
	return NULL;
}

int main(int argc, char **argv) {
	struct options options;
	int code;

	fill_standard_descriptors();
	choose_hash_key();
	ignore_signals();
	int (*other)(int argc, char **argv) = argc > 0 ? find_other(argv[0]) : NULL;
	code = other                                            ? other(argc, argv)
	       : options_parse(argc, argv, verb_find, &options) ? run_command(&options)
								: EXIT_USAGE;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	if (errno == EPIPE) /* the reader has closed, like `head`: exit with the status of a program that SIGPIPE ended */
		return 128 + SIGPIPE;
	complain("cannot write to standard output: %s", strerror(errno));
	return EXIT_FAILED;
}
