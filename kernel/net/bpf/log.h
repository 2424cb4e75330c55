/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the verifier says: a few lines, the last of them why it refused. */
#pragma once

#include <lib/types.h>

struct bpf_log {
	u32 length;
	char text[508]; /* terminated */
};

/* Appends a line; what does not fit is cut. A null log does nothing. */
void bpf_log_print(struct bpf_log *log, const char *format, ...) __printf(2, 3);
