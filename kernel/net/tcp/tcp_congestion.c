/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Congestion control: CUBIC (RFC 9438) and NewReno (RFC 5681). Windows are in bytes. */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/tcp/tcp.h>

static void reno_init(struct tcp *t)
{
	(void)t;
}

static u32 reno_threshold(struct tcp *t)
{
	return t->cwnd / 2;
}

static void reno_acknowledged(struct tcp *t, u32 bytes)
{
	/* One segment per window: bytes count until a window's worth is through. */
	t->cubic_estimate += bytes;
	if (t->cubic_estimate >= t->cwnd) {
		t->cubic_estimate -= t->cwnd;
		t->cwnd += t->mss;
	}
}

static const struct tcp_congestion reno = {
	.name = "reno",
	.init = reno_init,
	.threshold = reno_threshold,
	.acknowledged = reno_acknowledged,
};

#define BETA_PERCENT 70

static void cubic_init(struct tcp *t)
{
	t->cubic_epoch_ns = 0;
	t->cubic_max = 0;
}

static u32 cubic_threshold(struct tcp *t)
{
	/* Fast convergence (RFC 9438, 4.7): a flow that shrinks leaves room to others. */
	if (t->cwnd < t->cubic_max)
		t->cubic_max = (u32)((u64)t->cwnd * (100 + BETA_PERCENT) / 200);
	else
		t->cubic_max = t->cwnd;
	t->cubic_epoch_ns = 0;
	return (u32)((u64)t->cwnd * BETA_PERCENT / 100);
}

static u64 cube_root(u64 v)
{
	u64 low = 0, high = 2642245; /* the cube root of 2^64 */

	while (low < high) {
		u64 middle = (low + high + 1) / 2;

		if (middle * middle * middle <= v)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/* W_cubic(t) = 0.4 (t - K)^3 + W_max in segments and seconds; here ms, and bytes of t->mss. */
static u32 cubic_window(const struct tcp *t, u64 ms)
{
	u64 distance = ms > t->cubic_k_ms ? ms - t->cubic_k_ms : t->cubic_k_ms - ms, delta;

	distance = MIN(distance, 100000ull); /* its cube times mss fits */
	delta = distance * distance * distance / 10000 * 4 * t->mss / 1000000;
	if (ms < t->cubic_k_ms)
		return t->cubic_origin > delta ? (u32)(t->cubic_origin - delta) : 0;
	return (u32)MIN(t->cubic_origin + delta, 1ull << 30);
}

static void begin_epoch(struct tcp *t, u64 now)
{
	t->cubic_epoch_ns = now;
	t->cubic_estimate = t->cwnd;
	if (t->cwnd < t->cubic_max) {
		u64 segments = (t->cubic_max - t->cwnd) / t->mss;

		t->cubic_k_ms = cube_root(segments * 2500000000ull);
		t->cubic_origin = t->cubic_max;
	} else {
		t->cubic_k_ms = 0;
		t->cubic_origin = t->cwnd;
	}
}

static void cubic_acknowledged(struct tcp *t, u32 bytes)
{
	u64 now = tcp_clock(t);
	u32 target, alpha;

	if (!t->cubic_epoch_ns)
		begin_epoch(t, now);
	target = cubic_window(t, (now + t->srtt - t->cubic_epoch_ns) / NSEC_PER_MSEC);
	target = MIN(target, t->cwnd + t->cwnd / 2);
	/* What Reno would have (4.3), with alpha = 3 (1 - beta) / (1 + beta), and 1 from the old window on. */
	alpha = t->cubic_estimate < t->cubic_max ? 53 : 100;
	t->cubic_estimate += (u32)((u64)bytes * t->mss * alpha / 100 / MAX(t->cwnd, 1u));
	target = MAX(target, t->cubic_estimate);
	if (target > t->cwnd)
		t->cwnd += (u32)MAX((u64)(target - t->cwnd) * bytes / t->cwnd, 1ull);
}

static const struct tcp_congestion cubic = {
	.name = "cubic",
	.init = cubic_init,
	.threshold = cubic_threshold,
	.acknowledged = cubic_acknowledged,
};

const struct tcp_congestion *const tcp_congestion_default = &cubic;

static const struct tcp_congestion *const all[] = { &reno, &cubic };
static u32 allowed = BIT(0) | BIT(1); /* bits of their places in `all`; atomic */

const struct tcp_congestion *tcp_congestion_at(unsigned i)
{
	return i < ARRAY_SIZE(all) ? all[i] : nullptr;
}

static unsigned place_of(const struct tcp_congestion *c)
{
	unsigned i = 0;

	while (all[i] != c)
		i++;
	return i;
}

bool tcp_congestion_allowed(const struct tcp_congestion *c)
{
	return READ_ONCE(allowed) & BIT(place_of(c));
}

void tcp_congestion_allow(const struct tcp_congestion *c)
{
	__atomic_fetch_or(&allowed, (u32)BIT(place_of(c)), __ATOMIC_RELAXED);
}

static const struct tcp_congestion *find(const char *name, size_t length)
{
	for (unsigned i = 0; i < ARRAY_SIZE(all); i++)
		if (strlen(all[i]->name) == length && !memcmp(all[i]->name, name, length))
			return all[i];
	return nullptr;
}

const struct tcp_congestion *tcp_congestion_find(const char *name)
{
	return find(name, strlen(name));
}

int tcp_congestion_allow_only(const char *names)
{
	u32 wanted = 0;

	while (*names) {
		const struct tcp_congestion *c;
		size_t length = 0;

		while (names[length] && names[length] != ' ' && names[length] != '\n')
			length++;
		c = length ? find(names, length) : nullptr;
		if (length && !c)
			return -ENOENT;
		if (c)
			wanted |= (u32)BIT(place_of(c));
		names += length + !!names[length];
	}
	WRITE_ONCE(allowed, wanted);
	return 0;
}
