/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `topod graph`: draws a file, or the file of a running topology with the states that its daemon reports. common/graph says
 * what is drawn.
 */
#include <langinfo.h>
#include <locale.h>

#include "cli/daemon_client.h"
#include "cli/graphviz.h"
#include "graph/graph.h"
#include "report/report.h"
#include "run/terminal.h"
#include "verbs/verbs.h"

/* Limits of a daemon's answer: at most 100 objects that fail or drifted, and 100 that wait. */
struct health {
	struct arena arena;
	struct report_status status;
	bool running;
};

static bool is_about(const struct report_trouble *trouble, const char *scope, const char *noun) {
	return streq_ptr(trouble->scope, scope) && streq_ptr(trouble->noun, noun);
}

static enum graph_mark mark_of(void *userdata, const struct object *object) {
	const struct health *health = userdata;
	_cleanup_text_ struct text scope = {}, noun = {};

	if (!health->status.n_troubles && !health->status.n_waits)
		return GRAPH_WELL;
	object_print_scope(object, &scope);
	object_print_noun(object, &noun);
	for (size_t i = 0; i < health->status.n_troubles; i++) {
		const struct report_trouble *trouble = &health->status.failures[i];

		if (is_about(trouble, text_str(&scope), text_str(&noun)))
			return streq(trouble->state, "failing") ? GRAPH_FAILS : GRAPH_DRIFTED;
	}
	for (size_t i = 0; i < health->status.n_waits; i++)
		if (is_about(&health->status.waits[i], text_str(&scope), text_str(&noun)))
			return GRAPH_WAITS;
	return GRAPH_WELL;
}

static void print_svg(const struct graph *graph, const char *dot, bool *ret_good) {
	int r = graphviz_svg(dot, graph_dot_engine(graph), stdout);

	*ret_good = r == 0;
	if (r == -ENOENT) {
		complain("an SVG needs Graphviz' library, libgvc.so.6, which is not installed");
		hint("install it (Debian: libgvc6), or use --format dot and draw that elsewhere");
	} else if (r < 0) {
		complain("Graphviz cannot draw this: %s", strerror(-r));
	}
}

static bool print_graph(const struct graph *graph, const struct options *options) {
	const char *format = options->format ? options->format : "text";
	_cleanup_text_ struct text text = {};
	bool good = true;

	setlocale(LC_CTYPE, "");
	const struct graph_style style = { .color = color_on(options, stdout),
					   .utf8 = streq(nl_langinfo(CODESET), "UTF-8"),
					   .width = terminal_width(STDOUT_FILENO) };
	if (options->json) {
		print_json(graph_json(graph));
		return true;
	}
	if (streq(format, "text"))
		graph_text(graph, &style, &text);
	else if (streq(format, "mermaid"))
		graph_mermaid(graph, &text);
	else
		graph_dot(graph, &text);
	if (streq(format, "svg"))
		print_svg(graph, text_str(&text), &good);
	else
		fputs(text_str(&text), stdout);
	return good;
}

/* Without a daemon, or if it manages another file, there is nothing to mark. */
static void take_health(struct health *health, const struct control_answer *answer, const char *path) {
	_cleanup_free_ char *absolute = path ? spec_file_absolute(path) : NULL;

	if (answer->error ||
	    report_status_from_json(json_object_get(answer->parameters, "status"), &health->arena, &health->status) < 0)
		return;
	health->running = !absolute || streq_ptr(health->status.file, absolute);
}

static bool is_format(const char *format) {
	static const char *const formats[] = { "text", "dot", "mermaid", "svg" };

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (streq(format, formats[i]))
			return true;
	complain("--format takes text, dot, mermaid or svg, not '%s'", format);
	return false;
}

/* The file of a NAME that no daemon manages; NULL: a daemon manages it, or there is no such file. The caller frees. */
static char *file_of_service(const char *argument) {
	_cleanup_free_ char *path = spec_argument(argument), *topology = daemon_client_manager(argument);

	return topology || access(path, F_OK) < 0 ? NULL : TAKE_PTR(path);
}

int verb_graph(const struct options *options) {
	_cleanup_answer_ struct control_answer answer = {};
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};
	_cleanup_free_ char *topology = NULL, *file = NULL;
	_cleanup_graph_ struct graph graph = {};
	struct health health = {};
	const char *path = options->n_args ? options->args[0] : NULL;

	if (options->format && !is_format(options->format))
		return EXIT_USAGE;
	if (!path || !(streq(path, "-") || daemon_client_names_file(path))) {
		file = path ? file_of_service(path) : NULL;
		topology = file ? NULL : daemon_client_topology(options);
		if (!file && (!topology || !ask(topology, "Status", NULL, DAEMON_TIMEOUT_USEC, &answer)))
			return EXIT_FAILED;
		if (!file)
			take_health(&health, &answer, NULL);
		path = file ? file : health.status.file;
		if (!path) {
			complain("the daemon of '%s' does not say which file it manages", topology);
			return EXIT_FAILED;
		}
	}
	bool good = load_spec(path, SPEC_FILE_STDIN | SPEC_FILE_CHECK | LOAD_QUIET, options, &loaded);
	if (good && !topology &&
	    control_call(loaded.spec.topology, "org.topod.Status", NULL, DAEMON_TIMEOUT_USEC, &answer) == 0)
		take_health(&health, &answer, path);
	if (good) {
		graph_make(&graph, loaded.spec.topology, &loaded.spec.state,
			   health.running ? &(struct graph_marks){ &health, mark_of } : NULL);
		good = print_graph(&graph, options);
	}
	arena_done(&health.arena);
	return good ? EXIT_DONE : loaded.diags.n_errors ? EXIT_SPEC : EXIT_FAILED;
}
