/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plan as text, for an operator who decides whether to apply it: like a diff, by namespace. An object that is created
 * is described by what the file declares; what topod fills in (marks, stable MAC addresses, "up") would only hide that.
 */
#include "kind/link.h"
#include "report/report_private.h"

/* Colours. */

static const struct {
	const char *symbol, *color;
} styles[N_ACTIONS] = {
	[ACTION_CREATE] = { "+", "\033[32m" },     [ACTION_CHANGE] = { "~", "\033[33m" },
	[ACTION_RECREATE] = { "-/+", "\033[33m" }, [ACTION_DELETE] = { "-", "\033[31m" },
	[ACTION_REFUSED] = { "!", "\033[1;31m" },  [ACTION_REPORTED] = { "!", "\033[33m" },
};

static void add_symbol(enum report_action action, bool color, struct text *out) {
	text_addf(out, "  %s%3s%s ", color ? styles[action].color : "", styles[action].symbol, color ? "\033[0m" : "");
}

static void add_title(const char *ns, bool color, struct text *out) {
	text_add(out, color ? "\033[1m" : "");
	report_clean(ns, out);
	text_addf(out, "%s\n", color ? "\033[0m" : "");
}

/* One line. */

/* Does the object's name already contain the field, like "via 10.0.0.1" in "route default via 10.0.0.1"? The name may lack a
 * prefix length. */
static bool is_in_name(const char *name, const char *shown) {
	size_t n = strcspn(shown, "/");

	for (const char *at = name; (at = memmem(at, strlen(at), shown, n)); at++)
		if ((at == name || at[-1] == ' ') && (!at[n] || strchr(" /", at[n])))
			return true;
	return false;
}

static bool is_written(const struct object *object, size_t i) {
	return object_has(object, i) && object->positions && object->positions[i].line;
}

/* Adds what the file declares about an object that is created. */
static void add_values(const struct object *object, const char *name, struct text *out) {
	for (size_t i = 0; i < object->kind->n_fields; i++) {
		bool is_value = object->kind->class->single_value;
		_cleanup_text_ struct text shown = {};

		if (!report_shows(object, i) || !(is_value || is_written(object, i)))
			continue;
		report_field(object, NULL, i, &shown);
		if (!is_in_name(name, shown.data) && !streq(shown.data, "nexthops none"))
			text_addf(out, "%s%s", is_value ? " " : ", ", shown.data);
	}
}

static void add_noun(const struct object *object, struct text *out) {
	_cleanup_text_ struct text noun = {};

	/* For links, the kind says more than "link". */
	if (object_is_link(object) && object->kind->link_kind)
		text_add(&noun, object->kind->name);
	else
		object_print_noun(object, &noun);
	report_clean(noun.data, out);
}

/* Adds the other end of a pair. */
static void add_peer(const struct object *object, struct text *out) {
	for (size_t i = 0; i < object->kind->n_fields; i++)
		if (object->kind->fields[i].flags & FIELD_PEER && object_has(object, i)) {
			text_add(out, " to ");
			field_print(&object->kind->fields[i], object, out);
		}
}

static void add_whole(const struct object *object, struct text *out) {
	_cleanup_text_ struct text name = {};

	add_noun(object, &name);
	text_add(out, text_str(&name));
	add_peer(object, out);
	add_values(object, text_str(&name), out);
}

/* What to show if none of the differing fields is shown. */
static const char *hidden_difference(const struct report_item *item) {
	for (size_t i = 0; i < item->object->kind->n_fields; i++)
		if (item->fields >> i & 1 && item->object->kind->fields[i].flags & FIELD_OPAQUE)
			return item->object->kind->diff ? "changed" : "content replaced";
	for (size_t i = 0; i < item->object->kind->n_fields; i++)
		if (item->fields >> i & 1 && item->object->kind->fields[i].flags & FIELD_ONE_WAY)
			return item->object->kind->fields[i].doc;
	return "mark restored";
}

static void add_differences(const struct report_item *item, struct text *out) {
	const struct object *object = item->object;
	const char *separator = "";

	if (!object_is_link(object)) {
		add_noun(object, out);
		separator = object->kind->class->single_value && !item->before ? " " : ": ";
	}
	for (size_t i = 0; i < object->kind->n_fields; i++) {
		if (!(item->fields >> i & 1) || !report_shows(object, i))
			continue;
		text_add(out, separator);
		report_field(object, item->before, i, out);
		separator = ", ";
	}
	if (!streq(separator, ", ") && !object->kind->class->single_value)
		text_addf(out, "%s%s", separator, hidden_difference(item));
}

/* A link that topod moved in is moved back. */
static void add_deletion(const struct report_item *item, struct text *out) {
	const struct object *noted = item->change->desired;

	if (noted && noted->kind->bare_create && noted->kind != item->object->kind)
		text_add(out, "given back to the host namespace");
	else
		add_noun(item->object, out);
}

