/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pidfds: files that refer to a process and are readable once it is a zombie. */
#include <lib/errno.h>
#include <lib/format.h>
#include <mm/slab.h>
#include <obj/file.h>
#include <obj/inode.h>
#include <proc/pid_namespace.h>
#include <proc/pidfd.h>
#include <proc/proc_priv.h>

#include <linux/eventpoll.h>

struct pidfd {
	struct list_head node;	 /* in process->pidfds */
	struct process *process; /* holds a reference */
	struct file *file;
};

static u32 pidfd_ready(struct file *file)
{
	struct pidfd *pidfd = file->private;

	return pidfd->process->object.type->ready(&pidfd->process->object);
}

static void pidfd_destroy(struct file *file)
{
	struct pidfd *pidfd = file->private;
	irqflags_t flags = spin_lock_irqsave(&pidfd->process->lock);

	list_remove(&pidfd->node);
	spin_unlock_irqrestore(&pidfd->process->lock, flags);
	process_put(pidfd->process);
	kfree(pidfd);
}

void pidfd_notify_locked(struct process *process)
{
	struct pidfd *pidfd;

	list_for_each (pidfd, &process->pidfds, node)
		object_notify(&pidfd->file->object, (u32)(EPOLLIN | EPOLLRDNORM));
}

static int pidfd_describe(struct file *file, const struct pid_namespace *ns, char *buf, size_t size)
{
	const struct process *process = ((struct pidfd *)file->private)->process;

	int pid = process->state == PROCESS_DEAD ? -1 : pid_alias(ns, process->pid);
	int length = scnprintf(buf, size, "Pid:\t%d\nNSpid:\t%d", pid, pid);

	/* From that name space down to the process's own. */
	for (unsigned level = ns->level + 1; pid > 0 && level <= process->pid_namespace->level;
	     level++) {
		const struct pid_namespace *at = process->pid_namespace;

		while (at->level > level)
			at = at->parent;
		length += scnprintf(buf + length, size - (size_t)length, "\t%d",
				    pid_alias(at, process->pid));
	}
	return length + scnprintf(buf + length, size - (size_t)length, "\n");
}

static const struct file_ops pidfd_ops = {
	FILE_OPS_DEFAULTS,
	.ready = pidfd_ready,
	.destroy = pidfd_destroy,
	.describe = pidfd_describe,
};

int pidfd_create(struct process *process, unsigned flags, struct file **out)
{
	struct pidfd *pidfd = kmalloc(sizeof(*pidfd), 0);
	struct inode *inode;
	irqflags_t irq;
	int err = -ENOMEM;

	if (!pidfd)
		return -ENOMEM;
	err = inode_create_anonymous("anon_inode:[pidfd]", 0600, &inode);
	if (err)
		goto free;
	err = file_create(&pidfd_ops, O_RDWR | flags, FILE_MODE_STREAM, inode, pidfd, out);
	inode_put(inode);
	if (err)
		goto free;
	object_get(&process->object);
	pidfd->process = process;
	pidfd->file = *out;
	irq = spin_lock_irqsave(&process->lock);
	list_add_tail(&process->pidfds, &pidfd->node);
	spin_unlock_irqrestore(&process->lock, irq);
	return 0;
free:
	kfree(pidfd);
	return err;
}

int pidfd_process(struct pool *pool, int fd, struct process **out, unsigned *flags)
{
	struct file *file;
	int err = file_from_handle(pool, fd, 0, &file);

	if (err)
		return err;
	if (file->ops != &pidfd_ops) {
		file_put(file);
		return -EBADF;
	}
	*out = ((struct pidfd *)file->private)->process;
	if (flags)
		*flags = file->flags;
	object_get(&(*out)->object);
	file_put(file);
	return 0;
}
