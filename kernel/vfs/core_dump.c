/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing core files; see vfs/core_dump.h. The dying task writes it, on its way out, with its own rights, while the others of its process stand
 * still (proc/dump.c): a header, the notes, and the contents of each mapping that /proc/pid/coredump_filter chooses. Pages that were never touched are holes.
 */
#include <arch/cpu.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <mm/iter.h>
#include <mm/policy.h>
#include <mm/slab.h>
#include <obj/file.h>
#include <proc/inspect.h>
#include <proc/task.h>
#include <vfs/core_dump.h>
#include <vfs/core_dump_priv.h>
#include <vfs/vfs.h>

#include <linux/elf.h>
#include <linux/fcntl.h>

#define NAME_SIZE 256
#define FILTER_ANON_PRIVATE BIT(0) /* core(5) */
#define FILTER_ANON_SHARED BIT(1)
#define FILTER_FILE_PRIVATE BIT(2)
#define FILTER_FILE_SHARED BIT(3)
#define FILTER_ELF_HEADERS BIT(4)

struct segment {
	vaddr_t start, end;
	u64 bytes; /* that are written of it */
	u32 flags; /* PF_* */
};

struct dump {
	struct aspace *as;
	struct file *file;
	struct segment *segments;
	u32 count;
	u64 offset, limit;
	char *page;
};

/* How much of a mapping the filter wants. */
static u64 wanted_bytes(const struct vma *vma, u32 filter)
{
	u64 all = vma->end - vma->start;

	if (vma->flags & VMA_SPECIAL)
		return all;
	if (vma->flags & (VMA_DONTDUMP | VMA_DEVICE))
		return 0;
	if (!vma->object)
		return filter & FILTER_ANON_PRIVATE ? all : 0;
	if (vma->flags & VMA_SHARED)
		return filter & (vma->file ? FILTER_FILE_SHARED : FILTER_ANON_SHARED) ? all : 0;
	if ((vma->private_pages && filter & FILTER_ANON_PRIVATE) || filter & FILTER_FILE_PRIVATE)
		return all;
	return filter & FILTER_ELF_HEADERS && !vma->offset && vma->flags & VMA_READ ? PAGE_SIZE : 0;
}

static int list_segments(struct dump *d)
{
	u32 filter = current_process()->coredump_filter, room = 0;

	read_guard(&d->as->lock);
	for (struct vma *vma = aspace_find(d->as, 0); vma; vma = vma_next(vma))
		room++;
	d->segments = kcalloc(room + 1, sizeof(*d->segments), 0);
	if (!d->segments)
		return -ENOMEM;
	for (struct vma *vma = aspace_find(d->as, 0); vma; vma = vma_next(vma)) {
		struct segment *s = &d->segments[d->count++];

		s->start = vma->start;
		s->end = vma->end;
		s->bytes = wanted_bytes(vma, filter);
		s->flags = (vma->flags & VMA_READ ? PF_R : 0) |
			   (vma->flags & VMA_WRITE ? PF_W : 0) | (vma->flags & VMA_EXEC ? PF_X : 0);
	}
	return 0;
}

static int put(struct dump *d, const void *data, size_t size)
{
	struct iter it;

	if (d->offset + size > d->limit)
		return -EFBIG;
	if (signal_fatal_pending())
		return -EINTR;
	iter_init_kernel(&it, (void *)data, size);
	ssize_t done = file_write(d->file, &it, &d->offset);

	return done < 0 ? (int)done : (size_t)done == size ? 0 : -ENOSPC;
}

