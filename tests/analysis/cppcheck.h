/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For cppcheck, which gets no library headers and does not parse __typeof__: macros that it can read. */
#define _GNU_SOURCE
#define YAML_DECLARE
#define TOPOD_VERSION ""
#define __typeof__(x) char *
#define HASH_ITER(hh, head, el, tmp) for ((el) = (tmp) = (head); (el); (el) = (tmp))
#define json_array_foreach(array, i, value) for ((i) = 0; (value) = (array); (i)++)
#define json_object_foreach(object, key, value) for ((key) = ""; (value) = (object);)
#define mnl_attr_for_each_nested(attr, nest) for ((attr) = (nest); (attr);)
#define SD_ID128_MAKE(...) \
	{}
