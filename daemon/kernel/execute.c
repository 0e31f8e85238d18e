/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carrying out a plan: requests of one namespace that stand together go out in one batch, and each answer finds
 * its change again. It follows the plan's order and decides nothing but this: what needs a change that failed
 * is not tried.
 */
#include <fcntl.h>
#include <time.h>
#include <linux/rtnetlink.h>
#include <sys/random.h>

#include "kernel/real_kernel.h"
#include "kernel/moved.h"
#include "kernel/parting.h"
#include "kind/resolv_conf.h"
#include "kind/link.h"
#include "kind/ruleset.h"
#include "kind/netns.h"
#include "kind/sysctl.h"

enum {
	NAME_WAIT_NSEC = 50 * 1000 * 1000, /* in which anybody's second step is done; asked for often at first */
	NAME_WAIT_FIRST_NSEC = 20 * 1000,
	SEARCHES_MAX = 8, /* for links that were moved, in one plan: each may look into every namespace */
	INDEX_LAPS = 6,   /* how often another index is chosen for a link … */
	LEAVING_MIN = 64, /* so many namespaces may be kept on until others' names are removed as well */
	INDEX_STEP = 32,  /* … and how far away at first; twice as far each time */
};

/* A change and the messages that it became. */
struct sent {
	struct change *change;
	size_t first, n;
};

struct execution {
	struct real_kernel *k;
	const struct scan_request *look;
	struct plan *plan;
	const struct execute_hooks *hooks;
	struct resolver resolver;
	/* The batch being collected. */
	struct nl_writer writer;
	struct handle *at; /* where it is to be sent */
	vec(struct sent) sent;
	unsigned n_searches;
	unsigned lap; /* how often indexes were chosen for it in vain */
	/* The namespace whose files were last written. */
	struct netns_visit visit;
	int host_fd; /* of the host namespace, where a request names it */
	const struct handle *inside;
	vec(int) leaving;   /* descriptors of namespaces whose names were removed */
	bool more_declared; /* something that may go with them */
	struct parting parting;
};

static void fail(struct execution *x, struct change *change, int error, const char *text) {
	change->done = true;
	change->error = error;
	change->text = text ? arena_strdup(&x->plan->arena, text) : NULL;
}

/* Resolving names. */

static uint32_t resolve_ifindex(void *userdata, const char *ns, const char *name) {
	struct execution *x = userdata;
	const struct known_link *link = handle_link(handle_get(x->k, ns), name);

	/* lo is the first in every namespace, also in one that nobody has looked at yet. */
	return link ? link->ifindex : streq(name, "lo") ? 1 : 0;
}

static int resolve_netns_fd(void *userdata, const char *ns) {
	struct execution *x = userdata;
	struct handle *handle = handle_get(x->k, ns);
	int r;

	if (handle->host) {
		if (x->host_fd < 0)
			x->host_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
		return x->host_fd < 0 ? -errno : x->host_fd;
	}
	r = handle_open(x->k, handle);
	return r < 0 ? r : handle->fd;
}

static uint32_t resolve_new_ifindex(void *userdata, const char *ns, const char *name) {
	struct execution *x = userdata;
	struct handle *handle = handle_get(x->k, ns);
	uint32_t index = MAX(handle->highest, 1U) + 1, away = 0;

	if (x->lap > 0 && getrandom(&away, sizeof(away), GRND_NONBLOCK) == sizeof(away))
		index += away % (INDEX_STEP << x->lap);
	if (name)
		handle_add_link(handle, name, index, NULL);
	handle->highest = MAX(handle->highest, index);
	return index;
}

static uint32_t resolve_mac(void *userdata, const struct mac *mac) {
	struct execution *x = userdata;
	const struct handle *host = handle_get(x->k, NS_HOST);

	for (const struct known_link *link = host->by_index; link; link = link->hh_index.next)
		if (memcmp(&link->mac, mac, sizeof(*mac)) == 0)
			return link->ifindex;
	return 0;
}

/* Answers. */

static void forget_link(struct execution *x, const struct object *object) {
	if (object && object_is_link(object))
		handle_drop_link(handle_get(x->k, object->ns), ((const struct link *)object)->name);
}

