/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model of the kernel against the kernel: with the same foreign acts and the same topologies, both must reach the same
 * state, step by step.
 *
 *     test-model-real [--seed S] [--count N] [--seconds T] [--case S] [--whole]
 *
 * Each case runs in a process with its own network and mount namespaces, which end with it. Acts of others are done by
 * ip(8); topod is the daemon's own code. The kernel destroys namespaces in its own time, without an event, so states are
 * compared until they agree or a deadline has passed.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "cases.h"
#include "check.h"
#include "kind/kinds.h"
#include "kind/sysctl.h"
#include "session/topology.h"

enum {
	SKIP = 77,
	AGREE_SECONDS = 10,
	APPLY_MAX = 50,
};

static const char *const names[] = { NS_HOST, "n0", "n1", "n2", "a0", "z0", "z1" };

struct both {
	struct run run;        /* the model's side */
	struct kernel *kernel; /* the real one, for scanning */
	struct topology session;
	bool telling;
};

static const char model_root[] = "/run/model";

/* What is compared: what the model claims to cover. */

static bool is_of_interest(const struct spec *spec, const struct object *object) {
	const struct address *a = (const struct address *)object;
	const struct route *r = (const struct route *)object;

	/* The kernel has its own, which `exclusive` reads. */
	if (object->kernel_made && (object->kind == &kind_rule || object->kind == &kind_neighbor))
		return false;
	/* not scanned if nothing of the kind is declared */
	if (object->kind->class == &class_port || object->kind == &kind_ruleset || object_is_setting(object))
		return ns_find(state_find(&spec->state, object->ns), object);
	/* The model has other link-local addresses. */
	if (object->kind == &kind_address)
		return !ip_is_link_local(&a->address.address);
	if (object->kind == &kind_route)
		return (r->table == 254 || r->table == 100) && !ip_is_link_local(&r->to.address) &&
		       !ip_is_multicast(&r->to.address);
	return object->kind != &kind_dns;
}

static uint64_t fields_of_interest(const struct object *object) {
	if (object_is_link(object) && streq(((const struct link *)object)->name, "lo"))
		return 1 << LINK_UP | 1 << LINK_OWN_ADDRESSES | 1 << LINK_OWN_ROUTES;
	if (object_is_link(object))
		return 1 << LINK_UP | 1 << LINK_MTU | 1 << LINK_MAC | 1 << LINK_MULTICAST | 1 << LINK_TXQUEUELEN |
		       1 << LINK_ARP | 1 << LINK_PROMISCUOUS | 1 << LINK_MASTER | 1 << LINK_ALIAS | 1 << LINK_OWN_ADDRESSES |
		       1 << LINK_OWN_ROUTES;
	if (object->kind->class == &class_port)
		return object->set & ~((field_bit(PORT_FIRST_ATTRIBUTE)) - 1);
	if (object->kind->class == &class_address)
		return 1 << ADDRESS_ADDRESS | 1 << ADDRESS_PEER | 1 << ADDRESS_SCOPE | 1 << ADDRESS_BROADCAST |
		       1 << ADDRESS_NODAD | 1 << ADDRESS_NOPREFIXROUTE | 1 << ADDRESS_PROTOCOL | 1 << ADDRESS_CONNECTED |
		       1 << ADDRESS_LOCAL;
	if (object->kind->class == &class_route)
		return 1 << ROUTE_TYPE | 1 << ROUTE_VIA | 1 << ROUTE_DEV | 1 << ROUTE_NEXTHOPS | 1 << ROUTE_SRC |
		       1 << ROUTE_SCOPE | 1 << ROUTE_MTU | 1 << ROUTE_ADVMSS | 1 << ROUTE_TABLE | 1 << ROUTE_METRIC |
		       1 << ROUTE_PROTOCOL;
	if (object->kind == &kind_ruleset || object->kind == &kind_rule || object->kind == &kind_neighbor ||
	    object->kind == &kind_fdb || object->kind == &kind_nexthop || object_is_setting(object))
		return object->set;
	return 0;
}

