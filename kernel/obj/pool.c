/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pools: the tables that handles live in.
 *
 * A pool has one table at a time. It grows by replacement: the new table is filled under the lock
 * and published, the old one is freed after a grace period, so readers never see slots move. Two
 * facts make the lowest free slot cheap to find: a bitmap of used slots, and first_free, below
 * which nothing is free.
 */
#include <core/panic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <obj/pool_priv.h>

#define WORD_BITS 64u
/* The first table, header and bitmap included, fills 1 KiB; the next ones are powers of two. */
#define FIRST_SIZE 30u

static struct slab_cache *pool_cache;

static void pool_destroy(struct object *object);
static void close_all(struct pool *pool);

static void pool_object_closed(struct object *object);

/* Not in messages: a pool may hold what must not travel. */
const struct object_type pool_type = {
	.name = "pool",
	.default_rights = RIGHTS_ALL & ~(RIGHT_TRANSFER | RIGHT_MAP | RIGHT_WAIT),
	.closed = pool_object_closed,
	.destroy = pool_destroy,
};

static size_t table_size(unsigned size)
{
	return sizeof(struct pool_table) + size * sizeof(struct handle) +
	       DIV_ROUND_UP(size, WORD_BITS) * sizeof(u64);
}

/* What a table takes out of the allocator. */
static u64 table_bytes(unsigned size)
{
	return kvmalloc_size(table_size(size));
}

static struct pool_table *table_create(unsigned size)
{
	size_t bytes = table_size(size);
	struct pool_table *table = kvmalloc(bytes, ALLOC_ZERO);

	if (!table)
		return nullptr;
	table->size = size;
	table->used = (u64 *)(uintptr_t)((char *)table + bytes -
					 DIV_ROUND_UP(size, WORD_BITS) * sizeof(u64));
	return table;
}

static void table_free(struct rcu_head *head)
{
	kvfree(container_of(head, struct pool_table, rcu));
}

static int pool_create_sized(struct memory_budget *budget, unsigned size, struct pool **out)
{
	struct pool_table *table;
	struct memory_charge charge;
	struct pool *pool;

	if (!memory_charge_begin(&charge, budget, slab_object_size(pool_cache) + table_bytes(size)))
		return -ENOMEM;
	table = table_create(size);
	pool = table ? slab_alloc(pool_cache, ALLOC_ZERO) : nullptr;
	if (!pool) {
		kvfree(table);
		memory_charge_destroy(&charge);
		return -ENOMEM;
	}
	pool->charge = charge;
	object_init(&pool->object, &pool_type);
	spin_init(&pool->lock, RANK_POOL);
	pool->table = table;
	pool->users = 1;
	*out = pool;
	return 0;
}

int pool_create(struct memory_budget *budget, struct pool **out)
{
	return pool_create_sized(budget, FIRST_SIZE, out);
}

int pool_create_object(struct memory_budget *budget, struct object **out)
{
	static u64 births;
	struct pool *pool;
	int error = pool_create(budget, &pool);

	if (error)
		return error;
	pool->born = __atomic_add_fetch(&births, 1, __ATOMIC_RELAXED);
	*out = &pool->object;
	return 0;
}

u64 pool_bytes(struct pool *pool)
{
	return slab_object_size(pool_cache) + table_bytes(pool_size(pool));
}

static void pool_free(struct rcu_head *head)
{
	slab_free(pool_cache, container_of(head, struct pool, object.rcu));
}

static void pool_destroy(struct object *object)
{
	struct pool *pool = container_of(object, struct pool, object);

	close_all(pool);
	ASSERT(pool->count == 0);
	kvfree(pool->table);
	memory_charge_destroy(&pool->charge);
	rcu_call(&object->rcu, pool_free);
}

static void used_set(struct pool_table *table, unsigned fd)
{
	table->used[fd / WORD_BITS] |= 1ull << fd % WORD_BITS;
}

static bool used_test(const struct pool_table *table, unsigned fd)
{
	return table->used[fd / WORD_BITS] >> fd % WORD_BITS & 1;
}

/* The lowest slot >= from whose bit is `used`; table->size if there is none. */
static unsigned used_find(const struct pool_table *table, unsigned from, bool used)
{
	while (from < table->size) {
		u64 word = table->used[from / WORD_BITS];

		word = (used ? word : ~word) >> from % WORD_BITS;
		if (word)
			return MIN(from + (unsigned)__builtin_ctzll(word), table->size);
		from = (from / WORD_BITS + 1) * WORD_BITS;
	}
	return table->size;
}