/* By the time that its deletion is answered, the name may stand for the link that was made in its place. */
static void forget_deleted(struct execution *x, const struct object *seen) {
	struct handle *handle = handle_get(x->k, seen->ns);
	const struct link *link = (const struct link *)seen;
	const struct known_link *known = object_is_link(seen) ? handle_link(handle, link->name) : NULL;

	if (known && known->ifindex == link->ifindex)
		handle_drop_link(handle, link->name);
}

static void settle(struct execution *x, struct change *change) {
	if (change->type == CHANGE_DELETE && error_is_gone(change->error))
		change->error = 0; /* gone is gone, whoever did it */
	/* The index that was chosen for a link that did not come into being stands for nothing. */
	if (change->type == CHANGE_CREATE && change->error) {
		forget_link(x, change->desired);
		forget_link(x, change->desired->twin);
	}
	if (change->type == CHANGE_DELETE && !change->error)
		forget_deleted(x, change->observed);
}

static void take_ack(void *userdata, size_t index, const struct nl_ack *ack) {
	struct execution *x = userdata;

	vec_foreach(sent, &x->sent) {
		struct change *change = sent->change;

		if (index < sent->first || index >= sent->first + sent->n)
			continue;
		/* The first refusal of several messages tells the reason; ECANCELED only that there is one. */
		if (!ack->error || (change->error && change->error != -ECANCELED))
			return;
		change->error = ack->error;
		change->text = ack->text ? arena_strdup(&x->plan->arena, ack->text) : change->text;
		if (ack->offset)
			change->culprit = nl_find_origin(&x->writer, index, ack->offset);
		return;
	}
}

/* Each rtnetlink change is one message, so the index finds it at once. */
static void take_ack_in_order(void *userdata, size_t index, const struct nl_ack *ack) {
	struct execution *x = userdata;

	if (index < x->sent.n && x->sent.items[index].first == index && x->sent.items[index].n == 1) {
		struct change *change = x->sent.items[index].change;

		change->error = ack->error;
		if (ack->error && ack->text)
			change->text = arena_strdup(&x->plan->arena, ack->text);
		if (ack->error && ack->offset)
			change->culprit = nl_find_origin(&x->writer, index, ack->offset);
		return;
	}
	take_ack(userdata, index, ack);
}

/* Requests. */

static const char *place_of(const struct change *change) {
	const struct object *object = change_object(change);

	return object->kind->sent_in ? object->kind->sent_in(change) : object->ns;
}

/* What was moved in is given back: moved, too. */
static bool gives_back(const struct change *change) {
	return change->type == CHANGE_DELETE && change->desired && change->desired->kind->bare_create;
}

/* A deletion is encoded by what was seen; what it was meant as decides only for what is given back. */
static const struct kind *encoder(const struct change *change) {
	return gives_back(change)              ? change->desired->kind
	       : change->type == CHANGE_DELETE ? change->observed->kind
					       : change->desired->kind;
}

static void collect(struct execution *x, struct change *change) {
	struct encode encode = {
		.writer = &x->writer, .resolver = &x->resolver, .topology = x->look->topology, .arena = &x->plan->arena
	};
	size_t before = x->writer.messages.n;
	int r = encoder(change)->encode(&encode, change);

	if (r == 0 && x->writer.overflow)
		r = -EMSGSIZE;
	if (r < 0) {
		/* What was begun is taken out again; the message before it stays whole. */
		nl_truncate(&x->writer, before);
		fail(x, change, r, encode.problem);
		settle(x, change);
		return;
	}
	vec_push(&x->sent, (struct sent){ change, before, x->writer.messages.n - before });
}

static void transmit(struct execution *x, bool transaction, int protocol) {
	struct nl_socket *sock;
	int r = handle_socket(x->k, x->at, protocol, &sock);

	if (r == 0)
		r = nl_transact(sock, x->writer.messages.items, x->writer.messages.n, transaction,
				transaction ? take_ack : take_ack_in_order, x);
	vec_foreach(sent, &x->sent) {
		sent->change->done = true;
		if (r < 0 && !sent->change->error)
			sent->change->error = r;
		sent->change->unsure |= r < 0 && sent->change->error == r;
		settle(x, sent->change);
	}
}

