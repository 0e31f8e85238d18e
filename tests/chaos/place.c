/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Access to the places that are disturbed: by name, in a namespace that may disappear and return. */
#include "disturb.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

static int home = -1;

static void go(int fd) {
	if (setns(fd, CLONE_NEWNET) < 0)
		abort();
}

static void close_place(struct place *place) {
	for (int *fd = (int[]){ place->fd, place->route, place->nft, place->plain, -1 }; *fd >= 0; fd++)
		close(*fd);
	place->fd = place->route = place->nft = place->plain = -1;
}

static int netlink_socket(int protocol) {
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	struct timeval limit = { .tv_sec = 10 };

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		abort();
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

/* SplitMix64: the same acts again for the same seed. */
uint32_t random_below(struct disturber *d, uint32_t n) {
	uint64_t x = d->random += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)((x ^ x >> 31) >> 32) % n;
}

static struct place *find_place(struct disturber *d, const char *name) {
	for (size_t i = 0; i < d->n_places; i++)
		if (streq(d->places[i].name, name))
			return &d->places[i];
	d->places[d->n_places] = PLACE_NONE(name);
	return &d->places[d->n_places++];
}

bool read_targets(struct disturber *d, char **words, size_t n) {
	d->places = xmalloc(n * sizeof(*d->places));
	d->targets = xmalloc(n * sizeof(*d->targets));
	for (size_t i = 0; i < n; i++) {
		char *colon = strchr(words[i], ':');

		if (!colon)
			return false;
		*colon = '\0';
		d->targets[d->n_targets++] = (struct target){ find_place(d, words[i]), colon + 1 };
	}
	return true;
}

void disturber_done(struct disturber *d) {
	free(d->places);
	free(d->targets);
}

static bool open_place(struct place *place, const char *path) {
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (home < 0)
		home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0) { /* a name that is not mounted yet, or no longer */
		if (fd >= 0)
			close(fd);
		return false;
	}
	place->fd = fd;
	place->route = netlink_socket(NETLINK_ROUTE);
	place->nft = netlink_socket(NETLINK_NETFILTER);
	place->plain = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	go(home);
	return true;
}

bool place_ready(struct place *place) {
	bool host = streq(place->name, "host");
	_cleanup_free_ char *path = host ? xstrdup("/proc/self/ns/net") : xasprintf("/run/netns/%s", place->name);
	struct stat st;

	if (stat(path, &st) < 0)
		st.st_ino = 0;
	if (place->fd >= 0 && place->inode == st.st_ino)
		return true;
	if (place->fd >= 0)
		close_place(place);
	place->inode = st.st_ino;
	return st.st_ino && open_place(place, path);
}

static int receive_ack(int fd, uint32_t seq) {
	_Alignas(struct nlmsghdr) char buffer[8192];

	for (;;) {
		ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
		const struct nlmsghdr *nlh = (const void *)buffer;
		int left = (int)n;

		if (n < 0 && errno != EINTR)
			return -errno;
		for (; n > 0 && mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
			if (nlh->nlmsg_type == NLMSG_ERROR && nlh->nlmsg_seq == seq)
				return ((const struct nlmsgerr *)mnl_nlmsg_get_payload(nlh))->error;
	}
}

static int exchange(int fd, struct nlmsghdr *last, const void *data, size_t size) {
	static uint32_t seq;

	last->nlmsg_seq = ++seq;
	last->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	if (send(fd, data, size, 0) < 0)
		return -errno;
	return receive_ack(fd, seq);
}

int place_request(const struct place *place, struct nlmsghdr *nlh) {
	return exchange(place->route, nlh, nlh, nlh->nlmsg_len);
}

void place_dump(const struct place *place, uint16_t type, size_t extra, mnl_cb_t fn, void *userdata) {
	_Alignas(struct nlmsghdr) char buffer[32768];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	int r = MNL_CB_OK;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(nlh, extra);
	if (send(place->route, nlh, nlh->nlmsg_len, 0) < 0)
		return;
	while (r == MNL_CB_OK) {
		ssize_t n = recv(place->route, buffer, sizeof(buffer), 0);

		r = n < 0 ? MNL_CB_ERROR : mnl_cb_run(buffer, (size_t)n, 0, 0, fn, userdata);
		if (r == MNL_CB_ERROR && n > 0 && errno == EINTR)
			r = MNL_CB_OK; /* interrupted: the rest is still read */
	}
}

uint32_t place_ifindex(const struct place *place, const char *link) {
	struct ifreq request = {};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", link);
	return ioctl(place->plain, SIOCGIFINDEX, &request) < 0 ? 0 : (uint32_t)request.ifr_ifindex;
}

static struct nlmsghdr *put_nft(char *at, uint16_t type, uint16_t resource, uint8_t family) {
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(at);
	struct nfgenmsg *header = mnl_nlmsg_put_extra_header(nlh, sizeof(*header));

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	header->nfgen_family = family;
	header->res_id = htons(resource);
	return nlh;
}

int place_delete_table(const struct place *place, const char *table) {
	_Alignas(struct nlmsghdr) char buffer[REQUEST_SIZE];
	struct nlmsghdr *begin = put_nft(buffer, NFNL_MSG_BATCH_BEGIN, NFNL_SUBSYS_NFTABLES, 0);
	struct nlmsghdr *delete = put_nft(buffer + begin->nlmsg_len, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE, 0, 1);

	mnl_attr_put_strz(delete, NFTA_TABLE_NAME, table);
	struct nlmsghdr *end = put_nft((char *)delete + delete->nlmsg_len, NFNL_MSG_BATCH_END, NFNL_SUBSYS_NFTABLES, 0);
	return exchange(place->nft, delete, buffer, (size_t)((char *)end + end->nlmsg_len - buffer));
}

int place_write_setting(const struct place *place, const char *path, const char *value) {
	_cleanup_free_ char *file = xasprintf("/proc/sys/net/%s", path);
	_cleanup_close_ int fd = -1;

	go(place->fd);
	fd = open(file, O_WRONLY | O_CLOEXEC);
	go(home);
	if (fd < 0)
		return -errno;
	return write(fd, value, strlen(value)) < 0 ? -errno : 0;
}
