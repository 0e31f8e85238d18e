/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libyaml's errors, in words that help.
 *
 * libyaml says what its grammar expects at a place ("did not find expected key"); users want to know what they did
 * wrong. If the text around the place shows it, the message says so, and its position is on what has to be changed. An
 * error that is not in the table is passed on in libyaml's own words, because a newer library may have new ones.
 */
#include "yaml/yaml_private.h"

struct failure {
	struct diags *diags;
	struct yaml_text *text;
	const struct node *open;       /* innermost unfinished flow collection, or NULL */
	struct yaml_place at, context; /* libyaml's two places */
};

static void _printf_(4, 5) say(struct failure *f, struct yaml_place place, size_t width, const char *format, ...) {
	va_list args;

	va_start(args, format);
	diag_verror(f->diags, yaml_text_position(f->text, place, width), format, args);
	va_end(args);
}

static char next_to(const struct failure *f, struct yaml_place place) {
	yaml_text_step(f->text, &place);
	return yaml_text_at(f->text, place);
}

static bool is_space(char c) {
	return strchr(" \t\r\n", c) != NULL; /* including the text's end, 0 */
}

static bool only_space_from(const struct failure *f, struct yaml_place place) {
	yaml_text_skip_space(f->text, &place);
	return place.offset >= f->text->size;
}

static bool is_first_in_line(const struct failure *f, struct yaml_place place) {
	return yaml_text_indent(f->text, place).offset == place.offset;
}

static bool is_list(const struct node *open) {
	return open->type == NODE_SEQUENCE;
}

static void note_opening(struct failure *f) {
	if (f->open)
		diag_note(f->diags, f->open->position, "for the '%c' here", is_list(f->open) ? '[' : '{');
}

static void say_unclosed(struct failure *f) {
	diag_error(f->diags, f->open->position, "this '%c' is never closed", is_list(f->open) ? '[' : '{');
}

static void say_tab(struct failure *f) {
	say(f, f->at, 1, "a tab is used for indentation; YAML requires spaces");
}

static void say_bad_start(struct failure *f) {
	char c = yaml_text_at(f->text, f->at);

	if (c == '\t')
		say_tab(f);
	else
		say(f, f->at, 1, "a value cannot begin with '%c'; quote it", c);
}

/* Finds a key in the line without a space after its ':' ("mtu:1500"). */
static bool find_joined(const struct failure *f, struct yaml_place line, struct yaml_place *ret, size_t *ret_size) {
	struct yaml_place p = yaml_text_indent(f->text, line);

	while (yaml_text_at(f->text, p) == '-' && next_to(f, p) == ' ') {
		yaml_text_step(f->text, &p);
		yaml_text_step(f->text, &p);
	}
	*ret = p;
	while (yaml_text_at(f->text, p) && !strchr(":,[]{}'\" \t\r\n", yaml_text_at(f->text, p)))
		yaml_text_step(f->text, &p);
	*ret_size = p.offset - ret->offset + 1;
	return p.offset > ret->offset && yaml_text_at(f->text, p) == ':' && !is_space(next_to(f, p)) && next_to(f, p) != ':';
}

/* The end of the last line above that is not empty; without one, the beginning of the text. */
static struct yaml_place line_above(const struct failure *f, struct yaml_place place) {
	const char *text = f->text->data;
	size_t i = place.offset - place.column, n = 0;

	while (i && is_space(text[i - 1]))
		n += text[--i] == '\n';
	return (struct yaml_place){ .offset = i, .line = place.line - n };
}

static bool say_joined(struct failure *f, struct yaml_place line) {
	struct yaml_place key;
	size_t size;

	if (!find_joined(f, line, &key, &size))
		return false;
	struct yaml_quote quote = yaml_quote(f->text->data + key.offset, size);
	say(f, key, size, "a space is missing after '%s'", quote.text);
	return true;
}

/* A ':' where no key can be: a second one in a value, or a line that is indented too far. */
static void say_bad_colon(struct failure *f) {
	struct yaml_place start = yaml_text_indent(f->text, f->at), p = start;

	for (; p.offset < f->at.offset; yaml_text_step(f->text, &p))
		if (yaml_text_at(f->text, p) == ':' && is_space(next_to(f, p))) {
			say(f, f->at, 1, "a second ':' in one line; quote the value that contains it");
			return;
		}
	if (say_joined(f, f->at) || say_joined(f, line_above(f, f->at)))
		return;
	say(f, start, f->at.column - start.column,
	    "a key is not allowed here: its line is indented too far, or the key above lacks its ':'");
}

