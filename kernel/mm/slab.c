/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The slab allocator: caches of equal objects, and kmalloc on top of them.
 *
 * A slab is a block of frames cut into objects; its books live in the struct page of its first
 * frame. In front of each cache stands a magazine per CPU: a small stack of free objects, filled
 * and emptied by halves, so that nearly all traffic is one push or pop with interrupts masked.
 *
 * Invariants: 1. A slab is in its cache's `partial` list exactly when some but not all of its
 * objects are handed out, or when it is the one empty slab that a cache keeps. 2. Objects in
 * magazines count as handed out by the slab; the statistics subtract them. 3. The first word of a
 * free object belongs to the allocator.
 *
 * Locks: cache.lock (RANK_SLAB) with interrupts masked; never held while frames are allocated or
 * freed.
 */
#include <arch/irqflags.h>
#include <core/cpu_call.h>
#include <core/lock.h>
#include <core/panic.h>
#include <core/percpu.h>
#include <lib/string.h>
#include <mm/fail.h>
#include <mm/shadow.h>
#include <mm/slab_priv.h>
#include <mm/vmap.h>

#define SLAB_ORDER_MAX 3
#define SLAB_NONE UINT16_MAX
#define MAGAZINE_HALF 8
#define KMALLOC_MAX 2048

struct slab_cache slab_caches[SLAB_CACHES_MAX];
u32 slab_cache_count;
static struct spinlock slab_caches_lock = SPINLOCK_INIT(RANK_SLAB);
DEFINE_PER_CPU(struct magazine *, magazines);

/* --- slabs --- */

static void *slab_object(struct slab_cache *cache, struct page *slab, unsigned index)
{
	return (char *)page_address(slab) + (size_t)index * cache->size;
}

static void slab_format(struct slab_cache *cache, struct page *slab)
{
	for (unsigned i = 0; i < 1u << cache->order; i++) {
		slab[i].slab_cache = cache->id;
		slab[i].slab_head = i;
		slab[i].kind = PAGE_SLAB;
	}
	for (unsigned i = 0; i < cache->per_slab; i++)
		*(u16 *)slab_object(cache, slab, i) = i + 1 < cache->per_slab ? i + 1 : SLAB_NONE;
	slab->slab_free = 0;
	slab->slab_used = 0;
}

static void *slab_take_locked(struct slab_cache *cache) __must_hold(&cache->lock)
{
	if (list_empty(&cache->partial))
		return nullptr;
	struct page *slab = list_first(&cache->partial, struct page, node);
	u16 *object = slab_object(cache, slab, slab->slab_free);
	if (!slab->slab_used++)
		cache->empty--;
	slab->slab_free = *object;
	if (slab->slab_free == SLAB_NONE)
		list_remove(&slab->node);
	cache->in_use++;
	return object;
}

/* Gives an object back to its slab; returns the slab if it shall be freed, after the lock is
 * released. */
static struct page *slab_give_locked(struct slab_cache *cache, void *object)
	__must_hold(&cache->lock)
{
	struct page *slab = virt_to_page(object);

	slab -= slab->slab_head;
	DASSERT(slab->kind == PAGE_SLAB && slab->slab_cache == cache->id && slab->slab_used);
	if (slab->slab_free == SLAB_NONE)
		list_add(&cache->partial, &slab->node);
	*(u16 *)object = slab->slab_free;
	slab->slab_free = ((char *)object - (char *)page_address(slab)) / cache->size;
	cache->in_use--;
	if (--slab->slab_used)
		return nullptr;
	if (!cache->empty) {
		cache->empty = 1;
		list_remove(&slab->node);
		list_add_tail(&cache->partial, &slab->node);
		return nullptr;
	}
	list_remove(&slab->node);
	cache->slabs--;
	return slab;
}

static void slab_add_locked(struct slab_cache *cache, struct page *slab) __must_hold(&cache->lock)
{
	list_add(&cache->partial, &slab->node);
	cache->empty++;
	cache->slabs++;
}

void slab_release(struct slab_cache *cache, struct page *slab)
{
	for (unsigned i = 1; i < 1u << cache->order; i++)
		slab[i].kind = PAGE_RESERVED;
	page_put(slab);
}

