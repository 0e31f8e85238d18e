/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/inventory.h"

#include <inttypes.h>

#include "cli/daemon_client.h"
#include "cli/unit_states.h"
#include "kernel/kernel.h"
#include "kernel/named_netns.h"
#include "kernel/processes.h"
#include "kind/link.h"
#include "report/report.h"
#include "files/ledger_file.h"
#include "session/topology.h"
#include "files/spec_file.h"

static void put(json_t *json, const char *key, json_t *value) {
	json_object_set_new(json, key, value);
}

static const char *text_in(const json_t *json, const char *key) {
	return json_string_value(json_object_get(json, key));
}

/* ---- topologies ---- */

/* A topology without a daemon that answers. */
static void describe_ledger(const char *topology, const struct ledger *ledger, json_t *entry) {
	put(entry, "state", json_string(ledger_file_is_abandoned(topology) ? "stopped" : "applied"));
	if (!ledger)
		return;
	if (ledger->files.n)
		put(entry, "file", report_json_text(ledger->files.items[0]));
	put(entry, "namespaces", json_integer((json_int_t)HASH_COUNT(ledger->namespaces)));
	put(entry, "objects", json_integer((json_int_t)ledger->n));
}

static void describe_daemon(const json_t *status, json_t *entry) {
	static const char *const copied[] = { "file", "pid", "namespaces", "objects", "failing", "waiting" };
	bool paused = json_integer_value(json_object_get(status, "paused_until_usec")) > 0;

	put(entry, "state", paused ? json_string("paused") : json_incref(json_object_get(status, "state")));
	for (size_t i = 0; i < ARRAY_SIZE(copied); i++)
		json_object_set(entry, copied[i], json_object_get(status, copied[i]));
	json_object_set(entry, "waits", json_object_get(status, "waits_text"));
}

/* Is the topology without a daemon? r: the result of the call of Status. */
static bool is_alone(int r) {
	return r == -ENOENT || r == -ECONNREFUSED;
}

/* ledger: NULL if it cannot be read; used only if no daemon manages the topology. */
static void describe(const char *topology, const struct control_answer *answer, int r, const struct ledger *ledger,
		     json_t *entry) {
	const json_t *status = r == 0 ? json_object_get(answer->parameters, "status") : NULL;

	put(entry, "topology", report_json_text(topology));
	if (is_alone(r))
		describe_ledger(topology, ledger, entry);
	else if (status)
		describe_daemon(status, entry);
	else
		put(entry, "state", json_string(r == -ETIMEDOUT ? "busy" : "running"));
}

static json_t *new_entry(void) {
	return json_pack("{s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:n}", "topology", "state", "file", "pid",
			 "unit", "unit_state", "namespaces", "objects", "failing", "waiting", "waits");
}

struct listing {
	json_t *list;
	bool hidden;
};

static void list_one(void *userdata, const char *topology) {
	struct listing *listing = userdata;
	_cleanup_(ledger_done) struct ledger ledger = {};
	_cleanup_answer_ struct control_answer answer = {};
	int r = control_call(topology, "org.topod.Status", NULL, DAEMON_TIMEOUT_USEC, &answer);
	bool known = is_alone(r) ? ledger_file_read(topology, &ledger) == 0
				 : r == -ETIMEDOUT || (r == 0 && json_object_get(answer.parameters, "status"));

	listing->hidden |= !known;
	if (is_alone(r) && known && !ledger.n) /* nothing of it is left */
		return;
	json_t *entry = new_entry();
	describe(topology, &answer, r, known ? &ledger : NULL, entry);
	json_array_append_new(listing->list, entry);
}

/* The service manages this file, see units/topod@.service.in. */
static json_t *find_file(json_t *list, const char *file, const char *instance) {
	size_t i;
	json_t *entry;

	json_array_foreach(list, i, entry) {
		const char *known = text_in(entry, "file");

		if (known ? spec_file_same(known, file) : streq_ptr(text_in(entry, "topology"), instance))
			return entry;
	}
	return NULL;
}

/* A unit that failed before it had made anything is listed, too. */
static void add_unit(void *userdata, const char *instance, const char *state) {
	struct listing *listing = userdata;
	_cleanup_free_ char *file = xasprintf(TOPOD_CONFIG_DIR "/%s.yaml", instance),
			    *unit = xasprintf("topod@%s.service", instance);
	json_t *entry = find_file(listing->list, file, instance);
	bool failed = streq(state, "failed");

	if (!entry && !failed)
		return;
	if (!entry) {
		entry = new_entry();
		put(entry, "topology", report_json_text(instance));
		put(entry, "file", report_json_text(file));
		json_array_append_new(listing->list, entry);
	}
	put(entry, "unit", report_json_text(unit));
	put(entry, "unit_state", json_string(state));
	if (failed && json_is_null(json_object_get(entry, "pid")))
		put(entry, "state", json_string("failed"));
}

