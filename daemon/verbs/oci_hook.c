/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program under other names. As oci-hook it is called before a container's program starts: as a hook of the OCI
 * (`createRuntime`), which gets the state of the container on standard input; as a hook of LXC (`lxc.hook.start-host`),
 * which gets the process (LXC_PID); or as a plugin of CNI, which gets the path of a namespace (CNI_NETNS).
 *
 * The namespace's name is the hook's argument, or the annotation org.topod.namespace; for CNI it is `namespace` of the
 * configuration, or TOPOD_NAMESPACE of CNI_ARGS. The container starts even if the network is not complete in time, or the
 * daemon is being restarted; it does not start if nobody declares the namespace.
 *
 * As oci-runtime it is a container runtime for engines that have neither devices of CDI nor hooks (Docker before 28.2). It
 * calls runc with the same arguments and configuration, and attaches the container's namespace after `create`, before the
 * container's program starts. The namespace's name is the annotation, or TOPOD_NAMESPACE in the container's environment.
 * Constants: https://github.com/opencontainers/runtime-spec (config.md), `runc create --help`.
 */
#include <fcntl.h>
#include <ifaddrs.h>
#include <jansson.h>
#include <limits.h>
#include <linux/if_packet.h>
#include <net/if.h>

#include "cli/output.h"
#include "cli/process.h"
#include "inside/command.h"
#include "inside/sandbox.h"
#include "kernel/named_netns.h"
#include "net/ip.h"
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

/* Attaches the namespace of the process, or the one at the path. *ret_said gets a copy of what is printed on standard error,
 * for engines that do not show that; the caller frees. */
static int attach_and_say(const char *ns, pid_t pid, const char *path, char **ret_said) {
	FILE *errors = stderr;
	size_t size;
	int code;

	stderr = open_memstream(ret_said, &size);
	code = path ? attach_path(ns, path) : attach_process(ns, pid, true);
	fclose(stderr);
	stderr = errors;
	fputs(*ret_said, stderr);
	return code;
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

/* The codes of errors that the specification reserves, and the first of a plugin's own. */
enum {
	CNI_VERSION = 1,
	CNI_ENVIRONMENT = 4,
	CNI_CONFIG = 7,
	CNI_AGAIN = 11,
	CNI_CHECK_FAILED = 100,
};

static const char *const cni_versions[] = { "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0" };

static const char *cni_version(const json_t *config) {
	const char *version = json_string_value(json_object_get(config, "cniVersion"));

	return version ? version : "0.1.0"; /* the default of libcni */
}

static bool is_known_version(const char *version) {
	for (size_t i = 0; i < ARRAY_SIZE(cni_versions); i++)
		if (streq(version, cni_versions[i]))
			return true;
	return false;
}

static int cni_error(const json_t *config, int code, const char *text) {
	print_json(json_pack("{s:s, s:i, s:s}", "cniVersion", cni_version(config), "code", code, "msg", text));
	return EXIT_FAILED;
}

static int print_cni_versions(const json_t *config) {
	json_t *versions = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(cni_versions); i++)
		json_array_append_new(versions, json_string(cni_versions[i]));
	print_json(json_pack("{s:s, s:o}", "cniVersion", cni_version(config), "supportedVersions", versions));
	return EXIT_DONE;
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

/* The index of the first item of a list whose key has this value; the length of the list if there is none. */
static size_t find_item(const json_t *list, const char *key, const char *value) {
	size_t i = 0;

	while (i < json_array_size(list) &&
	       !streq_ptr(json_string_value(json_object_get(json_array_get(list, i), key)), value))
		i++;
	return i;
}

/* The list of the result with this key; added if it is missing. */
static json_t *result_list(json_t *result, const char *key) {
	json_t *list = json_object_get(result, key);

	if (!json_is_array(list)) {
		list = json_array();
		json_object_set_new(result, key, list);
	}
	return list;
}

static void add_interface(json_t *result, const struct ifaddrs *entry, const char *sandbox) {
	const struct sockaddr_ll *link = (const struct sockaddr_ll *)(const void *)entry->ifa_addr;
	json_t *list = result_list(result, "interfaces");
	struct mac mac;
	char text[MAC_TEXT_MAX];

	if (find_item(list, "name", entry->ifa_name) < json_array_size(list) || link->sll_halen != sizeof(mac.bytes))
		return;
	memcpy(mac.bytes, link->sll_addr, sizeof(mac.bytes));
	json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "name", entry->ifa_name, "mac", mac_format(&mac, text),
					      "sandbox", sandbox));
}