/* A link that was refused because there is one already (EBUSY: at the other end, or where it moves to), while the look before
 * saw none of that name: then it is the chosen index that somebody took first. */
static bool is_taken(const struct change *change) {
	bool makes = change->type == CHANGE_CREATE && object_is_link(change->desired);

	return (makes && change->error == -EEXIST) || ((makes || gives_back(change)) && change->error == -EBUSY);
}

/* What the kernel refuses a second time is not refused for a link that was moved. */
static bool makes_room(struct execution *x, struct change *change) {
	if (x->lap > 0 || x->n_searches == SEARCHES_MAX || !moved_may_hinder(change))
		return false;
	x->n_searches++;
	return moved_remove(x->k, x->look, change, &x->plan->arena, &change->moved);
}

/* What was refused for its index is put together anew, with indexes further away each time; likewise what a link of ours stood
 * in the way of. */
static bool choose_again(struct execution *x) {
	vec(struct change *) taken = {};

	vec_foreach(sent, &x->sent) {
		struct change *change = sent->change;

		if (makes_room(x, change) || (!change->unsure && is_taken(change)))
			vec_push(&taken, change);
	}
	vec_clear(&x->sent);
	nl_clear(&x->writer);
	x->lap++;
	vec_foreach(at, &taken) {
		(*at)->error = 0;
		(*at)->text = NULL;
		(*at)->done = false;
		collect(x, *at);
	}
	vec_done(&taken);
	return x->sent.n > 0;
}

/* Without a word of the kernel's it is a name that no interface was seen to have, nor the next look will: an alternative one,
 * which the kernel takes for as good. Else it is something that only one link can have, and nobody saw another here. */
static void explain_taken(struct execution *x) {
	vec_foreach(sent, &x->sent) {
		struct change *change = sent->change;

		if (change->type != CHANGE_CREATE || change->error != -EEXIST || !object_is_link(change->desired))
			continue;
		if (!change->text)
			change->text = "an interface there has that name as an alternative one (`ip link property`)";
		else if (change->desired->kind->link_kind)
			change->text = arena_printf(&x->plan->arena,
						    "%s: look for it with `ip -d link show type %s` here, in the host, "
						    "and with `ip -all netns exec` in all others",
						    change->text, change->desired->kind->link_kind);
	}
}

static void flush(struct execution *x, bool transaction, int protocol) {
	if (!x->sent.n)
		return;
	do
		transmit(x, transaction, protocol);
	while (x->lap < INDEX_LAPS && choose_again(x));
	explain_taken(x);
	x->lap = 0;
	vec_clear(&x->sent);
	nl_clear(&x->writer);
	handles_spare(x->k);
}

static void request_route(struct execution *x, struct change *change) {
	struct handle *at = handle_get(x->k, place_of(change));
	int r;

	if (x->at != at || x->writer.messages.n >= NL_BATCH_MESSAGES || !nl_has_room(&x->writer))
		flush(x, false, NETLINK_ROUTE);
	r = handle_open(x->k, at);
	if (r < 0) {
		fail(x, change, r, "the namespace is gone");
		settle(x, change);
		return;
	}
	x->at = at;
	collect(x, change);
}

static void request_netfilter(struct execution *x, struct change *change) {
	struct handle *at = handle_get(x->k, change_object(change)->ns);
	int r = handle_open(x->k, at);

	if (r < 0) {
		fail(x, change, r, "the namespace is gone");
		return;
	}
	x->at = at;
	collect(x, change);
	flush(x, true, NETLINK_NETFILTER);
}

/* Namespaces. */

/* `ip netns delete` unmounts and then unlinks, `ip netns add` makes the file and then mounts: a name that stands for
 * nothing may be half-way. To step in between would make the other's second step fail. */
