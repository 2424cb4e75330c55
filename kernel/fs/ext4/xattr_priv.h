/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Areas of extended attributes, shared by what reads and changes them and what tells their names. */
#pragma once

#include <fs/ext4/ext4_priv.h>
#include <lib/string.h>

struct ext4_xattr_area {
	char *base; /* value offsets count from here */
	char *first;
	char *end;
	bool sorted;
};

static inline struct ext4_xattr_entry *ext4_xattr_next(const struct ext4_xattr_entry *e)
{
	return (void *)((char *)e + ((sizeof(*e) + e->e_name_len + 3) & ~3ul));
}
static inline bool ext4_xattr_is_last(const struct ext4_xattr_entry *e)
{
	u32 word;

	memcpy(&word, e, sizeof(word));
	return !word;
}

/* Calls `visit` for the areas that the inode has, checked, until it returns other than 0, which it returns. May sleep. */
[[nodiscard]] ssize_t ext4_xattr_for_each_area(struct ext4_inode *inode,
					       ssize_t (*visit)(struct ext4_inode *inode,
								const struct ext4_xattr_area *area,
								void *arg),
					       void *arg);