int pool_claim_locked(struct pool *pool, int min, unsigned limit)
{
	struct pool_table *table = pool->table;
	unsigned from = MAX((unsigned)min, pool->first_free);
	unsigned fd = used_find(table, from, false);

	fd = MAX(fd, from); /* a minimum beyond the table */
	if (fd >= MIN(limit, POOL_SIZE_MAX))
		return -EMFILE;
	if (fd >= table->size)
		return -ENOSPC;
	used_set(table, fd);
	if (from == pool->first_free)
		pool->first_free = fd + 1;
	return (int)fd;
}

bool pool_claim_exact_locked(struct pool *pool, int fd)
{
	if (used_test(pool->table, (unsigned)fd))
		return false;
	used_set(pool->table, (unsigned)fd);
	return true;
}

void pool_fill_locked(struct pool *pool, int fd, const struct handle *handle)
{
	struct handle *slot = &pool->table->slots[fd];
	u32 sequence = (slot->flags & ~(SLOT_SEQUENCE - 1)) + SLOT_SEQUENCE;
	struct handle word = { .rights = handle->rights, .flags = handle->flags | sequence };

	/* A reader that sees one of these sees that the slot was emptied before. */
	__atomic_store_n(&slot->derivation, handle->derivation, __ATOMIC_RELEASE);
	__atomic_store_n(&slot->badge, handle->badge, __ATOMIC_RELEASE);
	__atomic_store_n(&slot->rights_and_flags, word.rights_and_flags, __ATOMIC_RELEASE);
	__atomic_store_n(&slot->object, handle->object, __ATOMIC_RELEASE);
	pool->count++;
}

bool pool_take_locked(struct pool *pool, int fd, struct handle *out)
{
	struct handle *slot = pool_slot_locked(pool, fd);
	struct handle word;

	if (!slot)
		return false;
	*out = *slot;
	out->flags &= HANDLE_FLAGS;
	word = (struct handle){ .flags = (slot->flags & ~(SLOT_SEQUENCE - 1)) + SLOT_SEQUENCE };
	__atomic_store_n(&slot->object, nullptr, __ATOMIC_RELEASE);
	__atomic_store_n(&slot->rights_and_flags, word.rights_and_flags, __ATOMIC_RELEASE);
	pool->count--;
	return true;
}

void pool_release_locked(struct pool *pool, int fd)
{
	pool->table->used[(unsigned)fd / WORD_BITS] &= ~(1ull << (unsigned)fd % WORD_BITS);
	pool->first_free = MIN(pool->first_free, (unsigned)fd);
}

/* Copies the slots; those that are used later go to the new table only. */
static struct pool_table *replace_locked(struct pool *pool, struct pool_table *table)
	__must_hold(&pool->lock)
{
	struct pool_table *old = pool->table;

	if (old->size >= table->size)
		return table;
	memcpy(table->slots, old->slots, old->size * sizeof(struct handle));
	memcpy(table->used, old->used, DIV_ROUND_UP(old->size, WORD_BITS) * sizeof(u64));
	rcu_assign(pool->table, table);
	return old;
}

int pool_grow(struct pool *pool, unsigned size)
{
	struct pool_table *table, *old;
	unsigned wanted = WORD_BITS;

	if (size > POOL_SIZE_MAX)
		return -EMFILE;
	while (wanted < size)
		wanted *= 2;
	if (!memory_charge_more(&pool->charge, table_bytes(wanted)))
		return -ENOMEM;
	table = table_create(wanted);
	if (!table) {
		memory_charge_less(&pool->charge, table_bytes(wanted));
		return -ENOMEM;
	}
	spin_lock(&pool->lock);
	old = replace_locked(pool, table);
	spin_unlock(&pool->lock);
	memory_charge_less(&pool->charge, table_bytes(old->size));
	if (old == table)
		kvfree(table);
	else
		rcu_call(&old->rcu, table_free);
	return 0;
}

int pool_grow_and_claim(struct pool *pool, int min, unsigned limit)
{
	int fd;

	do {
		int error = pool_grow(pool, MAX(pool_size(pool), (unsigned)min) + 1);

		if (error)
			return error;
		spin_lock(&pool->lock);
		fd = pool_claim_locked(pool, min, limit);
		spin_unlock(&pool->lock);
	} while (fd == -ENOSPC);
	return fd;
}

