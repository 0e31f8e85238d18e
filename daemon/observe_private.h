/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that look at namespaces share (observe*.c); not for others. */
#pragma once

#include "kernel_real.h"

struct route;

/* The look at one namespace. */
struct sight {
	struct kernel_real *k;
	const struct look *look;
	struct handle *handle;
	struct state *state;
	struct ns_state *ns;
	const struct ns_state *desired; /* of that namespace, or NULL */
	struct decode decode;
	struct nl_socket *sock;
	struct netns_visit visit;       /* while settings are read … */
	bool visiting;                  /* … which has begun */
	bool ports;                     /* bridge port attributes are of interest */
};

union request {
	struct nlmsghdr nlh;
	char space[MNL_NLMSG_HDRLEN + 64];
};

/* observe.c: answers, an nl_message_fn with the sight as its userdata, and what is made of others. */
int take_link(void *sight, const struct nlmsghdr *nlh);
void add_route(struct sight *sight, struct route *route);
struct nlmsghdr *link_request(union request *request);
/* Gives each address its route to the prefix, or notes that it is missing; links and routes are there by then. */
void find_connected_routes(struct sight *sight);
int look_at_nat(struct sight *sight);
int look_at_setting(struct sight *sight, const struct object *wanted);

/* observe_narrow.c: only what the scope names. 0 or -errno. */
int look_narrowly(struct sight *sight, const struct scope *scope);

/* peers.c: asks for the name of one link by its index, where it is not known; handle is open, sock in it. 0, also where
 * there is no such link, or -errno. */
int learn_name(struct nl_socket *sock, struct handle *handle, uint32_t ifindex);
