/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "files/error_text.h"

#include "base/base.h"

const char *error_of_limit(int error) {
	switch (error) {
	case -EMFILE:
		return "topod has as many files open as it may (LimitNOFILE= of its unit, or ulimit -n)";
	case -ENFILE:
		return "the machine has as many files open as it may (sysctl fs.file-max)";
	case -WATCH_NO_INSTANCE:
		return "the user has as many inotify instances as it may (sysctl fs.inotify.max_user_instances)";
	case -WATCH_NO_WATCH:
		return "the user watches as many folders as it may (sysctl fs.inotify.max_user_watches)";
	case -EFBIG:
		return "a file must not grow any further (LimitFSIZE= of topod's unit, or ulimit -f)";
	case -EXFULL: /* br_add_if() in net/bridge/br_if.c, and nobody else */
		return "the bridge has 1023 ports, and takes no more";
	}
	return NULL;
}

const char *error_text(int error) {
	const char *text = error_of_limit(error);

	return text ? text : strerror(-error);
}
