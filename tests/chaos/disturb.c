/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disturbs a topology, from several processes, for a time or a number of acts, and prints what it did.
 *
 *     disturb chaos SEED WORKERS PAUSE_USEC TOPOLOGY NAMESPACE:LINK…   random acts until SIGTERM
 *     disturb insist MTU NAMESPACE:LINK                                 sets the MTU, and again whenever it is another
 *     disturb addresses SEED COUNT LINES NAMESPACE:LINK…                removes declared addresses, COUNT times
 *
 * The last lines that it prints are "acts TRIED DONE" and "last USEC", the time (CLOCK_REALTIME) at which the last act
 * was over.
 */
#include "disturb.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <arpa/inet.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

/* What the workers report to their parent. */
struct tally {
	size_t n_tried, n_done;
	uint64_t last_usec;
};

static volatile sig_atomic_t stopped;

static void on_stop(int signal _unused_) {
	stopped = 1;
}

static uint64_t now_usec(void) {
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void pause_usec(struct disturber *d, unsigned most) {
	unsigned usec = most ? random_below(d, most) : 0;

	if (usec)
		nanosleep(&(struct timespec){ .tv_nsec = (long)usec * 1000 }, NULL);
}

static void work(struct disturber *d, unsigned most, struct tally *tally) {
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!stopped) {
		act(d);
		pause_usec(d, most);
	}
	act_end(d);
	*tally = (struct tally){ d->n_tried, d->n_done, now_usec() };
	_exit(0);
}

static void print_tally(const struct tally *tallies, size_t n) {
	struct tally all = {};

	for (size_t i = 0; i < n; i++) {
		all.n_tried += tallies[i].n_tried;
		all.n_done += tallies[i].n_done;
		all.last_usec = MAX(all.last_usec, tallies[i].last_usec);
	}
	printf("acts %zu %zu\nlast %llu\n", all.n_tried, all.n_done, (unsigned long long)all.last_usec);
}

static int chaos(struct disturber *d, uint64_t seed, size_t workers, unsigned pause) {
	struct tally *tallies =
		mmap(NULL, workers * sizeof(*tallies), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t *pids = xmalloc(workers * sizeof(*pids));

	for (size_t i = 0; i < workers; i++) {
		d->random = seed * 1000 + i;
		pids[i] = fork();
		if (pids[i] == 0)
			work(d, pause, &tallies[i]);
	}
	while (!stopped)
		pause_usec(d, 20000);
	for (size_t i = 0; i < workers; i++) {
		kill(pids[i], SIGTERM);
		waitpid(pids[i], NULL, 0);
	}
	free(pids);
	act_clear(d);
	tallies[0].last_usec = MAX(tallies[0].last_usec, now_usec());
	print_tally(tallies, workers);
	return 0;
}

/* ---- insisting ---- */

static int set_mtu(const struct target *t, uint32_t mtu) {
	_Alignas(struct nlmsghdr) char buffer[REQUEST_SIZE];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);

	nlh->nlmsg_type = RTM_NEWLINK;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, t->link);
	mnl_attr_put_u32(nlh, IFLA_MTU, mtu);
	return place_request(t->place, nlh);
}

struct sighting {
	const char *link;
	uint32_t mtu;
	bool found; /* it is about the link */
};