static int compare_lines(const void *a, const void *b) {
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *describe(const struct object *object) {
	struct text text = {};

	object_print_id(object, &text);
	text_addf(&text, " %s: ", object->kind->name);
	object_print_fields(object, NULL, object->set & fields_of_interest(object), &text);
	text_add(&text, "\n");
	return text_take(&text);
}

static char *dump(struct kernel *kernel, const struct spec *spec) {
	const struct ledger nothing = {};
	const struct scan_request request = { .desired = &spec->state, .ledger = &nothing, .topology = "t" };
	struct scope scopes[ARRAY_SIZE(names)] = {};
	struct state state = {};
	vec(char *) lines = {};
	struct text all = {};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		scopes[i].ns = names[i];
	int r = kernel->ops->observe(kernel, &request, scopes, ARRAY_SIZE(scopes), &state);
	state_foreach(ns, &state)
		ns_foreach(object, ns)
			if (r == 0 && is_of_interest(spec, object))
				vec_push(&lines, describe(object));
	kernel->ops->rest(kernel);
	if (lines.n)
		qsort(lines.items, lines.n, sizeof(*lines.items), compare_lines);
	vec_foreach(line, &lines) {
		text_add(&all, *line);
		free(*line);
	}
	vec_done(&lines);
	state_done(&state);
	return text_take(&all);
}

static bool agree(struct both *b, const struct spec *spec, const char *when, bool last) {
	_cleanup_free_ char *model = dump(&b->run.fake.kernel, spec), *real = dump(b->kernel, spec);

	if (streq(model, real))
		return true;
	if (last)
		run_fail(&b->run, "state: after %s\n--- the model\n%s--- the kernel\n%s", when, model, real);
	return false;
}

static void compare(struct both *b, const char *when) {
	struct spec spec = {};
	struct timespec begun, now;

	if (b->run.failure || !run_read(&b->run, b->run.version, &spec))
		return;
	world_tick(b->run.w, true);
	clock_gettime(CLOCK_MONOTONIC, &begun);
	for (bool last = false; !agree(b, &spec, when, last) && !last;) {
		nanosleep(&(struct timespec){ .tv_nsec = 5 * 1000 * 1000 }, NULL);
		clock_gettime(CLOCK_MONOTONIC, &now);
		last = now.tv_sec - begun.tv_sec > AGREE_SECONDS;
	}
	spec_done(&spec);
}

/* Acts. */

/* Deleting something that does not exist is a success for some commands only. */
static void judge(struct both *b, const struct op *op, int model, bool done) {
	_cleanup_text_ struct text command = {};

	if ((model == 0) == done || op->type == OP_ADDRESS_FLUSH || op->type == OP_ROUTE_FLUSH || op->type == OP_LOCAL_FLUSH)
		return;
	op_print(op, &command);
	run_fail(&b->run, "act: '%s' is %s in the model, and the kernel says %s", command.data,
		 model ? strerrorname_np(-model) : "done", done ? "yes" : "no");
}

static void act_really(struct both *b, const struct op *op, const char *command, int model) {
	_cleanup_free_ char *quiet = xasprintf("{ %s; } 2>/dev/null", command);

	judge(b, op, model, system(quiet) == 0);
	if (op->type == OP_NS_DELETE || op->type == OP_NS_REPLACE || op->type == OP_LINK_DELETE ||
	    (op->type >= OP_ADDRESS_DELETE && op->type <= OP_MADE_DELETE) ||
	    (op->type >= OP_RULE_ADD && op->type <= OP_FDB_DELETE))
		compare(b, command);
}

static void act(struct both *b, const struct op *op) {
	_cleanup_text_ struct text command = {};

	op_print(op, &command);
	if (b->telling)
		printf("$ %s\n", text_str(&command));
	act_really(b, op, text_str(&command), op_apply(b->run.w, op));
	b->run.disturbed = true;
}

/* Acts in one namespace that one ip(8) does together, because starting programs takes most of the time. */
struct together {
	const char *ns;
	struct text lines;
};

/* The words for an ip(8) that is in the namespace already; NULL if a shell is needed. */
static const char *ip_words(const struct op *op, const char *command) {
	_cleanup_free_ char *inside = xasprintf("ip -n %s ", op->ns);
	const char *rest = startswith(command, streq(op->ns, NS_HOST) ? "ip " : inside);

	return rest && !strpbrk(rest, "$&;'") && !startswith(rest, "netns") ? rest : NULL;
}

static int memory_file(const char *text) {
	int fd = memfd_create("acts", 0);

	if (fd < 0 || write(fd, text, strlen(text)) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		abort();
	return fd;
}

static void act_together(struct both *b, struct together *t) {
	_cleanup_close_ int in = t->lines.size ? memory_file(t->lines.data) : -1;
	bool host = t->ns && streq(t->ns, NS_HOST);
	_cleanup_free_ char *command =
		xasprintf("exec ip %s %s -batch - <&%d >/dev/null", host ? "" : "-n", host || !t->ns ? "" : t->ns, in);

	if (in >= 0 && system(command) != 0)
		run_fail(&b->run, "act: the model does all of this, and the kernel does not:\n%s", t->lines.data);
	text_done(&t->lines);
}

/* Acts before topod. Those that the model refuses are tried separately, because `ip -batch` would stop there. */
static void prepare(struct both *b) {
	const struct c_case *c = b->run.c;
	struct together t = {};

	for (size_t i = 0; i < c->before.n && !b->run.failure; i++) {
		const struct op *op = &c->before.items[i].op;
		_cleanup_text_ struct text command = {};
		const char *words;

		if (!case_has(c, c->before.items[i].id))
			continue;
		op_print(op, &command);
		if (b->telling)
			printf("$ %s\n", text_str(&command));
		int model = op_apply(b->run.w, op);
		words = model == 0 ? ip_words(op, text_str(&command)) : NULL;
		if (!words || !streq_ptr(t.ns, op->ns))
			act_together(b, &t);
		t.ns = op->ns;
		if (words)
			text_addf(&t.lines, "%s\n", words);
		else
			act_really(b, op, text_str(&command), model);
	}
	act_together(b, &t);
	b->run.disturbed = true;
}

/* Runs topod. True if something failed that may succeed later: a MAC address is in use until the deleted namespace has been
 * destroyed. */
static bool apply(struct both *b, int version) {
	const struct topology_hooks hooks = {};
	_cleanup_free_ char *problem = NULL;
	struct reconciler_status status = {};
	struct spec spec = {};

	if (!run_read(&b->run, version, &spec))
		return false;
	b->session = TOPOLOGY_NONE;
	if (topology_open(&b->session, &spec, &(struct topology_source){}, &hooks, &problem) < 0)
		run_fail(&b->run, "session: %s", problem);
	else
		topology_settle(&b->session);
	/* Events that arrived meanwhile (a macvlan that went with a recreated pair) are handled next, as in the daemon. */
	for (int i = 0; i < 5 && b->session.reconciler; i++)
		topology_dispatch(&b->session);
	if (b->session.reconciler)
		reconciler_status(b->session.reconciler, &status);
	topology_close(&b->session);
	spec_done(&spec);
	return status.phase == PHASE_DEGRADED;
}

static void work(struct both *b, int version) {
	_cleanup_free_ char *when = xasprintf("applying version %d", version);
	struct reconciler_status status;

	compare(b, "the acts before");
	if (b->telling)
		printf("# %s\n", when);
	ledger_file_set_root(model_root);
	run_start(&b->run, version);
	run_settle(&b->run);
	reconciler_status(b->run.r, &status);
	run_stop(&b->run);
	ledger_file_set_root(TOPOD_RUN_DIR);
	for (int i = 0; !b->run.failure && apply(b, version) && status.phase == PHASE_CONVERGED && i < APPLY_MAX; i++)
		nanosleep(&(struct timespec){ .tv_nsec = 20 * 1000 * 1000 }, NULL);
	compare(b, when);
}

static void live(struct both *b) {
	const struct c_case *c = b->run.c;

	prepare(b);
	if (c->upgrade && !b->run.failure)
		work(b, 0);
	if (!b->run.failure)
		work(b, 1);
	vec_foreach(step, &c->steps) {
		if (!case_has(c, step->id) || b->run.failure)
			continue;
		act(b, &step->op);
		if (step->n % 2 && !b->run.failure)
			work(b, 1);
	}
	if (!b->run.failure && c->steps.n)
		work(b, 1);
	if (!b->run.failure)
		work(b, -1);
}

/* Moves into new namespaces. */
static bool move_out(void) {
	_cleanup_free_ char *pid = xasprintf("%d", (int)getpid());

	setenv("HOSTPID", pid, 1);
	return unshare(CLONE_NEWNET | CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("run", "/run", "tmpfs", 0, "mode=0755") == 0 && mkdir(model_root, 0755) == 0 &&
	       mount("sys", "/sys", "sysfs", 0, NULL) == 0;
}

/* In a new namespace lo was never up. */
static void renew_host(struct world *w) {
	struct w_ns *host = w->spaces.items[0];

	vec_clear(&host->addresses);
	vec_clear(&host->made);
	ns_link(host, "lo")->values->up = false;
}

static char *do_case(uint64_t seed, bool *off, int n_off, bool telling) {
	struct both b = { .telling = telling };
	struct c_case *c = case_new(seed, true, off, n_off);
	char *failure;

	ledger_file_set_root(model_root);
	run_init(&b.run, c, false);
	renew_host(b.run.w);
	if (telling) {
		_cleanup_text_ struct text text = {};

		case_print(c, &text);
		printf("%s", text_str(&text));
	}
	if (real_kernel_new(&b.kernel) < 0)
		run_fail(&b.run, "kernel: cannot be asked");
	else
		live(&b);
	kernel_free(b.kernel);
	failure = TAKE_PTR(b.run.failure);
	run_done(&b.run);
	case_free(c);
	return failure;
}

/* Runs in its own process, which reports failures through a pipe. The caller frees; NULL: success. */
char *try_case(uint64_t seed, bool *off, int n_off, bool telling) {
	int ends[2];
	_cleanup_text_ struct text text = {};
	char buf[4096];
	ssize_t n;

	fflush(stdout);
	if (pipe(ends) < 0)
		abort();
	pid_t pid = fork();
	if (pid == 0) {
		char *failure = move_out() ? do_case(seed, off, n_off, telling) : xstrdup("namespaces: cannot be made");

		if (failure && write(ends[1], failure, strlen(failure)) < 0)
			_exit(1);
		fflush(stdout);
		_exit(0);
	}
	close(ends[1]);
	while ((n = read(ends[0], buf, sizeof(buf))) > 0)
		text_addn(&text, buf, (size_t)n);
	close(ends[0]);
	int status = 0;
	waitpid(pid, &status, 0);
	if (status)
		text_addf(&text, "crash: it ended with status %d", status);
	return text.size ? text_take(&text) : NULL;
}

const bool cases_real = true;
const unsigned cases_jobs = 4; /* each mostly waits for the kernel to destroy something */

int main(int argc, char **argv) {
	if (geteuid() != 0) {
		printf("skipped: needs root\n");
		return SKIP;
	}
	return cases_main(argc, argv, 15);
}
