/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instead of libnftables, for test_nft.py: it has the functions that topod wants, and crashes. */
#include <stdint.h>
#include <stdlib.h>

void *nft_ctx_new(uint32_t flags);
int nft_ctx_buffer_error(void *context);
const char *nft_ctx_get_error_buffer(void *context);
void nft_ctx_clear_include_paths(void *context);
int nft_ctx_add_include_path(void *context, const char *path);
int nft_run_cmd_from_buffer(void *context, const char *commands);

void *nft_ctx_new(uint32_t flags) {
	static char context;

	context = (char)flags;
	return &context;
}

int nft_ctx_buffer_error(void *context) {
	return !context;
}

const char *nft_ctx_get_error_buffer(void *context) {
	return context;
}

void nft_ctx_clear_include_paths(void *context) {
	(void)context;
}

int nft_ctx_add_include_path(void *context, const char *path) {
	return !context || !path;
}

int nft_run_cmd_from_buffer(void *context, const char *commands) {
	(void)context;
	if (commands)
		abort();
	return 0;
}
