/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scan of many namespaces gives the same with one thread and with several, and a namespace that cannot be scanned does not
 * prevent the scan of others.
 *
 * It runs in its own network and mount namespaces with an empty /run. Without root it is skipped (exit 77). The program is
 * linked so that pthread_create() is counted here and can be made to fail.
 */
#include "lab.h"

#include <pthread.h>
#include <sys/stat.h>

#include "kernel/real_kernel.h"
#include "kind/sysctl.h"
#include "language/spec.h"

enum { N = 40, THREADS = 4 };

/* ---- threads ---- */

static struct {
	unsigned started;
	bool refused;
} threads;

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *context);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *context);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *context) {
	if (threads.refused)
		return EAGAIN;
	threads.started++;
	return __real_pthread_create(thread, attr, fn, context);
}

/* ---- a topology, in the kernel ---- */

struct world {
	struct diags diags;
	struct spec spec;
	struct ledger ledger;
	struct kernel *kernel;
	struct scan_request request;
};

static struct world world;

/* Otherwise the kernel keeps adding IPv6 addresses and routes by itself. */
#define QUIET "net.ipv6.conf.all.disable_ipv6: 1, net.ipv6.conf.default.disable_ipv6: 1"

/* Each namespace differs from the others, so that a mix-up shows. */
static char *topology(void) {
	struct text text = {};

	text_add(&text, "topology: t\nnamespaces:\n  hub: {forwarding: true, sysctl: {" QUIET
			"}, interfaces: {br0: {kind: bridge, ports: [");
	for (int i = 0; i < N; i++)
		text_addf(&text, "%sp%d", i ? ", " : "", i);
	text_add(&text, "], addresses: [10.0.0.1/16]}}, nat: [{action: masquerade, source: 10.0.0.0/16}]}\n");
	for (int i = 0; i < N; i++)
		text_addf(
			&text,
			"  n%d:\n    sysctl: {net.ipv4.ip_default_ttl: %d, " QUIET "}\n"
			"    interfaces: {eth0: {addresses: [10.0.1.%d/16]}}\n    routes: [{to: default, via: 10.0.0.1}]\n",
			i, i + 1, i + 1);
	text_add(&text, "links:\n");
	for (int i = 0; i < N; i++)
		text_addf(&text, "  - [n%d:eth0, hub:p%d]\n", i, i);
	return text_take(&text);
}

static void read_topology(void) {
	_cleanup_free_ char *text = topology();
	uint8_t source = diags_add_source(&world.diags, (struct source_text){ "f", text, strlen(text) });

	if (!spec_read(&world.spec, &world.diags, source, &(struct spec_options){ .topology = "t", .machine_id = { 1 } })) {
		_cleanup_free_ char *all = diags_format(&world.diags, false);

		fail_msg("%s", all);
	}
	world.request = (struct scan_request){ .desired = &world.spec.state, .ledger = &world.ledger, .topology = "t" };
}

static int look_as(const struct scan_request *request, unsigned most, struct state *ret) {
	vec(struct scope) scopes = {};

	state_foreach(ns, &world.spec.state)
		vec_push(&scopes, (struct scope){ .ns = ns->name });
	((struct real_kernel *)world.kernel)->max_threads = most;
	threads.started = 0;
	int r = world.kernel->ops->observe(world.kernel, request, scopes.items, scopes.n, ret);
	world.kernel->ops->rest(world.kernel);
	vec_done(&scopes);
	return r;
}

static int note_birth(void *userdata _unused_, const struct object *made) {
	_cleanup_text_ struct text lines = {};

	ledger_note_birth(&world.ledger, made, &lines);
	return 0;
}

static size_t carry_out(void) {
	_cleanup_(state_done) struct state observed = {};
	_cleanup_(plan_done) struct plan plan = {};
	_cleanup_text_ struct text lines = {};

	ok(look_as(&world.request, 1, &observed));
	plan_make(&plan, &(struct plan_input){ &world.spec.state, &observed, &world.ledger });
	vec_foreach(at, &plan.changes) {
		const struct change *change = *at;

		ledger_note(&world.ledger, change->desired, change->observed, change->desired->set,
			    change->type == CHANGE_CREATE, &lines);
		if (change->type == CHANGE_CREATE && change->desired->twin)
			ledger_note(&world.ledger, change->desired->twin, NULL, change->desired->twin->set, true, &lines);
	}
	world.kernel->ops->execute(world.kernel, &world.request, &plan, &(struct execute_hooks){ .born = note_birth });
	vec_foreach(at, &plan.changes) {
		_cleanup_text_ struct text id = {};

		object_print_id(change_object(*at), &id);
		if ((*at)->error)
			fail_msg("%s: %s: %s", change_object(*at)->ns, text_str(&id), strerror(-(*at)->error));
	}
	return plan.changes.n;
}

