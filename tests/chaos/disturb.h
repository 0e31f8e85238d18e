/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the parts of the disturber: the places that it disturbs, and requests to them. */
#pragma once

#include <libmnl/libmnl.h>
#include <sys/types.h>

#include "base/base.h"

/* A namespace with sockets inside, which are reopened if the namespace was recreated. */
struct place {
	const char *name; /* "host": the one that the program runs in */
	int fd, route, nft, plain;
	ino_t inode;
};

/* A link by its name; its place is one of the list. */
struct target {
	struct place *place;
	const char *link;
};

struct disturber {
	struct place *places;
	size_t n_places;
	struct target *targets;
	size_t n_targets;
	const char *topology;
	uint64_t random; /* state of the generator */
	size_t n_tried, n_done;
	struct target outage; /* our own link with a declared name, to be removed again */
};

uint32_t random_below(struct disturber *d, uint32_t n);

/* Parses words NAMESPACE:LINK, which are cut at the colon and must stay valid. False if one is wrong. */
bool read_targets(struct disturber *d, char **words, size_t n);
void disturber_done(struct disturber *d);

#define PLACE_NONE(of) ((struct place){ .name = of, .fd = -1, .route = -1, .nft = -1, .plain = -1 })

/* Opens or reopens the sockets if necessary. False if there is no such namespace now. */
bool place_ready(struct place *place);

/* One request, built by the caller in a buffer of REQUEST_SIZE; 0 or -errno. */
enum { REQUEST_SIZE = 1024 };
int place_request(const struct place *place, struct nlmsghdr *nlh);

/* Calls fn with each message of a dump. */
void place_dump(const struct place *place, uint16_t type, size_t extra, mnl_cb_t fn, void *userdata);

/* 0 if there is no such link. */
uint32_t place_ifindex(const struct place *place, const char *link);

/* Deletes an nftables table of family inet; 0 or -errno. */
int place_delete_table(const struct place *place, const char *table);

/* Writes a file below /proc/sys/net of the namespace. */
int place_write_setting(const struct place *place, const char *path, const char *value);

/* disturb_acts.c: one random act, counted. */
void act(struct disturber *d);
/* Removes the obstacle that the latest act left. */
void act_end(struct disturber *d);
/* Also removes links with a target's name and without topod's mark: topod cannot recognize ends that were moved, or whose
 * mark and MAC address were changed, and rightly leaves them alone. */
void act_clear(struct disturber *d);
