/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Maps of BPF: arrays, arrays with a copy for each CPU, hash tables.
 *
 * A map is used by programs, under RCU wherever packets are, and by user space. (M1) Its memory is that of bytes: no value holds a
 * pointer of the kernel, so whoever writes into one harms nobody but its readers. (M2) Values of an array live as long as the map.
 * Those of a hash table never change where they lie but by programs that hold them: an update puts a new element in the place of the
 * old one, which goes after a grace period. (M3) A map is charged for all that it may hold when it is made, so that
 * no packet is lost to a limit.
 *
 * Life: files and programs have references. A program that runs is kept by its socket until a grace period has passed, so the
 * last reference has no readers.
 */
#include <core/percpu.h>
#include <core/random.h>
#include <core/rcu.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/bpf/map.h>

/* Of a hash table: the key, and behind it, at a multiple of 8, the value. */
struct bpf_element {
	struct bpf_element *next; /* RCU */
	struct rcu_head rcu;
	u8 bytes[] __aligned(8);
};

/* --- Arrays --- */

static u32 index_of(const void *key)
{
	u32 index;

	memcpy(&index, key, sizeof(index));
	return index;
}

static u8 *array_value(const struct bpf_map *map, u32 index, unsigned cpu)
{
	return map->values + ((u64)cpu * map->max_entries + index) * map->stride;
}

