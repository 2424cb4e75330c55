/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making and removing mappings: mmap(2), munmap(2), brk(2), and finding what is mapped where. */
#include <lib/errno.h>
#include <mm/aspace_priv.h>
#include <mm/memory_object.h>

#include <linux/mman.h>

int aspace_may_grow(const struct aspace *as, u64 flags, u64 pages)
{
	struct frame_stats frames;

	if (as->mapped_pages + pages > as->limit_as >> PAGE_SHIFT)
		return -ENOMEM;
	if (!vma_is_private_writable(flags) || flags & VMA_GROWSDOWN)
		return 0;
	if (as->data_pages + pages > as->limit_data >> PAGE_SHIFT)
		return -ENOMEM;
	if (flags & VMA_NORESERVE || pages < 1024)
		return 0;
	/* Obvious overcommits are refused, as with vm.overcommit_memory=0. */
	frame_stats(&frames);
	return pages > frames.total ? -ENOMEM : 0;
}

static u64 request_vma_flags(const struct map_request *req)
{
	u64 flags = req->vma_flags | (req->prot & VMA_PROT_MASK);

	/* Linux's kernels for these architectures let what is writable be read. */
	if (flags & VMA_WRITE)
		flags |= VMA_READ;
	if ((req->flags & MAP_TYPE) != MAP_PRIVATE)
		flags |= VMA_SHARED;
	if (req->flags & MAP_GROWSDOWN)
		flags |= VMA_GROWSDOWN;
	if (req->flags & MAP_NORESERVE)
		flags |= VMA_NORESERVE;
	if (req->flags & MAP_LOCKED)
		flags |= VMA_LOCKED;
	if (!req->object && !(flags & VMA_DEVICE))
		return flags | VMA_MAY_READ | VMA_MAY_WRITE | VMA_MAY_EXEC;
	return flags | (req->may & (VMA_MAY_READ | VMA_MAY_WRITE | VMA_MAY_EXEC));
}

static int check_request(const struct map_request *req, u64 flags)
{
	u64 end;

	if (!req->length)
		return -EINVAL;
	if (req->length > USER_MAX)
		return -ENOMEM;
	if (req->offset & ~PAGE_MASK)
		return -EINVAL;
	if (add_overflows(req->offset, ALIGN_UP(req->length, PAGE_SIZE), &end) || end > INT64_MAX)
		return -EOVERFLOW;
	if (!req->object && !(flags & VMA_DEVICE))
		return 0;
	/* VMA_MAY_x is VMA_x shifted: what is asked for must be allowed. */
	if (flags & VMA_PROT_MASK & ~(flags / VMA_MAY_READ))
		return -EACCES;
	return 0;
}
static_assert(VMA_MAY_READ / VMA_READ == VMA_MAY_WRITE / VMA_WRITE &&
	      VMA_MAY_READ / VMA_READ == VMA_MAY_EXEC / VMA_EXEC);

/* Chooses the address. as->lock is held exclusively. */
static int choose_address(struct aspace *as, const struct map_request *req, size_t length,
			  vaddr_t *out)
{
	vaddr_t hint = req->address;

	if (req->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		if (hint & ~PAGE_MASK)
			return -EINVAL;
		if (hint > USER_MAX - length)
			return -ENOMEM;
		if (hint < MMAP_MIN_ADDRESS)
			return -EPERM;
		if (req->flags & MAP_FIXED_NOREPLACE) {
			struct vma *vma = aspace_find(as, hint);

			if (vma && vma->start < hint + length)
				return -EEXIST;
		}
		*out = hint;
		return 0;
	}
	hint = ALIGN_UP(hint, PAGE_SIZE);
	if (hint >= MMAP_MIN_ADDRESS && hint <= USER_MAX - length) {
		struct vma *vma = aspace_find(as, hint);
		struct vma *prev = vma ? vma_prev(vma) : nullptr;

		if ((!vma || vma_lowest(vma) >= hint + length) && (!prev || prev->end <= hint)) {
			*out = hint;
			return 0;
		}
	}
	if (!vma_find_gap(as, length, MMAP_MIN_ADDRESS, as->mmap_base, out))
		return 0;
	return vma_find_gap(as, length, MMAP_MIN_ADDRESS, USER_MAX, out);
}

/* How much of [start, end) is mapped, in pages: it will be replaced. */
static u64 mapped_in_range(struct aspace *as, vaddr_t start, vaddr_t end)
{
	u64 pages = 0;

	for (struct vma *vma = aspace_find(as, start); vma && vma->start < end; vma = vma_next(vma))
		pages += (MIN(vma->end, end) - MAX(vma->start, start)) >> PAGE_SHIFT;
	return pages;
}

