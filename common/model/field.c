/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/field.h"

void field_print(const struct field *field, const void *base, struct text *out) {
	field->type->print(field, field_of(field, base), out);
}

bool field_from_text(struct arena *arena, const char *ns, const struct field *field, const char *text, void *base) {
	struct diags quiet = {};
	struct parse parse = { .arena = arena, .diags = &quiet, .ns = ns };
	/* No person wrote it: 52:54:00:12:34:56 is no number to the base 60. */
	struct node node = { .type = NODE_SCALAR, .n = strlen(text), .text = text, .quoted = field->type != &type_bool };
	bool good = true;

	/* Texts are taken as they are: "" and words that a person would have to quote are values, too. */
	if (field->type == &type_text || field->type == &type_link_name)
		*(const char **)field_of(field, base) = arena_strdup(arena, text);
	else if (streq(text, "none") && (field->type == &type_ip || field->type == &type_prefix))
		memset(field_of(field, base), 0, field->type->size); /* as they print it; no person writes it */
	else
		good = field->type->parse(&parse, field, &node, field_of(field, base));
	diags_done(&quiet);
	return good;
}

bool field_equal(const struct field *field, const void *a, const void *b) {
	return field->type->equal(field_of(field, a), field_of(field, b));
}

static const struct field *find_field(const struct field *fields, size_t n, const char *name) {
	for (const struct field *f = fields; f < fields + n; f++)
		if (!(f->flags & FIELD_HIDDEN) && streq(f->name, name))
			return f;
	return NULL;
}

/* What people look for in an interface, and where it stands. */
static const char *elsewhere(const char *key, const char *what) {
	static const struct {
		const char *begin, *where;
	} places[] = {
		{ "gateway", "write routes in the namespace: routes: [{to: default, via: ADDRESS}]" },
		{ "routes", "write routes in the namespace: routes: [{to: default, via: ADDRESS}]" },
		{ "dhcp", "topod sets only declared addresses; for DHCP, run a client in the namespace" },
		{ "nameservers", "write name servers in the namespace: dns: {servers: [ADDRESS]}" },
		{ "dns", "write name servers in the namespace: dns: {servers: [ADDRESS]}" },
		{ "master", "list ports under their controller: ports: [NAME]" },
		{ "bridge", "list ports under their controller: ports: [NAME]" },
		{ "peer", "write veth pairs under 'links': [NAMESPACE:NAME, NAMESPACE:NAME]" },
		{ "netns", "write interfaces under their namespace" },
		{ "namespace", "write interfaces under their namespace" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(places) && strstr(what, "interface"); i++)
		if (startswith(key, places[i].begin))
			return places[i].where;
	return NULL;
}

void parse_unknown_key(struct diags *diags, const struct node *key, const char *what, const char *const *names, size_t n) {
	const char *near = diag_suggest(key->text, names, n), *where = elsewhere(key->text, what);

	if (near)
		diag_error(diags, key->position, "unknown key '%s' in %s; did you mean '%s'?", key->text, what, near);
	else if (where)
		diag_error(diags, key->position, "unknown key '%s' in %s; %s", key->text, what, where);
	else
		diag_error(diags, key->position, "unknown key '%s' in %s", key->text, what);
}

static void unknown_key(struct parse *p, const struct field *fields, size_t n, const char *const *other_keys,
			const struct node *key, const char *what) {
	const char *names[96];
	size_t n_names = 0;

	for (size_t i = 0; i < n && n_names < ARRAY_SIZE(names); i++)
		if (!(fields[i].flags & FIELD_HIDDEN))
			names[n_names++] = fields[i].name;
	for (; other_keys && *other_keys && n_names < ARRAY_SIZE(names); other_keys++)
		names[n_names++] = *other_keys;

	parse_unknown_key(p->diags, key, what, names, n_names);
}

void fields_parse(struct parse *p, const struct field *fields, size_t n, const struct node *mapping, void *base,
		  uint64_t *set, struct position *positions, const char *what, const char *const *other_keys,
		  parse_other_fn other, void *userdata) {
	uint64_t seen = 0;

	if (mapping->type != NODE_MAPPING) {
		diag_error(p->diags, mapping->position, "%s must be a mapping of keys, not %s", what,
			   node_type_name(mapping));
		return;
	}
	for (size_t i = 0; i < mapping->n; i++) {
		const struct node_pair *pair = &mapping->pairs[i];
		const struct field *field = find_field(fields, n, pair->key->text);

		if (other && other(userdata, pair))
			continue;
		if (!field) {
			unknown_key(p, fields, n, other_keys, pair->key, what);
			continue;
		}
		size_t bit = (size_t)(field - fields);
		seen |= UINT64_C(1) << bit;
		if (!field->type->parse(p, field, pair->value, field_of(field, base)))
			continue;
		*set |= UINT64_C(1) << bit;
		if (positions) /* a list or mapping may begin on another line than its key */
			positions[bit] = pair->value->type == NODE_SCALAR ? pair->value->position : pair->key->position;
	}
	for (size_t i = 0; i < n; i++)
		if (fields[i].flags & FIELD_REQUIRED && !(seen >> i & 1))
			diag_error(p->diags, mapping->position, "%s needs '%s'", what, fields[i].name);
}
