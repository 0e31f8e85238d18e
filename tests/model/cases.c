/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cases.h"

#include <getopt.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

static uint64_t current_seed;

/* Reducing a case. */

static bool fails_alike(uint64_t seed, bool *off, int n, const char *failure) {
	_cleanup_free_ char *other = try_case(seed, off, n, false);

	return other && strcspn(other, ":") == strcspn(failure, ":") && strncmp(other, failure, strcspn(failure, ":")) == 0;
}

static void shrink(uint64_t seed, bool *off, int n, const char *failure) {
	bool smaller = true;

	for (int size = n / 4; smaller || size > 1; size = MAX(size / 2, 1)) {
		smaller = false;
		for (int i = 0; i < n; i += size) {
			_cleanup_free_ bool *before = xmalloc((size_t)n);
			bool any = false;

			memcpy(before, off, (size_t)n);
			for (int j = i; j < MIN(i + size, n); j++) {
				any |= !off[j];
				off[j] = true;
			}
			if (any && fails_alike(seed, off, n, failure))
				smaller = true;
			else
				memcpy(off, before, (size_t)n);
		}
	}
}

static int count_parts(uint64_t seed) {
	struct c_case *c = case_new(seed, cases_real, NULL, 0);
	int n = c->n_parts;

	case_free(c);
	return n;
}

static void report(uint64_t seed, const char *failure, bool small) {
	int n = count_parts(seed);
	_cleanup_free_ bool *off = xmalloc((size_t)n + 1);
	_cleanup_free_ char *recreates = NULL;

	printf("case %llu fails: %s\n", (unsigned long long)seed, failure);
	if (small)
		shrink(seed, off, n, failure);
	recreates = try_case(seed, off, n, true);
	printf("%s: %s\n\n", small ? "made small" : "again", recreates ? recreates : "it fails no more");
	fflush(stdout);
}

/* The program. */

static double seconds(void) {
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void tell_seed(int signal) {
	char text[64];
	int n = snprintf(text, sizeof(text), "\nin case %llu\n", (unsigned long long)current_seed);

	(void)!write(STDERR_FILENO, text, (size_t)n);
	raise(signal);
}

struct options {
	uint64_t seed, count;
	double seconds;
	bool one, small;
};

static uint64_t number(const char *text) {
	return text ? strtoull(text, NULL, 0) : 0;
}

static struct options read_options(int argc, char **argv, double limit) {
	static const struct option names[] = {
		{ "seed", required_argument, NULL, 's' },    { "count", required_argument, NULL, 'n' },
		{ "seconds", required_argument, NULL, 't' }, { "case", required_argument, NULL, 'c' },
		{ "whole", no_argument, NULL, 'w' },         {},
	};
	struct options o = { .seed = getenv("TOPOD_MODEL_SEED") ? number(getenv("TOPOD_MODEL_SEED"))
								: (uint64_t)time(NULL) * 1000000,
			     .count = getenv("TOPOD_MODEL_COUNT") ? number(getenv("TOPOD_MODEL_COUNT")) : 4000,
			     .seconds = limit,
			     .small = true };

	for (int key; (key = getopt_long(argc, argv, "", names, NULL)) >= 0;) {
		switch (key) {
		case 's':
			o.seed = number(optarg);
			break;
		case 'n':
			o.count = number(optarg);
			o.seconds = 1e9;
			break;
		case 't':
			o.seconds = atof(optarg);
			o.count = UINT64_MAX;
			break;
		case 'c':
			o.seed = number(optarg);
			o.count = 1;
			o.one = true;
			break;
		case 'w':
			o.small = false;
			break;
		default:
			exit(64);
		}
	}
	return o;
}

/* Counters that the processes share. */
struct tally {
	atomic_size_t n_cases;
	atomic_int n_failed;
};

/* Tries every n-th case from the first on. */
static void try_cases(const struct options *o, struct tally *tally, uint64_t first, uint64_t n, double begun) {
	for (uint64_t i = first; i < o->count && tally->n_failed < 3 && seconds() - begun < o->seconds; i += n) {
		current_seed = o->seed + i;
		_cleanup_free_ char *failure = try_case(current_seed, NULL, 0, false);

		tally->n_cases++;
		tally->n_failed += !!failure;
		if (failure || o->one)
			report(current_seed, failure ? failure : "nothing", failure && o->small);
	}
}

static void try_at_once(const struct options *o, struct tally *tally, double begun) {
	for (unsigned job = 0; job < cases_jobs; job++) {
		pid_t pid = fork();

		if (pid < 0)
			abort();
		if (pid == 0) {
			try_cases(o, tally, job, cases_jobs, begun);
			fflush(stdout);
			_exit(0);
		}
	}
	for (int status; wait(&status) > 0;)
		tally->n_failed += status != 0;
}

int cases_main(int argc, char **argv, double limit) {
	struct options o = read_options(argc, argv, limit);
	struct tally *tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double begun = seconds();

	sigaction(SIGABRT, &(struct sigaction){ .sa_handler = tell_seed, .sa_flags = (int)SA_RESETHAND }, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (tally == MAP_FAILED)
		abort();
	printf("seed %llu\n", (unsigned long long)o.seed);
	if (cases_jobs > 1 && !o.one)
		try_at_once(&o, tally, begun);
	else
		try_cases(&o, tally, 0, 1, begun);
	printf("%zu cases from seed %llu in %.1f s, %d failed\n", tally->n_cases, (unsigned long long)o.seed,
	       seconds() - begun, tally->n_failed);
	return tally->n_failed ? 1 : 0;
}
