/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/options.h"

#include <getopt.h>
#include <limits.h>

#include "cli/verbs.h"

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

bool options_parse(int argc, char **argv, struct options *ret) {
	struct option names[ARRAY_SIZE(rows) + 1] = {};
	enum { FIRST = UCHAR_MAX + 1 }; /* above the letters */
	int r;

	*ret = (struct options){};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		names[i] = (struct option){ .name = rows[i].name + 2,
					    .has_arg = rows[i].arg ? required_argument : no_argument,
					    .val = FIRST + (int)i };
	while ((r = getopt_long(argc, argv, "hV", names, NULL)) >= 0) {
		size_t i = r == 'h' ? OPTION_INDEX_HELP : r == 'V' ? OPTION_INDEX_VERSION : (size_t)(r - FIRST);

		if (r == '?' || !rows[i].take(rows[i].name, optarg, (char *)ret + rows[i].offset))
			return false; /* getopt_long() or take() has printed a message */
		ret->given |= 1u << i;
	}
	ret->args = argv + optind;
	ret->n_args = (size_t)(argc - optind);
	return true;
}

const char *option_name(unsigned bits) {
	return bits ? rows[__builtin_ctz(bits)].name : NULL;
}

void options_help(unsigned bits, FILE *to) {
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *arg = rows[i].arg ? rows[i].arg : "";
		_cleanup_free_ char *left = xasprintf("%s%s%s", rows[i].name, *arg ? " " : "", arg);

		if (bits >> i & 1 && rows[i].help)
			fprintf(to, "  %-24s %s\n", left, rows[i].help);
	}
}
