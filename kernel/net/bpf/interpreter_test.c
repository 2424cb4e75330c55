/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each instruction does what RFC 9669 says, and each function what bpf-helpers(7) says. */
#include <core/rcu.h>
#include <net/bpf/assembler.h>
#include <net/bpf/verifier.h>
#include <net/filter_view.h>
#include <net/socket.h>
#include <obj/inode.h>

#include <linux/filter.h>

static const u8 bytes[] = { 0x45, 0x00, 0x00, 0x54, 0x12, 0x34, 0x40, 0x00, 0x40, 0x06 };

static struct packet *make_packet(void)
{
	static struct packet packet;

	packet = (struct packet){ .data = packet.room + 64,
				  .length = sizeof(bytes),
				  .linear = sizeof(bytes),
				  .link_header = 60,
				  .network_header = 66,
				  .protocol = 0x800,
				  .kind = 1,
				  .mark = 99,
				  .queue = 3,
				  .segment_size = 7 };
	memcpy(packet.data, bytes, sizeof(bytes));
	return &packet;
}

static u64 run_for(const struct bpf_insn *instructions, u32 count, struct bpf_map *const *maps,
		   struct socket *socket)
{
	struct bpf_program *program = make_program(instructions, count, maps);
	const struct filter_view view = filter_view_packet(make_packet());
	struct bpf_log log = {};
	u64 result = 0xbad;

	if (bpf_verify(program, &log))
		test_fail(__FILE_NAME__, __LINE__, "%s", log.text);
	else
		result = bpf_program_run(program, &view, socket);
	bpf_program_put(program);
	return result;
}
#define RUN_FOR(maps, socket, ...)                                                                 \
	({                                                                                         \
		const struct bpf_insn program_[] = { __VA_ARGS__ };                                \
		run_for(program_, ARRAY_SIZE(program_), maps, socket);                             \
	})
#define RUN(...) RUN_FOR(nullptr, nullptr, __VA_ARGS__)

#define BINARY(op, a, b)                                                                           \
	RUN(WIDE(0, 0, (u32)(a), (u64)(a) >> 32), WIDE(1, 0, (u32)(b), (u64)(b) >> 32),            \
	    ALUX(op, 0, 1), EXIT)
#define BINARY32(op, a, b)                                                                         \
	RUN(WIDE(0, 0, (u32)(a), (u64)(a) >> 32), WIDE(1, 0, (u32)(b), (u64)(b) >> 32),            \
	    ALU32X(op, 0, 1), EXIT)

TEST(bpf_arithmetic_of_64_bits)
{
	EXPECT_EQ(BINARY(BPF_ADD, 0xffffffffull, 1), 0x100000000ull);
	EXPECT_EQ(BINARY(BPF_SUB, 1, 2), UINT64_MAX);
	EXPECT_EQ(BINARY(BPF_MUL, 0x100000001ull, 0x100000001ull), 0x200000001ull);
	EXPECT_EQ(BINARY(BPF_DIV, UINT64_MAX, 10), UINT64_MAX / 10);
	EXPECT_EQ(BINARY(BPF_DIV, 7, 0), 0u);
	EXPECT_EQ(BINARY(BPF_MOD, UINT64_MAX, 10), 5u);
	EXPECT_EQ(BINARY(BPF_MOD, 1ull << 40, 0), 1ull << 40);
	EXPECT_EQ(BINARY(BPF_OR, 1ull << 40, 2), (1ull << 40) + 2);
	EXPECT_EQ(BINARY(BPF_AND, 0xf0f0ull, 0xff00ull), 0xf000u);
	EXPECT_EQ(BINARY(BPF_XOR, 0xf0f0ull, 0xff00ull), 0x0ff0u);
	EXPECT_EQ(BINARY(BPF_LSH, 1, 63), 1ull << 63);
	EXPECT_EQ(BINARY(BPF_LSH, 1, 64), 1u);
	EXPECT_EQ(BINARY(BPF_RSH, UINT64_MAX, 60), 15u);
	EXPECT_EQ(BINARY(BPF_ARSH, UINT64_MAX - 15, 4), UINT64_MAX);
	EXPECT_EQ(BINARY(BPF_MOV, 1, 1ull << 40), 1ull << 40);
	EXPECT_EQ(RUN(MOV(0, 5), ALU(BPF_NEG, 0, 0), EXIT), (u64)-5);
	/* Constants extend their sign. */
	EXPECT_EQ(RUN(MOV(0, -1), EXIT), UINT64_MAX);
	EXPECT_EQ(RUN(MOV(0, 0), ALU(BPF_ADD, 0, -2), EXIT), UINT64_MAX - 1);
}