static int wait_for_name(const char *name, const char **ret_problem) {
	long step = NAME_WAIT_FIRST_NSEC;
	int r = -EINVAL;

	for (long waited = 0; waited < NAME_WAIT_NSEC && r == -EINVAL; waited += step, step += step / 4) {
		_cleanup_close_ int fd = -1;

		nanosleep(&(struct timespec){ .tv_nsec = step }, NULL);
		r = netns_open(name, &fd, ret_problem);
	}
	return r == -ENOENT ? 0 : r == -EINVAL ? netns_remove_stale(name) : -EEXIST;
}

/* Before it has its name, so that whatever bears that later is known to be ours or not, whenever a crash may come. */
static int note_birth(struct execution *x, const char *name, int fd) {
	struct netns_identity identity;
	int r = netns_identity(fd, &identity);

	if (r < 0 || !x->hooks->born)
		return r;
	(void)netns_cookie(fd, &identity.cookie); /* an older kernel has none */
	return x->hooks->born(x->hooks->userdata, netns_object(&x->plan->arena, name, &identity));
}

/* A file that a crash left is no namespace. */
static int give_name(struct execution *x, int fd, const char *name, const char **ret_problem) {
	int r = netns_name(fd, name, ret_problem);

	if (r == -EEXIST && wait_for_name(name, ret_problem) == 0)
		return netns_name(fd, name, ret_problem);
	if (r == -EEXIST && *ret_problem)
		*ret_problem = arena_printf(&x->plan->arena, "its name in /run/netns is %s", *ret_problem);
	return r;
}

static int create_namespace(struct execution *x, const char *name, const char **ret_problem) {
	_cleanup_close_ int fd = -1;
	int r = 0;

	if (!x->k->prepared)
		r = netns_prepare(ret_problem);
	if (r < 0)
		return r;
	x->k->prepared = true;
	r = netns_make(&fd, ret_problem);
	if (r == 0)
		r = note_birth(x, name, fd);
	if (r == 0)
		r = give_name(x, fd, name, ret_problem);
	if (r == 0)
		r = handle_adopt(x->k, handle_get(x->k, name), TAKE_FD(fd));
	return r;
}

/* Of one that is held. */
static int name_again(struct execution *x, const char *name, const char **ret_problem) {
	struct handle *handle = handle_get(x->k, name);
	int r = handle->held < 0 ? -ESTALE : give_name(x, handle->held, name, ret_problem);

	if (r == -ENOENT) { /* the directory went, too */
		r = netns_prepare(ret_problem);
		r = r ? r : give_name(x, handle->held, name, ret_problem);
	}
	if (r == 0)
		handle->unnamed = false;
	return r;
}

/* Each unmounting waits until all processors were at rest for a moment, and the kernel keeps them from it while it takes
 * namespaces apart. It begins with that when nothing holds them any more: so those whose names are removed one after the
 * other are let go together at the end. */
static void let_go(struct execution *x) {
	vec_foreach(fd, &x->leaving)
		close(*fd);
	vec_clear(&x->leaving);
}

static int delete_namespace(struct execution *x, const char *name, const char **ret_problem) {
	struct netns_identity identity = handle_get(x->k, name)->identity;
	int fd = handle_release(x->k, handle_get(x->k, name));

	if (fd >= 0 && x->more_declared)
		parting_watch(&x->parting, &x->k->host, fd);
	if (fd >= 0)
		vec_push(&x->leaving, fd);
	if (x->leaving.n >= MAX((size_t)LEAVING_MIN, x->k->max_open / 4))
		let_go(x);
	return netns_delete(name, &identity, ret_problem);
}

static void change_namespace(struct execution *x, struct change *change) {
	const char *name = change_object(change)->ns;
	const char *problem = NULL;
	int r;

	if (change->type == CHANGE_CREATE) {
		r = create_namespace(x, name, &problem);
		fail(x, change, r, problem);
		return;
	}
	if (change->type == CHANGE_UPDATE) {
		r = name_again(x, name, &problem);
		fail(x, change, r, problem);
		return;
	}
	r = delete_namespace(x, name, &problem);
	fail(x, change, r, problem);
	settle(x, change);
}

/* Settings and files. */

static void leave(struct execution *x) {
	netns_leave(&x->visit);
	x->inside = NULL;
}

