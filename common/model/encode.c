/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking up what a request needs from the resolver, with a message if it does not exist. */
#include "model/kind.h"

uint32_t encode_ifindex(struct encode *encode, const char *ns, const char *name) {
	uint32_t index = encode->resolver->ifindex(encode->resolver->userdata, ns, name);

	if (!index)
		encode->problem = arena_printf(encode->arena, "there is no %s in %s", name, ns);
	return index;
}
