/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions that programs of BPF may call. What their arguments are the verifier made sure of. */
#include <core/percpu.h>
#include <core/random.h>
#include <core/time.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/bpf/helper.h>
#include <net/bpf/interpreter.h>
#include <net/bpf/map.h>
#include <net/filter_view.h>
#include <net/socket.h>
#include <obj/inode.h>

#define OFFSET_MAX 0xffffu /* of skb_load_bytes */
#define NOBODY 65534u	   /* /proc/sys/kernel/overflowuid */

static u64 map_lookup(const struct bpf_machine *machine, const u64 *a)
{
	const struct bpf_map *map = (const struct bpf_map *)a[0];

	return (u64)map->ops->lookup(map, (const void *)a[1]);
}

static u64 map_update(const struct bpf_machine *machine, const u64 *a)
{
	struct bpf_map *map = (struct bpf_map *)a[0];

	return (u64)(s64)map->ops->update(map, (const void *)a[1], (const void *)a[2], a[3]);
}

static u64 map_delete(const struct bpf_machine *machine, const u64 *a)
{
	struct bpf_map *map = (struct bpf_map *)a[0];

	return (u64)(s64)map->ops->remove(map, (const void *)a[1]);
}

static u64 time_ns(const struct bpf_machine *machine, const u64 *a)
{
	return clock_monotonic_ns();
}

static u64 random_number(const struct bpf_machine *machine, const u64 *a)
{
	return (u32)random_u64();
}

static u64 cpu_number_now(const struct bpf_machine *machine, const u64 *a)
{
	return cpu_id();
}

static u64 node_number(const struct bpf_machine *machine, const u64 *a)
{
	return 0; /* there is one */
}

/* The buffer is written in any case: the program may read it. */
static u64 load_bytes(const struct bpf_machine *machine, const u64 *a)
{
	void *to = (void *)a[2];
	u32 offset = (u32)a[1], size = (u32)a[3];

	if (offset <= OFFSET_MAX && filter_view_copy(machine->view, offset, to, size))
		return 0;
	memset(to, 0, size);
	return (u64)-EFAULT;
}

static u64 cookie(const struct bpf_machine *machine, const u64 *a)
{
	return machine->socket ? socket_cookie(machine->socket) : 0;
}

static u64 owner(const struct bpf_machine *machine, const u64 *a)
{
	return machine->socket ? machine->socket->file->inode->uid : NOBODY;
}

static const struct bpf_helper helpers[] = {
	[BPF_FUNC_map_lookup_elem] = { .call = map_lookup,
				       .arguments = { ARGUMENT_MAP, ARGUMENT_KEY },
				       .returns_value = true },
	[BPF_FUNC_map_update_elem] = { .call = map_update,
				       .arguments = { ARGUMENT_MAP, ARGUMENT_KEY, ARGUMENT_VALUE,
						      ARGUMENT_NUMBER } },
	[BPF_FUNC_map_delete_elem] = { .call = map_delete,
				       .arguments = { ARGUMENT_MAP, ARGUMENT_KEY } },
	[BPF_FUNC_ktime_get_ns] = { .call = time_ns },
	[BPF_FUNC_get_prandom_u32] = { .call = random_number },
	[BPF_FUNC_get_smp_processor_id] = { .call = cpu_number_now },
	[BPF_FUNC_get_numa_node_id] = { .call = node_number },
	[BPF_FUNC_skb_load_bytes] = { .call = load_bytes,
				      .arguments = { ARGUMENT_CONTEXT, ARGUMENT_NUMBER,
						     ARGUMENT_BUFFER, ARGUMENT_SIZE } },
	[BPF_FUNC_get_socket_cookie] = { .call = cookie, .arguments = { ARGUMENT_CONTEXT } },
	[BPF_FUNC_get_socket_uid] = { .call = owner, .arguments = { ARGUMENT_CONTEXT } },
};

const struct bpf_helper *bpf_helper_find(u32 function)
{
	return function < ARRAY_SIZE(helpers) && helpers[function].call ? &helpers[function]
									: nullptr;
}

u64 bpf_helper_call(const struct bpf_machine *machine, u32 function, const u64 *registers)
{
	return helpers[function].call(machine, &registers[BPF_REG_1]);
}
