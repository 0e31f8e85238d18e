/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A case: foreign objects on the machine, two versions of a topology, and what happens afterwards. All of it follows from a
 * seed.
 *
 * A case is always made as a whole and then used without some parts: each part has a number, and what refers to a part is
 * left out with it. So a failing case is reduced by leaving out one part after another, without changing the rest.
 */
#pragma once

#include "op.h"

enum { VERSIONS = 2 };

struct part {
	int id;
	unsigned in; /* bit v: the part is in version v */
};

struct c_ns {
	struct part part;
	const char *name;
	bool adopt, exclusive;
	bool attach;       /* something else makes it, and makes it again (adopt is set too) */
	bool adopt_later;  /* adopted in version 1, although topod made it in version 0 */
	const char *drift; /* or NULL */
};

struct c_link {
	struct part part;
	struct c_ns *ns;
	const char *name, *kind; /* kind NULL: the end of a pair */
	struct c_link *peer, *lower, *bridge;
	struct part port;              /* that it is a port of the bridge */
	const char *as_port[VERSIONS]; /* its attributes as a port, or NULL */
	const char *source[VERSIONS], *id[VERSIONS], *drift;
	bool down;        /* in some version */
	bool found_later; /* `existing` in version 1, although topod made it in version 0 */
};

struct c_attribute {
	struct part part;
	struct c_link *link;
	const char *key, *value[VERSIONS];
	const char **values; /* the possible values */
	size_t n_values;
};

struct c_address {
	struct part part;
	struct c_link *link;
	const char *text, *gateway;
	const char *rest[VERSIONS]; /* more about it, or NULL */
	bool ipv6, nodad[VERSIONS], noprefixroute[VERSIONS];
	bool elsewhere; /* its peer is in another network, so that it does not reach the gateway */
};

struct c_route {
	struct part part;
	struct c_ns *ns;
	struct c_address *by, *second;
	const char *to, *metric[VERSIONS], *mtu[VERSIONS], *type;
	const char *rest[VERSIONS]; /* more about it, or NULL */
	const char *gateway;        /* not the one in the network of the address */
	size_t base;                /* … but behind that route; its index from 1; 0: none */
	bool dev, src, bare;        /* bare: without a gateway */
};

/* A setting, a NAT list or a resolv.conf: a text under a key. */
struct c_text {
	struct part part;
	struct c_ns *ns;
	struct c_link *link; /* the link of the setting, or NULL */
	const char *key, *value[VERSIONS];
	const char *const *values;
};

enum step_type {
	STEP_OP,           /* somebody does something, and the event is received */
	STEP_OP_UNHEARD,   /* … its event is lost in an overrun that is reported */
	STEP_OP_REQUEST,   /* … just before the n-th request from now */
	STEP_OP_LOOK,      /* … just after the n-th scan from now, with its event */
	STEP_WAIT,         /* n microseconds pass */
	STEP_RELOAD,       /* to version n */
	STEP_FAIL_REQUEST, /* the n-th request from now fails */
	STEP_FAIL_LOOK,    /* the n-th scan from now fails */
	STEP_CRASH,        /* topod dies at the n-th request from now, and is started again */
	STEP_RESTART,
	STEP_DIRTY, /* a hint about nothing */
	STEP_PAUSE, /* somebody does something while topod is paused */
};

struct step {
	int id;
	enum step_type type;
	struct op op;
	size_t n;
	int error;
	bool after; /* a crash: after the request was carried out */
	bool torn;  /* … and the last line of the ledger is incomplete */
};

struct c_case {
	struct arena arena;
	const char *yaml[VERSIONS]; /* written by hand: then there are no parts; else NULL */
	uint64_t seed, random;
	int n_parts;
	bool *off; /* which parts are left out; n_parts */
	bool real; /* only what the real kernel supports */
	vec(struct c_ns *) spaces;
	vec(struct c_link *) links;
	vec(struct c_attribute) attributes;
	vec(struct c_address *) addresses;
	vec(struct c_route) routes;
	vec(struct c_text) texts;
	vec(struct step) before;           /* the foreign objects, as STEP_OP */
	vec(struct step) steps;            /* what happens once version 1 was applied */
	struct step crashes[VERSIONS + 1]; /* STEP_CRASH while a version is applied, and in `down`; n 0: none */
	bool upgrade;                      /* version 0 was applied before */
	bool minimal;                      /* the versions differ in one value */
};

/* `off` NULL: all parts. The caller keeps the array. */
struct c_case *case_new(uint64_t seed, bool real, bool *off, int n_off);
void case_free(struct c_case *c);

bool case_has(const struct c_case *c, int id);

/* The topology as a file. */
char *case_yaml(const struct c_case *c, int version);

/* Prints everything, for people. */
void case_print(const struct c_case *c, struct text *out);
void step_print(const struct step *step, struct text *out);