/* The parts of an object; if it is changed, also which of them are new. */
static void add_entries(const struct report_item *item, bool color, struct text *out) {
	const struct object *object = item->object, *before = item->action == ACTION_CHANGE ? item->before : NULL;
	bool differs = before && object->kind->diff && before->kind == object->kind;
	_cleanup_text_ struct text rules = {};

	if (differs)
		object->kind->diff(object, before, &rules);
	else if (object->kind->lines)
		object->kind->lines(object, &rules);
	for (char *at = rules.data, *line; at && (line = strsep(&at, "\n")) && *line;) {
		enum report_action mark = *line == '+' ? ACTION_CREATE : ACTION_DELETE;
		bool marked = color && differs && *line != ' ';

		text_addf(out, "%s%s", differs ? "        " : "          ", marked ? styles[mark].color : "");
		report_clean(line, out);
		text_add(out, marked ? "\033[0m" : "");
		text_add(out, "\n");
	}
}

static void add_body(const struct report_item *item, struct text *out) {
	switch (item->action) {
	case ACTION_REPORTED:
		add_noun(item->object, out);
		text_add(out, " ");
		report_clean(item->change->text, out);
		return;
	case ACTION_REFUSED:
		report_refusal(item->change, out);
		return;
	case ACTION_DELETE:
		add_deletion(item, out);
		return;
	case ACTION_CHANGE:
		add_differences(item, out);
		return;
	case ACTION_CREATE:
		/* Objects that come with a new namespace are only changed (lo, a setting). */
		if (item->change->type == CHANGE_UPDATE)
			add_differences(item, out);
		else
			add_whole(item->object, out);
		return;
	case ACTION_RECREATE:
		add_whole(item->object, out);
		text_add(out, " (");
		report_reason(item, out);
		text_add(out, ")");
		return;
	case N_ACTIONS:
		break;
	}
	abort();
}

static void add_item(const struct report_item *item, bool color, struct text *out) {
	_cleanup_text_ struct text scope = {};
	const char *link = report_short_scope(item->object, &scope);

	add_symbol(item->action, color, out);
	text_addf(out, "%s%s", link, *link ? ": " : "");
	add_body(item, out);
	text_add(out, "\n");
	if (item->action != ACTION_REFUSED && item->action != ACTION_REPORTED && item->action != ACTION_DELETE)
		add_entries(item, color, out);
}

/* The whole plan. */

void report_summary_text(const struct report_summary *s, struct text *out) {
	if (!report_summary_total(s)) {
		text_add(out, "nothing to do\n");
		return;
	}
	if (report_summary_total(s) == s->n_give_up) {
		text_addf(out, "%zu to give up, nothing else to do\n", s->n_give_up);
		return;
	}
	text_addf(out, "%zu to create, %zu to change, %zu to recreate, %zu to delete", s->n_create, s->n_change,
		  s->n_recreate, s->n_delete);
	if (s->n_refused)
		text_addf(out, ", %zu refused", s->n_refused);
	if (s->n_report)
		text_addf(out, ", %zu only reported", s->n_report);
	if (s->n_give_up)
		text_addf(out, ", %zu to give up", s->n_give_up);
	text_addf(out, " in %zu namespace%s\n", s->n_namespaces, s->n_namespaces == 1 ? "" : "s");
}

static void add_left_object(const struct spared *spared, struct text *out) {
	_cleanup_text_ struct text line = {};

	object_print_scope(spared->object, &line);
	text_add(&line, ": ");
	add_noun(spared->object, &line);
	text_addf(&line, " %s", spared->why);
	text_add(out, "    = ");
	report_clean(line.data, out);
	text_add(out, "\n");
}

/* Adds objects that would be removed if other topologies did not have them, and what else is explained. */
static void add_left(const struct plan *plan, bool color, struct text *out) {
	if (!plan->spared.n && !plan->explained.n)
		return;
	add_title("left as it is", color, out);
	vec_foreach(spared, &plan->spared)
		add_left_object(spared, out);
	vec_foreach(explained, &plan->explained)
		add_left_object(explained, out);
	text_add(out, "\n");
}

void report_plan_text(const struct plan *plan, bool color, struct text *out) {
	_cleanup_(report_items_done) struct report_items items = {};
	_cleanup_text_ struct text waits = {};

	report_items_make(&items, plan);
	for (const struct report_group *group = items.groups; group; group = group->hh.next) {
		add_title(group->ns, color, out);
		for (size_t i = group->first;; i = items.list.items[i].next) {
			add_item(&items.list.items[i], color, out);
			if (!items.list.items[i].next)
				break;
		}
		text_add(out, "\n");
	}
	add_left(plan, color, out);
	struct report_summary summary = report_items_summary(&items);
	report_summary_text(&summary, out);
	report_waiting_text(plan->waiting.items, plan->waiting.n, &waits);
	if (waits.size)
		text_addf(out, "%s\n", waits.data);
}
