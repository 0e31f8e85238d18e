/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/output.h"

#include <stdarg.h>

#include "files/error_text.h"
#include "plan/plan.h"
#include "report/report.h"
#include "run/terminal.h"

static void say(const char *head, const char *format, va_list args) {
	fputs(head, stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

void complain(const char *format, ...) {
	va_list args;

	va_start(args, format);
	say("topod: ", format, args);
	va_end(args);
}

void complain_unknown(const struct suggestion *meant, const char *format, ...) {
	va_list args;

	va_start(args, format);
	_cleanup_free_ char *text = xvasprintf(format, args);
	va_end(args);
	if (meant->near)
		complain("%s; did you mean '%s'?", text, meant->near);
	else if (meant->advice)
		complain("%s; %s", text, meant->advice);
	else
		complain("%s", text);
}

void hint(const char *format, ...) {
	va_list args;

	va_start(args, format);
	say("       ", format, args);
	va_end(args);
}

bool color_on(const struct options *options, FILE *stream) {
	if (options->color != COLOR_AUTO)
		return options->color == COLOR_ALWAYS;
	return terminal_takes_color(fileno(stream));
}

void print_asked(_unused_ void *userdata, const struct change *change, const char *how) {
	static const char *const verbs[] = {
		[CHANGE_CREATE] = "create",
		[CHANGE_UPDATE] = "change",
		[CHANGE_DELETE] = "delete",
	};
	_cleanup_text_ struct text id = {}, clean = {};

	object_print_scope(change_object(change), &id);
	text_add(&id, ": ");
	object_print_noun(change_object(change), &id);
	report_clean(text_str(&id), &clean);
	fprintf(stderr, "%s %s (%s)", verbs[change->type], text_str(&clean), how);
	if (change->error)
		fprintf(stderr, ": %s%s%s", error_text(change->error), change->text ? ": " : "",
			change->text ? change->text : "");
	fputc('\n', stderr);
}

void print_diags(const struct diags *diags, const struct options *options) {
	if (options->quiet && !diags->n_errors)
		return;
	_cleanup_free_ char *text = diags_format(diags, color_on(options, stderr));

	fputs(text, stderr);
}

void print_wrapped(FILE *to, size_t indent, const char *sentence) {
	enum { WIDTH = 80 };
	_cleanup_free_ char *head = xasprintf("%*s", (int)indent, "");
	_cleanup_text_ struct text text = {};
	size_t width = terminal_width(fileno(to));

	text_add_wrapped(&text, sentence, head, width > 2 * indent ? width : WIDTH);
	fprintf(to, "%s\n", text_str(&text));
}

void print_warnings(const char *lines) {
	for (const char *end; *lines; lines = *end ? end + 1 : end) {
		end = strchrnul(lines, '\n');
		complain("warning: %.*s", (int)(end - lines), lines);
	}
}

void print_json(json_t *json) {
	_cleanup_free_ char *text = json_dumps(json, JSON_INDENT(2) | JSON_ENSURE_ASCII);

	puts(text ? text : "null");
	json_decref(json);
}
