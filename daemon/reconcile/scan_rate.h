/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How often a namespace is looked at in which something is left alone. Where things are fought over, or fail, each event asks for
 * a look at all of it, which finds nothing to do: whoever insists at full speed would have topod do nothing else.
 *
 * It knows how long looks took, and nothing of what they saw.
 */
#pragma once

#include "reconcile/pass.h"

/* A look at it found nothing to do. */
void scan_rate_scanned(const struct pass *pass, struct ns_info *info);

/* When it may be looked at again upon an event; 0: at once. */
uint64_t scan_rate_due(const struct reconciler *r, const struct ns_info *info);

/* Is it left alone for now? Then events are, too, for a moment. */
bool scan_rate_rests(struct reconciler *r, const struct ns_info *info, uint64_t now_usec);

/* All may be looked at, at once. */
void scan_rate_hurry(struct reconciler *r);
