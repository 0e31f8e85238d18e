/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For cppcheck, which is shown no headers of libraries and does not parse __typeof__: macros as it can read them. */
#define _GNU_SOURCE
#define YAML_DECLARE
#define TOPOD_VERSION ""
#define __typeof__(x) char *
#define HASH_ITER(hh, head, el, tmp) for ((el) = (tmp) = (head); (el); (el) = (tmp))
#define SD_ID128_MAKE(...) \
	{}
