/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the verifier says. */
#include <lib/format.h>
#include <net/bpf/log.h>

void bpf_log_print(struct bpf_log *log, const char *format, ...)
{
	va_list arguments;
	size_t room;
	int length;

	if (!log || log->length >= sizeof(log->text) - 1)
		return;
	room = sizeof(log->text) - log->length;
	va_start(arguments, format);
	length = vsnprintf(log->text + log->length, room, format, arguments);
	va_end(arguments);
	log->length += (u32)MIN((size_t)length, room - 1);
	if (log->length < sizeof(log->text) - 1) {
		log->text[log->length++] = '\n';
		log->text[log->length] = 0;
	}
}
