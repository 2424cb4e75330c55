/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of exec: strings, scripts, ELF. */
#pragma once

#include <proc/task.h>

#include <linux/elf.h>

#define EXEC_HEADER_SIZE 256 /* what of a file decides how it is run (Linux: BINPRM_BUF_SIZE) */
#define EXEC_DEPTH_MAX 5     /* scripts whose interpreter is a script ... */
#define EXEC_PREFIX_MAX (2 * (EXEC_DEPTH_MAX + 1) + 1)

/* Argument and environment strings, one after the other, copied before the old program goes. */
struct exec_chunk {
	struct exec_chunk *next;
	size_t used;
	char data[4096 - 16];
};
struct exec_strings {
	struct exec_chunk *first, *last;
	size_t size;  /* bytes of all strings with their terminators */
	size_t limit; /* of size and the pointers to them */
	u32 argc, envc;
};

struct exec_format;

struct exec_image {
	const struct exec_request *request;
	struct file *file; /* the program, or the last interpreter of scripts; holds a reference */
	char header[EXEC_HEADER_SIZE]; /* its beginning, zero filled */
	const char *prefix
		[EXEC_PREFIX_MAX]; /* arguments that scripts put in front, the last one first; allocated */
	unsigned prefix_count;
	bool replace_first; /* argv[0] is replaced by the prefix */
	bool keep_first;    /* a registered format asked to keep it all the same */
	/* Binfmt_misc's O: the interpreter gets it open; holds a reference; may be null. */
	struct file *passed_file;
	bool passed_credentials; /* C: that file decides about them */
	int passed_fd;		 /* -1: none */
	struct exec_strings strings;
	struct credentials *credentials; /* those of the new program */
	bool secure;			 /* AT_SECURE */
	bool unreadable;		 /* the user may execute the file but not read it */

	/* What loading found out. */
	struct aspace *aspace; /* the new one; one user and one reference */
	vaddr_t entry;	       /* where to begin: the interpreter's or the program's */
	vaddr_t program_entry, program_headers, interpreter_base;
	unsigned program_header_count;
	vaddr_t stack_top; /* end of the stack mapping */
};

/* exec_strings.c */
/* Copies prefix, arguments and environment of the request. -E2BIG, -EFAULT, -ENOMEM. */
[[nodiscard]] int exec_strings_copy(struct exec_image *image);
void exec_strings_free(struct exec_strings *strings);
/*
 * Writes strings, auxiliary vector and pointers on the new program's stack, which is in the current address space. Stores the
 * initial stack pointer. -EFAULT.
 */
[[nodiscard]] int exec_stack_build(struct exec_image *image, vaddr_t *sp);

/* The path of the file, the first time; what scripts and formats put in front of the arguments. -ENOMEM, -ELOOP. */
[[nodiscard]] int exec_prefix_begin(struct exec_image *image, bool keep_first);
[[nodiscard]] int exec_prefix_add(struct exec_image *image, const char *text);
/* The path that image->file was opened by. */
const char *exec_prefix_path(const struct exec_image *image);

/* exec_formats.c: if a registered format matches, opens its interpreter in the file's place. 1: did so; 0: none does. */
[[nodiscard]] int exec_registered(struct exec_image *image);
/* exec_format_parse.c: everything but opening the interpreter. -EINVAL, -ENOMEM. */
[[nodiscard]] int exec_format_parse(const char *text, size_t size, struct exec_format **out);

/* exec_script.c: if the header begins with #!, opens the interpreter in the script's place. 1: did so; 0: it is no script. */
[[nodiscard]] int exec_script(struct exec_image *image);

/* elf.c: builds the new address space. -ENOEXEC if it is no ELF file for this machine; -ELIBBAD, -EINVAL, -ENOMEM, -EIO. */
[[nodiscard]] int elf_load(struct exec_image *image);
