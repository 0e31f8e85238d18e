/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An implementation of the kernel's interface (daemon/kernel/kernel.h) on top of a world.
 *
 * Each change becomes a request to the world. Requests are counted, so that one of them can fail or be the last one before a
 * crash, and so that something else can happen just before it. Each is also judged: a request that changes something foreign
 * is carried out and recorded as a violation.
 */
#pragma once

#include "kernel/kernel.h"
#include "world.h"

enum { FAULT_IGNORED = 1 }; /* not an error: the request is acknowledged, and nothing is done */

struct fault {
	size_t request; /* which request, counted from 1; 0: each one about the object */
	const char *id; /* object_print_id() */
	int error;
	const char *field; /* of a link: only this field is ignored; NULL: all changes but deletions */
};

struct fake {
	struct kernel kernel;
	struct world *world;
	size_t n_crashes, n_requests, n_scans, n_partial, n_failed, n_injected;
	size_t n_again; /* requests for something that another request of the same plan changes */
	vec(struct fault) faults;
	size_t look_fault;     /* which scan fails; 0: none */
	int look_error, blind; /* blind: the error of every scan; 0: none */
	const char *elsewhere; /* the link on which the kernel makes each macvlan, whatever was requested; NULL */
	bool gave_up;          /* it gave up a namespace that it had made */
	bool holding;          /* topod is a daemon, which holds the namespaces that it made */
	const char *closed;    /* a namespace that cannot be scanned; NULL: none */
	size_t crash_at;       /* the first request that is not answered any more; 0: none */
	bool crash_after;      /* that request is still carried out */
	bool crashed;
	bool ledger_tells; /* the ledger also decides what is topod's, not only what it was seen to make */
	bool torn;         /* … and the last line of the ledger was cut off */
	const size_t *ledger_size;
	size_t size_before; /* when the last request was made */
	bool first;         /* no request was made since the ledger's last line was written */
	void *userdata;
	void (*requested)(void *userdata, size_t n);                /* just before a request; may be NULL */
	void (*judge)(void *userdata, const struct change *change); /* just before it is carried out; may be NULL */
	void (*looked)(void *userdata, size_t n);                   /* just after a scan; may be NULL */
	void (*crash)(void *userdata); /* the files are now as they will be found after the crash */
	vec(char *) made;              /* ids of what topod made; NULL: deleted again */
	vec(char *) replaced; /* ids of others' objects that are deleted to be made again at once; NULL: made again */
	struct text violations, trace;
	bool tracing;
};

/* The caller keeps the world. */
void fake_init(struct fake *fake, struct world *world);
void fake_done(struct fake *fake);

/* A full scan without any of the above. */
/* Decodes it into the namespace. */
void fake_show_raw(struct state *state, struct ns_state *seen, struct w_ns *ns, const struct w_raw *raw);
void fake_see(struct fake *fake, const struct scan_request *request, const char *ns, struct state *ret);
