/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What standard output and standard error may be connected to. */
#pragma once

#include "base/base.h"

/* Is it a terminal that shows colors, and did the user not ask for none? See https://no-color.org. */
bool terminal_takes_color(int fd);

/* The number of columns; 0: not a terminal, or unknown. */
unsigned terminal_width(int fd);
