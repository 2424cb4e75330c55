/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a new program finds on its stack (System V ABI, "Process Initialization"), from the top down: eight zero bytes, the
 * program's path, environment strings, argument strings, the platform's name, random bytes, the auxiliary vector, pointers
 * to the environment and the arguments, their number.
 */
#include <arch/signal.h>
#include <core/random.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <proc/exec_priv.h>
#include <proc/proc_priv.h>

#include <linux/auxvec.h>
#include <linux/binfmts.h>

#define STRING_MAX (32 * PAGE_SIZE)
#define STACK_DEFAULT (8ul << 20)

static int chunk_add(struct exec_strings *s)
{
	struct exec_chunk *chunk = kmalloc(sizeof(*chunk), 0);

	if (!chunk)
		return -ENOMEM;
	chunk->next = nullptr;
	chunk->used = 0;
	if (s->last)
		s->last->next = chunk;
	else
		s->first = chunk;
	s->last = chunk;
	return 0;
}

void exec_strings_free(struct exec_strings *strings)
{
	while (strings->first) {
		struct exec_chunk *chunk = strings->first;

		strings->first = chunk->next;
		kfree(chunk);
	}
	strings->last = nullptr;
}

/* Room at the end of the last chunk; at least one byte. */
static int chunk_room(struct exec_strings *s, size_t *room)
{
	if (!s->last || s->last->used == sizeof(s->last->data)) {
		int err = chunk_add(s);

		if (err)
			return err;
	}
	*room = sizeof(s->last->data) - s->last->used;
	return 0;
}

static int strings_grew(struct exec_strings *s, size_t bytes)
{
	s->last->used += bytes;
	s->size += bytes;
	return s->size > s->limit ? -E2BIG : 0;
}

static int copy_kernel_string(struct exec_strings *s, const char *from)
{
	size_t left = strlen(from) + 1, room;

	while (left) {
		int err = chunk_room(s, &room);

		if (err)
			return err;
		room = MIN(room, left);
		memcpy(s->last->data + s->last->used, from, room);
		err = strings_grew(s, room);
		if (err)
			return err;
		from += room;
		left -= room;
	}
	return 0;
}

static int copy_user_string(struct exec_strings *s, const char __user *from)
{
	size_t copied = 0, room;

	for (;;) {
		int err = chunk_room(s, &room);
		ssize_t length;

		if (err)
			return err;
		if ((uintptr_t)from >= USER_MAX)
			return -EFAULT;
		room = MIN(room, (size_t)(USER_MAX - (uintptr_t)from));
		length = arch_copy_string_from_user(s->last->data + s->last->used, from, room);
		if (length < 0)
			return (int)length;
		if ((size_t)length < room)
			return strings_grew(s, (size_t)length + 1);
		copied += room;
		from += room;
		err = copied > STRING_MAX ? -E2BIG : strings_grew(s, room);
		if (err)
			return err;
	}
}

static int string_counted(struct exec_strings *s, u32 *count)
{
	if (s->limit <= sizeof(u64))
		return -E2BIG;
	s->limit -= sizeof(u64);
	(*count)++;
	return 0;
}

static int copy_user_vector(struct exec_strings *s, const char __user *const __user *vector,
			    u32 skip, u32 *count)
{
	const char __user *string;

	for (u32 i = 0; vector; i++) {
		int err = get_user(string, &vector[i]);

		if (err || !string)
			return err;
		if (i < skip)
			continue;
		err = string_counted(s, count);
		if (!err)
			err = copy_user_string(s, string);
		if (err)
			return err;
		if (signal_fatal_pending())
			return -EINTR;
	}
	return 0;
}

static int copy_kernel_vector(struct exec_strings *s, const char *const *vector, u32 skip,
			      u32 *count)
{
	for (u32 i = 0; vector && vector[i]; i++) {
		int err;

		if (i < skip)
			continue;
		err = string_counted(s, count);
		if (!err)
			err = copy_kernel_string(s, vector[i]);
		if (err)
			return err;
	}
	return 0;
}

static int copy_arguments(struct exec_image *image)
{
	const struct exec_request *req = image->request;
	struct exec_strings *s = &image->strings;
	u32 skip = image->replace_first ? 1 : 0;
	int err = 0;

	for (unsigned i = image->prefix_count; i-- && !err;) {
		err = string_counted(s, &s->argc);
		if (!err)
			err = copy_kernel_string(s, image->prefix[i]);
	}
	if (!err && req->kernel_argv)
		err = copy_kernel_vector(s, req->kernel_argv, skip, &s->argc);
	else if (!err)
		err = copy_user_vector(s, req->user_argv, skip, &s->argc);
	if (err || s->argc)
		return err;
	/* A program never finds argc 0: it would take its environment for arguments. */
	err = string_counted(s, &s->argc);
	return err ? err : copy_kernel_string(s, "");
}

int exec_strings_copy(struct exec_image *image)
{
	const struct exec_request *req = image->request;
	struct exec_strings *s = &image->strings;
	u64 stack = current_limit(RLIMIT_STACK);
	int err;

	s->limit = MAX(MIN(stack / 4, STACK_DEFAULT / 4 * 3), STRING_MAX);
	err = copy_arguments(image);
	if (!err && req->kernel_envp)
		err = copy_kernel_vector(s, req->kernel_envp, 0, &s->envc);
	else if (!err)
		err = copy_user_vector(s, req->user_envp, 0, &s->envc);
	return err ? err : copy_kernel_string(s, req->path);
}

