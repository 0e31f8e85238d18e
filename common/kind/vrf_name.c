/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of a VRF by the VRF's name (vrf_name.h). The interfaces of a namespace are read before its routes and rules.
 * Only VRFs of the file are known; the table of an `existing` one is not.
 */
#include "kind/vrf_name.h"

#include "kind/link.h"
#include "model/state.h"

static bool is_vrf(const struct object *object) {
	return object_is_link(object) && streq_ptr(object->kind->link_kind, "vrf");
}

static void refuse(struct parse *p, const struct node *node, const char *name, const struct object *link) {
	struct suggestion near = suggest_for(name);

	ns_foreach(object, p->here)
		if (is_vrf(object))
			suggest(&near, ((const struct link *)object)->name);
	if (link && link->external)
		diag_error(p->diags, node->position,
			   "the file does not say which table the existing interface '%s' has; write 'table: NUMBER'", name);
	else if (link)
		diag_unknown(p->diags, node->position, &near, NULL, "'%s' is %s %s and not a VRF", name,
			     indefinite_article(link->kind->name), link->kind->name);
	else
		diag_unknown(p->diags, node->position, &near,
			     "declare it under 'interfaces' with 'kind: vrf', or write 'table: NUMBER'",
			     "there is no VRF '%s' in %s", name, p->ns);
}

static bool parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	const struct object *link;
	const char *name;

	if (!type_link_name.parse(p, field, node, &name))
		return false;
	link = p->here ? ns_find_link(p->here, name) : NULL;
	if (!link || !is_vrf(link)) {
		refuse(p, node, name, link);
		return false;
	}
	*(uint32_t *)value = ((const struct link *)link)->own_table; /* 0 after an error in its entry */
	return *(uint32_t *)value;
}

static void print(const struct field *field, const void *value, struct text *out) {
	type_table.print(field, value, out);
}

static bool equal(const void *a, const void *b) {
	return type_table.equal(a, b);
}

const struct type type_vrf_name = {
	.name = "name of a VRF",
	.schema = "{\"$ref\": \"#/$defs/interface-name\"}",
	.size = sizeof(uint32_t),
	.parse = parse,
	.print = print,
	.equal = equal,
};

bool vrf_settle(struct parse *p, struct object *object, size_t vrf, size_t table) {
	struct position *positions = (struct position *)(uintptr_t)object->positions;

	if (!object_has(object, vrf))
		return true;
	if (object_has(object, table)) {
		diag_error(p->diags, positions[vrf], "'vrf' replaces 'table'; write only one of them");
		return false;
	}
	positions[table] = positions[vrf];
	object->set = (object->set & ~field_bit(vrf)) | field_bit(table);
	return true;
}
