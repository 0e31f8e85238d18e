/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the real kernel share; not for others. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "kernel/kernel.h"
#include "kernel/nl_socket.h"
#include "kernel/named_netns.h"
#include "kernel/processes.h"
#include "kernel/proc_sys.h"

/* One link as it was last seen or made. */
struct known_link {
	uint32_t ifindex;
	struct mac mac;
	/* The other end in another namespace, as last found: the namespace (NULL: unknown), the number by which this one
	 * knows it, and its generation. */
	const struct handle *peer;
	int32_t peer_number;
	uint32_t peer_generation;
	UT_hash_handle hh_index, hh_name;
	char name[];
};

enum { HANDLE_SOCKETS = 3 }; /* rtnetlink (not the host's), netfilter, generic netlink */

/* What is remembered of a namespace between scans: its identity, and its links. */
struct handle {
	char *name;
	bool host;
	int fd;                                   /* kept during a pass; -1: not open, and always for the host */
	bool hold;                                /* a descriptor stays open after the pass: a namespace of topod's … */
	int held;                                 /* … this one, while fd is another one or none; -1: none */
	bool half_made;                           /* the last scan found the name's file, and no namespace on it */
	bool unnamed;                             /* fd is of the held namespace, which is not under its name now */
	struct nl_socket sockets[HANDLE_SOCKETS]; /* for requests inside, open as long as fd; the host's stay open */
	struct netns_identity identity;
	const char *obstruction;      /* what has the name instead of a namespace or a stale file; static */
	bool attached;                /* something else makes it: only this one counts, and only by topod's link … */
	struct netns_identity wanted; /* … zeroed: none is attached … */
	char *link;                   /* … which leads to this path; NULL: no link */
	uint32_t generation;          /* incremented when the name stands for another namespace */
	int32_t nsid;                 /* in the host namespace; -1: none */
	struct known_link *by_index;
	struct known_link *by_name;           /* only where there are many */
	uint32_t highest;                     /* index assigned or seen */
	unsigned asked_in;                    /* veth_peers.c: the namespace that this one was queried for … */
	int32_t number;                       /* … and its id for this one; -1: none */
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
	atomic_size_t n_open;    /* their number … */
	size_t max_open;         /* … and its limit */
	bool holding;            /* topod's namespaces are held … */
	size_t n_held, max_held; /* … up to this number */
	unsigned max_threads;    /* for scanning, this one included */
	bool address_marks;
	struct proc_sys settings;          /* during a pass */
	vec(struct known_family) families; /* genl_family.c */
	pthread_mutex_t families_lock;
};

/* handles.c */
struct handle *handle_get(struct real_kernel *k, const char *name);
struct handle *handle_by_id(struct real_kernel *k, int32_t nsid);
/* Opens it if it is not open, and forgets its id and links if it is another namespace than before. 0 or -errno; -ENOENT
 * if there is none: then handle->obstruction says what is there instead. */
int handle_open(struct real_kernel *k, struct handle *handle);
/* For a namespace that something else makes: sets which one was attached, if any; attached false: it is not such a
 * namespace. Call it before handle_open(). */
void handle_expect(struct handle *handle, bool attached, const struct netns_identity *wanted, const char *link);
/* If somebody listens to events, gives these open namespaces an nsid if they have none. 0 or -errno. */
int handles_number(struct real_kernel *k, struct handle *const *handles, size_t n);
/* Takes over a descriptor of a namespace that was just created or opened, also on error. 0 or -errno. */
int handle_adopt(struct real_kernel *k, struct handle *handle, int fd, const struct netns_identity *identity);
void handle_gone(struct real_kernel *k, struct handle *handle);
/* Holds a descriptor of an open namespace, or closes it again. If too many are held already, it is not held: then losing the
 * name means losing the namespace, as with `topod apply`. */
void handle_hold(struct real_kernel *k, struct handle *handle, bool hold);
/* The descriptor of a namespace that is held, which stays the handle's; -1: it is not held. */
int handle_held(const struct handle *handle);
/* As handle_gone(), but the caller closes its descriptor; -1 if it was not open. */
int handle_release(struct real_kernel *k, struct handle *handle);
/* A socket of this protocol for requests inside, kept open during a pass: closing one for nf_tables waits until the
 * kernel has freed deleted rules, some 10 to 20 ms. 0 or -errno. */
int handle_socket(struct real_kernel *k, struct handle *handle, int protocol, struct nl_socket **ret);
/* The same for a thread that is already in that namespace. Several threads may call it for different handles. */
int handle_socket_here(struct real_kernel *k, struct handle *handle, int protocol, struct nl_socket **ret);
/* The socket of this protocol, whether open or not. */
struct nl_socket *handle_socket_of(struct handle *handle, int protocol);
/* Called while no descriptor of a namespace is in use: closes all, or all if there are many. */
void handles_close(struct real_kernel *k);
void handles_spare(struct real_kernel *k);
/* Frees all handles. */
void handles_done(struct real_kernel *k);

struct known_link *handle_link(const struct handle *handle, const char *name);
struct known_link *handle_index(const struct handle *handle, uint32_t ifindex);
void handle_add_link(struct handle *handle, const char *name, uint32_t ifindex, const struct mac *mac);
void handle_drop_link(struct handle *handle, const char *name);
void handle_clear_links(struct handle *handle);

/* veth_peers.c: names the links in other namespaces that were seen by number. If a query fails, the queried namespace gets
 * the error, because it is not known where its links lead. */
void peers_resolve(struct real_kernel *k, const struct scan_request *request, struct state *state);

/* left_behind.c */
const char *real_left_behind(struct kernel *kernel, struct arena *arena, const struct object *former);

/* scan.c, execute.c */
int real_observe(struct kernel *kernel, const struct scan_request *request, const struct scope *scopes, size_t n,
		 struct state *ret);
void real_execute(struct kernel *kernel, const struct scan_request *request, struct plan *plan,
		  const struct execute_hooks *hooks);
