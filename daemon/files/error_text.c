/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "files/error_text.h"

#include "base/base.h"

const char *error_of_limit(int error) {
	switch (error) {
	case -EMFILE:
		return "topod has reached its limit of open files (LimitNOFILE= of its unit, or ulimit -n)";
	case -ENFILE:
		return "the machine has reached its limit of open files (sysctl fs.file-max)";
	case -WATCH_NO_INSTANCE:
		return "the user has reached the limit of inotify instances (sysctl fs.inotify.max_user_instances)";
	case -WATCH_NO_WATCH:
		return "the user has reached the limit of inotify watches (sysctl fs.inotify.max_user_watches)";
	case -EFBIG:
		return "a file has reached the size limit (LimitFSIZE= of topod's unit, or ulimit -f)";
	case -EXFULL: /* only br_add_if() in net/bridge/br_if.c returns it */
		return "the bridge already has 1023 ports, the maximum";
	}
	return NULL;
}

const char *error_text(int error) {
	const char *text = error_of_limit(error);

	return text ? text : strerror(-error);
}