static struct ip ip_of(uint8_t family, const struct sockaddr *address) {
	const void *four = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
	const void *six = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
	struct ip ip = {};

	(void)ip_from_bytes(family, family == AF_INET ? four : six, ip_size(family), &ip);
	return ip;
}

static void add_address(json_t *result, const struct ifaddrs *entry, bool with_family) {
	uint8_t family = (uint8_t)entry->ifa_addr->sa_family;
	struct prefix prefix = { .address = ip_of(family, entry->ifa_addr) };
	struct ip mask = ip_of(family, entry->ifa_netmask);
	json_t *list = result_list(result, "ips"), *interfaces = result_list(result, "interfaces"), *item;
	size_t at = find_item(interfaces, "name", entry->ifa_name);
	char text[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < ip_size(family); i++)
		prefix.length = (uint8_t)(prefix.length + __builtin_popcount(mask.bytes[i]));
	if (at == json_array_size(interfaces) || (family == AF_INET6 && ip_is_link_local(&prefix.address)) ||
	    find_item(list, "address", prefix_format(&prefix, text)) < json_array_size(list))
		return;
	item = json_pack("{s:s, s:i}", "address", text, "interface", (int)at);
	if (with_family)
		json_object_set_new(item, "version", json_string(family == AF_INET ? "4" : "6"));
	json_array_append_new(list, item);
}

/* Adds what is in the namespace at this path to a result: interfaces first, because addresses refer to them by their index. */
static int add_found(json_t *result, const char *path, bool with_family) {
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	_cleanup_(netns_leave) struct netns_visit visit = NETNS_VISIT_NONE;
	struct ifaddrs *all;
	int r = fd < 0 ? -errno : netns_init();

	if (r == 0)
		r = netns_enter(&visit, fd);
	if (r < 0 || getifaddrs(&all) < 0)
		return r < 0 ? r : -errno;
	for (int pass = 0; pass < 2; pass++)
		for (const struct ifaddrs *entry = all; entry; entry = entry->ifa_next) {
			int family = entry->ifa_addr && !(entry->ifa_flags & IFF_LOOPBACK) ? entry->ifa_addr->sa_family
											   : AF_UNSPEC;

			if (pass == 0 && family == AF_PACKET)
				add_interface(result, entry, path);
			else if (pass == 1 && (family == AF_INET || family == AF_INET6))
				add_address(result, entry, with_family);
		}
	freeifaddrs(all);
	return 0;
}

/* The result of ADD is the result of the former plugins, and everything else that is in the namespace. */
static int cni_add(const json_t *config, const char *ns, const char *path) {
	json_t *before = json_object_get(config, "prevResult"), *result = before ? json_deep_copy(before) : json_object();
	const char *version = cni_version(config);
	_cleanup_free_ char *said = NULL;
	int code = attach_and_say(ns, 0, path, &said);

	if (code == EXIT_DONE && add_found(result, path, startswith(version, "0.")) == 0) {
		json_object_set_new(result, "cniVersion", json_string(version));
		print_json(result);
		return EXIT_DONE;
	}
	json_decref(result);
	said[strcspn(said, "\n")] = '\0';
	return cni_error(config, CNI_AGAIN, *said ? said : "the namespace cannot be read");
}

/* Is the namespace at the path attached under this name? */
static bool is_attached(const char *ns, const char *path) {
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), named = -1;
	struct netns_identity identity, of_name;
	const char *problem;

	return fd >= 0 && netns_init() == 0 && netns_check_fd(fd) == 0 && netns_open(ns, &named, &problem) == 0 &&
	       netns_identity(fd, &identity) == 0 && netns_identity(named, &of_name) == 0 &&
	       netns_is_same(&identity, &of_name);
}

