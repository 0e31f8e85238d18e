/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the verbs that ask a running daemon: which daemon the argument means, how to call it, and the messages if it
 * does not answer.
 */
#pragma once

#include "control/client.h"
#include "cli/output.h"
#include "cli/verb.h"

enum { DAEMON_TIMEOUT_USEC = 10 * 1000 * 1000 }; /* the daemon does not answer during a pass, which can be long */

/* Is the argument a file's name, rather than a topology's? */
bool daemon_client_names_file(const char *argument);

/* The topology that the argument means. A topology's name means that topology; another NAME means the file of the service,
 * TOPOD_CONFIG_DIR/NAME.yaml, if that exists. A file means the topology of the daemon that manages it, or else the name in
 * it. No argument means the only one that runs. NULL, after an error message, if that is ambiguous. The caller frees. */
char *daemon_client_topology(const struct options *options);

/* The topology of the running daemon that manages the file, or whose name is the argument; NULL, without a message, if there
 * is none. The caller frees. */
char *daemon_client_manager(const char *argument);

/* Calls "org.topod.METHOD" and takes ownership of parameters (NULL: none). True if the daemon answered with a result; else
 * an error message was printed. Free the answer with control_answer_done() in any case. */
bool ask(const char *topology, const char *method, json_t *parameters, uint64_t timeout_usec, struct control_answer *ret);

/* The same for calls that may take long: it has no time limit, and prints meanwhile what the daemon waits for. Prints no
 * error; returns what control_call() does. */
int ask_patiently(const char *topology, const char *method, const struct options *options, struct control_answer *ret);

/* Prints why a call failed; r is the result of control_call(). */
void daemon_client_complain(const char *topology, int r);
/* Did the call succeed? r is the result of control_call(). False after an error message. */
bool answered(const char *topology, int r, const struct control_answer *answer);
/* Prints what the error in the answer means. */
void daemon_client_complain_error(const char *topology, const struct control_answer *answer);

/* Prints a status as text. False, after an error message, if it cannot be parsed. */
bool print_status(const json_t *json, const struct options *options);
