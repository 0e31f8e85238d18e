/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/options.h"

#include <getopt.h>
#include <limits.h>

#include "cli/output.h"
#include "cli/verb.h"

/* Functions that read a value. text is the argument, or NULL if the option has none. False if it is wrong, after a
 * message. */

static bool take_flag(_unused_ const char *name, _unused_ const char *text, void *value) {
	return *(bool *)value = true;
}

static bool take_text(_unused_ const char *name, const char *text, void *value) {
	*(const char **)value = text;
	return true;
}

/* "30s", "500ms", "2m"; a bare number is seconds. */
static bool take_time(const char *name, const char *text, void *value) {
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
			*(uint64_t *)value = n * units[i].usec;
			return true;
		}
	complain("%s takes a time such as 30s, 500ms or 2m, not '%s'", name, text);
	return false;
}

static bool take_wait(const char *name, const char *text, void *value) {
	*(const char **)value = text ? text : "converged";
	if (!text || streq(text, "converged") || streq(text, "settled"))
		return true;
	complain("%s takes converged or settled, not '%s'", name, text);
	return false;
}

static bool take_pid(const char *name, const char *text, void *value) {
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && errno == 0 && n > 0 && n <= INT_MAX) {
		*(pid_t *)value = (pid_t)n;
		return true;
	}
	complain("%s takes the number of a process, not '%s'", name, text);
	return false;
}

static bool take_color(const char *name, const char *text, void *value) {
	static const char *const names[] = {
		[COLOR_AUTO] = "auto",
		[COLOR_ALWAYS] = "always",
		[COLOR_NEVER] = "never",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (streq(text, names[i])) {
			*(enum color_choice *)value = (enum color_choice)i;
			return true;
		}
	complain("%s takes auto, always or never, not '%s'", name, text);
	return false;
}

#define OPTION_ROW(bit, member, type, value, name, arg, help) \
	{ "--" name, arg, help, offsetof(struct options, member), take_##value },

static const struct {
	const char *name, *arg, *help;
	size_t offset;
	bool (*take)(const char *name, const char *text, void *value);
} rows[] = { OPTIONS(OPTION_ROW) };

static const struct verb *verb_of(const struct options *options, verb_finder *find) {
	return options->n_args ? find(options->args[0]) : NULL;
}

/* An argument that is not an option begins the command if the verb runs one and has its own arguments: then options that
 * follow are the command's, also without `--`. */
static bool begins_command(const struct options *options, verb_finder *find) {
	const struct verb *verb = verb_of(options, find);
	size_t own = verb && !(options->given & OPTION_PID) ? verb->max_args : 0;

	return verb && verb->runs_command && options->n_args > own;
}

/* The rest of argv is a command, or more arguments. */
static void take_rest(char **rest, struct options *options, verb_finder *find) {
	const struct verb *verb = verb_of(options, find);

	if (verb && verb->runs_command)
		options->command = rest;
	else
		while (*rest)
			options->args[options->n_args++] = *rest++;
}

static const struct {
	int letter;
	enum option_index index;
} letters[] = {
	{ 'h', OPTION_INDEX_HELP },  { 'V', OPTION_INDEX_VERSION }, { 'u', OPTION_INDEX_USER },
	{ 'q', OPTION_INDEX_QUIET }, { 'v', OPTION_INDEX_VERBOSE },
};

static size_t by_letter(int letter) {
	for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
		if (letters[i].letter == letter)
			return letters[i].index;
	return 0;
}

static void refuse_unknown(const char *text) {
	_cleanup_free_ char *name = xasprintf("%.*s", (int)strcspn(text, "="), text);
	struct suggestion meant = suggest_for_in(name, "an option");

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		suggest(&meant, rows[i].name);
	complain_unknown(&meant, "unknown option '%s'", name);
}

/* Reports why getopt_long() did not accept the option. text: the word of the command line. */
static void refuse(int answer, const char *text) {
	size_t i = optopt > UCHAR_MAX ? (size_t)optopt - UCHAR_MAX - 1 : by_letter(optopt);
	char letter[] = { '-', (char)optopt, '\0' };

	if (answer == ':')
		complain("%s needs a value: %s %s", rows[i].name, rows[i].name, rows[i].arg);
	else if (optopt > UCHAR_MAX)
		complain("%s takes no value", rows[i].name);
	else
		refuse_unknown(optopt ? letter : text);
	hint("`topod help` lists the options, `topod help VERB` those of a verb");
}

bool options_parse(int argc, char **argv, verb_finder *find, struct options *ret) {
	struct option names[ARRAY_SIZE(rows) + 1] = {};
	enum { FIRST = UCHAR_MAX + 1, ARGUMENT = 1 }; /* above the letters; see the leading '-' in getopt(3) */
	int r;

	*ret = (struct options){ .args = argv + 1 };
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		names[i] = (struct option){ .name = rows[i].name + 2,
					    .has_arg = !rows[i].arg          ? no_argument
						       : *rows[i].arg == '[' ? optional_argument
									     : required_argument,
					    .val = FIRST + (int)i };
	opterr = 0;
	/* '-': arguments are options with the value 1; ':': a missing value has its own return value. See getopt(3). */
	while ((r = getopt_long(argc, argv, "-:hVqvu:", names, NULL)) >= 0) {
		size_t i = r > UCHAR_MAX ? (size_t)(r - FIRST) : by_letter(r);

		if (r == '?' || r == ':') {
			refuse(r, argv[optind - 1]);
			return false;
		}
		if (r == ARGUMENT && begins_command(ret, find)) {
			optind--;
			break;
		}
		if (r == ARGUMENT) {
			ret->args[ret->n_args++] = optarg; /* never after the place where it was read */
			continue;
		}
		if (!rows[i].take(rows[i].name, optarg, (char *)ret + rows[i].offset))
			return false;
		ret->given |= 1u << i;
	}
	take_rest(argv + optind, ret, find);
	return true;
}

const char *option_name(unsigned bits) {
	return bits ? rows[__builtin_ctz(bits)].name : NULL;
}

void options_help(unsigned bits, FILE *to) {
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *arg = rows[i].arg ? rows[i].arg : "";
		_cleanup_free_ char *left = xasprintf("%s%s%s", rows[i].name, *arg && *arg != '[' ? " " : "", arg);

		if (bits >> i & 1 && rows[i].help)
			fprintf(to, "  %-24s %s\n", left, rows[i].help);
	}
}
