/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an error means that says only that something is full: which limit was reached, and where it is set.
 */
#pragma once

/* A sentence without an end, in static memory; NULL where the error's own words are as good. */
const char *limit_text(int error);

/* The same, and else strerror(3)'s words. */
const char *error_text(int error);