/* fd00:: in brackets, where YAML takes a ':' before ',' or a bracket for that of a key. */
static void say_flow_colon(struct failure *f) {
	say(f, f->context, f->at.column - f->context.column + 1,
	    "a value that ends with ':' must be quoted inside brackets");
}

static void say_directive(struct failure *f) {
	struct yaml_place start = yaml_text_indent(f->text, f->at);

	say(f, start, yaml_text_rest(f->text, start), "a line that begins with '%%' is a YAML directive; remove it");
}

static void say_no_colon(struct failure *f) {
	if (yaml_text_at(f->text, f->context) == '-')
		say(f, f->context, 1, "the '-' of a list entry needs a space after it");
	else if (!say_joined(f, f->context))
		say(f, f->context, yaml_text_rest(f->text, f->context),
		    "expected 'key: value'; a ':' and a space are missing");
}

static void say_bad_dash(struct failure *f) {
	say(f, f->at, 1, "a list must begin on a line of its own, not after its key or an anchor");
}

static void say_bad_question(struct failure *f) {
	say(f, f->at, 1, "a value cannot begin with '? '; quote it");
}

static void say_unclosed_quote(struct failure *f) {
	say(f, f->context, 1, "this quote is never closed");
}

static void say_bad_escape(struct failure *f) {
	struct yaml_place end = f->at;

	yaml_text_step(f->text, &end);
	yaml_text_step(f->text, &end);
	struct yaml_quote quote = yaml_quote(f->text->data + f->at.offset, end.offset - f->at.offset);
	say(f, f->at, 2, "unknown escape '%s' in a double-quoted string; write '\\\\' or use single quotes", quote.text);
}

static void say_bad_code(struct failure *f) {
	say(f, f->at, 1, "this escape does not name a character");
}

static void say_bad_name(struct failure *f) {
	char c = yaml_text_at(f->text, f->context);

	say(f, f->context, 1, "an unquoted '%c' begins %s; quote the value if none is meant", c,
	    c == '*' ? "an alias" : "an anchor");
}

static void say_bad_tag(struct failure *f) {
	say(f, f->context, yaml_text_rest(f->text, f->context),
	    "an unquoted '!' begins a tag; write 'not …', or quote the value");
}

static void say_bad_block(struct failure *f) {
	say(f, f->context, f->at.column - f->context.column + 1,
	    "'%c' begins a block of text that starts on the next line; quote the value if none is meant",
	    yaml_text_at(f->text, f->context));
}

/* After "web:{" the bracket is part of the key. */
static void say_closes_nothing(struct failure *f) {
	struct yaml_place key;
	size_t size;

	if (find_joined(f, f->at, &key, &size) && strchr("[{", f->text->data[key.offset + size]) && say_joined(f, f->at))
		return;
	say(f, f->at, 1, "this '%c' is unmatched", yaml_text_at(f->text, f->at));
}

static void say_misplaced(struct failure *f) {
	say(f, f->at, yaml_text_rest(f->text, f->at),
	    "unexpected text after a value; quote the whole value, or remove this");
}

static void say_no_key(struct failure *f) {
	char c = yaml_text_at(f->text, f->at);

	if (c == ']' || c == '}')
		say_closes_nothing(f);
	else if (!is_first_in_line(f, f->at))
		say_misplaced(f);
	else if (c == '-' && is_space(next_to(f, f->at)))
		say(f, f->at, 1, "a list entry between keys; indent it like the list that it belongs to");
	else
		say(f, f->at, yaml_text_rest(f->text, f->at),
		    "the indentation of this line does not match any line above it");
}

static void say_no_dash(struct failure *f) {
	char c = yaml_text_at(f->text, f->at);

	if (c == ']' || c == '}')
		say_closes_nothing(f);
	else if (!is_first_in_line(f, f->at))
		say_misplaced(f);
	else
		say(f, f->at, yaml_text_rest(f->text, f->at),
		    "a list entry begins with '- '; check the indentation of this line");
}

