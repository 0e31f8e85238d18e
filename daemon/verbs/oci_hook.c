/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program that a container's runtime calls before the container's program starts: as a hook of the OCI
 * (`createRuntime`), which gets the state of the container on standard input; as a hook of LXC (`lxc.hook.start-host`),
 * which gets the process (LXC_PID); or as a plugin of CNI, which gets the path of a namespace (CNI_NETNS).
 *
 * The namespace's name is the hook's argument, or the annotation org.topod.namespace; for CNI it is `namespace` of the
 * configuration, or TOPOD_NAMESPACE of CNI_ARGS. The container starts even if the network is not complete in time, or the
 * daemon is being restarted; it does not start if nobody declares the namespace.
 */
#include <jansson.h>
#include <limits.h>

#include "cli/output.h"
#include "verbs/verbs.h"

#define CNI_ARGUMENT "TOPOD_NAMESPACE="

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
		ns = json_string_value(json_object_get(json_object_get(state, "annotations"), OCI_ANNOTATION));
	if (!ns)
		complain("the hook needs a namespace as its argument, or the annotation " OCI_ANNOTATION);
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
	const char *found = arguments ? strstr(arguments, CNI_ARGUMENT) : NULL;

	if (ns)
		return xstrdup(ns);
	if (!found)
		return NULL;
	found += strlen(CNI_ARGUMENT);
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
