/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/<pid>/maps, smaps, mem, cmdline, environ, auxv, pagemap: what lies in a process's address
 * space. */
#include <fs/proc/proc_priv.h>

#include <lib/errno.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <mm/residency.h>
#include <mm/slab.h>
#include <proc/inspect.h>
#include <vfs/vfs.h>

#include <linux/auxvec.h>
#include <linux/fcntl.h>
#include <linux/fs.h>

static int node_aspace(const struct synthetic_node *node, struct aspace **out)
{
	struct process *process;
	int err = proc_node_process(node, &process);
	if (err)
		return err;
	*out = process_aspace_get(process);
	process_put(process);
	return 0;
}

int proc_show_memory(const struct synthetic_node *node, struct text_buffer *out)
{
	const struct proc_memory_text *text = node->data;
	struct aspace *as;
	int err = node_aspace(node, &as);

	/* A process that has exited has no memory, and the file is empty. */
	if (err || !as)
		return err;
	text->show(as, out);
	process_aspace_put(as);
	return 0;
}

/* maps */

static const char *mapping_label(const struct aspace *as, const struct vma *vma)
{
	if (vma->name)
		return vma->name;
	if (vma->object)
		return nullptr;
	if (vma->start <= as->brk_end && vma->end >= as->brk_start && as->brk_start != as->brk_end)
		return "[heap]";
	return vma->flags & VMA_STACK ? "[stack]" : nullptr;
}

void proc_show_mapping(struct text_buffer *out, const struct aspace *as, const struct vma *vma,
		       char *path_buf)
{
	u64 device = 0, number = 0;
	if (vma->file) {
		number = vma->file->inode->number;
		device = vma->file->inode->superblock ? vma->file->inode->superblock->device : 0;
	}
	size_t line_start = out->size;
	text_printf(out, "%08lx-%08lx %c%c%c%c %08llx %02x:%02x %llu ", vma->start, vma->end,
		    vma->flags & VMA_READ ? 'r' : '-', vma->flags & VMA_WRITE ? 'w' : '-',
		    vma->flags & VMA_EXEC ? 'x' : '-', vma->flags & VMA_SHARED ? 's' : 'p',
		    vma->file ? (unsigned long long)vma->offset : 0ull, device_major(device),
		    device_minor(device), (unsigned long long)number);
	const char *label = mapping_label(as, vma);
	if (vma->file && vma->file->dentry) {
		struct path path = { vma->file->mount, vma->file->dentry };
		label = path_text(&path, nullptr, path_buf, PATH_MAX);
	}
	if (label) {
		text_pad(out, line_start, LABEL_COLUMN);
		text_append_escaped(out, label, "\n");
	}
	text_printf(out, "\n");
}

static void maps_show(struct aspace *as, struct text_buffer *out)
{
	char *path_buf = kmalloc(PATH_MAX, 0);

	if (!path_buf) {
		out->failed = true;
		return;
	}
	read_lock(&as->lock);
	for (struct vma *vma = aspace_find(as, 0); vma; vma = vma_next(vma))
		proc_show_mapping(out, as, vma, path_buf);
	read_unlock(&as->lock);
	kfree(path_buf);
}

/* cmdline, environ, auxv */

static void append_memory(struct text_buffer *out, struct aspace *as, vaddr_t start, vaddr_t end)
{
	while (start < end && !out->failed) {
		size_t step = MIN((size_t)(end - start), (size_t)PAGE_SIZE);
		char *to = text_reserve(out, step);
		if (!to)
			return;
		ssize_t n = aspace_read(as, start, to, step, true);
		if (n <= 0)
			return;
		out->size += (size_t)n;
		start += (size_t)n;
	}
}

/*
 * Arguments as they lie in memory. A program that overwrote the terminator of the last one
 * (setproctitle) shows a single string that may reach into the environment, as Linux does.
 */
static void append_command_line(struct text_buffer *out, struct aspace *as)
{
	append_memory(out, as, as->arg_start, as->arg_end);
	if (!out->size || !out->data[out->size - 1])
		return;
	size_t n = strnlen(out->data, out->size);
	if (n < out->size) {
		out->size = n;
		return;
	}
	append_memory(out, as, as->env_start, as->env_end);
	out->size = strnlen(out->data, out->size);
}

static void cmdline_show(struct aspace *as, struct text_buffer *out)
{
	append_command_line(out, as);
}

static void environ_show(struct aspace *as, struct text_buffer *out)
{
	append_memory(out, as, as->env_start, as->env_end);
}

static void auxv_show(struct aspace *as, struct text_buffer *out)
{
	size_t n = 0;
	while (n + 2 < ARRAY_SIZE(as->auxv) && as->auxv[n] != AT_NULL)
		n += 2;
	text_append(out, as->auxv, (n + 2) * sizeof(as->auxv[0]));
}

