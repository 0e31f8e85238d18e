/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages are given on to the daemon in memory of their exact size: a decoder that reads on behind the end of a
 * message is seen by AddressSanitizer, which it would not be inside of the large buffer of the socket's.
 */
#include "machine.h"

#include <linux/netlink.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/socket.h>

#include "netlink.h"
#include "netns.h"
#include "nl.h"
#include "settings.h"

enum { SENT_MAX = 4096 };

struct sent_message {
	uint32_t seq;
	uint16_t type, flags;
};

static struct {
	const uint8_t *data;
	size_t size, at;
	struct sent_message sent[SENT_MAX]; /* not answered yet */
	size_t n_sent;
	uint32_t first_seq;
	int next_watch;
	ino_t next_inode;
} machine;

void machine_begin(const uint8_t *data, size_t size) {
	machine.data = data;
	machine.size = size;
	machine.at = machine.n_sent = 0;
	machine.next_watch = 0;
	machine.next_inode = 1000;
}

void machine_end(void) {
	machine.data = NULL;
	machine.size = machine.at = machine.n_sent = 0;
}

uint8_t machine_byte(void) {
	return machine.at < machine.size ? machine.data[machine.at++] : 0;
}

int machine_done(void) {
	return machine.at >= machine.size;
}

static size_t next_size(void) {
	size_t low = machine_byte();

	return low | (size_t)machine_byte() << 8;
}

/* ---- answers ---- */

static void note_sent(const void *data, size_t size) {
	machine.n_sent = 0;
	for (const struct nlmsghdr *nlh = NULL; (nlh = nl_next(data, size, nlh));) {
		if (machine.n_sent == 0)
			machine.first_seq = nlh->nlmsg_seq;
		if (machine.n_sent < SENT_MAX)
			machine.sent[machine.n_sent++] =
				(struct sent_message){ nlh->nlmsg_seq, nlh->nlmsg_type, nlh->nlmsg_flags };
	}
}

static bool is_dump(const struct sent_message *m) {
	return (m->flags & NLM_F_DUMP) == NLM_F_DUMP;
}

/* What the kernel says at the end: all is well. */
static size_t put_end(char *buffer, size_t size) {
	size_t used = 0;

	for (size_t i = 0; i < machine.n_sent; i++) {
		const struct sent_message *m = &machine.sent[i];
		struct {
			struct nlmsghdr header;
			struct nlmsgerr error;
		} answer = { .header = { .nlmsg_len = sizeof(answer), .nlmsg_seq = m->seq,
					 .nlmsg_type = is_dump(m) ? NLMSG_DONE : NLMSG_ERROR } };

		if (!is_dump(m) && !(m->flags & NLM_F_ACK))
			continue;
		if (used + sizeof(answer) > size)
			break;
		memcpy(buffer + used, &answer, sizeof(answer));
		used += sizeof(answer);
	}
	machine.n_sent = 0;
	return used;
}

static void number_messages(char *buffer, size_t size) {
	for (struct nlmsghdr *nlh = NULL; (nlh = (struct nlmsghdr *)(uintptr_t)nl_next(buffer, size, nlh));)
		nlh->nlmsg_seq += machine.first_seq;
}

/* The next datagram of the input; its size, -1 with errno. */
static ssize_t next_datagram(char *buffer, size_t room, bool *ret_foreign, bool *ret_cut) {
	size_t size = next_size();

	*ret_foreign = size == MACHINE_FOREIGN;
	*ret_cut = false;
	if (*ret_foreign)
		size = next_size();
	if (size == MACHINE_ENOBUFS || size == MACHINE_EINTR) {
		errno = size == MACHINE_ENOBUFS ? ENOBUFS : EINTR;
		return -1;
	}
	if (size == MACHINE_END) {
		size = put_end(buffer, room);
		errno = EAGAIN;
		return size ? (ssize_t)size : -1;
	}
	size = MIN(size, machine.size - machine.at);
	*ret_cut = size > room;
	memcpy(buffer, machine.data + machine.at, MIN(size, room));
	machine.at += size;
	number_messages(buffer, MIN(size, room));
	return (ssize_t)MIN(size, room);
}

/* The id of the namespace that an event came from: none, or one of a few. */
static void put_nsid(struct msghdr *msg) {
	int32_t nsid = (int32_t)(machine_byte() & 7) - 1;
	struct cmsghdr *c = msg->msg_controllen >= CMSG_SPACE(sizeof(nsid)) ? CMSG_FIRSTHDR(msg) : NULL;

	if (!c || nsid < 0) {
		msg->msg_controllen = 0;
		return;
	}
	c->cmsg_level = SOL_NETLINK;
	c->cmsg_type = NETLINK_LISTEN_ALL_NSID;
	c->cmsg_len = CMSG_LEN(sizeof(nsid));
	memcpy(CMSG_DATA(c), &nsid, sizeof(nsid));
	msg->msg_controllen = CMSG_SPACE(sizeof(nsid));
}

