/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The namespaces of a topology that something else makes: each is either attached, with a name in /run/netns until it ends,
 * or awaited. See README.md.
 */
#pragma once

#include "model/state.h"
#include "ledger/ledger.h"

struct attach_hooks {
	void *userdata;
	/* Records a namespace before it gets its name: an observed object with its birth, link and owner. 0 or -errno. */
	int (*record)(void *userdata, const struct object *netns);
	/* The namespace has come or gone: scan it. */
	void (*changed)(void *userdata, const char *ns);
	/* The name of the namespace with this identity, if this topology made it; else NULL. */
	const char *(*name_of)(void *userdata, const struct object *netns);
};

struct attachments;

/* Namespaces are added by attachments_declare(). hooks is copied. *ret is freed with attachments_free(), which leaves the
 * names as they are. 0 or -errno. netns_init() must have been called. */
int attachments_new(struct attachments **ret, const char *topology, const struct attach_hooks *hooks);
void attachments_free(struct attachments *a);

/* Replaces the list of declared namespaces. For new ones, takes up what the ledger has, what a caller has noted, and what is
 * in their files. It also writes the file for container engines (cdi.h). Call it when hooks can be called, and after each
 * reload. */
void attachments_declare(struct attachments *a, const struct state *desired, const struct ledger *ledger);

/* An epoll descriptor, owned by a, that is readable when there is something to dispatch. */
int attachments_fd(const struct attachments *a);
void attachments_dispatch(struct attachments *a);
/* Something was mounted or unmounted. */
void attachments_mounts_changed(struct attachments *a);

/* The parameters of a call. */
struct attach_call {
	int netns;        /* of the namespace */
	int owner;        /* a pidfd, or the directory of a control group; -1: none, but a path */
	const char *path; /* the namespace is mounted there, and ends when it is unmounted; or NULL */
	pid_t caller;     /* who will end soon */
};

/* Attaches a namespace, replacing the one that was attached before. The caller keeps the descriptors. 0; -ENOENT: this
 * topology declares no such namespace with `attach`; else -errno, and in *ret_problem a sentence that the caller frees. */
int attachments_attach(struct attachments *a, const char *ns, const struct attach_call *call, char **ret_problem);
/* Removes its name. -ENOENT as above; -ESRCH: none is attached. */
int attachments_detach(struct attachments *a, const char *ns);