/* mem: the address space as a file; rights are checked when it is opened. */

static ssize_t mem_transfer(struct file *file, struct iter *it, u64 *offset, bool write)
{
	struct aspace *as = file->private;
	if (!as)
		return 0;
	char *buf = kmalloc(PAGE_SIZE, 0);
	if (!buf)
		return -ENOMEM;
	ssize_t total = 0;
	while (it->remaining) {
		size_t step = MIN(it->remaining, PAGE_SIZE - *offset % PAGE_SIZE);
		ssize_t n;
		if (write) {
			n = (ssize_t)iter_copy_from(it, buf, step);
			n = n ? aspace_write(as, *offset, buf, (size_t)n, true) : -EFAULT;
		} else {
			n = aspace_read(as, *offset, buf, step, true);
			if (n > 0 && iter_copy_to(it, buf, (size_t)n) != (size_t)n)
				n = -EFAULT;
		}
		if (n <= 0) {
			total = total ? total : n == -EFAULT && it->remaining ? -EIO : n;
			break;
		}
		total += n;
		*offset += (u64)n;
	}
	kfree(buf);
	return total;
}

static ssize_t mem_read(struct file *file, struct iter *it, u64 *offset)
{
	return mem_transfer(file, it, offset, false);
}

static ssize_t mem_write(struct file *file, struct iter *it, u64 *offset)
{
	return mem_transfer(file, it, offset, true);
}

static s64 mem_seek(struct file *file, s64 offset, int whence)
{
	if (whence == SEEK_CUR)
		offset += (s64)file->offset;
	else if (whence != SEEK_SET)
		return -EINVAL;
	file->offset = (u64)offset;
	return offset;
}

static void mem_destroy(struct file *file)
{
	if (file->private)
		aspace_put(file->private);
}

static const struct file_ops mem_ops = {
	FILE_OPS_DEFAULTS, .read = mem_read,	   .write = mem_write,
	.seek = mem_seek,  .destroy = mem_destroy,
};

/* One 64-bit word a page (pagemap.txt). */
static ssize_t pagemap_words(struct file *file, struct iter *it, u64 *offset, bool frames)
{
	struct aspace *as = file->private;
	if (!as)
		return 0;
	if (*offset % 8 || it->remaining % 8)
		return -EINVAL;
	ssize_t total = 0;
	while (it->remaining) {
		vaddr_t address = *offset / 8 * PAGE_SIZE;
		if (address >= USER_MAX)
			break;
		u64 word = aspace_pagemap_entry(as, address, frames);
		if (iter_copy_to(it, &word, sizeof(word)) != sizeof(word))
			return total ? total : -EFAULT;
		*offset += 8;
		total += 8;
	}
	return total;
}

static ssize_t pagemap_read(struct file *file, struct iter *it, u64 *offset)
{
	return pagemap_words(file, it, offset, false);
}

static ssize_t pagemap_read_frames(struct file *file, struct iter *it, u64 *offset)
{
	return pagemap_words(file, it, offset, true);
}

static const struct file_ops pagemap_ops = {
	FILE_OPS_DEFAULTS,
	.read = pagemap_read,
	.seek = mem_seek,
	.destroy = mem_destroy,
};

static const struct file_ops pagemap_frames_ops = {
	FILE_OPS_DEFAULTS,
	.read = pagemap_read_frames,
	.seek = mem_seek,
	.destroy = mem_destroy,
};

static int open_aspace(const struct synthetic_node *node, struct file *file,
		       const struct file_ops *ops)
{
	struct aspace *as;
	int err = node_aspace(node, &as);
	if (err)
		return err;
	/* A reference, but no user: an open file does not keep the memory of a dead process. */
	if (as) {
		aspace_get(as);
		process_aspace_put(as);
	}
	file->ops = ops;
	file->private = as;
	return 0;
}

static int mem_open(const struct synthetic_node *node, struct inode *inode, struct file *file)
{
	return open_aspace(node, file, &mem_ops);
}

static int pagemap_open(const struct synthetic_node *node, struct inode *inode, struct file *file)
{
	return open_aspace(node, file, capable(CAP_SYS_ADMIN) ? &pagemap_frames_ops : &pagemap_ops);
}

const struct proc_memory_text proc_maps_text = { maps_show }, proc_cmdline_text = { cmdline_show },
			      proc_environ_text = { environ_show }, proc_auxv_text = { auxv_show };

const struct synthetic_type proc_mem = { .mode = S_IFREG | 0600,
					 .valid = proc_node_valid,
					 .attributes = proc_node_attributes,
					 .permission = proc_node_permission,
					 .open = mem_open };
const struct synthetic_type proc_pagemap = { .mode = S_IFREG | 0400,
					     .valid = proc_node_valid,
					     .attributes = proc_node_attributes,
					     .permission = proc_node_permission,
					     .open = pagemap_open };
