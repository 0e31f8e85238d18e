/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes a shell put a label before its prompt: "[web] user@host:~$ ".
 *
 * A shell's own files set its prompt, so an environment variable would be overwritten. Instead the shell gets files that
 * read the usual ones first and then change the prompt. They are in a detached tmpfs, which ends when the shell closes its
 * descriptor; that is the first thing that they do.
 */
#pragma once

#include "base/base.h"

/* Prepares the environment for this shell (a path). Returns the arguments for the shell, possibly none, ended by NULL, in
 * static memory. If the kernel has no such tmpfs (before Linux 5.2), the prompt stays as it is. */
char **prompt_prepare(const char *shell, const char *label);