json_t *inventory_topologies(bool *ret_hidden) {
	struct listing listing = { .list = json_array() };

	(void)ledger_file_each(list_one, &listing); /* on error there are none */
	unit_states_each(add_unit, &listing);
	*ret_hidden = listing.hidden;
	return listing.list;
}

/* ---- one topology ---- */

static const char *link_state(const struct link *link) {
	return !link->up ? "down" : link->no_carrier ? "no carrier" : "up";
}

static json_t *describe_link(const struct link *link, const struct ledger *ledger) {
	const struct ledger_entry *entry = ledger_find_object(ledger, &link->object);
	const char *kind = link->kind_text;

	if (!*kind)
		kind = streq(link->name, "lo") ? "loopback" : "physical"; /* the kernel has no name for either */
	return json_pack("{s:o, s:o, s:s, s:I, s:[], s:b, s:b}", "interface", report_json_text(link->name), "kind",
			 report_json_text(kind), "state", link_state(link), "mtu", (json_int_t)link->mtu, "addresses",
			 "made", entry && entry->made, "managed", entry != NULL);
}

static json_t *find_interface(json_t *interfaces, const char *name) {
	size_t i;
	json_t *entry;

	json_array_foreach(interfaces, i, entry)
		if (name && streq_ptr(text_in(entry, "interface"), name))
			return entry;
	return NULL;
}

/* An address is shown with its interface; of other classes only the number. */
static void add_object(const struct object *object, json_t *interfaces, json_t *others) {
	_cleanup_text_ struct text noun = {};
	json_t *interface = find_interface(interfaces, object_home_link(object));
	const char *class = object->kind->class->name, *address;

	object_print_noun(object, &noun);
	address = startswith(text_str(&noun), "address ");
	if (address && interface)
		json_array_append_new(json_object_get(interface, "addresses"), report_json_text(address));
	else if (!address && !object->kind->class->permanent)
		put(others, class, json_integer(json_integer_value(json_object_get(others, class)) + 1));
}

/* "eth0" of a link's entry, whose id is "web/eth0 link". */
static char *name_of_entry(const struct ledger_entry *entry) {
	const char *name = entry->id + strlen(entry->ns) + 1, *space = strrchr(name, ' ');

	return xasprintf("%.*s", (int)(space ? space - name : (ptrdiff_t)strlen(name)), name);
}

/* Objects that are in the ledger, but not in the kernel. */
static void add_missing(const struct ledger_ns *noted, json_t *interfaces) {
	for (const struct ledger_entry *entry = noted->entries; entry; entry = entry->hh.next) {
		_cleanup_free_ char *name = kind_is_link(entry->kind) ? name_of_entry(entry) : NULL;

		if (name && !find_interface(interfaces, name))
			json_array_append_new(interfaces, json_pack("{s:o, s:s, s:s, s:n, s:[], s:b, s:b}", "interface",
								    report_json_text(name), "kind", entry->kind->name,
								    "state", "missing", "mtu", "addresses", "made",
								    entry->made, "managed", true));
	}
}

static json_t *describe_namespace(const struct ns_state *ns, const struct ledger_ns *noted, const struct ledger *ledger) {
	json_t *interfaces = json_array(), *others = json_object();
	bool made = ledger_made_namespace(noted) != NULL;

	ns_foreach(o, ns)
		if (object_is_link(o) && (made || ledger_find_object(ledger, o)))
			json_array_append_new(interfaces, describe_link((const struct link *)o, ledger));
	ns_foreach(o, ns)
		if (!object_is_link(o) && !object_is_namespace(o) && !o->kernel_made &&
		    (made || ledger_find_object(ledger, o)))
			add_object(o, interfaces, others);
	if (ns->present && !ns->error)
		add_missing(noted, interfaces);
	return json_pack("{s:o, s:b, s:b, s:o, s:[], s:o, s:o}", "namespace", report_json_text(ns->name), "present",
			 ns->present, "made", made, "error", ns->error ? json_string(strerror(-ns->error)) : json_null(),
			 "processes", "interfaces", interfaces, "others", others);
}

