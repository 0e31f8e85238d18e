/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values that no diagnostic shows; for diag.c only. See diag_secret.c. */
#pragma once

#include "yaml/diag.h"

struct diag_span {
	size_t start, end; /* bytes of the source */
};

/* Zeroed is empty. */
struct diag_secrets {
	const struct source_text *source; /* in which they are */
	vec(struct diag_span) spans;
};

/* Replaces those of another source. The source must outlive them. */
void diag_secrets_find(struct diag_secrets *secrets, const struct source_text *source);
void diag_secrets_done(struct diag_secrets *secrets);

/* The end of the secret, or of a copy of it, that this byte of the source is part of; `at`: it is not part of one. */
size_t diag_secrets_end(const struct diag_secrets *secrets, size_t at);
/* The length of the secret that the text begins with; 0: none. */
size_t diag_secrets_match(const struct diag_secrets *secrets, const char *text);
