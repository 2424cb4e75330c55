/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host and domain name, and the name spaces that they are in (uts_namespaces(7)). */
#include <core/lock.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <proc/uts.h>

#include <linux/sched.h>

static struct uts_namespace initial_uts = {
	.lock = SPINLOCK_INIT(RANK_PROCESS),
	.names = { [UTS_HOST_NAME] = "(none)", [UTS_DOMAIN_NAME] = "(none)" },
};

static struct uts_namespace *uts_of(struct namespace *ns)
{
	return container_of(ns, struct uts_namespace, base);
}

void uts_name_get(enum uts_name which, char out[__NEW_UTS_LEN + 1])
{
	struct uts_namespace *uts = current_uts();

	spin_lock(&uts->lock);
	memcpy(out, uts->names[which], sizeof(uts->names[which]));
	spin_unlock(&uts->lock);
}

int uts_name_set(enum uts_name which, const char *name, size_t size)
{
	return uts_name_set_in(current_uts(), which, name, size);
}

int uts_name_set_in(struct uts_namespace *uts, enum uts_name which, const char *name, size_t size)
{
	if (size > __NEW_UTS_LEN)
		return -EINVAL;
	spin_lock(&uts->lock);
	memset(uts->names[which], 0, sizeof(uts->names[which]));
	memcpy(uts->names[which], name, size);
	spin_unlock(&uts->lock);
	return 0;
}

static void uts_free(struct rcu_head *head)
{
	kfree(container_of(head, struct uts_namespace, base.object.rcu));
}

static void uts_destroy(struct object *object)
{
	rcu_call(&object->rcu, uts_free);
}

static int uts_copy(struct namespace *from, struct fs_context *fs, struct namespace **out)
{
	struct uts_namespace *old = uts_of(from), *new = kzalloc(sizeof(*new), 0);

	(void)fs;
	if (!new)
		return -ENOMEM;
	namespace_init(&new->base, from->type);
	spin_init(&new->lock, RANK_PROCESS);
	spin_lock(&old->lock);
	memcpy(new->names, old->names, sizeof(new->names));
	spin_unlock(&old->lock);
	*out = &new->base;
	return 0;
}

static const struct namespace_type uts_type = {
	.name = "uts",
	.clone_flag = CLONE_NEWUTS,
	.object = { .name = "uts", .destroy = uts_destroy },
	.copy = uts_copy,
};

void uts_init(void)
{
	namespace_register(NAMESPACE_UTS, &uts_type, &initial_uts.base);
}
