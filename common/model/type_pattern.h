/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses as regular expressions (of ECMA-262, as JSON Schema wants them), for the schema.
 *
 * They accept whatever the parsers accept. What they accept beyond that is left to `topod check`.
 */
#pragma once

#define PATTERN_BYTE "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
#define PATTERN_IPV4 "(" PATTERN_BYTE "[.]){3}" PATTERN_BYTE
#define PATTERN_GROUP "[0-9A-Fa-f]{1,4}"
#define PATTERN_GROUPS(max) "(" PATTERN_GROUP "(:" PATTERN_GROUP "){0," max "})?"
#define PATTERN_IPV6                                                                                     \
	"(" PATTERN_GROUP "(:" PATTERN_GROUP                                                             \
	"){7}|" PATTERN_GROUPS("6") "::" PATTERN_GROUPS("6") "|"                                         \
							     "(" PATTERN_GROUP ":){6}" PATTERN_IPV4      \
							     "|" PATTERN_GROUPS("4") "::(" PATTERN_GROUP \
										     ":){0,4}" PATTERN_IPV4 ")"
#define PATTERN_MAC "[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}"
#define PATTERN_UNICAST_MAC "[0-9A-Fa-f][02468ACEace]([:-][0-9A-Fa-f]{2}){5}"
#define PATTERN_IP "(" PATTERN_IPV4 "|" PATTERN_IPV6 ")"
#define PATTERN_PREFIX \
	"(" PATTERN_IPV4 "(/([0-9]|[12][0-9]|3[0-2]))?|" PATTERN_IPV6 "(/([0-9]|[1-9][0-9]|1[01][0-9]|12[0-8]))?)"

/* The schema's definition of such a text (language/schema.c). */
#define SCHEMA_OF(definition) "{\"$ref\": \"#/$defs/" definition "\"}"
