/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an event says about where to scan. It is never the truth: an event may be old, and several events of one
 * thing may come at once; the kernel is asked.
 */
#pragma once

#include "model/object.h"

enum hint_type {
	HINT_NAMESPACE,  /* anything in it, or the namespace itself */
	HINT_LINK,       /* a link, and what a change of it may do silently to what depends on it */
	HINT_DEPENDENTS, /* what depends on a link came or went with a part of it (an address, with its routes) */
	HINT_PARTS,      /* the objects of one class that belong to a link; ifindex 0: those that belong to no link */
	HINT_DETAIL,     /* what only a link's kind reads (a forwarding table), and nothing else of the link */
	HINT_OBJECT,     /* one object, by its identity */
	HINT_CLASS,      /* all objects of one class */
	HINT_NEIGHBOUR,  /* a neighbour of a link is gone: whoever had an address, or anyone behind a bridge */
};

/* Texts and objects are valid during the call. What an event left out, or what was cut off, is zero or NULL. */
struct hint {
	enum hint_type type;
	const struct class *class; /* PARTS, CLASS */
	uint32_t ifindex;          /* LINK, DEPENDENTS, PARTS, DETAIL, NEIGHBOUR; OBJECT: the link that it leads to */
	const char *link;          /* LINK, PARTS: the name that the link has by then */
	const char *alias;         /* LINK: likewise; topod marks its own by it */
	bool down;                 /* LINK: it is not up, or gone: what depended on it was lost with that */
	const char *name;          /* CLASS: only the one of this name (a table); NULL: any */
	const struct object *like; /* OBJECT: sealed */
	bool by_kernel;            /* OBJECT: the kernel makes such along with others: those of the link may have changed */
	struct ip address;         /* NEIGHBOUR: family 0: any */
};
