/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How changes reach the kernel: by which protocol, how many at once, or by which function instead of messages. The change
 * decides (change_transport()): usually by its kind, but a kind may be created in one way and changed in another.
 */
#include "kernel/transport.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "files/etc_file.h"
#include "kind/dns.h"
#include "kind/sysctl.h"
#include "kind/tun.h"

/* Settings. */

static int read_setting(struct ns_scan *scan, const struct source *source _unused_, const struct object *wanted,
			const char **ret_text, int *ret_error) {
	if (!wanted)
		return 0;
	if (!scan->visiting) {
		int r = ns_scan_enter(scan);

		if (r < 0)
			return r;
		proc_sys_visit(scan->scanner->settings);
		scan->visiting = true;
	}
	*ret_text = setting_read(scan->scanner->settings, scan->scanner->arena, ((const struct sysctl *)wanted)->path,
				 ret_error);
	/* ENOENT: its link does not exist yet. EIO: it has no value yet (stable_secret). */
	if (!*ret_text && (*ret_error == -ENOENT || *ret_error == -EIO))
		*ret_error = 0;
	return 0;
}

static const char *setting_problem(int error) {
	return error == -ENOENT   ? "the kernel has no such setting"
	       : error == -EINVAL ? "the kernel refuses the value"
				  : NULL;
}

/* Records the former value. Some settings have no value until they are written (stable_secret: EIO), and others cannot be
 * read. */
static int note_former(struct execution *x, const struct change *change, const struct sysctl *sysctl) {
	struct arena *arena = &x->plan->arena;
	int error;
	const char *former = setting_read(&x->k->settings, arena, sysctl->path, &error);

	if (!former && error == -ENOENT)
		return error;
	return x->hooks->former(x->hooks->userdata, change,
				former ? &sysctl_new(arena, sysctl->object.ns, sysctl->path, former)->object : NULL);
}

struct settings_seen {
	vec(const struct object *) list;
};

static void read_reach(struct execution *x, const char *ns, const struct sysctl_reach *reach, struct settings_seen *seen) {
	struct arena *arena = &x->plan->arena;
	const char *only[] = { reach->name, NULL };
	char buffer[128];
	int error;
	const char **names = reach->name ? only : setting_list(&x->k->settings, arena, reach->directory, &error);

	for (size_t i = 0; names && names[i]; i++) {
		_cleanup_text_ struct text path = TEXT_IN(buffer);

		if (!sysctl_reach_has(reach, names[i]))
			continue;
		text_add(&path, reach->directory);
		text_add(&path, "/");
		text_add(&path, names[i]);
		text_add(&path, "/");
		text_add(&path, reach->last);
		const char *value = setting_read(&x->k->settings, arena, text_str(&path), &error);
		if (value)
			vec_push(&seen->list, &sysctl_new(arena, ns, text_str(&path), value)->object);
	}
}

/* Records the values of other settings that the write also changes, so that they can be restored with it. */
static int note_reach(struct execution *x, const struct change *change, const struct sysctl *sysctl) {
	struct settings_seen seen = {};
	struct sysctl_reach reaches[2];
	unsigned n = sysctl_reach(&x->plan->arena, sysctl, reaches);
	int r = 0;

	for (unsigned i = 0; i < n; i++)
		read_reach(x, sysctl->object.ns, &reaches[i], &seen);
	if (seen.list.n)
		r = x->hooks->reached(x->hooks->userdata, change, seen.list.items, seen.list.n);
	vec_done(&seen.list);
	return r;
}

static void change_setting(struct execution *x, struct change *change) {
	const struct sysctl *sysctl = (const struct sysctl *)change->desired;
	int r = execution_enter(x, handle_get(x->k, sysctl->object.ns));

	if (r == 0 && !change->observed && x->hooks->former)
		r = note_former(x, change, sysctl);
	if (r == 0 && !change->desired->gone && x->hooks->reached)
		r = note_reach(x, change, sysctl);
	if (r == 0)
		r = setting_write(&x->k->settings, sysctl->path, sysctl->value);
	execution_tried(x, change, r, setting_problem(r));
	change->culprit = r < 0 ? &sysctl->object.kind->fields[SYSCTL_VALUE] : NULL;
}

/* Files. */

static int read_file(struct ns_scan *scan, const struct source *source, const struct object *wanted _unused_,
		     const char **ret_text, int *ret_error) {
	*ret_text = etc_file_read(scan->scanner->arena, scan->source.seen->name, source->file, ret_error);
	return 0;
}

static const char *file_problem(int error) {
	return error == -EPERM     ? "its directory or /etc/netns belongs to another user, or others may write to it"
	       : error == -ENOTDIR ? "its directory or /etc/netns is a symbolic link or a file"
	       : error == -EEXIST  ? "another one, which is not topod's, has just been put there"
				   : NULL;
}

