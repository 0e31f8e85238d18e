/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `topod unit`: the drop-in that puts a service of systemd into a namespace of a topology, as topod(8) explains it: ordered
 * after the topology and wanting it, but not bound to it, with the name servers and hosts of the namespace.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "cli/daemon_client.h"
#include "files/own_dir.h"
#include "files/text_file.h"
#include "verbs/verbs.h"

#define UNIT_DIR "/etc/systemd/system"

/* What the drop-in needs to know about a namespace. */
struct home {
	const char *ns;
	char *topology; /* the instance that makes it; NULL: not found */
	bool servers, hosts;
};

/* ---- which file declares the namespace ---- */

static bool has_file(const struct ns_state *ns, const char *name) {
	ns_foreach(object, ns)
		if (object->kind->transport == TRANSPORT_FILE && object->kind->class->source &&
		    streq(object->kind->class->source->file, name))
			return true;
	return false;
}

static void look_into(struct home *home, const char *path) {
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};
	bool good = spec_file_load(path, SPEC_FILE_CHECK, &loaded);
	const struct ns_state *ns = good ? state_find(&loaded.spec.state, home->ns) : NULL;

	if (!ns || !ns->declared)
		return;
	home->topology = spec_file_topology(path);
	home->servers = has_file(ns, "resolv.conf");
	home->hosts = has_file(ns, "hosts");
}

static bool is_spec(const char *name) {
	size_t n = strlen(name);

	return n > 5 && streq(name + n - 5, ".yaml") && *name != '.';
}

static void find_home(struct home *home) {
	_cleanup_closedir_ DIR *dir = opendir(TOPOD_CONFIG_DIR);
	const struct dirent *entry;

	while (!home->topology && dir && (entry = readdir(dir))) {
		_cleanup_free_ char *path = xasprintf(TOPOD_CONFIG_DIR "/%s", entry->d_name);

		if (is_spec(entry->d_name))
			look_into(home, path);
	}
}

/* ---- the drop-in ---- */

static void write_dropin(const struct home *home, struct text *out) {
	text_addf(
		out,
		"# Made by `topod unit`: puts the service into the network namespace %s of topod@%s.service; see topod(8).\n"
		"[Unit]\n"
		"Wants=topod@%s.service\n"
		"After=topod@%s.service\n"
		"\n"
		"[Service]\n"
		"NetworkNamespacePath=/run/netns/%s\n",
		home->ns, home->topology, home->topology, home->topology, home->ns);
	if (home->servers)
		text_addf(out,
			  "BindReadOnlyPaths=/etc/netns/%s/resolv.conf:/etc/resolv.conf\n"
			  "# Programs that ask these sockets would get the answers of the host's name servers.\n"
			  "InaccessiblePaths=-/run/systemd/resolve/io.systemd.Resolve -/run/nscd\n",
			  home->ns);
	if (home->hosts)
		text_addf(out, "BindReadOnlyPaths=/etc/netns/%s/hosts:/etc/hosts\n", home->ns);
}

/* "nginx" is nginx.service. NULL, after a message: it is not the name of a service. The caller frees. */
static char *unit_name(const char *service) {
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@"; /* systemd.unit(5) */
	size_t n = strlen(service), stem = n > 8 && streq(service + n - 8, ".service") ? n - 8 : n;

	if (stem && n < 240 && strspn(service, letters) == n && *service != '.')
		return xasprintf("%.*s.service", (int)stem, service);
	complain("'%s' is not the name of a service", service);
	return NULL;
}

static int install(const char *unit, const struct text *text) {
	_cleanup_free_ char *dir = xasprintf(UNIT_DIR "/%s.d", unit), *path = xasprintf("%s/topod.conf", dir),
			    *new = xasprintf("%s/.topod.conf.new", dir);
	_cleanup_close_ int fd = -1;
	int r = mkdir(dir, 0755) < 0 && errno != EEXIST ? -errno : 0;

	if (r == 0)
		fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (r == 0)
		r = fd < 0 ? -errno : text_file_write(fd, text_str(text), -ENOSPC);
	if (r == 0 && rename(new, path) < 0)
		r = -errno;
	if (r < 0) {
		complain("cannot write %s: %s", path, strerror(-r));
		return EXIT_FAILED;
	}
	printf("%s: written; it takes effect with:\n  systemctl daemon-reload && systemctl restart %s\n", path, unit);
	return EXIT_DONE;
}

int verb_unit(const struct options *options) {
	struct home home = { .ns = options->args[1] };
	_cleanup_free_ char *unit = unit_name(options->args[0]), *topology = NULL;
	_cleanup_text_ struct text text = {};
	const char *why;

	if (!unit)
		return EXIT_USAGE;
	if (!file_name_valid(home.ns, &why) || streq(home.ns, NS_HOST)) {
		complain("the namespace '%s' %s", home.ns, streq(home.ns, NS_HOST) ? "is where services are anyway" : why);
		return EXIT_USAGE;
	}
	find_home(&home);
	topology = home.topology;
	if (!topology) {
		complain("no file in " TOPOD_CONFIG_DIR " declares the namespace '%s'", home.ns);
		hint("a service can only be ordered after a topology that is a service itself, topod@NAME");
		return EXIT_FAILED;
	}
	write_dropin(&home, &text);
	if (options->install)
		return install(unit, &text);
	fputs(text_str(&text), stdout);
	return EXIT_DONE;
}
