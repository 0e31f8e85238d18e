/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file by which container engines find topod's hook: a device topod.org/ns=NAME for each namespace with `attach`, of the
 * Container Device Interface (https://github.com/cncf-tags/container-device-interface). A device stays with its container,
 * even when a policy restarts it, and is given on the command line like any other: --device topod.org/ns=web.
 *
 * The file stays while no daemon runs, because without it such a container could not start.
 */
#pragma once

#include "model/state.h"

#define CDI_DIR "/run/cdi"
#define CDI_KIND "topod.org/ns"

/* Writes the topology's file, or removes it if nothing is declared with `attach`. 0 or -errno. */
int cdi_write(const char *topology, const struct state *desired);
int cdi_remove(const char *topology);
