/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of verbs, help, and the verbs about topod itself: `schema` and `version`. */
#include "language/schema.h"
#include "verbs/verbs.h"

const struct verb verbs[] = {
	{ "run", "SPEC", "keep the topology as the file says, in the foreground",
	  "Makes what is missing, verifies it (then READY=1 to systemd), watches and repairs. SIGHUP reads the file "
	  "again and applies the difference; an invalid file changes nothing. SIGTERM and SIGINT stop it and leave the "
	  "network as it is, or remove it (on-stop: remove); SIGUSR1 always leaves it, for another topod to continue.",
	  OPTION_PERIODIC | OPTION_INSECURE | OPTION_REPLACE | OPTION_VERBOSE, 1, 1, verb_run },
	{ "check", "SPEC…", "validate files; needs no privileges and changes nothing",
	  "Prints all errors and warnings of all files with their positions. SPEC may be - for standard input. The "
	  "drop-ins of a file (NAME.d/*.yaml beside NAME.yaml) are read with it, by this and every other verb. "
	  "A warning is about something legal that is probably a mistake; with --strict it is an error.",
	  OPTION_JSON | OPTION_STRICT | OPTION_KERNEL | OPTION_EXPAND | OPTION_QUIET, 1, SIZE_MAX, verb_check },
	{ "plan", "SPEC", "show what would be changed",
	  "Compares the file with the kernel and changes nothing. Exit status 0: no difference, 2: some. It also works "
	  "while a daemon runs, and shows what a reload would do. With --explain it also says of everything else why it is "
	  "left as it is. SPEC may be - for standard input.",
	  OPTION_JSON | OPTION_EXPLAIN | OPTION_REPLACE | OPTION_QUIET, 1, 1, verb_plan },
	{ "apply", "SPEC", "apply the file once, verify, exit",
	  "Succeeds after the kernel was read back and is as declared. SPEC may be - for standard input.",
	  OPTION_JSON | OPTION_INSECURE | OPTION_REPLACE | OPTION_QUIET | OPTION_VERBOSE, 1, 1, verb_apply },
	{ "down", "SPEC", "remove what the topology owns, and nothing else",
	  "Removes what topod made for the topology with that name, regardless of the file's present content, and restores "
	  "what it changed. With --topology NAME, or a topology's name instead of SPEC, no file is needed. --all removes "
	  "every topology that no daemon manages.",
	  OPTION_JSON | OPTION_ALL | OPTION_INSECURE | OPTION_TOPOLOGY | OPTION_REPLACE | OPTION_QUIET | OPTION_VERBOSE, 0,
	  1, verb_down },
	{ "status", "[TOPOLOGY]", "what a running daemon reports",
	  "State, objects, drift counts, the latest drift, and retries; of all running topologies, or of one, given by "
	  "its name or its file. Exit status 0: converged, 4: degraded, 5: converging, 6: paused, 3: no daemon runs, 1: it "
	  "does not answer; of several, the worst. --wait waits until it is converged, or with --wait=settled until nothing is "
	  "being built any more; also for a daemon that does not run yet. --timeout 30s limits that. --prometheus is for the "
	  "textfile collector of Prometheus' node_exporter.",
	  OPTION_JSON | OPTION_PROMETHEUS | OPTION_WAIT | OPTION_TIMEOUT | OPTION_QUIET, 0, 1, verb_status },
	{ "reload", "[TOPOLOGY]", "have a daemon read its file again; wait for the result",
	  "Like SIGHUP, but prints the diagnostics. Exit status 0: the new file is in force and verified; 78: it was "
	  "refused and nothing was changed; 1: it is in force, but not everything could be done. "
	  "TOPOLOGY (a name or a file) may be left out if only one runs.",
	  OPTION_JSON | OPTION_QUIET, 0, 1, verb_reload },
	{ "watch", "[TOPOLOGY]", "show what a daemon sees and does, as it happens",
	  "Drift, failures, recoveries, progress of long work, reloads and pauses, one per line; with --json, one object "
	  "per line (Event in the interface description). Ends with exit status 0 when the daemon stops, or at Ctrl-C. "
	  "TOPOLOGY (a name or a file) may be left out if only one runs.",
	  OPTION_JSON, 0, 1, verb_watch },
	{ "pause", "[TOPOLOGY]", "have a daemon change nothing for a while (maintenance)",
	  "Drift is reported, and repaired when the pause is over: after the time of --for, or at `topod resume`. A file "
	  "that is reloaded meanwhile is checked, and takes effect afterwards. A pause does not survive a restart of the "
	  "daemon. TOPOLOGY (a name or a file) may be left out if only one runs.",
	  OPTION_JSON | OPTION_FOR | OPTION_QUIET, 0, 1, verb_pause },
	{ "resume", "[TOPOLOGY]", "end a daemon's pause, and wait until all is verified",
	  "Exit status 0: everything was read back and is as declared; 1: not everything could be done. "
	  "TOPOLOGY (a name or a file) may be left out if only one runs.",
	  OPTION_JSON | OPTION_QUIET, 0, 1, verb_resume },
	{ "graph", "[SPEC|TOPOLOGY]", "draw the topology",
	  "As a tree that fits the terminal, in Graphviz' language (dot), in Mermaid's, or as SVG, which needs Graphviz' "
	  "library. If a daemon manages the topology, what drifted, fails or waits is marked. TOPOLOGY may be left out if "
	  "only one runs. SPEC may be - for standard input.",
	  OPTION_JSON | OPTION_FORMAT, 0, 1, verb_graph },
	{ "export", "[NS…]", "print what runs in namespaces as a file",
	  "Regardless of how it was made: by ip commands, containers, networkd or topod. Without NS, of all namespaces in "
	  "/run/netns; with --all, of the host too. `topod plan` of the file finds nothing to do. What the language cannot "
	  "express is a comment. With --fresh, the file makes the same on another machine, without `adopt: true`.",
	  OPTION_JSON | OPTION_ALL | OPTION_FRESH, 0, SIZE_MAX, verb_export },
	{ "list", "", "the topologies on this machine",
	  "Those that a daemon manages, that `topod apply` made, that a stopped daemon left, and whose service failed.",
	  OPTION_JSON, 0, 0, verb_list },
	{ "show", "[TOPOLOGY|NS]", "namespaces and interfaces of a topology, as they are now",
	  "With addresses, what drifted, fails or waits, and the processes inside. Without an argument, of all topologies; "
	  "with a namespace, only that one. It needs no daemon, but root.",
	  OPTION_JSON, 0, 1, verb_show },
	{ "edit", "NAME", "change a topology's file safely, and reload it",
	  "As visudo does: a copy is opened in $SUDO_EDITOR, $VISUAL or $EDITOR and checked; its plan is shown; after a `y` it "
	  "takes the place of the file, and the daemon reads it. Until then nothing is changed.",
	  0, 1, 1, verb_edit },
	{ "doctor", "[SPEC]", "find problems on this machine, and how to solve them",
	  "Rights, the directory of namespaces, other programs and firewalls, settings and limits of the kernel; with SPEC "
	  "also what that file needs. It changes nothing. Exit status 0: nothing, or only notes; 2: something may cause "
	  "problems; 1: something will fail.",
	  OPTION_JSON | OPTION_QUIET, 0, 1, verb_doctor },
	{ "exec", "NS [-- COMMAND…]", "run a command, or a shell, in a namespace",
	  "As `ip netns exec` does: with the namespace's own /sys, and the files of /etc/netns/NS/ (resolv.conf, hosts) in "
	  "/etc. NS is a name of /run/netns, or host; with --pid PID, it is the namespace of a process. Without a command "
	  "the user's shell starts, and its prompt names the namespace. The exit status is the command's; 125: it was not "
	  "started, 126: it cannot be run, 127: it was not found.",
	  OPTION_PID | OPTION_USER, 0, 1, verb_exec, true },
	{ "attach", "NS", "tell a daemon of a namespace that something else made",
	  "NS is declared with `attach`. It is the caller's own network namespace, which belongs to the caller's control group "
	  "(ExecStartPre=+topod attach NS in a unit with PrivateNetwork=yes), or with --pid PID that of a process, with which it "
	  "ends. Returns when everything declared in it is there, after two seconds at the latest. If no daemon runs, the next "
	  "one takes it up.",
	  OPTION_PID, 1, 1, verb_attach },
	{ "detach", "NS", "have a daemon detach a namespace",
	  "Its name is removed, and what topod made in it stays, until something is attached under this name again.", 0, 1,
	  1, verb_detach },
	{ "unit", "SERVICE NS", "print the drop-in that puts a service into a namespace",
	  "NS is a namespace of one of the files in " TOPOD_CONFIG_DIR
	  ". The service is ordered after topod@NAME.service and "
	  "wants it; it gets the name servers and hosts that the file gives the namespace. With --install the drop-in is "
	  "written to /etc/systemd/system/SERVICE.service.d/topod.conf.",
	  OPTION_INSTALL, 2, 2, verb_unit },
	{ "sandbox", "SPEC [-- COMMAND…]", "run a command, or a shell, in a network of its own",
	  "Applies the file in new namespaces, without root as root of a user namespace, and runs the command there. It "
	  "touches nothing outside, and everything is gone when the command ends. `topod exec NS` works inside. The exit "
	  "status is the command's; 125: it was not started, 128 and more: a signal ended it.",
	  0, 1, 1, verb_sandbox, true },
	{ "init", "[TEMPLATE [FILE]]", "print a commented file to start from, or write it",
	  "Without arguments, lists the templates. With FILE, writes a new file and names the topology after it.", 0, 0, 2,
	  verb_init },
	{ "schema", "", "print the language as a JSON Schema, for editors",
	  "With --markdown, the reference page of all keys instead; with --man, the same for the manual page "
	  "topod.yaml(5), in the format of scdoc(5).",
	  OPTION_MARKDOWN | OPTION_MAN, 0, 0, verb_schema },
	{ "version", "", "print the version", "The same as --version.", 0, 0, 0, verb_version },
	{},
};

