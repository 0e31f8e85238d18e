/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The real kernel: its interface, and the limits that the machine sets. */
#include "kernel/transport.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include "model/state.h"
#include "kernel/events.h"

enum {
	MOST_THREADS = 4,
	LEAST_FILES = 768, /* fewer are too few for batches of full size */
};

static const char *real_name_of(struct kernel *kernel, int32_t nsid) {
	struct real_kernel *k = (struct real_kernel *)kernel;
	const struct handle *handle = nsid == WATCH_NSID_HOST ? handle_get(k, NS_HOST) : handle_by_id(k, nsid);

	return handle ? handle->name : NULL;
}

static const char *real_link_of(struct kernel *kernel, const char *ns, uint32_t ifindex) {
	const struct known_link *link = handle_index(handle_get((struct real_kernel *)kernel, ns), ifindex);

	return link ? link->name : NULL;
}

static int real_clear(struct kernel *kernel, enum transport transport, const char *ns) {
	const struct handle *handle = handle_get((struct real_kernel *)kernel, ns);
	const struct transport_way *way = transport_way(transport);
	int r = way->clear ? way->clear(handle) : 0;

	return r == -ENOENT || r == -EEXIST ? 0 : r; /* it is a namespace, or something of somebody else's */
}

static void real_hold(struct kernel *kernel) {
	((struct real_kernel *)kernel)->holding = true;
}

static void real_check_names(struct kernel *kernel, void (*fn)(void *userdata, const char *ns), void *userdata) {
	struct real_kernel *k = (struct real_kernel *)kernel;

	netns_keep_dir(true);
	for (struct handle *handle = k->handles; handle; handle = handle->hh.next)
		if (handle->hold && !netns_is_named(handle->name, &handle->identity))
			fn(userdata, handle->name);
	netns_keep_dir(false);
}

static void real_listen(struct kernel *kernel) {
	((struct real_kernel *)kernel)->listening = true;
}

static void real_rest(struct kernel *kernel) {
	struct real_kernel *k = (struct real_kernel *)kernel;

	handles_close(k);
	proc_sys_done(&k->settings);
	netns_keep_dir(false);
}

static void real_free(struct kernel *kernel) {
	struct real_kernel *k = (struct real_kernel *)kernel;

	handles_done(k);
	nl_close(&k->host);
	proc_sys_done(&k->settings);
	netns_keep_dir(false);
	vec_done(&k->families);
	pthread_mutex_destroy(&k->families_lock);
	free(k);
}

static const struct kernel_ops real_ops = {
	.observe = real_observe,
	.execute = real_execute,
	.clear = real_clear,
	.name_of = real_name_of,
	.link_of = real_link_of,
	.listen = real_listen,
	.hold = real_hold,
	.check_names = real_check_names,
	.left_behind = real_left_behind,
	.rest = real_rest,
	.free = real_free,
};

/* Linux 5.18 has IFA_PROTO; older kernels ignore it silently. */
static bool has_address_marks(void) {
	unsigned major = 0, minor = 0;
	struct utsname name;

	return uname(&name) == 0 && sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 5 || (major == 5 && minor >= 18));
}

/* Two descriptors for each namespace (one with another socket counts twice), and room for those that a batch of requests
 * opens. */
static size_t open_limit(size_t n_files) {
	return n_files < LEAST_FILES ? 64 : n_files / 2 - 2 * NL_BATCH_MESSAGES - 64;
}

/* A quarter of the descriptors is for held namespaces. */
static void set_limits(struct real_kernel *k) {
	struct rlimit limit;
	size_t n_files = getrlimit(RLIMIT_NOFILE, &limit) < 0 ? 0 : (size_t)MIN(limit.rlim_cur, (rlim_t)1 << 20);

	k->max_held = n_files / 4;
	k->max_open = open_limit(n_files - k->max_held);
}

/* As many as processors, up to a limit beyond which they would wait for each other: the kernel has one lock for links. */
static unsigned thread_limit(void) {
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) < 0 ? 1 : (unsigned)MIN(CPU_COUNT(&set), MOST_THREADS);
}

static int know_host(struct real_kernel *k) {
	_cleanup_close_ int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : netns_identity(fd, &handle_get(k, NS_HOST)->identity);
}

int real_kernel_new(struct kernel **ret) {
	struct real_kernel *k = xmalloc(sizeof(*k));

	k->kernel.ops = &real_ops;
	k->host = NL_SOCKET_NONE;
	k->settings = PROC_SYS_NONE;
	pthread_mutex_init(&k->families_lock, NULL);
	set_limits(k);
	k->max_threads = thread_limit();
	k->address_marks = has_address_marks();
	int r = netns_init();
	if (r == 0)
		r = nl_open(&k->host, NETLINK_ROUTE, -1);
	if (r == 0)
		r = know_host(k);
	if (r < 0) {
		real_free(&k->kernel);
		return r;
	}
	*ret = &k->kernel;
	return 0;
}
