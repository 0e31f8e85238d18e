/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `topod export`: what runs in namespaces, regardless of how it was made, as a file. common/export says what is written. */
#include "export/export.h"

#include "cli/chosen_mac.h"
#include "cli/inventory.h"
#include "kernel/named_netns.h"
#include "kind/sysctl.h"
#include "report/report.h"
#include "verbs/verbs.h"

typedef vec(struct scope) scope_list;

static bool add_named(const char *const *names, const char *wanted, scope_list *ret) {
	struct suggestion near = suggest_for(wanted);

	suggest(&near, NS_HOST);
	for (size_t i = 0; names[i]; i++) {
		suggest(&near, names[i]);
		if (streq(names[i], wanted)) {
			vec_push(ret, (struct scope){ .ns = names[i] });
			return true;
		}
	}
	if (streq(wanted, NS_HOST)) {
		vec_push(ret, (struct scope){ .ns = NS_HOST });
		return true;
	}
	complain_unknown(&near, "there is no namespace '%s'", wanted);
	return false;
}

/* The requested ones, or all; the host's first. */
static bool choose(const char *const *names, const struct options *options, scope_list *ret) {
	bool good = true;

	if (options->all)
		vec_push(ret, (struct scope){ .ns = NS_HOST });
	for (size_t i = 0; i < options->n_args; i++)
		good &= add_named(names, options->args[i], ret);
	for (size_t i = 0; !options->n_args && names[i]; i++)
		vec_push(ret, (struct scope){ .ns = names[i] });
	return good;
}

/* ---- who made it ---- */

struct maker {
	const char *topology;
	struct ledger ledger;
};

/* The ledgers of all topologies. */
struct makers {
	struct arena arena;
	vec(struct maker) list;
};

static void add_maker(void *userdata, const char *topology) {
	struct makers *makers = userdata;
	struct maker maker = { .topology = arena_strdup(&makers->arena, topology) };

	if (ledger_file_read(topology, &maker.ledger) == 0)
		vec_push(&makers->list, maker);
	else
		ledger_done(&maker.ledger);
}

static const char *maker_of(void *userdata, const struct ns_state *ns, const char **ret_file) {
	struct makers *makers = userdata;

	vec_foreach(maker, &makers->list) {
		const struct ledger_entry *made = ledger_made_namespace(ledger_namespace(&maker->ledger, ns->name));

		if (!made || !ns_self(ns) || !ledger_is_same(made, ns_self(ns)))
			continue;
		*ret_file = maker->ledger.files.n ? maker->ledger.files.items[0] : NULL;
		return maker->topology;
	}
	return NULL;
}

static const struct ledger *ledger_of(const struct makers *makers, const char *topology) {
	vec_foreach(maker, &makers->list)
		if (streq(maker->topology, topology))
			return &maker->ledger;
	return NULL;
}

/* Does the export contain everything that the topology made? If not, applying the file would remove the rest. A network card
 * that was moved in cannot be told from one that was always there; a secret is left out. */
static bool is_whole(const struct ledger *ledger, const struct state *seen) {
	for (const struct ledger_ns *ns = ledger ? ledger->namespaces : NULL; ns; ns = ns->hh.next) {
		if (ns->entries && !state_find(seen, ns->name))
			return false;
		for (const struct ledger_entry *entry = ns->entries; entry; entry = entry->hh.next)
			if (entry->kind->bare_create || entry->fields & kind_flagged(entry->kind, FIELD_SECRET))
				return false;
	}
	return true;
}

/* Did topod make the object, and can the language not express it? */
static bool is_lost(const struct object *object) {
	_cleanup_(arena_done) struct arena arena = {};

	return object->owned && object->kind->left_out && object->kind->left_out(&arena, object);
}

/* The topology that made everything that is exported, if it is only one and all of it is exported; else NULL. */
static const char *topology_of(struct makers *makers, const struct state *seen) {
	const char *found = NULL, *file;

	state_foreach(ns, seen) {
		const char *maker = maker_of(makers, ns, &file);

		if (maker && found && !streq(maker, found))
			return NULL;
		found = maker ? maker : found;
		ns_foreach(object, ns) {
			maker = object->kind->class->topology ? object->kind->class->topology(object) : NULL;
			if ((maker && found && !streq(maker, found)) || is_lost(object))
				return NULL;
			found = maker ? maker : found;
		}
	}
	return found && is_whole(ledger_of(makers, found), seen) ? found : NULL;
}

static void makers_done(struct makers *makers) {
	vec_foreach(maker, &makers->list)
		ledger_done(&maker->ledger);
	vec_done(&makers->list);
	arena_done(&makers->arena);
}