/* Moves objects from slabs to objects[]; returns how many. */
static unsigned slab_take_many(struct slab_cache *cache, void **objects, unsigned want)
{
	unsigned n = 0;
	irqflags_t irq = spin_lock_irqsave(&cache->lock);

	while (n < want && (objects[n] = slab_take_locked(cache)))
		n++;
	spin_unlock_irqrestore(&cache->lock, irq);
	return n;
}

void slab_give_many(struct slab_cache *cache, void **objects, unsigned count)
{
	struct page *released[MAGAZINE_SIZE];
	unsigned n = 0;
	irqflags_t irq = spin_lock_irqsave(&cache->lock);

	for (unsigned i = 0; i < count; i++) {
		struct page *slab = slab_give_locked(cache, objects[i]);
		if (slab)
			released[n++] = slab;
	}
	spin_unlock_irqrestore(&cache->lock, irq);
	while (n)
		slab_release(cache, released[--n]);
}

/* --- caches --- */

/* An object when the magazine is empty: fills it up by half on the way. */
static void *slab_alloc_slow(struct slab_cache *cache, u32 flags)
{
	void *objects[MAGAZINE_HALF];
	unsigned n = slab_take_many(cache, objects, MAGAZINE_HALF);

	if (!n) {
		struct page *slab = page_alloc(cache->order,
					       (flags & (ALLOC_ATOMIC | ALLOC_USER | ALLOC_BOOT)) |
						       ALLOC_KIND(PAGE_SLAB));
		if (!slab)
			return nullptr;
		slab_format(cache, slab);
		irqflags_t irq = spin_lock_irqsave(&cache->lock);
		slab_add_locked(cache, slab);
		while (n < MAGAZINE_HALF && (objects[n] = slab_take_locked(cache)))
			n++;
		spin_unlock_irqrestore(&cache->lock, irq);
		/* Interrupts and other CPUs were free to take what was added. */
		if (!n)
			return slab_alloc_slow(cache, flags);
	}
	irqflags_t irq = arch_irq_save();
	struct magazine *all = this_cpu(magazines);
	struct magazine *magazine = &all[cache->id];
	while (n > 1 && all && magazine->count < MAGAZINE_SIZE)
		magazine->objects[magazine->count++] = objects[--n];
	arch_irq_restore(irq);
	if (n > 1)
		slab_give_many(cache, objects + 1, n - 1);
	return objects[0];
}

/* An object of which `size` bytes may be used. */
static inline void *slab_alloc_sized(struct slab_cache *cache, size_t size, u32 flags)
{
	void *object = nullptr;

	if (allocation_fails(flags))
		return nullptr;
	irqflags_t irq = arch_irq_save();
	struct magazine *magazine = this_cpu(magazines);

	if (likely(magazine)) {
		magazine += cache->id;
		if (likely(magazine->count))
			object = magazine->objects[--magazine->count];
	}
	arch_irq_restore(irq);
	if (unlikely(!object)) {
		object = slab_alloc_slow(cache, flags);
		if (!object)
			return nullptr;
	}
	if (flags & ALLOC_ZERO)
		memset(object, 0, cache->size);
	shadow_poison(object, cache->size, SHADOW_REDZONE);
	shadow_unpoison(object, size);
	return object;
}

void *slab_alloc(struct slab_cache *cache, u32 flags)
{
	return slab_alloc_sized(cache, cache->object_size, flags);
}

static void slab_free_now(struct slab_cache *cache, void *object)
{
	void *spill[MAGAZINE_HALF];
	unsigned n = 0;
	irqflags_t irq = arch_irq_save();
	struct magazine *magazine = this_cpu(magazines);

	if (likely(magazine)) {
		magazine += cache->id;
		if (unlikely(magazine->count == MAGAZINE_SIZE))
			while (n < MAGAZINE_HALF)
				spill[n++] = magazine->objects[--magazine->count];
		magazine->objects[magazine->count++] = object;
	} else {
		spill[n++] = object;
	}
	arch_irq_restore(irq);
	if (unlikely(n))
		slab_give_many(cache, spill, n);
}

#ifdef CONFIG_SANITIZE

/* Bytes behind each object that nobody may touch. */
#define SLAB_REDZONE 16u

/* Freed objects stay here for a while, so that who still uses them is caught. */
#define QUARANTINE_SIZE 4096
static struct {
	struct spinlock lock;
	unsigned next __guarded_by(&lock);
	void *objects[QUARANTINE_SIZE] __guarded_by(&lock);
} quarantine = { .lock = SPINLOCK_INIT(RANK_SLAB) };

