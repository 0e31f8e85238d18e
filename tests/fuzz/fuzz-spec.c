/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A topology file of any bytes, handled as by the daemon: read, diagnosed, planned from nothing and to nothing, printed as
 * text and JSON. A refusal must have a reason; an accepted file must be planned. A form feed separates the file and its
 * drop-ins. Written out, the file must mean the same.
 */
#include <sys/mman.h>

#include "fuzz.h"
#include "report/report.h"
#include "files/spec_file.h"

static void print_diagnostics(const struct loaded_spec *loaded, bool good) {
	_cleanup_free_ char *text = diags_format(&loaded->diags, true);
	json_t *json = report_check_json(loaded->name, &loaded->diags);
	char *dumped = json_dumps(json, JSON_COMPACT);

	must(good || *text);
	must(dumped);
	free(dumped);
	json_decref(json);
}

static void print_plan(const struct plan *plan, const char *topology) {
	_cleanup_text_ struct text text = {};
	json_t *json = report_plan_json(plan, topology);
	char *dumped = json_dumps(json, JSON_COMPACT);

	report_plan_text(plan, true, &text);
	must(dumped);
	free(dumped);
	json_decref(json);
}

/* Plans to make everything, on a machine where each namespace is empty or does not exist. */
static void plan_from_nothing(const struct spec *spec, struct ledger *ledger, bool present) {
	_cleanup_(state_done) struct state observed = {};
	_cleanup_(plan_done) struct plan plan = {};
	_cleanup_text_ struct text lines = {};
	const struct plan_input input = {
		.desired = &spec->state, .observed = &observed, .ledger = ledger, .explains = true
	};

	state_foreach(ns, &spec->state)
		state_namespace(&observed, ns->name)->present = present;
	plan_make(&plan, &input);
	print_plan(&plan, spec->topology);
	vec_foreach(change, &plan.changes)
		if ((*change)->desired)
			ledger_note(ledger, (*change)->desired, NULL, (*change)->desired->set, true, &lines);
}

/* The recorded lines are read back unchanged. */
static void read_back(const struct ledger *ledger) {
	_cleanup_free_ char *text = ledger_format(ledger), *recreates = NULL;
	_cleanup_(ledger_done) struct ledger other = {};
	size_t damaged;

	must(ledger_parse(&other, text, strlen(text), &damaged) == 0);
	must(damaged == 0);
	recreates = ledger_format(&other);
	must(streq(text, recreates));
}

static bool load_file(struct loaded_spec *loaded, const uint8_t *data, size_t size) {
	static char path[32];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("spec", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	must(fd >= 0 && ftruncate(fd, 0) == 0);
	must(pwrite(fd, data, size, 0) == (ssize_t)size);
	return spec_file_load(path, SPEC_FILE_EXPAND, loaded);
}

static void print_spec(const struct spec *spec, struct text *out) {
	text_addf(out, "%s\n", spec->topology);
	state_foreach(ns, &spec->state)
		ns_foreach(object, ns) {
			object_print_id(object, out);
			text_add(out, ": ");
			object_print_fields(object, NULL, object->set, out);
			text_add(out, "\n");
		}
}

static void check_written_out(const struct loaded_spec *loaded) {
	_cleanup_loaded_spec_ struct loaded_spec other = {};
	_cleanup_text_ struct text one = {}, two = {};

	must(load_file(&other, (const uint8_t *)text_str(&loaded->written_out), loaded->written_out.size));
	print_spec(&loaded->spec, &one);
	print_spec(&other.spec, &two);
	must(streq(text_str(&one), text_str(&two)));
	must(streq(text_str(&loaded->written_out), text_str(&other.written_out)));
}

static void add_file(struct loaded_spec *loaded, const uint8_t *data, size_t size) {
	struct spec_text file = { .name = xasprintf("file%zu", loaded->files.n), .text = xmalloc(size), .size = size };

	memcpy(file.text, data, size);
	vec_push(&loaded->files, file);
	diags_add_source(&loaded->diags, (struct source_text){ file.name, file.text, size });
}

static bool load_merged(struct loaded_spec *loaded, const uint8_t *data, size_t size) {
	const struct spec_options options = { .topology = "fuzz", .written_out = &loaded->written_out };
	const uint8_t *end;

	loaded->name = xstrdup("file0");
	for (; (end = memchr(data, '\f', size)) && loaded->files.n < SPEC_DROPINS_MAX; data = end + 1) {
		add_file(loaded, data, (size_t)(end - data));
		size -= (size_t)(end + 1 - data);
	}
	add_file(loaded, data, size);
	return spec_read(&loaded->spec, &loaded->diags, 0, &options);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};
	_cleanup_(ledger_done) struct ledger ledger = {};
	bool several = size && memchr(data, '\f', size);
	bool good = several ? load_merged(&loaded, data, size) : load_file(&loaded, data, size);

	print_diagnostics(&loaded, good);
	if (!good)
		return 0;
	if (!several) /* a single file also has the names of tables and the machine's id */
		check_written_out(&loaded);
	plan_from_nothing(&loaded.spec, &ledger, false);
	plan_from_nothing(&loaded.spec, &ledger, true);
	read_back(&ledger);
	ledger_add_returns(&ledger, &loaded.spec.state);
	return 0;
}
