/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memfd_create(2) and file seals (fcntl(2), "File Sealing"). */
#pragma once

#include <vfs/vfs.h>

/* A new file without a name in any directory, open for reading and writing; *out with a reference. -ENOMEM, -ENFILE. */
[[nodiscard]] int memfd_create(const char *name, bool may_seal, u32 mode, struct file **out);

/* F_ADD_SEALS and F_GET_SEALS. -EINVAL (not a file of tmpfs), -EPERM, -EBUSY. */
[[nodiscard]] int memfd_add_seals(struct file *file, u32 seals);
[[nodiscard]] int memfd_get_seals(struct file *file);

/* Boot, part of tmpfs_init. */
void memfd_init(const struct file_system_type *type);
