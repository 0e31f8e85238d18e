/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two topologies in one world: random machines, two files that declare some objects alike and some differently, and a random
 * history of starts, stops, crashes, reloads and removals of either.
 *
 *     test-beside [--seed S] [--count N] [--seconds T] [--case S]
 *
 * Whenever nothing is left to do, each has everything that it declares, except what the other declares differently; neither
 * deletes or changes objects of the other (run.c judges each request); nothing is contested; and when both are gone, the
 * machine is as it was before.
 */
#include "cases.h"
#include "check.h"

#include <time.h>

struct dice {
	uint64_t state;
};

static uint64_t draw(struct dice *d, uint64_t n) {
	uint64_t x = d->state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return (x ^ x >> 31) % n;
}

static bool chance(struct dice *d, unsigned percent) {
	return draw(d, 100) < percent;
}

#define pick(d, ...)                                               \
	({                                                         \
		static const char *const _all[] = { __VA_ARGS__ }; \
		_all[draw(d, ARRAY_SIZE(_all))];                   \
	})

/* Two files. */

/* Returns whether it has an address. */
static bool add_card(struct dice *d, struct text *out, const char *name, const char *address, const char *more) {
	text_addf(out, "      %s:\n        kind: existing\n", name);
	if (chance(d, 60))
		text_addf(out, "        mtu: %s\n", pick(d, "1400", "1400", "1450"));
	if (chance(d, 40))
		text_addf(out, "        txqueuelen: %s\n", pick(d, "500", "500", "77"));
	if (chance(d, 15))
		text_add(out, "        promiscuous: true\n");
	bool any = chance(d, 80);
	if (any)
		text_addf(out, "        addresses: [%s%s]\n", address, chance(d, 60) ? more : "");
	return any;
}

static void add_routes(struct dice *d, struct text *out, const char *gateway) {
	text_add(out, "    routes:\n");
	text_addf(out, "      - {to: 172.16.0.0/16, via: %s%s%s}\n", gateway, pick(d, "2", "2", "3"),
		  pick(d, "", "", ", mtu: 1300"));
	if (chance(d, 50))
		text_addf(out, "      - {to: 172.17.0.0/16, type: %s}\n", pick(d, "blackhole", "blackhole", "unreachable"));
	if (chance(d, 40))
		text_addf(out, "      - {to: 172.18.0.0/16, via: %s2, metric: %s}\n", gateway, pick(d, "50", "60"));
}

static void add_settings(struct dice *d, struct text *out, const char *dev) {
	text_add(out, "    sysctl:\n");
	text_addf(out, "      net.ipv4.ip_forward: %s\n", pick(d, "1", "1", "0"));
	if (chance(d, 60))
		text_addf(out, "      net.ipv4.conf.%s.rp_filter: %s\n", dev, pick(d, "2", "2", "1"));
}

static void add_host(struct dice *d, struct text *out, const char *own) {
	bool bridge = chance(d, 30);

	text_add(out, "  host:\n    interfaces:\n");
	bool reached = add_card(d, out, "f0", pick(d, "10.1.0.1/24", "10.1.0.1/24", "{address: 10.1.0.1/24, label: 'f0:x'}"),
				", 10.1.1.1/24");
	if (bridge)
		text_addf(out, "      br%s: {kind: bridge, ports: [f1]}\n      f1: {kind: existing}\n", own);
	else if (chance(d, 30))
		add_card(d, out, "f1", "{address: 'fd00::1/64', nodad: true}", ", 10.2.0.1/24");
	if (chance(d, 30))
		text_addf(out, "      brx: {kind: bridge, ageing-time: %s}\n", pick(d, "100s", "20s"));
	if (chance(d, 40))
		text_addf(out, "      c%s: {addresses: [10.3.0.1/24]}\n", own);
	if (reached && chance(d, 80))
		add_routes(d, out, "10.1.0.");
	if (chance(d, 60))
		add_settings(d, out, "f0");
}

