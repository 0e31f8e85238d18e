/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory of a topology, /run/topod/TOPOLOGY/, with its lock, its ledger and its control socket.
 *
 * It owns paths, permissions and the order of writes, and does not know what the lines mean. The directory is in /run
 * because the ledger describes the kernel's state, and both live until the next boot.
 */
#pragma once

#include <sys/stat.h>

#include "ledger/ledger.h"

#define TOPOD_RUN_DIR "/run/topod"

/* The control socket in the directory. The holder of the lock creates it; it is removed with the directory. */
#define TOPOD_SOCKET "socket"

struct ledger_file {
	char *topology;
	int dir_fd; /* /run/topod/TOPOLOGY */
	int lock_fd;
	int fd;             /* the ledger, open for writing; -1: there is none yet */
	size_t size, lines; /* bytes and lines written, including those that later ones replace */
	bool has_secrets;   /* there is a file of former secrets */
	bool of_daemon;     /* a daemon manages the topology; closing notes that it has stopped */
	char *head;         /* the first lines of a new ledger; NULL: only the header line */
};

#define LEDGER_FILE_NONE ((struct ledger_file){ .dir_fd = -1, .lock_fd = -1, .fd = -1 })

/* Creates the directory (mode 0755), takes the lock and reads the ledger. 0 or -errno: -EPERM if the directory or its
 * parent belongs to another user or others can write to it, -ENOTDIR if one of them is a symbolic link, -EALREADY if
 * another process holds the lock (*ret_pid, 0 if unknown). Close with ledger_file_close() in any case. *ret_damaged
 * counts lines that could not be read. */
int ledger_file_open(struct ledger_file *file, const char *topology, struct ledger *ledger, pid_t *ret_pid,
		     size_t *ret_damaged);

/* Only reads the ledger, for `plan`, while a daemon may hold the lock. 0 or -errno; 0 also if there is no ledger. */
int ledger_file_read(const char *topology, struct ledger *ledger);

/* Uses the ledger's header (ledger_set_files()) for every new file from now on, and rewrites an existing file with it.
 * 0 or -errno. */
int ledger_file_set_head(struct ledger_file *file, const struct ledger *ledger);

/* Appends lines in one write(). 0 or -errno. The caller must not do what the lines announce before this has returned 0. */
int ledger_file_append(struct ledger_file *file, const char *lines, size_t size);

/* Rewrites the ledger, through a temporary file that replaces it, if most of its lines are out of date; removes it if
 * it has no entries. 0 or -errno. */
int ledger_file_compact(struct ledger_file *file, const struct ledger *ledger);

/* Recreates the directory, the lock and the ledger if somebody removed them. 0: nothing was missing; 1: recreated;
 * -EALREADY: another process has taken the lock meanwhile; other -errno. dir_fd keeps its number. */
int ledger_file_restore(struct ledger_file *file, const struct ledger *ledger);

/* Was the topology managed by a daemon that no longer runs? Also false if that cannot be read. Call it only if no daemon
 * answers for the topology. */
bool ledger_file_is_abandoned(const char *topology);

/* Closes and unlocks. With `remove`, and if there is no ledger, also removes the directory, and TOPOD_RUN_DIR after the
 * last one. 0, also if something that is not topod's keeps the directory; -errno if removing failed. */
int ledger_file_close(struct ledger_file *file, bool remove);

/* Opens the directory of a topology without creating it. *ret_fd is for reading only; the caller closes it. 0 or
 * -errno: -ENOENT if there is none, else as ledger_file_open(). */
int ledger_file_open_dir(const char *topology, int *ret_fd);

/* The ledger file of a topology. 0 or -errno. */
int ledger_file_stat(const char *topology, struct stat *ret);

/* Opens the file, beside the topologies' directories, that a topod locks while it records something that the others must
 * see. Only its owner can open it. The caller closes *ret_fd. 0 or -errno. */
int ledger_file_open_claims(int *ret_fd);

/* Calls fn with the name of each directory in TOPOD_RUN_DIR, in alphabetical order. 0 or -errno; 0 also if there is
 * none. */
int ledger_file_each(void (*fn)(void *userdata, const char *topology), void *userdata);

/* For tests: uses another directory than TOPOD_RUN_DIR. The string must outlive all calls. */
void ledger_file_set_root(const char *path);
