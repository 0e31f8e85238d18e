/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events of any content: netlink messages from any namespace, cut off anywhere, overruns at any moment, and names in watched
 * directories. A dispatch must end, and an overrun must be reported.
 */
#include "fuzz.h"
#include "machine.h"
#include "kernel/events.h"
#include "kernel/event_decode.h"
#include "kind/kinds.h"

enum { DISPATCHES = 8 };

/* What the corpus has reached. */
static struct { size_t hints[HINT_NEIGHBOUR + 1], unread; } reached;

struct heard {
	size_t n_dirty, n_names, n_files, n_everything;
};

/* Reads all texts to their ends, because they point into the received message. */
static void hear_change(void *userdata, int32_t nsid, const struct hint *hint) {
	struct heard *heard = userdata;

	must(nsid >= WATCH_NSID_HOST);
	must(!hint->link || strlen(hint->link) < EVENT_BYTES);
	must(!hint->name || strlen(hint->name) < EVENT_BYTES);
	reached.hints[hint->type]++;
	heard->n_dirty++;
}

/* The rest of a datagram that was longer than the buffer. */
bool __wrap_event_hint_unread(const struct source *const *sources, struct nlmsghdr *first, struct arena *arena,
			      struct hint *ret);
bool __real_event_hint_unread(const struct source *const *sources, struct nlmsghdr *first, struct arena *arena,
			      struct hint *ret);

bool __wrap_event_hint_unread(const struct source *const *sources, struct nlmsghdr *first, struct arena *arena,
			      struct hint *ret) {
	bool any = __real_event_hint_unread(sources, first, arena, ret);

	reached.unread += any;
	return any;
}

static void hear_name(void *userdata, const char *name) {
	struct heard *heard = userdata;

	heard->n_names += strlen(name) > 0;
}

static void hear_file(void *userdata, const char *name) {
	struct heard *heard = userdata;

	heard->n_files += strlen(name) > 0;
}

static void hear_everything(void *userdata) {
	struct heard *heard = userdata;

	heard->n_everything++;
}

void fuzz_reached(void) {
	static const char *const names[] = { "namespace", "link",   "dependents", "parts",
					     "detail",    "object", "class",      "neighbour" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		fprintf(stderr, "%s: %zu, ", names[i], reached.hints[i]);
	fprintf(stderr, "unread: %zu\n", reached.unread);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		must(reached.hints[i]);
	must(reached.unread);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const struct watch_handlers handlers = { hear_change, hear_name, hear_file, hear_everything };
	struct heard heard = {};
	struct watch *watch = NULL;
	size_t n_events = 0, n_overruns = 0;

	machine_begin(data, size);
	if (watch_new(&watch, &handlers, &heard, 0) == 0) {
		for (const struct class *const *class = classes; *class; class ++)
			watch_source(watch, (*class)->source, true);
		for (const struct kind *const *kind = kinds; *kind; kind++)
			watch_source(watch, (*kind)->source, true);
		(void)watch_file(watch, "web");
		(void)watch_file(watch, "db");
		for (int i = 0; i < DISPATCHES && !machine_done(); i++) {
			size_t told = heard.n_everything;

			(void)watch_dispatch(watch, &n_events);
			must(watch_overruns(watch) == n_overruns || heard.n_everything > told);
			n_overruns = watch_overruns(watch);
		}
		watch_free(watch);
	}
	machine_end();
	return 0;
}