/* ---- the system's calls ---- */

ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags);
ssize_t __wrap_sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to, socklen_t to_size);
int __wrap_recvmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags, struct timespec *timeout);
int __wrap_socket(int domain, int type, int protocol);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t size);
int __wrap_getsockname(int fd, struct sockaddr *address, socklen_t *size);
int __wrap_nanosleep(const struct timespec *time, struct timespec *left);
int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask);
ssize_t __wrap_read(int fd, void *buffer, size_t size);
ssize_t __real_read(int fd, void *buffer, size_t size);

ssize_t __wrap_recvmsg(int fd _unused_, struct msghdr *msg, int flags _unused_) {
	bool foreign, cut;
	ssize_t n = next_datagram(msg->msg_iov[0].iov_base, msg->msg_iov[0].iov_len, &foreign, &cut);

	if (n < 0)
		return n;
	msg->msg_flags = cut ? MSG_TRUNC : 0;
	if (msg->msg_name)
		*(struct sockaddr_nl *)msg->msg_name = (struct sockaddr_nl){ .nl_pid = foreign ? 4711 : 0 };
	if (msg->msg_control)
		put_nsid(msg);
	return n;
}

int __wrap_recvmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags, struct timespec *timeout _unused_) {
	for (unsigned i = 0; i < n; i++) {
		ssize_t size = __wrap_recvmsg(fd, &messages[i].msg_hdr, flags);

		if (size < 0)
			return i ? (int)i : -1;
		messages[i].msg_len = (unsigned)size;
	}
	return (int)n;
}

ssize_t __wrap_sendto(int fd _unused_, const void *data, size_t size, int flags _unused_,
		      const struct sockaddr *to _unused_, socklen_t to_size _unused_) {
	note_sent(data, size);
	return (ssize_t)size;
}

