/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The types of texts and names: of interfaces, of files, and references to interfaces and namespaces.
 */
#include <ctype.h>
#include <inttypes.h>

#include "model/type_private.h"
#include "base/utf8.h"

static bool text_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	const char *text = type_parse_word(p, field, node);

	if (text)
		*(const char **)value = arena_strdup(p->arena, text);
	return text;
}

static void text_print(const struct field *field _unused_, const void *value, struct text *out) {
	const char *text = *(const char *const *)value;

	text_add(out, text && *text ? text : "none");
}

static bool text_equal(const void *a, const void *b) {
	return streq_ptr(*(const char *const *)a, *(const char *const *)b);
}

static void text_put(struct nl_writer *w, const struct field *field, const void *value) {
	nl_put_text(w, field->attr, *(const char *const *)value);
}

static bool text_get(struct arena *arena, const struct field *field _unused_, const struct nlattr *attr, void *value) {
	const char *text = nl_get_text(attr);

	if (text)
		*(const char **)value = arena_strdup(arena, text);
	return text;
}

const struct type type_text = {
	.name = "text",
	.size = sizeof(char *),
	.parse = text_parse,
	.print = text_print,
	.equal = text_equal,
	.put = text_put,
	.get = text_get,
};

static bool name_valid(const char *name, size_t max, const char **ret_why) {
	*ret_why = NULL;
	if (!*name)
		*ret_why = "is empty";
	else if (strlen(name) > max)
		*ret_why = max == LINK_NAME_MAX ? "is longer than 15 bytes" : "is longer than 127 bytes";
	else if (streq(name, ".") || streq(name, ".."))
		*ret_why = "is not a file name";
	else if (streq(name, "all") || streq(name, "default"))
		/* sysctl_dev_name_is_allowed(), net/sysctl_net.c, and its callers */
		*ret_why = "is reserved by the kernel for the settings of all interfaces; choose another name";
	for (const char *c = name; *c && !*ret_why; c++)
		if (*c == '/' || *c == ':' || isspace((unsigned char)*c))
			*ret_why = "contains '/', ':' or white space";
		else if ((unsigned char)*c < ' ' || *c == 127)
			*ret_why = "contains a control character";
		else if (*c == '%')
			*ret_why = "contains '%', which the kernel reads as a pattern";
	return !*ret_why;
}

bool link_name_valid(const char *name, const char **ret_why) {
	return name_valid(name, LINK_NAME_MAX, ret_why);
}

bool alternative_name_valid(const char *name, const char **ret_why) {
	return name_valid(name, ALTERNATIVE_NAME_MAX, ret_why);
}

bool path_stays_below(const char *path) {
	for (;; path++) {
		size_t n = strcspn(path, "/");

		if (n == 0 || (n <= 2 && strspn(path, ".") >= n))
			return false;
		path += n;
		if (!*path)
			return true;
	}
}

bool file_name_valid(const char *name, const char **ret_why) {
	*ret_why = NULL;
	if (!*name)
		*ret_why = "is empty";
	else if (strlen(name) > 200)
		*ret_why = "is longer than 200 bytes";
	else if (*name == '.' || *name == '-')
		*ret_why = "begins with '.' or '-'";
	for (const char *c = name; *c && !*ret_why; c++)
		if (*c == '/' || *c == ':' || isspace((unsigned char)*c))
			*ret_why = "contains '/', ':' or white space";
	for (size_t i = 0, n, size = strlen(name); i < size && !*ret_why; i += n) {
		uint32_t code;

		n = utf8_decode(name + i, size - i, &code);
		if (!n || utf8_is_unsafe(code))
			*ret_why = n ? "contains a control character" : "is not UTF-8 text";
	}
	return !*ret_why;
}

bool parse_no_range(struct parse *p, const struct node *node, const char *name) {
	if (!node->position.line || !strchr(name, '['))
		return true;
	diag_error(p->diags, node->position,
		   "'%s': a range can stand only where something is named: as a key of 'namespaces', 'interfaces' or "
		   "'networks', and in 'links', 'ports' and 'members'",
		   name);
	return false;
}

static bool check_link_name(struct parse *p, const struct node *node, const char *name) {
	const char *why;

	if (!parse_no_range(p, node, name))
		return false;
	if (link_name_valid(name, &why))
		return true;
	diag_error(p->diags, node->position, "the interface name '%s' %s", name, why);
	return false;
}

