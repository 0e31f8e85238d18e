/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine made of fuzzed bytes, in place of the real one: what the kernel would answer is read from the input.
 *
 * The program is linked without daemon/netns.c and daemon/settings.c, whose functions are here and touch nothing, and
 * with the socket calls of the rest wrapped (see CMakeLists.txt). So the daemon's own code runs from its first request
 * to its last, and nothing reaches this machine.
 *
 * The input is a list of datagrams, each behind its size in two bytes (little endian). A size of 0 ends the answer as
 * the kernel would (a dump with NLMSG_DONE, requests with their acknowledgements), 0xffff is ENOBUFS, 0xfffe EINTR,
 * 0xfffd a datagram that another process sent. In a datagram, a message's sequence number counts from the first
 * message that was sent last, so that an input is good whatever was asked before. When the input is used up, every
 * question is answered with its end.
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

/* data must stay until machine_end(). */
void machine_begin(const uint8_t *data, size_t size);
void machine_end(void);

/* One byte of the input, 0 where it is used up: for choices of the target. */
uint8_t machine_byte(void);

/* Is the input used up? */
int machine_done(void);
