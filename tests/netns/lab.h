/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An isolated place for test programs that need the real kernel: new network and mount namespaces with an empty /run and, if
 * asked for, an empty /etc. Nothing that they make is visible outside, and it disappears when they end.
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

/* 0, or SKIP after a message: without root nothing can be tested. */
int seclude(bool with_etc);
/* The same with an /etc, ready for named_netns.h. 0, or the status with which main() must end: SKIP or 1. */
int begin_lab(void);

void run(const char *command);
void put_file(const char *path, const char *text);
ino_t current_inode(void);
/* For the *ret_problem of functions; most tests ignore it. */
extern const char *problem;
/* Creates a namespace as topod does. */
int create(const char *name, int *ret_fd, const char **ret_problem);
int open_name(const char *name, int *ret_fd);
/* Deletes the name of any namespace. */
int delete_name(const char *name);
/* A name without a namespace, as a crash leaves it. */
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
	size_t n, next, base; /* indexes must arrive in order, beginning with base */
};

extern struct acks acks; /* too large for a stack */
struct acks *fresh_acks(size_t base);
void take_ack(void *userdata, size_t index, const struct nl_ack *ack);
/* Adds or removes n addresses, beginning with number; each request must end with `error`. */
void change_addresses(struct nl_socket *sock, uint16_t type, uint32_t number, size_t n, int error);

/* ---- one namespace per test ---- */

struct lab {
	int fd;
	struct nl_socket route, nft;
};

/* Gives the namespace an id in the current one, if it has none yet. 0 or -errno. */
int give_id(int fd, int32_t *ret);

int set_up(void **state);
int tear_down(void **state);

#define in_lab(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