/* A namespace that the first makes and the second adopts; or a foreign one that both adopt. */
static void add_common(struct dice *d, struct text *out, const char *name, bool adopts, const char *own) {
	text_addf(out, "  %s:\n", name);
	if (adopts)
		text_add(out, "    adopt: true\n");
	if (chance(d, 25))
		text_add(out, "    exclusive: true\n");
	text_addf(out, "    interfaces:\n      b%s: {kind: bridge, addresses: [10.%s.0.1/24]}\n", own,
		  *own == 't' ? "8" : "9");
	text_addf(out, "      lo: {kind: existing, addresses: [%s]}\n",
		  pick(d, "10.7.0.1/32", "10.7.0.1/32", "10.7.0.2/32"));
	if (chance(d, 50))
		text_addf(out, "    routes: [{to: 172.19.0.0/16, type: %s}]\n",
			  pick(d, "blackhole", "blackhole", "unreachable"));
	if (chance(d, 50))
		text_addf(out, "    sysctl: {net.ipv4.ip_forward: %s}\n", pick(d, "1", "1", "0"));
	if (chance(d, 30))
		text_addf(out, "    dns: {servers: [%s]}\n", pick(d, "10.7.0.53", "10.7.0.53", "10.7.0.54"));
}

static char *make_file(struct dice *d, const char *own) {
	struct text out = {};
	bool link;

	text_addf(&out, "topology: %s\nnamespaces:\n", own);
	add_host(d, &out, own);
	link = strstr(out.data, " c") && strstr(out.data, *own == 't' ? " ct:" : " cu:");
	if (chance(d, 60))
		add_common(d, &out, "web", *own == 'u', own);
	if (chance(d, 40))
		add_common(d, &out, "z0", true, own);
	text_addf(&out, "  n%s:\n    interfaces: {lo: {addresses: [10.6.0.1/32]}}\n", own);
	if (link)
		text_addf(&out, "links: [[host:c%s, n%s:e0]]\n", own, own);
	return text_take(&out);
}

static void make_case(struct dice *d, struct c_case *c, uint64_t seed, const char *own) {
	*c = (struct c_case){ .seed = seed };
	for (int v = 0; v < VERSIONS; v++)
		c->yaml[v] = make_file(d, own);
}

