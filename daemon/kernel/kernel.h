/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel as the reconciler knows it: look at namespaces, carry out a plan. Two implementations: the real
 * one (real_kernel_new(), by scan.c and execute.c) and the tests' fake.
 */
#pragma once

#include "plan/plan.h"

/* What a look needs to know: which settings and tables are of interest, and whose marks to look for. */
struct scan_request {
	const struct state *desired;
	const struct ledger *ledger;
	const char *topology;
};

/* What is told while a plan is carried out. */
struct execute_hooks {
	void *userdata;
	/* The value that a setting had, known only now because its namespace is new, or NULL where it cannot be read before it is
	 * written; called before it is changed. 0, or
	 * -errno where it could not be noted: then it is not changed. */
	int (*former)(void *userdata, const struct change *change, const struct object *former);
	/* What settings were that the coming change changes besides its own; n may be 0. Likewise. */
	int (*reached)(void *userdata, const struct change *change, const struct object *const *seen, size_t n);
	/* An object was made of which the kernel told something that tells it from others (a namespace's inode). */
	int (*born)(void *userdata, const struct object *made);
	/* From time to time, in a long plan: n of all changes were tried. */
	void (*progress)(void *userdata, size_t n);
};

struct kernel;

struct kernel_ops {
	/* Looks into each scope's namespace (each is named once) and adds an ns_state for it to ret (empty): present or
	 * not, with the namespace's own object unless it is the host, and
	 *   - where scope->objects is NULL: with everything that is in it;
	 *   - else: with what has the identity of each of the objects, where there is such (ns_find() finds it). It may
	 *     hold more than was asked for. What it does not hold is not there only as far as it was asked for.
	 * A namespace that does not exist is no error. Where the look at one failed its ns_state says so, and the others are
	 * looked at all the same. 0, or -errno where looking failed at all. */
	int (*observe)(struct kernel *kernel, const struct scan_request *look, const struct scope *scopes, size_t n,
		       struct state *ret);
	/* Tries every change that is not done yet, in order, and fills in what came of it. */
	void (*execute)(struct kernel *kernel, const struct scan_request *look, struct plan *plan,
			const struct execute_hooks *hooks);
	/* Of something that topod made and that is gone: takes away what a crash between two steps left of it, a name
	 * without a namespace or a file that was not in its place yet. Where there is none it does nothing. 0, or -errno
	 * where there is one and it stays. */
	int (*clear)(struct kernel *kernel, enum transport transport, const char *ns);
	/* The name of a namespace that was looked at, by the id in its events; NULL. */
	const char *(*name_of)(struct kernel *kernel, int32_t nsid);
	/* The name of a link of a namespace, by the index in its events, as it was when it was last looked at; NULL. */
	const char *(*link_of)(struct kernel *kernel, const char *ns, uint32_t ifindex);
	/* Events are listened to from now on: namespaces get the id by which they are heard when they are looked at. */
	void (*listen)(struct kernel *kernel);
	/* From now on a descriptor is kept of each namespace that topod made, has to keep and sees, within the limit for
	 * descriptors: where only its name is lost, the same namespace is seen (struct netns.named) and named again. It is
	 * given back when the namespace is deleted, given up or replaced. May be NULL. */
	void (*hold)(struct kernel *kernel);
	/* Mounts have changed: calls fn for each namespace that is held and not under its name any more. */
	void (*check_names)(struct kernel *kernel, void (*fn)(void *userdata, const char *ns), void *userdata);
	/* Which processes are left in a namespace that was lost, by what was noted of it: "1 process: web.service, pid 131", in
	 * the arena. NULL: none, as far as it can be told. May be NULL. */
	const char *(*left_behind)(struct kernel *kernel, struct arena *arena, const struct object *former);
	/* Gives back descriptors that are only kept during a pass. */
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
