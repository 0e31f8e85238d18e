/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The floor: the least kernel work for the benchmark's topologies, with which topod's times are compared.
 *
 * It uses raw batched netlink, no model, and nothing of topod but base.h. It builds (build.c), scans and checks (look.c),
 * disturbs (drift.c), repairs (repair.c) and removes. If you find a cheaper way to the same objects, put it here first: a
 * floor that is too high flatters topod. `floor check` verifies it; topod builds the same names from topology.py, so the
 * same check also verifies topod's work.
 *
 * Every verb prints one line of JSON; times are in milliseconds (CLOCK_MONOTONIC), without the start of the process. It
 * works in the mount and network namespaces that it is started in: `run` and the test create temporary ones.
 */
#include "floor.h"
#include "wire.h"

#include <getopt.h>
#include <sys/resource.h>

static const struct {
	const char *name;
	int (*run)(const struct options *o);
	const char *help;
	bool no_shape;
} verbs[] = {
	{ "build", verb_build, "make the topology" },
	{ "check", verb_check, "compare what is there with what build makes; exit 1 where they differ" },
	{ "quiet", verb_quiet, "wait until the kernel has done what it puts off when a topology is built" },
	{ "observe", verb_observe, "dump links, addresses, routes and nf_tables of every namespace" },
	{ "drift", verb_drift, "disturb (--kind) and wait for somebody's repair" },
	{ "unname", verb_unname, "take names of namespaces away (--kind) and wait for somebody to give them back" },
	{ "repair", verb_repair, "listen, and send the fix for whatever drift disturbs, until SIGTERM" },
	{ "down", verb_down, "remove the topology" },
	{ "settle", verb_settle, "wait until the kernel has taken apart what was removed" },
	{ "container", verb_container, "make a container's network and read it back, --count times", true },
};

static int usage(void) {
	fputs("usage: floor VERB star|chain|campus|vlans N [--queues N] [--threads N] [--kind KIND] [--count N] [--pause MS]\n"
	      "       floor container [--count N]\n"
	      "kinds of drift: address, route, up, mtu, link; in a star also master, nft;\n"
	      "in a campus also rule, neighbor, qdisc, filter\n"
	      "kinds of unname: netns-deleted, netns-unmounted\n",
	      stderr);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		fprintf(stderr, "  %-9s %s\n", verbs[i].name, verbs[i].help);
	return 64;
}

static bool parse_number(const char *text, unsigned least, unsigned most, unsigned *ret) {
	char *rest;
	unsigned long value = strtoul(text, &rest, 10);

	if (rest == text || *rest || value < least || value > most)
		return false;
	*ret = (unsigned)value;
	return true;
}

static bool parse_option(int option, const char *value, struct options *o) {
	unsigned pause;

	switch (option) {
	case 'q':
		return parse_number(value, 1, 4096, &o->shape.queues);
	case 't':
		return parse_number(value, 1, 64, &o->threads);
	case 'c':
		return parse_number(value, 1, 1000000, &o->count);
	case 'k':
		o->kind = value;
		return true;
	case 'p':
		if (!parse_number(value, 0, 60000, &pause))
			return false;
		o->pause_ms = pause;
		return true;
	default:
		return false;
	}
}

static bool parse_options(int argc, char **argv, struct options *o) {
	static const struct option names[] = {
		{ "queues", required_argument, NULL, 'q' }, { "threads", required_argument, NULL, 't' },
		{ "kind", required_argument, NULL, 'k' },   { "count", required_argument, NULL, 'c' },
		{ "pause", required_argument, NULL, 'p' },  { 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) >= 0)
		if (!parse_option(option, optarg, o))
			return false;
	if (argc - optind == 1)
		return true;
	if (argc - optind != 3)
		return false;
	while (o->shape.form < FORMS && !streq(argv[optind + 1], form_names[o->shape.form]))
		o->shape.form++;
	if (o->shape.form == FORMS)
		return false;
	return parse_number(argv[optind + 2], 2, LARGEST, &o->shape.n);
}

/* `repair` needs a descriptor per namespace when it starts. */
static void allow_many_files(void) {
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int main(int argc, char **argv) {
	struct options o = { .count = 100, .pause_ms = 5, .threads = 1, .kind = "address" };

	if (!parse_options(argc, argv, &o))
		return usage();
	allow_many_files();
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (streq(argv[optind], verbs[i].name) && verbs[i].no_shape == !o.shape.n)
			return verbs[i].run(&o);
	return usage();
}
