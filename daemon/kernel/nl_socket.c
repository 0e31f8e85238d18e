/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a batch is sent and its answers are matched to its messages.
 *
 * This relies on two properties of the kernel. It processes all messages of a sendmsg() before that returns, so every answer
 * is queued before the first recvmsg(); an answer that is missing then will not come, and the receive timeout is only a
 * safeguard. And answers carry the sequence number, which distinguishes them from leftovers of an earlier exchange.
 *
 * Answers are collected first and handed out afterwards: the caller may use the socket in its callback, and the result of
 * a transaction's messages is not known before the last answer.
 *
 * The receive buffer is on the stack: exchanges cannot disturb each other, and an idle socket costs nothing.
 */
#include "kernel/nl_socket.h"

#include <limits.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/arena.h"
#include "kernel/named_netns.h"
#include "net/nl_message.h"

enum {
	ANSWER_SECONDS = 10,         /* far longer than the RTNL lock is ever held */
	BATCH_BYTES = 64 * 1024,     /* per sendmsg(), well below the default send buffer */
	RECEIVE_BUFFER = 208 * 1024, /* the kernel's default, which sysctl net.core.rmem_default may have lowered */
	QUESTIONS = 32,              /* at once: an answer about a link takes up to 4.5 KiB of the buffer */
	RECEIVE_BYTES = 64 * 1024,   /* a dump fills at most 32 KiB at once, unless one message is larger */
};

/* ---- sockets ---- */

static int set_option(int fd, int option) {
	int on = 1;

	return setsockopt(fd, SOL_NETLINK, option, &on, sizeof(on)) < 0 ? -errno : 0;
}

/* The kernel doubles the value. */
static int set_receive_buffer(int fd) {
	int half = RECEIVE_BUFFER / 2;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &half, sizeof(half)) < 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &half, sizeof(half)) < 0)
		return -errno;
	return 0;
}

static int set_options(int fd) {
	struct timeval limit = { .tv_sec = ANSWER_SECONDS };
	int r = 0;

	r = r ? r : set_option(fd, NETLINK_EXT_ACK);
	r = r ? r : set_option(fd, NETLINK_CAP_ACK);
	r = r ? r : set_option(fd, NETLINK_GET_STRICT_CHK);
	r = r ? r : set_receive_buffer(fd);
	if (r == 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0)
		r = -errno;
	return r;
}

/* A socket stays in the namespace in which socket() was called. The kernel gives it a port with the first message. */
static int socket_in(int protocol, int netns_fd) {
	_cleanup_(netns_leave) struct netns_visit visit = NETNS_VISIT_NONE;
	int fd, r;

	r = netns_fd < 0 ? 0 : netns_enter(&visit, netns_fd);
	if (r < 0)
		return r;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	return fd < 0 ? -errno : fd;
}

int nl_open(struct nl_socket *sock, int protocol, int netns_fd) {
	_cleanup_close_ int fd = -1;
	int r;

	*sock = NL_SOCKET_NONE;
	fd = socket_in(protocol, netns_fd);
	if (fd < 0)
		return fd;
	r = set_options(fd);
	if (r < 0)
		return r;
	*sock = (struct nl_socket){ .fd = TAKE_FD(fd), .protocol = protocol, .seq = 1 };
	return 0;
}

void nl_close(struct nl_socket *sock) {
	if (sock->fd >= 0)
		close(sock->fd);
	*sock = NL_SOCKET_NONE;
}

/* ---- one datagram ---- */

/* SO_SNDBUF limits a single netlink message, not what is queued: leaving it raised costs nothing. */
static int raise_send_buffer(int fd, size_t size) {
	int bytes = (int)size;

	if (size > INT_MAX / 2)
		return -EMSGSIZE;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)) < 0)
		return -errno;
	return 0;
}

static int send_once(int fd, const void *data, size_t size) {
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t n;

	do
		n = sendto(fd, data, size, 0, (struct sockaddr *)&kernel, sizeof(kernel));
	while (n < 0 && errno == EINTR); /* only before the kernel has read the message */
	return n < 0 ? -errno : 0;
}

static int send_bytes(int fd, const void *data, size_t size) {
	int r = send_once(fd, data, size);

	if (r != -EMSGSIZE)
		return r;
	r = raise_send_buffer(fd, size);
	return r < 0 ? r : send_once(fd, data, size);
}

/* Receives the next datagram from the kernel itself; its size, or -ETIMEDOUT if there is none. */
static ssize_t receive_bytes(int fd, void *buffer, size_t size, int flags) {
	struct sockaddr_nl from = {};
	struct iovec iov = { .iov_base = buffer, .iov_len = size };

	for (;;) {
		struct msghdr msg = {
			.msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = &iov,
			.msg_iovlen = 1,
		};
		ssize_t n = recvmsg(fd, &msg, flags);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK ? -ETIMEDOUT : -errno;
		if (from.nl_pid != 0)
			continue; /* other processes with the privilege can send to our port */
		return msg.msg_flags & MSG_TRUNC ? -EMSGSIZE : n;
	}
}

