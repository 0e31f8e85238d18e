/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The topologies of specs/, which `topod init` prints. CMake generates the source file (templates.cmake). */
#pragma once

struct template {
	const char *name, *text; /* "bridge" */
};

/* In alphabetical order, ended by a NULL name. */
extern const struct template templates[];
