/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Credentials: sharing, copying, and the questions that permission checks ask. */
#include <lib/errno.h>
#include <lib/refs.h>
#include <lib/sort.h>
#include <mm/slab.h>
#include <obj/credentials.h>

#define ALL_CAPABILITIES (BIT(CAP_LAST_CAP + 1) - 1)

struct credentials kernel_credentials = {
	.refs = 1,
	.capabilities_permitted = ALL_CAPABILITIES,
	.capabilities_effective = ALL_CAPABILITIES,
	.capabilities_bounding = ALL_CAPABILITIES,
};

const struct credentials *(*credentials_hook)(void);
void (*capability_denied_hook)(unsigned capability);

/* The count is the one part of a shared set that changes. */
static u32 *reference_count(const struct credentials *c)
{
	return (u32 *)(uintptr_t)&c->refs;
}

void credentials_get(const struct credentials *c)
{
	__atomic_fetch_add(reference_count(c), 1, __ATOMIC_RELAXED);
}

bool credentials_get_unless_zero(const struct credentials *c)
{
	return refs_get_unless_zero(reference_count(c));
}

int group_list_create(unsigned count, struct group_list **out)
{
	struct group_list *list = kmalloc(sizeof(*list) + count * sizeof(list->groups[0]), 0);

	if (!list)
		return -ENOMEM;
	list->refs = 1;
	list->count = count;
	*out = list;
	return 0;
}

static int compare_groups(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return (x > y) - (x < y);
}

void group_list_sort(struct group_list *list)
{
	sort(list->groups, list->count, sizeof(list->groups[0]), compare_groups);
}

void group_list_put(struct group_list *list)
{
	if (list && __atomic_fetch_sub(&list->refs, 1, __ATOMIC_ACQ_REL) == 1)
		kfree(list);
}

static void credentials_free(struct rcu_head *head)
{
	struct credentials *c = container_of(head, struct credentials, rcu);

	group_list_put(c->groups);
	kfree(c);
}

void credentials_put(const struct credentials *c)
{
	struct credentials *last = (struct credentials *)(uintptr_t)c;

	if (__atomic_fetch_sub(reference_count(c), 1, __ATOMIC_ACQ_REL) == 1)
		rcu_call(&last->rcu, credentials_free);
}

int credentials_copy(const struct credentials *from, struct credentials **out)
{
	struct credentials *copy = kmalloc(sizeof(*copy), 0);

	if (!copy)
		return -ENOMEM;
	*copy = *from;
	copy->refs = 1;
	if (copy->groups)
		__atomic_fetch_add(&copy->groups->refs, 1, __ATOMIC_RELAXED);
	*out = copy;
	return 0;
}

const struct credentials *current_credentials(void)
{
	return likely(credentials_hook) ? credentials_hook() : &kernel_credentials;
}

bool capable(unsigned capability)
{
	if (likely(current_credentials()->capabilities_effective >> capability & 1))
		return true;
	if (capability_denied_hook)
		capability_denied_hook(capability);
	return false;
}

bool credentials_in_group(const struct credentials *c, u32 gid)
{
	unsigned low = 0, high = c->groups ? c->groups->count : 0;

	if (gid == c->fsgid)
		return true;
	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (c->groups->groups[middle] == gid)
			return true;
		if (c->groups->groups[middle] < gid)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}