/* Puts an object in (or null) and takes the oldest out (or null). */
static void *quarantine_exchange(void *object)
{
	irqflags_t irq = spin_lock_irqsave(&quarantine.lock);
	void **place = &quarantine.objects[quarantine.next++ % QUARANTINE_SIZE];
	void *oldest = *place;

	*place = object;
	spin_unlock_irqrestore(&quarantine.lock, irq);
	return oldest;
}

static struct slab_cache *slab_cache_of(const void *object)
{
	return &slab_caches[virt_to_page(object)->slab_cache];
}

void slab_free(struct slab_cache *cache, void *object)
{
	DASSERT(slab_cache_of(object) == cache);
	shadow_assert_usable(object);
	shadow_poison(object, cache->size, SHADOW_FREE_OBJECT);
	object = quarantine_exchange(object);
	if (object)
		slab_free_now(slab_cache_of(object), object);
}

u64 slab_in_quarantine(const struct slab_cache *cache)
{
	u64 n = 0;
	irqflags_t irq = spin_lock_irqsave(&quarantine.lock);

	for (unsigned i = 0; i < QUARANTINE_SIZE; i++)
		n += quarantine.objects[i] && slab_cache_of(quarantine.objects[i]) == cache;
	spin_unlock_irqrestore(&quarantine.lock, irq);
	return n;
}

void slab_quarantine_empty(void)
{
	for (unsigned i = 0; i < QUARANTINE_SIZE; i++) {
		void *object = quarantine_exchange(nullptr);
		if (object)
			slab_free_now(slab_cache_of(object), object);
	}
}

#else

#define SLAB_REDZONE 0u

void slab_free(struct slab_cache *cache, void *object)
{
	slab_free_now(cache, object);
}

u64 slab_in_quarantine(const struct slab_cache *cache)
{
	(void)cache;
	return 0;
}

void slab_quarantine_empty(void)
{
}

#endif

/* The smallest block that wastes at most an eighth. */
static unsigned slab_choose_order(size_t size)
{
	unsigned order = 0;

	while (order < SLAB_ORDER_MAX && ((PAGE_SIZE << order) < size ||
					  (PAGE_SIZE << order) % size > (PAGE_SIZE << order) / 8))
		order++;
	return order;
}

/* The cache is not visible to anybody yet. */
struct slab_cache *slab_cache_create(const char *name, size_t size, size_t align) __no_lock_analysis
{
	ASSERT(size && size <= (PAGE_SIZE << SLAB_ORDER_MAX));
	irqflags_t irq = spin_lock_irqsave(&slab_caches_lock);
	ASSERT(slab_cache_count < SLAB_CACHES_MAX);
	struct slab_cache *cache = &slab_caches[slab_cache_count];
	cache->id = slab_cache_count++;
	spin_unlock_irqrestore(&slab_caches_lock, irq);

	spin_init(&cache->lock, RANK_SLAB);
	cache->name = name;
	cache->object_size = size;
	cache->size = ALIGN_UP(size + SLAB_REDZONE, MAX(align, 8ul));
	cache->order = slab_choose_order(cache->size);
	cache->per_slab = (PAGE_SIZE << cache->order) / cache->size;
	list_init(&cache->partial);
	return cache;
}

/* --- kmalloc --- */

static const u16 kmalloc_sizes[] = { 16,  32,  48,  64,	 96,   128,	   192,
				     256, 384, 512, 768, 1024, KMALLOC_MAX };
static struct slab_cache *kmalloc_caches[ARRAY_SIZE(kmalloc_sizes)];
/* The cache of a size, by 16 bytes up to 256 and by 128 bytes above. */
static u8 kmalloc_small[256 / 16 + 1], kmalloc_large[KMALLOC_MAX / 128 + 1];

static struct slab_cache *kmalloc_cache(size_t size)
{
	unsigned class = size <= 256 ? kmalloc_small[DIV_ROUND_UP(size, 16)]
				     : kmalloc_large[DIV_ROUND_UP(size, 128)];

	return kmalloc_caches[class];
}

static unsigned kmalloc_order(size_t size)
{
	unsigned order = 0;

	while (order <= FRAME_ORDER_MAX && (PAGE_SIZE << order) < size)
		order++;
	return order;
}