TEST(bpf_arithmetic_of_32_bits)
{
	EXPECT_EQ(BINARY32(BPF_ADD, 0xffffffffull, 1), 0u);
	EXPECT_EQ(BINARY32(BPF_SUB, 1ull << 40, 1), 0xffffffffu);
	EXPECT_EQ(BINARY32(BPF_MUL, 0x10001, 0x10001), 0x20001u);
	EXPECT_EQ(BINARY32(BPF_DIV, (1ull << 40) + 9, 2), 4u);
	EXPECT_EQ(BINARY32(BPF_DIV, 9, 1ull << 40), 0u);
	EXPECT_EQ(BINARY32(BPF_MOD, (1ull << 40) + 9, 1ull << 40), 9u);
	EXPECT_EQ(BINARY32(BPF_LSH, 1, 33), 2u);
	EXPECT_EQ(BINARY32(BPF_RSH, 0xf00000000ull, 4), 0u);
	EXPECT_EQ(BINARY32(BPF_ARSH, 0x80000000ull, 4), 0xf8000000u);
	EXPECT_EQ(BINARY32(BPF_MOV, 1, UINT64_MAX), 0xffffffffu);
	EXPECT_EQ(BINARY32(BPF_OR, UINT64_MAX, 0), 0xffffffffu);
	EXPECT_EQ(RUN(MOV(0, 5), ALU32(BPF_NEG, 0, 0), EXIT), (u32)-5);
	EXPECT_EQ(RUN(ALU32(BPF_MOV, 0, -1), EXIT), 0xffffffffu);
}

#define SWAP(direction, width)                                                                     \
	RUN(WIDE(0, 0, 0x55667788, 0x11223344),                                                    \
	    INSN(BPF_ALU | BPF_END | (direction), 0, 0, 0, width), EXIT)

TEST(bpf_byte_orders)
{
	EXPECT_EQ(SWAP(BPF_TO_LE, 16), 0x7788u);
	EXPECT_EQ(SWAP(BPF_TO_LE, 32), 0x55667788u);
	EXPECT_EQ(SWAP(BPF_TO_LE, 64), 0x1122334455667788ull);
	EXPECT_EQ(SWAP(BPF_TO_BE, 16), 0x8877u);
	EXPECT_EQ(SWAP(BPF_TO_BE, 32), 0x88776655u);
	EXPECT_EQ(SWAP(BPF_TO_BE, 64), 0x8877665544332211ull);
}

/* `class`: BPF_JMP or BPF_JMP32. */
static bool jumps(unsigned class, u8 operation, u64 a, s32 b)
{
	bool constant = RUN(WIDE(1, 0, (u32)a, a >> 32), MOV(0, 1),
			    INSN(class | operation | BPF_K, 1, 0, 1, b), MOV(0, 0), EXIT);
	bool other = RUN(WIDE(1, 0, (u32)a, a >> 32), MOV(2, b), MOV(0, 1),
			 INSN(class | operation | BPF_X, 1, 2, 1, 0), MOV(0, 0), EXIT);

	EXPECT_EQ(constant, other);
	return constant;
}

