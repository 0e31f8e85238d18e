/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attaching, and the end of what was attached.
 *
 *     awaited ──attach──▶ attached ──its process ends──▶ awaited
 *                          │   ▲                         ▲
 *       its process ends,  │   │ another process         │ none was found within a second
 *       it has a group     ▼   │ was found               │
 *                        searching ──────────────────────┘
 *
 * A call with a control group begins with a search, because the caller ends before the process that stays has begun. During
 * this first search topod holds the namespace, and its name leads to topod's descriptor; during later searches there is
 * neither.
 */
#include "attach/attachments.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

#include "attach/cdi.h"
#include "attach/note.h"
#include "files/clock.h"

enum {
	SEARCH_USEC = 1000 * 1000,
	TICK_NSEC = 10 * 1000 * 1000, /* between two tries of a search */
	EVENTS = 64,
};

static void set_text(char **at, const char *text) {
	char *copy = text ? xstrdup(text) : NULL;

	free(*at);
	*at = copy;
}

static struct attachment *find(struct attachments *a, const char *ns) {
	struct attachment *found = NULL;

	vec_foreach(item, &a->items)
		if (streq((*item)->ns, ns))
			found = *item;
	return found;
}

static int watch_fd_for(const struct attachments *a, int fd) {
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(a->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* ---- searching ---- */

static void set_timer(struct attachments *a) {
	struct itimerspec spec = {};
	bool any = false;

	vec_foreach(item, &a->items)
		any |= (*item)->searching;
	if (any == a->ticking)
		return;
	a->ticking = any;
	spec.it_value.tv_nsec = spec.it_interval.tv_nsec = any ? TICK_NSEC : 0;
	timerfd_settime(a->timer, 0, &spec, NULL);
}

static void let_process_go(struct attachment *item) {
	closep(&item->process.pidfd); /* closes the last descriptor, so epoll forgets it */
	item->process = PROCESS_NONE;
}

static void let_go(struct attachment *item) {
	let_process_go(item);
	closep(&item->held);
	item->held = -1;
	item->searching = false;
	set_text(&item->link, NULL);
	set_text(&item->group, NULL);
	item->identity = (struct netns_identity){};
}

static void remove_name(const struct attachment *item) {
	if (item->link)
		(void)netns_unlink(item->ns, item->link); /* it may be gone by now, or somebody else's */
}

void attachment_end(struct attachments *a, struct attachment *item) {
	if (!item->link)
		return;
	remove_name(item);
	let_go(item);
	set_timer(a);
	a->hooks.changed(a->hooks.userdata, item->ns);
}

/* Records it and gives it its name. */
static int make_name(struct attachments *a, struct attachment *item, const char *link, const char *group,
		     const struct netns_identity *identity, char **ret_problem) {
	_cleanup_(arena_done) struct arena arena = {};
	struct object *object = netns_object(&arena, item->ns, identity);
	struct netns *netns = (struct netns *)object;
	const char *problem = NULL;
	int r;

	netns->link = link;
	object->set |= field_bit(NETNS_LINK);
	if (group) {
		netns->owner = group;
		object->set |= field_bit(NETNS_OWNER);
	}
	r = a->hooks.record(a->hooks.userdata, object);
	if (r == 0) {
		r = netns_prepare(&problem);
		r = r ? r : netns_link(item->ns, link, item->link, &problem);
		if (r == -EEXIST)
			problem = "its name in " NETNS_DIR " is taken by something else";
	}
	if (r < 0)
		*ret_problem = xasprintf("%s cannot be attached: %s", item->ns, problem ? problem : strerror(-r));
	return r;
}

int attachment_begin(struct attachments *a, struct attachment *item, const struct netns_identity *seen, const char *link,
		     const char *group, struct process process, char **ret_problem) {
	_cleanup_close_ int pidfd = process.pidfd;
	struct netns_identity identity = *seen;

	identity.born_nsec = 0; /* nothing holds its inode */
	int r = make_name(a, item, link, group, &identity, ret_problem);
	if (r == 0 && pidfd >= 0)
		r = watch_fd_for(a, pidfd);
	if (r < 0) {
		a->hooks.changed(a->hooks.userdata, item->ns);
		return r;
	}
	_cleanup_free_ char *kept_link = xstrdup(link), *kept_group = group ? xstrdup(group) : NULL;
	let_go(item);
	item->link = TAKE_PTR(kept_link);
	item->group = TAKE_PTR(kept_group);
	item->identity = identity;
	item->detached = (struct netns_identity){};
	item->process = (struct process){ process.pid, TAKE_FD(pidfd) };
	a->hooks.changed(a->hooks.userdata, item->ns);
	return 0;
}

/* Finds a process of the group through which the namespace is reached from now on. */
static bool found_another(struct attachments *a, struct attachment *item) {
	struct process process;
	pid_t caller = item->process.pidfd >= 0 ? item->process.pid : 0;
	_cleanup_free_ char *link = NULL, *problem = NULL;

	if (!control_group_find(item->group, &item->identity, caller, &process))
		return false;
	link = process_netns_path(process.pid);
	if (make_name(a, item, link, item->group, &item->identity, &problem) < 0 || watch_fd_for(a, process.pidfd) < 0) {
		closep(&process.pidfd);
		return false;
	}
	let_process_go(item);
	closep(&item->held);
	item->held = -1;
	item->process = process;
	item->searching = false;
	set_text(&item->link, link);
	a->hooks.changed(a->hooks.userdata, item->ns);
	return true;
}

static void begin_search(struct attachments *a, struct attachment *item) {
	item->searching = true;
	item->search_until = now_monotonic() + SEARCH_USEC;
	set_timer(a);
}

static void continue_search(struct attachments *a, struct attachment *item) {
	if (found_another(a, item)) {
		set_timer(a);
		return;
	}
	if (item->process.pidfd >= 0) /* the caller has not ended yet */
		item->search_until = now_monotonic() + SEARCH_USEC;
	else if (now_monotonic() >= item->search_until)
		attachment_end(a, item);
}

static void process_ended(struct attachments *a, struct attachment *item) {
	let_process_go(item);
	if (item->searching)
		return; /* it was the caller */
	if (!item->group) {
		attachment_end(a, item);
		source_look(a, item);
		return;
	}
	if (found_another(a, item))
		return;
	remove_name(item);
	begin_search(a, item);
}

/* ---- calls ---- */

static int refuse(char **ret_problem, int r, char *text) {
	*ret_problem = text;
	return r;
}

/* A namespace with two names would have two descriptions. */
static const char *other_name(struct attachments *a, const struct attachment *item, const struct netns_identity *identity) {
	_cleanup_(arena_done) struct arena arena = {};

	vec_foreach(other, &a->items)
		if (*other != item && (*other)->link && netns_is_same(&(*other)->identity, identity))
			return (*other)->ns;
	return a->hooks.name_of(a->hooks.userdata, netns_object(&arena, item->ns, identity));
}

int attachment_check(struct attachments *a, const struct attachment *item, int fd, struct netns_identity *ret,
		     char **ret_problem) {
	int r = netns_check_fd(fd);

	if (r == 0)
		r = netns_identity(fd, ret);
	if (r < 0)
		return refuse(ret_problem, r, xstrdup("this is not a network namespace"));
	if (netns_is_home(ret))
		return refuse(
			ret_problem, -EINVAL,
			xasprintf("this is the host's own namespace. A unit needs 'PrivateNetwork=yes', and a program that "
				  "starts a container passes the container's process, not its own; or let it join: "
				  "'NetworkNamespacePath=" NETNS_DIR "/%s', without 'attach'",
				  item->ns));
	const char *other = other_name(a, item, ret);
	if (other)
		return refuse(ret_problem, -EEXIST, xasprintf("this namespace is already '%s' in the file", other));
	return 0;
}

static bool leads_to(const char *path, const struct netns_identity *identity) {
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct netns_identity found;

	return fd >= 0 && netns_check_fd(fd) == 0 && netns_identity(fd, &found) == 0 && netns_is_same(&found, identity);
}

bool attachment_is_there(const struct attachment *item) {
	return item->link && leads_to(item->link, &item->identity);
}

static int attach_process(struct attachments *a, struct attachment *item, const struct attach_call *call, pid_t pid,
			  const struct netns_identity *identity, char **ret_problem) {
	_cleanup_free_ char *link = process_netns_path(pid);
	struct process process = { pid, fcntl(call->owner, F_DUPFD_CLOEXEC, 0) };

	if (process.pidfd < 0)
		return -errno;
	if (!leads_to(link, identity) || process_has_ended(&process)) {
		bool ended = process_has_ended(&process);

		closep(&process.pidfd);
		return refuse(ret_problem, -ESRCH,
			      ended ? xasprintf("process %d has ended", pid)
				    : xasprintf("process %d is in another network namespace", pid));
	}
	return attachment_begin(a, item, identity, link, NULL, process, ret_problem);
}

/* See README.md: the caller is usually the only process of the group that is in the namespace. */
static int attach_group(struct attachments *a, struct attachment *item, const struct attach_call *call, const char *group,
			const struct netns_identity *identity, char **ret_problem) {
	_cleanup_free_ char *link = NULL;
	struct process process;
	int held, r;

	if (control_group_find(group, identity, call->caller, &process)) {
		link = process_netns_path(process.pid);
		return attachment_begin(a, item, identity, link, group, process, ret_problem);
	}
	held = fcntl(call->netns, F_DUPFD_CLOEXEC, 0);
	if (held < 0)
		return -errno;
	if (process_hold(call->caller, &process) < 0)
		process = PROCESS_NONE;
	link = xasprintf("/proc/%d/fd/%d", getpid(), held);
	r = attachment_begin(a, item, identity, link, group, process, ret_problem);
	if (r < 0) {
		close(held);
		return r;
	}
	item->held = held;
	begin_search(a, item);
	return 0;
}

static int attach_path(struct attachments *a, struct attachment *item, const struct attach_call *call,
		       const struct netns_identity *identity, char **ret_problem) {
	if (call->path[0] != '/' || strlen(call->path) >= PATH_MAX || !leads_to(call->path, identity))
		return refuse(ret_problem, -EINVAL, xasprintf("%s does not lead to this namespace", call->path));
	source_watch(a, item, call->path);
	return attachment_begin(a, item, identity, call->path, NULL, PROCESS_NONE, ret_problem);
}

int attachments_attach(struct attachments *a, const char *ns, const struct attach_call *call, char **ret_problem) {
	struct attachment *item = find(a, ns);
	struct netns_identity identity;
	pid_t pid;
	int r;

	*ret_problem = NULL;
	if (!item)
		return -ENOENT;
	r = attachment_check(a, item, call->netns, &identity, ret_problem);
	if (r < 0)
		return r;
	if (call->path) {
		r = attach_path(a, item, call, &identity, ret_problem);
	} else {
		_cleanup_free_ char *group = control_group_of_directory(call->owner);

		if (group) {
			r = attach_group(a, item, call, group, &identity, ret_problem);
		} else {
			r = process_of(call->owner, &pid);
			if (r == 0)
				r = attach_process(a, item, call, pid, &identity, ret_problem);
			else
				(void)refuse(ret_problem, r,
					     xstrdup(r == -ESRCH
							     ? "its owner has ended"
							     : "its owner must be a process (a pidfd) or the directory of a "
							       "control group"));
		}
	}
	set_timer(a);
	if (r == 0)
		note_drop(ns);
	if (r < 0 && !*ret_problem)
		*ret_problem = xasprintf("%s cannot be attached: %s", ns, strerror(-r));
	return r;
}

int attachments_detach(struct attachments *a, const char *ns) {
	struct attachment *item = find(a, ns);

	if (!item)
		return -ENOENT;
	if (!item->link)
		return -ESRCH;
	item->detached = item->identity;
	attachment_end(a, item);
	return 0;
}

/* ---- what is declared ---- */

/* Takes up a namespace that a former daemon had attached, if it still exists. */
static void resume(struct attachments *a, struct attachment *item, const struct ledger_entry *entry) {
	const char *link = ledger_former(entry, NETNS_LINK), *group = ledger_former(entry, NETNS_OWNER);
	struct process process = PROCESS_NONE;
	pid_t pid = process_of_netns_path(link);

	set_text(&item->link, link);
	set_text(&item->group, group);
	item->identity = netns_identity_read(ledger_former(entry, NETNS_INODE), ledger_former(entry, NETNS_COOKIE));
	if (pid && process_hold(pid, &process) < 0)
		process = PROCESS_NONE;
	if (attachment_is_there(item) && (!pid || (process.pidfd >= 0 && watch_fd_for(a, process.pidfd) == 0))) {
		const char *problem;

		item->process = process;
		(void)netns_link(item->ns, link, NULL, &problem); /* the former daemon may have crashed before it */
		return;
	}
	closep(&process.pidfd);
	if (group && found_another(a, item))
		return;
	remove_name(item);
	let_go(item);
}

static void take_note(struct attachments *a, struct attachment *item) {
	struct attach_call call;
	_cleanup_free_ char *problem = NULL;

	if (!note_take(item->ns, &call))
		return;
	(void)attachments_attach(a, item->ns, &call, &problem); /* the noted namespace may have ended */
	note_done(&call);
}

static void declare(struct attachments *a, const struct object *self, const struct ledger *ledger) {
	const struct netns *netns = (const struct netns *)self;
	const struct ledger_entry *entry = ledger_attached_namespace(ledger_namespace(ledger, self->ns));
	const char *value = object_has(self, NETNS_VALUE) ? netns->value : NULL;
	struct attachment *item = find(a, self->ns);
	bool same = item && item->source == (enum attach_source)netns->source && streq_ptr(item->value, value);

	if (!item) {
		item = xmalloc(sizeof(*item));
		item->ns = xstrdup(self->ns);
		item->process = PROCESS_NONE;
		item->held = item->watches[0] = item->watches[1] = -1;
		vec_push(&a->items, item);
		if (entry)
			resume(a, item, entry);
		take_note(a, item);
	}
	item->declared = true;
	item->source = (enum attach_source)netns->source;
	set_text(&item->value, value);
	if (!same)
		source_begin(a, item);
}

/* A namespace that topod makes or adopts from now on gets the name. */
static void give_names_up(const struct state *desired, const struct ledger *ledger) {
	for (const struct ledger_ns *noted = ledger->namespaces; noted; noted = noted->hh.next) {
		const struct ledger_entry *entry = ledger_attached_namespace(noted);
		const struct object *self = ns_self(state_find(desired, noted->name));

		if (entry && self && !self->awaited && !self->gone)
			(void)netns_unlink(noted->name, ledger_former(entry, NETNS_LINK));
	}
}

static void attachment_free(struct attachment *item) {
	let_go(item);
	free(item->ns);
	free(item->value);
	free(item);
}

void attachments_declare(struct attachments *a, const struct state *desired, const struct ledger *ledger) {
	size_t n = 0;

	vec_foreach(item, &a->items)
		(*item)->declared = false;
	state_foreach(ns, desired)
		if (ns_self(ns) && ns_self(ns)->awaited && !ns_self(ns)->gone)
			declare(a, ns_self(ns), ledger);
	give_names_up(desired, ledger);
	/* From others the plan removes what topod has in them, and then the name. */
	for (size_t i = 0; i < a->items.n; i++)
		if (a->items.items[i]->declared)
			a->items.items[n++] = a->items.items[i];
		else
			attachment_free(a->items.items[i]);
	a->items.n = n;
	set_timer(a);
	(void)cdi_write(a->topology, desired); /* if it cannot be written, engines find no device and say so */
}

/* ---- events ---- */

int attachments_fd(const struct attachments *a) {
	return a->epoll;
}

static void tick(struct attachments *a) {
	uint64_t n;

	(void)!read(a->timer, &n, sizeof(n));
	for (size_t i = 0; i < a->items.n; i++)
		if (a->items.items[i]->searching)
			continue_search(a, a->items.items[i]);
}

void attachments_dispatch(struct attachments *a) {
	struct epoll_event events[EVENTS];
	int n = epoll_wait(a->epoll, events, EVENTS, 0);

	for (int i = 0; i < n; i++) {
		int fd = events[i].data.fd;

		if (fd == a->timer)
			tick(a);
		else if (fd == a->inotify)
			source_read_events(a);
		for (size_t k = 0; fd != a->timer && fd != a->inotify && k < a->items.n; k++)
			if (a->items.items[k]->process.pidfd == fd)
				process_ended(a, a->items.items[k]);
	}
	set_timer(a);
}

void attachments_mounts_changed(struct attachments *a) {
	for (size_t i = 0; i < a->items.n; i++)
		source_check(a, a->items.items[i]);
}

int attachments_new(struct attachments **ret, const char *topology, const struct attach_hooks *hooks) {
	struct attachments *a = xmalloc(sizeof(*a));
	int r;

	a->hooks = *hooks;
	a->topology = xstrdup(topology);
	a->inotify = -1;
	a->epoll = epoll_create1(EPOLL_CLOEXEC);
	a->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	r = a->epoll < 0 || a->timer < 0 ? -errno : watch_fd_for(a, a->timer);
	if (r < 0) {
		attachments_free(a);
		return r;
	}
	*ret = a;
	return 0;
}

void attachments_free(struct attachments *a) {
	if (!a)
		return;
	vec_foreach(item, &a->items)
		attachment_free(*item);
	vec_done(&a->items);
	closep(&a->timer);
	closep(&a->inotify);
	closep(&a->epoll);
	free(a->topology);
	free(a);
}