/* ---- processes ---- */

/* inode -> the list of processes in the description of its namespace */
static bool add_process(void *userdata, int proc, int pid, uint64_t netns) {
	char inode[24];
	_cleanup_text_ struct text name = {};
	json_t *list;

	snprintf(inode, sizeof(inode), "%" PRIu64, netns);
	list = json_object_get(userdata, inode);
	if (list) {
		process_add_unit(proc, pid, &name);
		json_array_append_new(list, json_pack("{s:i, s:o}", "pid", pid, "name", report_json_text(text_str(&name))));
	}
	return true;
}

/* All namespaces in one walk. Everything runs in the host's, so that is left out. */
static void add_processes(const struct state *observed, json_t *namespaces) {
	json_t *by_inode = json_object(), *entry;
	size_t i;

	json_array_foreach(namespaces, i, entry) {
		const struct ns_state *ns = state_find(observed, text_in(entry, "namespace"));
		const struct netns *self = (const struct netns *)ns_self(ns);

		if (self && self->inode)
			json_object_set(by_inode, self->inode, json_object_get(entry, "processes"));
	}
	if (json_object_size(by_inode))
		processes_walk(add_process, by_inode);
	json_decref(by_inode);
}

/* ---- scanning ---- */

int inventory_scan(const struct scope *scopes, size_t n, const struct state *desired, const char *topology, bool everything,
		   struct state *ret) {
	const struct ledger none = {};
	const struct scan_request request = {
		.desired = desired, .ledger = &none, .topology = topology, .everything = everything
	};
	_cleanup_(kernel_freep) struct kernel *kernel = NULL;
	int r = netns_init();

	if (r == 0)
		r = real_kernel_new(&kernel);
	return r == 0 && n ? kernel->ops->observe(kernel, &request, scopes, n, ret) : r;
}

static int scan(const char *name, const struct ledger *ledger, const char *only, struct state *ret) {
	vec(struct scope) scopes = {};

	for (const struct ledger_ns *noted = ledger->namespaces; noted; noted = noted->hh.next)
		if (noted->entries && (!only || streq(noted->name, only)))
			vec_push(&scopes, (struct scope){ .ns = noted->name });
	int r = inventory_scan(scopes.items, scopes.n, &(struct state){}, name, false, ret);
	vec_done(&scopes);
	return r;
}

/* Namespaces that were never attached are in no ledger. */
static void add_awaited(const json_t *waits, const struct state *observed, const char *only, json_t *namespaces) {
	size_t i;
	json_t *wait;

	json_array_foreach(waits, i, wait) {
		const char *name = text_in(wait, "scope");

		if (streq(text_in(wait, "noun"), "namespace") && !state_find(observed, name) && (!only || streq(only, name)))
			json_array_append_new(namespaces, json_pack("{s:s, s:b, s:b, s:n, s:[], s:[], s:{}}", "namespace",
								    name, "present", false, "made", false, "error",
								    "processes", "interfaces", "others"));
	}
}

int inventory_topology(const char *topology, const char *only, json_t **ret) {
	_cleanup_(ledger_done) struct ledger ledger = {};
	_cleanup_(state_done) struct state observed = {};
	_cleanup_answer_ struct control_answer answer = {};
	json_t *entry, *namespaces;
	int r = ledger_file_read(topology, &ledger);

	if (r == 0)
		r = scan(topology, &ledger, only, &observed);
	if (r < 0)
		return r == -EPERM ? -EACCES : r;
	entry = new_entry();
	namespaces = json_array();
	r = control_call(topology, "org.topod.Status", NULL, DAEMON_TIMEOUT_USEC, &answer);
	describe(topology, &answer, r, &ledger, entry);
	state_foreach(ns, &observed)
		json_array_append_new(namespaces, describe_namespace(ns, ledger_namespace(&ledger, ns->name), &ledger));
	add_processes(&observed, namespaces);
	const json_t *status = json_object_get(answer.parameters, "status");
	add_awaited(json_object_get(status, "waits"), &observed, only, namespaces);
	*ret = json_pack("{s:O, s:O, s:O, s:O, s:O?, s:O?, s:o}", "topology", json_object_get(entry, "topology"), "state",
			 json_object_get(entry, "state"), "file", json_object_get(entry, "file"), "pid",
			 json_object_get(entry, "pid"), "troubles", json_object_get(status, "troubles"), "waits",
			 json_object_get(status, "waits"), "namespaces", namespaces);
	json_decref(entry);
	return 0;
}
