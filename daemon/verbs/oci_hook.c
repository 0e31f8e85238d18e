/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program under other names. As oci-hook it is what a container's runtime calls before the container's program starts: as a hook of the OCI
 * (`createRuntime`), which gets the state of the container on standard input; as a hook of LXC (`lxc.hook.start-host`),
 * which gets the process (LXC_PID); or as a plugin of CNI, which gets the path of a namespace (CNI_NETNS).
 *
 * The namespace's name is the hook's argument, or the annotation org.topod.namespace; for CNI it is `namespace` of the
 * configuration, or TOPOD_NAMESPACE of CNI_ARGS. The container starts even if the network is not complete in time, or the
 * daemon is being restarted; it does not start if nobody declares the namespace.
 *
 * As oci-runtime it is a runtime of containers, for engines that have neither devices of CDI nor hooks (Docker before 28.2). It
 * calls runc with the same arguments and configuration, and attaches the container's namespace after `create`, when the program of
 * the container has not started yet. The namespace's name is the annotation, or TOPOD_NAMESPACE in the container's environment.
 * Constants: https://github.com/opencontainers/runtime-spec (config.md), `runc create --help`.
 */
#include <jansson.h>
#include <limits.h>

#include "cli/output.h"
#include "cli/process.h"
#include "inside/command.h"
#include "inside/sandbox.h"
#include "verbs/verbs.h"

#define ANNOTATION "org.topod.namespace"
#define VARIABLE "TOPOD_NAMESPACE="

enum { STATE_BYTES = 4 * 1024 * 1024 };

static json_t *read_input(void) {
	char *text = xmalloc(STATE_BYTES);
	size_t n = fread(text, 1, STATE_BYTES, stdin);
	json_t *json = json_loadb(text, n, JSON_DISABLE_EOF_CHECK, NULL);

	free(text);
	return json;
}

/* ---- OCI ---- */

static int run_hook(const char *ns) {
	json_t *state = read_input();
	json_int_t pid = json_integer_value(json_object_get(state, "pid"));
	int code = EXIT_FAILED;

	if (!ns)
		ns = json_string_value(json_object_get(json_object_get(state, "annotations"), ANNOTATION));
	if (!ns)
		complain("the hook needs a namespace as its argument, or the annotation " ANNOTATION);
	else if (pid <= 0 || pid > INT_MAX)
		complain("the state on standard input names no process: the hook is for 'createRuntime'");
	else
		code = attach_process(ns, (pid_t)pid, true);
	json_decref(state);
	return code;
}

/* ---- CNI (https://www.cni.dev/docs/spec) ---- */

static int cni_error(const json_t *config, int code, const char *text) {
	const char *version = json_string_value(json_object_get(config, "cniVersion"));

	print_json(json_pack("{s:s, s:i, s:s}", "cniVersion", version ? version : "1.0.0", "code", code, "msg", text));
	return EXIT_FAILED;
}

static char *cni_namespace(const json_t *config) {
	const char *ns = json_string_value(json_object_get(config, "namespace")), *arguments = getenv("CNI_ARGS");
	const char *found = arguments ? strstr(arguments, VARIABLE) : NULL;

	if (ns)
		return xstrdup(ns);
	if (!found)
		return NULL;
	found += strlen(VARIABLE);
	return xasprintf("%.*s", (int)strcspn(found, ";"), found);
}

/* The topology file describes the network, so the result does not describe it. */
static void print_cni_result(const json_t *config) {
	json_t *before = json_object_get(config, "prevResult");
	const char *version = json_string_value(json_object_get(config, "cniVersion"));

	print_json(before ? json_incref(before)
			  : json_pack("{s:s, s:[], s:[]}", "cniVersion", version ? version : "1.0.0", "interfaces", "ips"));
}

static int run_cni(const char *command) {
	json_t *config = read_input();
	_cleanup_free_ char *ns = cni_namespace(config);
	const char *path = getenv("CNI_NETNS");
	int code = EXIT_DONE;

	if (streq(command, "VERSION")) {
		print_json(json_pack("{s:s, s:[s, s, s]}", "cniVersion", "1.0.0", "supportedVersions", "0.3.1", "0.4.0",
				     "1.0.0"));
	} else if (!ns) {
		code = cni_error(config, 7, "'namespace' is missing in the configuration");
	} else if (streq(command, "ADD")) {
		code = path && attach_path(ns, path) == EXIT_DONE
			       ? EXIT_DONE
			       : cni_error(config, 11, "the namespace cannot be attached");
		if (code == EXIT_DONE)
			print_cni_result(config);
	} else if (streq(command, "DEL")) {
		detach_if_attached(ns); /* must succeed if there is nothing to do */
	}
	json_decref(config);
	return code;
}

