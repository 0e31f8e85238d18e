/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs of the command line, one file each. To add one, write its file, its row in verbs.c and its line here.
 *
 * Each returns its exit status.
 */
#pragma once

#include "cli/output.h"
#include "cli/spec_argument.h"
#include "cli/verb.h"
#include "session/topology.h"

/* Ended by a NULL name. */
extern const struct verb verbs[];
const struct verb *verb_find(const char *name);
/* The usage of topod, or of one verb. */
void verbs_help(FILE *to);
void verb_help(const struct verb *verb, FILE *to);

int verb_run(const struct options *options);
int verb_check(const struct options *options);
int verb_plan(const struct options *options);
int verb_apply(const struct options *options);
int verb_down(const struct options *options);
int verb_status(const struct options *options);
int verb_reload(const struct options *options);
int verb_pause(const struct options *options);
int verb_resume(const struct options *options);
int verb_attach(const struct options *options);
int verb_detach(const struct options *options);
int verb_watch(const struct options *options);
int verb_graph(const struct options *options);
int verb_edit(const struct options *options);
int verb_unit(const struct options *options);
int verb_doctor(const struct options *options);
int verb_export(const struct options *options);
int verb_list(const struct options *options);
int verb_show(const struct options *options);
int verb_init(const struct options *options);
int verb_version(const struct options *options);
int verb_sandbox(const struct options *options);
int verb_exec(const struct options *options);
int verb_schema(const struct options *options);

/* Shows the plan of a loaded spec, which is taken. replaces: it may have another file than before. Returns the exit code. */
int plan_loaded(struct loaded_spec *loaded, bool replaces, const struct options *options);
/* Prints the diagnostics of a file that a daemon refused. Returns the exit code. */
int print_refused(const char *topology, const json_t *parameters, const struct options *options);
/* Applies a spec, as `apply` does, but prints only what goes wrong. Returns the exit code. */
int apply_quietly(struct loaded_spec *loaded, const struct options *options);

/* The program under other names: a hook of a container's runtime and a runtime (oci_hook.c). */
int oci_hook(int argc, char **argv);
int oci_runtime(int argc, char **argv);
/* What `topod attach` does, for a process, or for a file on which a namespace is mounted; quiet: prints only problems. */
int attach_process(const char *ns, pid_t pid, bool quiet);
int attach_path(const char *ns, const char *path);
void detach_if_attached(const char *ns);

/* Prints the result of a reload or a resume, and returns the verb's exit code. */
int print_outcome(const json_t *status, const char *what, const struct options *options);
