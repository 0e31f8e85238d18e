/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Raw netlink for the benchmark: messages packed behind each other, one sendmsg(), one acknowledgement.
 *
 * It encodes the few requests that the topologies need, and reads dumps. It deliberately shares nothing with topod: no
 * model, no retries, no error texts. A refusal of the kernel ends the program, because a floor that built something else
 * would measure nothing.
 *
 * Only the last message of a batch requests an acknowledgement. The kernel handles a batch in order and always reports
 * failures, so the last answer is the answer to all.
 */
#pragma once

#include "base/base.h"
#include "shape.h"

#include <libmnl/libmnl.h>

enum {
	BATCH_SIZE = 16 * 1024,
	RECEIVE_SIZE = 64 * 1024, /* the kernel fills as much of it as a dump can */
};

struct batch {
	int fd;
	uint32_t sequence;
	uint32_t awaited; /* the message whose answer ends the waiting; 0: the last one */
	size_t used;
	struct nlmsghdr *last;
	_Alignas(8) char data[BATCH_SIZE];
};

void die(const char *format, ...) _printf_(1, 2) __attribute__((noreturn));
double now_ms(void);

/* A socket in the calling thread's network namespace. The caller closes it. */
int wire_open(int protocol);
/* Like wire_open(), but also receives the events of these multicast groups. */
int wire_listen(int protocol, const unsigned *groups, size_t count);

/* fd is borrowed. */
void batch_init(struct batch *b, int fd);
/* Opens a message; its header beyond nlmsghdr follows by mnl_nlmsg_put_extra_header(). */
struct nlmsghdr *batch_add(struct batch *b, uint16_t type, uint16_t flags);
/* Sends all and waits for the answer: 0, or the first failure as -errno. The batch is empty afterwards. */
int batch_try(struct batch *b);
/* Like batch_try(), but a failure ends the program. */
void batch_run(struct batch *b, const char *what);

/* One end as RTM_NEWLINK needs it; ns_fd -1: the namespace of the socket. */
struct veth_end {
	const char *name;
	int index, ns_fd, master;
	bool up;
};
void put_veth(struct batch *b, const struct veth_end *end, const struct veth_end *peer, unsigned queues);
void put_bridge(struct batch *b, const struct bridge *br);
void put_up(struct batch *b, int index, bool up);
void put_mtu(struct batch *b, int index, uint32_t mtu);
void put_master(struct batch *b, int index, int master);
void put_link_delete(struct batch *b, int index);
void put_address(struct batch *b, uint16_t type, int index, uint32_t address, uint8_t prefix);
void put_route(struct batch *b, uint16_t type, const struct end *end);
void put_nsid(struct batch *b, int ns_fd, uint32_t nsid);

/* One table with the masquerade rules of all bridges, as one transaction. */
void put_nat(struct batch *b, unsigned bridges);
/* Deletes every rule of a table. */
void put_nat_flush(struct batch *b, uint8_t family, const char *table);

/* wire_campus.c, in the namespace of the lower link or the bridge; the macvlan appears in end->ns_fd. */
void put_macvlan(struct batch *b, const struct veth_end *end, int lower);
void put_filtering_bridge(struct batch *b, const struct bridge *br);
void put_vlan(struct batch *b, int port, uint16_t id);
void put_vrf(struct batch *b, int index, const char *name, uint32_t table);
void put_policy_rule(struct batch *b, uint16_t type, unsigned number);
void put_neighbor(struct batch *b, uint16_t type, int index, uint32_t address);
void put_nexthop(struct batch *b, int index, uint32_t via);
void put_qdisc(struct batch *b, uint16_t type, int index, enum form form);
/* A host's table with its filter rules, as one transaction; and the last of these rules alone. */
void put_filter(struct batch *b);
void put_last_filter_rule(struct batch *b);
struct nft_rule {
	uint8_t family;
	char table[64], chain[64];
	uint64_t handle; /* as in the message */
};
void put_nft_rule_delete(struct batch *b, const struct nft_rule *rule);

/* Dump requests, for wire_dump(). Links come without their statistics. */
void put_dump_links(struct batch *b);
void put_dump_addresses(struct batch *b);
void put_dump_routes(struct batch *b);
void put_dump_nft(struct batch *b, uint16_t message);
void put_dump_campus(struct batch *b);

/*
 * Runs all dumps of the batch and passes every object to `each` (NULL: discards it). The requests are sent together: a small
 * dump ends within its own request, so that the socket is free for the next one; a request that the kernel refuses because
 * the socket is busy is sent again separately.
 */
typedef void (*wire_object)(const struct nlmsghdr *object, void *context);
void wire_dump(struct batch *b, wire_object each, void *context);
