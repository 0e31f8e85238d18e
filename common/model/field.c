/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a mapping of the file by a table of fields, and reading, printing and comparing the value of one field. The
 * types of values are in type.c.
 */
#include "model/field.h"

void field_print(const struct field *field, const void *base, struct text *out) {
	field->type->print(field, field_of(field, base), out);
}

bool field_from_text(struct arena *arena, const char *ns, const struct field *field, const char *text, void *base) {
	struct diags quiet = {};
	struct parse parse = { .arena = arena, .diags = &quiet, .ns = ns };
	/* The text was not written by a user, so 52:54:00:12:34:56 is not a base-60 number. */
	struct node node = { .type = NODE_SCALAR, .n = strlen(text), .text = text, .quoted = field->type != &type_bool };
	bool good = true;

	/* Texts are taken verbatim: "" and words that a user would have to quote are valid. */
	if (field->type == &type_text || field->type == &type_link_name)
		*(const char **)field_of(field, base) = arena_strdup(arena, text);
	else if (streq(text, "none") &&
		 (field->type == &type_ip || field->type == &type_prefix || field->type == &type_mac ||
		  field->type == &type_link_ref || field->type == &type_underlay || field->type->is_key_file))
		memset(field_of(field, base), 0, field->type->size); /* as their print() writes it; not valid in a file */
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

/* Keys that users expect in an interface, and where they belong. */
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

static void unknown_key(struct parse *p, const struct fields_parse *f, const struct node *key) {
	struct suggestion near = suggest_for(key->text);

	for (size_t i = 0; i < f->n; i++)
		if (!(f->fields[i].flags & FIELD_HIDDEN))
			suggest(&near, f->fields[i].name);
	for (const char *const *other = f->others; other && *other; other++)
		suggest(&near, *other);
	diag_unknown(p->diags, key->position, &near, elsewhere(key->text, f->what), "unknown key '%s' in %s", key->text,
		     f->what);
}

/* Stores the value of a key that is not a field; false: it is another key. */
static bool take_other(const struct fields_parse *f, const struct node_pair *pair) {
	for (size_t i = 0; f->others && f->others[i]; i++)
		if (streq(f->others[i], pair->key->text)) {
			f->values[i] = pair->value;
			return true;
		}
	return false;
}

static void parse_pair(struct parse *p, const struct fields_parse *f, const struct node_pair *pair, uint64_t *seen) {
	const struct field *field;

	if (take_other(f, pair))
		return;
	field = find_field(f->fields, f->n, pair->key->text);
	if (!field) {
		unknown_key(p, f, pair->key);
		return;
	}
	size_t i = (size_t)(field - f->fields);
	*seen |= UINT64_C(1) << i;
	if (f->positions) /* a list or mapping may begin on another line than its key */
		f->positions[i] = pair->value->type == NODE_SCALAR ? pair->value->position : pair->key->position;
	if (field->type->parse(p, field, pair->value, field_of(field, f->base)))
		*f->set |= UINT64_C(1) << i;
}

bool fields_parse(struct parse *p, const struct node *mapping, const struct fields_parse *f) {
	size_t errors = p->diags->n_errors;
	uint64_t seen = 0;

	if (mapping->type != NODE_MAPPING) {
		diag_error(p->diags, mapping->position, "%s must be a mapping of keys, not %s%s", f->what,
			   node_type_name(mapping),
			   node_is_null(mapping) && f->may_be_empty ? "; an empty one is written {}" : "");
		return false;
	}
	for (size_t i = 0; i < mapping->n; i++)
		parse_pair(p, f, &mapping->pairs[i], &seen);
	for (size_t i = 0; i < f->n; i++) {
		const char *unless = f->fields[i].unless;

		if (f->fields[i].flags & FIELD_REQUIRED && !(seen >> i & 1) && !(unless && node_get(mapping, unless)))
			diag_error(p->diags, mapping->position, "%s needs '%s'%s%s%s", f->what, f->fields[i].name,
				   unless ? " or '" : "", unless ? unless : "", unless ? "'" : "");
	}
	return p->diags->n_errors == errors;
}
