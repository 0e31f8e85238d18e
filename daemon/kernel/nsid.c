/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ids (nsids) by which namespaces know one another, queried and assigned in batches, by descriptor. All are requests
 * on the caller's socket, or one in the current namespace; the thread stays in its namespace.
 */
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>

#include "kernel/nl_socket.h"
#include "kernel/named_netns.h"

union id_message {
	struct nlmsghdr nlh;
	char bytes[64];
};

static void fill_id_message(union id_message *message, uint16_t type, int fd) {
	struct rtgenmsg *rtgen;

	memset(message, 0, sizeof(*message));
	mnl_nlmsg_put_header(message);
	message->nlh.nlmsg_type = type;
	rtgen = mnl_nlmsg_put_extra_header(&message->nlh, sizeof(*rtgen));
	rtgen->rtgen_family = AF_UNSPEC;
	mnl_attr_put_u32(&message->nlh, NETNSA_FD, (uint32_t)(fd < 0 ? netns_home() : fd));
	if (type == RTM_NEWNSID) /* the kernel chooses */
		mnl_attr_put_u32(&message->nlh, NETNSA_NSID, (uint32_t)NETNSA_NSID_NOT_ASSIGNED);
}

static int32_t read_id(const struct nlmsghdr *nlh) {
	int32_t id = NETNSA_NSID_NOT_ASSIGNED;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct rtgenmsg))
		if (mnl_attr_get_type(attr) == NETNSA_NSID && mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
			id = (int32_t)mnl_attr_get_u32(attr);
	return id;
}

/* The ids found or assigned, and the first error. */
struct id_answers {
	int32_t *ids;
	int error;
};

static void take_id(void *userdata, size_t index, const struct nlmsghdr *answer, int error) {
	struct id_answers *answers = userdata;

	answers->ids[index] = answer ? read_id(answer) : NETNSA_NSID_NOT_ASSIGNED;
	answers->error = answers->error ? answers->error : error;
}

/* EEXIST: it has one already, or another process was faster. */
static void take_assigned(void *userdata, size_t index _unused_, const struct nl_ack *ack) {
	struct id_answers *answers = userdata;

	if (ack->error != -EEXIST && !answers->error)
		answers->error = ack->error;
}

int netns_ids(struct nl_socket *sock, const int *fds, size_t n, bool assign, int32_t *ret) {
	_cleanup_free_ union id_message *bytes = xmalloc(n * sizeof(*bytes));
	_cleanup_free_ struct nlmsghdr **messages = xmalloc(n * sizeof(struct nlmsghdr *));
	struct id_answers answers = { .ids = ret };
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		fill_id_message(&bytes[i], RTM_NEWNSID, fds[i]);
		messages[i] = &bytes[i].nlh;
	}
	if (assign)
		r = nl_transact(sock, messages, n, false, take_assigned, &answers);
	for (size_t i = 0; i < n; i++)
		fill_id_message(&bytes[i], RTM_GETNSID, fds[i]);
	if (r == 0 && answers.error == 0)
		r = nl_ask(sock, messages, n, take_id, &answers);
	return r < 0 ? r : answers.error;
}

/* ENOENT: it has lost its id, which is the first step of dismantling it. */
bool netns_lives(struct nl_socket *sock, int32_t id) {
	union id_message message = {};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(&message);
	struct rtgenmsg *rtgen = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtgen));
	struct id_answers answers = { .ids = &id };

	nlh->nlmsg_type = RTM_GETNSID;
	rtgen->rtgen_family = AF_UNSPEC;
	mnl_attr_put_u32(nlh, NETNSA_NSID, (uint32_t)id);
	return nl_ask(sock, &nlh, 1, take_id, &answers) == 0 && answers.error == 0;
}

int netns_known_id(int fd, int32_t *ret) {
	_cleanup_nl_ struct nl_socket sock = NL_SOCKET_NONE;
	int r = nl_open(&sock, NETLINK_ROUTE, -1);

	return r < 0 ? r : netns_ids(&sock, &fd, 1, false, ret);
}

const char *netns_name_of(struct nl_socket *sock, int32_t id, struct arena *arena) {
	for (const char **name = netns_names(arena); *name; name++) {
		_cleanup_close_ int fd = -1;
		const char *problem;
		int32_t known;

		if (netns_open(*name, &fd, &problem) == 0 && netns_ids(sock, &fd, 1, false, &known) == 0 && known == id)
			return *name;
	}
	return NULL;
}
