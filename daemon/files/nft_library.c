/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "files/nft_library.h"

#include <dlfcn.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files/privilege.h"

enum {
	MEMORY_MAX = 1024 * 1024 * 1024,
	SECONDS_MAX = 20,
	TEXT_MAX = 64 * 1024, /* of the error messages of libnftables */
};

/* nftables/libnftables.h, since 0.9; loaded because only few topologies need it. */
struct library {
	void *(*new)(uint32_t flags);
	int (*buffer_error)(void *context);
	const char *(*error)(void *context);
	void (*clear_paths)(void *context);
	int (*add_path)(void *context, const char *path);
	int (*run)(void *context, const char *commands);
};

static bool find(void *library, const char *name, void *ret) {
	void *function = dlsym(library, name);

	memcpy(ret, &function, sizeof(function));
	return function;
}

static bool load(struct library *l) {
	void *library = dlopen("libnftables.so.1", RTLD_NOW);

	return library && find(library, "nft_ctx_new", &l->new) && find(library, "nft_ctx_buffer_error", &l->buffer_error) &&
	       find(library, "nft_ctx_get_error_buffer", &l->error) &&
	       find(library, "nft_ctx_clear_include_paths", &l->clear_paths) &&
	       find(library, "nft_ctx_add_include_path", &l->add_path) && find(library, "nft_run_cmd_from_buffer", &l->run);
}

/* ---- in the child, which ends by _exit() ---- */

__attribute__((noreturn)) static void end(int to, enum nft_outcome outcome, const char *text) {
	if (text && write(to, text, strlen(text)) < 0)
		_exit(NFT_CRASHED);
	_exit((int)outcome);
}

static void limit(int resource, rlim_t value) {
	setrlimit(resource, &(struct rlimit){ value, value });
}

/* The library must get neither the signal settings of a daemon nor its open files. */
static void become_plain(int to) {
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (to > 3)
		close_range(3, (unsigned)to - 1, 0);
	close_range((unsigned)to + 1, ~0u, 0);
	alarm(SECONDS_MAX);
	limit(RLIMIT_CPU, SECONDS_MAX);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_FSIZE, 0);
#ifndef __SANITIZE_ADDRESS__ /* it reserves all of the address space */
	limit(RLIMIT_DATA, MEMORY_MAX);
#endif
}

static bool send_socket(int to, int fd) {
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec io = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(to, &message, 0) == 1;
}

__attribute__((noreturn)) static void child(const char *directory, const char *commands, int to) {
	struct library library;
	void *context;
	int netfilter;

	become_plain(to);
	if (unshare(privilege_has(CAP_SYS_ADMIN) ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET) < 0)
		end(to, NFT_NO_NAMESPACE, strerror(errno));
	netfilter = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (netfilter < 0)
		end(to, NFT_NO_NAMESPACE, strerror(errno));
	if (!load(&library))
		end(to, NFT_NO_LIBRARY, NULL);
	/* The second is for files below the home directory of somebody who is not root. */
	if (privilege_keep(UINT64_C(1) << CAP_NET_ADMIN | UINT64_C(1) << CAP_DAC_READ_SEARCH) < 0)
		end(to, NFT_NO_NAMESPACE, "capabilities cannot be dropped");
	if (chdir(directory) < 0)
		end(to, NFT_REFUSED, strerror(errno));
	context = library.new(0);
	if (!context || library.buffer_error(context) != 0)
		end(to, NFT_CRASHED, "it cannot be initialized");
	library.clear_paths(context);
	library.add_path(context, ".");
	if (library.run(context, commands) != 0)
		end(to, NFT_REFUSED, library.error(context));
	end(to, send_socket(to, netfilter) ? NFT_LOADED : NFT_CRASHED, NULL);
}

/* ---- in this process ---- */

/* What the child sends until its end: a text, or one byte with a descriptor. */
static void receive(int from, struct text *out, int *ret_fd) {
	char buffer[4096], control[CMSG_SPACE(sizeof(int))];
	ssize_t n;

	*ret_fd = -1;
	for (;;) {
		struct iovec io = { buffer, sizeof(buffer) };
		struct msghdr message = {
			.msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
		};

		n = recvmsg(from, &message, MSG_CMSG_CLOEXEC);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		if (header && header->cmsg_type == SCM_RIGHTS && *ret_fd < 0)
			memcpy(ret_fd, CMSG_DATA(header), sizeof(*ret_fd));
		else if (out->size < TEXT_MAX)
			text_addn(out, buffer, (size_t)n);
	}
}

static enum nft_outcome outcome_of(pid_t pid, struct text *out) {
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return NFT_CRASHED;
	if (WIFEXITED(status) && WEXITSTATUS(status) <= NFT_CRASHED)
		return (enum nft_outcome)WEXITSTATUS(status);
	text_done(out);
	*out = (struct text){};
	if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGALRM || WTERMSIG(status) == SIGXCPU))
		text_addf(out, "it took longer than %d seconds", SECONDS_MAX);
	else if (WIFSIGNALED(status))
		text_addf(out, "it was ended by signal %d, %s", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		text_addf(out, "it ended with status %d", WEXITSTATUS(status));
	return NFT_CRASHED;
}

enum nft_outcome nft_library_load(const char *directory, const char *name, const char *table, struct text *out,
				  int *ret_netfilter) {
	_cleanup_free_ char *commands =
		table ? xasprintf("table inet %s {\ninclude \"%s\"\n}\n", table, name) : xasprintf("include \"%s\"\n", name);
	_cleanup_close_ int here = -1;
	enum nft_outcome outcome;
	int pair[2];
	pid_t pid;

	*ret_netfilter = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		text_add(out, strerror(errno));
		return NFT_NO_NAMESPACE;
	}
	here = pair[0];
	pid = fork();
	if (pid == 0)
		child(directory, commands, pair[1]);
	close(pair[1]);
	if (pid < 0) {
		text_add(out, strerror(errno));
		return NFT_NO_NAMESPACE;
	}
	receive(here, out, ret_netfilter);
	outcome = outcome_of(pid, out);
	if (outcome != NFT_LOADED) {
		closep(ret_netfilter);
		*ret_netfilter = -1;
	}
	return outcome == NFT_LOADED && *ret_netfilter < 0 ? NFT_CRASHED : outcome;
}
