/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/terminal.h"

#include <sys/ioctl.h>

bool terminal_takes_color(int fd) {
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fd) && !(no_color && *no_color) && !(term && streq(term, "dumb"));
}

unsigned terminal_width(int fd) {
	struct winsize size;

	return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}
