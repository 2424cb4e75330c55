/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory mappings: mmap(2) and its relatives. */
#include <arch/layout.h>
#include <lib/errno.h>
#include <mm/aspace.h>
#include <mm/memory_object.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <obj/file.h>
#include <proc/task.h>
#include <vfs/vfs.h>

#include <linux/mman.h>
#include <linux/mount.h>
#include <syscall_prototypes.h>

long sys_mmap(unsigned long address, size_t length, unsigned protection, unsigned flags, int fd,
	      s64 offset)
{
	struct map_request req = {
		.address = address,
		.length = length,
		.prot = protection & (PROT_READ | PROT_WRITE | PROT_EXEC),
		.flags = flags,
		.offset = (u64)offset,
	};
	unsigned type = req.flags & MAP_TYPE;
	vaddr_t at = 0;
	long err;

	if (offset & (s64)~PAGE_MASK)
		return -EINVAL;
	if (!length || (type != MAP_PRIVATE && type != MAP_SHARED && type != MAP_SHARED_VALIDATE))
		return -EINVAL;
	if (length > USER_MAX)
		return -ENOMEM;
	if (req.flags & MAP_HUGETLB)
		return -EINVAL; /* no huge pages are reserved, as on a Linux without hugetlbfs pages
				 */
	if (req.flags & MAP_FIXED_NOREPLACE)
		req.flags |= MAP_FIXED;
	if (req.flags & MAP_ANONYMOUS) {
		req.offset = 0;
		err = aspace_map(current_aspace(), &req, &at);
	} else {
		err = vfs_map(current_aspace(), current_task()->pool, fd, &req, &at);
	}
	return err ? err : (long)at;
}

long sys_munmap(unsigned long address, size_t length)
{
	return aspace_unmap(current_aspace(), address, length);
}

long sys_mprotect(unsigned long address, size_t length, unsigned protection)
{
	return aspace_protect(current_aspace(), address, length, protection);
}

long sys_mremap(unsigned long address, size_t old_length, size_t new_length, unsigned flags,
		unsigned long new_address)
{
	vaddr_t at;
	int err = aspace_remap(current_aspace(), address, old_length, new_length, flags,
			       new_address, &at);

	return err ? err : (long)at;
}

long sys_brk(unsigned long address)
{
	return (long)aspace_set_brk(current_aspace(), address);
}

long sys_madvise(unsigned long address, size_t length, int advice)
{
	return aspace_advise(current_aspace(), address, length, advice);
}

long sys_msync(unsigned long address, size_t length, unsigned flags)
{
	return aspace_sync(current_aspace(), address, length, flags);
}

long sys_mincore(unsigned long address, size_t length, void __user *vector)
{
	u8 chunk[256];
	u8 __user *vec = vector;
	uintptr_t start = address;

	if (start & ~PAGE_MASK)
		return -EINVAL;
	if (length > USER_MAX || start > USER_MAX - length)
		return -ENOMEM;
	for (size_t pages = DIV_ROUND_UP(length, PAGE_SIZE); pages;) {
		size_t step = MIN(pages, sizeof(chunk));
		int err = aspace_mincore(current_aspace(), start, step * PAGE_SIZE, chunk);

		if (err)
			return err;
		if (copy_to_user(vec, chunk, step))
			return -EFAULT;
		vec += step;
		start += step * PAGE_SIZE;
		pages -= step;
	}
	return 0;
}

long sys_mlock(unsigned long address, size_t length)
{
	return aspace_lock_range(current_aspace(), address, length, VMA_LOCKED);
}

long sys_mlock2(unsigned long address, size_t length, unsigned flags)
{
	if (flags & ~(unsigned)MLOCK_ONFAULT)
		return -EINVAL;
	return aspace_lock_range(current_aspace(), address, length,
				 VMA_LOCKED | (flags & MLOCK_ONFAULT ? VMA_LOCK_ON_FAULT : 0));
}

long sys_munlock(unsigned long address, size_t length)
{
	return aspace_lock_range(current_aspace(), address, length, 0);
}

long sys_mlockall(unsigned flags)
{
	if (!flags || flags & ~(unsigned)(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) ||
	    flags == MCL_ONFAULT)
		return -EINVAL;
	u64 lock = VMA_LOCKED | (flags & MCL_ONFAULT ? VMA_LOCK_ON_FAULT : 0);
	return aspace_lock_all(current_aspace(), flags & MCL_CURRENT ? lock : 0,
			       flags & MCL_FUTURE ? lock : 0);
}

long sys_munlockall(void)
{
	return aspace_unlock_all(current_aspace());
}

/* Protection keys: neither architecture's machines have them here, so only the key of all memory
 * exists. */
long sys_pkey_mprotect(unsigned long address, size_t length, unsigned protection, int key)
{
	return key == -1 ? aspace_protect(current_aspace(), address, length, protection) : -EINVAL;
}

long sys_pkey_alloc(unsigned long flags, unsigned long rights)
{
	return flags || rights & ~(unsigned long)(PKEY_DISABLE_ACCESS | PKEY_DISABLE_WRITE)
		       ? -EINVAL
		       : -ENOSPC;
}

long sys_pkey_free(int key)
{
	return -EINVAL;
}
