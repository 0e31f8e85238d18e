/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The types of values of fields: reading, printing, comparing, and their form in an attribute.
 *
 * They know neither kinds nor keys; the rows of field tables contain what differs (range, unit, names). Messages name
 * the key and show the right spelling if there is one.
 */
#include <ctype.h>
#include <inttypes.h>

#include "model/type_private.h"
#include "base/utf8.h"

int parse_u32(const char *text, uint32_t *ret) {
	uint32_t decimal = 0;
	size_t n = 0;

	for (; n < 9 && isdigit((unsigned char)text[n]); n++)
		decimal = decimal * 10 + (uint32_t)(text[n] - '0');
	if (n && !text[n]) { /* nearly always */
		*ret = decimal;
		return 0;
	}
	int base = startswith(text, "0x") || startswith(text, "0X") ? 16 : 10;
	const char *digits = base == 16 ? text + 2 : text;
	char *end = NULL;

	if (!*digits || !isxdigit((unsigned char)*digits))
		return -EINVAL;
	errno = 0;
	unsigned long long value = strtoull(digits, &end, base);
	if (*end)
		return -EINVAL;
	if (errno || value > UINT32_MAX)
		return -ERANGE;
	*ret = (uint32_t)value;
	return 0;
}

/* Words that YAML 1.1 readers take for a boolean or null. */
static bool is_yaml_word(const char *text) {
	static const char *const words[] = { "y", "n", "yes", "no", "on", "off", "true", "false", "null", "~" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasecmp(text, words[i]) == 0)
			return true;
	return false;
}

/* YAML 1.1 readers take digits and colons for a base-60 number. */
static bool is_sexagesimal(const char *text) {
	return strchr(text, ':') && !strstr(text, "::") && text[strspn(text, "0123456789:")] == '\0';
}

const char *parse_scalar(struct parse *p, const struct field *field, const struct node *node) {
	if (node->type != NODE_SCALAR) {
		diag_error(p->diags, node->position, "'%s' takes one %s, not %s", field->name, field->type->name,
			   node_type_name(node));
		return NULL;
	}
	if (node_is_null(node)) {
		diag_error(p->diags, node->position, "'%s' has no value; it takes one %s", field->name, field->type->name);
		return NULL;
	}
	return node->text;
}

/* For texts that must not be what other YAML readers take for something else. */
const char *type_parse_word(struct parse *p, const struct field *field, const struct node *node) {
	const char *text = parse_scalar(p, field, node);

	if (text && !node->quoted && (is_yaml_word(text) || is_sexagesimal(text))) {
		diag_error(p->diags, node->position, "YAML reads an unquoted '%s' as %s; write \"%s\"", text,
			   is_yaml_word(text) ? "a boolean or null" : "a base-60 number", text);
		return NULL;
	}
	return text;
}

bool type_wrong(struct parse *p, const struct field *field, const struct node *node, const char *example) {
	diag_error(p->diags, node->position, "'%s' takes %s %s, not '%s'%s%s", field->name,
		   indefinite_article(field->type->name), field->type->name, node->text, example ? ", for example " : "",
		   example ? example : "");
	return false;
}

/* Numbers. */

bool type_u32_equal(const void *a, const void *b) {
	return *(const uint32_t *)a == *(const uint32_t *)b;
}

void type_u32_put(struct nl_writer *w, const struct field *field, const void *value) {
	uint32_t number = *(const uint32_t *)value;

	switch (field->form) {
	case FORM_U32:
	case FORM_S32:
		nl_put_u32(w, field->attr, number);
		break;
	case FORM_U16:
		nl_put_u16(w, field->attr, (uint16_t)number);
		break;
	case FORM_BE16:
		nl_put_u16(w, field->attr, htons((uint16_t)number));
		break;
	case FORM_U8:
		nl_put_u8(w, field->attr, (uint8_t)number);
		break;
	case FORM_PRESENT:
		if (number)
			nl_put(w, field->attr, "", 0);
		break;
	case FORM_FLAG: /* encoded by link_put_fields(), which collects the flags */
	case FORM_SHARED:
	case FORM_U64:
		break;
	}
}

bool type_u32_get(struct arena *arena _unused_, const struct field *field, const struct nlattr *attr, void *value) {
	static const size_t sizes[] = {
		[FORM_U64] = 8,  [FORM_U32] = 4, [FORM_S32] = 4,  [FORM_U16] = 2,
		[FORM_BE16] = 2, [FORM_U8] = 1,  [FORM_FLAG] = 4, [FORM_PRESENT] = 0,
	};
	uint32_t *number = value;

	if (mnl_attr_get_payload_len(attr) < sizes[field->form])
		return false;
	switch (field->form) {
	case FORM_U32:
	case FORM_S32:
		*number = mnl_attr_get_u32(attr);
		break;
	case FORM_U16:
		*number = mnl_attr_get_u16(attr);
		break;
	case FORM_BE16:
		*number = ntohs(mnl_attr_get_u16(attr));
		break;
	case FORM_U8:
		*number = mnl_attr_get_u8(attr);
		break;
	case FORM_FLAG:
		*number = !!(mnl_attr_get_u32(attr) & field->bit);
		break;
	case FORM_PRESENT:
		*number = true;
		break;
	case FORM_SHARED:
	case FORM_U64:
		return false;
	}
	return true;
}

