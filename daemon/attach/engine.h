/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking a container engine (podman, Docker) for the process of a container that runs already. Only at a start: from then on
 * the hook tells.
 */
#pragma once

#include <sys/types.h>

/* The first process of the container; 0: no engine knows it, or it does not run. Takes a second at most for an engine that
 * does not answer. */
pid_t engine_container_pid(const char *name);
