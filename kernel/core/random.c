/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random numbers: ChaCha20 (RFC 8439) with fast key erasure. Entropy is XORed into a pool of 64
 * bytes, stirred by the ChaCha permutation; a reseed mixes the pool into the key. Each request
 * takes a fresh key stream whose first half becomes the next key, so what was handed out cannot be
 * computed from a later state.
 */
#include <arch/cpu.h>
#include <core/lock.h>
#include <core/random.h>
#include <core/time.h>
#include <lib/string.h>

#define EVENTS_ENOUGH 256

static struct spinlock random_lock = SPINLOCK_INIT(RANK_RANDOM);
static u32 key[8] __guarded_by(&random_lock);
static u32 pool[16] __guarded_by(&random_lock);
static unsigned pool_at __guarded_by(&random_lock);
static bool pool_dirty __guarded_by(&random_lock);
static u32 events;
static bool seeded;

static inline u32 rotate(u32 v, unsigned n)
{
	return v << n | v >> (32 - n);
}

static inline void quarter_round(u32 x[16], int a, int b, int c, int d)
{
	x[a] += x[b];
	x[d] = rotate(x[d] ^ x[a], 16);
	x[c] += x[d];
	x[b] = rotate(x[b] ^ x[c], 12);
	x[a] += x[b];
	x[d] = rotate(x[d] ^ x[a], 8);
	x[c] += x[d];
	x[b] = rotate(x[b] ^ x[c], 7);
}

static void permute(u32 x[16])
{
	for (int i = 0; i < 10; i++) {
		quarter_round(x, 0, 4, 8, 12);
		quarter_round(x, 1, 5, 9, 13);
		quarter_round(x, 2, 6, 10, 14);
		quarter_round(x, 3, 7, 11, 15);
		quarter_round(x, 0, 5, 10, 15);
		quarter_round(x, 1, 6, 11, 12);
		quarter_round(x, 2, 7, 8, 13);
		quarter_round(x, 3, 4, 9, 14);
	}
}

static void chacha_block(u32 out[16], const u32 with_key[8], u64 counter)
{
	static const u32 constants[4] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 };
	u32 input[16] = { 0 };

	memcpy(input, constants, sizeof(constants));
	memcpy(input + 4, with_key, 32);
	memcpy(input + 12, &counter, sizeof(counter));
	memcpy(out, input, sizeof(input));
	permute(out);
	for (int i = 0; i < 16; i++)
		out[i] += input[i];
}

static void mix_locked(const u8 *data, size_t size) __must_hold(&random_lock)
{
	for (size_t i = 0; i < size; i++) {
		((u8 *)pool)[pool_at] ^= data[i];
		pool_at = (pool_at + 1) % sizeof(pool);
		if (!pool_at)
			permute(pool);
	}
	pool_dirty = true;
}

/* Moves what the pool has gathered into the key. */
static void reseed_locked(void) __must_hold(&random_lock)
{
	u32 block[16];

	permute(pool);
	for (int i = 0; i < 8; i++)
		key[i] ^= pool[i] ^ pool[i + 8];
	chacha_block(block, key, 0);
	memcpy(key, block, sizeof(key));
	/* The half that is used for nothing else hides what went into the key from later pool
	 * states. */
	for (int i = 0; i < 16; i++)
		pool[i] ^= block[8 + (i & 7)];
	pool_dirty = false;
}

/* Takes a key for one request out of the state, and replaces the state's. */
static void take_key_locked(u32 out[8]) __must_hold(&random_lock)
{
	u32 block[16];

	if (pool_dirty)
		reseed_locked();
	chacha_block(block, key, 0);
	memcpy(key, block, sizeof(key));
	memcpy(out, block + 8, 32);
}

static void take_key(u32 out[8])
{
	irqflags_t flags = spin_lock_irqsave(&random_lock);

	take_key_locked(out);
	spin_unlock_irqrestore(&random_lock, flags);
}

void random_bytes(void *to, size_t size)
{
	u32 request_key[8], block[16];
	u8 *p = to;

	take_key(request_key);
	for (u64 counter = 1; size; counter++) {
		size_t n = MIN(size, sizeof(block));

		chacha_block(block, request_key, counter);
		memcpy(p, block, n);
		p += n;
		size -= n;
	}
}

u64 random_u64(void)
{
	u64 v;

	random_bytes(&v, sizeof(v));
	return v;
}

u64 random_below(u64 limit)
{
	u64 rest = (0 - limit) % limit; /* 2^64 modulo limit: how many values are one too many */
	u64 v;

	do
		v = random_u64();
	while (v < rest);
	return v % limit;
}

void random_add(const void *data, size_t size)
{
	irqflags_t flags = spin_lock_irqsave(&random_lock);

	mix_locked(data, size);
	spin_unlock_irqrestore(&random_lock, flags);
}

void random_add_event(u64 value)
{
	u64 words[2] = { arch_cycles(), value };

	random_add(words, sizeof(words));
	if (!seeded && __atomic_add_fetch(&events, 1, __ATOMIC_RELAXED) >= EVENTS_ENOUGH)
		seeded = true;
}

void random_add_seed(const void *data, size_t size)
{
	random_add(data, size);
	if (size >= 32)
		seeded = true;
}

bool random_ready(void)
{
	return __atomic_load_n(&seeded, __ATOMIC_RELAXED);
}

/*
 * Where the machine has no generator: how long the same work takes varies with caches, interrupts
 * and the host. Each sample is taken to hold a bit.
 */
static void add_jitter(void)
{
	for (unsigned i = 0; i < EVENTS_ENOUGH; i++)
		random_add_event(random_u64());
}

void random_init(void)
{
	u64 words[8];
	unsigned good = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		u64 v = 0;

		if (arch_random(&v))
			good++;
		words[i] = v ^ arch_cycles() ^ clock_realtime_ns();
	}
	random_add(words, sizeof(words));
	if (good == ARRAY_SIZE(words))
		seeded = true;
	if (!seeded)
		add_jitter();
}
