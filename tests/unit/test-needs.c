/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an object needs: links by name, and objects of any other class by their keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kind/kinds.h"
#include "kind/link.h"
#include "plan/order.h"

/* Classes that topod does not have: hops with a number, and ways that need a hop and a link. */
struct hop {
	struct object object;
	uint32_t id;
};

struct way {
	struct object object;
	const char *name, *dev;
	struct link_ref below;
	uint32_t hop;
};

enum { WAY_NAME, WAY_DEV, WAY_BELOW, WAY_HOP };

static const struct class class_hop = { .name = "hop", .plural = "hops", .part_of = &class_netns };
static const struct class class_way = { .name = "way", .plural = "ways", .part_of = &class_netns };

static const struct field hop_fields[] = {
	{ .name = "id", .type = &type_integer, .offset = offsetof(struct hop, id), .class = FIELD_KEY },
};

static const struct field way_fields[] = {
	[WAY_NAME] = { .name = "name", .type = &type_text, .offset = offsetof(struct way, name), .class = FIELD_KEY },
	[WAY_DEV] = { .name = "dev", .type = &type_link_name, .offset = offsetof(struct way, dev), .flags = FIELD_DEV },
	[WAY_BELOW] = { .name = "below",
			.type = &type_link_ref,
			.offset = offsetof(struct way, below),
			.flags = FIELD_DEV | FIELD_LOWER },
	[WAY_HOP] = { .name = "hop", .type = &type_integer, .offset = offsetof(struct way, hop), .needs = &class_hop },
};

static const struct kind kind_hop = {
	.name = "hop",
	.class = &class_hop,
	.size = sizeof(struct hop),
	.fields = hop_fields,
	.n_fields = ARRAY_SIZE(hop_fields),
};

static const struct kind kind_way = {
	.name = "way",
	.class = &class_way,
	.size = sizeof(struct way),
	.fields = way_fields,
	.n_fields = ARRAY_SIZE(way_fields),
};

static struct object *add_hop(struct state *state, const char *ns, uint32_t id) {
	struct hop *hop = (struct hop *)object_new(&state->arena, &kind_hop, ns);

	hop->id = id;
	object_seal(&state->arena, &hop->object);
	assert_null(ns_add(state_namespace(state, ns), &hop->object));
	return &hop->object;
}

static struct object *add_link(struct state *state, const char *ns, const char *name) {
	struct link *link = (struct link *)object_new(&state->arena, &kind_dummy, ns);

	link->name = name;
	object_seal(&state->arena, &link->object);
	assert_null(ns_add(state_namespace(state, ns), &link->object));
	return &link->object;
}

static struct way *add_way(struct state *state, const char *ns, uint64_t set) {
	struct way *way = (struct way *)object_new(&state->arena, &kind_way, ns);

	*way = (struct way){
		.object = way->object, .name = "w", .dev = "e0", .below = { .ns = "b", .name = "e1" }, .hop = 7
	};
	way->object.set = set;
	object_seal(&state->arena, &way->object);
	assert_null(ns_add(state_namespace(state, ns), &way->object));
	return way;
}

static size_t count_needs(const struct object *object) {
	size_t n = 0;

	object_foreach_need(need, object)
		n++;
	return n;
}

static void test_each_is_found(void **state_ _unused_) {
	struct state state = {};
	const struct object *expected[] = { add_link(&state, "a", "e0"), add_link(&state, "b", "e1"),
					    add_hop(&state, "a", 7) };
	const struct way *way = add_way(&state, "a", field_bit(WAY_DEV) | field_bit(WAY_BELOW) | field_bit(WAY_HOP));
	size_t n = 0;

	add_hop(&state, "b", 7);
	add_hop(&state, "a", 8);
	object_foreach_need(need, &way->object) {
		assert_true(n < ARRAY_SIZE(expected));
		assert_ptr_equal(state_find_need(&state, &need), expected[n]);
		n++;
	}
	assert_int_equal(n, ARRAY_SIZE(expected));
	assert_string_equal(object_lower(&way->object).name, "e1");
	state_done(&state);
}

/* A field that is not set needs nothing, nor does a link without a name; objects that do not exist are not found. */
static void test_none(void **state_ _unused_) {
	struct state state = {};
	struct way *way = add_way(&state, "a", field_bit(WAY_HOP));

	object_foreach_need(need, &way->object)
		assert_null(state_find_need(&state, &need));
	assert_int_equal(count_needs(&way->object), 1);
	assert_null(object_lower(&way->object).field);
	assert_null(state_find_need(&state, &(struct need){}));
	way->object.set = field_bit(WAY_DEV) | field_bit(WAY_BELOW);
	way->dev = "";
	way->below.name = NULL;
	assert_int_equal(count_needs(&way->object), 0);
	state_done(&state);
}

/* The plan knows that one change depends on the other. */
static void test_plan(void **state_ _unused_) {
	struct state desired = {}, observed = {};
	struct plan plan = {};
	struct object *hop = add_hop(&desired, "a", 7), *way = &add_way(&desired, "a", field_bit(WAY_HOP))->object;
	struct change changes[] = {
		{ .type = CHANGE_CREATE, .desired = way },
		{ .type = CHANGE_CREATE, .desired = hop },
	};

	way->change = &changes[0];
	hop->change = &changes[1];
	vec_push(&plan.changes, &changes[0]);
	vec_push(&plan.changes, &changes[1]);
	plan_order(&plan, &(struct plan_input){ .desired = &desired, .observed = &observed });
	assert_int_equal(changes[0].n_needs, 1);
	assert_ptr_equal(changes[0].needs[0], &changes[1]);
	assert_int_equal(changes[1].n_needs, 0);
	plan_done(&plan);
	state_done(&desired);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_is_found),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
