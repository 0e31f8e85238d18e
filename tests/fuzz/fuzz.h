/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by all targets: libFuzzer's entry point, what a corpus must reach, and assertions. */
#pragma once

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Called after a whole corpus, without libFuzzer: checks that it reaches what it is meant to. If the program's requests
 * change, a corpus would become useless unnoticed. Optional. */
void fuzz_reached(void);

#define must(condition)                                                                         \
	do {                                                                                    \
		if (!(condition)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                \
		}                                                                               \
	} while (0)
