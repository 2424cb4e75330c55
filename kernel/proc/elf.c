/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ELF programs: checks the headers, which are hostile until proved otherwise, and maps program and interpreter into a new
 * address space. The old program is untouched until all of that has worked.
 */
#include <arch/cpu.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <mm/memory_object.h>
#include <mm/slab.h>
#include <obj/file.h>
#include <proc/exec_priv.h>
#include <proc/proc_priv.h>
#include <proc/task.h>
#include <proc/vdso.h>

#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/personality.h>

#define HEADERS_SIZE_MAX 65536u
#define STACK_INITIAL (128ul << 10) /* mapped from the start, beyond the strings */
#define GAP_MIN (128ul << 20)	    /* between the stack's end and the mappings below it */
#define DYNAMIC_BASE                                                                               \
	ALIGN_DOWN(USER_MAX / 3 * 2, PAGE_SIZE) /* where programs that have an interpreter go */

struct elf_file {
	struct file *file; /* borrowed */
	Elf64_Ehdr header;
	Elf64_Phdr *segments;
	vaddr_t bias; /* added to every address of the file */
	vaddr_t end;  /* of the last byte in memory */
};

static bool header_is_elf(const Elf64_Ehdr *h)
{
	return !memcmp(h->e_ident, ELFMAG, SELFMAG) && h->e_ident[EI_CLASS] == ELFCLASS64 &&
	       h->e_ident[EI_DATA] == ELFDATA2LSB && h->e_machine == arch_elf_machine &&
	       (h->e_type == ET_EXEC || h->e_type == ET_DYN);
}

static int read_exactly(struct file *file, void *to, size_t size, u64 offset)
{
	while (size) {
		ssize_t got = file_read_kernel(file, to, size, offset);

		if (got <= 0)
			return got ? (int)got : -EIO;
		to = (char *)to + got;
		size -= (size_t)got;
		offset += (u64)got;
	}
	return 0;
}

/* Reads the program headers of elf->header; elf->segments is the caller's to free. */
static int read_segments(struct elf_file *elf)
{
	size_t size = (size_t)elf->header.e_phnum * sizeof(Elf64_Phdr);
	int err;

	if (elf->header.e_phentsize != sizeof(Elf64_Phdr) || !size || size > HEADERS_SIZE_MAX)
		return -ENOEXEC;
	elf->segments = kmalloc(size, 0);
	if (!elf->segments)
		return -ENOMEM;
	err = read_exactly(elf->file, elf->segments, size, elf->header.e_phoff);
	return err == -EIO ? -ENOEXEC : err;
}

static const Elf64_Phdr *find_segment(const struct elf_file *elf, u32 type)
{
	for (unsigned i = 0; i < elf->header.e_phnum; i++)
		if (elf->segments[i].p_type == type)
			return &elf->segments[i];
	return nullptr;
}

/* The pages that the loadable segments span, and their greatest alignment. -EINVAL if they make no sense. */
static int measure(const struct elf_file *elf, vaddr_t *start, vaddr_t *end, u64 *alignment)
{
	*start = UINT64_MAX;
	*end = 0;
	*alignment = PAGE_SIZE;
	for (unsigned i = 0; i < elf->header.e_phnum; i++) {
		const Elf64_Phdr *p = &elf->segments[i];

		if (p->p_type != PT_LOAD)
			continue;
		if (p->p_filesz > p->p_memsz || p->p_memsz > USER_MAX ||
		    p->p_vaddr > USER_MAX - p->p_memsz || p->p_offset > INT64_MAX - USER_MAX ||
		    (p->p_vaddr ^ p->p_offset) & ~PAGE_MASK)
			return -EINVAL;
		*start = MIN(*start, ALIGN_DOWN(p->p_vaddr, PAGE_SIZE));
		*end = MAX(*end, ALIGN_UP(p->p_vaddr + p->p_memsz, PAGE_SIZE));
		if (!(p->p_align & (p->p_align - 1)))
			*alignment = MAX(*alignment, MIN(p->p_align, 1ul << 30));
	}
	return *start < *end ? 0 : -EINVAL;
}

/* Finds room for a relocatable file at `hint` (0: among the mappings) and stores its bias. */
static int place(struct aspace *as, struct elf_file *elf, vaddr_t hint)
{
	struct map_request req = { .prot = PROT_NONE,
				   .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE };
	vaddr_t start, end, at;
	u64 alignment;
	int err = measure(elf, &start, &end, &alignment);

	if (err)
		return err;
	elf->end = end;
	if (elf->header.e_type == ET_EXEC)
		return 0;
	req.address = ALIGN_DOWN(hint, alignment);
	req.length = end - start + (alignment > PAGE_SIZE ? alignment : 0);
	if (add_overflows(req.length, 0ul, &req.length) || req.length > USER_MAX)
		return -ENOMEM;
	err = aspace_map(as, &req, &at);
	if (err)
		return err;
	err = aspace_unmap(as, at, req.length);
	elf->bias = ALIGN_UP(at, alignment) - ALIGN_DOWN(start, alignment);
	elf->end += elf->bias;
	return err;
}

