/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A kernel setting below net.; see sysctl.c, and sysctl_value.c for its value. */
#pragma once

#include "model/kind.h"

extern const struct class class_sysctl;
extern const struct source source_sysctl;
/* Values of the second kind are never shown. */
extern const struct kind kind_sysctl, kind_secret_sysctl;

static inline bool kind_is_setting(const struct kind *kind) {
	return kind->class == &class_sysctl;
}

static inline bool object_is_setting(const struct object *object) {
	return kind_is_setting(object->kind);
}

/* The endings of secret settings' keys. */
#define SYSCTL_STABLE_SECRET "stable_secret"
#define SYSCTL_FASTOPEN_KEY "tcp_fastopen_key"

/* The kind of the setting with that path, under its one name. */
const struct kind *sysctl_kind(const char *path);

struct sysctl {
	struct object object;
	const char *path;           /* below /proc/sys/: "net/ipv4/conf/eth0/rp_filter" */
	const char *dev;            /* the interface in the path, or NULL */
	const char *value;          /* as the kernel prints it, with single spaces */
	const char *before, *cause; /* only in the ledger, see ledger/ledger_settings.c */
	const char *written;        /* the path as the user wrote it, if the value has the same meaning there; else NULL */
};

enum sysctl_field { SYSCTL_PATH, SYSCTL_DEV, SYSCTL_VALUE, SYSCTL_BEFORE, SYSCTL_CAUSE };

/* Converts a key as sysctl(8) writes it to a path; NULL, with the reason in *ret_why, if it is not below net. */
const char *sysctl_path(struct arena *arena, const char *key, const char **ret_why);

/* How rtnetlink names a setting (struct netconfmsg). */
struct netconf {
	uint8_t family;
	uint16_t attribute;
	int32_t ifindex; /* NETCONFA_IFINDEX_ALL or _DEFAULT; 0: the index of the setting's interface */
};

/* False: the setting exists only as a file. */
bool sysctl_netconf(const struct sysctl *sysctl, struct netconf *ret);

/* Does the kernel send an event (RTM_NEWNETCONF) when somebody changes it? */
bool sysctl_has_event(const struct sysctl *sysctl);

/* The canonical name of the setting `path`, and the factor from its value to that of the canonical name. */
const char *sysctl_one_name(struct arena *arena, const char *path, unsigned *ret_factor);
/* The value, times the factor, as the kernel prints it. If it is invalid, it is returned unchanged, and *ret_why is
 * the rest of a sentence, else NULL. White space must have been folded. */
const char *sysctl_value(struct arena *arena, const char *path, const char *value, unsigned factor, const char **ret_why);
/* Does the path match the pattern, in which '*' stands for one component? */
bool sysctl_path_matches(const char *pattern, const char *path);

/* Why the setting cannot have this value, as the rest of a sentence; NULL: it can. */
const char *sysctl_problem(struct arena *arena, const char *path, const char *value);

/* Settings that a write of another one also changes: directory/NAME/last. */
struct sysctl_reach {
	const char *directory; /* "net/ipv6/conf" */
	const char *name;      /* NULL: every interface */
	const char *last;
	const char *value; /* their value afterwards */
	bool with_default; /* including `default` */
};

/* What writing the setting also changes; returns how many entries. */
unsigned sysctl_reach(struct arena *arena, const struct sysctl *written, struct sysctl_reach ret[2]);
/* Does the entry include directory/name/last? */
bool sysctl_reach_has(const struct sysctl_reach *reach, const char *name);
/* The entry that includes the path, or NULL. */
const struct sysctl_reach *sysctl_find_reach(struct arena *arena, const struct sysctl *written, const char *path,
					     struct sysctl_reach ret[2]);
/* The i-th setting whose writing also sets this one; *ret_at_birth: its value is only copied when the interface is made.
 * NULL: there are no more. */
const char *sysctl_source(struct arena *arena, const char *path, unsigned i, bool *ret_at_birth);

/* The settings that an export reads, ended by NULL: those for which the language has a word in a namespace. */
extern const char *const sysctl_exported[];

/* A sealed setting under its canonical name, with the value as the kernel prints it. Both are copied. */
struct sysctl *sysctl_new(struct arena *arena, const char *ns, const char *path, const char *value);

/* sysctl_check.c: see struct kind. */
void sysctl_settle(struct reading *r, struct ns_state *ns);
void sysctl_check(struct reading *r, const struct ns_state *ns, const struct object *object);
void sysctl_check_all(struct reading *r, const struct ns_state *ns);
void sysctl_enable_ipv6(struct reading *r, struct ns_state *ns); /* sysctl_ipv6.c */
void sysctl_check_ipv6(struct reading *r, const struct ns_state *ns);

/* sysctl_meaning.c, see struct kind */
void sysctl_warn(struct meaning *m);
bool sysctl_warn_seen(const struct object *desired, const struct ns_state *ns, const struct ns_state *seen,
		      struct diags *diags);
bool sysctl_proxies(const struct object *desired, const char **ret_dev);
