/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replaces the machine: the answers of the kernel are read from the fuzzed input.
 *
 * The program is linked without daemon/kernel/named_netns.c and daemon/kernel/proc_sys.c, daemon/files/etc_file.c,
 * whose functions are in machine_files.c and touch nothing, and with the socket calls of the rest wrapped (see
 * CMakeLists.txt). So the daemon's own code runs from its first request to its last, and nothing reaches this machine.
 *
 * In a stream of answers, each datagram follows its size in two bytes (little endian). A size of 0 ends the answer as the
 * kernel would (a dump with NLMSG_DONE, requests with their acknowledgements), 0xffff is ENOBUFS, 0xfffe EINTR, 0xfffd a
 * datagram from another process. The sequence numbers in a datagram count from the first message of the latest request, so
 * that an input stays valid whatever was requested before. When a stream is used up, every request is answered with its end.
 *
 * An input is either one stream, for a target with few requests (watch), or a list of records: a byte that selects the
 * stream, a size as above, and the data. Then each request is answered from the stream of its kind and namespace, so that a
 * corpus stays useful if the order of requests changes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
	MACHINE_END = 0,
	MACHINE_ENOBUFS = 0xffff,
	MACHINE_EINTR = 0xfffe,
	MACHINE_FOREIGN = 0xfffd, /* the next one is from somebody else */
	MACHINE_LARGEST = 0xfff0,
};

/* The first byte of a record: this, plus the namespace (machine_place()) times STREAM_KINDS. */
enum stream_kind {
	STREAM_CHOICES, /* bytes for all namespaces, from machine_byte(): other failures, and texts of files */
	STREAM_LINKS,
	STREAM_ADDRESSES,
	STREAM_ROUTES,
	STREAM_NUMBERS, /* where there is none, each namespace has the number machine_place() everywhere */
	STREAM_NETFILTER,
	STREAM_CHANGES, /* the answers to requests that change something */
	STREAM_KINDS,
};
enum { MACHINE_PLACES = 8 };

/* The number of a namespace, by its name; 0 is the host. */
unsigned machine_place(const char *name);
/* The inode of a namespace with that name, once the choices are used up. */
uint64_t machine_inode(const char *name);

/* How many requests of a type were sent, by all inputs. */
size_t machine_n_sent(uint16_t type);

/* Begins an input: one stream, or records. */
void machine_begin(const uint8_t *data, size_t size);
void machine_begin_records(const uint8_t *data, size_t size);
void machine_end(void);

/* The next byte of the choices; 0 when they are used up. */
uint8_t machine_byte(void);

/* Is all of the input used up? */
int machine_done(void);
