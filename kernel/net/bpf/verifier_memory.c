/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verifier's view of memory: the context, the stack, values of maps. */
#include <lib/errno.h>
#include <net/bpf/map.h>
#include <net/bpf/verifier_priv.h>

#define OFFSET_END(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))

/* The fields of struct __sk_buff that a socket's program has; it may write cb. */
static bool context_allows(s64 offset, unsigned size, bool write)
{
	static const u16 fields[] = {
		offsetof(struct __sk_buff, hash),
		offsetof(struct __sk_buff, napi_id),
		offsetof(struct __sk_buff, gso_segs),
		offsetof(struct __sk_buff, gso_size),
	};
	s64 end = offset + size;

	if (offset < 0 || offset % size)
		return false;
	if (offset >= (s64)offsetof(struct __sk_buff, cb) &&
	    end <= (s64)OFFSET_END(struct __sk_buff, cb))
		return true;
	if (write || size > 4)
		return false;
	if (end <= (s64)offsetof(struct __sk_buff, cb))
		return true;
	for (unsigned i = 0; i < ARRAY_SIZE(fields); i++)
		if (offset >= fields[i] && end <= fields[i] + 4)
			return true;
	return false;
}

/* --- The stack --- */

/* Bytes of one slot, as bits of `written`. */
static u8 byte_mask(unsigned first, unsigned count)
{
	return (u8)(((1u << count) - 1) << first);
}

/* Bytes `from` to `from + size - 1`, counted from the lowest one, are (`write`: become) numbers. */
static bool stack_bytes(struct state *s, unsigned from, unsigned size, bool write)
{
	while (size) {
		unsigned slot = from / 8, first = from % 8, count = MIN(size, 8 - first);
		u8 mask = byte_mask(first, count);

		if (write) {
			s->spills[slot].kind = NOTHING;
			s->written[slot] |= mask;
		} else if ((s->written[slot] & mask) != mask) {
			return false;
		}
		from += count;
		size -= count;
	}
	return true;
}

/* Where in the stack, from its lowest byte, `size` bytes behind a STACK pointer are; -1: not in it. */
static int stack_place(const struct value *pointer, s64 offset, u64 size)
{
	s64 from = BPF_STACK_SIZE + pointer->number.signed_min + offset;

	return from < 0 || from > BPF_STACK_SIZE || size > (u64)(BPF_STACK_SIZE - from) ? -1
											: (int)from;
}

static struct value stack_load(struct state *s, unsigned from, unsigned size)
{
	const struct value *spill = &s->spills[from / 8];

	if (size == 8 && spill->kind != NOTHING)
		return *spill;
	if (!stack_bytes(s, from, size, false))
		return (struct value){ .kind = NOTHING };
	return value_of_number(scalar_of_width(size * 8));
}

/* False: a part of a pointer, which is no number. */
static bool stack_store(struct state *s, unsigned from, unsigned size, const struct value *value)
{
	if (value->kind != NUMBER && size != 8)
		return false;
	(void)stack_bytes(s, from, size, true);
	if (size == 8) {
		s->spills[from / 8] = *value;
		s->written[from / 8] = value->kind == NUMBER ? UINT8_MAX : 0;
	}
	return true;
}

/* --- Values of maps --- */

static bool value_contains(const struct verifier *v, const struct value *pointer, s64 offset,
			   u64 size)
{
	const struct bpf_map *map = v->program->maps[pointer->map];
	s64 from = pointer->number.signed_min + offset, to = pointer->number.signed_max + offset;

	return from >= 0 && size <= map->value_size && to <= (s64)(map->value_size - size);
}

/* --- Instructions --- */

static int refuse_pointer(struct verifier *v, unsigned number)
{
	return refuse(v, -EACCES, "R%u invalid mem access '%s'", number,
		      value_kind_name(register_of(v, number)->kind));
}

static int refuse_place(struct verifier *v, unsigned number, s64 offset, u64 size)
{
	const struct value *pointer = register_of(v, number);

	return refuse(v, -EACCES, "invalid access to %s, R%u off=%lld to %lld size=%llu",
		      value_kind_name(pointer->kind), number,
		      (long long)(pointer->number.signed_min + offset),
		      (long long)(pointer->number.signed_max + offset), (unsigned long long)size);
}

static int verify_load(struct verifier *v)
{
	const struct bpf_insn *i = instruction_of(v);
	const struct value *pointer = register_of(v, i->src_reg);
	unsigned size = bpf_access_size(i->code);
	struct value loaded = value_of_number(scalar_of_width(size * 8));
	int from;

	switch (pointer->kind) {
	case CONTEXT:
		if (!context_allows(i->off, size, false))
			return refuse_place(v, i->src_reg, i->off, size);
		break;
	case STACK:
		from = stack_place(pointer, i->off, size);
		if (from < 0 || from % (int)size)
			return refuse_place(v, i->src_reg, i->off, size);
		loaded = stack_load(v->state, (unsigned)from, size);
		if (loaded.kind == NOTHING)
			return refuse(v, -EACCES, "invalid read from stack off %d size %u",
				      from - BPF_STACK_SIZE, size);
		break;
	case VALUE:
		if (!value_contains(v, pointer, i->off, size))
			return refuse_place(v, i->src_reg, i->off, size);
		break;
	default:
		return refuse_pointer(v, i->src_reg);
	}
	*register_of(v, i->dst_reg) = loaded;
	return 0;
}

