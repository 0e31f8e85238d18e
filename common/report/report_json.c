/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plans and diagnostics for programs. Keys and values are an interface: new ones may be added, existing ones not changed. */
#include "kind/link.h"
#include "report/report_private.h"

/* Plans. */

static json_t *field_value(const struct object *object, size_t i) {
	const struct field *field = &object->kind->fields[i];
	_cleanup_text_ struct text text = {};

	if (field->flags & FIELD_SECRET)
		return json_string(FIELD_HIDDEN_VALUE);
	if (field->type == &type_integer)
		return json_integer(*(const uint32_t *)field_of(field, object));
	if (field->type == &type_bool)
		return json_boolean(*(const uint32_t *)field_of(field, object));
	field_print(field, object, &text);
	/* "none" is a value of some enumerations; for all other fields it means that there is no value. */
	if (field->type != &type_enum && streq(text_str(&text), "none"))
		return json_null();
	return report_json_text(text_str(&text));
}

static json_t *field_pair(const struct object *object, const struct object *before, size_t i) {
	json_t *pair = json_object();
	bool comparable = before && before->kind == object->kind && object_has(before, i);

	report_set(pair, "from", comparable ? field_value(before, i) : json_null());
	report_set(pair, "to", field_value(object, i));
	return pair;
}

/* The fields that the item shows. */
static uint64_t shown_fields(const struct report_item *item) {
	if (item->action == ACTION_DELETE || item->action == ACTION_REFUSED || item->action == ACTION_REPORTED)
		return 0;
	if (item->action == ACTION_CHANGE)
		return item->fields;
	return item->object->set & ~item->object->returning;
}

static json_t *item_fields(const struct report_item *item) {
	uint64_t mask = shown_fields(item);
	json_t *fields = json_object();

	for (size_t i = 0; i < item->object->kind->n_fields; i++) {
		const struct field *field = &item->object->kind->fields[i];
		bool key = field->class == FIELD_KEY && !(field->flags & FIELD_HIDDEN) && item->action != ACTION_CHANGE;

		if (mask >> i & 1 && (key || report_shows(item->object, i)))
			report_set(fields, field->name, field_pair(item->object, item->before, i));
	}
	return fields;
}

static json_t *entries_json(const struct object *object) {
	_cleanup_text_ struct text rules = {};
	json_t *list = json_array();

	object->kind->lines(object, &rules);
	for (char *at = rules.data, *line; at && (line = strsep(&at, "\n")) && *line;)
		json_array_append_new(list, report_json_text(line));
	return list;
}

static void set_object(json_t *json, const struct object *object) {
	_cleanup_text_ struct text scope = {}, noun = {};

	object_print_scope(object, &scope);
	object_print_noun(object, &noun);
	struct object_parts parts = object_parts(object, text_str(&scope), text_str(&noun));
	report_set(json, "namespace", report_json_text(object->ns));
	report_set(json, "interface", report_json_text(parts.interface));
	report_set(json, "kind", json_string(parts.kind));
	report_set(json, "key", report_json_text(parts.key));
}

static json_t *item_json(const struct report_item *item) {
	static const char *const actions[N_ACTIONS] = { "create", "change", "recreate", "delete", "refused", "reported" };
	_cleanup_text_ struct text id = {}, text = {};
	json_t *json = json_object();

	object_print_id(item->object, &id);
	report_set(json, "action", json_string(actions[item->action]));
	set_object(json, item->object);
	report_set(json, "object", report_json_text(id.data));
	report_set(json, "fields", item_fields(item));
	if (item->object->kind->lines && shown_fields(item))
		report_set(json, "entries", entries_json(item->object));
	if (item->action == ACTION_RECREATE)
		report_reason(item, &text);
	if (item->action == ACTION_REFUSED)
		report_refusal(item->change, &text);
	if (item->action == ACTION_REPORTED)
		text_add(&text, item->change->text);
	if (text.size)
		report_set(json, item->action == ACTION_REFUSED ? "error" : "reason", report_json_text(text.data));
	return json;
}

