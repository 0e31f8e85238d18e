/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A source: how objects are read from the kernel, and how their changes are heard.
 *
 * A class has one (class->source), given by its own file. A kind has one besides where it reads more than its class does
 * (kind->source: a vxlan's forwarding table). A source writes requests and reads messages: bytes only. It knows no socket, and
 * no namespace but the one that it is given. daemon/kernel sends, receives and joins groups, and knows no class by name.
 */
#pragma once

#include <linux/filter.h>

#include "model/class.h"
#include "model/hint.h"
#include "model/state.h"

/*
 * The scan of one namespace, as a source sees it. A source is read in rounds: dump() writes the requests of a round, decode()
 * and refused() take the answers, finish() says whether there is another round. In a round without requests finish() is called
 * at once.
 */
struct source_scan {
	struct decode decode;           /* what is read lives in its arena */
	struct ns_state *seen;          /* what was read so far, by this source and by those before it */
	const struct ns_state *desired; /* of that namespace, or NULL */
	const struct scope *scope;      /* only these objects are needed; NULL: all there are */
	bool connected;                 /* an rtnetlink socket is open in the namespace */
	vec(struct object *) added;     /* by the dump under way: forgotten if that is interrupted */
	/* Of the source that is read; zeroed before its first round. */
	void *own;       /* what it keeps */
	uint16_t family; /* of generic netlink: its number */
	unsigned round;  /* from 0 */
	size_t request;  /* index of the request of this round that is under way */
	bool restarted;  /* that was interrupted, and begins again */
	/* Is something of the class in the scope; of a whole scan: is it declared or in the ledger? */
	bool (*concerns)(const struct source_scan *scan, const struct class *class);
	/* What links are called, which outlives the scan. Told by the source of links; name NULL: nothing is known any more. */
	void (*saw_link)(struct source_scan *scan, const char *name, uint32_t ifindex, const struct mac *mac);
	void (*lost_link)(struct source_scan *scan, const char *name);
	uint32_t (*ifindex)(const struct source_scan *scan, const char *name); /* 0: not known */
};

/* An event's message, as far as it was received: the length in its header is corrected to that. */
struct event {
	const struct nlmsghdr *message;
	bool cut;
	struct arena *arena;
};

enum about {
	ABOUT_OTHER,   /* of another source */
	ABOUT_NOTHING, /* asks for no scan */
	ABOUT_UNKNOWN, /* not understood: anything in the namespace may have changed */
	ABOUT_HINT,    /* *ret is filled in */
};

struct source {
	int protocol;       /* NETLINK_ROUTE, NETLINK_NETFILTER, NETLINK_GENERIC */
	const char *family; /* NETLINK_GENERIC: by name; source_scan.family is its number */

	/* Hearing. */
	uint16_t first, last; /* the types of its messages */
	const int *groups;    /* multicast groups, ended by 0; NULL: nothing is heard */
	const struct sock_fprog
		*filter;       /* lets through what is wanted of busy groups; such a source has a socket of its own */
	bool only_if_declared; /* read and heard only where something of it is declared */
	bool only_if_failed;   /* heard only while something has failed for good */
	bool grouped;          /* a datagram has many messages, as a transaction of nf_tables */
	enum about (*about)(const struct event *event, struct hint *ret);

	/* Reading, of a class. Each may be NULL. */
	/* Writes the requests of a round: NLM_F_DUMP, or such with one answer each. They are sent in their order. */
	void (*dump)(struct source_scan *scan, struct nl_writer *w);
	/* A dump begins, or begins again: what the source itself has noted of it is to be forgotten. */
	void (*begin)(struct source_scan *scan);
	/* Takes a message; objects go to scan_add(). 0 or -errno. */
	int (*decode)(struct source_scan *scan, const struct nlmsghdr *nlh);
	/* The request failed. 0 where that is no failure of the scan, else error. NULL: it is one. */
	int (*refused)(struct source_scan *scan, int error);
	/* 0: all is read; 1: another round; -errno. */
	int (*finish)(struct source_scan *scan);
	/* Frees what scan->own has outside the arena; called also after a failure. */
	void (*done)(struct source_scan *scan);
	enum transport transport; /* of texts */
	/* What is read as a text, by a transport: a value of /proc/sys, a file. wanted: the declared object, or NULL where
	 * nothing is declared but something is in the ledger. Asked only for what dump() did not find. Sealed. */
	struct object *(*from_text)(struct arena *arena, const char *ns, const struct object *wanted, const char *text);

	/* Reading, of a kind: one dump for each declared object, once its class was read. */
	bool (*declares)(const struct object *desired); /* is there more to read? */
	void (*ask)(const struct source_scan *scan, struct nl_writer *w, const struct object *observed);
	/* Takes a message of the dump, or of another one, into the object; NULL begins anew. */
	void (*take)(struct arena *arena, struct object *observed, const struct nlmsghdr *nlh);
};

/* Adds a sealed object that was read; the one of its identity that is there already, else NULL. */
struct object *scan_add(struct source_scan *scan, struct object *object);
/* Takes out what the current dump has added. */
void scan_forget(struct source_scan *scan);
/* An event's fixed header; NULL where it was cut off before its end. */
const void *event_header(const struct event *event, size_t size);
