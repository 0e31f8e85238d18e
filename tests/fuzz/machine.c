/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages are passed to the daemon in memory of their exact size, so that AddressSanitizer notices a decoder that reads
 * beyond the end of a message; inside the socket's large buffer it would not.
 */
#include "machine_private.h"

#include <linux/net_namespace.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/socket.h>

#include "kernel/nl_socket.h"
#include "net/nl_message.h"
#include "base/vec.h"

enum {
	SENT_MAX = 4096,
	DESCRIPTORS = 256,
	SENT_TYPES = 128, /* rtnetlink's */
	STREAMS = STREAM_KINDS * MACHINE_PLACES,
};

struct sent_message {
	uint32_t seq;
	uint16_t type, flags;
	int32_t number; /* of the requested namespace */
};

/* Bytes in the order in which they are used. */
struct stream {
	vec(uint8_t) bytes;
	size_t at;
};

static struct {
	struct stream streams[STREAMS];
	bool on, records;
	struct sent_message sent[SENT_MAX]; /* not answered yet */
	size_t n_sent;
	uint32_t first_seq;
	enum stream_kind asked;      /* the kind of the latest request */
	uint8_t places[DESCRIPTORS]; /* of namespaces and sockets */
	uint8_t here;                /* where the thread is */
	int next_watch;
} machine;

static size_t n_sent_of[SENT_TYPES];

/* ---- the input ---- */

static void add_byte(struct stream *stream, uint8_t byte) {
	vec_push(&stream->bytes, byte);
}

static uint8_t take_byte(struct stream *stream) {
	return stream->at < stream->bytes.n ? stream->bytes.items[stream->at++] : 0;
}

static bool is_used_up(const struct stream *stream) {
	return stream->at >= stream->bytes.n;
}

static size_t take_size(struct stream *stream) {
	size_t low = take_byte(stream);

	return low | (size_t)take_byte(stream) << 8;
}

static void machine_reset(void) {
	machine_end();
	machine.on = true;
}

void machine_begin(const uint8_t *data, size_t size) {
	machine_reset();
	for (size_t i = 0; i < size; i++)
		add_byte(&machine.streams[0], data[i]);
}

/* Returns how much of the input it is. */
static size_t read_record(const uint8_t *data, size_t size) {
	unsigned kind = data[0] % STREAM_KINDS, place = data[0] / STREAM_KINDS % MACHINE_PLACES;
	struct stream *stream = &machine.streams[kind == STREAM_CHOICES ? 0 : kind + place * STREAM_KINDS];
	size_t length = size < 3 ? 0 : data[1] | (size_t)data[2] << 8, used = MIN(size, (size_t)3);

	for (size_t i = 1; i < used && kind != STREAM_CHOICES; i++)
		add_byte(stream, data[i]);
	length = length > MACHINE_LARGEST ? 0 : MIN(length, size - used);
	for (size_t i = 0; i < length; i++)
		add_byte(stream, data[used + i]);
	return used + length;
}

void machine_begin_records(const uint8_t *data, size_t size) {
	machine_reset();
	machine.records = true;
	for (size_t at = 0; at < size;)
		at += read_record(data + at, size - at);
}

void machine_end(void) {
	for (size_t i = 0; i < STREAMS; i++)
		vec_done(&machine.streams[i].bytes);
	memset(&machine, 0, sizeof(machine));
}

uint8_t machine_byte(void) {
	return take_byte(&machine.streams[0]);
}

int machine_done(void) {
	for (size_t i = 0; i < STREAMS; i++)
		if (!is_used_up(&machine.streams[i]))
			return false;
	return true;
}

/* ---- namespaces ---- */

unsigned machine_place(const char *name) {
	return streq(name, "host") ? 0 : (unsigned char)*name % MACHINE_PLACES;
}

uint64_t machine_inode_of(unsigned place) {
	return 1000 + 4u * place;
}

uint64_t machine_inode(const char *name) {
	return machine_inode_of(machine_place(name));
}

uint8_t machine_place_of(int fd) {
	return fd >= 0 && fd < DESCRIPTORS ? machine.places[fd] : 0;
}

int machine_place_descriptor(int fd, unsigned place) {
	if (fd >= 0 && fd < DESCRIPTORS)
		machine.places[fd] = (uint8_t)place;
	return fd;
}

