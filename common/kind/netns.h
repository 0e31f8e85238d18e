/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A namespace itself; see netns.c. */
#pragma once

#include "model/kind.h"
#include "model/section.h"

extern const struct class class_netns;
extern const struct kind kind_netns;

/* How topod learns of a namespace that something else makes and may make again (`attach`). */
enum attach_source {
	ATTACH_CALL,      /* the maker, or something beside it, calls the daemon */
	ATTACH_PIDFILE,   /* the value is a file with the number of a process in it */
	ATTACH_PATH,      /* … a file on which the namespace is mounted, or a link to one */
	ATTACH_UNIT,      /* … a unit of systemd, whose processes are in it */
	ATTACH_CONTAINER, /* … a container of an engine */
};

/* `attach` of a namespace, as declared. */
struct attach {
	enum attach_source source;
	const char *value; /* NULL: ATTACH_CALL */
	struct position position;
};

struct netns {
	struct object object;
	const char *inode, *born, *cookie; /* observed; see struct netns_identity */
	bool named; /* observed: its name in /run/netns refers to it; false: only a descriptor holds it */
	/* Only in the ledger, of a namespace that was attached: */
	const char *link;  /* the target of topod's symbolic link in /run/netns: "/proc/4711/ns/net" */
	const char *owner; /* the control group whose last process ends the namespace; not set: the link shows it */
	/* Desired: */
	uint32_t source;   /* enum attach_source; not set: without `attach` */
	const char *value; /* see struct attach */
};

enum netns_field {
	NETNS_INODE,
	NETNS_BORN,
	NETNS_COOKIE,
	NETNS_NAMED,
	NETNS_LINK,
	NETNS_OWNER,
	NETNS_SOURCE,
	NETNS_VALUE,
};

/* The kernel reuses an inode number soon, but never for two namespaces at the same time. The ctime does not
 * tell them apart either: if no mount and no descriptor holds a namespace, each opening makes a new inode with the same number. */
struct netns_identity {
	uint64_t inode;     /* 0: not known */
	uint64_t born_nsec; /* its ctime, which cannot be changed */
	uint64_t cookie;    /* SO_NETNS_COOKIE, which is never reused; 0: the kernel has none (before Linux 5.14) */
};

/* netns_attach.c: `attach` and `wait`, and what follows from them once the whole file is read. */
extern const struct section netns_sections[];
void netns_settle(struct reading *r, struct ns_state *ns);

/* The identity in these fields of an object or a ledger; NULL: not known. */
struct netns_identity netns_identity_read(const char *inode, const char *cookie);
/* Makes a sealed object; identity NULL: not known. */
struct object *netns_object(struct arena *arena, const char *ns, const struct netns_identity *identity);
/* Makes a desired namespace one that is attached. */
void netns_set_attach(struct object *object, const struct attach *attach);