static int enter(struct execution *x, struct handle *handle) {
	int r;

	if (x->inside == handle)
		return 0;
	if (handle->fd < 0)
		leave(x); /* a name may be a link to "the namespace of whoever looks" */
	r = handle_open(x->k, handle);
	if (r == 0)
		r = netns_enter(&x->visit, handle->fd);
	if (r == 0)
		settings_visit(&x->k->settings);
	x->inside = r < 0 ? NULL : handle;
	return r;
}

static const char *setting_problem(int error) {
	return error == -ENOENT   ? "the kernel has no such setting"
	       : error == -EINVAL ? "the kernel refuses the value"
				  : NULL;
}

/* What it was. Some have no value until they are written (stable_secret: EIO), and others are not for reading. */
static int note_former(struct execution *x, const struct change *change, const struct sysctl *sysctl) {
	struct arena *arena = &x->plan->arena;
	int error;
	const char *former = setting_read(&x->k->settings, arena, sysctl->path, &error);

	if (!former && error == -ENOENT)
		return error;
	return x->hooks->former(x->hooks->userdata, change,
				former ? &sysctl_new(arena, sysctl->object.ns, sysctl->path, former)->object : NULL);
}

struct settings_seen {
	vec(const struct object *) list;
};

static void scan_reach(struct execution *x, const char *ns, const struct sysctl_reach *reach, struct settings_seen *seen) {
	struct arena *arena = &x->plan->arena;
	int error;
	const char **names = setting_list(&x->k->settings, arena, reach->folder, &error);

	for (size_t i = 0; names && names[i]; i++) {
		const char *path = arena_printf(arena, "%s/%s/%s", reach->folder, names[i], reach->last);
		const char *value =
			sysctl_reach_has(reach, names[i]) ? setting_read(&x->k->settings, arena, path, &error) : NULL;

		if (value)
			vec_push(&seen->list, &sysctl_new(arena, ns, path, value)->object);
	}
}

/* What it changes besides, which is to go back with it. */
static int note_reach(struct execution *x, const struct change *change, const struct sysctl *sysctl) {
	struct settings_seen seen = {};
	struct sysctl_reach reaches[2];
	unsigned n = sysctl_reach(&x->plan->arena, sysctl, reaches);
	int r = 0;

	for (unsigned i = 0; i < n; i++)
		scan_reach(x, sysctl->object.ns, &reaches[i], &seen);
	if (seen.list.n)
		r = x->hooks->reached(x->hooks->userdata, change, seen.list.items, seen.list.n);
	vec_done(&seen.list);
	return r;
}

static void change_setting(struct execution *x, struct change *change) {
	const struct sysctl *sysctl = (const struct sysctl *)change->desired;
	int r = enter(x, handle_get(x->k, sysctl->object.ns));

	if (r == 0 && !change->observed && x->hooks->former)
		r = note_former(x, change, sysctl);
	if (r == 0 && !change->desired->gone && x->hooks->reached)
		r = note_reach(x, change, sysctl);
	if (r == 0)
		r = setting_write(&x->k->settings, sysctl->path, sysctl->value);
	fail(x, change, r, setting_problem(r));
	change->culprit = r < 0 ? &sysctl->object.kind->fields[SYSCTL_VALUE] : NULL;
}

static const char *file_problem(int error) {
	return error == -EPERM     ? "its folder or /etc/netns belongs to another user, or others may write to it"
	       : error == -ENOTDIR ? "its folder or /etc/netns is a link or a file"
	       : error == -EEXIST  ? "somebody has just put another there, which is not topod's"
				   : NULL;
}

static void change_file(struct execution *x, struct change *change) {
	const struct dns *dns = (const struct dns *)change->desired;
	int r = change->type == CHANGE_DELETE
			? resolv_conf_remove(change->observed->ns)
			: resolv_conf_write(dns->object.ns, dns->content, change->type != CHANGE_CREATE);

	fail(x, change, r, file_problem(r));
}

/* The order. */

