/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host and domain name (uname(2), sethostname(2)) of the current task's name space. */
#pragma once

#include <lib/types.h>
#include <proc/namespaces.h>

/* Copies the terminated name. Any context. */
void uts_name_get(enum uts_name which, char out[__NEW_UTS_LEN + 1]);
/* Sets it to the first `size` bytes of `name`. -EINVAL: too long. No permission check. */
[[nodiscard]] int uts_name_set(enum uts_name which, const char *name, size_t size);

/* The same in another name space. */
[[nodiscard]] int uts_name_set_in(struct uts_namespace *uts, enum uts_name which, const char *name,
				  size_t size);

/* Boot: the kind of name space. */
void uts_init(void);