void *kmalloc(size_t size, u32 flags)
{
	if (likely(size <= KMALLOC_MAX))
		return slab_alloc_sized(kmalloc_cache(size), size ?: 1, flags);
	unsigned order = kmalloc_order(size);
	void *block = order <= FRAME_ORDER_MAX ? page_alloc_address(order, flags) : nullptr;
	if (block) {
		shadow_poison(block, PAGE_SIZE << order, SHADOW_REDZONE);
		shadow_unpoison(block, size);
	}
	return block;
}

void *kzalloc(size_t size, u32 flags)
{
	return kmalloc(size, flags | ALLOC_ZERO);
}

void *kcalloc(size_t n, size_t size, u32 flags)
{
	size_t bytes;

	if (mul_overflows(n, size, &bytes))
		return nullptr;
	return kmalloc(bytes, flags | ALLOC_ZERO);
}

/* Bytes that a block of kmalloc has room for. */
static size_t kmalloc_room(const void *p)
{
	struct page *page = virt_to_page(p);

	return page->kind == PAGE_SLAB ? slab_caches[page->slab_cache].object_size
				       : PAGE_SIZE << page->order;
}

void *krealloc(void *old, size_t size, u32 flags)
{
	size_t room = old ? kmalloc_room(old) : 0;

	if (old && size <= room) {
		shadow_unpoison(old, size);
		return old;
	}
	void *new = kmalloc(size, flags);
	if (new && old) {
		memcpy(new, old, room);
		kfree(old);
	}
	return new;
}

void kfree(const void *p)
{
	if (!p)
		return;
	struct page *page = virt_to_page(p);
	DASSERT(page);
	if (likely(page->kind == PAGE_SLAB))
		slab_free(&slab_caches[page->slab_cache], (void *)p);
	else
		page_put(page);
}

char *kstrdup(const char *s, u32 flags)
{
	size_t size = strlen(s) + 1;
	char *copy = kmalloc(size, flags);

	return copy ? memcpy(copy, s, size) : nullptr;
}

/* Larger ones are mapped page by page. */
#define KVMALLOC_CONTIGUOUS (4 * PAGE_SIZE)

size_t kmalloc_size(size_t size)
{
	return size <= KMALLOC_MAX ? kmalloc_cache(size)->size : PAGE_SIZE << kmalloc_order(size);
}

size_t kvmalloc_size(size_t size)
{
	return size <= KVMALLOC_CONTIGUOUS ? kmalloc_size(size) : ALIGN_UP(size, PAGE_SIZE);
}

size_t slab_object_size(const struct slab_cache *cache)
{
	return cache->size;
}

void *kvmalloc(size_t size, u32 flags)
{
	if (size <= KVMALLOC_CONTIGUOUS)
		return kmalloc(size, flags);
	return vmap_alloc(size, flags);
}

void kvfree(const void *p)
{
	if (vmap_contains(p))
		vmap_free((void *)p);
	else
		kfree(p);
}

/* --- boot --- */

static struct magazine *magazines_create(void)
{
	return kcalloc(SLAB_CACHES_MAX, sizeof(struct magazine), 0);
}

void slab_cpu_init(unsigned cpu)
{
	per_cpu(magazines, cpu) = magazines_create();
}

void slab_init(void)
{
	static const char *const names[] = {
		"kmalloc-16",  "kmalloc-32",  "kmalloc-48",  "kmalloc-64",  "kmalloc-96",
		"kmalloc-128", "kmalloc-192", "kmalloc-256", "kmalloc-384", "kmalloc-512",
		"kmalloc-768", "kmalloc-1k",  "kmalloc-2k",
	};
	static_assert(ARRAY_SIZE(names) == ARRAY_SIZE(kmalloc_sizes));

	unsigned class = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(kmalloc_sizes); i++)
		kmalloc_caches[i] = slab_cache_create(names[i], kmalloc_sizes[i],
						      kmalloc_sizes[i] & -kmalloc_sizes[i]);
	for (unsigned i = 0; i < ARRAY_SIZE(kmalloc_small); i++) {
		while (kmalloc_sizes[class] < i * 16)
			class++;
		kmalloc_small[i] = class;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(kmalloc_large); i++) {
		while (kmalloc_sizes[class] < i * 128)
			class++;
		kmalloc_large[i] = class;
	}
	this_cpu(magazines) = magazines_create();
	ASSERT(this_cpu(magazines));
}