void machine_stand_in(uint8_t place) {
	machine.here = place;
}

/* ---- answers ---- */

static bool is_dump(const struct sent_message *m) {
	return (m->flags & NLM_F_DUMP) == NLM_F_DUMP;
}

static enum stream_kind kind_of(const struct nlmsghdr *nlh) {
	switch (nlh->nlmsg_type) {
	case RTM_GETLINK:
		return STREAM_LINKS;
	case RTM_GETADDR:
		return STREAM_ADDRESSES;
	case RTM_GETROUTE:
		return STREAM_ROUTES;
	case RTM_GETNSID:
		return STREAM_NUMBERS;
	default:
		return nlh->nlmsg_type >> 8 == NFNL_SUBSYS_NFTABLES ? STREAM_NETFILTER : STREAM_CHANGES;
	}
}

static int32_t number_asked_for(const struct nlmsghdr *nlh) {
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct rtgenmsg))
		if (mnl_attr_get_type(attr) == NETNSA_FD)
			return machine_place_of((int)mnl_attr_get_u32(attr));
	return NETNSA_NSID_NOT_ASSIGNED;
}

static void note_sent(const void *data, size_t size) {
	machine.n_sent = 0;
	for (const struct nlmsghdr *nlh = NULL; (nlh = nl_next(data, size, nlh));) {
		if (nlh->nlmsg_type < SENT_TYPES)
			n_sent_of[nlh->nlmsg_type]++;
		if (machine.n_sent == 0) {
			machine.first_seq = nlh->nlmsg_seq;
			machine.asked = kind_of(nlh);
		}
		if (machine.n_sent < SENT_MAX)
			machine.sent[machine.n_sent++] = (struct sent_message){
				nlh->nlmsg_seq,
				nlh->nlmsg_type,
				nlh->nlmsg_flags,
				nlh->nlmsg_type == RTM_GETNSID ? number_asked_for(nlh) : 0,
			};
	}
}

size_t machine_n_sent(uint16_t type) {
	return n_sent_of[type];
}

union answer {
	struct nlmsghdr header;
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} end;
	char bytes[64];
};

/* The end of a dump, an acknowledgement, or a number; nothing without a request. */
static size_t make_end(const struct sent_message *m, union answer *answer) {
	memset(answer, 0, sizeof(*answer));
	if (m->type == RTM_GETNSID) {
		mnl_nlmsg_put_header(answer);
		mnl_nlmsg_put_extra_header(&answer->header, sizeof(struct rtgenmsg));
		mnl_attr_put_u32(&answer->header, NETNSA_NSID, (uint32_t)m->number);
		answer->header.nlmsg_type = RTM_NEWNSID;
	} else if (is_dump(m) || m->flags & NLM_F_ACK) {
		answer->header.nlmsg_len = sizeof(answer->end);
		answer->header.nlmsg_type = is_dump(m) ? NLMSG_DONE : NLMSG_ERROR;
	}
	answer->header.nlmsg_seq = m->seq;
	return answer->header.nlmsg_len;
}

/* The final answers of the kernel: success. */
static size_t put_end(char *buffer, size_t room) {
	size_t used = 0;

	for (size_t i = 0; i < machine.n_sent; i++) {
		union answer answer;
		size_t size = make_end(&machine.sent[i], &answer);

		if (used + size > room)
			break;
		memcpy(buffer + used, &answer, size);
		used += size;
	}
	machine.n_sent = 0;
	return used;
}

static void number_messages(char *buffer, size_t size) {
	for (struct nlmsghdr *nlh = NULL; (nlh = (struct nlmsghdr *)(uintptr_t)nl_next(buffer, size, nlh));)
		nlh->nlmsg_seq += machine.first_seq;
}

