/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Request sockets: one message batch out, one acknowledgement per message back, and dumps.
 *
 * It knows sequence numbers, ports, extended acks and interrupted dumps, and nothing of what the messages
 * mean. Sockets block with a receive timeout: after sendmsg() the answers are already there, so only event
 * sockets (watch) need the loop. Formats: netlink(7), include/uapi/linux/netlink.h.
 */
#pragma once

#include <libmnl/libmnl.h>

#include "base/base.h"

enum {
	NL_BATCH_MESSAGES = 128, /* 256 answers fill the default receive buffer; keep half of it free, should all fail */
	NL_DUMP_TRIES = 10,      /* an interrupted dump is repeated so often, then -EINTR */
};

struct nl_socket {
	int fd;
	int protocol; /* NETLINK_ROUTE or NETLINK_NETFILTER */
	uint32_t seq; /* the next one to use */
};

#define NL_SOCKET_NONE ((struct nl_socket){ .fd = -1 })

/* Opens a request socket in the namespace behind netns_fd, or in the current one where that is -1; the
 * thread is back in its own namespace afterwards, whatever happened. Asks for NETLINK_EXT_ACK,
 * NETLINK_CAP_ACK and NETLINK_GET_STRICT_CHK. 0 or -errno. */
int nl_open(struct nl_socket *sock, int protocol, int netns_fd);
void nl_close(struct nl_socket *sock);
#define _cleanup_nl_ _cleanup_(nl_close)

/* What the kernel said to one message. */
struct nl_ack {
	int error;        /* 0 or -errno */
	uint32_t offset;  /* of the attribute at fault, from the start of the message; 0: not told */
	const char *text; /* extended ack's text, valid during the callback; NULL: none */
};

typedef void (*nl_ack_fn)(void *userdata, size_t index, const struct nl_ack *ack);

/* Sends the messages (complete nlmsghdrs; sequence number and NLM_F_REQUEST|NLM_F_ACK are set here)
 * in as few sendmsg() as NL_BATCH_MESSAGES allows and then calls ack once for each, index counting from 0 in
 * the order given. A failed message does not stop those behind it (rtnetlink batches are not atomic).
 * Where `transaction` is set the array is one nf_tables batch (NFNL_MSG_BATCH_BEGIN … END, else -EINVAL),
 * which goes out in one sendmsg() and is applied as a whole or not at all. ack is not called for begin and end.
 * Where it failed, each message at fault has its own error and every other -ECANCELED; where no message was at fault
 * (the commit was refused, the generation is another), all have the kernel's error. 0 is: applied.
 * ack may use the socket; it may be NULL.
 * 0 where all were answered (each may still have failed), -errno where the socket itself failed: -ETIMEDOUT,
 * -ENOBUFS (answers were lost), or sendmsg()'s. Messages without an answer then have that as their error, those
 * that were not sent any more included; what the kernel did with them is unknown. */
int nl_transact(struct nl_socket *sock, struct nlmsghdr **messages, size_t n, bool transaction, nl_ack_fn ack,
		void *userdata);

/* Sends a request with NLM_F_DUMP and calls fn for each message of the answer (never for DONE or ERROR).
 * An interrupted dump (NLM_F_DUMP_INTR) is begun again, up to NL_DUMP_TRIES: restart is called before, so
 * that the caller forgets what it has; it may be NULL where repeated messages do no harm. fn returns 0, or
 * -errno to end (the rest is read off without it); it must not use the same socket. 0 or -errno; -EINTR where the dump
 * was interrupted each time. After -ETIMEDOUT the socket is of no more use: the dump may still hold it. */
typedef int (*nl_message_fn)(void *userdata, const struct nlmsghdr *nlh);
int nl_dump(struct nl_socket *sock, struct nlmsghdr *request, nl_message_fn fn, void (*restart)(void *), void *userdata);

/* Requests with exactly one answer each (RTM_GETNSID, RTM_GETLINK of one link), in as few sendmsg() as nl_transact()
 * needs: fn is called for each answer, which is NULL where the kernel refused with -errno. It must not use the same
 * socket. 0; -errno where the socket failed: then not all were answered. */
typedef void (*nl_answer_fn)(void *userdata, size_t index, const struct nlmsghdr *answer, int error);
int nl_ask(struct nl_socket *sock, struct nlmsghdr **requests, size_t n, nl_answer_fn fn, void *userdata);

/* A request with one answer (RTM_GETNSID, RTM_GETLINK of one link): fn is called with it. 0 or -errno;
 * -ENODATA where the kernel agreed but sent nothing. */
int nl_request(struct nl_socket *sock, struct nlmsghdr *request, nl_message_fn fn, void *userdata);