static int compare_aliases(const void *a, const void *b) {
	const struct link_alias *x = a, *y = b;
	int r = strcmp(x->alias, y->alias);

	return r ? r : strcmp(x->ns, y->ns);
}

void aliases_sort(struct link_aliases *aliases) {
	if (aliases->n)
		qsort(aliases->items, aliases->n, sizeof(*aliases->items), compare_aliases);
}

const char *parse_real_name(const struct parse *p, const char *ns, const char *name) {
	const struct link_alias key = { .ns = ns, .alias = name }, *found = NULL;

	if (p->aliases && p->aliases->n && ns)
		found = bsearch(&key, p->aliases->items, p->aliases->n, sizeof(key), compare_aliases);
	return found ? found->name : name;
}

static bool link_name_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	const char *text = type_parse_word(p, field, node);

	if (text)
		text = parse_real_name(p, p->ns, text);
	if (!text || !check_link_name(p, node, text))
		return false;
	*(const char **)value = arena_strdup(p->arena, text);
	return true;
}

const struct type type_link_name = {
	.name = "interface name",
	.schema = "{\"$ref\": \"#/$defs/interface-name\"}",
	.size = sizeof(char *),
	.parse = link_name_parse,
	.print = text_print,
	.equal = text_equal,
	.put = text_put,
	.get = text_get,
};

static bool link_ref_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	const char *text = type_parse_word(p, field, node), *colon, *why;
	struct link_ref ref = { .ns = p->ns, .netnsid = -1 };

	if (!text)
		return false;
	colon = strchr(text, ':');
	if (colon && (colon == text || !colon[1])) {
		diag_error(p->diags, node->position, "'%s' is not an endpoint; write namespace:interface", text);
		return false;
	}
	if (colon) {
		ref.ns = arena_strndup(p->arena, text, (size_t)(colon - text));
		if (!parse_no_range(p, node, ref.ns))
			return false;
		if (!file_name_valid(ref.ns, &why)) {
			diag_error(p->diags, node->position, "the namespace name '%s' %s", ref.ns, why);
			return false;
		}
		text = colon + 1;
	}
	text = parse_real_name(p, ref.ns, text);
	if (!ref.ns) {
		diag_error(p->diags, node->position, "'%s' is not an endpoint; write namespace:interface", text);
		return false;
	}
	if (!check_link_name(p, node, text))
		return false;
	ref.name = arena_strdup(p->arena, text);
	*(struct link_ref *)value = ref;
	return true;
}

static void link_ref_print(const struct field *field _unused_, const void *value, struct text *out) {
	const struct link_ref *ref = value;

	if (ref->name)
		text_addf(out, "%s:%s", ref->ns ? ref->ns : "?", ref->name);
	else if (ref->ifindex)
		text_addf(out, "an interface elsewhere (index %" PRIu32 ")", ref->ifindex);
	else
		text_add(out, "none");
}

static bool link_ref_equal(const void *a, const void *b) {
	const struct link_ref *x = a, *y = b;

	return streq_ptr(x->ns, y->ns) && streq_ptr(x->name, y->name);
}

static bool underlay_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	const char *text = type_parse_word(p, field, node), *why;

	if (!text || !parse_no_range(p, node, text))
		return false;
	if (!file_name_valid(text, &why)) {
		diag_error(p->diags, node->position, "the namespace name '%s' %s", text, why);
		return false;
	}
	*(struct link_ref *)value = (struct link_ref){ .ns = streq_ptr(text, p->ns) ? NULL : arena_strdup(p->arena, text) };
	return true;
}

static void underlay_print(const struct field *field _unused_, const void *value, struct text *out) {
	const struct link_ref *ref = value;

	text_add(out, ref->ns ? ref->ns : "none");
}

static bool underlay_equal(const void *a, const void *b) {
	const struct link_ref *x = a, *y = b;

	return streq_ptr(x->ns, y->ns);
}

const struct type type_underlay = {
	.name = "namespace",
	.size = sizeof(struct link_ref),
	.parse = underlay_parse,
	.print = underlay_print,
	.equal = underlay_equal,
};

const struct type type_link_ref = {
	.name = "interface",
	.size = sizeof(struct link_ref),
	.parse = link_ref_parse,
	.print = link_ref_print,
	.equal = link_ref_equal,
};
