/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls: memory policies and moving pages between nodes (set_mempolicy(2), move_pages(2)), on a machine of one node. */
#include <lib/errno.h>
#include <mm/policy.h>
#include <mm/ucopy.h>
#include <proc/inspect.h>
#include <proc/jobs.h>
#include <proc/signal.h>
#include <proc/task.h>
#include <syscall_prototypes.h>

#include <linux/mempolicy.h>

#define NODES_MAX 1024 /* numbers that may be named at all, as Debian's kernel has them */
#define WORD_BITS 64u

/*
 * A set of nodes from user space: *node says whether node 0, the only one, is in it; *others whether nodes that do not exist
 * are. `max_node` is one more than the number of bits (get_mempolicy(2), BUGS). -EINVAL, -EFAULT.
 */
static int copy_nodes(const unsigned long __user *nodes, unsigned long max_node, bool *node,
		      bool *others)
{
	*node = *others = false;
	if (!nodes || max_node <= 1)
		return 0;
	max_node--;
	if (max_node > PAGE_SIZE * 8)
		return -EINVAL;
	for (unsigned long at = 0; at < max_node; at += WORD_BITS) {
		unsigned long word;

		if (copy_from_user(&word, nodes + at / WORD_BITS, sizeof(word)))
			return -EFAULT;
		if (max_node - at < WORD_BITS)
			word &= (1ul << (max_node - at)) - 1;
		if (word && at >= NODES_MAX)
			return -EINVAL;
		*node |= !at && word & 1;
		*others |= word & (at ? ~0ul : ~1ul);
	}
	return 0;
}

/* The byte that stands for a policy, checked as set_mempolicy(2) says. */
static int make_policy(unsigned long mode_and_flags, const unsigned long __user *nodes,
		       unsigned long max_node, u8 *out)
{
	unsigned long mode = mode_and_flags & ~(unsigned long)MPOL_MODE_FLAGS;
	bool fixed = mode_and_flags & MPOL_F_STATIC_NODES;
	bool relative = mode_and_flags & MPOL_F_RELATIVE_NODES;
	bool balancing = mode_and_flags & MPOL_F_NUMA_BALANCING;
	bool node, others;

	if (mode >= MPOL_MAX || (fixed && relative) || (balancing && mode != MPOL_BIND))
		return -EINVAL;
	int err = copy_nodes(nodes, max_node, &node, &others);

	if (err)
		return err;
	if (mode == MPOL_DEFAULT || mode == MPOL_LOCAL) {
		*out = (u8)mode;
		return node || others || (mode == MPOL_LOCAL && (fixed || relative)) ? -EINVAL : 0;
	}
	if (mode == MPOL_PREFERRED && !node && !others) {
		*out = MPOL_LOCAL;
		return fixed || relative ? -EINVAL : 0;
	}
	/* Relative numbers are taken modulo the nodes that there are. */
	if (!node && !(relative && others))
		return -EINVAL;
	*out = (u8)(mode | MEMORY_POLICY_NODE | (fixed ? MEMORY_POLICY_STATIC : 0) |
		    (relative ? MEMORY_POLICY_RELATIVE : 0) |
		    (balancing ? MEMORY_POLICY_BALANCING : 0));
	return 0;
}

static int policy_mode(u8 policy)
{
	return (int)(policy & MEMORY_POLICY_MODE) |
	       (policy & MEMORY_POLICY_STATIC ? MPOL_F_STATIC_NODES : 0) |
	       (policy & MEMORY_POLICY_RELATIVE ? MPOL_F_RELATIVE_NODES : 0) |
	       (policy & MEMORY_POLICY_BALANCING ? MPOL_F_NUMA_BALANCING : 0);
}

long sys_set_mempolicy(int mode, const unsigned long __user *nodes, unsigned long max_node)
{
	u8 policy;
	int err = mode < 0 ? -EINVAL : make_policy((unsigned)mode, nodes, max_node, &policy);

	if (!err)
		current_task()->memory_policy = policy;
	return err;
}

long sys_mbind(unsigned long start, unsigned long length, unsigned long mode,
	       const unsigned long __user *nodes, unsigned long max_node, unsigned flags)
{
	u64 end;
	u8 policy;

	if (flags & ~(unsigned)MPOL_MF_VALID || start & ~PAGE_MASK)
		return -EINVAL;
	if (flags & MPOL_MF_MOVE_ALL && !capable(CAP_SYS_NICE))
		return -EPERM;
	if (length > USER_MAX || add_overflows(start, ALIGN_UP(length, PAGE_SIZE), &end))
		return -EINVAL;
	int err = make_policy(mode, nodes, max_node, &policy);

	if (err || start == end)
		return err;
	return aspace_set_policy(current_aspace(), start, end, policy);
}

/* Writes the set {0} or {} over as many words as max_node needs. */
static int copy_nodes_out(unsigned long __user *nodes, unsigned long max_node, bool node)
{
	unsigned long words = DIV_ROUND_UP(max_node - 1, WORD_BITS);

	if (!nodes || max_node <= 1)
		return 0;
	if (words > PAGE_SIZE / sizeof(long))
		return -EINVAL;
	for (unsigned long i = 0; i < words; i++) {
		unsigned long word = !i && node;

		if (copy_to_user(nodes + i, &word, sizeof(word)))
			return -EFAULT;
	}
	return 0;
}