int __wrap_socket(int domain _unused_, int type _unused_, int protocol _unused_) {
	return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

int __wrap_bind(int fd _unused_, const struct sockaddr *address _unused_, socklen_t size _unused_) {
	return 0;
}

int __wrap_setsockopt(int fd _unused_, int level _unused_, int name _unused_, const void *value _unused_,
		      socklen_t size _unused_) {
	return 0;
}

int __wrap_getsockname(int fd _unused_, struct sockaddr *address, socklen_t *size _unused_) {
	((struct sockaddr_nl *)(void *)address)->nl_pid = 1;
	return 0;
}

int __wrap_nanosleep(const struct timespec *time _unused_, struct timespec *left _unused_) {
	return 0;
}

/* ---- inotify ---- */

int __wrap_inotify_add_watch(int fd _unused_, const char *path _unused_, uint32_t mask _unused_) {
	if (machine_byte() % 8 == 7) {
		errno = ENOENT;
		return -1;
	}
	return ++machine.next_watch;
}

/* The kernel's events are well formed; names in them are anybody's. */
static size_t put_event(char *buffer, size_t room) {
	static const uint32_t masks[] = { IN_CREATE, IN_DELETE, IN_MOVED_TO, IN_IGNORED, IN_Q_OVERFLOW, IN_CLOSE_WRITE,
					  IN_DELETE_SELF, IN_MOVED_FROM };
	uint8_t choice = machine_byte(), length = machine_byte() % 33;
	struct inotify_event event = { .wd = choice % 8, .mask = masks[choice / 8 % ARRAY_SIZE(masks)] };
	char name[48] = {};

	for (uint8_t i = 0; i < length; i++)
		name[i] = (char)machine_byte();
	event.len = *name ? (uint32_t)((strlen(name) + 16) & ~(size_t)15) : 0;
	if (sizeof(event) + event.len > room)
		return 0;
	memcpy(buffer, &event, sizeof(event));
	memcpy(buffer + sizeof(event), name, event.len);
	return sizeof(event) + event.len;
}

static bool is_inotify(int fd) {
	char path[64], link[32] = {};

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return readlink(path, link, sizeof(link) - 1) > 0 && streq(link, "anon_inode:inotify");
}

ssize_t __wrap_read(int fd, void *buffer, size_t size) {
	size_t used = 0, n;

	if (!machine.data || !is_inotify(fd))
		return __real_read(fd, buffer, size);
	for (uint8_t i = machine_byte() % 16; i > 0; i--, used += n)
		n = put_event((char *)buffer + used, size - used);
	errno = EAGAIN;
	return used ? (ssize_t)used : -1;
}

/* ---- messages in memory of their own size ---- */

int __real_nl_dump(struct nl_socket *sock, struct nlmsghdr *request, nl_message_fn fn, void (*restart)(void *),
		   void *userdata);
int __wrap_nl_dump(struct nl_socket *sock, struct nlmsghdr *request, nl_message_fn fn, void (*restart)(void *),
		   void *userdata);
int __real_nl_request(struct nl_socket *sock, struct nlmsghdr *request, nl_message_fn fn, void *userdata);
int __wrap_nl_request(struct nl_socket *sock, struct nlmsghdr *request, nl_message_fn fn, void *userdata);

struct exact {
	nl_message_fn fn;
	void (*restart)(void *);
	void *userdata;
};

static int exact_message(void *userdata, const struct nlmsghdr *nlh) {
	const struct exact *exact = userdata;
	_cleanup_free_ struct nlmsghdr *copy = xmalloc(nlh->nlmsg_len);

	memcpy(copy, nlh, nlh->nlmsg_len);
	return exact->fn(exact->userdata, copy);
}

static void exact_restart(void *userdata) {
	const struct exact *exact = userdata;

	if (exact->restart)
		exact->restart(exact->userdata);
}

int __wrap_nl_dump(struct nl_socket *sock, struct nlmsghdr *request, nl_message_fn fn, void (*restart)(void *),
		   void *userdata) {
	return __real_nl_dump(sock, request, exact_message, exact_restart, &(struct exact){ fn, restart, userdata });
}

int __wrap_nl_request(struct nl_socket *sock, struct nlmsghdr *request, nl_message_fn fn, void *userdata) {
	return __real_nl_request(sock, request, exact_message, &(struct exact){ fn, NULL, userdata });
}

/* ---- netns.h ---- */

int netns_prepare(const char **ret_problem) {
	*ret_problem = NULL;
	return 0;
}

static int some_fd(int *ret_fd) {
	*ret_fd = eventfd(0, EFD_CLOEXEC);
	return *ret_fd < 0 ? -errno : 0;
}

static int some_error(void) {
	static const int errors[] = { 0, 0, 0, 0, -ENOENT, -EINVAL, -EEXIST, -EPERM };

	return errors[machine_byte() % ARRAY_SIZE(errors)];
}

int netns_make(int *ret_fd, const char **ret_problem) {
	int r = some_error();

	*ret_problem = NULL;
	return r ? r : some_fd(ret_fd);
}

int netns_name(int fd _unused_, const char *name _unused_, const char **ret_problem) {
	*ret_problem = NULL;
	return some_error();
}

int netns_delete(const char *name _unused_, const char **ret_problem) {
	*ret_problem = NULL;
	return some_error();
}

void netns_keep_folder(bool keep _unused_) {
}

int netns_open(const char *name _unused_, int *ret_fd) {
	int r = some_error();

	return r ? r : some_fd(ret_fd);
}

int netns_remove_stale(const char *name _unused_) {
	return some_error();
}

int netns_inode(int fd _unused_, ino_t *ret) {
	*ret = machine.next_inode + machine_byte() % 4;
	return 0;
}

int netns_id(int fd _unused_, int32_t *ret) {
	*ret = (int32_t)(machine_byte() % 8);
	return 0;
}

int netns_known_id(int fd _unused_, int32_t *ret) {
	*ret = (int32_t)(machine_byte() % 8) - 1;
	return 0;
}

int netns_ids(struct nl_socket *sock _unused_, const int *fds _unused_, size_t n, bool assign, int32_t *ret) {
	for (size_t i = 0; i < n; i++)
		ret[i] = (int32_t)(machine_byte() % 8) - !assign;
	return some_error();
}

int netns_init(void) {
	return 0;
}

int netns_enter(struct netns_visit *visit, int fd _unused_) {
	visit->away = true;
	return 0;
}

void netns_leave(struct netns_visit *visit) {
	visit->away = false;
}

/* ---- settings.h ---- */

static const char *some_text(struct arena *arena, int *ret_error) {
	uint8_t length = machine_byte() % 64;
	char *text;

	*ret_error = 0;
	if (length == 0) {
		*ret_error = -ENOENT;
		return NULL;
	}
	text = arena_alloc(arena, length + 1u);
	for (uint8_t i = 0; i < length; i++)
		text[i] = (char)machine_byte();
	return text;
}

void settings_visit(struct settings *settings) {
	settings->n_namespaces++;
}

void settings_done(struct settings *settings) {
	*settings = SETTINGS_NONE;
}

const char *setting_read(const struct settings *settings _unused_, struct arena *arena, const char *path _unused_,
			 int *ret_error) {
	return some_text(arena, ret_error);
}

int setting_write(const struct settings *settings _unused_, const char *path _unused_, const char *value _unused_) {
	return some_error();
}

const char *resolv_conf_read(struct arena *arena, const char *ns _unused_, int *ret_error) {
	return some_text(arena, ret_error);
}

int resolv_conf_write(const char *ns _unused_, const char *content _unused_) {
	return some_error();
}

int resolv_conf_remove(const char *ns _unused_) {
	return some_error();
}

void resolv_conf_clear(const char *ns _unused_) {
}
