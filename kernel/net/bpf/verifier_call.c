/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verifier's view of calls: arguments that fit, and what is left in the registers. */
#include <lib/errno.h>
#include <net/bpf/helper.h>
#include <net/bpf/map.h>
#include <net/bpf/verifier_priv.h>

/* R1 to R5 belong to who is called. */
static void leave_call(struct verifier *v, struct value result)
{
	for (unsigned n = BPF_REG_1; n <= BPF_REG_5; n++)
		register_of(v, n)->kind = NOTHING;
	*register_of(v, BPF_REG_0) = result;
}

static int check_kind(struct verifier *v, unsigned number, u8 kind)
{
	u8 is = register_of(v, number)->kind;

	return is == kind ? 0
			  : refuse(v, -EACCES, "R%u type=%s expected=%s", number,
				   value_kind_name(is), value_kind_name(kind));
}

/* A buffer, whose size is in the next register. */
static int check_buffer(struct verifier *v, unsigned number)
{
	const struct scalar *size = &register_of(v, number + 1)->number;
	int error = bpf_check_number(v, number + 1);

	if (error)
		return error;
	if (!size->min)
		return refuse(v, -EACCES, "R%u invalid zero-sized read", number + 1);
	return bpf_verify_buffer(v, number, size->min, size->max, true);
}

static int check_argument(struct verifier *v, const struct bpf_helper *helper, unsigned number,
			  const struct bpf_map *map)
{
	switch ((enum bpf_argument)helper->arguments[number - BPF_REG_1]) {
	case ARGUMENT_NONE:
		return 0;
	case ARGUMENT_NUMBER:
	case ARGUMENT_SIZE:
		return bpf_check_number(v, number);
	case ARGUMENT_CONTEXT:
		return check_kind(v, number, CONTEXT);
	case ARGUMENT_MAP:
		return check_kind(v, number, MAP);
	case ARGUMENT_KEY:
		return bpf_verify_buffer(v, number, map->key_size, map->key_size, false);
	case ARGUMENT_VALUE:
		return bpf_verify_buffer(v, number, map->value_size, map->value_size, false);
	case ARGUMENT_BUFFER:
		return check_buffer(v, number);
	}
	return -EINVAL;
}

int bpf_verify_call(struct verifier *v)
{
	u32 function = (u32)instruction_of(v)->imm;
	const struct bpf_helper *helper = bpf_helper_find(function);
	struct value result = value_of_number(scalar_unknown);
	const struct bpf_map *map = nullptr;
	u8 map_number = 0;

	if (!helper)
		return refuse(v, -EINVAL, "unknown func #%u", function);
	/* The map comes before what its sizes are needed for. */
	if (helper->arguments[0] == ARGUMENT_MAP && register_of(v, BPF_REG_1)->kind == MAP) {
		map_number = register_of(v, BPF_REG_1)->map;
		map = v->program->maps[map_number];
	}
	for (unsigned number = BPF_REG_1; number <= BPF_REG_5; number++) {
		int error = check_argument(v, helper, number, map);

		if (error)
			return error;
	}
	if (helper->returns_value)
		result = (struct value){ .kind = VALUE_OR_NULL,
					 .map = map_number,
					 .call = (u16)(v->at + 1),
					 .number = scalar_constant(0) };
	leave_call(v, result);
	return 0;
}

int bpf_verify_packet_load(struct verifier *v)
{
	const struct bpf_insn *i = instruction_of(v);
	int error = bpf_check_readable(v, BPF_REG_6);

	if (!error && register_of(v, BPF_REG_6)->kind != CONTEXT)
		error = refuse(v, -EINVAL, "at the time of BPF_LD_ABS|IND R6 != pointer to skb");
	if (!error && BPF_MODE(i->code) == BPF_IND)
		error = bpf_check_number(v, i->src_reg);
	if (!error)
		leave_call(v, value_of_number(scalar_of_width(bpf_access_size(i->code) * 8)));
	return error;
}
