/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Id allocation over a radix tree, whose `full` maps lead to the next free index. */
#include <lib/errno.h>
#include <lib/idr.h>

int idr_alloc(struct idr *idr, void *value, u32 min, u32 max)
{
	u64 id;
	int r = radix_next_free(&idr->map, min, max, &id);

	if (!r)
		r = radix_store(&idr->map, id, value, nullptr);
	return r ? r : (int)id;
}

int idr_alloc_cyclic(struct idr *idr, void *value, u32 min, u32 max)
{
	u32 start = idr->next < min || idr->next > max ? min : idr->next;
	int id = idr_alloc(idr, value, start, max);

	if (id == -ENOSPC && start > min)
		id = idr_alloc(idr, value, min, start - 1);
	if (id >= 0)
		idr->next = (u32)id + 1;
	return id;
}
