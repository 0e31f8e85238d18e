/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a topology's memory is kept: /run/topod/TOPOLOGY/ with the lock, the ledger and the control socket.
 *
 * It owns paths, permissions and the order of writes, and refuses to know what the lines mean. The folder is
 * in /run because the kernel's state lives exactly as long: until the next boot.
 */
#pragma once

#include <sys/stat.h>

#include "plan/ledger.h"

#define TOPOD_RUN_DIR "/run/topod"

/* In the folder; made by the one who has the lock, and removed with the folder. */
#define TOPOD_SOCKET "socket"

struct ledger_file {
	char *topology;
	int dir_fd; /* /run/topod/TOPOLOGY */
	int lock_fd;
	int fd;             /* the ledger, open for writing; -1 where there is none yet */
	size_t size, lines; /* bytes and lines written, also those that later ones replace */
	char *head;         /* with which a new ledger begins; NULL: nothing but the header is known */
};

#define LEDGER_FILE_NONE ((struct ledger_file){ .dir_fd = -1, .lock_fd = -1, .fd = -1 })

/* Makes the folder (0755; -EPERM where it or its parent is another user's or others may write to it, -ENOTDIR
 * where one is a link), takes the lock and reads the ledger. -EALREADY where another process has the lock: *ret_pid is
 * it (0: not known). 0 or -errno; closed with ledger_file_close() in any case. *ret_damaged counts lines that could not
 * be read. */
int ledger_file_open(struct ledger_file *file, const char *topology, struct ledger *ledger, pid_t *ret_pid,
		     size_t *ret_damaged);

/* Only reads (for `plan`, while a daemon may have the lock); nothing is made. 0 also where there is none. */
int ledger_file_read(const char *topology, struct ledger *ledger);

/* Takes up the ledger's header (ledger_set_files()): each new file begins with it, and one that is there is written anew.
 * 0 or -errno. */
int ledger_file_set_head(struct ledger_file *file, const struct ledger *ledger);

/* Appends lines in one write(). 0 or -errno; nothing may be done that they announce before they are written. */
int ledger_file_append(struct ledger_file *file, const char *lines, size_t size);

/* Writes the ledger anew (into a temporary file that replaces it) where much of it is out of date; removes it
 * where it is empty. 0 or -errno. */
int ledger_file_compact(struct ledger_file *file, const struct ledger *ledger);

/* Makes anew what somebody has taken away of the folder, the lock and the ledger. 0: nothing was missing; 1: it was made;
 * -EALREADY where another process has the lock by now; -errno. dir_fd stays the same number. */
int ledger_file_restore(struct ledger_file *file, const struct ledger *ledger);

/* Closes and unlocks; with remove, and where the ledger is gone, the folder is removed too, and TOPOD_RUN_DIR if
 * that was the last. 0; -errno where it could not be removed though nothing is in it that is not topod's. */
int ledger_file_close(struct ledger_file *file, bool remove);

/* The folder of a topology, as it is: *ret_fd is for reading only, the caller closes. -ENOENT where there is
 * none; errors as ledger_file_open(). */
int ledger_file_folder(const char *topology, int *ret_fd);

/* The ledger file of a topology. 0 or -errno. */
int ledger_file_stat(const char *topology, struct stat *ret);

/* The file beside the topologies' folders that is locked while one of them notes what others have to know: only whoever may be a
 * topod can open it. *ret_fd is the caller's. 0 or -errno. */
int ledger_file_open_claims(int *ret_fd);

/* Calls fn with the name of each folder in TOPOD_RUN_DIR, in alphabetical order. 0 or -errno; 0 also where there is
 * none at all. */
int ledger_file_each(void (*fn)(void *userdata, const char *topology), void *userdata);

/* For tests: another folder than TOPOD_RUN_DIR. The text must stay. */
void ledger_file_set_root(const char *path);
