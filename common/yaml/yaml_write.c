/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tree as YAML text, as a person would write it: blocks down to what fits on one line.
 *
 * A text is unquoted only if no reader can take it for something else.
 */
#include <ctype.h>

#include "base/utf8.h"
#include "yaml/yaml.h"

enum {
	LINE = 80,  /* columns */
	BLOCKS = 2, /* so many levels are always blocks */
	INDENTATION = 2,
};

/* Is the text not taken for a number, a boolean or null without its quotes? */
static bool is_word(const struct node *node) {
	struct node plain = *node;
	const char *dot = strchr(node->text, '.');

	plain.quoted = false;
	if (node_is_bool_word(&plain) || node_is_null(&plain) || node_is_sexagesimal(&plain))
		return false;
	/* No number has the letters of a unit, as in 10mbit, 20ms, 1%: those in hexadecimal, octal, binary and with an exponent
	 * have others. */
	return isalpha((unsigned char)node->text[0]) || strpbrk(node->text, "/ghjklmnpqrstuvwyz%") ||
	       (dot && strchr(dot + 1, '.'));
}

/* Is the text the same without quotes, also in brackets? */
static bool is_plain(const struct node *node) {
	const char *text = node->text;

	if (!isalnum((unsigned char)text[0]) || (node->quoted && !is_word(node)))
		return node_is_null(node) && *text;
	for (size_t i = 0; i < node->n; i++) {
		bool between = text[i] == ' ' && isalnum((unsigned char)text[i - 1]) && isalnum((unsigned char)text[i + 1]);

		if (!isalnum((unsigned char)text[i]) && !between && !strchr("_./+-:%", text[i]))
			return false;
	}
	return text[node->n - 1] != ':' && !strstr(text, "::");
}

static void write_quoted(const struct node *node, struct text *out) {
	uint32_t code;

	text_add(out, "\"");
	for (size_t i = 0, n; i < node->n; i += n) {
		n = utf8_decode(node->text + i, node->n - i, &code);
		if (n == 0)
			n = 1;
		if (code == '"' || code == '\\')
			text_addf(out, "\\%c", (char)code);
		else if (code < 0x20 || (code >= 0x7f && code < 0xa0))
			text_addf(out, "\\x%02x", code);
		else if (code == 0x2028 || code == 0x2029 || code == 0xfeff || code >= 0xfffe)
			text_addf(out, code > 0xffff ? "\\U%08x" : "\\u%04x", code);
		else
			text_addn(out, node->text + i, n);
	}
	text_add(out, "\"");
}

void yaml_add_quoted(struct text *out, const char *value) {
	write_quoted(&(struct node){ .type = NODE_SCALAR, .text = value, .n = strlen(value) }, out);
}

void yaml_add_value(struct text *out, const char *value) {
	if (isdigit((unsigned char)*value) && strspn(value, "0123456789abcdefx/-") == strlen(value))
		text_add(out, value);
	else
		yaml_add_quoted(out, value);
}

static void write_scalar(const struct node *node, struct text *out) {
	if (!node->quoted && node->n == 0)
		text_add(out, "null");
	else if (is_plain(node))
		text_addn(out, node->text, node->n);
	else
		write_quoted(node, out);
}

/* The node on one line. False if it becomes longer than so many bytes; then *out is not complete. */
static bool write_flow(const struct node *node, size_t max, struct text *out) {
	bool list = node->type == NODE_SEQUENCE;

	if (node->type == NODE_SCALAR) {
		write_scalar(node, out);
		return out->size <= max;
	}
	text_add(out, list ? "[" : "{");
	for (size_t i = 0; i < node->n; i++) {
		if ((list ? node->items[i] : node->pairs[i].key)->comment)
			return false;
		text_add(out, i ? ", " : "");
		if (!list) {
			write_scalar(node->pairs[i].key, out);
			text_add(out, ": ");
		}
		if (!write_flow(list ? node->items[i] : node->pairs[i].value, max, out))
			return false;
	}
	text_add(out, list ? "]" : "}");
	return out->size <= max;
}

/* A long list of short texts, in brackets over several lines. */
static bool write_filled(const struct node *node, size_t indent, struct text *out) {
	for (size_t i = 0; i < node->n; i++)
		if (node->type != NODE_SEQUENCE || node->items[i]->type != NODE_SCALAR)
			return false;
	text_add(out, " [");
	for (size_t i = 0, line = out->size - indent; i < node->n; i++) {
		_cleanup_text_ struct text item = {};

		write_scalar(node->items[i], &item);
		if (i && out->size - line + item.size + 3 > LINE) {
			text_addf(out, ",\n%*s", (int)indent, "");
			line = out->size - indent;
		} else if (i) {
			text_add(out, ", ");
		}
		text_add(out, text_str(&item));
	}
	text_add(out, "]\n");
	return true;
}

static void write_block(const struct node *node, size_t indent, struct text *out);

/* What follows a key or a dash: on the same line if it fits. `column` is where it begins. */
static void write_value(const struct node *node, size_t level, size_t indent, size_t column, struct text *out) {
	_cleanup_text_ struct text line = {};
	size_t max = column < LINE ? LINE - column : 0;

	if (node->type == NODE_SCALAR) {
		write_scalar(node, &line);
	} else if (node->n && (level < BLOCKS || !write_flow(node, max, &line))) {
		if (level >= BLOCKS && write_filled(node, indent, out))
			return;
		text_add(out, "\n");
		write_block(node, indent, out);
		return;
	} else if (!node->n) {
		text_add(&line, node->type == NODE_SEQUENCE ? "[]" : "{}");
	}
	text_addf(out, " %s\n", text_str(&line));
}

static void write_comment(const struct node *node, size_t indent, struct text *out) {
	_cleanup_text_ struct text head = {};

	text_addf(&head, "%*s# ", (int)indent, "");
	text_add(out, head.data);
	text_add_wrapped(out, node->text, head.data, LINE);
	text_add(out, "\n");
}

/* A mapping that needs several lines begins on the line of the dash. */
static void write_item(const struct node *node, size_t indent, struct text *out) {
	_cleanup_text_ struct text line = {}, block = {};

	text_add(out, "-");
	if (node->type != NODE_MAPPING || !node->n || write_flow(node, LINE - MIN(indent + 2, (size_t)LINE), &line)) {
		write_value(node, BLOCKS, indent + INDENTATION, indent + 2, out);
		return;
	}
	write_block(node, indent + INDENTATION, &block);
	text_addf(out, " %s", block.data + indent + INDENTATION);
}

static void write_block(const struct node *node, size_t indent, struct text *out) {
	for (size_t i = 0; i < node->n; i++) {
		const struct node *first = node->type == NODE_SEQUENCE ? node->items[i] : node->pairs[i].key;
		size_t begin = out->size;

		if (first->comment) {
			write_comment(first, indent, out);
			continue;
		}
		text_addf(out, "%*s", (int)indent, "");
		if (node->type == NODE_SEQUENCE) {
			write_item(node->items[i], indent, out);
			continue;
		}
		write_scalar(node->pairs[i].key, out);
		text_add(out, ":");
		write_value(node->pairs[i].value, 1 + indent / INDENTATION, indent + INDENTATION, out->size - begin + 1,
			    out);
	}
}

void yaml_write(const struct node *root, struct text *out) {
	if (root->type == NODE_SCALAR || !root->n)
		write_value(root, BLOCKS, 0, 0, out);
	else
		write_block(root, 0, out);
}
