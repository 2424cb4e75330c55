/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls: process_vm_readv and process_vm_writev, copies between the memories of two processes. */
#include <lib/errno.h>
#include <mm/aspace.h>
#include <mm/iter.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <proc/inspect.h>
#include <proc/jobs.h>
#include <proc/pidfd.h>
#include <proc/task.h>
#include <syscall_prototypes.h>

#include <linux/mman.h>

#define VECTOR_MAX 1024

struct copy {
	struct aspace *remote;
	struct iter local;
	char *page; /* bounce buffer */
	bool write; /* into the other process */
};

/* One piece of at most a page. Bytes copied, or -EFAULT. */
static ssize_t copy_piece(struct copy *c, vaddr_t remote, size_t size)
{
	ssize_t done;
	size_t moved;

	if (c->write) {
		moved = iter_copy_from(&c->local, c->page, size);
		return moved ? aspace_write(c->remote, remote, c->page, moved, false) : -EFAULT;
	}
	done = aspace_read(c->remote, remote, c->page, size, false);
	if (done <= 0)
		return -EFAULT;
	moved = iter_copy_to(&c->local, c->page, (size_t)done);
	return moved ? (ssize_t)moved : -EFAULT;
}

/* One remote segment; *failed tells that it ended early. */
static size_t copy_segment(struct copy *c, const struct iovec *remote, bool *failed)
{
	size_t total = 0;

	while (total < remote->iov_len && c->local.remaining) {
		vaddr_t at = (vaddr_t)__force_user(uintptr_t, remote->iov_base) + total;
		size_t left = MIN(remote->iov_len - total, c->local.remaining);
		size_t size = MIN(left, PAGE_SIZE - (at & (PAGE_SIZE - 1)));
		ssize_t done = copy_piece(c, at, size);

		if (done > 0)
			total += (size_t)done;
		if (done < 0 || (size_t)done < size) {
			*failed = true;
			break;
		}
	}
	return total;
}

static ssize_t copy_all(struct copy *c, const struct iovec *remote, unsigned long count)
{
	bool failed = false;
	size_t total = 0;

	for (unsigned long i = 0; i < count && !failed; i++)
		total += copy_segment(c, &remote[i], &failed);
	return failed && !total ? -EFAULT : (ssize_t)total;
}

static int find_remote(int pid, struct aspace **out)
{
	struct process *process;
	int err = process_find(pid, &process);

	if (err)
		return err;
	err = process_may_access(process);
	*out = err ? nullptr : process_aspace_get(process);
	process_put(process);
	return err ? err : *out ? 0 : -ESRCH;
}

static int copy_remote_vector(const struct iovec __user *uremote, unsigned long count,
			      struct iovec **out)
{
	*out = kcalloc(count + 1, sizeof(struct iovec), 0);
	if (!*out)
		return -ENOMEM;
	if (copy_from_user(*out, uremote, count * sizeof(struct iovec)))
		return -EFAULT;
	for (unsigned long i = 0; i < count; i++)
		if ((ssize_t)(*out)[i].iov_len < 0)
			return -EINVAL;
	return 0;
}

struct vm_request {
	int pid;
	const struct iovec __user *local, *remote;
	unsigned long local_count, remote_count;
	bool write;
};

static long process_vm_copy(const struct vm_request *req)
{
	struct iovec inline_vectors[ITER_INLINE_VECTORS], *vectors = inline_vectors,
							  *remote = nullptr;
	struct copy c = { .write = req->write };
	ssize_t result;

	if (req->remote_count > VECTOR_MAX)
		return -EINVAL;
	result = iter_init_user_vector(&c.local, req->local, req->local_count, inline_vectors,
				       &vectors);
	if (!result)
		result = copy_remote_vector(req->remote, req->remote_count, &remote);
	if (!result)
		result = find_remote(req->pid, &c.remote);
	if (!result) {
		c.page = kmalloc(PAGE_SIZE, 0);
		result = c.page ? copy_all(&c, remote, req->remote_count) : -ENOMEM;
		kfree(c.page);
		process_aspace_put(c.remote);
	}
	kfree(remote);
	iter_free_user_vector(vectors, inline_vectors);
	return result;
}

long sys_process_vm_readv(int pid, const struct iovec __user *local, unsigned long local_count,
			  const struct iovec __user *remote, unsigned long remote_count,
			  unsigned long flags)
{
	struct vm_request req = { pid, local, remote, local_count, remote_count, false };

	return flags ? -EINVAL : process_vm_copy(&req);
}

long sys_process_vm_writev(int pid, const struct iovec __user *local, unsigned long local_count,
			   const struct iovec __user *remote, unsigned long remote_count,
			   unsigned long flags)
{
	struct vm_request req = { pid, local, remote, local_count, remote_count, true };

	return flags ? -EINVAL : process_vm_copy(&req);
}

static ssize_t advise_vectors(struct aspace *as, const struct iovec *vectors, unsigned long count,
			      int advice)
{
	size_t total = 0;

	for (unsigned long i = 0; i < count; i++) {
		vaddr_t start = (vaddr_t)__force_user(uintptr_t, vectors[i].iov_base);
		int err = aspace_advise(as, start, vectors[i].iov_len, advice);

		if (err)
			return total ? (ssize_t)total : err;
		total += vectors[i].iov_len;
	}
	return (ssize_t)total;
}

/* The process and its memory by a pidfd; 0, -EBADF, -ESRCH. */
static int pidfd_target(int pidfd, struct process **process, struct aspace **as)
{
	unsigned flags;
	int err = pidfd_process(current_task()->pool, pidfd, process, &flags);

	if (err)
		return err;
	*as = process_aspace_get(*process);
	if (!*as)
		process_put(*process);
	return *as ? 0 : -ESRCH;
}

/* process_madvise(2): advices that harm nobody, for a process that the caller may look into and whose speed it may touch. */
long sys_process_madvise(int pidfd, const struct iovec __user *uvectors, size_t count, int advice,
			 unsigned flags)
{
	struct process *process;
	struct aspace *as;
	struct iovec *vectors;
	ssize_t result;

	if (flags || count > VECTOR_MAX)
		return -EINVAL;
	result = copy_remote_vector(uvectors, count, &vectors);
	if (!result)
		result = pidfd_target(pidfd, &process, &as);
	if (!result) {
		result = process_may_access(process);
		if (!result && advice != MADV_COLD && advice != MADV_PAGEOUT &&
		    advice != MADV_WILLNEED)
			result = -EINVAL;
		if (!result && !capable(CAP_SYS_NICE))
			result = -EPERM;
		if (!result)
			result = advise_vectors(as, vectors, count, advice);
		process_aspace_put(as);
		process_put(process);
	}
	kfree(vectors);
	return result;
}

/* process_mrelease(2) */
long sys_process_mrelease(int pidfd, unsigned flags)
{
	struct process *process;
	struct aspace *as;
	int err;

	if (flags)
		return -EINVAL;
	err = pidfd_target(pidfd, &process, &as);
	if (err)
		return err;
	/* One that was killed already never reads its memory again. */
	if (READ_ONCE(process->group_exiting))
		aspace_reap(as);
	else
		err = -EINVAL;
	process_aspace_put(as);
	process_put(process);
	return err;
}