TEST(bpf_jumps)
{
	static const struct {
		u8 operation;
		bool less, equal, greater; /* of 3, 5, 7 beside 5 */
		bool negative;		   /* -1 beside 5 */
	} table[] = {
		{ BPF_JEQ, false, true, false, false },	 { BPF_JNE, true, false, true, true },
		{ BPF_JGT, false, false, true, true },	 { BPF_JGE, false, true, true, true },
		{ BPF_JLT, true, false, false, false },	 { BPF_JLE, true, true, false, false },
		{ BPF_JSGT, false, false, true, false }, { BPF_JSGE, false, true, true, false },
		{ BPF_JSLT, true, false, false, true },	 { BPF_JSLE, true, true, false, true },
		{ BPF_JSET, true, true, true, true },
	};

	for (size_t n = 0; n < ARRAY_SIZE(table); n++) {
		u8 operation = table[n].operation;

		EXPECT_EQ(jumps(BPF_JMP, operation, 3, 5), table[n].less);
		EXPECT_EQ(jumps(BPF_JMP, operation, 5, 5), table[n].equal);
		EXPECT_EQ(jumps(BPF_JMP, operation, 7, 5), table[n].greater);
		EXPECT_EQ(jumps(BPF_JMP, operation, UINT64_MAX, 5), table[n].negative);
		/* What is above the lower halves does not count. */
		EXPECT_EQ(jumps(BPF_JMP32, operation, (1ull << 40) + 3, 5), table[n].less);
		EXPECT_EQ(jumps(BPF_JMP32, operation, (1ull << 40) + 5, 5), table[n].equal);
		EXPECT_EQ(jumps(BPF_JMP32, operation, UINT32_MAX, 5), table[n].negative);
	}
	EXPECT(!jumps(BPF_JMP, BPF_JSET, 8, 5));
	EXPECT_EQ(RUN(MOV(0, 1), GOTO(2), MOV(0, 2), EXIT, JUMP(BPF_JEQ, 0, 2, -3), EXIT), 1u);
}

TEST(bpf_memory)
{
	EXPECT_EQ(RUN(WIDE(1, 0, 0x55667788, 0x11223344), STOREX(BPF_DW, 10, -8, 1),
		      LOAD(BPF_B, 0, 10, -8), EXIT),
		  0x88u);
	EXPECT_EQ(RUN(STORE(BPF_DW, 10, -8, -1), STORE(BPF_H, 10, -6, 0x1234),
		      LOAD(BPF_W, 0, 10, -8), EXIT),
		  0x1234ffffu);
	EXPECT_EQ(RUN(STORE(BPF_DW, 10, -512, -1), LOAD(BPF_DW, 0, 10, -512), EXIT), UINT64_MAX);
	EXPECT_EQ(RUN(STORE(BPF_DW, 10, -8, -1), LOAD(BPF_H, 0, 10, -8), EXIT), 0xffffu);
	EXPECT_EQ(RUN(STORE(BPF_B, 10, -1, 0x1ff), LOAD(BPF_B, 0, 10, -1), EXIT), 0xffu);
}

/* What the operation leaves, plus 1000 times what it returns. */
#define ATOMICALLY(size, op, before, operand)                                                      \
	RUN(STORE(BPF_DW, 10, -8, before), MOV(0, 5), MOV(1, operand),                             \
	    ATOMIC(size, op, 10, -8, 1), MOVX(2, (op) == BPF_CMPXCHG ? 0 : 1),                     \
	    ALU(BPF_MUL, 2, 1000), LOAD(BPF_DW, 0, 10, -8), ALUX(BPF_ADD, 0, 2), EXIT)

TEST(bpf_atomic_operations)
{
	EXPECT_EQ(ATOMICALLY(BPF_DW, BPF_ADD, 12, 3), 3015u);
	EXPECT_EQ(ATOMICALLY(BPF_DW, BPF_OR, 12, 3), 3015u);
	EXPECT_EQ(ATOMICALLY(BPF_DW, BPF_AND, 12, 6), 6004u);
	EXPECT_EQ(ATOMICALLY(BPF_DW, BPF_XOR, 12, 6), 6010u);
	EXPECT_EQ(ATOMICALLY(BPF_DW, BPF_ADD | BPF_FETCH, 12, 3), 12015u);
	EXPECT_EQ(ATOMICALLY(BPF_W, BPF_OR | BPF_FETCH, 12, 3), 12015u);
	EXPECT_EQ(ATOMICALLY(BPF_W, BPF_AND | BPF_FETCH, 12, 6), 12004u);
	EXPECT_EQ(ATOMICALLY(BPF_W, BPF_XOR | BPF_FETCH, 12, 6), 12010u);
	EXPECT_EQ(ATOMICALLY(BPF_DW, BPF_XCHG, 12, 6), 12006u);
	EXPECT_EQ(ATOMICALLY(BPF_W, BPF_CMPXCHG, 5, 6), 5006u);
	EXPECT_EQ(ATOMICALLY(BPF_DW, BPF_CMPXCHG, 4, 6), 4004u);
	/* Only four bytes. */
	EXPECT_EQ(RUN(STORE(BPF_DW, 10, -8, -1), MOV(1, 1), ATOMIC(BPF_W, BPF_ADD, 10, -8, 1),
		      LOAD(BPF_DW, 0, 10, -8), EXIT),
		  0xffffffff00000000ull);
}