static bool integer_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	const char *text = parse_scalar(p, field, node);
	uint32_t number;

	if (!text)
		return false;
	for (const struct enum_name *e = field->names; e && e->name; e++)
		if (streq(text, e->name)) {
			*(uint32_t *)value = e->value;
			return true;
		}
	int r = parse_u32(text, &number);
	if (r == -EINVAL)
		return type_wrong(p, field, node, NULL);
	if (r == 0 && number >= field->min && (!field->max || number <= field->max)) {
		*(uint32_t *)value = number;
		return true;
	}
	if (field->max && field->min == field->max)
		diag_error(p->diags, node->position, "'%s' must be %" PRIu32 ", not %s", field->name, field->min, text);
	else
		diag_error(p->diags, node->position, "'%s' must be from %" PRIu32 " to %" PRIu32 ", not %s", field->name,
			   field->min, field->max ? field->max : UINT32_MAX, text);
	return false;
}

static void integer_print(const struct field *field, const void *value, struct text *out) {
	uint32_t number = *(const uint32_t *)value;

	for (const struct enum_name *e = field->names; e && e->name; e++)
		if (e->value == number) {
			text_add(out, e->name);
			return;
		}
	text_addf(out, "%" PRIu32, number);
}

const struct type type_integer = {
	.name = "integer",
	.size = sizeof(uint32_t),
	.parse = integer_parse,
	.print = integer_print,
	.equal = type_u32_equal,
	.put = type_u32_put,
	.get = type_u32_get,
};

static bool signed_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	const char *text = parse_scalar(p, field, node), *digits = text ? startswith(text, "-") : NULL;
	uint32_t number;

	if (!text)
		return false;
	if (parse_u32(digits ? digits : text, &number) < 0 || number > INT32_MAX)
		return type_wrong(p, field, node, NULL);
	*(uint32_t *)value = digits ? -number : number;
	return true;
}

static void signed_print(const struct field *field _unused_, const void *value, struct text *out) {
	text_addf(out, "%" PRId32, *(const int32_t *)value);
}

const struct type type_signed = {
	.name = "integer",
	.schema = "{\"type\": \"integer\"}",
	.size = sizeof(uint32_t),
	.parse = signed_parse,
	.print = signed_print,
	.equal = type_u32_equal,
	.put = type_u32_put,
	.get = type_u32_get,
};

static bool bool_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	static const struct enum_name words[] = {
		{ "true", 1 }, { "yes", 1 }, { "on", 1 }, { "false", 0 }, { "no", 0 }, { "off", 0 },
	};
	const char *text = parse_scalar(p, field, node);

	if (!text)
		return false;
	for (size_t i = 0; !node->quoted && i < ARRAY_SIZE(words); i++)
		if (strcasecmp(text, words[i].name) == 0) {
			*(uint32_t *)value = words[i].value;
			return true;
		}
	diag_error(p->diags, node->position, "'%s' must be true or false, not %s%s%s", field->name,
		   node->quoted ? "\"" : "'", text, node->quoted ? "\"" : "'");
	return false;
}

static void bool_print(const struct field *field _unused_, const void *value, struct text *out) {
	text_add(out, *(const uint32_t *)value ? "true" : "false");
}

const struct type type_bool = {
	.name = "boolean",
	.schema = "{\"type\": \"boolean\"}",
	.size = sizeof(uint32_t),
	.parse = bool_parse,
	.print = bool_print,
	.equal = type_u32_equal,
	.put = type_u32_put,
	.get = type_u32_get,
};

static bool enum_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	const char *text = parse_scalar(p, field, node);
	_cleanup_text_ struct text otherwise = {};
	uint32_t number;

	if (!text)
		return false;
	for (const struct enum_name *e = field->names; e->name; e++)
		if (streq(text, e->name)) {
			*(uint32_t *)value = e->value;
			return true;
		}
	if (parse_u32(text, &number) == 0)
		for (const struct enum_name *e = field->names; e->name; e++)
			if (number == e->value) {
				diag_error(p->diags, node->position, "'%s' takes a word: write %s instead of %s",
					   field->name, e->name, text);
				return false;
			}
	struct suggestion near = suggest_for(text);
	text_add(&otherwise, "it is one of: ");
	for (const struct enum_name *e = field->names; e->name; e++) {
		text_addf(&otherwise, "%s%s", e == field->names ? "" : ", ", e->name);
		suggest(&near, e->name);
	}
	diag_unknown(p->diags, node->position, &near, otherwise.data, "unknown %s '%s'", field->name, text);
	return false;
}

