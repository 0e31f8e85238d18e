/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/terminal.h"

bool terminal_takes_color(int fd) {
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fd) && !(no_color && *no_color) && !(term && streq(term, "dumb"));
}