/* The next datagram of a stream; its size, -1 with errno. */
static ssize_t next_datagram(struct stream *stream, char *buffer, size_t room, bool *ret_foreign, bool *ret_cut) {
	size_t size = take_size(stream);

	*ret_foreign = size == MACHINE_FOREIGN;
	*ret_cut = false;
	if (*ret_foreign)
		size = take_size(stream);
	if (size == MACHINE_ENOBUFS || size == MACHINE_EINTR) {
		errno = size == MACHINE_ENOBUFS ? ENOBUFS : EINTR;
		return -1;
	}
	if (size == MACHINE_END) {
		size = put_end(buffer, room);
		errno = EAGAIN;
		return size ? (ssize_t)size : -1;
	}
	size = MIN(size, stream->bytes.n - stream->at);
	*ret_cut = size > room;
	memcpy(buffer, stream->bytes.items + stream->at, MIN(size, room));
	stream->at += size;
	number_messages(buffer, MIN(size, room));
	return (ssize_t)MIN(size, room);
}

/* The id of an event's namespace: none, or one of a few. */
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

static struct stream *stream_of(int fd) {
	return &machine.streams[machine.records ? machine.asked + machine_place_of(fd) * STREAM_KINDS : 0];
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags _unused_) {
	bool external, cut;
	ssize_t n = next_datagram(stream_of(fd), msg->msg_iov[0].iov_base, msg->msg_iov[0].iov_len, &external, &cut);

	if (n < 0)
		return n;
	msg->msg_flags = cut ? MSG_TRUNC : 0;
	if (msg->msg_name)
		*(struct sockaddr_nl *)msg->msg_name = (struct sockaddr_nl){ .nl_pid = external ? 4711 : 0 };
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

ssize_t __wrap_sendto(int fd _unused_, const void *data, size_t size, int flags _unused_, const struct sockaddr *to _unused_,
		      socklen_t to_size _unused_) {
	note_sent(data, size);
	return (ssize_t)size;
}

int __wrap_socket(int domain _unused_, int type _unused_, int protocol _unused_) {
	return machine_place_descriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), machine.here);
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

/* inotify events are well formed; the names in them are arbitrary. */
static size_t put_event(char *buffer, size_t room) {
	static const uint32_t masks[] = { IN_CREATE,     IN_DELETE,      IN_MOVED_TO,    IN_IGNORED,
					  IN_Q_OVERFLOW, IN_CLOSE_WRITE, IN_DELETE_SELF, IN_MOVED_FROM };
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

	if (!machine.on || !is_inotify(fd))
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

/* Does the request use an id that no namespace has? */
static bool leads_nowhere(const struct nlmsghdr *request) {
	const struct nlattr *tb[IFLA_TARGET_NETNSID + 1] = {};

	if (request->nlmsg_type == RTM_GETLINK)
		nl_parse(request, sizeof(struct ifinfomsg), tb, IFLA_TARGET_NETNSID);
	return nl_get_u32(tb[IFLA_TARGET_NETNSID], 0) >= MACHINE_PLACES;
}

int __wrap_nl_dump(struct nl_socket *sock, struct nlmsghdr *request, nl_message_fn fn, void (*restart)(void *),
		   void *userdata) {
	if (leads_nowhere(request))
		return -EINVAL;
	return __real_nl_dump(sock, request, exact_message, exact_restart, &(struct exact){ fn, restart, userdata });
}

int __wrap_nl_request(struct nl_socket *sock, struct nlmsghdr *request, nl_message_fn fn, void *userdata) {
	return __real_nl_request(sock, request, exact_message, &(struct exact){ fn, NULL, userdata });
}

int __real_nl_ask(struct nl_socket *sock, struct nlmsghdr **requests, size_t n, nl_answer_fn fn, void *userdata);
int __wrap_nl_ask(struct nl_socket *sock, struct nlmsghdr **requests, size_t n, nl_answer_fn fn, void *userdata);

struct exact_answers {
	nl_answer_fn fn;
	void *userdata;
};

static void exact_answer(void *userdata, size_t index, const struct nlmsghdr *answer, int error) {
	const struct exact_answers *exact = userdata;
	_cleanup_free_ struct nlmsghdr *copy = answer ? xmalloc(answer->nlmsg_len) : NULL;

	if (answer)
		memcpy(copy, answer, answer->nlmsg_len);
	exact->fn(exact->userdata, index, copy, error);
}

int __wrap_nl_ask(struct nl_socket *sock, struct nlmsghdr **requests, size_t n, nl_answer_fn fn, void *userdata) {
	return __real_nl_ask(sock, requests, n, exact_answer, &(struct exact_answers){ fn, userdata });
}