static struct vma *make_vma(struct aspace *as, const struct map_request *req, u64 flags,
			    vaddr_t start, size_t length)
{
	struct vma *vma = vma_create(as);

	if (!vma)
		return nullptr;
	vma->start = start;
	vma->end = start + length;
	vma->flags = flags;
	vma->offset = req->offset;
	vma->name = req->name;
	vma->device = req->device;
	if (req->object) {
		memory_object_get(req->object);
		vma->object = req->object;
	}
	if (req->file) {
		mm_hooks.file_get(req->file);
		vma->file = req->file;
	}
	if (unlikely(req->derivation)) {
		vma->derivation = req->derivation;
		mm_hooks.vma_derived(vma);
	}
	return vma;
}

/* Clears [start, start + length) of old mappings. */
static int make_room(struct aspace *as, vaddr_t start, size_t length)
{
	int err = vma_isolate(as, start, start + length);

	if (!err)
		aspace_remove_range(as, start, start + length);
	return err;
}

static int map_locked(struct aspace *as, const struct map_request *req, u64 flags, size_t length,
		      vaddr_t *out)
{
	vaddr_t start;
	int err = choose_address(as, req, length, &start);

	if (err)
		return err;
	u64 replaced = mapped_in_range(as, start, start + length);

	err = aspace_may_grow(as, flags,
			      (length >> PAGE_SHIFT) - MIN(replaced, length >> PAGE_SHIFT));
	if (err)
		return err;
	if (flags & VMA_LOCKED && !aspace_may_lock(as, as->locked_pages + (length >> PAGE_SHIFT)))
		return -EAGAIN;
	struct vma *vma = make_vma(as, req, flags, start, length);

	if (!vma)
		return -ENOMEM;
	if (replaced)
		err = make_room(as, start, length);
	if (err) {
		vma_destroy(vma);
		return err;
	}
	vma_insert(vma);
	(void)vma_merge(vma);
	*out = start;
	return 0;
}

int aspace_map(struct aspace *as, const struct map_request *req, vaddr_t *out)
{
	u64 flags = request_vma_flags(req) | as->default_flags;
	int err = check_request(req, flags);

	if (err)
		return err;
	size_t length = ALIGN_UP(req->length, PAGE_SIZE);
	struct map_request shared = *req;
	struct memory_object *anonymous = nullptr;

	if (!req->object && flags & VMA_SHARED && !(flags & VMA_DEVICE)) {
		err = memory_object_create_anonymous(length, &anonymous);
		if (err)
			return err;
		shared.object = anonymous;
		shared.offset = 0;
	}
	write_lock(&as->lock);
	err = map_locked(as, &shared, flags, length, out);
	write_unlock(&as->lock);
	if (anonymous)
		memory_object_put(anonymous);
	if (err)
		return err;
	bool populate = (req->flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE ||
			vma_flags_populate(flags);

	/* What cannot be populated now faults later. */
	if (populate && flags & VMA_PROT_MASK)
		(void)aspace_populate(as, *out, *out + length,
				      (flags & (VMA_WRITE | VMA_SHARED)) == VMA_WRITE);
	return 0;
}

int aspace_unmap(struct aspace *as, vaddr_t start, size_t length)
{
	if (start & ~PAGE_MASK || !length || length > USER_MAX || start > USER_MAX - length)
		return -EINVAL;
	length = ALIGN_UP(length, PAGE_SIZE);
	write_lock(&as->lock);
	int err = make_room(as, start, length);

	write_unlock(&as->lock);
	return err;
}

/* brk */

/* Moves the end of the heap up. as->lock is held exclusively. */
static int grow_heap(struct aspace *as, vaddr_t old_end, vaddr_t new_end)
{
	struct map_request req = {
		.address = old_end,
		.length = new_end - old_end,
		.prot = PROT_READ | PROT_WRITE,
		.flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
	};
	struct vma *above = aspace_find(as, old_end);
	vaddr_t at;

	if (above && vma_lowest(above) < new_end)
		return -ENOMEM;
	if (new_end - as->brk_start > as->limit_data)
		return -ENOMEM;
	return map_locked(as, &req, request_vma_flags(&req) | as->default_flags, new_end - old_end,
			  &at);
}

vaddr_t aspace_set_brk(struct aspace *as, vaddr_t brk)
{
	write_lock(&as->lock);
	vaddr_t result = as->brk_end;

	if (brk >= as->brk_start && brk < USER_MAX) {
		vaddr_t old_end = ALIGN_UP(as->brk_end, PAGE_SIZE);
		vaddr_t new_end = ALIGN_UP(brk, PAGE_SIZE);
		int err = 0;

		if (new_end > old_end)
			err = grow_heap(as, old_end, new_end);
		else if (new_end < old_end)
			err = make_room(as, new_end, old_end - new_end);
		if (!err)
			result = as->brk_end = brk;
	}
	bool locked = vma_flags_populate(as->default_flags);

	write_unlock(&as->lock);
	if (locked && result == brk)
		(void)aspace_populate(as, as->brk_start, brk, true);
	return result;
}
