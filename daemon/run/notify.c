/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/notify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <systemd/sd-daemon.h>

#include "base/text.h"

/* A line break would end the variable, and the rest would be another one. */
static void add_sentence(const char *format, va_list args, struct text *out) _printf_(1, 0);

static void add_sentence(const char *format, va_list args, struct text *out) {
	_cleanup_free_ char *sentence = xvasprintf(format, args);

	for (char *c = sentence; *c; c++)
		if (*c == '\n' || *c == '\r')
			*c = ' ';
	text_addf(out, "STATUS=%s", sentence);
}

static void tell(const char *variable, const char *format, va_list args) _printf_(2, 0);

static void tell(const char *variable, const char *format, va_list args) {
	_cleanup_text_ struct text text = {};

	text_add(&text, variable);
	add_sentence(format, args, &text);
	sd_notify(0, text.data);
}

#define TELL(variable)                        \
	do {                                  \
		va_list args;                 \
		va_start(args, format);       \
		tell(variable, format, args); \
		va_end(args);                 \
	} while (0)

void notify_ready(const char *format, ...) {
	TELL("READY=1\n");
}

void notify_status(const char *format, ...) {
	TELL("");
}

void notify_stopping(const char *format, ...) {
	TELL("STOPPING=1\n");
}

void notify_reloading(uint64_t now_usec) {
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\nSTATUS=Reading the file again.", now_usec);
}

void notify_extend(uint64_t usec) {
	sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%" PRIu64, usec);
}

uint64_t notify_watchdog_usec(void) {
	uint64_t usec = 0;

	return sd_watchdog_enabled(0, &usec) > 0 ? usec : 0;
}

void notify_alive(uint64_t now_usec) {
	static uint64_t last_usec;
	uint64_t period = notify_watchdog_usec();

	/* sd_watchdog_enabled(3) recommends half of the period; a quarter leaves room for delays. */
	if (!period || (last_usec && now_usec - last_usec < period / 4))
		return;
	last_usec = now_usec;
	sd_notify(0, "WATCHDOG=1");
}
