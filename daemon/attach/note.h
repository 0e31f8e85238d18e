/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Notes that a caller leaves in TOPOD_RUN_DIR/.attach if no daemon runs that takes the namespace: the container starts at
 * once, and the daemon takes up the note when it starts. A note cannot contain descriptors, so it counts only if its numbers
 * lead to the namespace with its cookie.
 */
#pragma once

#include "attach/attach.h"

/* Notes that the namespace of the call is to be attached under this name. 0 or -errno. */
int note_leave(const char *ns, const struct attach_call *call);
/* Removes the outdated note of the namespace. */
void note_drop(const char *ns);

/* Takes the note, if there is one and it still holds. The caller releases it with note_done(). */
bool note_take(const char *ns, struct attach_call *ret);
void note_done(struct attach_call *call);