/* ELF header and program headers; the notes come right behind, the segments at the next page. */
static int put_headers(struct dump *d, size_t notes_size)
{
	u64 heads = sizeof(Elf64_Ehdr) + (d->count + 1) * sizeof(Elf64_Phdr);
	u64 at = ALIGN_UP(heads + notes_size, PAGE_SIZE);
	Elf64_Ehdr elf = { .e_type = ET_CORE,
			   .e_machine = arch_elf_machine,
			   .e_version = EV_CURRENT,
			   .e_phoff = sizeof(Elf64_Ehdr),
			   .e_ehsize = sizeof(Elf64_Ehdr),
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum = (u16)(d->count + 1) };

	memcpy(elf.e_ident, ELFMAG, SELFMAG);
	elf.e_ident[EI_CLASS] = ELFCLASS64;
	elf.e_ident[EI_DATA] = ELFDATA2LSB;
	elf.e_ident[EI_VERSION] = EV_CURRENT;
	int err = put(d, &elf, sizeof(elf));
	Elf64_Phdr head = { .p_type = PT_NOTE, .p_offset = heads, .p_filesz = notes_size };

	if (!err)
		err = put(d, &head, sizeof(head));
	for (u32 i = 0; !err && i < d->count; i++) {
		const struct segment *s = &d->segments[i];

		head = (Elf64_Phdr){ .p_type = PT_LOAD,
				     .p_flags = s->flags,
				     .p_offset = at,
				     .p_vaddr = s->start,
				     .p_filesz = s->bytes,
				     .p_memsz = s->end - s->start,
				     .p_align = PAGE_SIZE };
		at += s->bytes;
		err = put(d, &head, sizeof(head));
	}
	return err;
}

static int put_segment(struct dump *d, const struct segment *s, bool last)
{
	for (u64 done = 0; done < s->bytes; done += PAGE_SIZE) {
		vaddr_t at = s->start + done;
		bool empty = aspace_node_at(d->as, at) && s->bytes != PAGE_SIZE;
		int err;

		/* The file ends with a page, not with a hole. */
		if (empty && !(last && done + PAGE_SIZE == s->bytes)) {
			d->offset += PAGE_SIZE;
			continue;
		}
		if (aspace_read(d->as, at, d->page, PAGE_SIZE, true) != (ssize_t)PAGE_SIZE)
			memset(d->page, 0, PAGE_SIZE);
		err = put(d, d->page, PAGE_SIZE);
		if (err)
			return err;
	}
	return 0;
}

static int write_all(struct dump *d, const siginfo_t *info)
{
	struct core_notes notes;
	int err = list_segments(d);

	if (err)
		return err;
	/* More mappings than a header can count are not dumped. */
	if (d->count >= PN_XNUM - 1)
		return -E2BIG;
	core_notes_make(&notes, d->as, info);
	err = notes.failed ? -ENOMEM : put_headers(d, notes.size);
	if (!err)
		err = put(d, notes.data, notes.size);
	kvfree(notes.data);
	d->offset = ALIGN_UP(d->offset, PAGE_SIZE);
	for (u32 i = 0; !err && i < d->count; i++)
		err = put_segment(d, &d->segments[i], i == d->count - 1);
	return err;
}

/* core(5): a new or plain file of the user's own, never one that somebody else prepared. */
static int open_core(int signo, struct file **out)
{
	struct open_request req = {
		.flags = O_CREAT | O_RDWR | O_NOFOLLOW | O_LARGEFILE | O_NONBLOCK, .mode = 0600
	};
	char *name = kmalloc(NAME_SIZE, 0);
	int err = name ? core_name_make(signo, name, NAME_SIZE) : -ENOMEM;

	if (!err)
		err = vfs_open(AT_FDCWD, name, &req, out);
	kfree(name);
	if (err)
		return err;
	const struct inode *inode = (*out)->inode;

	if (!S_ISREG(inode->mode) || inode->links != 1 ||
	    inode->uid != current_credentials()->fsuid)
		err = -EPERM;
	if (!err)
		err = inode_truncate((*out)->inode, 0);
	if (err)
		file_put(*out);
	return err;
}

static bool core_dump(const siginfo_t *info)
{
	struct dump d = { .as = current_aspace(), .limit = current_limit(RLIMIT_CORE) };
	int err;

	/* What may not be traced must not be read from a file, either (prctl(2), PR_SET_DUMPABLE). */
	if (!d.as || d.as->dumpable != 1 || d.limit < PAGE_SIZE)
		return false;
	if (open_core(info->si_signo, &d.file))
		return false;
	d.page = kmalloc(PAGE_SIZE, 0);
	err = d.page ? write_all(&d, info) : -ENOMEM;
	kfree(d.page);
	kfree(d.segments);
	file_put(d.file);
	/* One that was cut at RLIMIT_CORE counts. */
	return !err || err == -EFBIG;
}

void core_dump_init(void)
{
	proc_hooks.core_dump = core_dump;
}
