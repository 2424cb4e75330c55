/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registered formats of programs (binfmt_misc): which interpreter runs files that begin with some bytes, or whose name ends in some
 * way. After Documentation/admin-guide/binfmt-misc.rst.
 *
 * The newest registration that matches counts. Entries are objects with references: an exec that found one goes on with it though it
 * is removed meanwhile.
 */
#pragma once

#include <core/lock.h>
#include <lib/types.h>

struct exec_image;
struct file;

#define EXEC_FORMAT_TEXT_MAX 1920u /* of a registration */

struct exec_format {
	u32 refs;		  /* the table's, each user's; atomic */
	struct exec_format *next; /* guarded by the table's lock */
	u64 id;			  /* never used again */
	bool disabled;
	bool by_extension;
	bool preserve_argv0;	/* P */
	bool pass_file;		/* O */
	bool own_credentials;	/* C; then O too */
	bool interpreter_fixed; /* F */
	u32 offset, size;	/* of the magic in the file; its length */
	bool has_mask;
	const char *name, *interpreter; /* in `text` */
	const u8 *magic,
		*mask; /* in `text`; of an extension, the text behind the dot, terminated */
	struct file *interpreter_file; /* F; holds a reference */
	char text[];
};

/* ":name:type:offset:magic:mask:interpreter:flags". -EINVAL: malformed; -EEXIST: the name is taken; -ENOMEM, and with F what
 * opening the interpreter fails with. May sleep. */
[[nodiscard]] int exec_format_register(const char *text, size_t size);

/* By name, or the first with an id of at least `id`, in the order of registration; with a reference, or null. */
struct exec_format *exec_format_find(const char *name);
struct exec_format *exec_format_next(u64 id);
void exec_format_put(struct exec_format *format);

void exec_format_enable(struct exec_format *format, bool enable);
void exec_format_remove(struct exec_format *format);
void exec_format_remove_all(void);

/* All of them together. */
bool exec_formats_enabled(void);
void exec_formats_enable(bool enable);
