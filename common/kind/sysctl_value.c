/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the value of a setting means, and which names are the same setting.
 *
 * The kernel reads numbers of any base, lists in any order and overlapping ranges, and prints each value in one form.
 * Values are converted to that form before they are compared; otherwise 0x1 and 1 would differ forever. For some paths the
 * form is known; for all others only numbers are recognised.
 */
#include "kind/sysctl.h"

#include <ctype.h>
#include <stdlib.h>

enum form {
	FORM_TEXT,    /* verbatim, except for white space */
	FORM_NUMBERS, /* n numbers, separated by white space: proc_dointvec() */
	FORM_RANGES,  /* 22-25,80: proc_do_large_bitmap() */
	FORM_ADDRESS, /* an IPv6 address: addrconf_sysctl_stable_secret() */
};

/* Writing too few numbers changes the first ones and leaves the others; extra numbers are ignored
 * (do_proc_dointvec(), kernel/sysctl.c). */
static const struct shape {
	const char *path; /* '*' stands for one component */
	enum form form;
	unsigned n; /* count of numbers; ranges: number of bits */
	const char *names, *example;
	bool secret; /* the kernel shows the value to root alone, because it is a key */
} shapes[] = {
	{ "net/ipv6/conf/*/" SYSCTL_STABLE_SECRET, FORM_ADDRESS, 0, NULL, "2001:db8:1:2:3:4:5:6", true },
	{ "net/ipv4/conf/*/*", FORM_NUMBERS, 1, NULL, NULL },
	{ "net/ipv6/conf/*/*", FORM_NUMBERS, 1, NULL, NULL },
	{ "net/ipv4/neigh/*/*", FORM_NUMBERS, 1, NULL, NULL },
	{ "net/ipv6/neigh/*/*", FORM_NUMBERS, 1, NULL, NULL },
	{ "net/ipv4/ip_forward", FORM_NUMBERS, 1, NULL, NULL },
	{ "net/ipv4/ip_local_reserved_ports", FORM_RANGES, 65536, NULL, "22-25,80,8080" },
	{ "net/ipv6/icmp/ratemask", FORM_RANGES, 256, NULL, "0-1,3-127" },
	{ "net/ipv4/ip_local_port_range", FORM_NUMBERS, 2, "first and last", "32768 60999" },
	{ "net/ipv4/ping_group_range", FORM_NUMBERS, 2, "lowest and highest", "0 2147483647" },
	{ "net/ipv4/tcp_rmem", FORM_NUMBERS, 3, "minimum, default and maximum", "4096 131072 6291456" },
	{ "net/ipv4/tcp_wmem", FORM_NUMBERS, 3, "minimum, default and maximum", "4096 16384 4194304" },
	{ "net/ipv4/tcp_mem", FORM_NUMBERS, 3, "low, pressure and high", "190749 254333 381498" },
	{ "net/ipv4/udp_mem", FORM_NUMBERS, 3, "low, pressure and high", "381498 508666 762996" },
	{ "net/sctp/sctp_mem", FORM_NUMBERS, 3, "low, pressure and high", "190749 254333 381498" },
	{ "net/sctp/sctp_rmem", FORM_NUMBERS, 3, "minimum, default and maximum", "4096 865500 6291456" },
	{ "net/sctp/sctp_wmem", FORM_NUMBERS, 3, "minimum, default and maximum", "4096 16384 4194304" },
	{ "net/core/rps_default_mask", FORM_TEXT, 0, NULL, NULL },      /* hexadecimal without 0x */
	{ "net/core/flow_limit_cpu_bitmap", FORM_TEXT, 0, NULL, NULL }, /* the same */
	{ "net/ipv4/" SYSCTL_FASTOPEN_KEY, FORM_TEXT, 0, NULL, NULL, true },
};

/* Settings that two files show (net/core/neighbour.c, net/ipv4/devinet.c, net/ipv6/route.c,
 * net/netfilter/nf_conntrack_standalone.c). The value in the first file, times the factor, is that in the second. */
static const struct alias {
	const char *path, *last; /* last: the last component of the canonical name, or the whole name if `path` has no '*' */
	unsigned factor;
} aliases[] = {
	{ "net/ipv4/conf/all/forwarding", "net/ipv4/ip_forward", 1 },
	{ "net/nf_conntrack_max", "net/netfilter/nf_conntrack_max", 1 },
	{ "net/ipv4/neigh/*/retrans_time", "retrans_time_ms", 10 }, /* 1/100 s (USER_HZ) */
	{ "net/ipv6/neigh/*/retrans_time", "retrans_time_ms", 10 },
	{ "net/ipv4/neigh/*/base_reachable_time", "base_reachable_time_ms", 1000 },
	{ "net/ipv6/neigh/*/base_reachable_time", "base_reachable_time_ms", 1000 },
	{ "net/ipv6/route/gc_min_interval", "gc_min_interval_ms", 1000 },
};

bool sysctl_path_matches(const char *pattern, const char *path) {
	for (; *pattern; pattern++) {
		if (*pattern == '*') {
			size_t part = strcspn(path, "/");

			if (!part)
				return false;
			path += part;
		} else if (*pattern != *path++) {
			return false;
		}
	}
	return !*path;
}

