/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What topod changes of its own process, and puts back for a command that it runs.
 */
#pragma once

/* Ignores the signals that would end topod where a write can fail instead; restore_process() undoes that and raise_limits() for
 * a command. */
void ignore_signals(void);
void restore_process(void);

/* Allows as many open descriptors as possible, because a topology may need one per namespace. */
void raise_limits(void);
