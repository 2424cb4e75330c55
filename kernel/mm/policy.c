/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory policies of mappings; see mm/policy.h. */
#include <lib/errno.h>
#include <mm/aspace_priv.h>
#include <mm/policy.h>

#include <linux/mempolicy.h>

static u8 policy_of(const struct vma *vma)
{
	return (u8)(vma->flags >> VMA_POLICY_SHIFT);
}

int aspace_set_policy(struct aspace *as, vaddr_t start, vaddr_t end, u8 policy)
{
	int err = -EFAULT;

	write_lock(&as->lock);
	if (vma_range_is_mapped(as, start, end))
		err = vma_change_range(as, start, end, VMA_POLICY_MASK,
				       (u64)policy << VMA_POLICY_SHIFT, false);
	write_unlock(&as->lock);
	return err;
}

int aspace_policy_at(struct aspace *as, vaddr_t address, u8 *out)
{
	read_guard(&as->lock);
	const struct vma *vma = aspace_find(as, address);

	if (!vma || vma->start > address)
		return -EFAULT;
	*out = policy_of(vma);
	return 0;
}

int aspace_node_at(struct aspace *as, vaddr_t address)
{
	read_guard(&as->lock);
	const struct vma *vma = aspace_find(as, address);

	if (!vma || vma->start > address)
		return -EFAULT;
	const pte_t *pte = pagetable_find(as->mmu.root, address);

	if (pte && pte_present(pte_load(pte)))
		return 0;
	return vma->object ? -ENOENT : -EFAULT;
}

int aspace_check_home_node(struct aspace *as, vaddr_t start, vaddr_t end)
{
	int err = -ENOENT;

	read_guard(&as->lock);
	for (struct vma *vma = aspace_find(as, start); vma && vma->start < end;
	     vma = vma_next(vma)) {
		unsigned mode = policy_of(vma) & MEMORY_POLICY_MODE;

		if (mode != MPOL_BIND && mode != MPOL_PREFERRED_MANY)
			return -EOPNOTSUPP;
		err = 0;
	}
	return err;
}