/* Copies every handle for a child, or says that its table is too small (false). */
static bool copy_locked(struct pool *from, struct pool *to)
	__must_hold(&from->lock) __no_lock_analysis
{
	/* The child's lock is not needed: nobody else knows the child yet. */
	struct pool_table *source = from->table, *table = to->table;

	for (unsigned fd = used_find(source, 0, true); fd < source->size;
	     fd = used_find(source, fd + 1, true)) {
		const struct handle *slot = &source->slots[fd];

		if (!slot->object || (slot->flags & HANDLE_CLOFORK))
			continue;
		if (fd >= table->size)
			return false;
		object_handle_opened(slot->object);
		derivation_handle_opened(slot->derivation);
		table->slots[fd] = *slot;
		used_set(table, fd);
		to->count++;
	}
	to->first_free = used_find(table, 0, false);
	return true;
}

int pool_copy(struct pool *from, struct pool **out)
{
	unsigned size = FIRST_SIZE;

	for (;;) {
		struct pool *to;
		bool complete;
		int error = pool_create_sized(from->charge.budget, size, &to);

		if (error)
			return error;
		spin_lock(&from->lock);
		complete = copy_locked(from, to);
		size = from->table->size;
		spin_unlock(&from->lock);
		if (complete) {
			*out = to;
			return 0;
		}
		pool_user_put(to);
	}
}

void pool_user_get(struct pool *pool)
{
	object_get(&pool->object);
	__atomic_fetch_add(&pool->users, 1, __ATOMIC_RELAXED);
}

/* Closes the next published slot >= fd whose flags have all of `mask`; false when there is none. */
static bool close_next(struct pool *pool, unsigned *fd, unsigned last, u32 mask)
{
	struct handle old = {};

	spin_lock(&pool->lock);
	for (; *fd <= last; ++*fd) {
		const struct handle *slot;

		*fd = used_find(pool->table, *fd, true);
		if (*fd > last)
			break;
		slot = pool_slot_locked(pool, (int)*fd);
		if (!slot && *fd >= pool->table->size)
			break;
		if (!slot || (slot->flags & mask) != mask)
			continue;
		(void)pool_take_locked(pool, (int)*fd, &old);
		pool_release_locked(pool, (int)*fd);
		break;
	}
	spin_unlock(&pool->lock);
	if (!old.object)
		return false;
	(void)handle_dispose(&old);
	return true;
}

static void close_all(struct pool *pool)
{
	unsigned fd = 0;

	while (close_next(pool, &fd, UINT32_MAX, 0))
		;
}

void pool_user_put(struct pool *pool)
{
	if (__atomic_fetch_sub(&pool->users, 1, __ATOMIC_ACQ_REL) == 1)
		close_all(pool);
	object_put(&pool->object);
}

/* The handles go when it is destroyed: a pool in a pool in a pool would nest here, and does not there (O3). */
static void pool_object_closed(struct object *object)
{
	__atomic_fetch_sub(&pool_of(object)->users, 1, __ATOMIC_ACQ_REL);
}

void pool_end(struct pool *pool)
{
	close_all(pool);
	memory_charge_end(&pool->charge);
}

void pool_close_on_exec(struct pool *pool)
{
	unsigned fd = 0;

	while (close_next(pool, &fd, UINT32_MAX, HANDLE_CLOEXEC))
		;
}

int handle_close_range(struct pool *pool, unsigned first, unsigned last, bool mark_cloexec)
{
	if (first > last)
		return -EINVAL;
	if (!mark_cloexec) {
		while (close_next(pool, &first, last, 0))
			;
		return 0;
	}
	spin_lock(&pool->lock);
	for (unsigned fd = used_find(pool->table, first, true);
	     fd <= last && fd < pool->table->size; fd = used_find(pool->table, fd + 1, true))
		pool_set_flags_locked(&pool->table->slots[fd],
				      pool->table->slots[fd].flags | HANDLE_CLOEXEC);
	spin_unlock(&pool->lock);
	return 0;
}

int pool_next(struct pool *pool, int fd)
{
	unsigned next;

	if (fd < 0)
		fd = 0;
	spin_lock(&pool->lock);
	next = used_find(pool->table, (unsigned)fd, true);
	while (next < pool->table->size && !pool->table->slots[next].object)
		next = used_find(pool->table, next + 1, true);
	if (next >= pool->table->size)
		next = UINT32_MAX;
	spin_unlock(&pool->lock);
	return (int)next;
}

unsigned pool_size(struct pool *pool)
{
	unsigned size;

	rcu_read_lock();
	size = rcu_dereference(pool->table)->size;
	rcu_read_unlock();
	return size;
}

void pool_init(void)
{
	pool_cache = slab_cache_create("pool", sizeof(struct pool), 0);
	derivation_init();
}
