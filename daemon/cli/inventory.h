/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What exists on this machine, as JSON: the topologies, and the namespaces of one, from daemons, ledgers, the kernel and
 * systemd. This is what `list` and `show` print with --json; the manual describes it.
 *
 * It changes nothing, and prints nothing.
 */
#pragma once

#include <jansson.h>

#include "model/state.h"

/* Scans namespaces as if nothing were recorded: a scan for a plan leaves out a namespace that will be removed as a whole.
 * desired: what is read in addition; topology: whose marks are recognised; everything: see struct scan_request. 0 or
 * -errno. */
int inventory_scan(const struct scope *scopes, size_t n, const struct state *desired, const char *topology, bool everything,
		   struct state *ret);

/* A list of objects:
 * {"topology", "state", "file", "pid", "unit", "unit_state", "namespaces", "objects", "failing", "waiting", "waits"}.
 * Unknown values are null. "state" is a daemon's (converged, converging, degraded), or paused, busy (it does not answer),
 * stopped (a daemon left it), applied (by `topod apply`), failed (its unit). Sets *ret_hidden if this user may not see
 * everything. The caller frees. */
json_t *inventory_topologies(bool *ret_hidden);

/* One topology:
 * {"topology", "state", "file", "pid", "troubles": [Trouble], "waits": [Trouble],
 *  "namespaces": [{"namespace", "present", "made", "error", "processes": [{"pid", "name"}],
 *                  "interfaces": [{"interface", "kind", "state", "mtu", "addresses": [TEXT], "made", "managed"}],
 *                  "others": {CLASS: NUMBER}}]}
 * In a namespace that topod did not make (host), only interfaces that it manages are listed. only: the name of one
 * namespace; NULL: all. 0 or -errno: -EACCES if this user may not see it. The caller frees *ret. */
int inventory_topology(const char *topology, const char *only, json_t **ret);