static const struct shape *find_shape(const char *path) {
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
		if (sysctl_path_matches(shapes[i].path, path))
			return &shapes[i];
	return NULL;
}

const struct kind *sysctl_kind(const char *path) {
	const struct shape *shape = find_shape(path);

	return shape && shape->secret ? &kind_secret_sysctl : &kind_sysctl;
}

/* Reads a whole word as the kernel reads a number (strtoul_lenient() with base 0). */
static bool parse_number(const char *word, size_t n, long long *ret) {
	char text[32], *end;

	if (n == 0 || n >= sizeof(text) ||
	    !(isdigit((unsigned char)word[0]) || (word[0] == '-' && isdigit((unsigned char)word[1]))))
		return false;
	memcpy(text, word, n);
	text[n] = '\0';
	errno = 0;
	*ret = strtoll(text, &end, 0);
	return !errno && !*end;
}

/* The numbers in decimal, separated by one space; NULL: a word is not a number. */
static const char *numbers(struct arena *arena, const char *value, unsigned factor, unsigned *ret_n) {
	_cleanup_text_ struct text out = {};

	*ret_n = 0;
	for (const char *at = value + strspn(value, " "); *at; at += strspn(at, " ")) {
		size_t n = strcspn(at, " ");
		long long number;

		if (!parse_number(at, n, &number) || __builtin_mul_overflow(number, (long long)factor, &number))
			return NULL;
		text_add(&out, out.size ? " " : "");
		text_add(&out, number < 0 ? "-" : "");
		text_add_number(&out, number < 0 ? -(uint64_t)number : (uint64_t)number);
		at += n;
		++*ret_n;
	}
	return arena_strdup(arena, text_str(&out));
}

/* Reads one number, or two with '-' between them. Returns the end; NULL: it is neither. */
static const char *parse_range(const char *at, unsigned n_bits, long long *ret_first, long long *ret_last) {
	size_t n = strcspn(at, "-,");

	if (!parse_number(at, n, ret_first))
		return NULL;
	at += n;
	*ret_last = *ret_first;
	if (*at == '-') {
		n = strcspn(++at, ",");
		if (!parse_number(at, n, ret_last))
			return NULL;
		at += n;
	}
	return *ret_first < 0 || *ret_first > *ret_last || *ret_last >= n_bits ? NULL : at;
}

static const char *ranges(struct arena *arena, const char *value, unsigned n_bits) {
	_cleanup_free_ char *bits = xmalloc(n_bits + 1);
	_cleanup_text_ struct text out = {};

	for (const char *at = value; *at;) {
		long long first, last;

		at = parse_range(at, n_bits, &first, &last);
		if (!at)
			return NULL;
		memset(bits + first, 1, (size_t)(last - first + 1));
		at += *at == ',';
	}
	for (unsigned i = 0, end; i < n_bits; i = end + 1) {
		for (end = i; bits[end]; end++)
			;
		if (end > i)
			text_addf(&out, end - i > 1 ? "%s%u-%u" : "%s%u", out.size ? "," : "", i, end - 1);
	}
	return arena_strdup(arena, text_str(&out));
}

static const char *address(struct arena *arena, const char *value) {
	char buffer[IP_TEXT_MAX];
	struct ip ip;

	if (ip_parse(value, &ip) < 0 || ip.family != AF_INET6)
		return NULL;
	return arena_strdup(arena, ip_format(&ip, buffer));
}

static const char *wrong_count(struct arena *arena, const struct shape *shape, unsigned n) {
	if (shape->n == 1)
		return arena_printf(arena, "takes one number, not %u", n);
	return arena_printf(arena, "takes %u numbers (%s), not %u; write them like \"%s\"", shape->n, shape->names, n,
			    shape->example);
}

const char *sysctl_value(struct arena *arena, const char *path, const char *value, unsigned factor, const char **ret_why) {
	const struct shape *shape = find_shape(path);
	const char *found = NULL;
	unsigned n = 0;

	*ret_why = NULL;
	switch (shape ? shape->form : FORM_NUMBERS) {
	case FORM_TEXT:
		break;
	case FORM_NUMBERS:
		found = numbers(arena, value, factor, &n);
		if (shape && !found)
			*ret_why = shape->n == 1 ? "takes a number: 1 for on, 0 for off" : "takes numbers";
		else if (shape && n != shape->n)
			*ret_why = wrong_count(arena, shape, n);
		break;
	case FORM_RANGES:
		found = ranges(arena, value, shape->n);
		if (!found)
			*ret_why = arena_printf(arena, "takes numbers below %u and ranges of them, as in \"%s\"", shape->n,
						shape->example);
		break;
	case FORM_ADDRESS:
		found = address(arena, value);
		if (!found)
			*ret_why = arena_printf(arena, "takes an IPv6 address, as in \"%s\"", shape->example);
		break;
	}
	return found && *found ? found : value;
}

const char *sysctl_one_name(struct arena *arena, const char *path, unsigned *ret_factor) {
	const char *last = strrchr(path, '/');

	*ret_factor = 1;
	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++) {
		if (!sysctl_path_matches(aliases[i].path, path))
			continue;
		*ret_factor = aliases[i].factor;
		if (strchr(aliases[i].last, '/'))
			return aliases[i].last;
		return arena_printf(arena, "%.*s/%s", (int)(last - path), path, aliases[i].last);
	}
	return path;
}
