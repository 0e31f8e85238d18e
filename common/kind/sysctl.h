/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One kernel setting below net.; see sysctl.c. */
#pragma once

#include "model/kind.h"

struct sysctl {
	struct object object;
	const char *path;    /* below /proc/sys/: "net/ipv4/conf/eth0/rp_filter" */
	const char *dev;     /* the interface that the path speaks of, or NULL */
	const char *value;   /* white space folded to single spaces */
};

enum sysctl_field { SYSCTL_PATH, SYSCTL_DEV, SYSCTL_VALUE };

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

/* A setting, sealed. The value is copied and its white space folded. */
struct sysctl *sysctl_new(struct arena *arena, const char *ns, const char *path, const char *value);
