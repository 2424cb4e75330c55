/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much of the slab allocator's memory is in use, and giving back what is not. */
#include <arch/irqflags.h>
#include <core/cpu_call.h>
#include <mm/slab_priv.h>

/* Objects of the cache in magazines. */
static u64 slab_in_magazines(const struct slab_cache *cache)
{
	u64 n = 0;

	for_each_cpu (cpu) {
		struct magazine *magazine = per_cpu(magazines, cpu);
		if (magazine)
			n += READ_ONCE(magazine[cache->id].count);
	}
	return n;
}

void slab_for_each(bool (*visit)(const struct slab_stats *stats, void *arg), void *arg)
{
	for (unsigned id = 0; id < slab_cache_count; id++) {
		struct slab_cache *cache = &slab_caches[id];
		irqflags_t irq = spin_lock_irqsave(&cache->lock);
		u64 in_use = cache->in_use, slabs = cache->slabs;
		spin_unlock_irqrestore(&cache->lock, irq);
		u64 cached = slab_in_magazines(cache) + slab_in_quarantine(cache);
		struct slab_stats stats = {
			.name = cache->name,
			.object_size = cache->object_size,
			.objects_in_use = in_use - MIN(in_use, cached),
			.objects_total = slabs * cache->per_slab,
			.pages = slabs << cache->order,
		};
		if (!visit(&stats, arg))
			return;
	}
}

/* Empties this CPU's magazine of a cache. */
static void slab_flush_magazine(struct slab_cache *cache)
{
	void *objects[MAGAZINE_SIZE];
	irqflags_t irq = arch_irq_save();
	struct magazine *magazine = this_cpu(magazines);
	unsigned n = 0;

	if (magazine) {
		magazine += cache->id;
		while (magazine->count)
			objects[n++] = magazine->objects[--magazine->count];
	}
	arch_irq_restore(irq);
	if (n)
		slab_give_many(cache, objects, n);
}

/* Takes the empty slab that a cache keeps, or null. */
static struct page *slab_take_empty(struct slab_cache *cache)
{
	struct page *slab = nullptr;
	irqflags_t irq = spin_lock_irqsave(&cache->lock);

	if (cache->empty) {
		slab = list_last(&cache->partial, struct page, node);
		while (slab->slab_used)
			slab = list_entry(slab->node.prev, struct page, node);
		list_remove(&slab->node);
		cache->empty--;
		cache->slabs--;
	}
	spin_unlock_irqrestore(&cache->lock, irq);
	return slab;
}

static void slab_flush_magazines(void *unused)
{
	(void)unused;
	for (unsigned id = 0; id < slab_cache_count; id++)
		slab_flush_magazine(&slab_caches[id]);
}

void slab_shrink(void)
{
	slab_quarantine_empty();
	preempt_disable();
	slab_flush_magazines(nullptr);
	cpu_call(~0ull, slab_flush_magazines, nullptr);
	preempt_enable();
	for (unsigned id = 0; id < slab_cache_count; id++) {
		struct page *slab;
		while ((slab = slab_take_empty(&slab_caches[id])))
			slab_release(&slab_caches[id], slab);
	}
}
