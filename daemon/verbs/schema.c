/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs `schema` and `version`: what does not depend on any topology. */
#include "language/schema.h"
#include "verbs/verbs.h"

int verb_version(_unused_ const struct options *options) {
	printf("topod %s\n", TOPOD_VERSION);
	return EXIT_DONE;
}

int verb_schema(const struct options *options) {
	_cleanup_text_ struct text page = {};

	if (!options->markdown && !options->man) {
		print_json(schema_json());
		return EXIT_DONE;
	}
	if (options->man)
		schema_man(&page);
	else
		schema_markdown(&page);
	fputs(text_str(&page), stdout);
	return EXIT_DONE;
}
