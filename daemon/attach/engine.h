/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks a container engine (podman, Docker) for the process of a container that already runs. Only needed at the start; from
 * then on the hook reports containers.
 */
#pragma once

#include <sys/types.h>

/* The first process of the container; 0: no engine knows it, or it does not run. Waits at most a second for an engine that
 * does not answer. */
pid_t engine_container_pid(const char *name);
