/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Maps of BPF: tables that programs and user space share. The theory is in map.c.
 */
#pragma once

#include <core/lock.h>
#include <lib/hash.h>
#include <lib/types.h>
#include <mm/budget.h>

#include <linux/bpf.h>

struct bpf_map;
struct file;
struct pool;

#define BPF_KEY_MAX 512u	 /* MAX_BPF_STACK: programs have their keys there */
#define BPF_VALUE_MAX (1u << 20) /* bytes of a value of an array */
/* The same of a hash table, whose elements are allocated while packets wait, and freed a grace period after. */
#define BPF_HASH_VALUE_MAX (8u << 10)

/* What kinds of maps do; all under RCU, with keys and values of the map's sizes, and none sleeps. */
struct bpf_map_ops {
	/* The value for a program, that of this CPU where each has its own; null: there is none. */
	void *(*lookup)(const struct bpf_map *map, const void *key);
	/* BPF_ANY, BPF_NOEXIST or BPF_EXIST. -EEXIST, -ENOENT, -E2BIG: no room; -ENOMEM. */
	int (*update)(struct bpf_map *map, const void *key, const void *value, u64 flags);
	/* -ENOENT; -EINVAL: it cannot be. */
	int (*remove)(struct bpf_map *map, const void *key);
	/* The key after `key` (null, or one that is not there: the first). -ENOENT: there is none. */
	int (*next_key)(const struct bpf_map *map, const void *key, void *next);
};

struct bpf_element;

struct bpf_map {
	const struct bpf_map_ops *ops;
	u32 refs; /* atomic: its files, and programs */
	u32 type; /* BPF_MAP_TYPE_* */
	u32 id;
	u32 key_size, value_size, max_entries, flags;
	char name[BPF_OBJ_NAME_LEN];
	struct memory_charge charge;
	u32 stride; /* of values, a multiple of 8 */
	union {
		u8 *values; /* arrays: max_entries values, for each CPU in turn */
		struct {
			struct spinlock lock; /* RANK_NET_MAP */
			struct siphash_key secret;
			u32 bucket_bits;
			u32 count;		      /* of elements; under the lock */
			struct bpf_element **buckets; /* RCU; changed under the lock */
		} hash;
	};
};

/* As BPF_MAP_CREATE; the rest of the command is not for maps of these kinds. */
struct bpf_map_definition {
	u32 type, key_size, value_size, max_entries, flags;
	char name[BPF_OBJ_NAME_LEN];
};

/*
 * An empty map (an array is full of zeros) with one reference. All that it may ever hold is charged to the budget (null: to
 * nobody). -EINVAL, -E2BIG, -ENOMEM. May sleep.
 */
[[nodiscard]] int bpf_map_create(const struct bpf_map_definition *definition,
				 struct memory_budget *budget, struct bpf_map **out);
void bpf_map_get(struct bpf_map *map);
/* The last one may sleep: nobody looks into it any more. */
void bpf_map_put(struct bpf_map *map);

/* The place of the value of an array that has one; null: the map is no such array. */
void *bpf_map_only_value(const struct bpf_map *map);
/* Bytes of a value as user space has it: one after the other for all CPUs where each has its own. */
u32 bpf_map_user_size(const struct bpf_map *map);
/* Bytes that the map is charged for. */
u64 bpf_map_bytes(const struct bpf_map *map);

/*
 * For user space, with values of bpf_map_user_size() bytes. -ENOENT; and what the operations above answer. Never sleep.
 */
[[nodiscard]] int bpf_map_read(const struct bpf_map *map, const void *key, void *value);
[[nodiscard]] int bpf_map_write(struct bpf_map *map, const void *key, const void *value, u64 flags);

/* A file that stands for the map, with O_* access `flags`; takes a reference of its own. -ENOMEM, -ENFILE. */
[[nodiscard]] int bpf_map_open(struct bpf_map *map, u32 flags, struct file **out);
/* The map of a descriptor with RIGHT_* `rights`, with a reference. -EBADF, -EPERM: a right is missing; -EINVAL: it is none. */
[[nodiscard]] int bpf_map_of_handle(struct pool *pool, int fd, u32 rights, struct bpf_map **out);
/* The map of a file, or null. Borrowed. */
struct bpf_map *bpf_map_of_file(const struct file *file);