typedef void (*heard_fn)(void *context, const struct nlmsghdr *nlh);

/* Receives one datagram and calls heard for each message in it. */
static int receive(const struct nl_socket *sock, int flags, heard_fn heard, void *context) {
	_Alignas(struct nlmsghdr) char buffer[RECEIVE_BYTES];
	ssize_t n = receive_bytes(sock->fd, buffer, sizeof(buffer), flags);

	if (n < 0)
		return (int)n;
	for (const struct nlmsghdr *nlh = NULL; (nlh = nl_next(buffer, (size_t)n, nlh));)
		heard(context, nlh);
	return 0;
}

/* ---- what an answer says ---- */

/* NLMSG_ERROR and NLMSG_DONE both begin with an int, except that some dumps end with an empty DONE. */
static int read_error(const struct nlmsghdr *nlh) {
	int error = 0;

	if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(error))
		memcpy(&error, mnl_nlmsg_get_payload(nlh), sizeof(error));
	return error < 0 ? error : 0;
}

/* Where the extended ack's attributes begin: after the copy of our message, which NETLINK_CAP_ACK reduces to its header.
 * 0: there are none. */
static unsigned int extended_at(const struct nlmsghdr *nlh) {
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	unsigned int offset = sizeof(*err);

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) || mnl_nlmsg_get_payload_len(nlh) < sizeof(*err))
		return 0;
	if (nlh->nlmsg_flags & NLM_F_CAPPED)
		return offset;
	if (err->msg.nlmsg_len < NLMSG_HDRLEN || err->msg.nlmsg_len > nlh->nlmsg_len)
		return 0;
	return offset + NLMSG_ALIGN(err->msg.nlmsg_len) - NLMSG_HDRLEN;
}

/* The text still points into the message. */
static struct nl_ack read_ack(const struct nlmsghdr *nlh) {
	struct nl_ack ack = { .error = read_error(nlh) };
	unsigned int offset = extended_at(nlh);
	const struct nlattr *attr;

