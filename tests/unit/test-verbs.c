/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts of the command line: help that matches the verbs, and messages if a daemon gives no result. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/daemon_client.h"
#include "verbs/verbs.h"

static const struct {
	unsigned bit;
	const char *name;
} options[] = {
	{ OPTION_JSON, "--json" },         { OPTION_INSECURE, "--insecure-permissions" },
	{ OPTION_TOPOLOGY, "--topology" }, { OPTION_PERIODIC, "--periodic" },
	{ OPTION_MARKDOWN, "--markdown" }, { OPTION_FOR, "--for" },
	{ OPTION_MAN, "--man" },           { OPTION_STRICT, "--strict" },
	{ OPTION_REPLACE, "--replace" },   { OPTION_EXPAND, "--expand" },
};

static char *text_of_verb(const struct verb *verb) {
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	if (verb)
		verb_help(verb, out);
	else
		verbs_help(out);
	fclose(out);
	return text;
}

/* Are the words in the text, wherever its lines are broken? */
static bool has_words(const char *text, const char *words) {
	_cleanup_free_ char *line = xstrdup(text);

	for (char *c = line; (c = strchr(c, '\n'));)
		*c = ' ';
	return strstr(line, words);
}

static void test_help_of_each_verb(_unused_ void **state) {
	for (const struct verb *verb = verbs; verb->name; verb++) {
		_cleanup_free_ char *text = text_of_verb(verb), *usage = xasprintf("usage: topod %s [OPTION…]", verb->name);

		assert_ptr_equal(verb_find(verb->name), verb);
		assert_non_null(startswith(text, usage));
		assert_non_null(strstr(text, verb->summary));
		assert_true(has_words(text, verb->help));
		assert_non_null(strstr(text, "\n  --color WHEN"));
		for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
			_cleanup_free_ char *line = xasprintf("\n  %s ", options[i].name);

			assert_int_equal(!strstr(text, line), !(verb->options & options[i].bit));
		}
	}
	assert_null(verb_find("aply"));
}

static void test_help_of_all(_unused_ void **state) {
	_cleanup_free_ char *text = text_of_verb(NULL);

	for (const struct verb *verb = verbs; verb->name; verb++) {
		_cleanup_free_ char *line = xasprintf("\n  %s ", verb->name);

		assert_non_null(strstr(text, line));
		assert_non_null(strstr(text, verb->summary));
	}
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		assert_non_null(strstr(text, options[i].name));
}

static void test_color(_unused_ void **state) {
	_cleanup_fclose_ FILE *file = fopen("/dev/null", "we");

	assert_true(color_on(&(struct options){ .color = COLOR_ALWAYS }, file));
	assert_false(color_on(&(struct options){ .color = COLOR_NEVER }, file));
	assert_false(color_on(&(struct options){ .color = COLOR_AUTO }, file)); /* no terminal */
}

/* Catches what is written to standard error. */
static struct {
	FILE *before;
	char *text;
	size_t size;
} caught;

static void catch_errors(void) {
	caught.before = stderr;
	stderr = open_memstream(&caught.text, &caught.size);
	assert_non_null(stderr);
}

static void check_caught(const char *expected) {
	fclose(stderr);
	stderr = caught.before;
	assert_string_equal(caught.text, expected);
	free(caught.text);
}

static void check_no_answer(int r, const char *expected) {
	catch_errors();
	daemon_client_complain("office", r);
	check_caught(expected);
}

static void test_no_answer(_unused_ void **state) {
	const char *ended = "topod: the topod of 'office' ended before it answered\n",
		   *none = "topod: no topod is running for 'office'\n";

	check_no_answer(-ENOENT, none);
	check_no_answer(-ECONNREFUSED, none);
	check_no_answer(-EACCES, "topod: permission denied: to query the topod of 'office' you must be root or a member "
				 "of the group 'topod'\n");
	check_no_answer(-ETIMEDOUT, "topod: the topod of 'office' does not answer; it may be busy\n");
	check_no_answer(-ECONNRESET, ended);
	check_no_answer(-EPIPE, ended);
	check_no_answer(-EBADMSG, "topod: the process on the control socket of 'office' does not speak topod's protocol\n");
	check_no_answer(-EMFILE, "topod: cannot ask the topod of 'office': topod has reached its limit of open files "
				 "(LimitNOFILE= of its unit, or ulimit -n)\n");
}

static void check_refused(const char *error, const char *parameter, const char *expected) {
	json_t *parameters = parameter ? json_pack("{s:s}", "parameter", parameter) : json_object();

	catch_errors();
	daemon_client_complain_error("office", &(struct control_answer){ .error = error, .parameters = parameters });
	check_caught(expected);
	json_decref(parameters);
}

static void test_refused(_unused_ void **state) {
	const char *other = "topod: the topod of 'office' has another version and does not know this request\n";

	check_refused("org.varlink.service.PermissionDenied", NULL,
		      "topod: permission denied: the topod of 'office' accepts this only from root and its own "
		      "user; members of the group 'topod' may only read\n");
	check_refused("org.varlink.service.MethodNotFound", NULL, other);
	check_refused("org.varlink.service.InterfaceNotFound", NULL, other);
	check_refused("org.varlink.service.InvalidParameter", "seconds",
		      "topod: the topod of 'office' does not take this 'seconds'\n");
	check_refused("org.varlink.service.InvalidParameter", NULL,
		      "topod: the topod of 'office' refuses: InvalidParameter\n");
	check_refused("org.topod.Stopping", NULL, "topod: the topod of 'office' is stopping\n");
	check_refused("org.topod.Strange", NULL, "topod: the topod of 'office' refuses: org.topod.Strange\n");
}

/* A status of another version, or something that only looks like one. */
static void test_invalid_status(_unused_ void **state) {
	json_t *none = json_pack("{s:s}", "state", "strange");

	catch_errors();
	assert_false(print_status(none, &(struct options){}));
	check_caught("topod: cannot parse the answer\n");
	json_decref(none);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_help_of_each_verb),
		cmocka_unit_test(test_help_of_all),
		cmocka_unit_test(test_color),
		cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_invalid_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
