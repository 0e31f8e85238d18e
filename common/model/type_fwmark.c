/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The type of a packet's mark: `value` or `value/mask`, as ip-rule(8) and iptables(8) write it. */
#include "model/type_private.h"

static bool fwmark_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	const char *text = parse_scalar(p, field, node), *slash = text ? strchr(text, '/') : NULL;
	struct fwmark mark = { .mask = UINT32_MAX };

	if (!text)
		return false;
	if (parse_u32(slash ? arena_strndup(p->arena, text, (size_t)(slash - text)) : text, &mark.value) < 0 ||
	    (slash && parse_u32(slash + 1, &mark.mask) < 0)) {
		diag_error(p->diags, node->position,
			   "'%s' takes a mark, or a mark and a mask, for example 0x10 or 0x10/0xff, not '%s'", field->name,
			   text);
		return false;
	}
	*(struct fwmark *)value = mark;
	return true;
}

static void fwmark_print(const struct field *field _unused_, const void *value, struct text *out) {
	const struct fwmark *mark = value;

	text_addf(out, "0x%x", mark->value);
	if (mark->mask != UINT32_MAX)
		text_addf(out, "/0x%x", mark->mask);
}

static bool fwmark_equal(const void *a, const void *b) {
	return memcmp(a, b, sizeof(struct fwmark)) == 0;
}

const struct type type_fwmark = {
	.name = "mark",
	.schema = "{\"type\": [\"string\", \"integer\"]}",
	.size = sizeof(struct fwmark),
	.parse = fwmark_parse,
	.print = fwmark_print,
	.equal = fwmark_equal,
};
