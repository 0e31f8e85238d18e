/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text of a YAML file before it is parsed: checks that it is text, and finds places in it.
 *
 * The check comes before libyaml sees a byte, for three reasons: for an invalid character libyaml reports only an
 * offset, while users need line and column; libyaml accepts UTF-16, which excerpts could not show; and it counts
 * U+0085, U+2028 and U+2029 as line breaks, which editors do not, so that every later position would be wrong. After
 * the check, every line ends at LF, CR or CR LF.
 */
#include "base/utf8.h"
#include "yaml/yaml_private.h"

static bool at_break(const struct yaml_text *text, size_t offset) {
	return offset < text->size && (text->data[offset] == '\n' || text->data[offset] == '\r');
}

static bool at_blank(const struct yaml_text *text, size_t offset) {
	return offset < text->size && (text->data[offset] == ' ' || text->data[offset] == '\t');
}

char yaml_text_at(const struct yaml_text *text, struct yaml_place place) {
	return place.offset < text->size ? text->data[place.offset] : 0;
}

void yaml_text_step(const struct yaml_text *text, struct yaml_place *place) {
	size_t left = text->size - place->offset;

	if (left == 0)
		return;
	if (!at_break(text, place->offset)) {
		place->offset += utf8_step(text->data + place->offset, left);
		place->column++;
		return;
	}
	place->offset += left > 1 && memcmp(text->data + place->offset, "\r\n", 2) == 0 ? 2 : 1;
	place->line++;
	place->column = 0;
}

void yaml_text_skip_word(const struct yaml_text *text, struct yaml_place *place) {
	while (place->offset < text->size && !at_blank(text, place->offset) && !at_break(text, place->offset) &&
	       !strchr(",[]{}", text->data[place->offset]))
		yaml_text_step(text, place);
}

void yaml_text_skip_space(const struct yaml_text *text, struct yaml_place *place) {
	bool comment = false;

	for (; place->offset < text->size; yaml_text_step(text, place)) {
		if (at_break(text, place->offset))
			comment = false;
		else if (yaml_text_at(text, *place) == '#')
			comment = true;
		else if (!comment && !at_blank(text, place->offset))
			break;
	}
}

struct yaml_place yaml_text_indent(const struct yaml_text *text, struct yaml_place place) {
	while (place.offset > 0 && !at_break(text, place.offset - 1))
		place.offset--;
	place.column = 0;
	while (at_blank(text, place.offset))
		yaml_text_step(text, &place);
	return place;
}

size_t yaml_text_rest(const struct yaml_text *text, struct yaml_place place) {
	size_t start = place.column, end = start;

	while (place.offset < text->size && !at_break(text, place.offset) && end - start < UINT8_MAX) {
		bool blank = at_blank(text, place.offset);
		yaml_text_step(text, &place);
		if (!blank)
			end = place.column;
		else if (place.column - start > UINT8_MAX)
			break;
	}
	return end - start;
}

struct yaml_place yaml_text_place(struct yaml_text *text, const yaml_mark_t *position) {
	if (position->index < text->index)
		text->index = text->offset = 0;
	for (; text->index < position->index && text->offset < text->size; text->index++)
		text->offset += utf8_step(text->data + text->offset, text->size - text->offset);
	return (struct yaml_place){ .offset = text->offset, .line = position->line, .column = position->column };
}

struct position yaml_text_position(const struct yaml_text *text, struct yaml_place place, size_t width) {
	return (struct position){
		.line = (uint32_t)MIN(place.line + 1, (size_t)UINT32_MAX),
		.column = (uint16_t)MIN(place.column + 1, (size_t)UINT16_MAX),
		.width = (uint8_t)MIN(MAX(width, (size_t)1), (size_t)UINT8_MAX),
		.source = text->source,
	};
}

struct yaml_quote yaml_quote(const char *text, size_t size) {
	struct yaml_quote quote = {};
	size_t n = 0, step;

	while (n < size && n < 60) {
		step = utf8_step(text + n, size - n);
		memcpy(quote.text + n, text + n, step);
		n += step;
	}
	if (n < size)
		strcpy(quote.text + n, "…");
	return quote;
}

/* The line and column of an offset, by walking there. */
static struct yaml_place place_of(const struct yaml_text *text, size_t offset) {
	struct yaml_place place = {};

	while (place.offset < offset)
		yaml_text_step(text, &place);
	return place;
}

static bool is_yaml(uint32_t code) {
	if (code < 0x20)
		return code == '\t' || code == '\n' || code == '\r';
	if (code >= 0x7f && code <= 0x9f)
		return false;
	return code != 0x2028 && code != 0x2029 && code != 0xfeff && code != 0xfffe && code != 0xffff;
}

/* The first offset of something that is not a YAML character, or the text's size. */
static size_t find_garbage(const struct yaml_text *text) {
	size_t i = 0, n;
	uint32_t code;

	while (i < text->size) {
		if ((unsigned char)text->data[i] >= 0x20 && (unsigned char)text->data[i] < 0x7f) {
			i++;
			continue;
		}
		n = utf8_decode(text->data + i, text->size - i, &code);
		if (n == 0 || !is_yaml(code))
			break;
		i += n;
	}
	return i;
}

static void report_garbage(const struct yaml_text *text, struct diags *diags, size_t at) {
	const char *p = text->data + at;
	size_t left = text->size - at;
	uint32_t code;
	struct position position = yaml_text_position(text, place_of(text, at), 1);

	if (at == 0 && left >= 2 && (memcmp(p, "\xff\xfe", 2) == 0 || memcmp(p, "\xfe\xff", 2) == 0))
		diag_error(diags, (struct position){ .source = text->source }, "the file is UTF-16; save it as UTF-8");
	else if (utf8_decode(p, left, &code) == 0)
		diag_error(diags, position, "the byte 0x%02x is not UTF-8 text; is this a text file?", code);
	else if (code == 0x85 || code == 0x2028 || code == 0x2029)
		diag_error(diags, position, "invisible line break (U+%04X) here; remove it", code);
	else
		diag_error(diags, position, "the control character U+%04X is not allowed in YAML; is this a text file?",
			   code);
}

/* %TAG lines have no use here, and libyaml takes quadratic time for many of them. */
static size_t find_tag_directive(const struct yaml_text *text) {
	for (size_t i = 0; i + 4 <= text->size; i++) {
		const char *p = memchr(text->data + i, '%', text->size - i);
		if (!p)
			break;
		i = (size_t)(p - text->data);
		if ((i == 0 || at_break(text, i - 1)) && text->size - i >= 4 && memcmp(p, "%TAG", 4) == 0)
			return i;
	}
	return text->size;
}

bool yaml_text_init(struct yaml_text *text, struct diags *diags, uint8_t source) {
	const struct source_text *s = &diags->sources.items[source];
	size_t bom = s->size >= 3 && memcmp(s->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	*text = (struct yaml_text){ .data = s->size ? s->text + bom : "", .size = s->size - bom, .source = source };
	if (s->size > YAML_MAX_SIZE) {
		diag_error(diags, (struct position){ .source = source }, "the file has %zu MiB; at most %d are read",
			   s->size >> 20, YAML_MAX_SIZE >> 20);
		return false;
	}
	size_t at = find_garbage(text);
	if (at < text->size) {
		report_garbage(text, diags, at);
		return false;
	}
	at = find_tag_directive(text);
	if (at < text->size)
		diag_error(diags, yaml_text_position(text, place_of(text, at), 4),
			   "tags are not supported; remove this line");
	return at == text->size;
}
