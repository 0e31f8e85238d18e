/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queueing disciplines: which packets leave an interface, and when. The keys `qdisc` and `impair` of an interface, and
 * `impair` of a link.
 *
 * The tree of an interface is one object with one field, its canonical text, which is a mapping of the language itself: a
 * qdisc has no identity except its place, and classes and filters have a meaning only together. The text has only values
 * that differ from the kernel's defaults, rounded as in the kernel. So the declared and the observed tree are equal if their
 * texts are.
 *
 * The kernel's default qdisc has the handle 0 and counts as no qdisc. The root that topod makes has
 * a handle from QDISC_HANDLE_FIRST on: this is topod's mark. Inside the tree handles are topod's choice.
 *
 * The files: qdisc.c (the object and its sections), qdisc_read.c (the file), qdisc_mapping.c (the language's mappings),
 * qdisc_text.c (the text), qdisc_source.c (the kernel's answers), qdisc_encode.c (requests), qdisc_filter.c (filters),
 * qdisc_kinds.c (the list of kinds) and a file for each few of them: qdisc_fifo.c, qdisc_fair.c, qdisc_rate.c, qdisc_htb.c,
 * qdisc_netem.c with qdisc_distribution.c. qdisc_police.c is about what comes in.
 */
#pragma once

#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "model/kind.h"

enum {
	QDISC_OPTIONS_MAX = 20,
	QDISC_DEPTH_MAX = 8,             /* of the kernel's own limits (check_loop(), TC_HTB_MAXDEPTH) */
	QDISC_HANDLE_FIRST = 0x54000000, /* TOPOD_PROTOCOL, as the mark of a root */
	QDISC_HANDLE_LAST = 0x54ff0000,
	QDISC_HANDLE_STEP = 0x00010000,
};

/* What an option is if it is left out. */
enum qdisc_default {
	QDISC_AS_FALLBACK,  /* field->fallback */
	QDISC_BY_MTU,       /* a frame of the link's MTU … */
	QDISC_BY_MTU_2,     /* … two of them … */
	QDISC_BY_MTU_10,    /* … ten */
	QDISC_BY_QUEUE,     /* as many packets as the link's txqueuelen … */
	QDISC_BY_QUEUE_MTU, /* … in bytes */
	QDISC_OFF,          /* the largest number */
};

struct qdisc_node;

struct qdisc_kind {
	const char *name, *anchor, *doc; /* anchor: its name in the schema */
	const struct field *options;
	size_t n_options;
	const enum qdisc_default *defaults; /* by option; NULL: all QDISC_AS_FALLBACK */
	unsigned max_children;              /* how many qdiscs `children` may list */
	bool has_classes;                   /* htb */
	bool has_filters;
	bool only_root;
	bool whole;         /* a change in place also sets options that are not known here */
	bool fixed;         /* the kernel cannot change any of its options in place … */
	uint64_t fixed_set; /* … or not these, which a change must not contain */
	/* Checks the options of the file, and computes those that depend on others. positions: by option. */
	bool (*check)(struct parse *p, struct qdisc_node *node, const struct position *positions);
	/* Rounds the options of the file as the kernel does, and converts those of the kernel to the form of the file. */
	void (*round)(struct qdisc_node *node);
	void (*show)(struct qdisc_node *node);
	/* Writes and reads TCA_OPTIONS, if that is not a nest with an attribute for each option. All options are filled in;
	 * options NULL: the kernel's message has none. False: something in them is not known here. */
	void (*put)(struct nl_writer *w, const struct qdisc_node *node);
	bool (*get)(struct qdisc_node *node, const struct nlattr *options);
};

/* A queue of an htb qdisc. */
struct qdisc_class {
	uint32_t id;
	uint64_t set;
	uint64_t values[8]; /* by enum class_option */
	bool is_default;
	struct qdisc_node *leaf;
	struct qdisc_class *classes;
	size_t n_classes;
	uint32_t parent; /* observed: the class above, or 0 */
	bool foreign;    /* observed: has something unknown */
	bool found;      /* observed: has a counterpart in what is declared */
	struct position position;
};

enum class_option { CLASS_RATE, CLASS_CEIL, CLASS_BURST, CLASS_CBURST, CLASS_PRIORITY, CLASS_QUANTUM, CLASS_N_OPTIONS };

/* A filter of the kernel. One of the file becomes two if it is for both families. */
struct qdisc_filter {
	uint8_t family; /* AF_INET, AF_INET6; AF_UNSPEC: by mark, any packet */
	uint8_t protocol;
	struct prefix source, destination; /* family 0: any */
	uint16_t source_port, port;        /* 0: any */
	struct fwmark mark;
	uint32_t class; /* the minor number */
	uint16_t priority;
	uint16_t ethertype; /* observed */
	bool foreign;       /* observed: matches something else */
	struct position position;
};

struct qdisc_child {
	uint32_t minor; /* the class in which it is declared */
	struct qdisc_node *node;
};

struct qdisc_node {
	const struct qdisc_kind *kind; /* NULL: not known here */
	const char *name;
	uint64_t set; /* options that differ from the default */
	uint64_t values[QDISC_OPTIONS_MAX];
	bool foreign; /* observed: has something unknown */
	uint32_t handle;
	uint32_t default_class; /* observed: of htb */
	struct qdisc_child *children;
	size_t n_children;
	struct qdisc_class *classes;
	size_t n_classes;
	struct qdisc_filter *filters;
	size_t n_filters;
	struct position position;
};

enum qdisc_field { QDISC_DEV, QDISC_INGRESS, QDISC_MARK, QDISC_TREE, QDISC_DISTRIBUTION, QDISC_N_FIELDS };

struct qdisc {
	struct object object;
	const char *dev;
	uint32_t ingress;
	uint32_t marked;
	const char *text;
	const char *distribution;
	struct qdisc_node *root;  /* desired: NULL if the text comes from the ledger */
	bool of_link;             /* desired: from an entry of `links` */
	uint32_t mtu, txqueuelen; /* observed: of the link; 0: not known */
};

extern const struct class class_qdisc;
extern const struct kind kind_qdisc, kind_police;
extern const struct source source_qdisc;

/* kind->lacking */
const char *qdisc_lacking(struct arena *arena, const struct refusal *refusal, const char **ret_module);

/* qdisc_kinds.c */
extern const struct qdisc_kind *const qdisc_kinds[]; /* ended by NULL */
const struct qdisc_kind *qdisc_find_kind(const char *name);
extern const struct field qdisc_class_fields[CLASS_N_OPTIONS];
enum netem_option {
	NETEM_DELAY,
	NETEM_JITTER,
	NETEM_CORRELATION,
	NETEM_DISTRIBUTION,
	NETEM_LOSS,
	NETEM_LOSS_CORRELATION,
	NETEM_DUPLICATE,
	NETEM_DUPLICATE_CORRELATION,
	NETEM_REORDER,
	NETEM_REORDER_CORRELATION,
	NETEM_GAP,
	NETEM_CORRUPT,
	NETEM_CORRUPT_CORRELATION,
	NETEM_RATE,
	NETEM_LIMIT,
	NETEM_ECN,
	NETEM_N_OPTIONS
};
extern const struct field qdisc_netem[NETEM_N_OPTIONS];
enum netem_distribution { NETEM_UNIFORM, NETEM_NORMAL, NETEM_PARETO, NETEM_PARETONORMAL };
static inline bool qdisc_is_netem(const struct qdisc_node *node) {
	return node->kind && streq(node->kind->name, "netem");
}
/* A burst as the kernel keeps it: the time that it takes at the rate, in ticks of 64 ns (PSCHED_SHIFT); and back: the smallest
 * size that takes this long, so that the same ticks follow from it. */
uint32_t qdisc_ticks(uint64_t rate, uint32_t size);
uint32_t qdisc_ticks_size(uint64_t rate, uint32_t ticks);
void qdisc_put_rate(struct tc_ratespec *spec, uint64_t rate);
/* Writes TCA_OPTIONS; all options must be filled in. */
void qdisc_put_options(struct nl_writer *w, const struct qdisc_node *whole);
/* False: something in them is not known here. */
bool qdisc_get_options(struct qdisc_node *node, const struct nlattr *options);
/* Removes the options that equal the fallback, … */
void qdisc_reduce(struct qdisc_node *node);
/* … and, of an observed node, those that are undeclared and follow from the link (mtu 0: not known), … */
void qdisc_reduce_by_link(struct qdisc_node *node, uint64_t declared, uint32_t mtu, uint32_t txqueuelen);
/* … or fills in what is left out. seen: the observed node that is to be changed; NULL: the kernel chooses what follows from
 * the link. */
struct qdisc_node qdisc_complete(const struct qdisc_node *node, const struct qdisc_node *seen, uint32_t mtu,
				 uint32_t txqueuelen);
/* The same for the options of a class; r2q: of its qdisc. A class with classes below has neither priority nor quantum. */
void qdisc_round_class(struct qdisc_class *class);
void qdisc_reduce_class(struct qdisc_class *class, uint32_t r2q);
struct qdisc_class qdisc_complete_class(const struct qdisc_class *class, uint32_t r2q);
/* In the order of their ids. */
void qdisc_sort_classes(struct qdisc_class *list, size_t n);
void qdisc_put_class(struct nl_writer *w, const struct qdisc_class *whole);
bool qdisc_get_class(struct qdisc_class *class, const struct nlattr *options);
uint32_t qdisc_r2q(const struct qdisc_node *htb);
/* The class for packets that no filter matches; 0: none. */
uint32_t qdisc_default_class(const struct qdisc_node *htb);

/* qdisc_read.c: a tree of the file; NULL after errors. In impair the mapping has only the options of netem. */
struct qdisc_node *qdisc_read(struct parse *p, const struct node *node, const struct qdisc_kind *impair);

/* qdisc_mapping.c; police_mapping: qdisc_police.c */
extern const struct mapping qdisc_mapping, impair_mapping, police_mapping;
extern const struct field qdisc_class_id, qdisc_class_default; /* keys of a class beside its options */

/* qdisc_filter.c */
enum { QDISC_FILTER_FIELDS = 8 };
extern const struct field qdisc_filter_fields[QDISC_FILTER_FIELDS];
/* Appends the kernel's filters that an entry becomes; false after errors. */
typedef vec(struct qdisc_filter) qdisc_filters;
bool qdisc_read_filter(struct parse *p, const struct node *node, qdisc_filters *filters);
void qdisc_print_filter(const struct qdisc_filter *filter, struct text *out);
void qdisc_put_filter(struct nl_writer *w, uint32_t ifindex, uint32_t parent, const struct qdisc_filter *filter);
/* False: the message is about a table of filters, not a filter. */
bool qdisc_get_filter(const struct nlmsghdr *nlh, struct qdisc_filter *ret);

/* qdisc_text.c */
const char *qdisc_text(struct arena *arena, const struct qdisc_node *root);
void qdisc_print_options(const struct qdisc_node *node, struct text *out);
/* The distributions of all netem qdiscs that have jitter, in the order of the tree; NULL: there are none. */
const char *qdisc_distributions(struct arena *arena, const struct qdisc_node *root);
/* The tree of a text that topod printed; NULL: it contains something unknown. */
struct qdisc_node *qdisc_from_text(struct arena *arena, const char *text);

const struct qdisc_class *qdisc_find_class(const struct qdisc_node *node, uint32_t id);
const struct qdisc_node *qdisc_child_at(const struct qdisc_node *node, uint32_t minor);

/* qdisc_encode.c */
int qdisc_encode(struct encode *encode, const struct change *change);
struct tcmsg *qdisc_begin(struct nl_writer *w, uint16_t type, uint16_t flags, uint32_t ifindex, uint32_t parent,
			  uint32_t handle);

/* qdisc_distribution.c: a table as netem takes it: values of a distribution with the mean 0, in units of
 * 1/NETEM_DIST_SCALE of the jitter. */
enum { NETEM_TABLE_SIZE = 2048 };
void netem_table(enum netem_distribution distribution, int16_t table[NETEM_TABLE_SIZE]);

/* qdisc_police.c: reads the policer of an ingress qdisc. message: RTM_NEWTFILTER of it, or NULL. */
struct object *police_new(struct arena *arena, const char *ns, const char *dev);
void police_take(struct object *police, const struct nlmsghdr *filter);
