/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel as the reconciler knows it (daemon/kernel/kernel.h), made of a world.
 *
 * Each change becomes a request to the world. Requests are counted, so that one can be made to fail, or be the last
 * before a crash, or something else can happen just before it. And each is judged: one that would change what is
 * foreign is carried out and noted as a violation.
 */
#pragma once

#include "kernel/kernel.h"
#include "world.h"

enum { FAULT_IGNORED = 1 }; /* no error: it is acknowledged, and nothing is done */

struct fault {
	size_t request; /* which one, counted from 1; 0: each that is about the object */
	const char *id; /* object_print_id() */
	int error;
	const char *field; /* of a link: only this one is ignored; NULL: all but deletions */
};

struct fake {
	struct kernel kernel;
	struct world *world;
	size_t n_crashes, n_requests, n_scans, n_partial, n_failed, n_injected;
	size_t n_again; /* requests for what another one of the same plan overruns */
	vec(struct fault) faults;
	size_t look_fault;     /* which look fails; 0: none */
	int look_error, blind; /* blind: with which each look fails; 0: none */
	const char *elsewhere; /* the link upon which the kernel makes each macvlan, whatever was asked for; NULL */
	bool gave_up;          /* a namespace that topod had made */
	bool holding;          /* a daemon, which holds the namespaces that topod made */
	const char *closed;    /* a namespace that cannot be looked at; NULL: none */
	size_t crash_at;       /* the request that is not answered any more; 0: none */
	bool crash_after;      /* it was carried out, though */
	bool crashed;
	bool ledger_tells; /* what is topod's: more than it was seen to make */
	bool torn;         /* … and the last line of the ledger was cut off */
	const size_t *ledger_size;
	size_t size_before; /* when the last request was made */
	bool first;         /* no request was made since the ledger's last line was written */
	void *userdata;
	void (*requested)(void *userdata, size_t n);                /* just before a request; may be NULL */
	void (*judge)(void *userdata, const struct change *change); /* just before it is carried out; may be NULL */
	void (*looked)(void *userdata, size_t n);                   /* just after a look was taken; may be NULL */
	void (*crash)(void *userdata);                              /* the machine's files are as they will be found */
	vec(char *) made;     /* ids of what topod has made, and not deleted; NULL: deleted */
	vec(char *) replaced; /* ids of what was somebody else's, and is deleted to be made again at once; NULL: it is */
	struct text violations, trace;
	bool tracing;
};

/* The world stays the caller's. */
void fake_init(struct fake *fake, struct world *world);
void fake_done(struct fake *fake);

/* A whole look without any of the above. */
void fake_see(struct fake *fake, const struct scan_request *look, const char *ns, struct state *ret);