/* Words written one after the other, a few at a time. */
struct word_writer {
	vaddr_t at;
	unsigned count;
	bool failed;
	u64 words[32];
};

static void words_flush(struct word_writer *w)
{
	size_t size = w->count * sizeof(u64);

	w->failed |= copy_to_user(__force_user(void __user *, w->at), w->words, size) != 0;
	w->at += size;
	w->count = 0;
}

static void word_put(struct word_writer *w, u64 word)
{
	w->words[w->count++] = word;
	if (w->count == ARRAY_SIZE(w->words))
		words_flush(w);
}

/* A position in the strings, to find where each one begins. */
struct string_cursor {
	const struct exec_chunk *chunk;
	size_t position;
	vaddr_t address;
};

/* Writes pointers to the next `count` strings and a null pointer. */
static void put_pointers(struct word_writer *w, struct string_cursor *c, u32 count)
{
	while (count--) {
		bool ended = false;

		word_put(w, c->address);
		while (!ended) {
			const char *from = c->chunk->data + c->position;
			size_t left = c->chunk->used - c->position;
			const char *end = memchr(from, 0, left);
			size_t step = end ? (size_t)(end - from) + 1 : left;

			ended = end;
			c->address += step;
			c->position += step;
			if (c->position == c->chunk->used) {
				c->chunk = c->chunk->next;
				c->position = 0;
			}
		}
	}
	word_put(w, 0);
}

static int put_strings(const struct exec_strings *s, vaddr_t at)
{
	for (const struct exec_chunk *chunk = s->first; chunk; chunk = chunk->next) {
		if (copy_to_user(__force_user(void __user *, at), chunk->data, chunk->used))
			return -EFAULT;
		at += chunk->used;
	}
	return 0;
}

/* The auxiliary vector (getauxval(3)); returns the words in use. */
static unsigned make_auxv(const struct exec_image *image, u64 *v, vaddr_t random, vaddr_t platform,
			  vaddr_t path)
{
	const struct credentials *c = image->credentials;
	struct aspace *as = image->aspace;
	unsigned n = 0;
#define AUX(type, value) (v[n++] = (type), v[n++] = (value))
	if (as->vdso)
		AUX(AT_SYSINFO_EHDR, as->vdso);
	AUX(AT_MINSIGSTKSZ, arch_signal_stack_min());
	AUX(AT_HWCAP, arch_hwcap());
	AUX(AT_PAGESZ, PAGE_SIZE);
	AUX(AT_CLKTCK, 100);
	AUX(AT_PHDR, image->program_headers);
	AUX(AT_PHENT, sizeof(Elf64_Phdr));
	AUX(AT_PHNUM, image->program_header_count);
	AUX(AT_BASE, image->interpreter_base);
	AUX(AT_FLAGS, image->keep_first ? AT_FLAGS_PRESERVE_ARGV0 : 0);
	AUX(AT_ENTRY, image->program_entry);
	AUX(AT_UID, c->uid);
	AUX(AT_EUID, c->euid);
	AUX(AT_GID, c->gid);
	AUX(AT_EGID, c->egid);
	AUX(AT_SECURE, image->secure);
	AUX(AT_RANDOM, random);
	AUX(AT_HWCAP2, arch_hwcap2());
	AUX(AT_EXECFN, path);
	if (image->passed_fd >= 0)
		AUX(AT_EXECFD, image->passed_fd);
	AUX(AT_PLATFORM, platform);
	AUX(AT_NULL, 0);
#undef AUX
	return n;
}

int exec_stack_build(struct exec_image *image, vaddr_t *sp)
{
	struct exec_strings *s = &image->strings;
	struct aspace *as = image->aspace;
	size_t platform_size = strlen(arch_machine_name) + 1;
	vaddr_t strings = image->stack_top - 8 - s->size;
	vaddr_t path = image->stack_top - 8 - (strlen(image->request->path) + 1);
	vaddr_t platform = ALIGN_DOWN(strings, 16ul) - ALIGN_UP(platform_size, 16ul);
	vaddr_t random = platform - 16;
	struct string_cursor cursor = { .chunk = s->first, .address = strings };
	struct word_writer w = {};
	u8 seed[16];
	unsigned aux_words;

	aux_words = make_auxv(image, as->auxv, random, platform, path);
	*sp = ALIGN_DOWN(random - sizeof(u64) * (aux_words + s->argc + s->envc + 3), 16ul);
	w.at = *sp;
	as->arg_start = strings;
	word_put(&w, s->argc);
	put_pointers(&w, &cursor, s->argc);
	as->arg_end = as->env_start = cursor.address;
	put_pointers(&w, &cursor, s->envc);
	as->env_end = cursor.address;
	for (unsigned i = 0; i < aux_words; i++)
		word_put(&w, as->auxv[i]);
	words_flush(&w);
	random_bytes(seed, sizeof(seed));
	if (w.failed || put_strings(s, strings) ||
	    copy_to_user(__force_user(void __user *, random), seed, sizeof(seed)) ||
	    copy_to_user(__force_user(void __user *, platform), arch_machine_name, platform_size))
		return -EFAULT;
	return 0;
}
