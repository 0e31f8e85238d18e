/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carrying out a plan, in its order. Consecutive requests in one namespace are sent in one batch, and each answer is
 * matched to its change. The only decision made here: a change is not tried if one that it needs has failed. How a change
 * reaches the kernel is in the table of transport.c.
 */
#include <fcntl.h>
#include <sys/random.h>

#include "kernel/genl_family.h"
#include "kernel/moved.h"
#include "kernel/transport.h"
#include "kind/link.h"

enum {
	SEARCHES_MAX = 8, /* searches for moved links in one plan; each may scan every namespace */
	INDEX_LAPS = 6,   /* how often other indexes are tried for a link … */
	INDEX_STEP = 32,  /* … and the first range to choose from, doubled each time */
};

/* Reports a request and its result to the hook. */
static void tell(struct execution *x, const struct change *change, const char *how) {
	if (x->hooks->asked && !change->blocked)
		x->hooks->asked(x->hooks->userdata, change, how ? how : "not sent");
}

/* The messages of a change in the batch, by their names. */
static void tell_sent(struct execution *x, const struct change *change) {
	_cleanup_text_ struct text how = {};
	const char *last = NULL;

	for (size_t i = 0; x->hooks->asked && i < x->owners.n; i++) {
		const char *name = nl_message_name(x->transport->protocol, x->writer.messages.items[i]->nlmsg_type);

		if (x->owners.items[i] != change || name == last)
			continue;
		text_addf(&how, "%s%s", last ? ", " : "", name);
		last = name;
	}
	tell(x, change, text_str(&how));
}

void execution_tried(struct execution *x, struct change *change, int error, const char *text) {
	change->done = true;
	change->error = error;
	change->text = text ? arena_strdup(&x->plan->arena, text) : NULL;
	tell(x, change, transport_way(change_transport(change))->what);
}

/* Resolving names. */