static int make_world(void **state _unused_) {
	int rounds = 0;

	ok(netns_init());
	ok(real_kernel_new(&world.kernel));
	read_topology();
	while (carry_out() > 0)
		assert_true(++rounds < 5);
	return 0;
}

static int end_world(void **state _unused_) {
	kernel_free(world.kernel);
	ledger_done(&world.ledger);
	spec_done(&world.spec);
	diags_done(&world.diags);
	return 0;
}

/* ---- comparing ---- */

static void check_same_objects(const struct ns_state *a, const struct ns_state *b) {
	const struct object *other = b->objects;

	ns_foreach(object, a) {
		_cleanup_text_ struct text id = {};

		object_print_id(object, &id);
		if (!other || other->kind != object->kind || !object_same_key(other, object) ||
		    object_compare(object, other) != 0)
			fail_msg("%s: %s is not the same", a->name, text_str(&id));
		other = other->hh.next;
	}
	assert_null(other);
}

/* Also in the same order; the host is one of them. */
static void check_same(const struct state *a, const struct state *b) {
	const struct ns_state *other = b->namespaces;

	state_foreach(ns, a) {
		assert_non_null(other);
		assert_string_equal(ns->name, other->name);
		assert_true(ns->present && other->present);
		assert_non_null(ns->objects);
		check_same_objects(ns, other);
		other = other->hh.next;
	}
	assert_null(other);
}

/* ---- tests ---- */

static void several_see_what_one_sees(void **state _unused_) {
	ino_t home = current_inode();

	for (int i = 0; i < 20; i++) {
		_cleanup_(state_done) struct state one = {}, several = {};

		ok(look_as(&world.request, 1, &one));
		assert_int_equal(threads.started, 0);
		ok(look_as(&world.request, THREADS, &several));
		assert_int_equal(threads.started, THREADS - 1);
		assert_int_equal(HASH_COUNT(one.namespaces), N + 2);
		check_same(&one, &several);
	}
	assert_int_equal(current_inode(), home);
}

static void without_threads_one_sees_all(void **state _unused_) {
	_cleanup_(state_done) struct state one = {}, other = {};

	ok(look_as(&world.request, 1, &one));
	threads.refused = true;
	ok(look_as(&world.request, THREADS, &other));
	threads.refused = false;
	assert_int_equal(threads.started, 0);
	check_same(&one, &other);
}

/* In one namespace the ledger has a setting that cannot be read. */
static void one_that_fails_stands_alone(void **state _unused_) {
	_cleanup_(arena_done) struct arena arena = {};
	_cleanup_text_ struct text lines = {};
	ino_t home = current_inode();

	for (int i = 0; i < N; i += 13) {
		_cleanup_free_ char *name = xasprintf("n%d", i);
		_cleanup_(state_done) struct state one = {}, several = {};
		struct ns_state *ns = state_find(&world.spec.state, name);
		struct object *directory = &sysctl_new(&arena, name, "net/ipv4/conf", "1")->object;

		assert_null(ns_add(ns, directory));
		ledger_note(&world.ledger, directory, NULL, directory->set, false, &lines);
		ok(look_as(&world.request, 1, &one));
		ok(look_as(&world.request, THREADS, &several));
		state_foreach(seen, &several)
			assert_int_equal(seen->error, streq(seen->name, name) ? -EISDIR : 0);
		assert_int_equal(state_find(&one, name)->error, -EISDIR);
		check_same(&one, &several);
		ns_remove(ns, directory);
	}
	assert_int_equal(current_inode(), home);
	several_see_what_one_sees(NULL);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(several_see_what_one_sees),
		cmocka_unit_test(without_threads_one_sees_all),
		cmocka_unit_test(one_that_fails_stands_alone),
	};
	int r = seclude(false);

	return r != 0 ? r : cmocka_run_group_tests(tests, make_world, end_world);
}