/* The policy that holds at an address, or for the task. */
static int effective_policy(unsigned long address, bool of_address, u8 *out)
{
	int err = of_address ? aspace_policy_at(current_aspace(), address, out) : 0;

	if (!err && (!of_address || !*out))
		*out = of_address ? 0 : current_task()->memory_policy;
	return err;
}

/* MPOL_F_NODE: the node of a page, which is made; or the next one of an interleaved allocation. */
static int which_node(unsigned long address, bool of_address, u8 policy)
{
	if (of_address) {
		int err = aspace_populate(current_aspace(), address & PAGE_MASK,
					  (address & PAGE_MASK) + PAGE_SIZE, false);

		return err ? -EFAULT : 0;
	}
	return (policy & MEMORY_POLICY_MODE) == MPOL_INTERLEAVE ? 0 : -EINVAL;
}

long sys_get_mempolicy(int __user *mode, unsigned long __user *nodes, unsigned long max_node,
		       unsigned long address, unsigned long flags)
{
	bool of_address = flags & MPOL_F_ADDR;
	int value = 0;
	u8 policy = 0;

	if (nodes && max_node < 1)
		return -EINVAL;
	if (flags & ~(unsigned long)(MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED))
		return -EINVAL;
	if (flags & MPOL_F_MEMS_ALLOWED) {
		if (flags & (MPOL_F_NODE | MPOL_F_ADDR))
			return -EINVAL;
		policy = MEMORY_POLICY_NODE;
	} else {
		if (!of_address && address)
			return -EINVAL;
		int err = effective_policy(address, of_address, &policy);

		if (err)
			return err;
		value = policy_mode(policy);
		if (flags & MPOL_F_NODE) {
			value = which_node(address, of_address, policy);
			if (value < 0)
				return value;
		}
	}
	if (mode && copy_to_user(mode, &value, sizeof(value)))
		return -EFAULT;
	return copy_nodes_out(nodes, max_node, policy & MEMORY_POLICY_NODE);
}

long sys_set_mempolicy_home_node(unsigned long start, unsigned long length, unsigned long node,
				 unsigned long flags)
{
	u64 end;

	if (flags || start & ~PAGE_MASK || node || length > USER_MAX ||
	    add_overflows(start, ALIGN_UP(length, PAGE_SIZE), &end))
		return -EINVAL;
	return start == end ? 0 : aspace_check_home_node(current_aspace(), start, end);
}

/* The memory of a process whose pages the caller may move. */
static int movable_aspace(int pid, struct aspace **out)
{
	struct process *process;
	int err = process_find(pid ? pid : current_process()->pid, &process);

	if (err)
		return err;
	err = process_may_access(process);
	*out = err ? nullptr : process_aspace_get(process);
	process_put(process);
	return err ? err : *out ? 0 : -EINVAL;
}

long sys_migrate_pages(int pid, unsigned long max_node, const unsigned long __user *old,
		       const unsigned long __user *new)
{
	struct aspace *as;
	bool node, others;
	int err = copy_nodes(old, max_node, &node, &others);

	if (!err)
		err = copy_nodes(new, max_node, &node, &others);
	if (err)
		return err;
	err = movable_aspace(pid, &as);
	if (err)
		return err;
	process_aspace_put(as);
	/* Whatever was to move is on the only node already. */
	return node ? 0 : -EINVAL;
}

/* One page of move_pages(2); *status as the manual page says. */
static int move_page(struct aspace *as, const void __user *const __user *page,
		     const int __user *node, int __user *status)
{
	const void __user *address;
	int wanted = 0, result;

	if (copy_from_user(&address, page, sizeof(address)) ||
	    (node && copy_from_user(&wanted, node, sizeof(wanted))))
		return -EFAULT;
	if (wanted)
		return -ENODEV;
	result = aspace_node_at(as, (vaddr_t)__force_user(uintptr_t, address));
	return copy_to_user(status, &result, sizeof(result)) ? -EFAULT : 0;
}

long sys_move_pages(int pid, unsigned long count, const unsigned long __user *pages,
		    const int __user *nodes, int __user *status, unsigned flags)
{
	const void __user *const __user *page = (const void __user *const __user *)pages;
	struct aspace *as;

	if (flags & ~(unsigned)(MPOL_MF_MOVE | MPOL_MF_MOVE_ALL))
		return -EINVAL;
	if (flags & MPOL_MF_MOVE_ALL && !capable(CAP_SYS_NICE))
		return -EPERM;
	int err = movable_aspace(pid, &as);

	for (unsigned long i = 0; !err && i < count; i++) {
		if (signal_fatal_pending())
			err = -EINTR;
		else
			err = move_page(as, page + i, nodes ? nodes + i : nullptr, status + i);
	}
	if (as)
		process_aspace_put(as);
	return err;
}
