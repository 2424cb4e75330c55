/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files that make core files. */
#pragma once

#include <lib/types.h>
#include <proc/signal.h>

struct aspace;

/* The name of a core file for a signal: -EOPNOTSUPP if the pattern is a program's, -EINVAL if it is empty. */
[[nodiscard]] int core_name_make(int signo, char *name, size_t size);

/* A growing piece of memory; once it has failed it stays so. */
struct core_notes {
	char *data;
	size_t size, room;
	bool failed;
};

/* All notes of the current process, whose current task `info` ends and whose others are parked. The caller frees notes->data with kvfree. */
void core_notes_make(struct core_notes *notes, struct aspace *as, const siginfo_t *info);
