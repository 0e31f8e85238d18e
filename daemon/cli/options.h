/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The options of the command line, in one table.
 *
 * A row gives an option its place in struct options, its bit, its parser and its line of `topod help`. To add an option,
 * add a row, and its bit to the verbs that take it (daemon/verbs/verbs.c).
 */
#pragma once

#include <sys/types.h>

#include "base/base.h"

enum color_choice {
	COLOR_AUTO,
	COLOR_ALWAYS,
	COLOR_NEVER,
};

/* Bit, member and its type, how the value is read (options.c), the name, the argument or NULL, the help or NULL. */
#define OPTIONS(OPTION)                                                                                                     \
	OPTION(JSON, json, bool, flag, "json", NULL, "the result as JSON")                                                  \
	OPTION(TOPOLOGY, topology, const char *, text, "topology", "NAME",                                                  \
	       "remove the topology of that name, without a file")                                                          \
	OPTION(ALL, all, bool, flag, "all", NULL, "all topologies; of export, the host too")                                \
	OPTION(FRESH, fresh, bool, flag, "fresh", NULL, "for another machine, where nothing of it exists")                  \
	OPTION(PERIODIC, periodic_usec, uint64_t, time, "periodic", "TIME",                                                 \
	       "how often to scan objects without events (30s)")                                                            \
	OPTION(FOR, for_usec, uint64_t, time, "for", "TIME", "how long, at most a day (10m)")                               \
	OPTION(WAIT, wait, const char *, wait, "wait", "[=STATE]", "wait until it is converged (default), or only settled") \
	OPTION(TIMEOUT, timeout_usec, uint64_t, time, "timeout", "TIME", "wait no longer than this")                        \
	OPTION(REPLACE, replaces, bool, flag, "replace", NULL, "accept a topology that was made from another file")         \
	OPTION(INSECURE, insecure, bool, flag, "insecure-permissions", NULL, "accept files that others can write to")       \
	OPTION(STRICT, strict, bool, flag, "strict", NULL, "warnings are errors")                                           \
	OPTION(KERNEL, kernel, bool, flag, "kernel", NULL, "also ask this kernel for what the file needs")                  \
	OPTION(EXPAND, expand, bool, flag, "expand", NULL, "print the file with ranges and the like written out")           \
	OPTION(EXPLAIN, explain, bool, flag, "explain", NULL, "also why the rest is left as it is")                         \
	OPTION(FORMAT, format, const char *, text, "format", "FORMAT", "text (default), dot, mermaid or svg")               \
	OPTION(MARKDOWN, markdown, bool, flag, "markdown", NULL, "the reference page instead")                              \
	OPTION(MAN, man, bool, flag, "man", NULL, "the manual page instead")                                                \
	OPTION(PID, pid, pid_t, pid, "pid", "PID", "the network namespace of this process")                                 \
	OPTION(USER, user, const char *, text, "user", "USER", "the user who runs the command (-u USER)")                   \
	OPTION(PROMETHEUS, prometheus, bool, flag, "prometheus", NULL, "the result as OpenMetrics, for Prometheus")         \
	OPTION(QUIET, quiet, bool, flag, "quiet", NULL, "print errors only (-q)")                                           \
	OPTION(VERBOSE, verbose, bool, flag, "verbose", NULL, "show requests to the kernel (-v)")                           \
	OPTION(INSTALL, install, bool, flag, "install", NULL, "write the drop-in instead of printing it")                   \
	OPTION(COLOR, color, enum color_choice, color, "color", "WHEN", "auto (default, obeys NO_COLOR), always or never")  \
	OPTION(HELP, help, bool, flag, "help", NULL, NULL)                                                                  \
	OPTION(VERSION, version, bool, flag, "version", NULL, NULL)

#define OPTION_INDEX(bit, ...) OPTION_INDEX_##bit,
#define OPTION_BIT(bit, ...) OPTION_##bit = 1 << OPTION_INDEX_##bit,
#define OPTION_MEMBER(bit, member, type, ...) type member;

enum option_index { OPTIONS(OPTION_INDEX) };

enum option_bit {
	OPTIONS(OPTION_BIT) OPTIONS_OF_ALL = OPTION_COLOR | OPTION_HELP | OPTION_VERSION, /* every verb takes them */
};

struct options {
	OPTIONS(OPTION_MEMBER)
	unsigned given; /* enum option_bit */
	char **args;    /* the verb and its arguments; options may be anywhere */
	size_t n_args;
	char **command; /* for verbs that run one: its words, ended by NULL; else NULL */
};

/* The verb of that name; NULL: there is none. */
typedef const struct verb *verb_finder(const char *name);

/* Reads the command line. False if it is wrong, after a message on standard error. Texts point into argv. */
bool options_parse(int argc, char **argv, verb_finder *find, struct options *ret);
/* The name of the first option in bits, "--json"; NULL: none. */
const char *option_name(unsigned bits);
/* Prints the lines of these options for `topod help`. */
void options_help(unsigned bits, FILE *to);
