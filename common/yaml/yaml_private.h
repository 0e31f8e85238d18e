/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the YAML reader share; not for others.
 *
 *   yaml.c          events to nodes: limits, anchors, aliases, tags
 *   yaml_mapping.c  pairs to a mapping: duplicate keys, merge keys
 *   yaml_text.c     the text itself: what it may contain, places in it
 *   yaml_error.c    libyaml's errors in words that help
 *   yaml_node.c     questions about finished nodes
 */
#pragma once

#include <yaml.h>

#include "yaml/yaml.h"

/* The source's text without its byte order mark, and how far it was walked: libyaml counts characters, the text is
 * bytes, and positions are usually requested in order. */
struct yaml_text {
	const char *data;
	size_t size;
	uint8_t source;
	size_t index, offset; /* of the same character, in characters and in bytes */
};

/* A place in the text; line and column count from 0, as in libyaml. */
struct yaml_place {
	size_t offset, line, column;
};

/* False, after one error was added, if the text is larger than YAML_MAX_SIZE or contains something not allowed in
 * YAML: invalid UTF-8, control characters, line breaks that editors do not show. */
bool yaml_text_init(struct yaml_text *text, struct diags *diags, uint8_t source);

/* The place of a libyaml mark. Linear over all calls as long as the marks do not go back. */
struct yaml_place yaml_text_place(struct yaml_text *text, const yaml_mark_t *position);

/* The byte at the place; 0 at the text's end. */
char yaml_text_at(const struct yaml_text *text, struct yaml_place place);

/* Skip one character; a word (up to a blank, a line break or a flow indicator); blanks, line breaks and comments. */
void yaml_text_step(const struct yaml_text *text, struct yaml_place *place);
void yaml_text_skip_word(const struct yaml_text *text, struct yaml_place *place);
void yaml_text_skip_space(const struct yaml_text *text, struct yaml_place *place);

/* The first character in the place's line that is not a blank. */
struct yaml_place yaml_text_indent(const struct yaml_text *text, struct yaml_place place);

/* The number of columns from the place to the last non-blank character of its line, at most 255. */
size_t yaml_text_rest(const struct yaml_text *text, struct yaml_place place);

/* The position for a diagnostic; numbers that do not fit are reduced to the maximum. */
struct position yaml_text_position(const struct yaml_text *text, struct yaml_place place, size_t width);

/* Reports what libyaml could not read. `open` is the innermost unfinished [] or {}, or NULL. */
void yaml_error(struct diags *diags, struct yaml_text *text, const yaml_parser_t *parser, const struct node *open);

/* Makes node a mapping from n nodes, alternating keys and values, NULL for one that could not be read. A wrong pair
 * is reported and left out. */
void yaml_mapping(struct arena *arena, struct diags *diags, struct node *node, const struct node *const *items, size_t n);
