/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A world as text, to compare its states at two moments.
 */
#include "world.h"

#include <linux/rtnetlink.h>

struct lines {
	vec(char *) list;
	const char *ns;
};

static void line(struct lines *lines, const char *format, ...) _printf_(2, 3);
static void line(struct lines *lines, const char *format, ...) {
	struct text text = {};
	va_list args;
	char *rest;

	va_start(args, format);
	if (vasprintf(&rest, format, args) < 0)
		abort();
	va_end(args);
	text_addf(&text, "%s %s\n", lines->ns, rest);
	free(rest);
	vec_push(&lines->list, text_take(&text));
}

static void dump_link(struct lines *lines, const struct w_link *link) {
	const struct link *v = link->values;
	_cleanup_text_ struct text text = {};

	for (size_t i = 0; i < v->object.kind->n_fields; i++) {
		const struct field *field = &v->object.kind->fields[i];

		if (!object_has(&v->object, i) || field->type == &type_link_ref || i == LINK_MASTER || i == LINK_ALIAS ||
		    field->class == FIELD_KEY)
			continue;
		text_addf(&text, " %s ", field->name);
		field_print(field, v, &text);
	}
	for (size_t i = 0; i < link->n_flood; i++) {
		char buf[IP_TEXT_MAX];

		text_addf(&text, " floods %s", ip_format(&link->flood[i], buf));
	}
	line(lines, "link %s: index %u kind %s%s alias '%s' master %s lower %s peer %s%s", v->name,
	     link->hardware ? 0 : link->index, v->kind_text, text_str(&text), v->alias,
	     link->master ? link->master->values->name : "-", link->lower ? link->lower->values->name : "-",
	     link->peer ? link->peer->values->name : "-", link->external ? "" : " (topod's)");
}

static void dump_address(struct lines *lines, const struct w_address *a) {
	char buf[PREFIX_TEXT_MAX], peer[PREFIX_TEXT_MAX];

	line(lines, "address %s: %s%s%s%s%s%s proto %u%s", a->link->values->name, prefix_format(&a->address, buf),
	     a->peer.address.family ? " peer " : "", a->peer.address.family ? prefix_format(&a->peer, peer) : "",
	     a->nodad ? " nodad" : "", a->noprefixroute ? " noprefixroute" : "", a->secondary ? " secondary" : "",
	     a->protocol, a->external ? "" : " (topod's)");
}

static void dump_route(struct lines *lines, const struct w_route *r) {
	char to[PREFIX_TEXT_MAX], from[PREFIX_TEXT_MAX], buf[IP_TEXT_MAX];
	_cleanup_text_ struct text hops = {};

	for (size_t i = 0; i < r->n_hops; i++)
		text_addf(&hops, " via %s dev %s weight %u", ip_format(&r->hops[i].via, buf), r->hops[i].dev->values->name,
			  r->hops[i].weight);
	for (size_t i = 0; i < ARRAY_SIZE(r->metrics); i++)
		if (r->metrics[i])
			text_addf(&hops, " metric %zu: %u", i, r->metrics[i]);
	line(lines, "route %s from %s type %u table %u metric %u pref %u scope %u proto %u src %s%s%s",
	     prefix_format(&r->to, to), prefix_format(&r->from, from), r->type, r->table, r->metric, r->preference, r->scope,
	     r->protocol, ip_format(&r->src, buf), text_str(&hops),
	     r->external || r->protocol == RTPROT_KERNEL ? "" : " (topod's)");
}

static void dump_ns(struct lines *lines, struct w_ns *ns, bool all) {
	lines->ns = ns->name ? ns->name : ns->lost_name;
	line(lines, "namespace %lu%s", (unsigned long)ns->identity.born_nsec, ns->external ? "" : " (topod's)");
	vec_foreach(at, &ns->links)
		if (all || (*at)->external)
			dump_link(lines, *at);
	vec_foreach(a, &ns->addresses)
		if (!a->made && (all || a->external))
			dump_address(lines, a);
	vec_foreach(r, &ns->routes)
		if (all || (r->external && r->protocol != RTPROT_KERNEL))
			dump_route(lines, r);
	vec_foreach(s, &ns->settings)
		if ((all || !s->link || s->link->external) && setting_initial(s->path) &&
		    !streq(s->value, setting_initial(s->path))) /* what cannot be unset stays */
			line(lines, "setting %s %s = %s", s->path, s->link ? s->link->values->name : "", s->value);
	vec_foreach(raw, &ns->raw) {
		_cleanup_text_ struct text text = {};

		if (!all && !raw->external)
			continue;
		raw_print(raw, &text);
		line(lines, "%s %s%s", raw->link ? raw->link->values->name : "", text_str(&text),
		     raw->external ? "" : " (topod's)");
	}
	if (ns->nat)
		line(lines, "nat %s", ns->nat);
}

static int compare_lines(const void *a, const void *b) {
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char *world_dump(struct world *w, bool topods_too) {
	struct lines lines = {};
	struct text text = {};

	vec_foreach(at, &w->spaces)
		if (((*at)->name || (*at)->lost_name) && (topods_too || (*at)->external))
			dump_ns(&lines, *at, topods_too);
	vec_foreach(name, &w->stale) {
		lines.ns = name->name;
		if (name->external)
			line(&lines, "a file in the place of a namespace");
	}
	vec_foreach(file, &w->files) {
		lines.ns = file->ns;
		if (topods_too || file->external)
			line(&lines, "file: %s", file->content);
	}
	if (lines.list.n)
		qsort(lines.list.items, lines.list.n, sizeof(*lines.list.items), compare_lines);
	vec_foreach(at, &lines.list) {
		text_add(&text, *at);
		free(*at);
	}
	vec_done(&lines.list);
	return text_take(&text);
}
