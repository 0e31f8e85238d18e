/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carrying out a plan: requests of one namespace that stand together go out in one batch, and each answer finds
 * its change again. It follows the plan's order and decides nothing but this: what needs a change that failed
 * is not tried. How a change reaches the kernel is in the table of transport.c.
 */
#include <fcntl.h>
#include <sys/random.h>

#include "kernel/genl_family.h"
#include "kernel/moved.h"
#include "kernel/transport.h"
#include "kind/link.h"

enum {
	SEARCHES_MAX = 8, /* for links that were moved, in one plan: each may look into every namespace */
	INDEX_LAPS = 6,   /* how often another index is chosen for a link … */
	INDEX_STEP = 32,  /* … and how far away at first; twice as far each time */
};

void execution_tried(struct execution *x, struct change *change, int error, const char *text) {
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

void execution_settle(struct execution *x, struct change *change) {
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

/* The first refusal of several messages tells the reason; ECANCELED only that there is one. */
static void take_ack(void *userdata, size_t index, const struct nl_ack *ack) {
	struct execution *x = userdata;
	struct change *change = x->owners.items[index];

	if (!ack->error || (change->error && change->error != -ECANCELED))
		return;
	change->error = ack->error;
	change->text = ack->text ? arena_strdup(&x->plan->arena, ack->text) : change->text;
	if (ack->offset)
		change->culprit = nl_find_origin(&x->writer, index, ack->offset);
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
	const struct kind *kind = encoder(change);
	size_t before = x->writer.messages.n;
	int r = kind->family ? genl_family(x->k, kind->family, &encode.family) : 0;

	if (r == -ENOENT)
		encode.problem = arena_printf(&x->plan->arena, "this kernel has no %s", kind->family);
	if (r == 0)
		r = kind->encode(&encode, change);

	if (r == 0 && x->writer.overflow)
		r = -EMSGSIZE;
	if (r < 0) {
		/* What was begun is taken out again; the message before it stays whole. */
		nl_truncate(&x->writer, before);
		execution_tried(x, change, r, encode.problem);
		execution_settle(x, change);
		return;
	}
	vec_push(&x->sent, change);
	for (size_t i = before; i < x->writer.messages.n; i++)
		vec_push(&x->owners, change);
}

static void clear_batch(struct execution *x) {
	vec_clear(&x->sent);
	vec_clear(&x->owners);
	nl_clear(&x->writer);
}

static void transmit(struct execution *x) {
	const struct transport_way *way = x->transport;
	struct nl_socket *sock;
	int r = handle_socket(x->k, x->at, way->protocol, &sock);

	if (r == 0)
		r = nl_transact(sock, x->writer.messages.items, x->writer.messages.n, way->transaction, take_ack, x);
	vec_foreach(at, &x->sent) {
		struct change *change = *at;

		change->done = true;
		if (r < 0 && !change->error)
			change->error = r;
		change->unsure |= r < 0 && change->error == r;
		execution_settle(x, change);
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

	vec_foreach(at, &x->sent)
		if (makes_room(x, *at) || (!(*at)->unsure && is_taken(*at)))
			vec_push(&taken, *at);
	clear_batch(x);
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
	vec_foreach(at, &x->sent) {
		struct change *change = *at;

		if (change->type != CHANGE_CREATE || change->error != -EEXIST || !object_is_link(change->desired))
			continue;
		if (!change->text)
			change->text = "an interface there has that name as an alternative name (`ip link property`)";
		else if (change->desired->kind->link_kind)
			change->text = arena_printf(&x->plan->arena,
						    "%s: look for it with `ip -d link show type %s` here, in the host, "
						    "and with `ip -all netns exec` in all others",
						    change->text, change->desired->kind->link_kind);
	}
}

static void flush(struct execution *x) {
	if (!x->sent.n)
		return;
	do
		transmit(x);
	while (x->lap < INDEX_LAPS && choose_again(x));
	explain_taken(x);
	x->lap = 0;
	clear_batch(x);
	handles_spare(x->k);
}

static void request(struct execution *x, const struct transport_way *way, struct change *change) {
	struct handle *at = handle_get(x->k, place_of(change));
	int r;

	if (x->at != at || x->transport != way || x->writer.messages.n >= NL_BATCH_MESSAGES || !nl_has_room(&x->writer))
		flush(x);
	r = handle_open(x->k, at);
	if (r < 0) {
		execution_tried(x, change, r, "the namespace is gone");
		execution_settle(x, change);
		return;
	}
	x->at = at;
	x->transport = way;
	collect(x, change);
	if (!way->batched)
		flush(x);
}

void execution_leave(struct execution *x) {
	netns_leave(&x->visit);
	x->inside = NULL;
}

int execution_enter(struct execution *x, struct handle *handle) {
	int r;

	if (x->inside == handle)
		return 0;
	if (handle->fd < 0)
		execution_leave(x); /* a name may be a link to "the namespace of whoever looks" */
	r = handle_open(x->k, handle);
	if (r == 0)
		r = netns_enter(&x->visit, handle->fd);
	if (r == 0)
		proc_sys_visit(&x->k->settings);
	x->inside = r < 0 ? NULL : handle;
	return r;
}

/* The order. */

static bool is_blocked(struct execution *x, struct change *change) {
	for (unsigned i = 0; i < change->n_needs; i++) {
		const struct change *need = change->needs[i];

		if (!need->done || !need->error)
			continue;
		change->blocked = need->blocked ? need->blocked : need;
		execution_tried(x, change, need->error, NULL);
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
	flush(x);
	r = execution_enter(x, handle_get(x->k, change->desired->ns));
	for (size_t i = 0; r == 0 && link_writes(change, i, arena, &path, &value); i++)
		r = setting_write(&x->k->settings, path, value);
	execution_leave(x);
	if (r < 0 || !(change->fields & (change->fields - 1)))
		execution_tried(x, change, r, NULL);
	return !change->done;
}

static void carry_out(struct execution *x, struct change *change) {
	const struct transport_way *way = transport_way(change_transport(change));

	if (way->call || awaits_link(change))
		flush(x);
	if (!way->inside)
		execution_leave(x);
	if (way->call != change_namespace || change->type != CHANGE_DELETE)
		close_leaving(x);
	if (is_blocked(x, change))
		return;
	if (way->call)
		way->call(x, change);
	else if (write_besides(x, change))
		request(x, way, change);
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
	flush(&x);
	execution_leave(&x);
	close_leaving(&x);
	vec_done(&x.leaving);
	parting_await(&x.parting, &x.k->host);
	find_blocked(plan);
	vec_done(&x.sent);
	vec_done(&x.owners);
	closep(&x.host_fd);
	nl_writer_done(&x.writer);
}