static json_t *summary_json(const struct report_summary *s) {
	json_t *json = json_object();

	report_set(json, "create", json_integer((json_int_t)s->n_create));
	report_set(json, "change", json_integer((json_int_t)s->n_change));
	report_set(json, "recreate", json_integer((json_int_t)s->n_recreate));
	report_set(json, "delete", json_integer((json_int_t)s->n_delete));
	report_set(json, "refused", json_integer((json_int_t)s->n_refused));
	report_set(json, "reported", json_integer((json_int_t)s->n_report));
	report_set(json, "give_up", json_integer((json_int_t)s->n_give_up));
	report_set(json, "namespaces", json_integer((json_int_t)s->n_namespaces));
	return json;
}

static json_t *waiting_json(const struct plan *plan) {
	json_t *list = json_array();

	vec_foreach(waiting, &plan->waiting) {
		_cleanup_text_ struct text id = {};
		json_t *json;

		if (!waiting->why)
			continue;
		json = json_object();
		object_print_id(waiting->object, &id);
		set_object(json, waiting->object);
		report_set(json, "object", report_json_text(id.data));
		report_set(json, "waits", report_json_text(waiting->why));
		json_array_append_new(list, json);
	}
	return list;
}

static json_t *left_json(const struct spared *left, size_t n) {
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		_cleanup_text_ struct text id = {};
		json_t *json = json_object();

		object_print_id(left[i].object, &id);
		set_object(json, left[i].object);
		report_set(json, "object", report_json_text(id.data));
		report_set(json, "reason", report_json_text(left[i].why));
		json_array_append_new(list, json);
	}
	return list;
}

json_t *report_plan_json(const struct plan *plan, const char *topology) {
	_cleanup_(report_items_done) struct report_items items = {};
	json_t *json = json_object(), *changes = json_array();

	report_items_make(&items, plan);
	vec_foreach(item, &items.list)
		json_array_append_new(changes, item_json(item));
	struct report_summary summary = report_items_summary(&items);
	report_set(json, "topology", report_json_text(topology));
	report_set(json, "changes", changes);
	report_set(json, "waiting", waiting_json(plan));
	report_set(json, "spared", left_json(plan->spared.items, plan->spared.n));
	if (plan->explains)
		report_set(json, "explained", left_json(plan->explained.items, plan->explained.n));
	report_set(json, "summary", summary_json(&summary));
	return json;
}

/* Diagnostics. */

static json_t *diag_json(const struct diags *diags, const struct diag *diag) {
	static const char *const severities[] = {
		[SEVERITY_ERROR] = "error",
		[SEVERITY_WARNING] = "warning",
		[SEVERITY_NOTE] = "note",
	};
	bool known = diag->position.source < diags->sources.n;
	json_t *json = json_object();

	report_set(json, "severity", json_string(severities[diag->severity]));
	report_set(json, "file", report_json_text(known ? diags->sources.items[diag->position.source].name : NULL));
	report_set(json, "line", diag->position.line ? json_integer(diag->position.line) : json_null());
	report_set(json, "column", diag->position.line ? json_integer(diag->position.column) : json_null());
	report_set(json, "message", report_json_text(diag->text));
	if (diags_origin(diags, diag->position)) { /* which of the things that the text at this place stands for */
		report_set(json, "for", report_json_text(diags_origin(diags, diag->position)));
		report_set(json, "for_more", json_integer((json_int_t)diag->n_more));
	}
	return json;
}

json_t *report_check_json(const char *file, const struct diags *diags) {
	json_t *json = json_object(), *list = json_array(), *dropins = json_array();

	vec_foreach(diag, &diags->list)
		json_array_append_new(list, diag_json(diags, diag));
	for (size_t i = 1; i < diags->sources.n; i++)
		json_array_append_new(dropins, report_json_text(diags->sources.items[i].name));
	report_set(json, "file", report_json_text(file));
	report_set(json, "drop_ins", dropins);
	report_set(json, "valid", json_boolean(!diags->n_errors));
	report_set(json, "errors", json_integer((json_int_t)diags->n_errors));
	report_set(json, "warnings", json_integer((json_int_t)diags->n_warnings));
	report_set(json, "diagnostics", list);
	return json;
}
