/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `topod init`: a commented file to start from, one of specs/. */
#include <fcntl.h>

#include "cli/table.h"
#include "cli/templates.h"
#include "verbs/verbs.h"
#include "files/text_file.h"

/* Names that people try first. */
static const struct {
	const char *name, *template;
} synonyms[] = { { "router", "routers" }, { "wireguard", "vpn" }, { "vlan", "vlans" } };

static const struct template *find(const char *name) {
	for (size_t i = 0; i < ARRAY_SIZE(synonyms); i++)
		if (streq(name, synonyms[i].name))
			name = synonyms[i].template;
	for (const struct template *t = templates; t->name; t++)
		if (streq(t->name, name))
			return t;
	return NULL;
}

/* The first sentence of the comment at its top: "# The smallest topology: two network namespaces …". */
static char *summary_of(const struct template *t) {
	struct text summary = {};
	const char *end;

	for (const char *at = t->text; startswith(at, "# "); at = *end ? end + 1 : end) {
		end = strchrnul(at, '\n');
		text_add(&summary, summary.size ? " " : "");
		text_addn(&summary, at + 2, (size_t)(end - at) - 2);
	}
	end = strstr(text_str(&summary), ". ");
	if (end)
		summary.data[end - summary.data] = '\0';
	return text_take(&summary);
}

static int list_templates(const struct options *options) {
	static const struct table_column columns[] = { { "TEMPLATE", 0 }, { "WHAT IT IS", TABLE_WORDS } };
	_cleanup_table_ struct table *table = table_new(columns, ARRAY_SIZE(columns));

	for (const struct template *t = templates; t->name; t++) {
		struct table_row *row = table_add(table, NULL);
		_cleanup_free_ char *summary = summary_of(t);

		table_set(table, row, 0, t->name, "\033[1m");
		table_set(table, row, 1, summary, NULL);
	}
	table_print(table, color_on(options, stdout));
	return EXIT_DONE;
}

static int unknown(const char *name) {
	struct suggestion meant = suggest_for(name);

	for (const struct template *t = templates; t->name; t++)
		suggest(&meant, t->name);
	complain_unknown(&meant, "there is no template '%s'", name);
	hint("`topod init` lists them");
	return EXIT_USAGE;
}

static void add_replaced(const char *text, const char *old, const char *new, struct text *out) {
	for (const char *found; (found = strstr(text, old)); text = found + strlen(old)) {
		text_addn(out, text, (size_t)(found - text));
		text_add(out, new);
	}
	text_add(out, text);
}

/* The template with the file's name instead of its own, in its comments too. */
static void adapt(const struct template *t, const char *path, struct text *out) {
	_cleanup_free_ char *topology = spec_file_topology(path);
	_cleanup_free_ char *own_file = xasprintf("%s.yaml", t->name), *own_line = xasprintf("\ntopology: %s\n", t->name);
	_cleanup_free_ char *line = xasprintf("\ntopology: %s\n", topology);
	_cleanup_text_ struct text named = {};

	add_replaced(t->text, own_line, line, &named);
	add_replaced(text_str(&named), own_file, path, out);
}

static int write_new(const char *path, const struct text *text) {
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0) {
		complain("cannot create %s: %s", path, strerror(errno));
		return EXIT_FAILED;
	}
	int r = text_file_write(fd, text_str(text), -ENOSPC);
	if (r < 0) {
		complain("cannot write %s: %s", path, strerror(-r));
		unlink(path);
		return EXIT_FAILED;
	}
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};
	bool complete = spec_file_load(path, SPEC_FILE_CHECK, &loaded) && !loaded.diags.list.n;
	/* A VPN's keys are in files that the template only names. */
	printf(complete ? "%s: written; `topod sandbox %s` tries it\n"
			: "%s: written; it needs other files, which `topod check %s` names\n",
	       path, path);
	return EXIT_DONE;
}

int verb_init(const struct options *options) {
	const struct template *t = options->n_args ? find(options->args[0]) : NULL;
	_cleanup_text_ struct text text = {};

	if (!options->n_args)
		return list_templates(options);
	if (!t)
		return unknown(options->args[0]);
	if (options->n_args == 1) {
		fputs(t->text, stdout);
		return EXIT_DONE;
	}
	adapt(t, options->args[1], &text);
	return write_new(options->args[1], &text);
}
