/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A place of their own for test programs that need the real kernel: a network and a mount namespace with an empty /run,
 * and with an empty /etc where that is asked for. What they make is seen by nobody else and gone when they end.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <libmnl/libmnl.h>
#include <sys/stat.h>

#include "kernel/nl_socket.h"

enum {
	SKIP = 77, /* the exit status for ctest */
	LO = 1,    /* lo's index in every namespace */
};

#define ok(r) assert_int_equal((r), 0)

/* 0, or SKIP, said why: without root nothing is tested. */
int seclude(bool with_etc);
/* The same with an /etc, ready for named_netns.h: 0, SKIP or 1, with which main() ends. */
int begin_lab(void);

void run(const char *command);
void put_file(const char *path, const char *text);
ino_t current_inode(void);
/* What a function says of its error; of no interest but where it is asserted. */
extern const char *problem;
/* As topod makes a namespace. */
int create(const char *name, int *ret_fd, const char **ret_problem);
int open_name(const char *name, int *ret_fd);
/* Deletes it, whichever namespace that is. */
int delete_name(const char *name);
/* What a crash leaves, and what is half-way. */
void put_stale(const char *name);

/* ---- messages ---- */

struct message {
	struct nlmsghdr nlh;
	char rest[240];
};

struct nlmsghdr *put_header(struct message *m, uint16_t type, uint16_t flags);
/* 127.HIGH.LOW.1/32 on an interface; type is RTM_NEWADDR or RTM_DELADDR. */
struct nlmsghdr *put_address(struct message *m, uint16_t type, uint32_t number, uint32_t ifindex);

/* Collected answers. */
struct acks {
	struct {
		int error;
		uint32_t offset;
		char text[128];
	} of[4096];
	size_t n, next, base; /* indexes come one after the other from base */
};

extern struct acks acks; /* too large for a stack */
struct acks *fresh_acks(size_t base);
void take_ack(void *userdata, size_t index, const struct nl_ack *ack);
/* n addresses beginning with number, all of which have to end with `error`. */
void change_addresses(struct nl_socket *sock, uint16_t type, uint32_t number, size_t n, int error);

/* ---- one namespace per test ---- */

struct lab {
	int fd;
	struct nl_socket route, nft;
};

/* Gives the namespace an id in the current one, where it has none yet. 0 or -errno. */
int give_id(int fd, int32_t *ret);

int set_up(void **state);
int tear_down(void **state);

#define in_lab(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