/* What exists before them. */
static void make_machine(struct dice *d, struct run *run) {
	static const struct op ops[] = {
		{ .type = OP_VETH, .ns = NS_HOST, .name = "f0", .ns2 = NS_HOST, .name2 = "f1" },
		{ .type = OP_NS_ADD, .ns = "z0" },
		{ .type = OP_UP, .ns = NS_HOST, .name = "f0" },
		{ .type = OP_UP, .ns = NS_HOST, .name = "f1" },
		{ .type = OP_ADDRESS_ADD, .ns = NS_HOST, .name = "f0", .text = "10.250.0.1/24" },
		{ .type = OP_MTU, .ns = NS_HOST, .name = "f0", .number = 1400 },
		{ .type = OP_TXQLEN, .ns = NS_HOST, .name = "f0", .number = 500 },
		{ .type = OP_SETTING, .ns = NS_HOST, .text = "net.ipv4.ip_forward", .value = "1" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		if (i < 2 || chance(d, 50))
			run_op(run, &ops[i]);
	run->disturbed = false;
}

/* The history. */

static void tell_failure(struct run *run, struct run *other) {
	if (!run->failure && other->failure)
		run_fail(run, "%s", other->failure);
}

static uint64_t due_of(const struct run *run) {
	return run->r ? reconciler_due(run->r) : UINT64_MAX;
}

/* Both make passes, in random order, until nothing is due now. */
static void settle(struct dice *d, struct run *pair[2]) {
	for (int i = 0; i < 60; i++) {
		bool first = draw(d, 2), idle = true;

		for (int j = 0; j < 2; j++) {
			struct run *run = pair[first ^ j];

			if (run->r && (due_of(run) <= run->w->now_usec || run->w->events.n)) {
				run_settle(run);
				idle = false;
			}
			if (run->fake.crashed)
				run_die(run);
		}
		if (idle)
			return;
	}
	run_fail(pair[0], "unrest: they do not come to rest");
}

/* Time passes until everything that waits for the other one was tried again. */
static void rest(struct dice *d, struct run *pair[2]) {
	uint64_t end = pair[0]->w->now_usec + UINT64_C(100) * 1000 * 1000;

	for (settle(d, pair); !pair[0]->failure && !pair[1]->failure; settle(d, pair)) {
		if (!pair[0]->r && !pair[1]->r) /* nobody hears what the kernel does by itself */
			vec_clear(&pair[0]->w->events);
		uint64_t due = MIN(MIN(due_of(pair[0]), due_of(pair[1])), world_detects_at(pair[0]->w));

		world_tick(pair[0]->w, true);
		if (due > end && !pair[0]->w->events.n)
			return;
		if (!pair[0]->w->events.n)
			pair[0]->w->now_usec = MAX(pair[0]->w->now_usec, due);
		world_detect(pair[0]->w); /* also where nobody waits for it */
	}
}

static void check_fights(struct run *run) {
	struct reconciler_status status;

	reconciler_status(run->r, &status);
	if (status.counts.n_fights)
		run_fail(run, "fight: %zu objects are fought over", status.counts.n_fights);
}

static void check_both(struct dice *d, struct run *pair[2]) {
	rest(d, pair);
	for (int i = 0; i < 2; i++) {
		if (!pair[i]->r)
			continue;
		check_rest(pair[i]);
		check_fights(pair[i]);
		tell_failure(pair[0], pair[i]);
	}
}

/* Removes one of them completely. */
static void go(struct dice *d, struct run *pair[2], struct run *run) {
	if (run->r)
		run_stop(run);
	run->fake.crash_at = 0;
	run_start(run, -1);
	rest(d, pair);
	check_gone(run);
	if (run->r)
		run_stop(run);
}

static void happen(struct dice *d, struct run *pair[2]) {
	struct run *run = pair[draw(d, 2)];
	int version = (int)draw(d, VERSIONS);

	if (!run->r) {
		run_start(run, version);
		if (chance(d, 30))
			run->fake.crash_at = run->fake.n_requests + 1 + draw(d, 12);
		run->fake.crash_after = chance(d, 50);
		return;
	}
	switch (draw(d, 5)) {
	case 0:
		run_stop(run);
		break;
	case 1:
		run_die(run);
		break;
	case 2:
		go(d, pair, run);
		break;
	default:
		run_reload(run, version);
	}
}

static void live(struct dice *d, struct run *pair[2]) {
	_cleanup_free_ char *before = world_dump(pair[0]->w, true);

	for (int i = 0; i < 10 && !pair[0]->failure && !pair[1]->failure; i++) {
		happen(d, pair);
		if (chance(d, 60))
			settle(d, pair);
		if (chance(d, 60))
			check_both(d, pair);
	}
	bool first = draw(d, 2);
	for (int j = 0; j < 2 && !pair[0]->failure && !pair[1]->failure; j++)
		go(d, pair, pair[first ^ j]);
	tell_failure(pair[0], pair[1]);
	_cleanup_free_ char *after = world_dump(pair[0]->w, true);
	if (!pair[0]->failure && !streq(before, after))
		run_fail(pair[0], "before: when both are gone the machine is not as it was\n--- before\n%s--- after\n%s",
			 before, after);
}

char *try_case(uint64_t seed, bool *off _unused_, int n_off _unused_, bool telling) {
	struct dice d = { seed };
	struct c_case a, b;
	struct run first, second, *pair[2] = { &first, &second };
	char *failure;

	make_case(&d, &a, seed, "t");
	make_case(&d, &b, seed, "u");
	run_init(&first, &a, telling);
	run_init_beside(&second, &first, &b, "u");
	make_machine(&d, &first);
	live(&d, pair);
	failure = TAKE_PTR(first.failure);
	if (telling)
		for (int i = 0; i < 2; i++)
			printf("# %s, version 0:\n%s# version 1:\n%s# What it did:\n%s%s\n", pair[i]->topology,
			       pair[i]->c->yaml[0], pair[i]->c->yaml[1], text_str(&pair[i]->story),
			       text_str(&pair[i]->fake.trace));
	run_done(&second);
	run_done(&first);
	for (int v = 0; v < VERSIONS; v++) {
		free((char *)(uintptr_t)a.yaml[v]);
		free((char *)(uintptr_t)b.yaml[v]);
	}
	return failure;
}

const bool cases_real = false;
const unsigned cases_jobs = 1;

int main(int argc, char **argv) {
	char place[64];
	int r;

	run_make_place(place);
	r = cases_main(argc, argv, 20);
	rmdir(place);
	return r;
}