static uint32_t resolve_ifindex(void *userdata, const char *ns, const char *name) {
	struct execution *x = userdata;
	const struct known_link *link = handle_link(handle_get(x->k, ns), name);

	/* lo has index 1 in every namespace, also in one that was not scanned yet. */
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

/* Free both where the link appears and where its message is sent, because before Linux 6.15 the kernel looks the index up
 * there. */
static uint32_t resolve_new_ifindex(void *userdata, const char *ns, const char *name) {
	struct execution *x = userdata;
	struct handle *handle = handle_get(x->k, ns);
	uint32_t index = MAX(MAX(handle->highest, x->at->highest), 1U) + 1, away = 0;

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

/* By the time its deletion is answered, the name may belong to the link that replaced it. */
static void forget_deleted(struct execution *x, const struct object *seen) {
	struct handle *handle = handle_get(x->k, seen->ns);
	const struct link *link = (const struct link *)seen;
	const struct known_link *known = object_is_link(seen) ? handle_link(handle, link->name) : NULL;

	if (known && known->ifindex == link->ifindex)
		handle_drop_link(handle, link->name);
}

void execution_settle(struct execution *x, struct change *change) {
	if (change->type == CHANGE_DELETE && error_is_gone(change->error))
		change->error = 0; /* somebody else deleted it, which has the same effect */
	/* The index chosen for a link that was not created is not in use. */
	if (change->type == CHANGE_CREATE && change->error) {
		forget_link(x, change->desired);
		forget_link(x, change->desired->twin);
	}
	if (change->type == CHANGE_DELETE && !change->error)
		forget_deleted(x, change->observed);
}

/* Of several messages the first refusal gives the reason; ECANCELED only says that there is one. */
static void take_ack(void *userdata, size_t index, const struct nl_ack *ack) {
	struct execution *x = userdata;
	struct change *change = x->owners.items[index];

	if (!change || !ack->error || (change->error && change->error != -ECANCELED))
		return;
	change->error = ack->error;
	change->text = ack->text ? arena_strdup(&x->plan->arena, ack->text) : change->text;
	change->position = nl_find_position(&x->writer, index);
	if (ack->offset)
		change->culprit = nl_find_origin(&x->writer, index, ack->offset);
}

/* Requests. */

static const char *place_of(const struct change *change) {
	const struct object *object = change_object(change);

	return object->kind->sent_in ? object->kind->sent_in(change) : object->ns;
}

/* An interface that was moved in is moved back. */
static bool gives_back(const struct change *change) {
	return change->type == CHANGE_DELETE && change->desired && change->desired->kind->bare_create;
}

/* A deletion is encoded by the observed object's kind, except for an interface that is moved back. */
static const struct kind *encoder(const struct change *change) {
	return gives_back(change)              ? change->desired->kind
	       : change->type == CHANGE_DELETE ? change->observed->kind
					       : change->desired->kind;
}

static void collect(struct execution *x, struct change *change) {
	struct encode encode = {
		.writer = &x->writer, .resolver = &x->resolver, .topology = x->request->topology, .arena = &x->plan->arena
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
		/* Remove the incomplete messages; those before them stay. */
		nl_truncate(&x->writer, before);
		execution_tried(x, change, r, encode.problem);
		execution_settle(x, change);
		return;
	}
	vec_push(&x->sent, change);
	for (size_t i = before; i < x->writer.messages.n; i++)
		vec_push(&x->owners, encode.cleans_up && i == x->writer.messages.n - 1 ? NULL : change);
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
		tell_sent(x, change);
		execution_settle(x, change);
	}
}

/* The link was refused because it exists (EBUSY: at the other end, or where it moves to), but the scan saw none of that
 * name: somebody else has taken the chosen index. EINVAL without a reason: before Linux 6.15 the kernel measures the MAC
 * address by the interface of that index where the message is sent, and a tunnel over IPv6 has a longer one. */
static bool is_taken(const struct change *change) {
	bool makes = change->type == CHANGE_CREATE && object_is_link(change->desired);
	bool elsewhere = makes && !streq(place_of(change), change->desired->ns);

	return (makes && change->error == -EEXIST) || ((makes || gives_back(change)) && change->error == -EBUSY) ||
	       (elsewhere && change->error == -EINVAL && !change->text);
}

/* Only at the first refusal: a second one has another reason than a moved link. */
static bool makes_room(struct execution *x, struct change *change) {
	if (x->lap > 0 || x->n_searches == SEARCHES_MAX || !moved_may_hinder(change))
		return false;
	x->n_searches++;
	return moved_remove(x->k, x->request, change, &x->plan->arena, &change->moved);
}

/* Explains an error number for something that only one link can have. */
static const char *claimed(struct arena *arena, const struct change *change) {
	const struct kind *kind = change->desired->kind;
	struct sole_claim claim;

	for (size_t i = 0; kind->claim && kind->claim(arena, change->desired, i, &claim); i++)
		if (claim.error == change->error) /* EINVAL also has other reasons */
			return claim.error == -EINVAL ? arena_printf(arena, "perhaps %s", claim.problem) : claim.problem;
	return NULL;
}

/* If the kernel gives no reason, the name is in use and no interface was seen to have it: it is an alternative name.
 * Otherwise it is something that only one link can have, and the other link is not in this namespace. */
void execution_explain(struct execution *x, struct change *change) {
	bool exists = change->type == CHANGE_CREATE && change->error == -EEXIST;
	const char *why = change->text;

	if (change->type == CHANGE_DELETE || !change->error)
		return;
	if (change->desired->kind->explain)
		change->desired->kind->explain(&x->plan->arena, change);
	if (!object_is_link(change->desired))
		return;
	if (exists && !why) {
		change->text = "an interface there has that name as an alternative name (`ip link property`)";
		return;
	}
	if (!exists)
		why = why ? NULL : claimed(&x->plan->arena, change);
	if (why && change->desired->kind->link_kind)
		change->text = arena_printf(&x->plan->arena,
					    "%s: look for it with `ip -d link show type %s` here, in the host, with "
					    "`ip -all netns exec` in all others, and in namespaces without a name "
					    "(`lsns -t net`)",
					    why, change->desired->kind->link_kind);
}

/* Changes that were refused for their index are collected again, with indexes from a larger range each time; so are those
 * that a moved link of topod's was in the way of. */
static bool choose_again(struct execution *x) {
	vec(struct change *) taken = {};

	vec_foreach(at, &x->sent)
		if (makes_room(x, *at) || (!(*at)->unsure && is_taken(*at)))
			vec_push(&taken, *at);
		else
			execution_explain(x, *at);
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

static void flush(struct execution *x) {
	if (!x->sent.n)
		return;
	do
		transmit(x);
	while (x->lap < INDEX_LAPS && choose_again(x));
	vec_foreach(at, &x->sent)
		execution_explain(x, *at);
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

void execution_send(struct execution *x, struct change *change) {
	flush(x);
	request(x, transport_way(TRANSPORT_ROUTE), change);
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
		execution_leave(x); /* the name may be a link to /proc/self/ns/net */
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

/* Somebody else's link may have taken the index chosen for a new link. A change that names the link by its index waits
 * for the answer; otherwise it would change the wrong link. */
static bool awaits_link(const struct change *change) {
	for (unsigned i = 0; i < change->n_needs; i++) {
		const struct change *need = change->needs[i];

		if (need->type == CHANGE_CREATE && object_is_link(need->desired) && !need->done)
			return true;
	}
	return false;
}

/* Writes the settings that a change of a link needs besides its messages. False if there are no messages, or on failure. */
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

/* A change may have needed another one of the same batch, whose answer was not there yet. */
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

void real_execute(struct kernel *kernel, const struct scan_request *request, struct plan *plan,
		  const struct execute_hooks *hooks) {
	struct execution x = {
		.k = (struct real_kernel *)kernel,
		.request = request,
		.plan = plan,
		.hooks = hooks,
		.host_fd = -1,
		.more_declared = declares_anything(request->desired),
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
