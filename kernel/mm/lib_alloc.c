/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory of lib/'s data structures. */
#include <core/rcu.h>
#include <lib/alloc.h>
#include <mm/slab.h>

void *lib_alloc(size_t size)
{
	return kmalloc(size, ALLOC_ATOMIC | ALLOC_ZERO);
}

void lib_free(void *memory)
{
	kfree(memory);
}

static void lib_free_now(struct rcu_head *head)
{
	kfree(head);
}

void lib_free_deferred(struct lib_deferred *memory)
{
	static_assert(sizeof(struct rcu_head) <= sizeof(struct lib_deferred));
	rcu_call((struct rcu_head *)memory, lib_free_now);
}
