/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the YAML reader share; nobody else includes this.
 *
 *   yaml.c          events to nodes: limits, anchors, aliases, tags
 *   yaml_mapping.c  pairs to a mapping: duplicate keys, merge keys
 *   yaml_text.c     the text itself: what it may contain, places in it
 *   yaml_error.c    libyaml's complaints in words that help
 *   yaml_node.c     questions about finished nodes
 */
#pragma once

#include <yaml.h>

#include "yaml/yaml.h"

/* The source's text without its byte order mark, and how far it was walked through: libyaml counts characters,
 * the text is bytes, and places are mostly asked for in their order. */
struct yaml_text {
	const char *data;
	size_t size;
	uint8_t source;
	size_t index, offset; /* of the same character, in characters and in bytes */
};

/* A place in the text; line and column count from 0, as libyaml does. */
struct yaml_place {
	size_t offset, line, column;
};

/* False, with one error added, where the text is larger than YAML_MAX_SIZE or holds what no YAML may: bytes that
 * are no UTF-8, control characters, line breaks that editors do not show as such. */
bool yaml_text_init(struct yaml_text *text, struct diags *diags, uint8_t source);

/* The place of a mark of libyaml's. Linear over all calls, as long as the marks do not go back. */
struct yaml_place yaml_text_place(struct yaml_text *text, const yaml_mark_t *position);

/* The byte there, 0 at the text's end. */
char yaml_text_at(const struct yaml_text *text, struct yaml_place place);

/* Steps over one character; over the word there (up to a blank, a break or a flow indicator); over blanks,
 * breaks and comments. */
void yaml_text_step(const struct yaml_text *text, struct yaml_place *place);
void yaml_text_skip_word(const struct yaml_text *text, struct yaml_place *place);
void yaml_text_skip_space(const struct yaml_text *text, struct yaml_place *place);

/* The first character of the place's line that is no blank. */
struct yaml_place yaml_text_indent(const struct yaml_text *text, struct yaml_place place);

/* Columns from the place to the end of what is written on its line; 255 and more are all the same. */
size_t yaml_text_rest(const struct yaml_text *text, struct yaml_place place);

/* The mark that a diagnostic takes, with what does not fit into it cut down. */
struct position yaml_text_position(const struct yaml_text *text, struct yaml_place place, size_t width);

/* Says what libyaml could not read. `open` is the innermost unfinished [] or {}, or NULL. */
void yaml_error(struct diags *diags, struct yaml_text *text, const yaml_parser_t *parser, const struct node *open);

/* Makes node a mapping of n nodes, keys and values by turns, NULL where one could not be read. What is wrong with
 * a pair is said, and the pair left out. */
void yaml_mapping(struct arena *arena, struct diags *diags, struct node *node, const struct node *const *items, size_t n);
