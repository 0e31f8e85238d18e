/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Graphviz' library (libgvc), loaded when a picture is asked for: laying out a graph well is its art, and a machine that
 * draws none need not have it.
 */
#pragma once

#include <stdio.h>

/* Lays out a graph in Graphviz' language and writes it as SVG. 0; -ENOENT: the library is not installed; -EINVAL: it
 * refused the graph; -EIO: it could not write. */
int graphviz_svg(const char *dot, FILE *to);