static bool is_per_cpu(const struct bpf_map *map)
{
	return map->type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

static void *array_lookup(const struct bpf_map *map, const void *key)
{
	u32 index = index_of(key);

	return index < map->max_entries ? array_value(map, index, is_per_cpu(map) ? cpu_id() : 0)
					: nullptr;
}

static int array_update(struct bpf_map *map, const void *key, const void *value, u64 flags)
{
	void *place = array_lookup(map, key);

	if (flags > BPF_EXIST)
		return -EINVAL;
	if (!place)
		return -E2BIG;
	if (flags == BPF_NOEXIST)
		return -EEXIST;
	memcpy(place, value, map->value_size);
	return 0;
}

static int array_remove(struct bpf_map *map, const void *key)
{
	return -EINVAL;
}

static int array_next_key(const struct bpf_map *map, const void *key, void *next)
{
	u32 index = key ? index_of(key) : UINT32_MAX;

	if (index == map->max_entries - 1)
		return -ENOENT;
	index = index < map->max_entries ? index + 1 : 0;
	memcpy(next, &index, sizeof(index));
	return 0;
}

static const struct bpf_map_ops array_ops = {
	.lookup = array_lookup,
	.update = array_update,
	.remove = array_remove,
	.next_key = array_next_key,
};

/* --- Hash tables --- */

static void element_free(struct rcu_head *head)
{
	kfree(container_of(head, struct bpf_element, rcu));
}

static u32 value_offset(const struct bpf_map *map)
{
	return ALIGN_UP(map->key_size, 8u);
}

static u32 bucket_of(const struct bpf_map *map, const void *key)
{
	u64 hash = siphash(key, map->key_size, &map->hash.secret);

	return (u32)(hash & ((1u << map->hash.bucket_bits) - 1));
}

/* The link to the element with the key, or to the end of its bucket. */
static struct bpf_element **find_link(const struct bpf_map *map, const void *key)
{
	struct bpf_element **link = &map->hash.buckets[bucket_of(map, key)], *e;

	while ((e = rcu_dereference(*link)) && memcmp(e->bytes, key, map->key_size))
		link = &e->next;
	return link;
}

static void *hash_lookup(const struct bpf_map *map, const void *key)
{
	struct bpf_element *e = rcu_dereference(*find_link(map, key));

	return e ? e->bytes + value_offset(map) : nullptr;
}

static int place_element(struct bpf_map *map, struct bpf_element *e, u64 flags,
			 struct bpf_element **replaced) __must_hold(&map->hash.lock)
{
	struct bpf_element **link = find_link(map, e->bytes), *old = *link;

	if (old && flags == BPF_NOEXIST)
		return -EEXIST;
	if (!old && flags == BPF_EXIST)
		return -ENOENT;
	if (!old && map->hash.count == map->max_entries)
		return -E2BIG;
	map->hash.count += !old;
	e->next = old ? old->next : nullptr;
	rcu_assign(*link, e);
	*replaced = old;
	return 0;
}

static int hash_update(struct bpf_map *map, const void *key, const void *value, u64 flags)
{
	struct bpf_element *e, *old = nullptr;
	int error;

	if (flags > BPF_EXIST)
		return -EINVAL;
	e = kmalloc(sizeof(*e) + value_offset(map) + map->stride, ALLOC_ATOMIC);
	if (!e)
		return -ENOMEM;
	memcpy(e->bytes, key, map->key_size);
	memcpy(e->bytes + value_offset(map), value, map->value_size);
	spin_lock(&map->hash.lock);
	error = place_element(map, e, flags, &old);
	spin_unlock(&map->hash.lock);
	if (error)
		kfree(e);
	if (old)
		rcu_call(&old->rcu, element_free);
	return error;
}

static int hash_remove(struct bpf_map *map, const void *key)
{
	struct bpf_element **link, *e;

	spin_lock(&map->hash.lock);
	link = find_link(map, key);
	e = *link;
	if (e) {
		rcu_assign(*link, e->next);
		map->hash.count--;
	}
	spin_unlock(&map->hash.lock);
	if (!e)
		return -ENOENT;
	rcu_call(&e->rcu, element_free);
	return 0;
}

static int hash_next_key(const struct bpf_map *map, const void *key, void *next)
{
	struct bpf_element *e = key ? rcu_dereference(*find_link(map, key)) : nullptr;
	u32 bucket = e ? bucket_of(map, key) + 1 : 0;

	if (e)
		e = rcu_dereference(e->next);
	for (; !e && bucket < 1u << map->hash.bucket_bits; bucket++)
		e = rcu_dereference(map->hash.buckets[bucket]);
	if (!e)
		return -ENOENT;
	memcpy(next, e->bytes, map->key_size);
	return 0;
}

static const struct bpf_map_ops hash_ops = {
	.lookup = hash_lookup,
	.update = hash_update,
	.remove = hash_remove,
	.next_key = hash_next_key,
};

/* --- Both --- */

void *bpf_map_only_value(const struct bpf_map *map)
{
	return map->type == BPF_MAP_TYPE_ARRAY && map->max_entries == 1 ? map->values : nullptr;
}

u32 bpf_map_user_size(const struct bpf_map *map)
{
	return is_per_cpu(map) ? map->stride * arch_cpu_count() : map->value_size;
}

int bpf_map_read(const struct bpf_map *map, const void *key, void *value)
{
	const void *place;

	rcu_read_lock();
	place = map->ops->lookup(map, key);
	if (place && is_per_cpu(map))
		for (unsigned cpu = 0; cpu < arch_cpu_count(); cpu++)
			memcpy((u8 *)value + cpu * map->stride,
			       array_value(map, index_of(key), cpu), map->stride);
	else if (place)
		memcpy(value, place, map->value_size);
	rcu_read_unlock();
	return place ? 0 : -ENOENT;
}

int bpf_map_write(struct bpf_map *map, const void *key, const void *value, u64 flags)
{
	int error;

	rcu_read_lock();
	error = map->ops->update(map, key, value, flags);
	if (!error && is_per_cpu(map))
		for (unsigned cpu = 0; cpu < arch_cpu_count(); cpu++)
			memcpy(array_value(map, index_of(key), cpu),
			       (const u8 *)value + cpu * map->stride, map->value_size);
	rcu_read_unlock();
	return error;
}

static int check(const struct bpf_map_definition *d)
{
	bool array = d->type == BPF_MAP_TYPE_ARRAY || d->type == BPF_MAP_TYPE_PERCPU_ARRAY;
	u32 flags = BPF_F_RDONLY | BPF_F_WRONLY | (array ? 0 : BPF_F_NO_PREALLOC);

	if (!array && d->type != BPF_MAP_TYPE_HASH)
		return -EINVAL;
	if ((d->flags & ~flags) || (d->flags & BPF_F_RDONLY && d->flags & BPF_F_WRONLY))
		return -EINVAL;
	if (!d->key_size || !d->value_size || !d->max_entries ||
	    (array && d->key_size != sizeof(u32)))
		return -EINVAL;
	return d->key_size > BPF_KEY_MAX ||
			       d->value_size > (array ? BPF_VALUE_MAX : BPF_HASH_VALUE_MAX)
		       ? -E2BIG
		       : 0;
}

static u32 bits_for(u32 entries)
{
	return entries > 1 ? MIN(32u - (u32)__builtin_clz(entries - 1), 20u) : 0;
}

/* What the values, or elements and buckets, take. */
static u64 contents_bytes(const struct bpf_map *map)
{
	if (map->type == BPF_MAP_TYPE_HASH)
		return (u64)map->max_entries * kmalloc_size(sizeof(struct bpf_element) +
							    value_offset(map) + map->stride) +
		       (sizeof(struct bpf_element *) << map->hash.bucket_bits);
	return (u64)map->max_entries * map->stride * (is_per_cpu(map) ? arch_cpu_count() : 1);
}

u64 bpf_map_bytes(const struct bpf_map *map)
{
	return kmalloc_size(sizeof(*map)) + contents_bytes(map);
}

static int create_contents(struct bpf_map *map)
{
	if (map->type != BPF_MAP_TYPE_HASH) {
		map->ops = &array_ops;
		map->values = kvmalloc(contents_bytes(map), ALLOC_ZERO | ALLOC_USER);
		return map->values ? 0 : -ENOMEM;
	}
	map->ops = &hash_ops;
	spin_init(&map->hash.lock, RANK_NET_MAP);
	random_bytes(&map->hash.secret, sizeof(map->hash.secret));
	map->hash.buckets = kvmalloc(sizeof(struct bpf_element *) << map->hash.bucket_bits,
				     ALLOC_ZERO | ALLOC_USER);
	return map->hash.buckets ? 0 : -ENOMEM;
}

int bpf_map_create(const struct bpf_map_definition *definition, struct memory_budget *budget,
		   struct bpf_map **out)
{
	static u32 last_id;
	int error = check(definition);
	struct bpf_map *map;

	if (error)
		return error;
	map = kzalloc(sizeof(*map), 0);
	if (!map)
		return -ENOMEM;
	map->refs = 1;
	map->id = __atomic_add_fetch(&last_id, 1, __ATOMIC_RELAXED);
	map->type = definition->type;
	map->key_size = definition->key_size;
	map->value_size = definition->value_size;
	map->max_entries = definition->max_entries;
	map->flags = definition->flags;
	map->stride = ALIGN_UP(map->value_size, 8u);
	memcpy(map->name, definition->name, sizeof(map->name));
	if (map->type == BPF_MAP_TYPE_HASH)
		map->hash.bucket_bits = bits_for(map->max_entries);
	if (!memory_charge_begin(&map->charge, budget, bpf_map_bytes(map))) {
		kfree(map);
		return -ENOMEM;
	}
	error = create_contents(map);
	if (error) {
		memory_charge_destroy(&map->charge);
		kfree(map);
		return error;
	}
	*out = map;
	return 0;
}

void bpf_map_get(struct bpf_map *map)
{
	__atomic_fetch_add(&map->refs, 1, __ATOMIC_RELAXED);
}

static void free_elements(struct bpf_map *map)
{
	for (u32 bucket = 0; bucket < 1u << map->hash.bucket_bits; bucket++)
		while (map->hash.buckets[bucket]) {
			struct bpf_element *e = map->hash.buckets[bucket];

			map->hash.buckets[bucket] = e->next;
			kfree(e);
		}
	kvfree(map->hash.buckets);
}

void bpf_map_put(struct bpf_map *map)
{
	if (__atomic_fetch_sub(&map->refs, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	if (map->type == BPF_MAP_TYPE_HASH)
		free_elements(map);
	else
		kvfree(map->values);
	memory_charge_destroy(&map->charge);
	kfree(map);
}
