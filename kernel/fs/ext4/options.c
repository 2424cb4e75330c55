/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mount options, ext4(5). */
#include <fs/ext4/ext4_priv.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/slab.h>

/* Flags, with the value that each name gives them. */
static const struct option {
	const char *name;
	u16 flag; /* offset in struct ext4_options */
	bool value;
} flags[] = {
	{ "discard", offsetof(struct ext4_options, discard), true },
	{ "nodiscard", offsetof(struct ext4_options, discard), false },
	{ "barrier", offsetof(struct ext4_options, no_barrier), false },
	{ "nobarrier", offsetof(struct ext4_options, no_barrier), true },
	{ "noload", offsetof(struct ext4_options, no_load), true },
	{ "norecovery", offsetof(struct ext4_options, no_load), true },
	{ "acl", offsetof(struct ext4_options, no_acl), false },
	{ "noacl", offsetof(struct ext4_options, no_acl), true },
};

/* What tunes things that this file system does in a way of its own, and cannot harm. */
static const char *const ignored[] = {
	"user_xattr",
	"nouid32",
	"data",
	"commit",
	"delalloc",
	"nodelalloc",
	"auto_da_alloc",
	"noauto_da_alloc",
	"journal_checksum",
	"nojournal_checksum",
	"dioread_nolock",
	"dioread_lock",
	"nobh",
	"bh",
	"block_validity",
	"noblock_validity",
	"init_itable",
	"noinit_itable",
	"inode_readahead_blks",
	"stripe",
	"mblk_io_submit",
	"i_version",
	"grpid",
	"nogrpid",
	"lazytime",
	"nolazytime",
	"max_dir_size_kb",
	"prefetch_block_bitmaps",
	"no_prefetch_block_bitmaps",
};

static int parse_errors(struct ext4_options *out, const char *value)
{
	if (!value)
		return -EINVAL;
	if (strcmp(value, "continue") == 0)
		out->on_error = EXT4_ERRORS_CONTINUE;
	else if (strcmp(value, "remount-ro") == 0)
		out->on_error = EXT4_ERRORS_READ_ONLY;
	else if (strcmp(value, "panic") == 0)
		out->on_error = EXT4_ERRORS_PANIC;
	else
		return -EINVAL;
	return 0;
}

static int parse_option(struct ext4_options *out, const char *name, const char *value)
{
	if (strcmp(name, "errors") == 0)
		return parse_errors(out, value);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (strcmp(flags[i].name, name) == 0) {
			*(bool *)((char *)out + flags[i].flag) = flags[i].value;
			return 0;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		if (strcmp(ignored[i], name) == 0)
			return 0;
	return -EINVAL;
}

int ext4_parse_options(struct ext4_options *out, const char *text)
{
	char *copy, *next;
	int result = 0;

	if (!text || !*text)
		return 0;
	copy = kstrdup(text, 0);
	if (!copy)
		return -ENOMEM;
	for (char *p = copy; p && !result; p = next) {
		char *value;

		next = strchr(p, ',');
		if (next)
			*next++ = 0;
		value = strchr(p, '=');
		if (value)
			*value++ = 0;
		if (*p)
			result = parse_option(out, p, value);
	}
	kfree(copy);
	return result;
}

size_t ext4_show_options(struct superblock *sb, char *buf, size_t size)
{
	const struct ext4 *fs = ext4_of(sb);
	size_t n = 0;

	if (fs->on_error != fs->super->s_errors)
		n += (size_t)scnprintf(buf + n, size - n, ",errors=%s",
				       fs->on_error == EXT4_ERRORS_PANIC       ? "panic"
				       : fs->on_error == EXT4_ERRORS_READ_ONLY ? "remount-ro"
									       : "continue");
	if (fs->discard)
		n += (size_t)scnprintf(buf + n, size - n, ",discard");
	if (fs->no_acl)
		n += (size_t)scnprintf(buf + n, size - n, ",noacl");
	return n;
}
