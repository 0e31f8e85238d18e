/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From libyaml's events to a tree of nodes, within limits.
 *
 * Events are read one by one and the limits are checked at each, so that a hostile file ends at the first event that
 * exceeds them: libyaml has no limits itself, and its work per token grows with the nesting. There is no recursion.
 * Unfinished collections are frames on a stack of YAML_MAX_DEPTH; finished nodes wait in one array until the collection
 * around them ends, and are then moved to the arena.
 *
 * An alias refers to the anchored node itself, without copying it. When a collection ends, its weight (how many nodes a
 * walk through it meets) and its height (how deep it is) are known, so that neither a small file that expands to
 * billions of nodes nor a chain of aliases gets past the limits.
 *
 * Anchors are in a balanced tree, not in a hash table, so that no choice of names makes it slow.
 */
#include <search.h>

#include "yaml/yaml_private.h"

enum next { GO_ON, DONE, FAILED };

/* An anchor; node is NULL until its collection is finished. */
struct anchor {
	const char *name;
	const struct node *node;
	size_t weight;
	unsigned height;
};

struct frame {
	struct node *node;
	struct anchor *anchor; /* or NULL */
	bool flow;
	size_t first;    /* index of its first node in `waiting` */
	size_t weight;   /* of itself and its content so far */
	unsigned height; /* levels, including itself */
};

struct reader {
	struct arena *arena;
	struct diags *diags;
	struct yaml_text text;
	yaml_parser_t parser;
	const char *until; /* a key of the root after which nothing is read, or NULL */

	struct frame frames[YAML_MAX_DEPTH];
	unsigned depth;
	vec(const struct node *) waiting; /* NULL for a node that could not be read */
	void *anchors;                    /* tree of struct anchor, see tsearch(3) */
	struct arena anchor_arena;

	size_t n_nodes, n_aliased;
	bool begun; /* the document has begun */
	const struct node *root;
};

static void keep_anchor(_unused_ void *anchor) {
}

static void reader_done(struct reader *reader) {
	tdestroy(reader->anchors, keep_anchor);
	arena_done(&reader->anchor_arena);
	vec_done(&reader->waiting);
	yaml_parser_delete(&reader->parser);
}

static struct yaml_place place_at(const yaml_mark_t *position) {
	return (struct yaml_place){ .line = position->line, .column = position->column };
}

/* The position of an event, as wide as its part on the first line. */
static struct position event_position(struct reader *reader, const yaml_event_t *event) {
	const yaml_mark_t *start = &event->start_mark, *end = &event->end_mark;

	size_t width = end->line == start->line ? end->column - start->column : 1;

	return yaml_text_position(&reader->text, place_at(start), width);
}

static enum next too_many(struct reader *reader, const yaml_event_t *event, const char *what, int limit) {
	diag_error(reader->diags, event_position(reader, event), "more than %d %s; the rest is not read", limit, what);
	return FAILED;
}

/* The tag and anchor of an event that begins a node. */
struct properties {
	const char *anchor, *tag;
};

static struct properties properties_of(const yaml_event_t *event) {
	const void *anchor = NULL, *tag = NULL;

	if (event->type == YAML_SCALAR_EVENT) {
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
	} else {
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
	}
	return (struct properties){ .anchor = anchor, .tag = tag };
}

/* Where the node itself begins, after its anchor and tag; *ret_tag: where the tag is. */
static struct yaml_place skip_properties(struct reader *reader, const yaml_event_t *event, struct yaml_place *ret_tag) {
	struct yaml_place place = yaml_text_place(&reader->text, &event->start_mark);

	*ret_tag = place;
	for (char c; (c = yaml_text_at(&reader->text, place)) == '&' || c == '!';) {
		if (c == '!')
			*ret_tag = place;
		yaml_text_skip_word(&reader->text, &place);
		yaml_text_skip_space(&reader->text, &place);
	}
	return place;
}

