/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ledger only grows until it is replaced, so it has changed if its inode, size or modification time differs.
 *
 * The lock is tried without blocking, at intervals: a topod that hangs while it holds the lock must not stop the others.
 */
#include "files/other_ledgers.h"

#include <sys/file.h>
#include <time.h>

#include "files/ledger_file.h"

enum {
	LOCK_TRIES = 50,
	LOCK_PAUSE_NSEC = 10 * 1000 * 1000, /* between two tries */
};

struct other_ledger {
	char *topology;
	struct ledger ledger;
	struct stat st; /* of the file when it was read; st_ino 0: there was no file */
	bool there;     /* found by the current refresh */
};

struct refreshing {
	struct other_ledgers *others;
	const char *own;
	bool changed;
};

static struct other_ledger *find(const struct other_ledgers *others, const char *topology) {
	vec_foreach(at, &others->list) {
		struct other_ledger *other = *at;

		if (streq(other->topology, topology))
			return other;
	}
	return NULL;
}

static bool is_same(const struct stat *a, const struct stat *b) {
	return a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void refresh_one(void *userdata, const char *topology) {
	struct refreshing *refreshing = userdata;
	struct other_ledger *other = find(refreshing->others, topology);
	struct stat st = {};

	if (streq(topology, refreshing->own) || (ledger_file_stat(topology, &st) < 0 && !other))
		return;
	if (!other) {
		other = xmalloc(sizeof(*other));
		other->topology = xstrdup(topology);
		vec_push(&refreshing->others->list, other);
	}
	other->there = true;
	if (is_same(&st, &other->st))
		return;
	refreshing->changed = true;
	ledger_done(&other->ledger);
	other->ledger = (struct ledger){};
	other->st = st;
	(void)ledger_file_read(topology, &other->ledger); /* if it cannot be read, it claims nothing */
}

static void other_free(struct other_ledger *other) {
	ledger_done(&other->ledger);
	free(other->topology);
	free(other);
}

/* True if any ledger is gone. */
static bool drop_gone(struct other_ledgers *others) {
	size_t n = 0, before = others->list.n;

	for (size_t i = 0; i < others->list.n; i++)
		if (others->list.items[i]->there)
			others->list.items[n++] = others->list.items[i];
		else
			other_free(others->list.items[i]);
	others->list.n = n;
	return n != before;
}

bool other_ledgers_refresh(struct other_ledgers *others, const char *own) {
	struct refreshing refreshing = { .others = others, .own = own };

	vec_foreach(at, &others->list)
		(*at)->there = false;
	(void)ledger_file_each(refresh_one, &refreshing); /* if it fails, nobody claims anything */
	refreshing.changed |= drop_gone(others);
	vec_clear(&others->claimants);
	vec_foreach(at, &others->list)
		vec_push(&others->claimants, (struct claimant){ (*at)->topology, &(*at)->ledger });
	others->claims = (struct claims){ own, others->claimants.items, others->claimants.n };
	return refreshing.changed;
}

int other_ledgers_lock(void) {
	_cleanup_close_ int fd = -1;
	int r = ledger_file_open_claims(&fd);

	for (int i = 0; i < LOCK_TRIES && r == 0; i++) {
		if (i > 0)
			nanosleep(&(struct timespec){ .tv_nsec = LOCK_PAUSE_NSEC }, NULL);
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return TAKE_FD(fd);
	}
	return r < 0 ? r : -EWOULDBLOCK;
}

void other_ledgers_done(struct other_ledgers *others) {
	vec_foreach(at, &others->list)
		other_free(*at);
	vec_done(&others->list);
	vec_done(&others->claimants);
	*others = (struct other_ledgers){};
}
