/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the real kernel share; not for others. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "kernel/kernel.h"
#include "kernel/nl_socket.h"
#include "kernel/named_netns.h"
#include "kernel/proc_sys.h"

/* One link as it was last seen or made. */
struct known_link {
	uint32_t ifindex;
	struct mac mac;
	/* The other end, as it was last found to be elsewhere: in the namespace (NULL: not known) that this one knows by the
	 * number, while that is the same one. */
	const struct handle *peer;
	int32_t peer_number;
	uint32_t peer_generation;
	UT_hash_handle hh_index, hh_name;
	char name[];
};

enum { HANDLE_SOCKETS = 3 }; /* rtnetlink (not the host's), netfilter, generic netlink */

/* What is remembered of a namespace between scans: who it is, and which links it had. */
struct handle {
	char *name;
	bool host;
	int fd;                                   /* kept during a pass; -1: not open, and always for the host */
	int held;                                 /* of a namespace of topod's, kept for good; -1: none */
	bool unnamed;                             /* fd is of the held one, for which the name does not stand now */
	struct nl_socket sockets[HANDLE_SOCKETS]; /* for requests inside, kept as long as fd; the host's for good */
	struct netns_identity identity;
	const char *obstruction; /* what stands under the name, where that is neither a namespace nor left over; static */
	uint32_t generation;     /* another with each other namespace that the name comes to stand for */
	int32_t nsid;            /* in the host namespace; -1: none */
	struct known_link *by_index;
	struct known_link *by_name;           /* only where there are many */
	uint32_t highest;                     /* index handed out or seen */
	unsigned asked_in;                    /* veth_peers.c: for whom … */
	int32_t number;                       /* … and what that namespace calls this one; -1: nothing */
	struct handle *open_prev, *open_next; /* in the list of the open ones */
	UT_hash_handle hh, hh_id;
};

/* A family of generic netlink; the name is the source's or the kind's. */
struct known_family {
	const char *name;
	uint16_t id;
};

struct real_kernel {
	struct kernel kernel;
	struct nl_socket host;   /* request socket in the host namespace */
	struct handle *handles;  /* by name */
	struct handle *by_id;    /* by nsid */
	bool prepared;           /* NETNS_DIR is ready */
	bool listening;          /* namespaces need ids */
	unsigned n_turns;        /* veth_peers.c */
	struct handle *open;     /* list: handles with descriptors */
	atomic_size_t n_open;    /* how many that are … */
	size_t max_open;         /* … and may be */
	bool holding;            /* namespaces of topod's are held … */
	size_t n_held, max_held; /* … as long as they are not more than that */
	unsigned max_threads;    /* to look with, this one included */
	bool address_marks;
	struct proc_sys settings;          /* during a pass */
	vec(struct known_family) families; /* genl_family.c */
	pthread_mutex_t families_lock;
};

/* handles.c */
struct handle *handle_get(struct real_kernel *k, const char *name);
struct handle *handle_by_id(struct real_kernel *k, int32_t nsid);
/* Opens it where it is not open, and forgets its id and its links where it is another namespace than before.
 * -ENOENT where there is none: handle->obstruction tells what is there instead. 0 or -errno. */
int handle_open(struct real_kernel *k, struct handle *handle);
/* Gives these, which are open, an nsid where they have none and somebody listens. 0 or -errno. */
int handles_number(struct real_kernel *k, struct handle *const *handles, size_t n);
/* Takes over a descriptor of a namespace that was just made. */
int handle_adopt(struct real_kernel *k, struct handle *handle, int fd);
void handle_gone(struct real_kernel *k, struct handle *handle);
/* Keeps a descriptor of it, which is open, or lets that go. Where there are too many, or no more can be had, it is not held:
 * then a namespace whose name is lost is gone, as for `topod apply`. */
void handle_hold(struct real_kernel *k, struct handle *handle, bool hold);
/* The same, but its descriptor is the caller's to close; -1 where it was not open. */
int handle_release(struct real_kernel *k, struct handle *handle);
/* A socket of this protocol for requests inside, kept open during a pass: whoever closes one for nf_tables waits until
 * the kernel has freed the rules that somebody deleted, some 10 to 20 ms. 0 or -errno. */
int handle_socket(struct real_kernel *k, struct handle *handle, int protocol, struct nl_socket **ret);
/* The same where the thread is in that namespace already. Several threads may do so for several handles at once. */
int handle_socket_here(struct real_kernel *k, struct handle *handle, int protocol, struct nl_socket **ret);
/* The socket of this protocol, open or not. */
struct nl_socket *handle_socket_of(struct handle *handle, int protocol);
/* Called where no descriptor of a namespace is in use: closes them all, or once they are many. */
void handles_close(struct real_kernel *k);
void handles_spare(struct real_kernel *k);
/* Forgets them all. */
void handles_done(struct real_kernel *k);

struct known_link *handle_link(const struct handle *handle, const char *name);
struct known_link *handle_index(const struct handle *handle, uint32_t ifindex);
void handle_add_link(struct handle *handle, const char *name, uint32_t ifindex, const struct mac *mac);
void handle_drop_link(struct handle *handle, const char *name);
void handle_clear_links(struct handle *handle);

/* veth_peers.c: gives the links of other namespaces that were seen by number their names. Where a question failed, the
 * namespace that was asked has its error: what was seen says nothing of where they are. */
void peers_resolve(struct real_kernel *k, const struct scan_request *look, struct state *state);

/* left_behind.c */
const char *real_left_behind(struct kernel *kernel, struct arena *arena, const struct object *former);

/* scan.c, execute.c */
int real_observe(struct kernel *kernel, const struct scan_request *look, const struct scope *scopes, size_t n,
		 struct state *ret);
void real_execute(struct kernel *kernel, const struct scan_request *look, struct plan *plan,
		  const struct execute_hooks *hooks);
