/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What topod changes in its own process, and restores for a command that it runs.
 */
#pragma once

/* Ignores signals that would end topod when a write can just fail. restore_process() undoes this and raise_limits(), for a
 * command. */
void ignore_signals(void);
void restore_process(void);

/* Allows as many open descriptors as possible, because a topology may need one per namespace. */
void raise_limits(void);
