/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * overrun SPEC SEED ROUNDS TOPOLOGY NAMESPACE:LINK…: a session whose event sockets hold a few events only. In each round a
 * flood of irrelevant events fills them while nobody reads, and during it a declared object is disturbed, whose event is
 * then lost. After the round nothing may be left to do. Exits with 1 if something is; prints the overruns.
 */
#include "disturb.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>

#include "session/topology.h"
#include "files/spec_file.h"

enum { FLOOD = 60, EVENT_BUFFER = 1 }; /* the kernel raises it to its minimum, some four events */

/* An address of lo that nobody declared comes and goes. */
static void flood(struct place *place, unsigned n) {
	for (unsigned i = 0; i < n; i++) {
		_Alignas(struct nlmsghdr) char buffer[REQUEST_SIZE];
		struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
		struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));

		nlh->nlmsg_type = i % 2 ? RTM_DELADDR : RTM_NEWADDR;
		nlh->nlmsg_flags = i % 2 ? 0 : NLM_F_CREATE | NLM_F_EXCL;
		ifa->ifa_family = AF_INET;
		ifa->ifa_prefixlen = 32;
		ifa->ifa_index = 1;
		mnl_attr_put_u32(nlh, IFA_LOCAL, htonl(0xc6336401));
		if (place_request(place, nlh) < 0)
			abort();
	}
}

static size_t left_to_do(struct topology *s) {
	struct plan plan = {};
	struct state observed = {};
	size_t n = SIZE_MAX;

	if (reconciler_plan(s->reconciler, false, &plan, &observed) == 0)
		n = plan.changes.n;
	plan_done(&plan);
	state_done(&observed);
	return n;
}

/* A separate session, so that frequent disturbances do not look like contention. */
static bool round_of(const char *path, struct disturber *d, struct place *host, size_t *overruns) {
	const struct topology_hooks hooks = { .event_buffer = EVENT_BUFFER };
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};
	_cleanup_topology_ struct topology s = TOPOLOGY_NONE;
	_cleanup_free_ char *problem = NULL;
	unsigned before = random_below(d, FLOOD) & ~1u;

	if (!spec_file_load(path, 0, &loaded))
		return false;
	const struct topology_source source = topology_source(&loaded, false);
	if (topology_open(&s, &loaded.spec, &source, &hooks, &problem) < 0 || topology_settle(&s) < 0) {
		fprintf(stderr, "%s\n", problem ? problem : "it does not converge");
		return false;
	}
	flood(host, before);
	act(d);
	act_end(d);
	flood(host, FLOOD - before);
	int r = topology_settle(&s);
	size_t left = left_to_do(&s);
	if (r < 0 || left)
		fprintf(stderr, "settled: %s; %zu changes are left to do\n", strerror(-r), left);
	*overruns += watch_overruns(s.watch);
	return r == 0 && left == 0;
}

int main(int argc, char **argv) {
	_cleanup_(disturber_done) struct disturber d = {};
	struct place host = PLACE_NONE("host");
	size_t overruns = 0;

	if (argc < 6 || !read_targets(&d, argv + 5, (size_t)argc - 5) || !place_ready(&host))
		return 64;
	d.random = strtoull(argv[2], NULL, 10);
	d.topology = argv[4];
	for (unsigned long i = strtoul(argv[3], NULL, 10); i > 0; i--)
		if (!round_of(argv[1], &d, &host, &overruns)) {
			fprintf(stderr, "%lu rounds before the last\n", i);
			return 1;
		}
	printf("overruns %zu\n", overruns);
	return 0;
}
