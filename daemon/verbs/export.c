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

static const char *maker_of(void *userdata, const struct ns_state *ns) {
	struct makers *makers = userdata;

	vec_foreach(maker, &makers->list) {
		const struct ledger_entry *made = ledger_made_namespace(ledger_namespace(&maker->ledger, ns->name));

		if (made && ns_self(ns) && ledger_is_same(made, ns_self(ns)))
			return arena_printf(&makers->arena, "topology %s%s%s", maker->topology,
					    maker->ledger.files.n ? ", " : "",
					    maker->ledger.files.n ? maker->ledger.files.items[0] : "");
	}
	return NULL;
}

static void makers_done(struct makers *makers) {
	vec_foreach(maker, &makers->list)
		ledger_done(&maker->ledger);
	vec_done(&makers->list);
	arena_done(&makers->arena);
}

/* ---- scanning ---- */

/* Of the settings, only those that a file can declare are read. */
static int scan(const scope_list *scopes, struct state *ret) {
	_cleanup_(state_done) struct state wanted = {};

	vec_foreach(scope, scopes)
		for (const char *const *path = sysctl_exported; *path; path++)
			ns_add(state_namespace(&wanted, scope->ns),
			       &sysctl_new(&wanted.arena, scope->ns, *path, "")->object);
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
static void scan_around(const struct state *seen, struct state *ret) {
	scope_list scopes = {};

	export_each_around(seen, add_scope, &scopes);
	if (scopes.n)
		(void)scan(&scopes, ret); /* without it, the file only contains less */
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
	int r = scan(scopes, &seen);

	if (r < 0) {
		complain("cannot read the kernel's state: %s", r == -EPERM ? "only root can" : strerror(-r));
		return EXIT_FAILED;
	}
	bool good = is_complete(&seen);
	chosen_mac_read(&seen);
	scan_around(&seen, &around);
	spec_file_machine_id(machine_id);
	(void)ledger_file_each(add_maker, &makers); /* on error there are none */
	export_state(arena, &seen,
		     &(struct export_options){ .fresh = options->fresh,
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
