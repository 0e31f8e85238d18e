/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * topod as a runtime of containers, for engines that have neither devices of CDI nor hooks (Docker before 28.2). It calls the
 * real runtime, runc or crun, and attaches the container's namespace after its `create`, when the program of the container
 * has not started yet.
 *
 * The namespace's name is the annotation org.topod.namespace of the container, or TOPOD_NAMESPACE of its environment. Everything
 * else is the real runtime's, which gets the same arguments and the same configuration.
 *
 * Constants: https://github.com/opencontainers/runtime-spec (config.md), `runc create --help`.
 */
#include <jansson.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "cli/output.h"
#include "cli/process.h"
#include "verbs/verbs.h"

#define VARIABLE "TOPOD_NAMESPACE="

static char runc[] = "runc", crun[] = "crun", *const runtimes[] = { runc, crun };

/* ---- the command line ---- */

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

/* ---- the container ---- */

/* Its namespace, to be freed; NULL: it has none of topod's. */
static char *namespace_of(const char *bundle) {
	_cleanup_free_ char *path = xasprintf("%s/config.json", bundle);
	/* Limits may be too large for an integer of jansson. */
	json_t *config = json_load_file(path, JSON_DECODE_INT_AS_REAL, NULL), *variable;
	const char *found = json_string_value(json_object_get(json_object_get(config, "annotations"), OCI_ANNOTATION));
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

/* ---- the real runtime ---- */

static int become(char **args) {
	restore_process();
	for (size_t i = 0; i < ARRAY_SIZE(runtimes); i++) {
		args[0] = runtimes[i];
		execvp(args[0], args);
		if (errno != ENOENT)
			break;
	}
	complain("cannot run %s: %s", args[0], strerror(errno));
	return EXIT_FAILED;
}

static int run(char **args) {
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* as engines do with this process */
		_exit(become(args));
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0) {
		complain("cannot run %s: %s", runc, strerror(errno));
		return EXIT_FAILED;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* What was created must not be left if its engine hears that it failed: [global options] delete --force ID */
static void delete (int argc, char **argv, int create) {
	char **args = xmalloc(((size_t)create + 4) * sizeof(*args));

	static char command[] = "delete", force[] = "--force";

	memcpy(args, argv, (size_t)create * sizeof(*args));
	memcpy(args + create, (char *[]){ command, force, argv[argc - 1], NULL }, 4 * sizeof(*args));
	(void)run(args);
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
		return become(argv);
	if (!call.pid_file) {
		complain("`create` needs --pid-file, so that the namespace of the container can be attached");
		return EXIT_USAGE;
	}
	code = run(argv);
	if (code == EXIT_DONE) {
		code = attach(ns, &call);
		if (code != EXIT_DONE)
			delete (argc, argv, call.create);
	}
	return code;
}
