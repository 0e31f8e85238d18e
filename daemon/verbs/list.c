/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `topod list` and `topod show`: what exists on this machine, as tables. */
#include <inttypes.h>

#include "base/vec.h"
#include "cli/daemon_client.h"
#include "cli/inventory.h"
#include "cli/table.h"
#include "kernel/named_netns.h"
#include "verbs/verbs.h"

#define BOLD "\033[1m"
#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"

static const char *text_in(const json_t *json, const char *key) {
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

static const char *state_color(const char *state) {
	static const struct {
		const char *name, *color;
	} colors[] = {
		{ "converged", GREEN }, { "up", GREEN },          { "degraded", RED },      { "failed", RED },
		{ "missing", RED },     { "stopped", YELLOW },    { "converging", YELLOW }, { "paused", YELLOW },
		{ "busy", YELLOW },     { "no carrier", YELLOW }, { "waiting", YELLOW },
	};

	for (size_t i = 0; i < ARRAY_SIZE(colors); i++)
		if (streq(colors[i].name, state))
			return colors[i].color;
	return NULL;
}

/* ---- list ---- */

enum { LIST_TOPOLOGY, LIST_STATE, LIST_NAMESPACES, LIST_OBJECTS, LIST_PID, LIST_FILE };

static const struct table_column list_columns[] = {
	[LIST_TOPOLOGY] = { "TOPOLOGY", 0 },
	[LIST_STATE] = { "STATE", 0 },
	[LIST_NAMESPACES] = { "NAMESPACES", TABLE_RIGHT },
	[LIST_OBJECTS] = { "OBJECTS", TABLE_RIGHT },
	[LIST_PID] = { "PID", TABLE_RIGHT },
	[LIST_FILE] = { "FILE", TABLE_PATH },
};

static void set_number(struct table *table, struct table_row *row, size_t column, const json_t *value) {
	char text[32] = "";

	if (json_is_integer(value))
		snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	table_set(table, row, column, text, NULL);
}

static void add_topology_line(struct table *table, const json_t *entry) {
	struct table_row *row = table_add(table, NULL);

	table_set(table, row, LIST_TOPOLOGY, text_in(entry, "topology"), BOLD);
	table_set(table, row, LIST_STATE, text_in(entry, "state"), state_color(text_in(entry, "state")));
	set_number(table, row, LIST_NAMESPACES, json_object_get(entry, "namespaces"));
	set_number(table, row, LIST_OBJECTS, json_object_get(entry, "objects"));
	set_number(table, row, LIST_PID, json_object_get(entry, "pid"));
	table_set(table, row, LIST_FILE, text_in(entry, "file"), NULL);
}

static void say_there_is_none(void) {
	complain("there is no topology; `topod apply SPEC` or `topod run SPEC` makes one");
}

int verb_list(const struct options *options) {
	_cleanup_table_ struct table *table = table_new(list_columns, ARRAY_SIZE(list_columns));
	bool hidden;
	json_t *list = inventory_topologies(&hidden), *entry;
	size_t i;

	json_array_foreach(list, i, entry)
		add_topology_line(table, entry);
	if (!options->json && json_array_size(list))
		table_print(table, color_on(options, stdout));
	if (!options->json && !json_array_size(list))
		say_there_is_none();
	if (hidden)
		complain("this user may not see the contents of some topologies: be root, or a member of the group '%s' for "
			 "those with a daemon",
			 CONTROL_GROUP);
	if (options->json)
		print_json(json_pack("{s:O}", "topologies", list));
	json_decref(list);
	return EXIT_DONE;
}

/* ---- show ---- */

enum { SHOW_NAME, SHOW_KIND, SHOW_STATE, SHOW_ADDRESSES, SHOW_NOTES };

static const struct table_column show_columns[] = {
	[SHOW_NAME] = { "NAME", TABLE_TREE },    [SHOW_KIND] = { "KIND", 0 },
	[SHOW_STATE] = { "STATE", 0 },           [SHOW_ADDRESSES] = { "ADDRESSES", 0 },
	[SHOW_NOTES] = { "NOTES", TABLE_WORDS },
};

static struct table_row *add_row(struct table *table, struct table_row *parent, const char *name, const char *kind,
				 const char *state) {
	struct table_row *row = table_add(table, parent);

	table_set(table, row, SHOW_NAME, name, parent ? NULL : BOLD);
	table_set(table, row, SHOW_KIND, kind, NULL);
	table_set(table, row, SHOW_STATE, state, state_color(state));
	return row;
}

/* Objects that fail, drifted or wait at this place ("web/eth0"), one line each. */
static void add_matters(const json_t *list, const char *scope, struct text *out) {
	size_t i;
	json_t *matter;

	json_array_foreach(list, i, matter) {
		if (!streq(text_in(matter, "scope"), scope))
			continue;
		text_addf(out, "%s%s: %s%s%s", out->size ? "\n" : "", text_in(matter, "state"), text_in(matter, "noun"),
			  *text_in(matter, "error") ? ": " : "", text_in(matter, "error"));
	}
}

static void set_notes(struct table *table, struct table_row *row, const json_t *topology, const char *scope,
		      struct text *notes) {
	size_t before = notes->size;

	add_matters(json_object_get(topology, "troubles"), scope, notes);
	bool troubled = notes->size > before;
	add_matters(json_object_get(topology, "waits"), scope, notes);
	table_set(table, row, SHOW_NOTES, text_str(notes), troubled ? RED : NULL);
}

static void add_interface(struct table *table, struct table_row *parent, const json_t *topology, const char *ns,
			  const json_t *interface) {
	const char *name = text_in(interface, "interface");
	_cleanup_free_ char *scope = xasprintf("%s/%s", ns, name);
	_cleanup_text_ struct text addresses = {}, notes = {};
	struct table_row *row = add_row(table, parent, name, text_in(interface, "kind"), text_in(interface, "state"));
	size_t i;
	json_t *address;

	json_array_foreach(json_object_get(interface, "addresses"), i, address)
		text_addf(&addresses, "%s%s", i ? "\n" : "", json_string_value(address));
	table_set(table, row, SHOW_ADDRESSES, text_str(&addresses), NULL);
	if (!json_is_true(json_object_get(interface, "managed")) && !streq(name, "lo"))
		text_add(&notes, "not topod's");
	set_notes(table, row, topology, scope, &notes);
}

enum { PROCESSES_NAMED = 3 };

static void add_processes(const json_t *processes, struct text *out) {
	size_t i, n = json_array_size(processes);
	json_t *process;

	if (n)
		text_addf(out, "%zu process%s: ", n, n == 1 ? "" : "es");
	json_array_foreach(processes, i, process)
		if (i < PROCESSES_NAMED)
			text_addf(out, "%s%s (%d)", i ? ", " : "", text_in(process, "name"),
				  (int)json_integer_value(json_object_get(process, "pid")));
	if (n > PROCESSES_NAMED)
		text_addf(out, " and %zu more", n - PROCESSES_NAMED);
}

static void add_others(json_t *others, struct text *out) {
	const char *class;
	json_t *number;
	bool first = true;

	json_object_foreach(others, class, number) {
		text_addf(out, "%s%" JSON_INTEGER_FORMAT " %s%s",
			  first && out->size ? "\n"
			  : first            ? ""
					     : ", ",
			  json_integer_value(number), class, json_integer_value(number) == 1 ? "" : "s");
		first = false;
	}
}

static bool is_awaited(const json_t *topology, const char *ns) {
	size_t i;
	json_t *wait;

	json_array_foreach(json_object_get(topology, "waits"), i, wait)
		if (streq(text_in(wait, "scope"), ns) && streq(text_in(wait, "noun"), "namespace"))
			return true;
	return false;
}

static void add_namespace(struct table *table, struct table_row *parent, const json_t *topology, const json_t *entry) {
	const char *name = text_in(entry, "namespace"), *error = text_in(entry, "error");
	bool present = json_is_true(json_object_get(entry, "present")) || streq(name, NS_HOST);
	struct table_row *row = add_row(table, parent, name, "namespace",
					present                      ? ""
					: is_awaited(topology, name) ? "waiting"
								     : "missing");
	_cleanup_text_ struct text notes = {};
	size_t i;
	json_t *interface;

	if (*error)
		text_addf(&notes, "cannot be scanned: %s", error);
	add_others(json_object_get(entry, "others"), &notes);
	if (notes.size && json_array_size(json_object_get(entry, "processes")))
		text_add(&notes, "\n");
	add_processes(json_object_get(entry, "processes"), &notes);
	set_notes(table, row, topology, name, &notes);
	json_array_foreach(json_object_get(entry, "interfaces"), i, interface)
		add_interface(table, row, topology, name, interface);
}

static void print_topologies(const json_t *list, const struct options *options) {
	_cleanup_table_ struct table *table = table_new(show_columns, ARRAY_SIZE(show_columns));
	size_t i, j;
	json_t *topology, *ns;

	json_array_foreach(list, i, topology) {
		struct table_row *row =
			add_row(table, NULL, text_in(topology, "topology"), "topology", text_in(topology, "state"));

		table_set(table, row, SHOW_NOTES, text_in(topology, "file"), NULL);
		json_array_foreach(json_object_get(topology, "namespaces"), j, ns)
			add_namespace(table, row, topology, ns);
	}
	table_print(table, color_on(options, stdout));
}

/* ---- what to show ---- */

struct search {
	const char *only; /* a topology, or a namespace; NULL: everything */
	bool is_topology;
	json_t *found;
	int error;
	char *failed; /* the topology of that error */
};

static void look_for_name(void *userdata, const char *topology) {
	struct search *search = userdata;

	search->is_topology |= streq(topology, search->only);
}

static void show_one(void *userdata, const char *topology) {
	struct search *search = userdata;
	const char *ns = search->is_topology ? NULL : search->only;
	json_t *entry = NULL;
	int r = search->is_topology && !streq(topology, search->only) ? 0 : inventory_topology(topology, ns, &entry);

	if (r < 0 && !search->error) {
		search->error = r;
		search->failed = xstrdup(topology);
	}
	if (entry && json_array_size(json_object_get(entry, "namespaces")))
		json_array_append(search->found, entry);
	json_decref(entry);
}

static int nothing_found(const struct search *search) {
	_cleanup_(arena_done) struct arena arena = {};
	struct suggestion meant = suggest_for(search->only);

	for (const char **name = netns_names(&arena); *name; name++)
		suggest(&meant, *name);
	complain_unknown(&meant, "no topology has the name or the namespace '%s'", search->only);
	hint("`topod list` lists the topologies");
	return EXIT_FAILED;
}

static int print_found(const struct search *search, const struct options *options) {
	if (search->error) {
		_cleanup_free_ char *what = xasprintf("see what '%s' has made", search->failed);
		_cleanup_free_ char *problem = topology_problem(what, search->error);

		complain("%s", problem);
		return EXIT_FAILED;
	}
	if (search->only && !json_array_size(search->found))
		return nothing_found(search);
	if (options->json)
		print_json(json_pack("{s:O}", "topologies", search->found));
	else if (json_array_size(search->found))
		print_topologies(search->found, options);
	else
		say_there_is_none();
	return EXIT_DONE;
}

int verb_show(const struct options *options) {
	struct search search = { .only = options->n_args ? options->args[0] : NULL, .found = json_array() };
	int code;

	if (search.only)
		(void)ledger_file_each(look_for_name, &search); /* on error none is found */
	(void)ledger_file_each(show_one, &search);
	code = print_found(&search, options);
	json_decref(search.found);
	free(search.failed);
	return code;
}
