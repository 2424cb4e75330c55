/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory policies (set_mempolicy(2), mbind(2)): which node memory should come from. The machine is one node, so that a policy
 * changes nothing but what get_mempolicy(2) tells; it is kept per task and per mapping in one byte.
 */
#pragma once

#include <mm/aspace.h>

#define MEMORY_POLICY_MODE 7u	    /* MPOL_DEFAULT.. of <linux/mempolicy.h> */
#define MEMORY_POLICY_STATIC BIT(3) /* MPOL_F_STATIC_NODES */
#define MEMORY_POLICY_RELATIVE BIT(4)
#define MEMORY_POLICY_BALANCING BIT(5)
#define MEMORY_POLICY_NODE BIT(6) /* its set of nodes is {0}; else empty */

/* mbind(2) of a page-aligned range: -EFAULT where nothing is mapped, -ENOMEM. Takes as->lock. */
[[nodiscard]] int aspace_set_policy(struct aspace *as, vaddr_t start, vaddr_t end, u8 policy);

/* The policy of the mapping at an address (0: that of the task): -EFAULT if there is none. Takes as->lock. */
[[nodiscard]] int aspace_policy_at(struct aspace *as, vaddr_t address, u8 *out);

/* The node of the page at an address: 0; -ENOENT: none yet, of an object; -EFAULT: none yet of private memory, or
 * nothing is mapped. Takes as->lock. */
[[nodiscard]] int aspace_node_at(struct aspace *as, vaddr_t address);

/* set_mempolicy_home_node(2): 0 if all mappings of the range have a policy with a set of nodes, else -EOPNOTSUPP. */
[[nodiscard]] int aspace_check_home_node(struct aspace *as, vaddr_t start, vaddr_t end);
