/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every target has in common: libFuzzer's entry, what a corpus has to reach, and assertions that end it. */
#pragma once

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* After a whole corpus, without libFuzzer: that it reaches what it is there for. A corpus goes stale without a word
 * where what the program asks for changes. A target need not have it. */
void fuzz_reached(void);

#define must(condition)                                                                         \
	do {                                                                                    \
		if (!(condition)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                \
		}                                                                               \
	} while (0)
