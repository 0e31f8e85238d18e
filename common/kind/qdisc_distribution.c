/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables of delays for netem: the inverse of a distribution's function at evenly spaced places, scaled so that 8192 is the
 * jitter (NETEM_DIST_SCALE, net/sched/sch_netem.c, tabledist()). iproute2 has such tables in files; these are computed.
 *
 * normal: with the mean 0 and the jitter as standard deviation; its inverse by P. J. Acklam's rational approximation
 * ("An algorithm for computing the inverse normal cumulative distribution function", relative error below 1.2e-9).
 * pareto: u^(-1/3), less its mean of 3/2, times 4/3. paretonormal: three quarters of the pareto value and a quarter of the
 * normal one at the same place. These two are those of iproute2's netem/pareto.c and netem/paretonormal.c, so that the
 * tables agree with its tables.
 */
#include <math.h>

#include "kind/qdisc.h"

static double normal(double p) {
	static const double a[] = { -3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
				    1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00 };
	static const double b[] = { -5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
				    6.680131188771972e+01, -1.328068155288572e+01 };
	static const double c[] = { -7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
				    -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00 };
	static const double d[] = { 7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
				    3.754408661907416e+00 };
	const double low = 0.02425;

	if (p > 1 - low)
		return -normal(1 - p);
	if (p < low) {
		double q = sqrt(-2 * log(p));

		return (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) /
		       ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
	}
	double q = p - 0.5, r = q * q;
	return (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
	       (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
}

static double pareto(double p) {
	return (1 / cbrt(1 - p) - 1.5) * 4 / 3;
}

static double value_at(enum netem_distribution distribution, double p) {
	switch (distribution) {
	case NETEM_UNIFORM:
		return 2 * p - 1;
	case NETEM_NORMAL:
		return normal(p);
	case NETEM_PARETO:
		return pareto(p);
	case NETEM_PARETONORMAL:
		return 0.25 * normal(p) + 0.75 * pareto(p);
	}
	abort();
}

void netem_table(enum netem_distribution distribution, int16_t table[NETEM_TABLE_SIZE]) {
	for (int i = 0; i < NETEM_TABLE_SIZE; i++) {
		double value = round(value_at(distribution, (i + 0.5) / NETEM_TABLE_SIZE) * NETEM_DIST_SCALE);

		table[i] = (int16_t)fmax(INT16_MIN, fmin(INT16_MAX, value));
	}
}
