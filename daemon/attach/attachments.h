/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by attach.c and source.c, and by them only. */
#pragma once

#include "attach/attach.h"
#include "attach/owner.h"
#include "base/vec.h"
#include "kind/netns.h"

struct attachment {
	char *ns;
	bool declared; /* scratch space of attachments_declare() */
	enum attach_source source;
	char *value; /* see struct attach */
	/* While it is attached: */
	char *link;  /* the target of its name; NULL: it is not attached */
	char *group; /* the control group that it belongs to, or NULL */
	struct netns_identity identity;
	struct process process;         /* the process through which it is reached; during a search, the caller */
	bool searching;                 /* searching for a process of the group in the namespace, … */
	uint64_t search_until;          /* … until this time, CLOCK_MONOTONIC in microseconds, … */
	int held;                       /* … while the name leads to this descriptor of topod's; -1: there is no name */
	struct netns_identity detached; /* detached by a call: ignored if it is found in a file again */
	int watches[2];                 /* inotify's, of the file's directory and of the one that it leads to; -1 */
};

struct attachments {
	struct attach_hooks hooks;
	char *topology;
	int epoll, timer, inotify;
	bool ticking;
	vec(struct attachment *) items;
};

/* ---- source.c ---- */

/* For a new item: takes up a namespace that already exists, and begins to watch. */
void source_begin(struct attachments *a, struct attachment *item);
/* Reads the item's file, and attaches the namespace that it leads to, if that is new. Watches the file from then on. */
void source_look(struct attachments *a, struct attachment *item);
/* Watches the directories of a file. */
void source_watch(struct attachments *a, struct attachment *item, const char *path);
/* Detaches a namespace whose path no longer leads to it, and looks again. */
void source_check(struct attachments *a, struct attachment *item);
/* Something in a watched directory may have changed. */
void source_read_events(struct attachments *a);

/* ---- attach.c ---- */

/* Identifies a namespace, and checks whether it may be attached. 0 or -errno, and then in *ret_problem a sentence that the
 * caller frees. */
int attachment_check(struct attachments *a, const struct attachment *item, int fd, struct netns_identity *ret,
		     char **ret_problem);
/* Attaches what was checked. Takes ownership of the process's pidfd. 0 or -errno; *ret_problem as above, or left alone. */
int attachment_begin(struct attachments *a, struct attachment *item, const struct netns_identity *seen, const char *link,
		     const char *group, struct process process, char **ret_problem);
void attachment_end(struct attachments *a, struct attachment *item);
/* Does its link still lead to the attached namespace? */
bool attachment_is_there(const struct attachment *item);