	if (offset == 0)
		return ack;
	mnl_attr_for_each(attr, nlh, offset) {
		uint16_t type = mnl_attr_get_type(attr);

		if (type == NLMSGERR_ATTR_MSG && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
			ack.text = mnl_attr_get_str(attr);
		else if (type == NLMSGERR_ATTR_OFFS && mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
			ack.offset = mnl_attr_get_u32(attr);
	}
	return ack;
}

/* ---- batches ---- */

struct reply {
	struct nl_ack ack;
	bool answered;
};

struct batch {
	struct nl_socket *sock;
	struct nlmsghdr **messages;
	struct reply *replies; /* one per message */
	size_t n, answered;
	int lost;           /* -ENOBUFS: some answers did not fit */
	uint32_t first_seq; /* messages[0]'s; the others follow it */
	heard_fn heard;     /* gets each received message */
	struct arena texts; /* of the extended acks */
	nl_answer_fn fn;    /* for questions: gets each answer at once */
	void *userdata;
};

static void batch_done(struct batch *batch) {
	free(batch->replies);
	arena_done(&batch->texts);
}

static int batch_number(struct batch *batch) {
	batch->first_seq = batch->sock->seq;
	for (size_t i = 0; i < batch->n; i++) {
		struct nlmsghdr *nlh = batch->messages[i];

		if (nlh->nlmsg_len < NLMSG_HDRLEN)
			return -EINVAL; /* the kernel would stop here silently */
		nlh->nlmsg_seq = batch->sock->seq++;
		nlh->nlmsg_flags |= NLM_F_REQUEST;
	}
	return 0;
}

static void hear_ack(void *context, const struct nlmsghdr *nlh) {
	struct batch *batch = context;
	size_t i = (uint32_t)(nlh->nlmsg_seq - batch->first_seq);

	if (nlh->nlmsg_type != NLMSG_ERROR || i >= batch->n || batch->replies[i].answered)
		return;
	struct reply *reply = &batch->replies[i];
	*reply = (struct reply){ .ack = read_ack(nlh), .answered = true };
	if (reply->ack.text)
		reply->ack.text = arena_strdup(&batch->texts, reply->ack.text);
	batch->answered++;
}

/* Sends messages[from] to messages[to - 1] by one sendmsg(). They are copied, because each has to begin at a multiple of
 * four, and there may be more of them than sendmsg() takes pieces. */
static int send_range(struct batch *batch, size_t from, size_t to) {
	_cleanup_free_ char *bytes = NULL;
	size_t size = 0, used = 0;

	for (size_t i = from; i < to; i++)
		size += NLMSG_ALIGN((size_t)batch->messages[i]->nlmsg_len);
	bytes = xmalloc(size);
	for (size_t i = from; i < to; i++) {
		memcpy(bytes + used, batch->messages[i], batch->messages[i]->nlmsg_len);
		used += NLMSG_ALIGN((size_t)batch->messages[i]->nlmsg_len);
	}
	return send_bytes(batch->sock->fd, bytes, size);
}

/* Receives until finished() returns true. After an overrun the remaining answers are still queued, but nothing more will
 * come; a second overrun ends it. */
static int await(struct batch *batch, bool (*finished)(const struct batch *, size_t), size_t target) {
	int flags = 0, r;

	while (!finished(batch, target)) {
		r = receive(batch->sock, flags, batch->heard, batch);
		if (r == -ENOBUFS && flags == 0) {
			batch->lost = r;
			flags = MSG_DONTWAIT;
		} else if (r < 0) {
			return batch->lost < 0 ? batch->lost : r;
		}
	}
	return 0;
}

static bool last_answered(const struct batch *batch, size_t to) {
	return batch->replies[to - 1].answered;
}

static bool answered_up_to(const struct batch *batch, size_t target) {
	return batch->answered >= target;
}

static size_t range_end(const struct batch *batch, size_t from) {
	size_t end = from, bytes = 0;

	while (end < batch->n && end - from < NL_BATCH_MESSAGES && bytes < BATCH_BYTES)
		bytes += batch->messages[end++]->nlmsg_len;
	return end;
}

/* Sends only as many at a time as leave room for their answers. */
static int run_ranges(struct batch *batch) {
	int r = 0;

	for (size_t from = 0, to; r == 0 && from < batch->n; from = to) {
		to = MIN(range_end(batch, from), from + QUESTIONS);
		r = send_range(batch, from, to);
		if (r == 0)
			r = await(batch, answered_up_to, to);
	}
	return r;
}

/* Only the last message of each range asks for an acknowledgement. Errors are reported anyway and in order, so its answer
 * implies success for all messages without an answer. */
static int run_separate(struct batch *batch) {
	size_t from = 0;
	int r = 0;

	for (size_t i = 0; i < batch->n; i++)
		batch->messages[i]->nlmsg_flags &= (uint16_t)~NLM_F_ACK;
	while (from < batch->n) {
		size_t to = range_end(batch, from);

		batch->messages[to - 1]->nlmsg_flags |= NLM_F_ACK;
		r = send_range(batch, from, to);
		if (r == 0)
			r = await(batch, last_answered, to);
		if (r == 0)
			r = batch->lost; /* then a missing answer means nothing */
		if (r < 0)
			break;
		from = to;
	}
	for (size_t i = from; i < batch->n; i++)
		if (!batch->replies[i].answered)
			batch->replies[i].ack.error = r;
	return r;
}

/* ---- nf_tables transactions ---- */

/* Only the last message asks for an acknowledgement, and errors are reported anyway: so the answers to a transaction of
 * any size fit into the receive buffer. They come in the order of the messages, except that an answer to the begin (the
 * commit failed, or the generation has changed) comes first and makes the others meaningless. */
static bool transaction_answered(const struct batch *batch, size_t last) {
	return batch->replies[0].answered || batch->replies[last].answered;
}

static bool is_transaction(const struct batch *batch) {
	return batch->n >= 2 && batch->messages[0]->nlmsg_type == NFNL_MSG_BATCH_BEGIN &&
	       batch->messages[batch->n - 1]->nlmsg_type == NFNL_MSG_BATCH_END;
}

static bool any_failed(const struct batch *batch) {
	for (size_t i = 0; i < batch->n; i++)
		if (batch->replies[i].ack.error < 0)
			return true;
	return false;
}

/* Gives each message without an error the result of the whole transaction. r: the result of await(). */
static int settle(struct batch *batch, int r) {
	struct nl_ack fate = batch->replies[0].ack;

	if (fate.error == 0 && any_failed(batch)) {
		fate.error = -ECANCELED;
		r = 0; /* some errors may be lost, but one is enough to know the result */
	} else if (fate.error == 0) {
		fate.error = r;
	}
	for (size_t i = 1; i < batch->n - 1; i++)
		if (batch->replies[i].ack.error == 0)
			batch->replies[i].ack = fate;
	return r;
}

static int run_transaction(struct batch *batch) {
	size_t last = batch->n - 2;
	int r;

	for (size_t i = 0; i < batch->n; i++)
		batch->messages[i]->nlmsg_flags &= (uint16_t)~NLM_F_ACK;
	batch->messages[last]->nlmsg_flags |= NLM_F_ACK;
	r = send_range(batch, 0, batch->n);
	if (r == 0)
		r = await(batch, transaction_answered, last);
	return settle(batch, r);
}

int nl_transact(struct nl_socket *sock, struct nlmsghdr **messages, size_t n, bool transaction, nl_ack_fn ack,
		void *userdata) {
	_cleanup_(batch_done) struct batch batch = { .sock = sock, .messages = messages, .n = n, .heard = hear_ack };
	size_t skip = transaction ? 1 : 0; /* begin and end are not the caller's messages */
	int r;

	if (transaction && !is_transaction(&batch))
		return -EINVAL;
	if (n <= 2 * skip)
		return 0;
	r = batch_number(&batch);
	if (r < 0)
		return r;
	batch.replies = xmalloc(n * sizeof(*batch.replies));
	r = transaction ? run_transaction(&batch) : run_separate(&batch);
	for (size_t i = skip; ack && i < n - skip; i++)
		ack(userdata, i, &batch.replies[i].ack);
	return r;
}

/* ---- questions ---- */

/* NLMSG_ERROR instead of an answer is a refusal. */
static void hear_one(void *context, const struct nlmsghdr *nlh) {
	struct batch *batch = context;
	size_t i = (uint32_t)(nlh->nlmsg_seq - batch->first_seq);
	bool refused = nlh->nlmsg_type == NLMSG_ERROR;

	if (i >= batch->n || batch->replies[i].answered)
		return;
	batch->replies[i].answered = true;
	batch->answered++;
	batch->fn(batch->userdata, i, refused ? NULL : nlh, refused ? read_error(nlh) : 0);
}

int nl_ask(struct nl_socket *sock, struct nlmsghdr **requests, size_t n, nl_answer_fn fn, void *userdata) {
	_cleanup_(batch_done) struct batch batch = {
		.sock = sock,
		.messages = requests,
		.n = n,
		.heard = hear_one,
		.fn = fn,
		.userdata = userdata,
	};
	int r = batch_number(&batch);

	if (r < 0 || !n)
		return r;
	batch.replies = xmalloc(n * sizeof(*batch.replies));
	return run_ranges(&batch);
}

struct exchange {
	nl_message_fn fn;
	void *userdata;
	uint32_t seq;
	size_t messages;
	int result; /* fn's or the kernel's error, whichever came first */
	bool done, interrupted;
};

/* After an error of fn, or once the dump is known to be interrupted, the rest is read and dropped: a dump that is not
 * read to its end would make the next one on this socket fail. */
static void hear_answer(void *context, const struct nlmsghdr *nlh) {
	struct exchange *x = context;

	if (nlh->nlmsg_seq != x->seq || x->done)
		return;
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		x->interrupted = true;
	if (nlh->nlmsg_type == NLMSG_DONE || nlh->nlmsg_type == NLMSG_ERROR) {
		x->done = true;
		x->result = x->result ? x->result : read_error(nlh);
	} else if (nlh->nlmsg_type >= NLMSG_MIN_TYPE && x->result == 0 && !x->interrupted) {
		x->messages++;
		x->result = x->fn(x->userdata, nlh);
	}
}

static int ask(struct nl_socket *sock, struct nlmsghdr *request, struct exchange *x) {
	int r;

	x->seq = sock->seq++;
	request->nlmsg_seq = x->seq;
	r = send_bytes(sock->fd, request, request->nlmsg_len);
	while (r == 0 && !x->done)
		r = receive(sock, 0, hear_answer, x);
	return r < 0 ? r : x->result;
}

int nl_dump(struct nl_socket *sock, struct nlmsghdr *request, nl_message_fn fn, void (*restart)(void *), void *userdata) {
	request->nlmsg_flags &= (uint16_t)~NLM_F_ACK;
	request->nlmsg_flags |= NLM_F_REQUEST | NLM_F_DUMP;
	for (int i = 0; i < NL_DUMP_TRIES; i++) {
		struct exchange x = { .fn = fn, .userdata = userdata };
		int r;

		if (i > 0 && restart)
			restart(userdata);
		r = ask(sock, request, &x);
		if (r < 0 || !x.interrupted)
			return r;
	}
	return -EINTR;
}

int nl_request(struct nl_socket *sock, struct nlmsghdr *request, nl_message_fn fn, void *userdata) {
	struct exchange x = { .fn = fn, .userdata = userdata };
	int r;

	/* The acknowledgement marks the end, as DONE does for a dump, so nothing is left in the queue. */
	request->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	r = ask(sock, request, &x);
	return r == 0 && x.messages == 0 ? -ENODATA : r;
}