int oci_hook(int argc, char **argv) {
	const char *command = getenv("CNI_COMMAND"), *lxc = getenv("LXC_PID");

	if (lxc && argc > 1)
		return attach_process(argv[1], atoi(lxc), true);
	return command && argc < 2 ? run_cni(command) : run_hook(argc > 1 ? argv[1] : NULL);
}

/* ---- a runtime ---- */

struct call {
	int create; /* index of the command; 0: it is another one */
	const char *bundle, *pid_file, *log;
};

/* The value of "--name VALUE" or "--name=VALUE"; one dash will do. Moves *i to the value. */
static const char *option_value(char **argv, int *i, const char *name) {
	const char *arg = argv[*i], *bare = arg + strspn(arg, "-");
	const char *rest = arg != bare && startswith(bare, name) ? bare + strlen(name) : NULL;

	if (rest && *rest == '=')
		return rest + 1;
	return rest && !*rest && argv[*i + 1] ? argv[++*i] : NULL;
}

static struct call read_call(char **argv) {
	struct call call = { .bundle = "." };
	const char *value;

	for (int i = 1; argv[i]; i++)
		if ((value = option_value(argv, &i, "bundle")) || (value = option_value(argv, &i, "b")))
			call.bundle = value;
		else if ((value = option_value(argv, &i, "pid-file")))
			call.pid_file = value;
		else if ((value = option_value(argv, &i, "log")))
			call.log = value;
		else if (!call.create && streq(argv[i], "create"))
			call.create = i;
	return call;
}

/* Its namespace, to be freed; NULL: it has none of topod's. */
static char *namespace_of(const char *bundle) {
	_cleanup_free_ char *path = xasprintf("%s/config.json", bundle);
	/* Limits may be too large for an integer of jansson. */
	json_t *config = json_load_file(path, JSON_DECODE_INT_AS_REAL, NULL), *variable;
	const char *found = json_string_value(json_object_get(json_object_get(config, "annotations"), ANNOTATION));
	char *ns;
	size_t i;

	json_array_foreach(json_object_get(json_object_get(config, "process"), "env"), i, variable) {
		const char *text = json_string_value(variable);

		if (!found && text && startswith(text, VARIABLE))
			found = text + strlen(VARIABLE);
	}
	ns = found && *found ? xstrdup(found) : NULL;
	json_decref(config);
	return ns;
}

static pid_t read_pid(const char *path) {
	_cleanup_fclose_ FILE *f = path ? fopen(path, "re") : NULL;
	int pid;

	return f && fscanf(f, "%d", &pid) == 1 && pid > 0 ? pid : 0;
}

/* Calls the real runtime, and returns its status. stays: this process must not become it, because something is left to do. */
static int run(char **args, bool stays) {
	static char runc[] = "runc";
	_cleanup_free_ char *problem = NULL;
	int code;

	args[0] = runc;
	restore_process();
	code = stays ? sandbox_command(args, NULL, &problem) : command_exec(args, NULL, NULL, &problem);
	ignore_signals();
	if (problem)
		complain("%s", problem);
	return code;
}

/* What was created must not be left if its engine hears that it failed: [global options] delete --force ID */
static void delete_container(int argc, char **argv, int create) {
	static char command[] = "delete", force[] = "--force";
	char **args = xmalloc(((size_t)create + 4) * sizeof(*args));

	memcpy(args, argv, (size_t)create * sizeof(*args));
	memcpy(args + create, (char *[]){ command, force, argv[argc - 1], NULL }, 4 * sizeof(*args));
	(void)run(args, true);
	free(args);
}

/* Attaches it. Engines show what is in the runtime's log (--log, with --log-format json), and not standard error. */
static int attach(const char *ns, const struct call *call) {
	char *said = NULL;
	size_t size = 0;
	FILE *errors = stderr;
	int code;

	stderr = open_memstream(&said, &size);
	code = attach_process(ns, read_pid(call->pid_file), true);
	fclose(stderr);
	stderr = errors;
	fputs(said, stderr);

	_cleanup_fclose_ FILE *log = code != EXIT_DONE && call->log ? fopen(call->log, "ae") : NULL;
	if (log) {
		json_t *line = json_pack("{s:s, s:s}", "level", "error", "msg", said);

		json_dumpf(line, log, JSON_COMPACT);
		fputc('\n', log);
		json_decref(line);
	}
	free(said);
	return code;
}

int oci_runtime(int argc, char **argv) {
	struct call call = read_call(argv);
	_cleanup_free_ char *ns = call.create ? namespace_of(call.bundle) : NULL;
	int code;

	if (!ns)
		return run(argv, false);
	if (!call.pid_file) {
		complain("`create` needs --pid-file, so that the namespace of the container can be attached");
		return EXIT_USAGE;
	}
	code = run(argv, true);
	if (code == EXIT_DONE) {
		code = attach(ns, &call);
		if (code != EXIT_DONE)
			delete_container(argc, argv, call.create);
	}
	return code;
}