TEST(bpf_packet_loads)
{
	EXPECT_EQ(RUN(MOVX(6, 1), PACKET(BPF_W, 4), EXIT), 0x12344000u);
	EXPECT_EQ(RUN(MOVX(6, 1), PACKET(BPF_H, 2), EXIT), 0x54u);
	EXPECT_EQ(RUN(MOVX(6, 1), PACKET(BPF_B, 9), EXIT), 6u);
	EXPECT_EQ(RUN(MOVX(6, 1), MOV(2, 3), PACKETX(BPF_H, 2, 1), EXIT), 0x1234u);
	EXPECT_EQ(RUN(MOVX(6, 1), MOV(2, -1), PACKETX(BPF_H, 2, 5), EXIT), 0x1234u);
	/* From the network header, which is two bytes on. */
	EXPECT_EQ(RUN(MOVX(6, 1), PACKET(BPF_H, SKF_NET_OFF + 2), EXIT), 0x1234u);
	/* The link header is in front of the data; what is in front of it is not the packet's. */
	EXPECT_EQ(RUN(MOVX(6, 1), PACKET(BPF_W, SKF_LL_OFF + 4), EXIT), 0x45000054u);
	EXPECT_EQ(RUN(MOVX(6, 1), PACKET(BPF_B, SKF_LL_OFF + 13), EXIT), 0x06u);
	EXPECT_EQ(RUN(MOVX(6, 1), PACKET(BPF_B, SKF_LL_OFF + 14), MOV(0, 5), EXIT), 0u);
	EXPECT_EQ(RUN(MOVX(6, 1), PACKET(BPF_B, SKF_LL_OFF - 1), MOV(0, 5), EXIT), 0u);
	/* Beyond the end the program ends with 0; so it does where classic programs have other things. */
	EXPECT_EQ(RUN(MOVX(6, 1), PACKET(BPF_W, 7), MOV(0, 1), EXIT), 0u);
	EXPECT_EQ(RUN(MOVX(6, 1), PACKET(BPF_W, INT32_MAX), MOV(0, 1), EXIT), 0u);
	EXPECT_EQ(RUN(MOVX(6, 1), PACKET(BPF_W, SKF_AD_OFF), MOV(0, 1), EXIT), 0u);
}

#define FIELD(name) RUN(LOAD(BPF_W, 0, 1, offsetof(struct __sk_buff, name)), EXIT)

TEST(bpf_context)
{
	EXPECT_EQ(FIELD(len), sizeof(bytes));
	EXPECT_EQ(FIELD(pkt_type), 1u);
	EXPECT_EQ(FIELD(mark), 99u);
	EXPECT_EQ(FIELD(queue_mapping), 3u);
	EXPECT_EQ(FIELD(protocol), 8u);
	EXPECT_EQ(FIELD(ifindex), 0u);
	EXPECT_EQ(FIELD(gso_size), 7u);
	EXPECT_EQ(FIELD(cb[4]), 0u);
	EXPECT_EQ(RUN(LOAD(BPF_B, 0, 1, 0), EXIT), sizeof(bytes));
	EXPECT_EQ(RUN(STORE(BPF_DW, 1, 56, -1), LOAD(BPF_W, 0, 1, 60), EXIT), 0xffffffffu);
}

#define AT_KEY(key) STORE(BPF_W, 10, -4, key), MOVX(2, 10), ALU(BPF_ADD, 2, -4)