static bool is_blocked(struct execution *x, struct change *change) {
	for (unsigned i = 0; i < change->n_needs; i++) {
		const struct change *need = change->needs[i];

		if (!need->done || !need->error)
			continue;
		change->blocked = need->blocked ? need->blocked : need;
		fail(x, change, need->error, NULL);
		return true;
	}
	return false;
}

/* The index that was chosen for a new link may have been taken by somebody's else meanwhile. What speaks of the link
 * by its index waits for the answer, or it would change that one. */
static bool awaits_link(const struct change *change) {
	for (unsigned i = 0; i < change->n_needs; i++) {
		const struct change *need = change->needs[i];

		if (need->type == CHANGE_CREATE && object_is_link(need->desired) && !need->done)
			return true;
	}
	return false;
}

/* What a link needs written besides its messages. False where that was all, or failed. */
static bool write_besides(struct execution *x, struct change *change) {
	struct arena *arena = &x->plan->arena;
	const char *path, *value;
	int r = 0;

	if (!object_is_link(change_object(change)) || !link_writes(change, 0, arena, &path, &value))
		return true;
	flush(x, false, NETLINK_ROUTE);
	r = enter(x, handle_get(x->k, change->desired->ns));
	for (size_t i = 0; r == 0 && link_writes(change, i, arena, &path, &value); i++)
		r = setting_write(&x->k->settings, path, value);
	leave(x);
	if (r < 0 || !(change->fields & (change->fields - 1)))
		fail(x, change, r, NULL);
	return !change->done;
}

static void carry_out(struct execution *x, struct change *change) {
	enum transport transport = change_object(change)->kind->transport;

	if (transport != TRANSPORT_ROUTE || awaits_link(change))
		flush(x, false, NETLINK_ROUTE);
	if (transport != TRANSPORT_SYSCTL)
		leave(x);
	if (transport != TRANSPORT_NETNS || change->type != CHANGE_DELETE)
		let_go(x);
	if (is_blocked(x, change))
		return;
	switch (transport) {
	case TRANSPORT_ROUTE:
		if (write_besides(x, change))
			request_route(x, change);
		break;
	case TRANSPORT_NETFILTER:
		request_netfilter(x, change);
		break;
	case TRANSPORT_NETNS:
		change_namespace(x, change);
		break;
	case TRANSPORT_SYSCTL:
		change_setting(x, change);
		break;
	case TRANSPORT_FILE:
		change_file(x, change);
		break;
	}
}

/* A change of one batch may have needed another of the same, whose answer was not there yet. */
static void find_blocked(struct plan *plan) {
	vec_foreach(at, &plan->changes) {
		struct change *change = *at;

		for (unsigned i = 0; change->error && !change->blocked && i < change->n_needs; i++)
			if (change->needs[i]->error)
				change->blocked = change->needs[i]->blocked ? change->needs[i]->blocked : change->needs[i];
	}
}

static bool declares_anything(const struct state *desired) {
	state_foreach(ns, desired)
		ns_foreach(object, ns)
			if (!object->gone)
				return true;
	return false;
}

void real_execute(struct kernel *kernel, const struct scan_request *look, struct plan *plan,
		  const struct execute_hooks *hooks) {
	struct execution x = {
		.k = (struct real_kernel *)kernel,
		.look = look,
		.plan = plan,
		.hooks = hooks,
		.host_fd = -1,
		.more_declared = declares_anything(look->desired),
	};

	x.resolver = (struct resolver){ .userdata = &x,
					.ifindex = resolve_ifindex,
					.netns_fd = resolve_netns_fd,
					.new_ifindex = resolve_new_ifindex,
					.ifindex_by_mac = resolve_mac };
	for (size_t i = 0; i < plan->changes.n; i++) {
		if (!plan->changes.items[i]->done)
			carry_out(&x, plan->changes.items[i]);
		if (hooks->progress && i % 256 == 255)
			hooks->progress(hooks->userdata, i + 1);
	}
	flush(&x, false, NETLINK_ROUTE);
	leave(&x);
	let_go(&x);
	vec_done(&x.leaving);
	parting_await(&x.parting, &x.k->host);
	find_blocked(plan);
	vec_done(&x.sent);
	closep(&x.host_fd);
	nl_writer_done(&x.writer);
}
