/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "files/accounts.h"

#include <grp.h>
#include <pwd.h>

bool find_account(const char *name, bool group, uint32_t *ret) {
	const struct group *g = group ? getgrnam(name) : NULL;
	const struct passwd *user = group ? NULL : getpwnam(name);

	if (g)
		*ret = g->gr_gid;
	if (user)
		*ret = user->pw_uid;
	return g || user;
}
