/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ledger of any bytes. What could be read is written and read again unchanged, and can be used for planning.
 */
#include "fuzz.h"
#include "report/report.h"
#include "language/spec.h"

static void read_back(const struct ledger *ledger) {
	_cleanup_free_ char *text = ledger_format(ledger), *recreates = NULL;
	_cleanup_(ledger_done) struct ledger other = {};
	size_t damaged;

	must(ledger_parse(&other, text, strlen(text), &damaged) == 0);
	must(damaged == 0);
	recreates = ledger_format(&other);
	must(streq(text, recreates));
}

static void add_observed(struct state *observed, const struct state *desired, bool present) {
	state_foreach(ns, desired)
		state_namespace(observed, ns->name)->present = present;
}

/* `down` on a machine where everything is gone, or every namespace is empty. */
static void plan_down(const struct ledger *ledger, bool present) {
	_cleanup_(spec_done) struct spec spec = {};
	_cleanup_(state_done) struct state observed = {};
	_cleanup_(plan_done) struct plan plan = {};
	_cleanup_text_ struct text text = {};

	spec_empty(&spec, "fuzz");
	ledger_add_returns(ledger, &spec.state);
	add_observed(&observed, &spec.state, present);
	plan_make(&plan, &(struct plan_input){ &spec.state, &observed, ledger });
	report_plan_text(&plan, false, &text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	_cleanup_(ledger_done) struct ledger ledger = {};
	size_t damaged = 0;

	if (ledger_parse(&ledger, (const char *)data, size, &damaged) < 0)
		return 0;
	read_back(&ledger);
	plan_down(&ledger, false);
	plan_down(&ledger, true);
	return 0;
}