static int verify_store(struct verifier *v, const struct value *value)
{
	const struct bpf_insn *i = instruction_of(v);
	const struct value *pointer = register_of(v, i->dst_reg);
	unsigned size = bpf_access_size(i->code);
	int from;

	switch (pointer->kind) {
	case CONTEXT:
		if (!context_allows(i->off, size, true))
			return refuse_place(v, i->dst_reg, i->off, size);
		break;
	case STACK:
		from = stack_place(pointer, i->off, size);
		if (from < 0 || from % (int)size)
			return refuse_place(v, i->dst_reg, i->off, size);
		if (stack_store(v->state, (unsigned)from, size, value))
			return 0;
		return refuse(v, -EACCES, "R%u is a pointer, of which a part is stored",
			      i->src_reg);
	case VALUE:
		if (!value_contains(v, pointer, i->off, size))
			return refuse_place(v, i->dst_reg, i->off, size);
		break;
	default:
		return refuse_pointer(v, i->dst_reg);
	}
	return value->kind == NUMBER ? 0
				     : refuse(v, -EACCES, "R%u leaks addr into %s", i->src_reg,
					      value_kind_name(pointer->kind));
}

/* Where an atomic operation works: at one place, which is aligned, in the stack or a value. */
static int verify_atomic_place(struct verifier *v)
{
	const struct bpf_insn *i = instruction_of(v);
	const struct value *pointer = register_of(v, i->dst_reg);
	unsigned size = bpf_access_size(i->code);
	int from;

	if (pointer->kind != STACK && pointer->kind != VALUE)
		return refuse_pointer(v, i->dst_reg);
	if (!scalar_is_constant(&pointer->number) ||
	    (pointer->number.signed_min + i->off) % (s64)size)
		return refuse_place(v, i->dst_reg, i->off, size);
	if (pointer->kind == VALUE)
		return value_contains(v, pointer, i->off, size)
			       ? 0
			       : refuse_place(v, i->dst_reg, i->off, size);
	from = stack_place(pointer, i->off, size);
	if (from < 0 || !stack_bytes(v->state, (unsigned)from, size, false))
		return refuse_place(v, i->dst_reg, i->off, size);
	(void)stack_bytes(v->state, (unsigned)from, size, true);
	return 0;
}

static int verify_atomic(struct verifier *v)
{
	const struct bpf_insn *i = instruction_of(v);
	struct value old = value_of_number(scalar_of_width(bpf_access_size(i->code) * 8));
	int error = bpf_check_number(v, i->src_reg);

	if (!error && i->imm == BPF_CMPXCHG)
		error = bpf_check_number(v, BPF_REG_0);
	if (!error)
		error = verify_atomic_place(v);
	if (error)
		return error;
	if (i->imm == BPF_CMPXCHG)
		*register_of(v, BPF_REG_0) = old;
	else if (i->imm & BPF_FETCH)
		*register_of(v, i->src_reg) = old;
	return 0;
}

int bpf_verify_access(struct verifier *v)
{
	const struct bpf_insn *i = instruction_of(v);
	struct value constant = value_of_number(scalar_constant((u64)(s64)i->imm));
	int error;

	if (BPF_CLASS(i->code) == BPF_LDX)
		return verify_load(v);
	if (BPF_CLASS(i->code) == BPF_ST)
		return verify_store(v, &constant);
	if (BPF_MODE(i->code) == BPF_ATOMIC)
		return verify_atomic(v);
	error = bpf_check_readable(v, i->src_reg);
	return error ? error : verify_store(v, register_of(v, i->src_reg));
}

int bpf_verify_buffer(struct verifier *v, unsigned number, u64 least, u64 most, bool write)
{
	const struct value *pointer = register_of(v, number);
	int from;

	if (pointer->kind == VALUE)
		return value_contains(v, pointer, 0, most) ? 0 : refuse_place(v, number, 0, most);
	if (pointer->kind != STACK)
		return refuse_pointer(v, number);
	from = stack_place(pointer, 0, most);
	if (from < 0)
		return refuse_place(v, number, 0, most);
	/* What may be left out must be there before. */
	if ((!write || least != most) &&
	    !stack_bytes(v->state, (unsigned)from, (unsigned)most, false))
		return refuse(v, -EACCES, "invalid indirect read from stack R%u off %d size %llu",
			      number, from - BPF_STACK_SIZE, (unsigned long long)most);
	if (write)
		(void)stack_bytes(v->state, (unsigned)from, (unsigned)most, true);
	return 0;
}
