/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a source: sends its requests, round by round, and hands it the answers. Whole scans and narrow ones differ only in
 * what the source requests. This file knows no class by name, and about a message only whether it is a dump.
 *
 * Texts (a file, a setting) are read object by object, by their transport.
 */
#include "kernel/genl_family.h"
#include "kernel/scan_private.h"

/* Answers. */

static int take_message(void *userdata, const struct nlmsghdr *nlh) {
	struct ns_scan *scan = userdata;

	return scan->reading->decode(&scan->source, nlh);
}

static void begin(struct ns_scan *scan, bool again) {
	scan->source.restarted = again;
	if (again)
		scan_forget(&scan->source);
	vec_clear(&scan->source.added);
	if (scan->reading->begin)
		scan->reading->begin(&scan->source);
}

static void restart(void *userdata) {
	begin(userdata, true);
}

static int refuse(struct ns_scan *scan, int error) {
	return scan->reading->refused ? scan->reading->refused(&scan->source, error) : error;
}

static int send_dump(struct ns_scan *scan, struct nl_socket *sock, size_t i) {
	scan->source.request = i;
	begin(scan, false);
	int r = nl_dump(sock, scan->scanner->requests.messages.items[i], take_message, restart, scan);
	return r < 0 ? refuse(scan, r) : 0;
}

struct answers {
	struct ns_scan *scan;
	size_t first; /* index of the first request */
	int error;    /* the first */
};

static void take_answer(void *userdata, size_t index, const struct nlmsghdr *answer, int error) {
	struct answers *answers = userdata;
	struct ns_scan *scan = answers->scan;

	scan->source.request = answers->first + index;
	int r = answer ? scan->reading->decode(&scan->source, answer) : refuse(scan, error);
	answers->error = answers->error ? answers->error : r;
}

/* All at once: each has one answer. */
static int send_questions(struct ns_scan *scan, struct nl_socket *sock, size_t first, size_t n) {
	struct answers answers = { scan, first, 0 };
	int r = nl_ask(sock, scan->scanner->requests.messages.items + first, n, take_answer, &answers);

	return r < 0 ? r : answers.error;
}

/* Requests. */

static bool is_dump(const struct nlmsghdr *request) {
	return (request->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
}

static int send_round(struct ns_scan *scan) {
	struct nlmsghdr **requests = scan->scanner->requests.messages.items;
	size_t n = scan->scanner->requests.messages.n, end;
	struct nl_socket *sock;
	int r = ns_scan_socket(scan, scan->reading->protocol, &sock);

	for (size_t i = 0; i < n && r == 0; i = end) {
		for (end = i + 1; !is_dump(requests[i]) && end < n && !is_dump(requests[end]);)
			end++;
		r = is_dump(requests[i]) ? send_dump(scan, sock, i) : send_questions(scan, sock, i, end - i);
	}
	return r;
}

/* 1: the kernel has no such family, so there is nothing to read. */
static int begin_source(struct ns_scan *scan, const struct source *source) {
	scan->reading = source;
	scan->source.own = NULL;
	if (!source->family)
		return 0;
	int r = genl_family(scan->scanner->k, source->family, &scan->source.family);
	return r == -ENOENT ? 1 : r;
}

static int read_source(struct ns_scan *scan, const struct source *source) {
	struct nl_writer *w = &scan->scanner->requests;
	int r = begin_source(scan, source);

	if (r)
		return MIN(r, 0);
	r = 1;
	for (scan->source.round = 0; r > 0; scan->source.round++) {
		nl_clear(w);
		source->dump(&scan->source, w);
		r = w->overflow ? -EMSGSIZE : w->messages.n ? send_round(scan) : 0;
		if (r == 0 && source->finish)
			r = source->finish(&scan->source);
	}
	if (source->done)
		source->done(&scan->source);
	return r;
}

/* Texts. */

/* An object that cannot be read may still exist. If it is in the ledger, the scan fails: otherwise it would be forgotten as
 * gone and never be restored. For others, writing them shows the error. */
static int unreadable(const struct ns_scan *scan, const struct object *object, int error) {
	return ledger_find_object(scan->scanner->request->ledger, object) ? error : 0;
}

static int read_text(struct ns_scan *scan, const struct source *source, const struct object *wanted) {
	struct source_scan *s = &scan->source;
	const char *text;
	int error, r;

	if (wanted && ns_find(s->seen, wanted))
		return 0;
	r = transport_read(scan, source, wanted, &text, &error);
	if (r < 0 || (!text && !error))
		return r;
	struct object *object = source->from_text(s->decode.arena, s->seen->name, wanted, text ? text : "");
	if (!text)
		return unreadable(scan, object, error);
	ns_add(s->seen, object);
	return 0;
}

static int read_texts(struct ns_scan *scan, const struct class *class) {
	const struct scope *scope = scan->source.scope;
	bool any = false;
	int r = 0;

	for (size_t i = 0; scope && i < scope->n && r == 0; i++)
		if (scope->objects[i]->kind->class == class)
			r = read_text(scan, class->source, scope->objects[i]);
	ns_foreach(object, scope ? NULL : scan->source.desired) {
		if (object->kind->class != class || r < 0)
			continue;
		r = read_text(scan, class->source, object);
		any = true;
	}
	return scope || any ? r : read_text(scan, class->source, NULL);
}

int scan_class(struct ns_scan *scan, const struct class *class) {
	const struct source *source = class->source;
	int r = 0;

	if (source->only_if_declared && !scan->source.concerns(&scan->source, class))
		return 0;
	if (source->dump)
		r = read_source(scan, source);
	return r == 0 && source->from_text ? read_texts(scan, class) : r;
}

/* Details of single objects. */

static int take_detail(void *userdata, const struct nlmsghdr *nlh) {
	struct ns_scan *scan = userdata;

	scan->reading->take(scan->source.decode.arena, scan->object, nlh);
	return 0;
}

static void restart_detail(void *userdata) {
	(void)take_detail(userdata, NULL);
}

static int read_detail(struct ns_scan *scan, const struct object *desired) {
	const struct source *source = desired->kind->source;
	struct nl_writer *w = &scan->scanner->requests;
	struct nl_socket *sock;

	if (!source || !source->declares || !(scan->source.everything || source->declares(desired)))
		return 0;
	scan->object = ns_find(scan->source.seen, desired);
	if (!scan->object || scan->object->kind != desired->kind)
		return 0;
	int r = begin_source(scan, source);
	if (r == 0)
		r = ns_scan_socket(scan, source->protocol, &sock);
	if (r)
		return MIN(r, 0);
	nl_clear(w);
	source->ask(&scan->source, w, scan->object);
	restart_detail(scan);
	r = nl_dump(sock, w->messages.items[0], take_detail, restart_detail, scan);
	return r < 0 ? refuse(scan, r) : 0;
}

int scan_details(struct ns_scan *scan) {
	const struct scope *scope = scan->source.scope;
	int r = 0;

	for (size_t i = 0; scope && i < scope->n && r == 0; i++)
		r = read_detail(scan, scope->objects[i]);
	ns_foreach(object, scope ? NULL : scan->source.everything ? scan->source.seen : scan->source.desired)
		r = r < 0 ? r : read_detail(scan, object);
	return r;
}
