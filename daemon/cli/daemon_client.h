/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the verbs that ask a running daemon share: whom, how, and what is told where no result comes.
 */
#pragma once

#include "control/client.h"
#include "cli/verbs.h"

enum { DAEMON_TIMEOUT_USEC = 10 * 1000 * 1000 }; /* a long pass lets it wait */

/* The topology that the verb's argument means (its name, or a file: that of the daemon which keeps it, or which it
 * names), or the only one that runs. NULL where that is not clear, which was
 * told; the caller frees. */
char *daemon_client_topology(const struct options *options);

/* Calls "org.topod.METHOD" with parameters (taken over; NULL: none). True where the daemon answered with a result;
 * what else came is told. The answer is freed with control_answer_done() in any case. */
bool ask(const char *topology, const char *method, json_t *parameters, uint64_t timeout_usec, struct control_answer *ret);

/* Tells why a call did not work: r as of control_call(). */
void daemon_client_complain(const char *topology, int r);
/* Tells what a daemon's error means. */
void daemon_client_complain_error(const char *topology, const struct control_answer *answer);

/* A status for people; false where it cannot be understood, which was told. */
bool print_status(const json_t *json, const struct options *options);

/* What came of a reload or a resumption; returns the verb's exit code. */
int print_outcome(const json_t *status, const char *what, const struct options *options);
