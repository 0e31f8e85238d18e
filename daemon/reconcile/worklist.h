/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What to scan next: the namespaces of the desired state, what is dirty in each, and when it may be scanned.
 *
 * It keeps lists and counts, so that the cost of an event does not depend on the number of namespaces. It does not know how
 * a namespace is scanned, and about failures only whether they limit the rate of scans.
 */
#pragma once

#include "plan/plan.h"
#include "reconcile/outage.h"
#include "reconcile/scan_set.h"

struct failures;

/* What the latest scan of a namespace found to do. */
enum ns_verdict {
	NS_UNVERIFIED, /* something; or there was no scan yet */
	NS_BLOCKED,    /* only changes that need something in another namespace, which is failing there */
	NS_VERIFIED,   /* nothing */
};

struct ns_info {
	char *name;
	struct scan_set dirty; /* what the next scan covers */
	struct scan_set later; /* what the scan after that covers: objects that the one in an event may have taken along */
	uint64_t since_usec;   /* when it became dirty */
	enum ns_verdict verdict;
	/* Fully scanned, with nothing to do, since its desired state last changed: later differences are only where events were,
	 * so that parts can be scanned alone. */
	bool known;
	struct outage outage;        /* it cannot be scanned */
	size_t n_pending;            /* addresses in duplicate detection */
	vec(struct waiting) waiting; /* objects that wait for something outside topod, see waiting.h */
	uint64_t scan_again_usec;    /* while something is pending: when to scan if no event comes */
	uint64_t rest_until_usec;    /* events cause no scan before that, see worklist_rest() */
	/* During a pass: */
	size_t position;                             /* in pass.infos, from 1; 0: not in the pass */
	struct scan_set scanned;                     /* what the current scan covers */
	bool blocked;                                /* something in it needs an object that is failing elsewhere */
	size_t n_found;                              /* pending objects of this scan */
	struct ns_info *prev, *next;                 /* in worklist.dirty */
	struct ns_info *pending_prev, *pending_next; /* in worklist.pending */
	UT_hash_handle hh;
};

/* Zeroed is empty. Times are CLOCK_MONOTONIC, in microseconds. */
struct worklist {
	struct ns_info *all;     /* by name */
	struct ns_info *dirty;   /* list */
	struct ns_info *pending; /* list: those in which something is pending */
	size_t n_unverified;     /* namespaces */
	size_t n_unreachable;    /* namespaces that cannot be scanned */
	size_t n_pending;        /* addresses in duplicate detection */
	size_t n_waiting;        /* objects that wait for something outside topod … */
	size_t n_required;       /* … and those that the topology must have to be converged */
};

struct ns_info *worklist_find(const struct worklist *w, const char *ns);
/* Adds the namespace if it is not known yet. */
void worklist_add(struct worklist *w, const char *ns);
/* Removes and frees the namespace. */
void worklist_remove(struct worklist *w, struct ns_info *info);

/* The whole namespace is dirty; all of them are. */
void worklist_mark(struct worklist *w, struct ns_info *info, uint64_t now);
void worklist_mark_all(struct worklist *w, uint64_t now);
/* Call it after info->dirty or info->later has grown, … */
void worklist_grown(struct worklist *w, struct ns_info *info, uint64_t now);
/* … or shrunk: updates the list. */
void worklist_relist(struct worklist *w, struct ns_info *info);

void worklist_set_verdict(struct worklist *w, struct ns_info *info, enum ns_verdict verdict);
void worklist_set_pending(struct worklist *w, struct ns_info *info, size_t n);
/* Its scan found nothing to do but must be repeated. */
void worklist_mark_unverified(struct worklist *w, struct ns_info *info, uint64_t now);
/* Something has recovered: namespaces that are blocked by it are scanned. */
void worklist_mark_blocked(struct worklist *w, uint64_t now);

/* A scan that began at that time found nothing to do, but something in the namespace is left alone. While that is so, each
 * event asks for a scan of the whole namespace, in vain. So the next one has to wait for 100 times as long as this one took,
 * which limits scans to 1 % of the time. */
void worklist_rest(struct ns_info *info, uint64_t began, uint64_t now);
/* When the dirty namespace may be scanned; 0: at once. */
uint64_t worklist_ns_due(const struct ns_info *info, const struct failures *failures);
/* When the first of all may be scanned; UINT64_MAX: none is dirty or pending. */
uint64_t worklist_due(const struct worklist *w, const struct failures *failures);
/* All may be scanned at once again. */
void worklist_hurry(struct worklist *w);

void worklist_done(struct worklist *w);