static u32 segment_protection(const Elf64_Phdr *p)
{
	return (p->p_flags & PF_R ? PROT_READ : 0u) | (p->p_flags & PF_W ? PROT_WRITE : 0u) |
	       (p->p_flags & PF_X ? PROT_EXEC : 0u);
}

static int map_file(struct aspace *as, struct elf_file *elf, const Elf64_Phdr *p, vaddr_t start,
		    size_t size)
{
	struct map_request req = {
		.address = start,
		.length = size,
		.prot = segment_protection(p),
		.flags = MAP_PRIVATE | MAP_FIXED,
		.may = VMA_MAY_READ | VMA_MAY_WRITE | VMA_MAY_EXEC,
		.offset = ALIGN_DOWN(p->p_offset, PAGE_SIZE),
		.file = elf->file,
	};
	vaddr_t at;
	int err = elf->file->ops->map(elf->file, &req);

	if (err)
		return err;
	err = aspace_map(as, &req, &at);
	if (req.object_owned)
		memory_object_put(req.object);
	return err;
}

/* The rest of a segment that is larger in memory than in the file: zeros. */
static int map_zeros(struct aspace *as, const Elf64_Phdr *p, vaddr_t file_end, vaddr_t end)
{
	static const char zeros[PAGE_SIZE];
	struct map_request req = {
		.prot = segment_protection(p),
		.flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
	};
	vaddr_t page_end = ALIGN_UP(file_end, PAGE_SIZE), at;

	if (file_end < page_end && p->p_filesz && (p->p_flags & PF_W)) {
		/* All of the page: ld.so's first allocations take what its bss leaves of it. */
		ssize_t done = aspace_write(as, file_end, zeros, page_end - file_end, false);

		if (done < 0)
			return (int)done;
	}
	req.address = page_end;
	if (ALIGN_UP(end, PAGE_SIZE) <= page_end)
		return 0;
	req.length = ALIGN_UP(end, PAGE_SIZE) - page_end;
	return aspace_map(as, &req, &at);
}

static int map_segment(struct aspace *as, struct elf_file *elf, const Elf64_Phdr *p)
{
	vaddr_t start = elf->bias + p->p_vaddr, page = ALIGN_DOWN(start, PAGE_SIZE);
	vaddr_t file_end = start + p->p_filesz, end = start + p->p_memsz;
	int err = 0;

	if (!p->p_memsz)
		return 0;
	if (p->p_filesz)
		err = map_file(as, elf, p, page, ALIGN_UP(file_end, PAGE_SIZE) - page);
	else
		file_end = page;
	if (!err && end > file_end)
		err = map_zeros(as, p, file_end, end);
	return err;
}

static int map_segments(struct aspace *as, struct elf_file *elf)
{
	for (unsigned i = 0; i < elf->header.e_phnum; i++) {
		int err = 0;

		if (elf->segments[i].p_type == PT_LOAD)
			err = map_segment(as, elf, &elf->segments[i]);
		if (err)
			return err;
	}
	return 0;
}

/* Where code and data lie, for /proc; the address of the program headers in memory. */
static void describe(struct exec_image *image, const struct elf_file *elf)
{
	struct aspace *as = image->aspace;
	const Elf64_Phdr *table = find_segment(elf, PT_PHDR);

	if (table)
		image->program_headers = elf->bias + table->p_vaddr;
	for (unsigned i = 0; i < elf->header.e_phnum; i++) {
		const Elf64_Phdr *p = &elf->segments[i];
		vaddr_t start = elf->bias + p->p_vaddr;

		if (p->p_type != PT_LOAD)
			continue;
		if (!table && elf->header.e_phoff >= p->p_offset &&
		    elf->header.e_phoff < p->p_offset + p->p_filesz)
			image->program_headers = start + elf->header.e_phoff - p->p_offset;
		if ((p->p_flags & PF_X) && (!as->code_start || start < as->code_start))
			as->code_start = start;
		if (p->p_flags & PF_X)
			as->code_end = MAX(as->code_end, start + p->p_filesz);
		as->data_start = MAX(as->data_start, start);
		as->data_end = MAX(as->data_end, start + p->p_filesz);
	}
}

/* Mapped last: a program that lies where the stack must be is refused. */
static int map_stack(struct aspace *as, const struct elf_file *elf, size_t strings, vaddr_t top)
{
	const Elf64_Phdr *stack = find_segment(elf, PT_GNU_STACK);
	size_t size = ALIGN_UP(strings, PAGE_SIZE) + STACK_INITIAL + PAGE_SIZE;
	struct map_request req = {
		.address = top - size,
		.length = size,
		.prot = PROT_READ | PROT_WRITE |
			(stack && (stack->p_flags & PF_X) ? PROT_EXEC : 0u),
		.flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		.vma_flags = VMA_GROWSDOWN | VMA_STACK,
		.name = "[stack]",
	};
	vaddr_t at;

	as->stack_top = top;
	return aspace_map(as, &req, &at);
}

