/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Creates namespaces, names them again and deletes them. The steps themselves are in named_netns.c. */
#include <time.h>

#include "kernel/execute_private.h"
#include "kind/netns.h"

enum {
	NAME_WAIT_NSEC = 50 * 1000 * 1000, /* another process finishes its second step in that time */
	NAME_STEP_FIRST_NSEC = 20 * 1000,  /* checked often at first */
	NAME_STEP_MAX_NSEC = 200 * 1000,
	LEAVING_MIN = 64, /* removed namespaces that may be held until the names of others are removed too */
};

static uint64_t monotonic_nsec(void) {
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* `ip netns delete` unmounts and then unlinks, `ip netns add` creates the file and then mounts. So a name without a
 * namespace may be between the two steps; removing it, or mounting on it, would make the second step fail. The wait ends
 * with that step. Names that the same scan found in this state share one wait: a hundred that were unmounted do not wait one
 * after the other. */
static int wait_for_name(struct execution *x, const char *name, const char **ret_problem) {
	uint64_t start = monotonic_nsec(), end;
	long step = NAME_STEP_FIRST_NSEC;
	int r;

	if (handle_get(x->k, name)->half_made)
		start = x->half_made_since = x->half_made_since ? x->half_made_since : start;
	end = start + NAME_WAIT_NSEC;
	for (;;) {
		_cleanup_close_ int fd = -1;

		r = netns_open(name, &fd, ret_problem);
		if (r != -EINVAL || monotonic_nsec() >= end)
			break;
		nanosleep(&(struct timespec){ .tv_nsec = step }, NULL);
		step = MIN(step + step / 4, (long)NAME_STEP_MAX_NSEC);
	}
	return r == -ENOENT ? 0 : r == -EINVAL ? netns_remove_stale(name) : -EEXIST;
}

/* Before the namespace gets its name, so that even after a crash the ledger shows whether the namespace of that name is
 * topod's. */
static int note_birth(struct execution *x, const char *name, const struct netns_identity *identity) {
	return x->hooks->born ? x->hooks->born(x->hooks->userdata, netns_object(&x->plan->arena, name, identity)) : 0;
}

/* A stale file is removed and the name tried again. */
static int give_name(struct execution *x, int fd, const char *name, const char **ret_problem) {
	int r = netns_name(fd, name, ret_problem);

	if (r == -EEXIST && wait_for_name(x, name, ret_problem) == 0)
		return netns_name(fd, name, ret_problem);
	if (r == -EEXIST && *ret_problem)
		*ret_problem = arena_printf(&x->plan->arena, "its name in /run/netns is %s", *ret_problem);
	return r;
}

static int create_namespace(struct execution *x, const char *name, const char **ret_problem) {
	_cleanup_close_ int fd = -1;
	struct netns_identity identity;
	int r = 0;

	if (!x->k->prepared)
		r = netns_prepare(ret_problem);
	if (r < 0)
		return r;
	x->k->prepared = true;
	r = netns_make(&fd, ret_problem);
	if (r == 0)
		r = netns_identity(fd, &identity);
	if (r == 0)
		r = note_birth(x, name, &identity);
	if (r == 0)
		r = give_name(x, fd, name, ret_problem);
	if (r == 0)
		r = handle_adopt(x->k, handle_get(x->k, name), TAKE_FD(fd), &identity);
	return r;
}

/* Names a held namespace again. */
static int name_again(struct execution *x, const char *name, const char **ret_problem) {
	struct handle *handle = handle_get(x->k, name);
	int fd = handle_held(handle), r = fd < 0 ? -ESTALE : give_name(x, fd, name, ret_problem);

	if (r == -ENOENT) { /* the directory is gone too */
		r = netns_prepare(ret_problem);
		r = r ? r : give_name(x, fd, name, ret_problem);
	}
	if (r == 0)
		handle->unnamed = false;
	return r;
}

/* umount() waits for an RCU grace period, which takes long while the kernel dismantles namespaces. The kernel begins with
 * that when nothing holds a namespace any more. So the descriptors of namespaces that are removed one after the other are
 * closed together, at the end. */
void close_leaving(struct execution *x) {
	vec_foreach(fd, &x->leaving)
		close(*fd);
	vec_clear(&x->leaving);
}

static int delete_namespace(struct execution *x, const char *name, const char **ret_problem) {
	struct handle *handle = handle_get(x->k, name);
	struct netns_identity identity = handle->identity;
	int fd = handle_release(x->k, handle_get(x->k, name));

	if (fd >= 0 && x->more_declared)
		parting_watch(&x->parting, &x->k->host, fd);
	if (fd >= 0)
		vec_push(&x->leaving, fd);
	if (x->leaving.n >= MAX((size_t)LEAVING_MIN, x->k->max_open / 4))
		close_leaving(x);
	return handle->attached ? netns_unlink(name, handle->link) : netns_delete(name, &identity, ret_problem);
}

void change_namespace(struct execution *x, struct change *change) {
	const char *name = change_object(change)->ns, *problem = NULL;
	int r = 0;

	switch (change->type) {
	case CHANGE_CREATE:
		r = create_namespace(x, name, &problem);
		break;
	case CHANGE_UPDATE:
		r = name_again(x, name, &problem);
		break;
	case CHANGE_DELETE:
		r = delete_namespace(x, name, &problem);
		break;
	}
	execution_tried(x, change, r, problem);
	if (change->type == CHANGE_DELETE)
		execution_settle(x, change);
}

/* What a crash left, as the last scan found it. */
int clear_namespace(const struct handle *handle) {
	return handle->link        ? netns_unlink(handle->name, handle->link)
	       : handle->half_made ? netns_remove_stale(handle->name)
				   : 0;
}
