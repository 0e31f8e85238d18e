/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Graphviz' library (libgvc), which lays out graphs. It is loaded only when a picture is requested, so machines that draw
 * none do not need it.
 */
#pragma once

#include <stdio.h>

/* Lays out a graph in Graphviz' language with an engine ("dot", "sfdp") and writes it as SVG. 0; -ENOENT: the library is not
 * installed; -EINVAL: it refused the graph; -EIO: it could not write. */
int graphviz_svg(const char *dot, const char *engine, FILE *to);
