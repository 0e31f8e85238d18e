/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What encoding needs of the resolver, with the words for what it does not find. */
#include "model/kind.h"

uint32_t encode_ifindex(struct encode *encode, const char *ns, const char *name) {
	uint32_t index = encode->resolver->ifindex(encode->resolver->userdata, ns, name);

	if (!index)
		encode->problem = arena_printf(encode->arena, "there is no %s in %s", name, ns);
	return index;
}
