/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A source: how objects are read from the kernel, and how their changes are heard.
 *
 * A class has one (class->source), in its own file. A kind has another one if it reads more than its class (kind->source: a
 * vxlan's forwarding table). A source writes requests and reads messages: bytes only. It knows no socket, and no namespace
 * except the one that it is given. daemon/kernel sends, receives and joins groups, and knows no class by name.
 */
#pragma once

#include <linux/filter.h>

#include "model/class.h"
#include "model/hint.h"
#include "model/state.h"

/* A BPF filter reads numbers in network order, but messages have host order. */
#define AS_READ(number) (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap16(number) : (number))

/*
 * The scan of one namespace, as a source sees it. A source is read in rounds: dump() writes the requests of a round,
 * decode() and refused() get the answers, and finish() says whether there is another round. If a round has no requests,
 * finish() is called at once.
 */
struct source_scan {
	struct decode decode;           /* objects that are read live in its arena */
	struct ns_state *seen;          /* everything read so far, by this source and by those before it */
	const struct ns_state *desired; /* the desired state of the namespace, or NULL */
	const struct scope *scope;      /* only these objects are needed; NULL: all */
	bool everything;                /* also what is declared nowhere (an export) */
	bool connected;                 /* an rtnetlink socket is open in the namespace */
	vec(struct object *) added;     /* added by the current dump: removed if it is interrupted */
	/* For the source that is being read; zeroed before its first round. */
	void *own;       /* the source's own data */
	uint16_t family; /* the number of its generic netlink family */
	unsigned round;  /* from 0 */
	size_t request;  /* index of the current request in this round */
	bool restarted;  /* the current request was interrupted and begins again */
	/* Is an object of the class in the scope? In a whole scan: is an object of it declared or in the ledger? */
	bool (*concerns)(const struct source_scan *scan, const struct class *class);
	/* The names of links, kept beyond the scan. The source of links reports them; name NULL: forget all. */
	void (*saw_link)(struct source_scan *scan, const char *name, uint32_t ifindex, const struct mac *mac);
	void (*lost_link)(struct source_scan *scan, const char *name);
	uint32_t (*ifindex)(const struct source_scan *scan, const char *name); /* 0: not known */
};

/* An event's message, as far as it was received; the length in its header is corrected accordingly. */
struct event {
	const struct nlmsghdr *message;
	bool cut;
	struct arena *arena;
};

enum about {
	ABOUT_OTHER,   /* belongs to another source */
	ABOUT_NOTHING, /* requires no scan */
	ABOUT_UNKNOWN, /* not understood: anything in the namespace may have changed */
	ABOUT_HINT,    /* *ret is filled in */
};

struct source {
	int protocol;       /* NETLINK_ROUTE, NETLINK_NETFILTER, NETLINK_GENERIC */
	const char *family; /* NETLINK_GENERIC: the family's name; source_scan.family is its number */

	/* Hearing. */
	uint16_t first, last;            /* the types of its messages */
	const int *groups;               /* multicast groups, ended by 0; NULL: nothing is heard */
	const struct sock_fprog *filter; /* selects messages of busy groups; such a source gets its own socket */
	bool only_if_declared;           /* read and heard only if an object of it is declared */
	bool only_if_failed;             /* heard only while something has failed permanently */
	bool grouped;                    /* a datagram contains many messages (a transaction of nf_tables) */
	enum about (*about)(const struct event *event, struct hint *ret);

	/* Reading a class. Each may be NULL. */
	/* Writes the requests of a round: dumps (NLM_F_DUMP), or requests with one answer each. They are sent in
	 * this order. */
	void (*dump)(struct source_scan *scan, struct nl_writer *w);
	/* A dump begins, or begins again: the source must forget what it collected from it. */
	void (*begin)(struct source_scan *scan);
	/* Decodes a message, and adds objects with scan_add(). 0 or -errno. */
	int (*decode)(struct source_scan *scan, const struct nlmsghdr *nlh);
	/* The request failed. Returns 0 if the scan can go on, else the error. NULL: the scan fails. */
	int (*refused)(struct source_scan *scan, int error);
	/* 0: everything is read; 1: another round; or -errno. */
	int (*finish)(struct source_scan *scan);
	/* Frees memory of scan->own outside the arena; also called after a failure. */
	void (*done)(struct source_scan *scan);
	enum transport transport; /* of from_text() */
	const char *file;         /* TRANSPORT_FILE: its name in /etc/netns/NAME */
	/* For objects that are read as a text (a value of /proc/sys, a file): builds the object, sealed. wanted: the
	 * declared object, or NULL if only the ledger has it. Called only for what dump() did not find. */
	struct object *(*from_text)(struct arena *arena, const char *ns, const struct object *wanted, const char *text);

	/* Reading a kind: one dump for each declared object, after its class was read. */
	bool (*declares)(const struct object *desired); /* does it need this dump? */
	void (*ask)(const struct source_scan *scan, struct nl_writer *w, const struct object *observed);
	/* Adds a message of the dump to the object, or ignores it; NULL: the dump begins again. */
	void (*take)(struct arena *arena, struct object *observed, const struct nlmsghdr *nlh);
};

/* Adds a sealed object that was read. Returns the existing object if there is one of the same identity, else NULL. */
struct object *scan_add(struct source_scan *scan, struct object *object);
/* Removes what the current dump has added. */
void scan_forget(struct source_scan *scan);
/* An event's fixed header; NULL if it was cut off. */
const void *event_header(const struct event *event, size_t size);