static void lay_out(struct aspace *as, const struct aspace_randomness *random, vaddr_t stack_top)
{
	struct process *process = current_process();
	u64 gap = MIN((u64)process->limits[RLIMIT_STACK].rlim_cur, (u64)USER_MAX / 6 * 5);

	as->limit_as = process->limits[RLIMIT_AS].rlim_cur;
	as->limit_data = process->limits[RLIMIT_DATA].rlim_cur;
	as->limit_stack = process->limits[RLIMIT_STACK].rlim_cur;
	as->limit_memlock = process->limits[RLIMIT_MEMLOCK].rlim_cur;
	gap = MAX(gap, GAP_MIN) + (1ul << 20);
	as->mmap_base =
		ALIGN_DOWN(stack_top - MIN(gap, stack_top / 6 * 5) - random->mmap, PAGE_SIZE);
}

static void place_break(struct aspace *as, const struct elf_file *elf, bool dynamic, u64 random)
{
	vaddr_t brk = elf->end;

	/* A static PIE lies among the mappings, where a break could not grow. */
	if (elf->header.e_type == ET_DYN && !dynamic)
		brk = DYNAMIC_BASE;
	as->brk_start = as->brk_end = ALIGN_UP(brk, PAGE_SIZE) + random;
}

/* Opens and checks the interpreter that the program names. elf->file is null if it names none. */
static int open_interpreter(const struct elf_file *program, struct elf_file *interpreter)
{
	const Elf64_Phdr *p = find_segment(program, PT_INTERP);
	char *path;
	int err;

	if (!p)
		return 0;
	if (p->p_filesz < 2 || p->p_filesz > 4096)
		return -ENOEXEC;
	path = kmalloc(p->p_filesz, 0);
	if (!path)
		return -ENOMEM;
	err = read_exactly(program->file, path, p->p_filesz, p->p_offset);
	if (!err && path[p->p_filesz - 1])
		err = -ENOEXEC;
	if (!err)
		err = proc_hooks.open(path, O_RDONLY, true, &interpreter->file);
	kfree(path);
	if (err)
		return err == -EISDIR ? -EACCES : err;
	err = read_exactly(interpreter->file, &interpreter->header, sizeof(interpreter->header), 0);
	if (err)
		return err;
	if (!header_is_elf(&interpreter->header))
		return -ELIBBAD;
	err = read_segments(interpreter);
	return err == -ENOEXEC ? -ELIBBAD : err;
}

static int load(struct exec_image *image, struct elf_file *program, struct elf_file *interpreter)
{
	struct aspace *as = image->aspace;
	struct aspace_randomness random = {};
	size_t strings =
		image->strings.size + sizeof(u64) * (image->strings.argc + image->strings.envc);
	vaddr_t base = 0;
	int err;

	if (!(current_task()->personality & ADDR_NO_RANDOMIZE))
		aspace_randomize(&random);
	image->stack_top = ALIGN_DOWN(USER_MAX - random.stack, PAGE_SIZE);
	lay_out(as, &random, image->stack_top);
	if (interpreter->file)
		base = DYNAMIC_BASE + random.pie;
	err = vdso_map(as);
	if (!err)
		err = place(as, program, base);
	if (!err)
		err = map_segments(as, program);
	if (err)
		return err;
	describe(image, program);
	place_break(as, program, interpreter->file, random.brk);
	image->program_entry = image->entry = program->bias + program->header.e_entry;
	image->program_header_count = program->header.e_phnum;
	if (interpreter->file) {
		err = place(as, interpreter, 0);
		if (!err)
			err = map_segments(as, interpreter);
		image->entry = interpreter->bias + interpreter->header.e_entry;
		image->interpreter_base = interpreter->bias;
	}
	if (!err)
		err = map_stack(as, program, strings, image->stack_top);
	if (!err && (image->entry >= USER_MAX))
		err = -EINVAL;
	return err;
}

static int create_aspace(struct aspace **out)
{
	int err = aspace_create(out);

	return err ? err : aspace_set_budget(*out, current_process()->charge.budget);
}

int elf_load(struct exec_image *image)
{
	struct elf_file program = { .file = image->file }, interpreter = {};
	int err;

	memcpy(&program.header, image->header, sizeof(program.header));
	if (!header_is_elf(&program.header))
		return -ENOEXEC;
	err = read_segments(&program);
	if (!err)
		err = open_interpreter(&program, &interpreter);
	if (!err)
		err = create_aspace(&image->aspace);
	if (!err)
		err = load(image, &program, &interpreter);
	if (interpreter.file)
		file_put(interpreter.file);
	kfree(interpreter.segments);
	kfree(program.segments);
	return err;
}