TEST(bpf_functions_of_maps)
{
	struct bpf_map *maps[TEST_MAPS];

	make_maps(maps);
	EXPECT_EQ(RUN_FOR(maps, nullptr, AT_KEY(9), MAP(1, 1), CALL(map_lookup_elem),
			  JUMP(BPF_JEQ, 0, 0, 2), MOV(0, 1), EXIT, MOV(0, 2), EXIT),
		  2u);
	EXPECT_EQ(RUN_FOR(maps, nullptr, STORE(BPF_DW, 10, -16, 77), AT_KEY(9), MAP(1, 1),
			  MOVX(3, 10), ALU(BPF_ADD, 3, -16), MOV(4, BPF_EXIST),
			  CALL(map_update_elem), EXIT),
		  (u64)-ENOENT);
	EXPECT_EQ(RUN_FOR(maps, nullptr, STORE(BPF_DW, 10, -16, 77), AT_KEY(9), MAP(1, 1),
			  MOVX(3, 10), ALU(BPF_ADD, 3, -16), MOV(4, 0), CALL(map_update_elem),
			  EXIT),
		  0u);
	EXPECT_EQ(RUN_FOR(maps, nullptr, AT_KEY(9), MAP(1, 1), CALL(map_lookup_elem),
			  JUMP(BPF_JNE, 0, 0, 2), MOV(0, 1), EXIT, LOAD(BPF_DW, 0, 0, 0), EXIT),
		  77u);
	EXPECT_EQ(RUN_FOR(maps, nullptr, AT_KEY(9), MAP(1, 1), CALL(map_delete_elem), EXIT), 0u);
	EXPECT_EQ(RUN_FOR(maps, nullptr, AT_KEY(9), MAP(1, 1), CALL(map_delete_elem), EXIT),
		  (u64)-ENOENT);
	EXPECT_EQ(RUN_FOR(maps, nullptr, WIDE(1, BPF_PSEUDO_MAP_VALUE, 2, 8),
			  STORE(BPF_DW, 1, 0, 5), MOV(0, 0), EXIT),
		  0u);
	EXPECT_EQ(RUN_FOR(maps, nullptr, AT_KEY(0), MAP(1, 2), CALL(map_lookup_elem),
			  JUMP(BPF_JNE, 0, 0, 2), MOV(0, 1), EXIT, LOAD(BPF_DW, 0, 0, 8), EXIT),
		  5u);
	for (unsigned n = 0; n < TEST_MAPS; n++)
		bpf_map_put(maps[n]);
	rcu_barrier();
}

TEST(bpf_functions)
{
	struct inode inode = { .uid = 1000 };
	struct file file = { .inode = &inode };
	struct socket socket = { .file = &file, .cookie = 4711 };

	EXPECT_EQ(RUN(CALL(get_smp_processor_id), EXIT), 0u);
	EXPECT_EQ(RUN(CALL(get_numa_node_id), EXIT), 0u);
	EXPECT(RUN(CALL(ktime_get_ns), EXIT) > 0);
	EXPECT(RUN(CALL(get_prandom_u32), EXIT) <= UINT32_MAX);
	EXPECT_EQ(RUN(CALL(get_socket_cookie), EXIT), 0u);
	EXPECT_EQ(RUN(CALL(get_socket_uid), EXIT), 65534u);
	EXPECT_EQ(RUN_FOR(nullptr, &socket, CALL(get_socket_cookie), EXIT), 4711u);
	EXPECT_EQ(RUN_FOR(nullptr, &socket, CALL(get_socket_uid), EXIT), 1000u);
	EXPECT_EQ(RUN(MOV(2, 4), MOVX(3, 10), ALU(BPF_ADD, 3, -4), MOV(4, 4), CALL(skb_load_bytes),
		      LOAD(BPF_W, 0, 10, -4), EXIT),
		  0x00403412u);
	EXPECT_EQ(RUN(STORE(BPF_W, 10, -4, 7), MOV(2, 7), MOVX(3, 10), ALU(BPF_ADD, 3, -4),
		      MOV(4, 4), CALL(skb_load_bytes), LOAD(BPF_W, 1, 10, -4), ALUX(BPF_ADD, 0, 1),
		      EXIT),
		  (u64)-EFAULT);
}
