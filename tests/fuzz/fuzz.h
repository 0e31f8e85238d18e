/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every target has in common: libFuzzer's entry, and assertions that end it. */
#pragma once

#include "base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define must(condition)                                                                                \
	do {                                                                                           \
		if (!(condition)) {                                                                    \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);        \
			abort();                                                                       \
		}                                                                                      \
	} while (0)
