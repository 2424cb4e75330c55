/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clocks without a system call: user code, compiled into the vDSO of each architecture. The
 * data page lies in front of the ELF header.
 */
#include <core/vdso_data.h>

#include <linux/time.h>
#include <linux/time_types.h>

#include "vdso_arch.h"

#define NSEC_PER_SEC 1000000000ull
#define NSEC_PER_USEC 1000ull
#define EXPORT __attribute__((visibility("default")))

extern const char __ehdr_start[] __attribute__((visibility("hidden")));

int EXPORT VDSO_FUNCTION(clock_gettime)(u64 clock, struct __kernel_timespec *out);
int EXPORT VDSO_FUNCTION(clock_getres)(u64 clock, struct __kernel_timespec *out);
int EXPORT VDSO_FUNCTION(gettimeofday)(struct __kernel_old_timeval *out, struct timezone *zone);
#ifdef VDSO_HAS_TIME
long EXPORT VDSO_FUNCTION(time)(long *out);
#endif
#ifdef VDSO_HAS_GETCPU
long EXPORT VDSO_FUNCTION(getcpu)(u32 *cpu, u32 *node, void *unused);
#endif

static const struct vdso_data *vdso_data(void)
{
	return (const struct vdso_data *)(__ehdr_start - VDSO_DATA_SIZE);
}

/* True for the clocks that we can tell; *ns is the time. */
static bool read_clock(u32 clock, u64 *ns)
{
	const struct vdso_data *data = vdso_data();

	if (clock >= VDSO_CLOCKS || !(data->clocks >> clock & 1))
		return false;
	u64 ticks = vdso_counter() - data->counter_base;
	*ns = (u64)((unsigned __int128)ticks * data->multiplier >> 32) +
	      (u64)__atomic_load_n(&data->offset_ns[clock], __ATOMIC_RELAXED);
	return true;
}

int VDSO_FUNCTION(clock_gettime)(u64 clock, struct __kernel_timespec *out)
{
	u64 ns;

	if (!read_clock((u32)clock, &ns))
		return (int)vdso_syscall(__NR_clock_gettime, clock, out);
	out->tv_sec = (long long)(ns / NSEC_PER_SEC);
	out->tv_nsec = (long long)(ns % NSEC_PER_SEC);
	return 0;
}

int VDSO_FUNCTION(clock_getres)(u64 clock, struct __kernel_timespec *out)
{
	return (int)vdso_syscall(__NR_clock_getres, clock, out);
}

int VDSO_FUNCTION(gettimeofday)(struct __kernel_old_timeval *out, struct timezone *zone)
{
	u64 ns;

	if (zone || !out || !read_clock(CLOCK_REALTIME, &ns))
		return (int)vdso_syscall(__NR_gettimeofday, (u64)out, zone);
	out->tv_sec = (long)(ns / NSEC_PER_SEC);
	out->tv_usec = (long)(ns % NSEC_PER_SEC / NSEC_PER_USEC);
	return 0;
}

#ifdef VDSO_HAS_TIME
long VDSO_FUNCTION(time)(long *out)
{
	u64 ns;

	if (!read_clock(CLOCK_REALTIME, &ns))
		return vdso_syscall(__NR_time, (u64)out, nullptr);
	if (out)
		*out = (long)(ns / NSEC_PER_SEC);
	return (long)(ns / NSEC_PER_SEC);
}
#endif

#ifdef VDSO_HAS_GETCPU
long VDSO_FUNCTION(getcpu)(u32 *cpu, u32 *node, void *unused)
{
	if (!vdso_data()->cpu_readable)
		return vdso_syscall(__NR_getcpu, (u64)cpu, node);
	if (cpu)
		*cpu = vdso_cpu_number();
	if (node)
		*node = 0;
	return 0;
}
#endif
