/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events of any content: netlink messages from any namespace, cut off anywhere, overruns at any moment, and names in
 * watched folders. However they come, a dispatch ends, and an overrun is told of.
 */
#include "fuzz.h"
#include "machine.h"
#include "watch.h"
#include "watch_event.h"

enum { DISPATCHES = 8 };

struct heard {
	size_t n_dirty, n_names, n_files, n_everything;
};

/* Texts are read to their ends: they point into what was received. */
static void hear_change(void *userdata, int32_t nsid, const struct hint *hint) {
	struct heard *heard = userdata;

	must(nsid >= WATCH_NSID_HOST);
	must(!hint->link || strlen(hint->link) < EVENT_BYTES);
	must(!hint->table || strlen(hint->table) < EVENT_BYTES);
	heard->n_dirty++;
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const struct watch_handlers handlers = { hear_change, hear_name, hear_file, hear_everything };
	struct heard heard = {};
	struct watch *watch = NULL;
	size_t n_events = 0, n_overruns = 0;

	machine_begin(data, size);
	if (watch_new(&watch, &handlers, &heard, 0) == 0) {
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
