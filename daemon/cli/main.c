/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line: which verb, which options, and is that what the verb takes?
 */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <sys/random.h>

#include "yaml/diag.h"
#include "cli/verbs.h"

static const struct option long_options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "color", required_argument, NULL, 'c' },
	{ "insecure-permissions", no_argument, NULL, 'i' },
	{ "topology", required_argument, NULL, 't' },
	{ "periodic", required_argument, NULL, 'p' },
	{ "for", required_argument, NULL, 'f' },
	{ "strict", no_argument, NULL, 's' },
	{ "replace", no_argument, NULL, 'r' },
	{ "markdown", no_argument, NULL, 'm' },
	{ "man", no_argument, NULL, 'M' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{},
};

static const struct {
	unsigned bit;
	const char *name;
} option_names[] = {
	{ OPTION_JSON, "--json" },         { OPTION_INSECURE, "--insecure-permissions" },
	{ OPTION_TOPOLOGY, "--topology" }, { OPTION_PERIODIC, "--periodic" },
	{ OPTION_MARKDOWN, "--markdown" }, { OPTION_FOR, "--for" },
	{ OPTION_MAN, "--man" },           { OPTION_STRICT, "--strict" },
	{ OPTION_REPLACE, "--replace" },
};

struct command {
	struct options options;
	unsigned given; /* enum option_bit */
	bool help, version;
};

static bool parse_color(const char *text, enum color_choice *ret) {
	static const char *const names[] = {
		[COLOR_AUTO] = "auto",
		[COLOR_ALWAYS] = "always",
		[COLOR_NEVER] = "never",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (streq(text, names[i])) {
			*ret = (enum color_choice)i;
			return true;
		}
	complain("--color takes auto, always or never, not '%s'", text);
	return false;
}

/* "30s", "500ms", "2m"; a bare number is seconds. */
static bool parse_time(const char *option, const char *text, uint64_t *ret_usec) {
	static const struct {
		const char *name;
		uint64_t usec;
	} units[] = { { "", 1000000 }, { "ms", 1000 }, { "s", 1000000 }, { "m", 60000000 }, { "h", 3600000000 } };
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	for (size_t i = 0; *text >= '0' && *text <= '9' && i < ARRAY_SIZE(units); i++)
		if (errno == 0 && streq(end, units[i].name) && n > 0 && n <= 1000000) {
			*ret_usec = n * units[i].usec;
			return true;
		}
	complain("%s takes a time such as 30s, 500ms or 2m, not '%s'", option, text);
	return false;
}

static bool take_option(struct command *command, int letter) {
	struct options *options = &command->options;

	switch (letter) {
	case 'j':
		command->given |= OPTION_JSON;
		return options->json = true;
	case 'i':
		command->given |= OPTION_INSECURE;
		return options->insecure = true;
	case 's':
		command->given |= OPTION_STRICT;
		return options->strict = true;
	case 'm':
		command->given |= OPTION_MARKDOWN;
		return options->markdown = true;
	case 'M':
		command->given |= OPTION_MAN;
		return options->man = true;
	case 'r':
		command->given |= OPTION_REPLACE;
		return options->replaces = true;
	case 't':
		command->given |= OPTION_TOPOLOGY;
		options->topology = optarg;
		return true;
	case 'p':
		command->given |= OPTION_PERIODIC;
		return parse_time("--periodic", optarg, &options->periodic_usec);
	case 'f':
		command->given |= OPTION_FOR;
		return parse_time("--for", optarg, &options->for_usec);
	case 'c':
		return parse_color(optarg, &options->color);
	case 'h':
		return command->help = true;
	case 'V':
		return command->version = true;
	}
	return false; /* getopt has said what is wrong */
}

static bool parse_command_line(struct command *command, int argc, char **argv) {
	int letter;

	while ((letter = getopt_long(argc, argv, "hV", long_options, NULL)) >= 0)
		if (!take_option(command, letter))
			return false;
	command->options.args = argv + optind;
	command->options.n_args = (size_t)(argc - optind);
	return true;
}

static int unknown_verb(const char *name) {
	struct suggestion meant = suggest_for(name);

	for (const struct verb *v = verbs; v->name; v++)
		suggest(&meant, v->name);
	suggest(&meant, "help");
	complain("unknown verb '%s'%s%s%s", name, meant.near ? "; did you mean '" : "", meant.near ? meant.near : "",
		 meant.near ? "'?" : "");
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

static int run_verb(const struct verb *verb, const struct command *command) {
	const struct options *options = &command->options;

	for (size_t i = 0; i < ARRAY_SIZE(option_names); i++)
		if (command->given & ~verb->options & option_names[i].bit) {
			complain("`%s` takes no %s", verb->name, option_names[i].name);
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
	return verb->run(options);
}

static int run_command(struct command *command) {
	struct options *options = &command->options;

	if (command->version) {
		printf("topod %s\n", TOPOD_VERSION);
		return EXIT_DONE;
	}
	if (command->help)
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
	return verb ? run_verb(verb, command) : unknown_verb(name);
}

/* A file that is opened must never become standard output. */
static void fill_standard_descriptors(void) {
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

/* Early in a boot there may be no randomness yet: waiting for it would hold up the network. */
static void choose_hash_key(void) {
	uint8_t key[16];

	if (getrandom(key, sizeof(key), GRND_NONBLOCK) == sizeof(key))
		hash_set_key(key);
}

int main(int argc, char **argv) {
	struct command command = {};
	int code;

	fill_standard_descriptors();
	choose_hash_key();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	code = parse_command_line(&command, argc, argv) ? run_command(&command) : EXIT_USAGE;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	complain("cannot write to standard output: %s", strerror(errno));
	return EXIT_FAILED;
}
