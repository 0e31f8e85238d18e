/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that carry out a plan share (execute.c, transport.c, netns_changes.c); not for others. */
#pragma once

#include "kernel/parting.h"

struct transport_way;

struct execution {
	struct real_kernel *k;
	const struct scan_request *request;
	struct plan *plan;
	const struct execute_hooks *hooks;
	struct resolver resolver;
	/* The batch being collected. */
	const struct transport_way *transport;
	struct handle *at; /* where it is to be sent */
	struct nl_writer writer;
	vec(struct change *) sent;   /* changes in it */
	vec(struct change *) owners; /* of each message of the writer, in their order; NULL: its answer does not matter */
	unsigned n_searches;         /* for moved links */
	unsigned lap;                /* how often its indexes were already taken */
	int host_fd;                 /* of the host namespace, if a request needs one */
	/* The namespace whose settings were last written. */
	struct netns_visit visit;
	const struct handle *inside;
	/* Nsec; when the first of the names that the scan found without a namespace was waited for. */
	uint64_t half_made_since;
	/* Removed namespaces. */
	vec(int) leaving;   /* their descriptors */
	bool more_declared; /* something declared may disappear with them */
	struct parting parting;
};

/* execute.c: records that the change was tried, with its error (0: done). text may be NULL and is copied. */
void execution_tried(struct execution *x, struct change *change, int error, const char *text);
/* Deleting what is gone counts as done; the index of a link that was not created, or is deleted, is forgotten. */
void execution_settle(struct execution *x, struct change *change);
/* Explains why a creation was refused if the kernel does not. */
void execution_explain(struct execution *x, struct change *change);
/* Sends the messages of this change alone, by rtnetlink; it is done then. */
void execution_send(struct execution *x, struct change *change);
/* Moves the thread into the namespace, to read and write settings there, and back. */
int execution_enter(struct execution *x, struct handle *handle);
void execution_leave(struct execution *x);

/* netns_changes.c: creates, names again or deletes a namespace. */
void change_namespace(struct execution *x, struct change *change);
int clear_namespace(const struct handle *handle);
/* Closes the descriptors of removed namespaces, which the kernel then begins to dismantle. */
void close_leaving(struct execution *x);
