/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that scan namespaces share (scan*.c, transport.c); not for others. */
#pragma once

#include "kernel/real_kernel.h"
#include "model/source.h"

/* One thread that scans one namespace after the other. */
struct scanner {
	struct real_kernel *k;
	const struct scan_request *request;
	struct arena *arena; /* for what is read */
	struct proc_sys *settings;
	struct netns_visit visit;
	const struct handle *inside; /* where the thread is; NULL: in its own namespace */
	struct nl_writer requests;   /* of the current round of a source */
};

/* The scan of one namespace. */
struct ns_scan {
	struct source_scan source; /* first: sources are given this */
	struct scanner *scanner;
	struct handle *handle;
	const struct ledger_ns *noted; /* what the ledger has of the namespace, or NULL */
	bool visiting;                 /* settings are being read */
	bool any_link_missing;         /* of those asked for by name */
	/* What is being read: a source's round, or the details of one object. */
	const struct source *reading;
	struct object *object;
};

/* scan.c: scans one namespace, whose handle is open if it exists, and adds what is there to ns. Uses no data of other
 * namespaces, and nothing shared. 0 or -errno. */
int scan_namespace(struct scanner *scanner, const struct scope *scope, struct handle *handle, struct ns_state *ns);
/* Moves the thread back to its own namespace. */
void scanner_done(struct scanner *scanner);
/* Moves the thread into the namespace being scanned; opens a socket in it. 0 or -errno. */
int ns_scan_enter(struct ns_scan *scan);
int ns_scan_socket(struct ns_scan *scan, int protocol, struct nl_socket **ret);

/* scan_source.c: reads a class by its source, or the details that kinds of single objects have. 0 or -errno. */
int scan_class(struct ns_scan *scan, const struct class *class);
int scan_details(struct ns_scan *scan);

/* scan_threads.c: scans all scopes, whose handles are open, in several threads if there are many. Those whose ns_state
 * already has an error are left out; one that cannot be scanned gets its error. */
void scan_all(struct real_kernel *k, const struct scan_request *request, const struct scope *scopes, size_t n,
	      struct state *state);

/* transport.c: reads an object as a text; wanted may be NULL, see source.h. *ret_text is NULL if there is none, and
 * *ret_error is -errno if it cannot be read. 0, or -errno if the namespace cannot be entered. */
int transport_read(struct ns_scan *scan, const struct source *source, const struct object *wanted, const char **ret_text,
		   int *ret_error);

/* veth_peers.c: queries the name of a link by its index if it is not known; handle is open, and sock in it. 0, also if there
 * is no such link, or -errno. */
int learn_name(struct nl_socket *sock, struct handle *handle, uint32_t ifindex);
