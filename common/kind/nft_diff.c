/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which rules of a chain can stay when it changes: a longest common subsequence. A rule that stays keeps its counters and
 * its place on the packets' path.
 */
#include "kind/ruleset.h"

#include "base/hash.h"

enum { COMPARE_MAX = 1000 * 1000 }; /* limit of comparing rules; beyond it the part that differs is replaced as a whole */

struct lines {
	const struct nft_content_rule *rules;
	size_t first, end; /* the part that differs */
};

static bool same(const struct nft_content_rule *a, const struct nft_content_rule *b) {
	return streq(a->text, b->text);
}

/* Rules by hash, so that long equal beginnings are not compared again and again. */
static uint32_t *hash_rules(const struct lines *lines) {
	size_t n = lines->end - lines->first;
	uint32_t *hashes = xmalloc(n * sizeof(*hashes) + 1);

	for (size_t i = 0; i < n; i++)
		hashes[i] = hash_bytes(lines->rules[lines->first + i].text, strlen(lines->rules[lines->first + i].text));
	return hashes;
}

/* longest[i * (m + 1) + k]: the length of the longest common subsequence of the rules from i on and those from k on. */
static void match_middle(const struct lines *a, const struct lines *b, size_t *stays, bool *kept) {
	size_t n = a->end - a->first, m = b->end - b->first;

	if (!n || !m || n > COMPARE_MAX / m)
		return;
	_cleanup_free_ uint32_t *x = hash_rules(a), *y = hash_rules(b),
				*longest = xmalloc((n + 1) * (m + 1) * sizeof(*longest));
	for (size_t i = n + 1; i-- > 0;)
		for (size_t k = m + 1; k-- > 0;) {
			uint32_t *here = &longest[i * (m + 1) + k];

			if (i == n || k == m)
				*here = 0;
			else if (x[i] == y[k])
				*here = longest[(i + 1) * (m + 1) + k + 1] + 1;
			else
				*here = MAX(here[m + 1], here[1]);
		}
	for (size_t i = 0, k = 0; i < n && k < m;) {
		if (x[i] == y[k] && same(&a->rules[a->first + i], &b->rules[b->first + k])) {
			stays[a->first + i] = b->first + k;
			kept[b->first + k] = true;
			i++, k++;
		} else if (longest[(i + 1) * (m + 1) + k] >= longest[i * (m + 1) + k + 1]) {
			i++;
		} else {
			k++;
		}
	}
}

void nft_match_rules(const struct nft_content *desired, const struct nft_content *seen, size_t *stays, bool *kept) {
	struct lines a = { desired->rules, 0, desired->n }, b = { seen ? seen->rules : NULL, 0, seen ? seen->n : 0 };

	for (size_t i = 0; i < a.end; i++)
		stays[i] = NFT_NEW_RULE;
	while (a.first < a.end && b.first < b.end && same(&a.rules[a.first], &b.rules[b.first])) {
		kept[b.first] = true;
		stays[a.first++] = b.first++;
	}
	while (a.first < a.end && b.first < b.end && same(&a.rules[a.end - 1], &b.rules[b.end - 1])) {
		kept[--b.end] = true;
		stays[--a.end] = b.end;
	}
	match_middle(&a, &b, stays, kept);
}