/* Does the event stand for an empty value? */
static bool is_absent(const yaml_event_t *event) {
	return event->type == YAML_SCALAR_EVENT && event->data.scalar.length == 0 &&
	       event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static struct position node_position(struct reader *reader, const yaml_event_t *event) {
	struct properties properties = properties_of(event);
	const yaml_mark_t *start = &event->start_mark, *end = &event->end_mark;
	struct yaml_place place = place_at(start), tag;
	bool scalar = event->type == YAML_SCALAR_EVENT;

	if (is_absent(event)) /* the place where it would be, or its anchor */
		return event_position(reader, event);
	if (properties.anchor || properties.tag)
		place = skip_properties(reader, event, &tag);
	if (!scalar)
		return yaml_text_position(&reader->text, place, 1);
	if (end->line == place.line)
		return yaml_text_position(&reader->text, place, end->column - place.column);
	if (place.offset == 0)
		place = yaml_text_place(&reader->text, start);
	return yaml_text_position(&reader->text, place, yaml_text_rest(&reader->text, place));
}

static int compare_anchors(const void *a, const void *b) {
	return strcmp(((const struct anchor *)a)->name, ((const struct anchor *)b)->name);
}

/* The anchor with this name, added if it is new. A name may be used again, and then means the newer node. */
static struct anchor *add_anchor(struct reader *reader, const char *name) {
	struct anchor wanted = { .name = name };
	struct anchor **found = tfind(&wanted, &reader->anchors, compare_anchors);

	if (found)
		return *found;
	struct anchor *anchor = arena_new(&reader->anchor_arena, struct anchor);
	anchor->name = arena_strdup(&reader->anchor_arena, name);
	if (!tsearch(anchor, &reader->anchors, compare_anchors))
		abort();
	return anchor;
}

/* Adds a finished node to its collection, or makes it the root. */
static void place_node(struct reader *reader, const struct node *node, size_t weight, unsigned height) {
	if (reader->depth == 0) {
		reader->root = node;
		return;
	}
	struct frame *frame = &reader->frames[reader->depth - 1];
	frame->weight += weight;
	frame->height = MAX(frame->height, height + 1);
	vec_push(&reader->waiting, node);
}

static bool is_core_tag(const char *name, enum node_type type) {
	switch (type) {
	case NODE_SCALAR:
		return streq(name, "str") || streq(name, "int") || streq(name, "float") || streq(name, "bool") ||
		       streq(name, "null");
	case NODE_SEQUENCE:
		return streq(name, "seq");
	case NODE_MAPPING:
		return streq(name, "map");
	}
	abort();
}

/* The user wrote `!br0`, which YAML reads as a tag without a value, or `! br0`, and means a negation. The node
 * becomes "not br0", so that no further errors follow. Returns whether it is such a tag. */
static bool read_negation(struct reader *reader, struct node *node, struct position position, const char *tag) {
	bool joined = tag[1] != 0;
	const char *what = joined ? tag + 1 : node->text;

	if (node->type != NODE_SCALAR || tag[0] != '!' || joined != (node->n == 0))
		return false;
	struct yaml_quote quote = yaml_quote(what, strlen(what));
	diag_error(reader->diags, position, "an unquoted '!' begins a tag; write 'not %s', or quote it", quote.text);
	node->text = arena_printf(reader->arena, "not %s", what);
	node->n = strlen(node->text);
	return true;
}

static void read_tag(struct reader *reader, struct node *node, const yaml_event_t *event, const char *tag) {
	const char *core = startswith(tag, "tag:yaml.org,2002:");
	struct yaml_place start, end;

	if (core && is_core_tag(core, node->type)) {
		node->quoted = streq(core, "str");
		return;
	}
	skip_properties(reader, event, &start);
	end = start;
	yaml_text_skip_word(&reader->text, &end);
	struct position position = yaml_text_position(&reader->text, start, end.column - start.column);
	if (read_negation(reader, node, position, tag))
		return;
	struct yaml_quote quote = yaml_quote(reader->text.data + start.offset, end.offset - start.offset);
	if (node->type == NODE_SCALAR && tag[0] == '!')
		diag_error(reader->diags, position, "an unquoted '!' begins a tag; write 'not …', or quote the value");
	else
		diag_error(reader->diags, position, "the tag %s has no meaning here; remove it", quote.text);
}

/* A new node for an event, with its position. */
static struct node *new_node(struct reader *reader, const yaml_event_t *event, enum node_type type) {
	struct node *node = arena_new(reader->arena, struct node);

	reader->n_nodes++;
	node->type = type;
	node->position = node_position(reader, event);
	return node;
}

static enum next read_scalar(struct reader *reader, const yaml_event_t *event) {
	struct node *node = new_node(reader, event, NODE_SCALAR);
	struct properties properties = properties_of(event);
	const char *value = (const char *)event->data.scalar.value;

	node->n = event->data.scalar.length;
	node->text = arena_strndup(reader->arena, value, node->n);
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	if (strlen(value) != node->n) {
		diag_error(reader->diags, node->position, "this string contains a NUL character (\\0)");
		node->n = strlen(value);
	}
	if (properties.tag)
		read_tag(reader, node, event, properties.tag);
	if (properties.anchor) {
		struct anchor *anchor = add_anchor(reader, properties.anchor);
		*anchor = (struct anchor){ .name = anchor->name, .node = node, .weight = 1 };
	}
	place_node(reader, node, 1, 0);
	return GO_ON;
}

static enum next begin_collection(struct reader *reader, const yaml_event_t *event, enum node_type type, bool flow) {
	struct properties properties = properties_of(event);

	if (reader->depth >= YAML_MAX_DEPTH)
		return too_many(reader, event, "levels are nested here", YAML_MAX_DEPTH);

	struct frame *frame = &reader->frames[reader->depth++];
	*frame = (struct frame){
		.node = new_node(reader, event, type),
		.flow = flow,
		.first = reader->waiting.n,
		.weight = 1,
		.height = 1,
	};
	if (properties.tag)
		read_tag(reader, frame->node, event, properties.tag);
	if (properties.anchor) {
		frame->anchor = add_anchor(reader, properties.anchor);
		frame->anchor->node = NULL;
	}
	return GO_ON;
}

static void end_sequence(struct reader *reader, struct node *node, const struct node *const *items, size_t n) {
	const struct node **kept = arena_newn(reader->arena, const struct node *, n);

	for (size_t i = 0; i < n; i++)
		if (items[i])
			kept[node->n++] = items[i];
	node->items = kept;
}

static enum next end_collection(struct reader *reader) {
	struct frame *frame = &reader->frames[--reader->depth];
	size_t n = reader->waiting.n - frame->first;
	const struct node **items = n ? reader->waiting.items + frame->first : NULL; /* NULL if no node ever waited */

	if (frame->node->type == NODE_MAPPING)
		yaml_mapping(reader->arena, reader->diags, frame->node, items, n);
	else
		end_sequence(reader, frame->node, items, n);
	reader->waiting.n = frame->first;
	/* If the name was used again in the meantime, the other node is newer. */
	if (frame->anchor && !frame->anchor->node) {
		frame->anchor->node = frame->node;
		frame->anchor->weight = frame->weight;
		frame->anchor->height = frame->height;
	}
	place_node(reader, frame->node, frame->weight, frame->height);
	return GO_ON;
}

static const struct anchor *find_anchor(struct reader *reader, const yaml_event_t *event) {
	struct anchor wanted = { .name = (const char *)event->data.alias.anchor };
	struct anchor **found = tfind(&wanted, &reader->anchors, compare_anchors);
	struct yaml_quote quote = yaml_quote(wanted.name, strlen(wanted.name));

	if (found && (*found)->node)
		return *found;
	if (found)
		diag_error(reader->diags, event_position(reader, event), "alias *%s refers to a node that contains it",
			   quote.text);
	else
		diag_error(reader->diags, event_position(reader, event),
			   "there is no anchor &%s above; quote the value if no alias is meant", quote.text);
	return NULL;
}

static enum next read_alias(struct reader *reader, const yaml_event_t *event) {
	const struct anchor *anchor = find_anchor(reader, event);

	if (!anchor) { /* already reported; its collection is read without it */
		place_node(reader, NULL, 0, 0);
		return GO_ON;
	}
	reader->n_aliased += anchor->weight;
	if (reader->n_aliased > YAML_MAX_ALIASED)
		return too_many(reader, event, "nodes are repeated through aliases", YAML_MAX_ALIASED);
	if (reader->depth + anchor->height > YAML_MAX_DEPTH)
		return too_many(reader, event, "levels are nested through this alias", YAML_MAX_DEPTH);
	place_node(reader, anchor->node, anchor->weight, anchor->height);
	return GO_ON;
}

static enum next begin_document(struct reader *reader, const yaml_event_t *event) {
	if (!reader->begun) {
		reader->begun = true;
		return GO_ON;
	}
	diag_error(reader->diags, event_position(reader, event),
		   "a second document begins here; a file must contain only one");
	return DONE;
}

static enum next read_event(struct reader *reader, const yaml_event_t *event) {
	if (reader->n_nodes > YAML_MAX_NODES)
		return too_many(reader, event, "nodes are in this file", YAML_MAX_NODES);
	switch (event->type) {
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		return GO_ON;
	case YAML_STREAM_END_EVENT:
		return DONE;
	case YAML_DOCUMENT_START_EVENT:
		return begin_document(reader, event);
	case YAML_ALIAS_EVENT:
		return read_alias(reader, event);
	case YAML_SCALAR_EVENT:
		return read_scalar(reader, event);
	case YAML_SEQUENCE_START_EVENT:
		return begin_collection(reader, event, NODE_SEQUENCE,
					event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE);
	case YAML_MAPPING_START_EVENT:
		return begin_collection(reader, event, NODE_MAPPING,
					event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return end_collection(reader);
	}
	abort();
}

/* Were the wanted key and its value just read into the root? */
static bool has_come_to_key(const struct reader *reader) {
	const struct frame *root = &reader->frames[0];
	size_t n = reader->waiting.n;

	if (!reader->until || reader->depth != 1 || root->node->type != NODE_MAPPING || n == root->first ||
	    (n - root->first) % 2)
		return false;
	const struct node *key = reader->waiting.items[n - 2];
	return key && key->type == NODE_SCALAR && streq(key->text, reader->until);
}

static enum next step(struct reader *reader) {
	_cleanup_(yaml_event_delete) yaml_event_t event = {};

	if (yaml_parser_parse(&reader->parser, &event)) {
		enum next next = read_event(reader, &event);

		return next == GO_ON && has_come_to_key(reader) && end_collection(reader) == GO_ON ? DONE : next;
	}
	const struct frame *frame = reader->depth ? &reader->frames[reader->depth - 1] : NULL;
	yaml_error(reader->diags, &reader->text, &reader->parser, frame && frame->flow ? frame->node : NULL);
	return FAILED;
}

static bool reader_init(struct reader *reader, uint8_t source) {
	if (!yaml_text_init(&reader->text, reader->diags, source))
		return false;
	if (!yaml_parser_initialize(&reader->parser))
		abort();
	yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader->parser, (const unsigned char *)reader->text.data, reader->text.size);
	return true;
}

const struct node *yaml_read_until(struct arena *arena, struct diags *diags, uint8_t source, const char *key) {
	_cleanup_(reader_done) struct reader reader = { .arena = arena, .diags = diags, .until = key };
	enum next next = reader_init(&reader, source) ? GO_ON : FAILED;

	while (next == GO_ON)
		next = step(&reader);
	if (next == FAILED)
		return NULL;
	if (reader.root && !node_is_null(reader.root))
		return reader.root;

	struct node *empty = arena_new(arena, struct node);
	*empty = (struct node){ .type = NODE_MAPPING, .position = { 1, 1, 1, source } };
	return empty;
}

const struct node *yaml_read(struct arena *arena, struct diags *diags, uint8_t source) {
	return yaml_read_until(arena, diags, source, NULL);
}
