/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kind/nexthop_group.h"

#include <linux/nexthop.h>

static const struct field member_fields[] = {
	{ .name = "id",
	  .type = &type_integer,
	  .offset = offsetof(struct nexthop_member, id),
	  .flags = FIELD_REQUIRED,
	  .min = 1,
	  .doc = "Number of the next hop." },
	{ .name = "weight",
	  .type = &type_integer,
	  .offset = offsetof(struct nexthop_member, weight),
	  .min = 1,
	  .max = 256,
	  .doc = "Share of the traffic; 1 by default." },
};

static int compare_members(const void *a, const void *b) {
	const struct nexthop_member *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static void sort_group(struct nexthop_group *group) {
	if (group->n)
		qsort(group->members, group->n, sizeof(*group->members), compare_members);
}

/* {id: 1, weight: 2}, or just a number. */
static bool member_parse(struct parse *p, const struct node *node, struct nexthop_member *member) {
	uint64_t set = 0;

	member->weight = 1;
	if (node->type == NODE_SCALAR && !node_is_null(node))
		return type_integer.parse(p, &member_fields[0], node, &member->id);
	return fields_parse(p, node,
			    &(struct fields_parse){ .what = "a member of a group",
						    .fields = member_fields,
						    .n = ARRAY_SIZE(member_fields),
						    .base = member,
						    .set = &set });
}

static bool group_parse(struct parse *p, const struct field *field _unused_, const struct node *node, void *value) {
	struct nexthop_group *group = value;
	bool good = true;

	if (node->type != NODE_SEQUENCE || !node->n) {
		diag_error(p->diags, node->position, "'group' is a list of {id, weight}");
		return false;
	}
	group->n = node->n;
	group->members = arena_newn(p->arena, struct nexthop_member, node->n);
	for (size_t i = 0; i < node->n; i++)
		good &= member_parse(p, node->items[i], &group->members[i]);
	sort_group(group);
	for (size_t i = 1; good && i < group->n; i++)
		if (group->members[i].id == group->members[i - 1].id) {
			diag_error(p->diags, node->position,
				   "next hop %u is in the group twice; use 'weight' for a larger share",
				   group->members[i].id);
			good = false;
		}
	return good;
}

static void group_print(const struct field *field _unused_, const void *value, struct text *out) {
	const struct nexthop_group *group = value;

	text_add(out, group->n ? "" : "none");
	for (size_t i = 0; i < group->n; i++)
		text_addf(out, "%s%u weight %u", i ? " | " : "", group->members[i].id, group->members[i].weight);
}

static bool group_equal(const void *a, const void *b) {
	const struct nexthop_group *x = a, *y = b;

	return x->n == y->n && (!x->n || !memcmp(x->members, y->members, x->n * sizeof(*x->members)));
}

static bool group_names_key(const void *value, size_t i, const void **ret_key, size_t *ret_size) {
	const struct nexthop_group *group = value;

	if (i >= group->n)
		return false;
	*ret_key = &group->members[i].id;
	*ret_size = sizeof(group->members[i].id);
	return true;
}

static const void *group_item(const void *value, size_t i, uint64_t *ret_set) {
	const struct nexthop_group *group = value;
	const struct nexthop_member *member = i < group->n ? &group->members[i] : NULL;

	if (member)
		*ret_set = 1 | (member->weight != 1 ? 2 : 0);
	return member;
}

const struct type type_nexthop_group = {
	.name = "list of next hops",
	.size = sizeof(struct nexthop_group),
	.parse = group_parse,
	.print = group_print,
	.equal = group_equal,
	.names_key = group_names_key,
	.schema = "{\"type\": \"array\", \"minItems\": 1, \"items\": {\"anyOf\": [{\"type\": \"integer\", \"minimum\": 1}, "
		  "{\"type\": \"object\", \"properties\": {\"id\": {\"type\": \"integer\", \"minimum\": 1}, "
		  "\"weight\": {\"type\": \"integer\", \"minimum\": 1, \"maximum\": 256}}, "
		  "\"required\": [\"id\"], \"additionalProperties\": false}]}}",
	.keys = member_fields,
	.n_keys = ARRAY_SIZE(member_fields),
	.item = group_item,
};

void nexthop_group_put(struct arena *arena, struct nl_writer *w, const struct nexthop_group *group) {
	struct nexthop_grp *members = arena_newn(arena, struct nexthop_grp, group->n);

	for (size_t i = 0; i < group->n; i++)
		members[i] = (struct nexthop_grp){ .id = group->members[i].id,
						   .weight = (uint8_t)(group->members[i].weight - 1) };
	nl_put(w, NHA_GROUP, members, group->n * sizeof(*members));
}

struct nexthop_group nexthop_group_take(struct arena *arena, const struct nlattr *attr) {
	const struct nexthop_grp *members = mnl_attr_get_payload(attr);
	struct nexthop_group group = { .n = mnl_attr_get_payload_len(attr) / sizeof(*members) };

	group.members = arena_newn(arena, struct nexthop_member, group.n);
	for (size_t i = 0; i < group.n; i++)
		group.members[i] = (struct nexthop_member){ .id = members[i].id, .weight = members[i].weight + 1U };
	sort_group(&group);
	return group;
}
