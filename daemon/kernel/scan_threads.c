/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scan of many namespaces is divided between a few threads. Each thread has its own network namespace (setns() is per
 * thread), memory and procfs, and its results concern only the namespace that it scans. So nothing is locked, and the
 * result, including its order, is the same as with one thread.
 *
 * The threads exist for one scan. If none can be created, the calling thread scans all namespaces.
 */
#include <pthread.h>

#include "kernel/scan_private.h"

enum {
	SPARED = 16, /* fewer namespaces are not worth another thread */
	TAKEN = 4, /* namespaces taken at once: few, so that a slow one (a bridge with a thousand ports) delays no others */
};

/* The work to do. */
struct many {
	struct real_kernel *k;
	const struct scan_request *request;
	const struct scope *scopes;
	struct handle **handles;
	struct ns_state **seen;
	size_t n;
	atomic_size_t next; /* the first that is not taken yet */
};

/* One thread's share of it. */
struct share {
	struct many *many;
	pthread_t thread;
	struct arena arena;
	struct proc_sys settings;
};

/* A failure does not affect the others. */
static void scan_some(struct many *many, struct scanner *scanner, size_t from, size_t to) {
	for (size_t i = from; i < to; i++)
		if (many->seen[i]->error == 0)
			many->seen[i]->error = scan_namespace(scanner, &many->scopes[i], many->handles[i], many->seen[i]);
}

static void look_with(struct many *many, struct arena *arena, struct proc_sys *settings) {
	struct scanner scanner = { .k = many->k, .request = many->request, .arena = arena, .settings = settings };

	for (;;) {
		size_t from = atomic_fetch_add(&many->next, TAKEN);

		if (from >= many->n)
			break;
		scan_some(many, &scanner, from, MIN(from + TAKEN, many->n));
	}
	scanner_done(&scanner);
}

static void *look_in_thread(void *context) {
	struct share *share = context;

	look_with(share->many, &share->arena, &share->settings);
	proc_sys_done(&share->settings);
	return NULL;
}

/* The number of threads besides this one. */
static unsigned n_helpers(const struct many *many) {
	return many->n < SPARED ? 0 : MAX(many->k->max_threads, 1U) - 1;
}

static void divide(struct many *many, struct state *state) {
	unsigned wanted = n_helpers(many), n = 0;
	_cleanup_free_ struct share *helpers = xmalloc(wanted * sizeof(*helpers));

	for (; n < wanted; n++) {
		helpers[n] = (struct share){ .many = many, .settings = PROC_SYS_NONE };
		if (pthread_create(&helpers[n].thread, NULL, look_in_thread, &helpers[n]) != 0)
			break;
	}
	look_with(many, &state->arena, &many->k->settings);
	for (unsigned i = 0; i < n; i++) {
		pthread_join(helpers[i].thread, NULL);
		arena_join(&state->arena, &helpers[i].arena);
	}
}

void scan_all(struct real_kernel *k, const struct scan_request *request, const struct scope *scopes, size_t n,
	      struct state *state) {
	_cleanup_free_ struct handle **handles = xmalloc(n * sizeof(struct handle *));
	_cleanup_free_ struct ns_state **seen = xmalloc(n * sizeof(struct ns_state *));
	struct many many = { .k = k, .request = request, .scopes = scopes, .handles = handles, .seen = seen, .n = n };

	for (size_t i = 0; i < n; i++) {
		handles[i] = handle_get(k, scopes[i].ns);
		seen[i] = state_namespace(state, scopes[i].ns);
	}
	divide(&many, state);
}
