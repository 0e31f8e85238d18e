/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a mapping by its table of sections and its table of fields. It knows no key by name except `drift`, which
 * applies to everything in its mapping.
 */
#include "language/spec_private.h"

void spec_reading_begin(struct spec_reading *s) {
	struct arena *arena = s->here.parse.arena;

	s->namespace = sections_of(arena, &mapping_namespace);
	s->interface = sections_of_interface(arena);
	s->link = sections_of(arena, &mapping_link);
	for (const struct kind *const *k = kinds; *k; k++) {
		if ((*k)->found && !(*k)->unnamed)
			s->found_kind = *k;
		for (size_t i = 0; i < (*k)->n_fields; i++)
			if ((*k)->fields[i].flags & FIELD_PEER) {
				s->pair_kind = *k;
				s->peer = i;
			}
	}
}

bool spec_read_mapping(struct reading *r, const struct node *node, const struct mapping *mapping, struct sections *s,
		       struct fields_parse fields) {
	size_t errors = r->parse.diags->n_errors;

	if (s->n)
		memset(s->values, 0, s->n * sizeof(s->values[0]));
	fields.what = fields.what ? fields.what : mapping->what;
	fields.others = s->keys;
	fields.values = s->values;
	fields_parse(&r->parse, node, &fields);
	for (size_t i = 0; i < s->n && node->type == NODE_MAPPING; i++)
		if (s->items[i]->required && !s->values[i])
			diag_error(r->parse.diags, node->position, "%s needs '%s'", fields.what, s->keys[i]);
	return r->parse.diags->n_errors == errors;
}

void spec_read_values(struct reading *r, const struct sections *s) {
	for (int early = 1; early >= 0; early--)
		for (size_t i = 0; i < s->n; i++) {
			const struct section *section = s->items[i];
			const struct node *value = s->values[i];

			if (value && section->early == early && !(section->may_be_empty && node_is_null(value)))
				section_read(r, section, value);
		}
}

void spec_read_drift(struct reading *r, const struct node *mapping) {
	const struct node *node = mapping->type == NODE_MAPPING ? node_get(mapping, spec_key_drift.name) : NULL;
	uint32_t value;

	if (node && type_enum.parse(&r->parse, &spec_key_drift, node, &value))
		r->drift = (enum drift_policy)value;
}
