/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One kernel setting below net.; see sysctl.c, and sysctl_value.c for what its value means. */
#pragma once

#include "model/kind.h"

extern const struct class class_sysctl;
extern const struct source source_sysctl;
extern const struct kind kind_sysctl;

struct sysctl {
	struct object object;
	const char *path;           /* below /proc/sys/: "net/ipv4/conf/eth0/rp_filter" */
	const char *dev;            /* the interface that the path speaks of, or NULL */
	const char *value;          /* as the kernel prints it, with single spaces */
	const char *before, *cause; /* only in the ledger, see ledger_settings.c */
	const char *written;        /* the path as somebody wrote it, where the value means the same there; else NULL */
};

enum sysctl_field { SYSCTL_PATH, SYSCTL_DEV, SYSCTL_VALUE, SYSCTL_BEFORE, SYSCTL_CAUSE };

/* A key as sysctl(8) writes it, to a path; NULL where it is none below net., with the reason in *ret_why. */
const char *sysctl_path(struct arena *arena, const char *key, const char **ret_why);

/* How rtnetlink speaks of a setting (struct netconfmsg). */
struct netconf {
	uint8_t family;
	uint16_t attribute;
	int32_t ifindex; /* NETCONFA_IFINDEX_ALL or _DEFAULT; 0: that of the setting's interface */
};

/* False: it does not, the setting is only a file. */
bool sysctl_netconf(const struct sysctl *sysctl, struct netconf *ret);

/* Does the kernel send an event (RTM_NEWNETCONF) when somebody changes it? */
bool sysctl_has_event(const struct sysctl *sysctl);

/* The name of the setting that `path` is another name of, or itself, and the factor between their values. */
const char *sysctl_one_name(struct arena *arena, const char *path, unsigned *ret_factor);
/* The value, times the factor, as the kernel prints it; where it cannot be one, as it is, and *ret_why is the rest of a
 * sentence, else NULL. Its white space is folded already. */
const char *sysctl_value(struct arena *arena, const char *path, const char *value, unsigned factor, const char **ret_why);
/* Is the path of that form, in which '*' stands for one part? */
bool sysctl_path_matches(const char *pattern, const char *path);

/* Why it cannot be set so, as the rest of a sentence; NULL where it can. */
const char *sysctl_problem(struct arena *arena, const char *path, const char *value);

/* Settings that a write of another one changes as well: folder/NAME/last. */
struct sysctl_reach {
	const char *folder; /* "net/ipv6/conf" */
	const char *name;   /* NULL: every interface */
	const char *last;
	const char *value; /* what they become */
	bool with_default; /* `default`, too */
};

/* What writing the setting changes besides; returns how many there are. */
unsigned sysctl_reach(struct arena *arena, const struct sysctl *written, struct sysctl_reach ret[2]);
/* Does it reach folder/name/last? */
bool sysctl_reach_has(const struct sysctl_reach *reach, const char *name);
/* The one of them that the path is of, or NULL. */
const struct sysctl_reach *sysctl_find_reach(struct arena *arena, const struct sysctl *written, const char *path,
					     struct sysctl_reach ret[2]);
/* The i-th setting that reaches this one with its own value; *ret_at_birth: only when the interface is made. NULL: no more. */
const char *sysctl_source(struct arena *arena, const char *path, unsigned i, bool *ret_at_birth);

/* A setting, sealed, under its one name and with the value as the kernel prints it. Both are copied. */
struct sysctl *sysctl_new(struct arena *arena, const char *ns, const char *path, const char *value);

/* sysctl_check.c: what settings mean for one another and for links, while the file is read; see struct kind. */
void sysctl_settle(struct reading *r, struct ns_state *ns);
void sysctl_check(struct reading *r, const struct ns_state *ns, const struct object *object);
void sysctl_check_all(struct reading *r, const struct ns_state *ns);
void sysctl_check_ipv6(struct reading *r, const struct ns_state *ns); /* sysctl_ipv6.c */

/* sysctl_meaning.c, see struct kind */
void sysctl_warn(struct meaning *m);
bool sysctl_warn_seen(const struct object *desired, const struct ns_state *ns, const struct ns_state *seen,
		      struct diags *diags);
bool sysctl_proxies(const struct object *desired, const char **ret_dev);
