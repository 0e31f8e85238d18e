/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that look at namespaces share (observe*.c); not for others. */
#pragma once

#include "kernel/real_kernel.h"

#include "kind/route.h"

/* One thread that looks, at one namespace after the other. */
struct scanner {
	struct real_kernel *k;
	const struct scan_request *look;
	struct arena *arena; /* for what is seen */
	struct settings *settings;
	struct netns_visit visit;
	const struct handle *inside; /* where the thread is; NULL: at home */
};

/* The look at one namespace. */
struct ns_scan {
	struct scanner *scanner;
	struct handle *handle;
	struct ns_state *ns;
	const struct ns_state *desired; /* of that namespace, or NULL */
	struct decode decode;
	struct nl_socket *sock;
	bool visiting;                  /* settings are being read */
	bool ports;                     /* bridge port attributes are of interest */
	uint8_t family;                 /* of the dump that is under way */
	vec(struct made_route) made;    /* what the kernel made for addresses … */
	size_t made_before;             /* … before the dump that is under way */
	unsigned main_read, local_read; /* which families' routes were read of these tables, as family_bit() */
};

union request {
	struct nlmsghdr nlh;
	char space[MNL_NLMSG_HDRLEN + 64];
};

/* scan.c: looks at one namespace, whose handle is open where there is such a namespace, and adds to ns what is there.
 * Touches nothing of other namespaces, and nothing that all share. 0 or -errno. */
int scan_namespace(struct scanner *scanner, const struct scope *scope, struct handle *handle, struct ns_state *ns);
/* Back home. */
void scanner_done(struct scanner *scanner);

/* scan_threads.c: looks at all of them, whose handles are open, in several threads where there are many. Those whose
 * ns_state has an error already are left out; one that cannot be looked at gets its. */
void scan_all(struct real_kernel *k, const struct scan_request *look, const struct scope *scopes, size_t n,
	      struct state *state);

/* scan.c: the thread goes into the namespace looked at; a socket in it. 0 or -errno. */
int ns_scan_enter(struct ns_scan *scan);
int ns_scan_socket(struct ns_scan *scan, int protocol, struct nl_socket **ret);
/* scan.c: answers, an nl_message_fn with the sight as its userdata, and what is made of others. */
int take_link(void *scan, const struct nlmsghdr *nlh);
void add_route(struct ns_scan *scan, struct route *route);
struct nlmsghdr *link_request(union request *request);
/* The forwarding table of a link that was seen, where the desired one says something about it; sight->sock is open. 0 or -errno. */
int scan_forwarding(struct ns_scan *scan, const struct object *desired);
/* Notes for each link, or for those whose addresses were read, whether it has what the kernel gives it. */
void find_own_addresses(struct ns_scan *scan, bool all);
int scan_nat(struct ns_scan *scan);
/* What cannot be read may still be there. What is in the ledger would be forgotten as gone, and never be given back;
 * of anything else, writing it will tell. */
int unreadable(const struct ns_scan *scan, const struct object *object, int error);

/* scan.c: a dump of RTM_GETADDR or RTM_GETROUTE of one family; userdata is the sight. 0 or -errno. */
int dump_family(struct ns_scan *scan, uint8_t family, uint16_t type, nl_message_fn fn, void (*restart)(void *));
/* scan_made.c: whether the message is of a route that an address brings along, and notes that. */
bool note_made_route(struct ns_scan *scan, const struct nlmsghdr *nlh);
/* Dumps what the kernel itself put into the table main or local. 0 or -errno. */
int dump_made_routes(struct ns_scan *scan, uint8_t family, uint32_t table, uint32_t ifindex, nl_message_fn fn,
		     void (*restart)(void *), void *userdata);
/* Notes for each address, and each link that has a link-local one, whether the routes are there that came with it. Links,
 * addresses and routes were read by then. 0 or -errno. */
int find_made_routes(struct ns_scan *scan);
static inline unsigned family_bit(uint8_t family) {
	return family == AF_INET6 ? 2 : 1;
}

/* scan_settings.c: those of the objects, settings, that are there. Links have been looked at. 0 or -errno. */
int scan_settings(struct ns_scan *scan, const struct object *const *wanted, size_t n);

/* scan_narrow.c: only what the scope names. 0 or -errno. */
int scan_narrowly(struct ns_scan *scan, const struct scope *scope);

/* veth_peers.c: asks for the name of one link by its index, where it is not known; handle is open, sock in it. 0, also where
 * there is no such link, or -errno. */
int learn_name(struct nl_socket *sock, struct handle *handle, uint32_t ifindex);