static void say_no_comma(struct failure *f) {
	if (f->open && only_space_from(f, f->at)) {
		say_unclosed(f);
		return;
	}
	char c = yaml_text_at(f->text, f->at), before = f->at.offset ? f->text->data[f->at.offset - 1] : ' ';
	if ((c == '[' || c == '{') && !is_space(before) && !strchr(",[]{}", before)) /* h[1-20], 10.0.{n}.1 */
		say(f, f->at, 1, "a value that contains '%c' must be quoted inside brackets", c);
	else
		say(f, f->at, 1, "expected ',' or '%c' before this", f->open && is_list(f->open) ? ']' : '}');
	note_opening(f);
}

static void say_no_content(struct failure *f) {
	char c = yaml_text_at(f->text, f->at);

	if (f->open && only_space_from(f, f->at)) {
		say_unclosed(f);
		return;
	}
	if (c == ':') /* ::1 is a common value here, not a missing one */
		say(f, f->at, 1, "a value that begins with ':' must be quoted inside brackets");
	else if (!f->open && (c == ']' || c == '}'))
		say_closes_nothing(f);
	else
		say(f, f->at, 1, "a value is missing before this");
	note_opening(f);
}

static void say_after_document(struct failure *f) {
	char c = yaml_text_at(f->text, f->at);

	if (c == ']' || c == '}')
		say_closes_nothing(f);
	else
		say(f, f->at, yaml_text_rest(f->text, f->at), "the document ended before this; check the indentation");
}

/* The first matching row is used; NULL matches anything. */
static const struct {
	const char *problem, *context;
	void (*say)(struct failure *f);
} problems[] = {
	{ "found character that cannot start any token", NULL, say_bad_start },
	{ "found a tab character that violates indentation", NULL, say_tab },
	{ "found a tab character where an indentation space is expected", NULL, say_tab },
	{ "mapping values are not allowed in this context", NULL, say_bad_colon },
	{ "mapping keys are not allowed in this context", NULL, say_bad_question },
	{ "block sequence entries are not allowed in this context", NULL, say_bad_dash },
	{ "found unexpected ':'", NULL, say_flow_colon },
	{ "could not find expected ':'", NULL, say_no_colon },
	{ "found unexpected end of stream", "while scanning a quoted scalar", say_unclosed_quote },
	{ "found unexpected document indicator", "while scanning a quoted scalar", say_unclosed_quote },
	{ "found unknown escape character", NULL, say_bad_escape },
	{ "did not find expected hexdecimal number", NULL, say_bad_code },
	{ "found invalid Unicode character escape code", NULL, say_bad_code },
	{ "did not find expected alphabetic or numeric character", NULL, say_bad_name },
	{ "did not find expected comment or line break", "while scanning a block scalar", say_bad_block },
	{ "found undefined tag handle", NULL, say_bad_tag },
	{ NULL, "while scanning a tag", say_bad_tag },
	{ NULL, "while parsing a tag", say_bad_tag },
	{ NULL, "while scanning a directive", say_directive },
	{ NULL, "while scanning a %YAML directive", say_directive },
	{ "found incompatible YAML document", NULL, say_directive },
	{ "found duplicate %YAML directive", NULL, say_directive },
	{ "did not find expected key", NULL, say_no_key },
	{ "did not find expected '-' indicator", NULL, say_no_dash },
	{ "did not find expected ',' or ']'", NULL, say_no_comma },
	{ "did not find expected ',' or '}'", NULL, say_no_comma },
	{ "did not find expected node content", NULL, say_no_content },
	{ "did not find expected <document start>", NULL, say_after_document },
};

static bool fits(const char *wanted, const char *given) {
	return !wanted || (given && streq(wanted, given));
}

void yaml_error(struct diags *diags, struct yaml_text *text, const yaml_parser_t *parser, const struct node *open) {
	struct failure f = { .diags = diags, .text = text, .open = open };

	f.at = yaml_text_place(text, &parser->problem_mark);
	f.context = parser->context ? yaml_text_place(text, &parser->context_mark) : f.at;
	for (size_t i = 0; i < ARRAY_SIZE(problems); i++)
		if (fits(problems[i].problem, parser->problem) && fits(problems[i].context, parser->context)) {
			problems[i].say(&f);
			return;
		}
	say(&f, f.at, 1, "invalid YAML: %s%s%s", parser->problem ?: "out of memory", parser->context ? " " : "",
	    parser->context ?: "");
}
