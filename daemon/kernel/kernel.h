/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel as the reconciler knows it: it scans namespaces and carries out a plan. There are two implementations: the
 * real one (real_kernel_new()) and the fake of the tests.
 */
#pragma once

#include "plan/plan.h"

/* What a scan needs to know: what is declared, what the ledger knows, and the topology whose marks identify its objects. */
struct scan_request {
	const struct state *desired;
	const struct ledger *ledger;
	const char *topology;
	bool everything; /* also what is only read if an object of its class is declared or recorded (for an export) */
};

/* Called while a plan is carried out. */
struct execute_hooks {
	void *userdata;
	/* Called before changing a setting whose value was not known, because its namespace is new: its former value, or
	 * NULL if it cannot be read before it is written. 0, or -errno if it could not be recorded; then the setting is not
	 * changed. */
	int (*former)(void *userdata, const struct change *change, const struct object *former);
	/* Likewise for other settings that this change will change too; n may be 0. */
	int (*reached)(void *userdata, const struct change *change, const struct object *const *seen, size_t n);
	/* An object was created, with what identifies it from now on (a namespace's inode). */
	int (*born)(void *userdata, const struct object *made);
	/* A change was tried; `how`: the names of the requests ("RTM_NEWLINK"), or what was done instead. It and the texts
	 * of the change are valid during the call. May be NULL. */
	void (*asked)(void *userdata, const struct change *change, const char *how);
	/* Called from time to time in a long plan: n changes were tried so far. */
	void (*progress)(void *userdata, size_t n);
};

struct kernel;

struct kernel_ops {
	/* Scans the namespace of each scope (no two scopes have the same) and adds an ns_state for it to ret, which is
	 * empty before: whether it exists, the namespace's own object unless it is the host, and
	 *   - if scope->objects is NULL: everything that is in it;
	 *   - else: for each of the objects the one of the same identity, if it exists (ns_find() finds it). There may be
	 *   other objects; if others are missing, that means nothing.
	 * It is not an error if a namespace does not exist. If the scan of one fails, its ns_state has the error, and the
	 * others are still scanned. 0, or -errno if nothing could be scanned. */
	int (*observe)(struct kernel *kernel, const struct scan_request *request, const struct scope *scopes, size_t n,
		       struct state *ret);
	/* Tries every change that is not done yet, in order, and fills in the result. */
	void (*execute)(struct kernel *kernel, const struct scan_request *request, struct plan *plan,
			const struct execute_hooks *hooks);
	/* Removes what a crash between two steps left of an object that topod created and that is gone: a name without a
	 * namespace, a temporary file. 0, also if there is nothing; -errno if it remains. */
	int (*clear)(struct kernel *kernel, enum transport transport, const char *ns);
	/* The name of a namespace that was scanned, by the id in its events; NULL if unknown. */
	const char *(*name_of)(struct kernel *kernel, int32_t nsid);
	/* The name that a link had at the last scan, by the index in its events; NULL if unknown. */
	const char *(*link_of)(struct kernel *kernel, const char *ns, uint32_t ifindex);
	/* From now on somebody listens to events: namespaces get the id that events need when they are scanned. */
	void (*listen)(struct kernel *kernel);
	/* From now on a descriptor is held of each namespace that topod created, has to keep and scans, within the limit
	 * for descriptors. If only its name is lost, the same namespace is seen (struct netns.named) and named again. The
	 * descriptor is closed when the namespace is deleted, given up or replaced. May be NULL. */
	void (*hold)(struct kernel *kernel);
	/* After mounts have changed: calls fn for each held namespace that is no longer mounted under its name. */
	void (*check_names)(struct kernel *kernel, void (*fn)(void *userdata, const char *ns), void *userdata);
	/* The processes left in a lost namespace, which is identified by what was recorded of it: "1 process:
	 * web.service, pid 131", in the arena. NULL if none is found. May be NULL. */
	const char *(*left_behind)(struct kernel *kernel, struct arena *arena, const struct object *former);
	/* Closes descriptors that are kept only during a pass. */
	void (*rest)(struct kernel *kernel);
	void (*free)(struct kernel *kernel);
};

struct kernel {
	const struct kernel_ops *ops;
};

/* The real one, in the namespace in which the process runs. 0 or -errno; freed with kernel_free(). */
int real_kernel_new(struct kernel **ret);

static inline void kernel_free(struct kernel *kernel) {
	if (kernel)
		kernel->ops->free(kernel);
}
static inline void kernel_freep(struct kernel **kernel) {
	kernel_free(*kernel);
}
