/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an event says about where to scan. A hint does not state facts: an event may be old, and several events of one object
 * may arrive at once. The scan asks the kernel.
 */
#pragma once

#include "model/object.h"

enum hint_type {
	HINT_NAMESPACE,  /* anything in the namespace, or the namespace itself */
	HINT_LINK,       /* a link, and its dependents, which the change may have affected silently */
	HINT_DEPENDENTS, /* dependents of a link that came or went with a part of it (routes with an address) */
	HINT_PARTS,      /* the objects of one class that belong to a link; ifindex 0: those that belong to no link */
	HINT_DETAIL,     /* only what the link's kind reads besides the link's message (a forwarding table) */
	HINT_OBJECT,     /* one object, by its identity */
	HINT_CLASS,      /* all objects of one class */
	HINT_NEIGHBOUR,  /* a neighbour on a link is gone: the one that had the address, or any behind a bridge */
};

/* Texts and objects are valid during the call only. What the event lacks, or what was cut off, is zero or NULL. */
struct hint {
	enum hint_type type;
	const struct class *class; /* PARTS, CLASS */
	uint32_t ifindex;          /* OBJECT: the link that the object uses */
	const char *link;          /* LINK, PARTS: the link's name after the event */
	const char *alias;         /* LINK: its alias, by which topod marks its own links */
	bool down;                 /* LINK: it is down or gone, and its dependents were lost with that */
	const char *name;          /* CLASS: only the object of this name (a table); NULL: any */
	const struct object *like; /* OBJECT: sealed */
	bool precedes;             /* OBJECT: it may hide declared objects of other identities (kind->precedes()) */
	bool by_kernel; /* OBJECT: the kernel makes such objects together with others of the link, which may have changed */
	struct ip address; /* NEIGHBOUR: family 0: any */
};
