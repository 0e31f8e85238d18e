/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that scan namespaces share (scan*.c, transport.c); not for others. */
#pragma once

#include "kernel/real_kernel.h"
#include "model/source.h"

/* One thread that scans one namespace after the other. */
struct scanner {
	struct real_kernel *k;
	const struct scan_request *look;
	struct arena *arena; /* for what is read */
	struct proc_sys *settings;
	struct netns_visit visit;
	const struct handle *inside; /* where the thread is; NULL: at home */
	struct nl_writer requests;   /* of the round of a source that is under way */
};

/* The scan of one namespace. */
struct ns_scan {
	struct source_scan source; /* first: sources are given this */
	struct scanner *scanner;
	struct handle *handle;
	bool visiting;         /* settings are being read */
	bool any_link_missing; /* of those that were asked for by name */
	/* What is being read: a source's round, or the details of one object. */
	const struct source *reading;
	struct object *object;
};

/* scan.c: scans one namespace, whose handle is open where there is such a namespace, and adds to ns what is there.
 * Touches nothing of other namespaces, and nothing that all share. 0 or -errno. */
int scan_namespace(struct scanner *scanner, const struct scope *scope, struct handle *handle, struct ns_state *ns);
/* Back home. */
void scanner_done(struct scanner *scanner);
/* The thread goes into the namespace that is scanned; a socket in it. 0 or -errno. */
int ns_scan_enter(struct ns_scan *scan);
int ns_scan_socket(struct ns_scan *scan, int protocol, struct nl_socket **ret);

/* scan_source.c: reads what the source of a class has to tell, or what the kinds of single objects tell besides. 0 or -errno. */
int scan_class(struct ns_scan *scan, const struct class *class);
int scan_details(struct ns_scan *scan);

/* scan_threads.c: scans all of them, whose handles are open, in several threads where there are many. Those whose
 * ns_state has an error already are left out; one that cannot be scanned gets its. */
void scan_all(struct real_kernel *k, const struct scan_request *look, const struct scope *scopes, size_t n,
	      struct state *state);

/* transport.c: what is read as a text; wanted may be NULL, see source.h. *ret_text is NULL where there is none, and *ret_error
 * -errno where it cannot be read. 0, or -errno where the namespace cannot be entered. */
int transport_read(struct ns_scan *scan, enum transport transport, const struct object *wanted, const char **ret_text,
		   int *ret_error);

/* veth_peers.c: asks for the name of one link by its index, where it is not known; handle is open, sock in it. 0, also where
 * there is no such link, or -errno. */
int learn_name(struct nl_socket *sock, struct handle *handle, uint32_t ifindex);