static int read_link(const struct nlattr *attr, void *userdata) {
	struct sighting *sighting = userdata;

	if (mnl_attr_get_type(attr) == IFLA_IFNAME)
		sighting->found = streq(mnl_attr_get_str(attr), sighting->link);
	if (mnl_attr_get_type(attr) == IFLA_MTU)
		sighting->mtu = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

/* The link's MTU in the next event; 0: there was none for a while. */
static uint32_t hear_mtu(const struct place *ear, const char *link) {
	_Alignas(struct nlmsghdr) char buffer[32768];
	struct sighting sighting = { .link = link };
	ssize_t n = recv(ear->route, buffer, sizeof(buffer), 0);
	const struct nlmsghdr *nlh = (const void *)buffer;

	if (n > 0 && nlh->nlmsg_type == RTM_NEWLINK)
		mnl_attr_parse(nlh, sizeof(struct ifinfomsg), read_link, &sighting);
	return sighting.found ? sighting.mtu : 0;
}

/* Listens in the namespace that has the name now. False if there is none. */
static bool listen_to_links(struct place *ear) {
	const struct timeval limit = { .tv_usec = 50000 };
	ino_t before = ear->fd < 0 ? 0 : ear->inode;
	int group = RTNLGRP_LINK;

	if (!place_ready(ear))
		return false;
	if (ear->inode == before)
		return true;
	setsockopt(ear->route, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group));
	setsockopt(ear->route, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return true;
}

static int insist(struct disturber *d, uint32_t mtu) {
	struct target *t = &d->targets[0];
	struct place ear = PLACE_NONE(t->place->name); /* events come apart from answers */
	struct tally tally = {};
	uint32_t seen = 1; /* whatever it is initially */

	while (!stopped) {
		if (!place_ready(t->place) || !listen_to_links(&ear)) {
			pause_usec(d, 20000);
			continue;
		}
		if (seen && seen != mtu) {
			tally.n_tried++;
			tally.n_done += set_mtu(t, mtu) == 0;
			tally.last_usec = now_usec();
		}
		seen = hear_mtu(&ear, t->link);
	}
	print_tally(&tally, 1);
	return 0;
}

/* ---- many addresses ---- */

/* The i-th address of a target, as the test declares them: 10.TARGET.i/256.i%256. */
static int remove_address(struct disturber *d, size_t target, size_t i) {
	_Alignas(struct nlmsghdr) char buffer[REQUEST_SIZE];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	struct place *place = d->targets[target].place;

	if (!place_ready(place))
		return -ENOENT;
	nlh->nlmsg_type = RTM_DELADDR;
	ifa->ifa_family = AF_INET;
	ifa->ifa_prefixlen = 32;
	ifa->ifa_index = place_ifindex(place, d->targets[target].link);
	mnl_attr_put_u32(nlh, IFA_LOCAL, htonl((uint32_t)(10 << 24 | target << 16 | i)));
	return place_request(place, nlh);
}

/* All addresses of all targets, in some order. */
static uint32_t *shuffled(struct disturber *d, size_t n) {
	uint32_t *order = xmalloc(n * sizeof(*order));

	for (size_t i = 0; i < n; i++) {
		size_t j = random_below(d, (uint32_t)i + 1);

		order[i] = order[j];
		order[j] = (uint32_t)i;
	}
	return order;
}

static void note_removed(struct tally *tally, size_t count) {
	tally->n_done++;
	tally->last_usec = now_usec();
	if (tally->n_done % (count / 10 ? count / 10 : 1) == 0)
		printf("tenth %zu\n", tally->n_done);
	fflush(stdout);
}

/* Each address is removed again only after all others: with random choices, some would be removed so often within seconds
 * that they look contested. */
static int addresses(struct disturber *d, uint64_t seed, size_t count, size_t lines) {
	struct tally tally = {};
	size_t n = d->n_targets * lines;

	d->random = seed;
	_cleanup_free_ uint32_t *order = shuffled(d, n);
	for (; tally.n_done < count && !stopped; tally.n_tried++) {
		uint32_t which = order[tally.n_tried % n];

		if (remove_address(d, which / lines, which % lines + 1) == 0)
			note_removed(&tally, count);
	}
	print_tally(&tally, 1);
	return 0;
}

int main(int argc, char **argv) {
	_cleanup_(disturber_done) struct disturber d = {};
	const struct sigaction action = { .sa_handler = on_stop }; /* without SA_RESTART: what waits is woken */

	sigaction(SIGTERM, &action, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (argc > 6 && streq(argv[1], "chaos") && read_targets(&d, argv + 6, (size_t)argc - 6)) {
		d.topology = argv[5];
		return chaos(&d, strtoull(argv[2], NULL, 10), strtoul(argv[3], NULL, 10),
			     (unsigned)strtoul(argv[4], NULL, 10));
	}
	if (argc == 4 && streq(argv[1], "insist") && read_targets(&d, argv + 3, 1))
		return insist(&d, (uint32_t)strtoul(argv[2], NULL, 10));
	if (argc > 5 && streq(argv[1], "addresses") && read_targets(&d, argv + 5, (size_t)argc - 5))
		return addresses(&d, strtoull(argv[2], NULL, 10), strtoul(argv[3], NULL, 10), strtoul(argv[4], NULL, 10));
	fprintf(stderr, "see the head of disturb.c\n");
	return 64;
}