/* ---- scanning ---- */

/* Reads only the settings that have a key of their own in a file, and those that a topology has set. */
static int scan(const scope_list *scopes, const struct makers *makers, struct state *ret) {
	_cleanup_(state_done) struct state wanted = {};

	vec_foreach(scope, scopes) {
		for (const char *const *path = sysctl_exported; *path; path++)
			ns_add(state_namespace(&wanted, scope->ns),
			       &sysctl_new(&wanted.arena, scope->ns, *path, "")->object);
		vec_foreach(maker, &makers->list)
			ledger_add_recorded(&maker->ledger, scope->ns, &wanted);
	}
	return inventory_scan(scopes->items, scopes->n, &wanted, "", true, ret);
}

/* False after a message. */
static bool is_complete(const struct state *seen) {
	bool good = true;

	state_foreach(ns, seen) {
		if (ns->error)
			complain("%s: cannot be read: %s", ns->name, strerror(-ns->error));
		else if (!ns->present)
			complain("%s: %s", ns->name, ns->obstruction ? ns->obstruction : "is gone");
		good &= ns->present && !ns->error;
	}
	return good;
}

static void add_scope(void *userdata, const char *ns, const char *link _unused_) {
	scope_list *scopes = userdata;

	vec_foreach(scope, scopes)
		if (streq(scope->ns, ns))
			return;
	vec_push(scopes, (struct scope){ .ns = ns });
}

/* Exported links may be made on links in other namespaces. */
static void scan_around(const struct state *seen, const struct makers *makers, struct state *ret) {
	scope_list scopes = {};

	export_each_around(seen, add_scope, &scopes);
	if (scopes.n)
		(void)scan(&scopes, makers, ret); /* without it, the file only contains less */
	vec_done(&scopes);
}

static json_t *notes_json(const struct exported *exported) {
	json_t *list = json_array();

	vec_foreach(note, &exported->notes)
		json_array_append_new(list, json_pack("{s:o?, s:o?, s:o}", "namespace",
						      note->ns ? report_json_text(note->ns) : NULL, "interface",
						      note->interface ? report_json_text(note->interface) : NULL, "text",
						      report_json_text(note->text)));
	return list;
}

static void print(const struct exported *exported, const struct options *options) {
	_cleanup_text_ struct text text = {};

	if (options->json) {
		print_json(json_pack("{s:o, s:o}", "file", export_json(exported->root), "notes", notes_json(exported)));
		return;
	}
	yaml_write(exported->root, &text);
	fputs(text_str(&text), stdout);
}

static int export(const scope_list *scopes, const struct options *options, struct arena *arena) {
	_cleanup_(state_done) struct state seen = {}, around = {};
	struct exported exported = {};
	_cleanup_(makers_done) struct makers makers = {};
	uint8_t machine_id[16] = {};

	(void)ledger_file_each(add_maker, &makers); /* on error there are none */
	int r = scan(scopes, &makers, &seen);

	if (r < 0) {
		complain("cannot read the kernel's state: %s", r == -EPERM ? "only root can" : strerror(-r));
		return EXIT_FAILED;
	}
	bool good = is_complete(&seen);
	chosen_mac_read(&seen);
	scan_around(&seen, &makers, &around);
	spec_file_machine_id(machine_id);
	const char *topology = topology_of(&makers, &seen);
	const struct ledger *ledger = topology ? ledger_of(&makers, topology) : NULL;
	if (ledger)
		ledger_recall(ledger, &seen);
	export_state(arena, &seen,
		     &(struct export_options){ .fresh = options->fresh,
					       .topology = options->fresh ? NULL : topology,
					       .ledger = options->fresh ? NULL : ledger,
					       .around = &around,
					       .maker = maker_of,
					       .userdata = &makers,
					       .machine_id = machine_id,
					       .queues = (uint32_t)sysconf(_SC_NPROCESSORS_CONF) },
		     &exported);
	if (exported.root)
		print(&exported, options);
	vec_done(&exported.notes);
	return good ? EXIT_DONE : EXIT_FAILED;
}

int verb_export(const struct options *options) {
	_cleanup_(arena_done) struct arena arena = {};
	const char *const *names = (const char *const *)netns_names(&arena);
	scope_list chosen = {};
	int r = EXIT_FAILED;

	if (choose(names, options, &chosen)) {
		if (chosen.n)
			r = export(&chosen, options, &arena);
		else
			complain("there are no namespaces in %s; --all exports the host", NETNS_DIR);
	}
	vec_done(&chosen);
	return r;
}
