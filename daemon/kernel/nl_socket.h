/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Request sockets: batches of messages with one acknowledgement for each, questions with one answer, and dumps.
 *
 * It knows sequence numbers, ports, extended acks and interrupted dumps, but not what messages mean. Sockets block with a
 * receive timeout: after sendmsg() the answers are already queued, so only event sockets (events.c) need the loop.
 * Formats: netlink(7), include/uapi/linux/netlink.h.
 */
#pragma once

#include <libmnl/libmnl.h>

#include "base/base.h"

enum {
	NL_BATCH_MESSAGES = 128, /* 256 answers fill the default receive buffer; keep half of it free in case all fail */
	NL_DUMP_TRIES = 10,      /* tries of an interrupted dump before -EINTR */
};

struct nl_socket {
	int fd;
	int protocol; /* NETLINK_ROUTE or NETLINK_NETFILTER */
	uint32_t seq; /* the next one to use */
};

#define NL_SOCKET_NONE ((struct nl_socket){ .fd = -1 })

/* Opens a request socket in the namespace behind netns_fd, or in the current one if that is -1; the thread is always in its
 * own namespace afterwards. Sets NETLINK_EXT_ACK, NETLINK_CAP_ACK and NETLINK_GET_STRICT_CHK. 0 or -errno. */
int nl_open(struct nl_socket *sock, int protocol, int netns_fd);
void nl_close(struct nl_socket *sock);
#define _cleanup_nl_ _cleanup_(nl_close)

/* The kernel's answer to one message. */
struct nl_ack {
	int error;        /* 0 or -errno */
	uint32_t offset;  /* of the attribute at fault, from the start of the message; 0: unknown */
	const char *text; /* extended ack's text, valid during the callback; NULL: none */
};

typedef void (*nl_ack_fn)(void *userdata, size_t index, const struct nl_ack *ack);

/* Sends the messages (complete nlmsghdrs; sequence number and NLM_F_REQUEST|NLM_F_ACK are set here) in as few sendmsg()
 * calls as NL_BATCH_MESSAGES allows, and then calls ack once for each, with its index in the array. A failed message does
 * not stop those after it (rtnetlink batches are not atomic). With `transaction` the array is one nf_tables batch
 * (NFNL_MSG_BATCH_BEGIN … END, else -EINVAL), which is sent by one sendmsg() and applied as a whole or not at all. ack is
 * not called for begin and end. If it fails, each message at fault has its own error and all others have -ECANCELED; if
 * no message is at fault (the commit was refused, the generation has changed), all have the kernel's error. ack may use
 * the socket; it may be NULL. 0 if all were answered (each may still have failed); -errno if the socket itself failed:
 * -ETIMEDOUT, -ENOBUFS (answers were lost), or sendmsg()'s. Messages without an answer then have that error, including
 * those that were not sent; what the kernel did with them is unknown. */
int nl_transact(struct nl_socket *sock, struct nlmsghdr **messages, size_t n, bool transaction, nl_ack_fn ack,
		void *userdata);

/* Sends a request with NLM_F_DUMP and calls fn for each message of the answer (not for DONE or ERROR). An interrupted
 * dump (NLM_F_DUMP_INTR) is begun again, up to NL_DUMP_TRIES times; before each new try restart() is called, so that the
 * caller drops what it has. restart may be NULL if repeated messages do no harm. fn returns 0, or -errno to stop (the rest
 * is read and dropped); it must not use the same socket. 0 or -errno; -EINTR if the dump was interrupted each time. After
 * -ETIMEDOUT the socket cannot be used any more: the dump may still be running. */
typedef int (*nl_message_fn)(void *userdata, const struct nlmsghdr *nlh);
int nl_dump(struct nl_socket *sock, struct nlmsghdr *request, nl_message_fn fn, void (*restart)(void *), void *userdata);

/* Requests with exactly one answer each (RTM_GETNSID, RTM_GETLINK of one link), in as few sendmsg() calls as
 * nl_transact() needs. fn is called for each answer; answer is NULL if the kernel refused with -errno. fn must not use
 * the same socket. 0, or -errno if the socket failed: then not all were answered. */
typedef void (*nl_answer_fn)(void *userdata, size_t index, const struct nlmsghdr *answer, int error);
int nl_ask(struct nl_socket *sock, struct nlmsghdr **requests, size_t n, nl_answer_fn fn, void *userdata);

/* A request with one answer (RTM_GETNSID, RTM_GETLINK of one link), for which fn is called. 0 or -errno; -ENODATA if the
 * kernel agreed but sent nothing. */
int nl_request(struct nl_socket *sock, struct nlmsghdr *request, nl_message_fn fn, void *userdata);