const struct verb *verb_find(const char *name) {
	for (const struct verb *v = verbs; v->name; v++)
		if (streq(v->name, name))
			return v;
	return NULL;
}

void verb_help(const struct verb *verb, FILE *to) {
	fprintf(to, "usage: topod %s [OPTION…]%s%s\n\n%s: %s\n\n", verb->name, *verb->args ? " " : "", verb->args,
		verb->name, verb->summary);
	print_wrapped(to, 0, verb->help);
	fputc('\n', to);
	options_help(verb->options | OPTIONS_OF_ALL, to);
}

/* The width of a text without wide or combining characters. */
static size_t cells(const char *text) {
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

void verbs_help(FILE *to) {
	fputs("usage: topod VERB [OPTION…] [SPEC|TOPOLOGY]\n\n"
	      "Keeps network namespaces as a YAML file describes them.\n\n",
	      to);
	for (const struct verb *v = verbs; v->name; v++) {
		_cleanup_free_ char *left = xasprintf("%s %s", v->name, v->args);

		fprintf(to, "  %s%*s %s\n", left, (int)(20 - MIN(cells(left), (size_t)20)), "", v->summary);
	}
	fputs("  help [VERB]          this, or more about a verb\n\n", to);
	options_help(~0u, to);
	fputs("  --help, --version\n\n", to);
	print_wrapped(to, 0,
		      "Exit status: 0 done, 1 failed, 2 differences found (plan), 64 wrong usage, 78 the spec is invalid.");
}

/* ---- schema and version ---- */

int verb_version(_unused_ const struct options *options) {
	printf("topod %s\n", TOPOD_VERSION);
	return EXIT_DONE;
}

int verb_schema(const struct options *options) {
	_cleanup_text_ struct text page = {};

	if (!options->markdown && !options->man) {
		print_json(schema_json());
		return EXIT_DONE;
	}
	if (options->man)
		schema_man(&page);
	else
		schema_markdown(&page);
	fputs(text_str(&page), stdout);
	return EXIT_DONE;
}
