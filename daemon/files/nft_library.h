/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Has libnftables load a file into a network namespace that nothing else uses, in a process of its own.
 *
 * A fault of the library, or of the kernel's parser behind it, ends that process alone. It has no network, no other capability
 * than the namespace needs, and limits of memory and time. It knows nothing of topologies.
 */
#pragma once

#include "base/base.h"
#include "base/text.h"

enum nft_outcome {
	NFT_LOADED,
	NFT_REFUSED,      /* by libnftables or the kernel: the text is libnftables' */
	NFT_NO_LIBRARY,   /* it is not installed */
	NFT_NO_NAMESPACE, /* this process may not make one: the text says why */
	NFT_CRASHED,      /* the text says how */
};

/* directory and name: of the file; `include` is relative to the directory. table: the inet table that the content is put into, NULL
 * if the file has one itself. With NFT_LOADED, *ret_netfilter is a netlink socket in the namespace. The caller closes it, which
 * ends the namespace. */
enum nft_outcome nft_library_load(const char *directory, const char *name, const char *table, struct text *out,
				  int *ret_netfilter);