/* CHECK: is the namespace attached, and does it contain everything in the result of ADD? */
static int cni_check(const json_t *config, const char *ns, const char *path) {
	static const struct { const char *list, *key; } parts[] = { { "interfaces", "name" }, { "ips", "address" } };
	json_t *before = json_object_get(config, "prevResult"), *found = json_object(), *item;
	_cleanup_free_ char *problem = NULL;
	size_t i;

	if (!is_attached(ns, path))
		problem = xasprintf("it is not attached as '%s'", ns);
	else if (add_found(found, path, false) < 0)
		problem = xstrdup("the namespace cannot be read");
	for (size_t part = 0; !problem && part < ARRAY_SIZE(parts); part++)
		json_array_foreach(json_object_get(before, parts[part].list), i, item) {
			const char *name = json_string_value(json_object_get(item, parts[part].key));
			const char *sandbox = json_string_value(json_object_get(item, "sandbox"));
			json_t *list = json_object_get(found, parts[part].list);

			if (!problem && name && (part || streq_ptr(sandbox, path)) &&
			    find_item(list, parts[part].key, name) == json_array_size(list))
				problem = xasprintf("%s is missing in '%s'", name, ns);
		}
	json_decref(found);
	return problem ? cni_error(config, CNI_CHECK_FAILED, problem) : EXIT_DONE;
}

static int run_cni(const char *command) {
	json_t *config = read_input();
	_cleanup_free_ char *ns = cni_namespace(config);
	const char *path = getenv("CNI_NETNS");
	int code = EXIT_DONE;

	if (streq(command, "VERSION"))
		code = print_cni_versions(config);
	else if (!is_known_version(cni_version(config)))
		code = cni_error(config, CNI_VERSION, "the configuration has a version of CNI that is not known here");
	else if (streq(command, "STATUS") || streq(command, "GC"))
		code = EXIT_DONE; /* ADD works without a daemon too, by a note; and there is nothing to collect */
	else if (!ns)
		code = cni_error(config, CNI_CONFIG, "'namespace' is missing in the configuration");
	else if (streq(command, "DEL")) {
		/* It must succeed if there is nothing to do. Another container may have the name by now. */
		if (path && is_attached(ns, path))
			detach_if_attached(ns);
	} else if (!path)
		code = cni_error(config, CNI_ENVIRONMENT, "CNI_NETNS is missing");
	else if (streq(command, "ADD"))
		code = cni_add(config, ns, path);
	else if (streq(command, "CHECK"))
		code = cni_check(config, ns, path);
	else
		code = cni_error(config, CNI_ENVIRONMENT, "CNI_COMMAND is not known");
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
	int create; /* index of the word "create"; 0: it is another command */
	const char *bundle, *pid_file, *log;
};

/* The value of "--name VALUE" or "--name=VALUE", with one dash or two. Moves *i to the value. */
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

/* The name of its namespace, from its configuration; NULL: it has none. The caller frees. */
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

/* Runs the real runtime and returns its status. stays: in a child process, because there is more to do; else this process
 * becomes it. */
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

/* Removes what was created, because the engine is told that `create` failed: [global options] delete --force ID */
static void delete_container(int argc, char **argv, int create) {
	static char command[] = "delete", force[] = "--force";
	char **args = xmalloc(((size_t)create + 4) * sizeof(*args));

	memcpy(args, argv, (size_t)create * sizeof(*args));
	memcpy(args + create, (char *[]){ command, force, argv[argc - 1], NULL }, 4 * sizeof(*args));
	(void)run(args, true);
	free(args);
}

/* Writes errors to the runtime's log (--log, with --log-format json), too: engines show that, and not standard error. */
static int attach(const char *ns, const struct call *call) {
	_cleanup_free_ char *said = NULL;
	int code = attach_and_say(ns, read_pid(call->pid_file), NULL, &said);
	_cleanup_fclose_ FILE *log = code != EXIT_DONE && call->log ? fopen(call->log, "ae") : NULL;
	json_t *line = log ? json_pack("{s:s, s:s}", "level", "error", "msg", said) : NULL;

	if (log) {
		json_dumpf(line, log, JSON_COMPACT);
		fputc('\n', log);
	}
	json_decref(line);
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