static void change_file(struct execution *x, struct change *change) {
	const struct dns *dns = (const struct dns *)change->desired;
	const char *file = change_object(change)->kind->class->source->file;
	int r = change->type == CHANGE_DELETE
			? etc_file_remove(change->observed->ns, file)
			: etc_file_write(dns->object.ns, file, dns->content, change->type != CHANGE_CREATE);

	execution_tried(x, change, r, file_problem(r));
}

static int clear_file(const struct handle *handle) {
	for (const struct class *const *c = classes; *c; c++)
		if ((*c)->source && (*c)->source->file)
			etc_file_clear(handle->name, (*c)->source->file);
	return 0;
}

/* Devices of /dev/net/tun, which belong to the namespace in which it is opened. */

static const char *tun_problem(int error, bool creates) {
	if (error == -ENOENT || error == -ENODEV || error == -ENXIO)
		return "there is no /dev/net/tun: it needs the kernel's module 'tun'";
	if (error == -EBUSY && !creates)
		return "a program has it open; it can be changed once the program has closed it";
	return NULL;
}

/* Opens the device; a new one lasts as long as the descriptor. The descriptor, or -errno. */
static int tun_open(struct execution *x, struct handle *handle, const char *name, int flags) {
	struct ifreq request = { .ifr_flags = (short)flags };
	int r = execution_enter(x, handle), fd = r < 0 ? -1 : open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (r == 0 && fd < 0)
		r = -errno;
	execution_leave(x);
	memcpy(request.ifr_name, name, MIN(strlen(name), sizeof(request.ifr_name) - 1));
	if (r == 0 && ioctl(fd, TUNSETIFF, &request) < 0)
		r = -errno;
	if (r < 0)
		closep(&fd);
	return r < 0 ? r : fd;
}

/* The kernel has chosen the index. */
static int tun_learn(struct execution *x, struct handle *handle, const char *name) {
	struct ifreq request = {};
	struct nl_socket *sock;
	int r = handle_socket(x->k, handle, NETLINK_ROUTE, &sock);

	memcpy(request.ifr_name, name, MIN(strlen(name), sizeof(request.ifr_name) - 1));
	if (r == 0 && ioctl(sock->fd, SIOCGIFINDEX, &request) < 0)
		r = -errno;
	if (r == 0)
		handle_add_link(handle, name, (uint32_t)request.ifr_ifindex, NULL);
	return r;
}

static int tun_configure(int fd, const struct tun_setting *setting) {
	if ((setting->sets_owner && ioctl(fd, TUNSETOWNER, (unsigned long)setting->owner) < 0) ||
	    (setting->sets_group && ioctl(fd, TUNSETGROUP, (unsigned long)setting->group) < 0) ||
	    ioctl(fd, TUNSETPERSIST, 1UL) < 0)
		return -errno;
	return 0;
}

static void change_tun(struct execution *x, struct change *change) {
	const struct link *link = (const struct link *)change->desired;
	struct tun_setting setting = tun_setting(change);
	struct handle *handle = handle_get(x->k, link->object.ns);
	bool creates = change->type == CHANGE_CREATE;
	_cleanup_close_ int fd = tun_open(x, handle, link->name, setting.flags | (creates ? IFF_TUN_EXCL : 0));
	int r = MIN(fd, 0);

	if (r == 0 && creates)
		r = tun_learn(x, handle, link->name);
	if (r == 0 && setting.more) {
		execution_send(x, change);
		if (change->error)
			return;
	}
	if (r == 0)
		r = tun_configure(fd, &setting);
	execution_tried(x, change, creates && r == -EBUSY ? -EEXIST : r, tun_problem(r, creates));
	execution_settle(x, change);
	execution_explain(x, change);
}

static const struct transport_way ways[] = {
	[TRANSPORT_ROUTE] = { .protocol = NETLINK_ROUTE, .batched = true },
	[TRANSPORT_GENERIC] = { .protocol = NETLINK_GENERIC, .batched = true },
	[TRANSPORT_NETFILTER] = { .protocol = NETLINK_NETFILTER, .transaction = true },
	[TRANSPORT_NETNS] = { .call = change_namespace, .what = "mount in /run/netns", .clear = clear_namespace },
	[TRANSPORT_SYSCTL] = { .call = change_setting, .what = "write in /proc/sys", .inside = true, .read = read_setting },
	[TRANSPORT_TUN] = { .call = change_tun, .what = "ioctl of /dev/net/tun" },
	[TRANSPORT_FILE] = { .call = change_file, .what = "write in /etc/netns", .read = read_file, .clear = clear_file },
};

const struct transport_way *transport_way(enum transport transport) {
	return &ways[transport];
}

int transport_read(struct ns_scan *scan, const struct source *source, const struct object *wanted, const char **ret_text,
		   int *ret_error) {
	*ret_text = NULL;
	*ret_error = 0;
	return ways[source->transport].read(scan, source, wanted, ret_text, ret_error);
}
