/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An event that deserves a line, as data, and its words.
 *
 * All words of an occurrence are made here, so that the journal, a terminal, `topod watch` and the status use the same ones.
 * This file does not know where they go.
 */
#pragma once

#include "base/text.h"
#include "model/object.h"

enum occurrence_type {
	OCCURRENCE_DRIFT_RESTORED,
	OCCURRENCE_DRIFT_REPORTED, /* drift: report */
	OCCURRENCE_DRIFT_HELD,     /* found during a pause, left until it is over */
	OCCURRENCE_DRIFT_FAILED,   /* the repair failed and is retried */
	OCCURRENCE_BACKED_OFF,     /* something keeps undoing the repair */
	OCCURRENCE_FAILING,        /* a change failed, for the first time */
	OCCURRENCE_RECOVERED,      /* an object that failed or was contested has recovered */
	OCCURRENCE_CONVERGED,      /* after a start or reload */
	OCCURRENCE_SPARED,         /* an object that would be removed stays: another topology declares it */
	OCCURRENCE_GONE,           /* an interface that somebody else moves in is missing */
	OCCURRENCE_ARRIVED,        /* … and has appeared */
	OCCURRENCE_OVERRUN,        /* events were lost, and everything is scanned; with a pause: this keeps happening */
};

enum { N_OCCURRENCE_TYPES = OCCURRENCE_OVERRUN + 1 };

enum drift_kind {
	DRIFT_MISSING,
	DRIFT_CHANGED,
	DRIFT_EXTRA,
};

/* How scope, noun and `what` become a sentence. */
enum occurrence_form {
	FORM_PREDICATE, /* "web/eth0: address 10.0.0.11/24 was removed" */
	FORM_FIELDS,    /* the words contain a subject: "web: route default: mtu was changed from 1400 to 1500" */
	FORM_ALONE,     /* the scope alone says which object: "web/eth0: mtu was changed from 1400 to 1500" */
};

/* Texts are borrowed: they are valid during the call that passes the occurrence on. */
struct occurrence {
	enum occurrence_type type;
	enum drift_kind drift; /* of drift: what is wrong */
	enum occurrence_form form;
	const char *ns;                 /* the namespace; NULL: it is about the topology */
	const char *scope;              /* "web/eth0" */
	const char *noun;               /* "address 10.0.0.11/24" */
	struct object_parts parts;      /* zeroed: it is not about an object */
	const char *what;               /* "was removed", "mtu was changed from 1400 to 1500", "is declared" */
	const char *error;              /* FAILED, FAILING: why; else NULL */
	const char *left;               /* of a lost namespace: which processes are still in it, or NULL */
	const char *opponent;           /* BACKED_OFF: what is known about the other side, or NULL */
	struct position position;       /* in the file; line 0: not known */
	const char *file;               /* the name of that file; NULL: not known */
	uint64_t latency_usec;          /* RESTORED: from the event to the acknowledged repair; CONVERGED: the whole time */
	uint64_t pause_usec;            /* FAILING, BACKED_OFF: until the next try; OVERRUN: until events are read again */
	size_t n_followers;             /* RESTORED: objects that disappeared with it and are restored too */
	size_t n_changes;               /* CONVERGED: changes made */
	size_t n_objects, n_namespaces; /* CONVERGED: declared */
	const char *waits;              /* CONVERGED: "1 address waits for a carrier", or NULL */
};

/* What all occurrences of a type have in common. */
struct occurrence_words {
	const char *event;   /* the type of the event: "drift" */
	const char *action;  /* what topod did about it, or NULL: "restored" */
	const char *counted; /* in a summary: "12 not repaired" */
	bool drift;
};

extern const struct occurrence_words occurrence_words[N_OCCURRENCE_TYPES];
/* "missing", "changed", "extra". */
const char *drift_name(enum drift_kind drift);

/* One line: "drift: web/eth0: address 10.0.0.11/24 was removed; restored in 0.6 ms". The caller frees. */
char *occurrence_text(const struct occurrence *occurrence);
/* The same without the parts that only a running daemon has: the head, the place in the file, the next try. */
char *occurrence_bare_text(const struct occurrence *occurrence);
