/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/graphviz.h"

#include <dlfcn.h>

#include "base/base.h"

/* graphviz/gvc.h and graphviz/cgraph.h, as of 2.30 to 12; their structures stay opaque. */
struct library {
	void *gvc, *cgraph;
	void *(*context)(void);
	void *(*read)(const char *text);
	int (*layout)(void *context, void *graph, const char *engine);
	int (*render)(void *context, void *graph, const char *format, FILE *to);
	int (*free_layout)(void *context, void *graph);
	int (*free_context)(void *context);
	int (*close)(void *graph);
};

static bool find(void *library, const char *name, void *ret) {
	void *function = library ? dlsym(library, name) : NULL;

	memcpy(ret, &function, sizeof(function));
	return function;
}

/* The libraries stay loaded: the process ends soon. */
static bool load(struct library *l) {
	l->cgraph = dlopen("libcgraph.so.6", RTLD_NOW | RTLD_GLOBAL);
	l->gvc = dlopen("libgvc.so.6", RTLD_NOW | RTLD_GLOBAL);
	return find(l->gvc, "gvContext", &l->context) && find(l->cgraph, "agmemread", &l->read) &&
	       find(l->gvc, "gvLayout", &l->layout) && find(l->gvc, "gvRender", &l->render) &&
	       find(l->gvc, "gvFreeLayout", &l->free_layout) && find(l->gvc, "gvFreeContext", &l->free_context) &&
	       find(l->cgraph, "agclose", &l->close);
}

int graphviz_svg(const char *dot, const char *engine, FILE *to) {
	struct library l = {};
	int r = -EINVAL;

	if (!load(&l))
		return -ENOENT;
	void *context = l.context(), *graph = l.read(dot);
	if (graph && l.layout(context, graph, engine) == 0) {
		r = l.render(context, graph, "svg", to) == 0 ? 0 : -EIO;
		l.free_layout(context, graph);
	}
	if (graph)
		l.close(graph);
	l.free_context(context);
	return r;
}