static void enum_print(const struct field *field, const void *value, struct text *out) {
	uint32_t number = *(const uint32_t *)value;

	for (const struct enum_name *e = field->names; e->name; e++)
		if (e->value == number) {
			text_add(out, e->name);
			return;
		}
	text_addf(out, "%" PRIu32, number);
}

const struct type type_enum = {
	.name = "word",
	.size = sizeof(uint32_t),
	.parse = enum_parse,
	.print = enum_print,
	.equal = type_u32_equal,
	.put = type_u32_put,
	.get = type_u32_get,
};

static const struct {
	const char *suffix;
	uint64_t usec;
} duration_units[] = {
	{ "us", 1 }, { "ms", 1000 }, { "s", 1000000 }, { "m", 60000000 }, { "h", 3600000000ULL }, { "", 1000000 },
};

/* 0, -EINVAL if it is not a duration, -ERANGE if the field cannot hold it exactly. */
static int parse_duration(const char *text, const struct field *field, uint32_t *ret) {
	size_t digits = strspn(text, "0123456789");
	char number[12];
	uint32_t count;

	if (!digits || digits >= sizeof(number))
		return -EINVAL;
	memcpy(number, text, digits);
	number[digits] = '\0';
	if (parse_u32(number, &count) < 0)
		return -ERANGE;
	for (size_t i = 0; i < ARRAY_SIZE(duration_units); i++) {
		if (!streq(text + digits, duration_units[i].suffix))
			continue;
		uint64_t step = 1000000 / field->unit;
		bool bare = !*duration_units[i].suffix && field->bare_unit;
		uint64_t usec = count * (bare ? step : duration_units[i].usec);

		if (usec % step || usec / step > UINT32_MAX)
			return -ERANGE;
		*ret = (uint32_t)(usec / step);
		return 0;
	}
	return -EINVAL;
}

static void duration_print(const struct field *field, const void *value, struct text *out) {
	uint64_t usec = (uint64_t) * (const uint32_t *)value * (1000000 / field->unit);

	for (size_t i = ARRAY_SIZE(duration_units) - 1; i-- > 0;)
		if (usec % duration_units[i].usec == 0 && (usec || i == 2)) {
			text_addf(out, "%" PRIu64 "%s", usec / duration_units[i].usec, duration_units[i].suffix);
			return;
		}
}

static bool duration_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	const char *text = parse_scalar(p, field, node);
	uint32_t amount;

	if (!text)
		return false;
	int r = parse_duration(text, field, &amount);
	if (r == -EINVAL)
		return type_wrong(p, field, node, "15s or 200ms");
	if (r < 0 || amount < field->min || (field->max && amount > field->max)) {
		uint32_t min = field->min, max = field->max ? field->max : UINT32_MAX, step = 1;
		_cleanup_text_ struct text range = {};

		duration_print(field, &min, &range);
		text_add(&range, " to ");
		duration_print(field, &max, &range);
		text_add(&range, " in steps of ");
		duration_print(field, &step, &range);
		diag_error(p->diags, node->position, "'%s' must be from %s, not %s", field->name, text_str(&range), text);
		return false;
	}
	*(uint32_t *)value = amount;
	return true;
}

const struct type type_duration = {
	.name = "duration",
	.schema = "{\"type\": [\"integer\", \"string\"], \"minimum\": 0, \"pattern\": \"^[0-9]+(us|ms|s|m|h)?$\"}",
	.size = sizeof(uint32_t),
	.parse = duration_parse,
	.print = duration_print,
	.equal = type_u32_equal,
	.put = type_u32_put,
	.get = type_u32_get,
};

static bool table_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	static const struct name_number fixed[] = { { "default", 253 }, { "main", 254 }, { "local", 255 } };
	const char *text = parse_scalar(p, field, node);
	uint32_t number;

	if (!text)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		if (streq(text, fixed[i].name)) {
			*(uint32_t *)value = fixed[i].number;
			return true;
		}
	for (const struct name_number *t = p->tables; t && t->name; t++)
		if (streq(text, t->name)) {
			*(uint32_t *)value = t->number;
			return true;
		}
	if (parse_u32(text, &number) < 0 || !number) {
		diag_error(p->diags, node->position,
			   "'%s' is not a routing table; write a number from 1, main, local, default, or a name in "
			   "/etc/iproute2/rt_tables",
			   text);
		return false;
	}
	*(uint32_t *)value = number;
	return true;
}

static void table_print(const struct field *field _unused_, const void *value, struct text *out) {
	uint32_t number = *(const uint32_t *)value;

	if (number == 254)
		text_add(out, "main");
	else if (number == 255)
		text_add(out, "local");
	else if (number == 253)
		text_add(out, "default");
	else
		text_addf(out, "%" PRIu32, number);
}

const struct type type_table = {
	.name = "routing table",
	.schema = "{\"type\": [\"integer\", \"string\"], \"minimum\": 1}",
	.size = sizeof(uint32_t),
	.parse = table_parse,
	.print = table_print,
	.equal = type_u32_equal,
	.put = type_u32_put,
	.get = type_u32_get,
};
