/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals read from a file, signalfd(2). The signals are those of the task that reads or polls. */
#include <ipc/event.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/iter.h>
#include <obj/inode.h>

#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/signalfd.h>

struct wait_queue signalfd_waiters = WAIT_QUEUE_INIT(signalfd_waiters);

/* A mask fits into file->private. */
static signal_mask file_mask(const struct file *file)
{
	return (signal_mask)(uintptr_t)READ_ONCE(file->private);
}

static void *mask_to_private(signal_mask mask)
{
	return (void *)(uintptr_t)(mask & ~(SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP)));
}

/* The members of siginfo_t that its code makes meaningful, as sigaction(2) lists them. */
static void signalfd_encode(struct signalfd_siginfo *out, const siginfo_t *info)
{
	memset(out, 0, sizeof(*out));
	out->ssi_signo = (u32)info->si_signo;
	out->ssi_errno = info->si_errno;
	out->ssi_code = info->si_code;
	if (info->si_code == SI_TIMER) {
		out->ssi_tid = (u32)info->si_tid;
		out->ssi_overrun = (u32)info->si_overrun;
	} else if (info->si_code > 0 && info->si_signo == SIGCHLD) {
		out->ssi_pid = (u32)info->si_pid;
		out->ssi_uid = info->si_uid;
		out->ssi_status = info->si_status;
		out->ssi_utime = (u64)info->si_utime;
		out->ssi_stime = (u64)info->si_stime;
		return;
	} else if (info->si_code > 0 && info->si_signo == SIGPOLL) {
		out->ssi_band = (u32)info->si_band;
		out->ssi_fd = info->si_fd;
		return;
	} else if (info->si_code > 0 && info->si_code < SI_KERNEL) {
		out->ssi_addr = (u64)(uintptr_t)info->si_addr;
		return;
	} else {
		out->ssi_pid = (u32)info->si_pid;
		out->ssi_uid = info->si_uid;
	}
	out->ssi_ptr = (u64)(uintptr_t)info->si_ptr;
	out->ssi_int = info->si_int;
}

static ssize_t signalfd_read(struct file *file, struct iter *it, u64 *offset)
{
	struct signalfd_siginfo encoded;
	ssize_t total = 0;
	siginfo_t info;

	if (it->remaining < sizeof(encoded))
		return -EINVAL;
	while (it->remaining >= sizeof(encoded) && signal_dequeue(file_mask(file), &info) == 0) {
		signalfd_encode(&encoded, &info);
		if (iter_copy_to(it, &encoded, sizeof(encoded)) != sizeof(encoded))
			return total ? total : -EFAULT;
		total += sizeof(encoded);
	}
	return total ? total : -EAGAIN;
}

static u32 signalfd_ready(struct file *file)
{
	return signal_pending_set(file_mask(file)) ? EPOLLIN | EPOLLRDNORM : 0;
}

static int signalfd_describe(struct file *file, const struct pid_namespace *ns, char *buf,
			     size_t size)
{
	return scnprintf(buf, size, "sigmask:\t%016llx\n", (unsigned long long)file_mask(file));
}

static const struct file_ops signalfd_ops = {
	FILE_OPS_DEFAULTS,
	.read = signalfd_read,
	.ready = signalfd_ready,
	.describe = signalfd_describe,
};

int signalfd_create(signal_mask mask, u32 flags, struct file **out)
{
	struct inode *inode;
	int error = inode_create_anonymous("anon_inode:[signalfd]", 0600, &inode);

	if (error)
		return error;
	error = file_create(&signalfd_ops, O_RDWR | (flags & O_NONBLOCK), FILE_MODE_STREAM, inode,
			    mask_to_private(mask), out);
	inode_put(inode);
	if (!error)
		(*out)->object.waiters = &signalfd_waiters;
	return error;
}

int signalfd_set_mask(struct file *file, signal_mask mask)
{
	if (file->ops != &signalfd_ops)
		return -EINVAL;
	WRITE_ONCE(file->private, mask_to_private(mask));
	wake_up(&signalfd_waiters, 0);
	return 0;
}
