/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that carry out a plan share (execute.c, transport.c, netns_changes.c); not for others. */
#pragma once

#include "kernel/parting.h"

struct transport_way;

struct execution {
	struct real_kernel *k;
	const struct scan_request *look;
	struct plan *plan;
	const struct execute_hooks *hooks;
	struct resolver resolver;
	/* The batch being collected. */
	const struct transport_way *transport;
	struct handle *at; /* where it is to be sent */
	struct nl_writer writer;
	vec(struct change *) sent;   /* changes in it */
	vec(struct change *) owners; /* of each message of the writer, in their order */
	unsigned n_searches;         /* for links that were moved */
	unsigned lap;                /* how often indexes were chosen for it in vain */
	int host_fd;                 /* of the host namespace, where a request names it */
	/* The namespace whose settings were last written. */
	struct netns_visit visit;
	const struct handle *inside;
	/* Removed namespaces. */
	vec(int) leaving;   /* their descriptors */
	bool more_declared; /* something that may go with them */
	struct parting parting;
};

/* execute.c: the change was tried; error 0: it is done. text may be NULL; it is copied. */
void execution_tried(struct execution *x, struct change *change, int error, const char *text);
/* … and what follows from that: a deletion of what is gone is done, a link that was not made has no index. */
void execution_settle(struct execution *x, struct change *change);
/* The thread goes into the namespace, where settings are read and written; and back. */
int execution_enter(struct execution *x, struct handle *handle);
void execution_leave(struct execution *x);

/* netns_changes.c: makes, names again or deletes a namespace. */
void change_namespace(struct execution *x, struct change *change);
/* Closes what is held of removed namespaces: the kernel begins to take them apart. */
void close_leaving(struct execution *x);
