/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bpf(2): loading, running and attaching programs of sockets. */
#include "bpf_test.h"

#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <sys/prctl.h>

#ifndef PACKET_FANOUT_EBPF
#define PACKET_FANOUT_EBPF 7
#endif

/* An Ethernet header, of a protocol for experiments, and eight bytes. */
#define PROTOCOL 0x88b5
static const unsigned char frame[22] = { 2, 0,	  0,	0, 0, 1, 2, 0, 0, 0, 0,
					 2, 0x88, 0xb5, 1, 2, 3, 4, 5, 6, 7, 8 };

#define RUN(...)                                                                                   \
	({                                                                                         \
		int fd_ = PROGRAM(__VA_ARGS__);                                                    \
		unsigned result_ = 0xdead;                                                         \
		if (EXPECT(fd_ >= 0)) {                                                            \
			result_ = run_on(fd_, frame, sizeof(frame));                               \
			close(fd_);                                                                \
		}                                                                                  \
		result_;                                                                           \
	})

TEST(bpf_computes)
{
	EXPECT_EQ(RUN(MOV(0, 7), ALU(BPF_MUL, 0, 6), ALU(BPF_SUB, 0, 2), ALU(BPF_DIV, 0, 4), EXIT),
		  10);
	EXPECT_EQ(RUN(MOV(0, -1), MOV(1, 0), ALUX(BPF_DIV, 0, 1), EXIT), 0);
	EXPECT_EQ(RUN(MOV(0, 9), MOV(1, 0), ALUX(BPF_MOD, 0, 1), EXIT), 9);
	EXPECT_EQ(RUN(MOV(0, -64), ALU(BPF_ARSH, 0, 3), EXIT), (unsigned)-8);
	EXPECT_EQ(RUN(MOV(0, 0x12345678), INSN(BPF_ALU | BPF_END | BPF_TO_BE, 0, 0, 0, 32), EXIT),
		  0x78563412);
	EXPECT_EQ(RUN(MOV(0, -1), INSN(BPF_ALU | BPF_ADD | BPF_K, 0, 0, 0, 2), ALU(BPF_RSH, 0, 1),
		      EXIT),
		  0);
	EXPECT_EQ(RUN(MOV(0, 1), INSN(BPF_JMP32 | BPF_JSLT | BPF_K, 0, 0, 1, 2), MOV(0, 5), EXIT),
		  1);
	EXPECT_EQ(RUN(STORE(BPF_DW, 10, -8, 40), MOV(1, 2),
		      ATOMIC(BPF_DW, BPF_ADD | BPF_FETCH, 10, -8, 1), LOAD(BPF_DW, 0, 10, -8),
		      ALUX(BPF_ADD, 0, 1), EXIT),
		  82);
	EXPECT_EQ(RUN(STORE(BPF_W, 10, -4, 40), MOV(0, 40), MOV(1, 50),
		      ATOMIC(BPF_W, BPF_CMPXCHG, 10, -4, 1), LOAD(BPF_W, 1, 10, -4),
		      ALUX(BPF_ADD, 0, 1), EXIT),
		  90);
}

TEST(bpf_loads_from_the_packet)
{
	/* Sockets' programs begin behind the link header. */
	EXPECT_EQ(RUN(MOVX(6, 1), PACKET(BPF_W, 0), EXIT), 0x01020304);
	EXPECT_EQ(RUN(MOVX(6, 1), PACKET(BPF_B, 7), EXIT), 8);
	EXPECT_EQ(RUN(MOVX(6, 1), MOV(7, 2), INSN(BPF_LD | BPF_IND | BPF_H, 0, 7, 0, 1), EXIT),
		  0x0405);
	/* Beyond the end: 0, whatever would follow. */
	EXPECT_EQ(RUN(MOVX(6, 1), PACKET(BPF_H, 7), MOV(0, 5), EXIT), 0);
	EXPECT_EQ(RUN(MOV(2, 2), MOVX(3, 10), ALU(BPF_ADD, 3, -8), MOV(4, 4),
		      CALL(BPF_FUNC_skb_load_bytes), LOAD(BPF_W, 0, 10, -8), EXIT),
		  0x06050403);
	EXPECT_EQ(RUN(MOV(2, 6), MOVX(3, 10), ALU(BPF_ADD, 3, -8), MOV(4, 4),
		      CALL(BPF_FUNC_skb_load_bytes), EXIT),
		  (unsigned)-EFAULT);
}

#define FIELD(name) offsetof(struct __sk_buff, name)

TEST(bpf_knows_the_packet)
{
	EXPECT_EQ(RUN(LOAD(BPF_W, 0, 1, FIELD(len)), EXIT), 8);
	EXPECT_EQ(RUN(LOAD(BPF_W, 0, 1, FIELD(protocol)), EXIT), htons(PROTOCOL));
	EXPECT_EQ(RUN(LOAD(BPF_H, 0, 1, FIELD(len)), EXIT), 8);
	EXPECT_EQ(RUN(LOAD(BPF_B, 0, 1, FIELD(len) + 1), EXIT), 0);
	EXPECT_EQ(RUN(LOAD(BPF_W, 0, 1, FIELD(vlan_present)), EXIT), 0);
	EXPECT_EQ(RUN(MOV(2, 77), STOREX(BPF_W, 1, FIELD(cb[1]), 2),
		      LOAD(BPF_W, 0, 1, FIELD(cb[1])), EXIT),
		  77);
	/* What is not a socket's. */
	EXPECT_ERRNO(PROGRAM(LOAD(BPF_W, 0, 1, FIELD(data)), EXIT), EACCES);
	EXPECT_ERRNO(PROGRAM(LOAD(BPF_W, 0, 1, FIELD(family)), EXIT), EACCES);
	EXPECT_ERRNO(PROGRAM(LOAD(BPF_DW, 0, 1, FIELD(tstamp)), EXIT), EACCES);
	EXPECT_ERRNO(PROGRAM(LOAD(BPF_W, 0, 1, 2), EXIT), EACCES);
	EXPECT_ERRNO(PROGRAM(LOAD(BPF_W, 0, 1, sizeof(struct __sk_buff)), EXIT), EACCES);
	EXPECT_ERRNO(PROGRAM(MOV(0, 0), STOREX(BPF_W, 1, FIELD(mark), 0), EXIT), EACCES);
}

TEST(bpf_test_run_gives_context_and_data)
{
	struct __sk_buff in = { .mark = 5, .priority = 6, .cb = { 1, 2, 3, 4, 5 } }, out = {};
	unsigned char data[64] = {};
	union bpf_attr attr = {};
	int fd = PROGRAM(LOAD(BPF_W, 0, 1, FIELD(mark)), LOAD(BPF_W, 2, 1, FIELD(cb[2])),
			 ALUX(BPF_ADD, 0, 2), STOREX(BPF_W, 1, FIELD(cb[4]), 0), EXIT);

	REQUIRE(fd >= 0);
	attr.test.prog_fd = (unsigned)fd;
	attr.test.data_in = (uintptr_t)frame;
	attr.test.data_size_in = sizeof(frame);
	attr.test.data_out = (uintptr_t)data;
	attr.test.data_size_out = sizeof(data);
	attr.test.ctx_in = (uintptr_t)&in;
	attr.test.ctx_size_in = sizeof(in);
	attr.test.ctx_out = (uintptr_t)&out;
	attr.test.ctx_size_out = sizeof(out);
	attr.test.repeat = 3;
	EXPECT_EQ(bpf(BPF_PROG_TEST_RUN, &attr), 0);
	EXPECT_EQ(attr.test.retval, 8);
	EXPECT_EQ(attr.test.data_size_out, sizeof(frame));
	EXPECT_EQ(memcmp(data + 14, frame + 14, 8), 0);
	EXPECT_EQ(out.cb[4], 8);
	EXPECT_EQ(out.cb[0], 1);
	EXPECT_EQ(out.mark, 5);
	attr.test.data_size_out = 10;
	EXPECT_ERRNO(bpf(BPF_PROG_TEST_RUN, &attr), ENOSPC);
	attr.test.data_size_in = 13;
	EXPECT_ERRNO(bpf(BPF_PROG_TEST_RUN, &attr), EINVAL);
	attr.test.data_size_in = sizeof(frame);
	in.hash = 1;
	EXPECT_ERRNO(bpf(BPF_PROG_TEST_RUN, &attr), EINVAL);
	in.hash = 0;
	attr.test.prog_fd = 0;
	EXPECT_ERRNO(bpf(BPF_PROG_TEST_RUN, &attr), EINVAL);
}

TEST(bpf_refuses_what_is_not_a_program)
{
	struct bpf_insn many[10];

	EXPECT_ERRNO(load(many, 0), E2BIG);
	EXPECT_ERRNO(load(NULL, 4), EFAULT);
	/* Flow. */
	EXPECT_ERRNO(PROGRAM(MOV(0, 0)), EINVAL);
	EXPECT_ERRNO(PROGRAM(MOV(0, 0), JUMP(BPF_JA, 0, 0, 1), EXIT), EINVAL);
	EXPECT_ERRNO(PROGRAM(MOV(0, 0), JUMP(BPF_JA, 0, 0, -3), EXIT), EINVAL);
	EXPECT_ERRNO(PROGRAM(MOV(0, 0), JUMP(BPF_JA, 0, 0, -1), EXIT), EINVAL);
	EXPECT_ERRNO(PROGRAM(MOV(0, 0), JUMP(BPF_JA, 0, 0, 1), MOV(0, 1), EXIT), EINVAL);
	/* Instructions. */
	EXPECT_ERRNO(PROGRAM(INSN(0xff, 0, 0, 0, 0), EXIT), EINVAL);
	EXPECT_ERRNO(PROGRAM(INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 1, 0, 0), EXIT), EINVAL);
	EXPECT_ERRNO(PROGRAM(INSN(BPF_ALU64 | BPF_MOV | BPF_K, 11, 0, 0, 0), EXIT), EINVAL);
	EXPECT_ERRNO(PROGRAM(MOV(0, 1), ALU(BPF_DIV, 0, 0), EXIT), EINVAL);
	EXPECT_ERRNO(PROGRAM(MOV(0, 1), ALU(BPF_LSH, 0, 64), EXIT), EINVAL);
	EXPECT_ERRNO(PROGRAM(MOV(0, 1), ALU(BPF_LSH, 0, -1), EXIT), EINVAL);
	EXPECT_ERRNO(PROGRAM(MOV(0, 1), CALL(0x7fffffff), EXIT), EINVAL);
	EXPECT_ERRNO(PROGRAM(INSN(BPF_LD | BPF_IMM | BPF_DW, 0, 0, 0, 0), EXIT), EINVAL);
	EXPECT_ERRNO(PROGRAM(MAP_FD(1, 900), MOV(0, 0), EXIT), EBADF);
	EXPECT_ERRNO(PROGRAM(MAP_FD(1, 1), MOV(0, 0), EXIT), EINVAL);
}

TEST(bpf_refuses_what_is_not_safe)
{
	int map = map_create(BPF_MAP_TYPE_ARRAY, 4, 8, 1);

	EXPECT_ERRNO(PROGRAM(EXIT), EACCES);
	EXPECT_ERRNO(PROGRAM(MOVX(0, 2), EXIT), EACCES);
	EXPECT_ERRNO(PROGRAM(MOV(10, 0), MOV(0, 0), EXIT), EACCES);
	EXPECT_ERRNO(PROGRAM(MOV(0, 0), STORE(BPF_DW, 10, 0, 1), EXIT), EACCES);
	EXPECT_ERRNO(PROGRAM(MOV(0, 0), STORE(BPF_DW, 10, -520, 1), EXIT), EACCES);
	EXPECT_ERRNO(PROGRAM(MOV(0, 0), STORE(BPF_DW, 10, -12, 1), EXIT), EACCES);
	EXPECT_ERRNO(PROGRAM(LOAD(BPF_DW, 0, 0, 0), EXIT), EACCES);
	EXPECT_ERRNO(PROGRAM(MOV(0, 0), LOAD(BPF_DW, 0, 0, 0), EXIT), EACCES);
	EXPECT_ERRNO(PROGRAM(PACKET(BPF_W, 0), EXIT), EACCES);
	EXPECT_ERRNO(PROGRAM(MOV(6, 0), PACKET(BPF_W, 0), EXIT), EINVAL);
	/* A call leaves R1 to R5 empty. */
	EXPECT_ERRNO(PROGRAM(CALL(BPF_FUNC_ktime_get_ns), MOVX(0, 1), EXIT), EACCES);
	/* What was not looked at yet may be null. */
	EXPECT_ERRNO(PROGRAM(STORE(BPF_W, 10, -4, 0), MAP_FD(1, map), MOVX(2, 10),
			     ALU(BPF_ADD, 2, -4), CALL(BPF_FUNC_map_lookup_elem),
			     LOAD(BPF_DW, 0, 0, 0), EXIT),
		     EACCES);
	EXPECT_ERRNO(PROGRAM(STORE(BPF_W, 10, -4, 0), MAP_FD(1, map), MOVX(2, 10),
			     ALU(BPF_ADD, 2, -4), CALL(BPF_FUNC_map_lookup_elem),
			     JUMP(BPF_JEQ, 0, 0, 1), LOAD(BPF_DW, 0, 0, 8), MOV(0, 0), EXIT),
		     EACCES);
	close(map);
}

TEST(bpf_says_why)
{
	const struct bpf_insn bad[] = { MOVX(0, 2), EXIT }, good[] = { MOV(0, 0), EXIT };
	char log[4096] = {};
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
				.insn_cnt = 2,
				.insns = (uintptr_t)bad,
				.license = (uintptr_t)"GPL",
				.log_level = 1,
				.log_size = sizeof(log),
				.log_buf = (uintptr_t)log };
	int fd;

	EXPECT_ERRNO(bpf(BPF_PROG_LOAD, &attr), EACCES);
	EXPECT(strstr(log, "R2 !read_ok"));
	attr.log_level = 0;
	EXPECT_ERRNO(bpf(BPF_PROG_LOAD, &attr), EINVAL);
	attr.log_level = 1;
	attr.log_size = 64;
	EXPECT_ERRNO(bpf(BPF_PROG_LOAD, &attr), EINVAL);
	attr.log_size = sizeof(log);
	attr.log_buf = 0;
	EXPECT_ERRNO(bpf(BPF_PROG_LOAD, &attr), EINVAL);
	attr.log_buf = (uintptr_t)log;
	attr.insns = (uintptr_t)good;
	fd = (int)bpf(BPF_PROG_LOAD, &attr);
	EXPECT(fd >= 0);
	EXPECT(strstr(log, "processed 2 insns"));
	close(fd);
	attr.prog_flags = 0x40000000;
	EXPECT_ERRNO(bpf(BPF_PROG_LOAD, &attr), EINVAL);
	attr.prog_flags = 0;
	memcpy(attr.prog_name, "a b", 4);
	EXPECT_ERRNO(bpf(BPF_PROG_LOAD, &attr), EINVAL);
	memcpy(attr.prog_name, "a_b", 4);
	attr.license = 0;
	EXPECT_ERRNO(bpf(BPF_PROG_LOAD, &attr), EFAULT);
}

TEST(bpf_needs_a_capability)
{
	union bpf_attr attr = {};
	int map = map_create(BPF_MAP_TYPE_ARRAY, 4, 8, 1), key = 0;
	char value[8] = {};

	int file = open("/proc/sys/kernel/unprivileged_bpf_disabled", O_RDONLY);

	EXPECT_EQ(read(file, value, sizeof(value)), 2);
	EXPECT_EQ(value[0], '2');
	close(file);
	EXPECT_ERRNO(bpf(9999, &attr), EINVAL);
	EXPECT_ERRNO(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, 8192), E2BIG);
	EXPECT_ERRNO(syscall(SYS_bpf, BPF_MAP_CREATE, NULL, sizeof(attr)), EFAULT);
	if (!fork()) {
		EXPECT_EQ(setuid(65534), 0);
		EXPECT_ERRNO(map_create(BPF_MAP_TYPE_ARRAY, 4, 8, 1), EPERM);
		EXPECT_ERRNO(PROGRAM(MOV(0, 0), EXIT), EPERM);
		/* A descriptor is enough for what there is. */
		EXPECT_EQ(map_do(BPF_MAP_LOOKUP_ELEM, map, &key, value, 0), 0);
		_exit(test_has_failed());
	}
	int status;
	wait(&status);
	EXPECT_EQ(status, 0);
	close(map);
}

/* --- Sockets --- */

static void send_to(int port, const char *text)
{
	struct sockaddr_in to = loopback_address(port);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	EXPECT_EQ(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&to, sizeof(to)),
		  (long)strlen(text));
	close(fd);
}

static void attach(int fd, int option, int program)
{
	EXPECT_EQ(setsockopt(fd, SOL_SOCKET, option, &program, sizeof(program)), 0);
}

TEST(bpf_filters_a_socket)
{
	int fd, one = 1, map, program;
	uint32_t key = 0;
	uint64_t count = 0;
	char buf[64];

	loopback_up();
	fd = bound(SOCK_DGRAM);
	map = map_create(BPF_MAP_TYPE_ARRAY, 4, 8, 1);
	/* Counts all, and lets those through whose first byte behind the UDP header is 'y'. */
	program =
		PROGRAM(MOVX(6, 1), STORE(BPF_W, 10, -4, 0), MAP_FD(1, map), MOVX(2, 10),
			ALU(BPF_ADD, 2, -4), CALL(BPF_FUNC_map_lookup_elem), JUMP(BPF_JEQ, 0, 0, 2),
			MOV(1, 1), ATOMIC(BPF_DW, BPF_ADD, 0, 0, 1), PACKET(BPF_B, 8), MOVX(7, 0),
			MOV(0, 0), JUMP(BPF_JNE, 7, 'y', 1), MOV(0, -1), EXIT);
	REQUIRE(program >= 0);
	attach(fd, SO_ATTACH_BPF, program);
	close(program);
	send_to(port_of(fd), "no");
	send_to(port_of(fd), "yes");
	EXPECT_EQ(recv(fd, buf, sizeof(buf), 0), 3);
	EXPECT_EQ(recv(fd, buf, sizeof(buf), MSG_DONTWAIT), -1);
	EXPECT_EQ(map_do(BPF_MAP_LOOKUP_ELEM, map, &key, &count, 0), 0);
	EXPECT_EQ(count, 2);
	EXPECT_EQ(setsockopt(fd, SOL_SOCKET, SO_DETACH_BPF, &one, sizeof(one)), 0);
	EXPECT_ERRNO(setsockopt(fd, SOL_SOCKET, SO_DETACH_BPF, &one, sizeof(one)), ENOENT);
	send_to(port_of(fd), "no");
	EXPECT_EQ(recv(fd, buf, sizeof(buf), 0), 2);
	/* What is no program. */
	EXPECT_ERRNO(setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &map, sizeof(map)), EINVAL);
	EXPECT_ERRNO(setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &fd, sizeof(fd)), EINVAL);
	one = 900;
	EXPECT_ERRNO(setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &one, sizeof(one)), EBADF);
	EXPECT_ERRNO(setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &one, 2), EINVAL);
	one = 1;
	EXPECT_EQ(setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &one, sizeof(one)), 0);
	EXPECT_ERRNO(setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &one, sizeof(one)), EPERM);
	close(fd);
	close(map);
}

TEST(bpf_knows_the_socket)
{
	uint64_t cookie = 0, seen[2] = {};
	socklen_t length = sizeof(cookie);
	uint32_t key = 0;
	int fd, map, program;
	char buf[64];

	loopback_up();
	fd = bound(SOCK_DGRAM);
	map = map_create(BPF_MAP_TYPE_ARRAY, 4, 16, 1);
	program = PROGRAM(MOVX(6, 1), CALL(BPF_FUNC_get_socket_cookie), MOVX(7, 0), MOVX(1, 6),
			  CALL(BPF_FUNC_get_socket_uid), MOVX(8, 0), STORE(BPF_W, 10, -4, 0),
			  MAP_FD(1, map), MOVX(2, 10), ALU(BPF_ADD, 2, -4),
			  CALL(BPF_FUNC_map_lookup_elem), JUMP(BPF_JEQ, 0, 0, 2),
			  STOREX(BPF_DW, 0, 0, 7), STOREX(BPF_DW, 0, 8, 8), MOV(0, -1), EXIT);
	REQUIRE(program >= 0);
	EXPECT_EQ(fchown(fd, 4711, -1), 0);
	attach(fd, SO_ATTACH_BPF, program);
	send_to(port_of(fd), "x");
	EXPECT_EQ(recv(fd, buf, sizeof(buf), 0), 1);
	EXPECT_EQ(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length), 0);
	EXPECT_EQ(map_do(BPF_MAP_LOOKUP_ELEM, map, &key, seen, 0), 0);
	EXPECT_EQ(seen[0], cookie);
	EXPECT_EQ(seen[1], 4711);
	close(fd);
	close(map);
	close(program);
}

/* Four sockets on one port; the first byte of a message says which. */
TEST(bpf_chooses_among_sockets)
{
	int one = 1, fds[4], program, port = 0;
	char text[2] = {}, buf[8];

	loopback_up();
	program = PROGRAM(MOVX(6, 1), PACKET(BPF_B, 0), ALU(BPF_SUB, 0, 'a'), EXIT);
	REQUIRE(program >= 0);
	for (int i = 0; i < 4; i++) {
		struct sockaddr_in address = loopback_address(port);

		fds[i] = socket(AF_INET, SOCK_DGRAM, 0);
		setsockopt(fds[i], SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
		if (!i)
			attach(fds[i], SO_ATTACH_REUSEPORT_EBPF, program);
		EXPECT_EQ(bind(fds[i], (struct sockaddr *)&address, sizeof(address)), 0);
		port = port_of(fds[i]);
	}
	for (int i = 3; i >= 0; i--) {
		text[0] = (char)('a' + i);
		send_to(port, text);
		EXPECT_EQ(recv(fds[i], buf, sizeof(buf), 0), 1);
		EXPECT_EQ(buf[0], 'a' + i);
	}
	EXPECT_EQ(setsockopt(fds[2], SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &one, sizeof(one)), 0);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	close(program);
}

TEST(bpf_a_group_has_one_program)
{
	int one = 1, first, second, plain, program, port;
	struct sockaddr_in address = loopback_address(0);

	loopback_up();
	program = PROGRAM(MOV(0, 0), EXIT);
	REQUIRE(program >= 0);
	plain = socket(AF_INET, SOCK_DGRAM, 0);
	EXPECT_ERRNO(
		setsockopt(plain, SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, &program, sizeof(program)),
		EINVAL);
	first = socket(AF_INET, SOCK_DGRAM, 0);
	second = socket(AF_INET, SOCK_DGRAM, 0);
	EXPECT_EQ(setsockopt(first, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)), 0);
	EXPECT_EQ(setsockopt(second, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)), 0);
	attach(first, SO_ATTACH_REUSEPORT_EBPF, program);
	attach(second, SO_ATTACH_REUSEPORT_EBPF, program);
	EXPECT_EQ(bind(first, (struct sockaddr *)&address, sizeof(address)), 0);
	port = port_of(first);
	address = loopback_address(port);
	EXPECT_ERRNO(bind(second, (struct sockaddr *)&address, sizeof(address)), EADDRINUSE);
	close(first);
	close(second);
	close(plain);
	close(program);
}

TEST(bpf_chooses_in_a_fanout)
{
	struct sockaddr_ll name = { .sll_family = AF_PACKET,
				    .sll_protocol = htons(ETH_P_IP),
				    .sll_ifindex = 1 };
	int fds[2], group = 77 | PACKET_FANOUT_EBPF << 16, program, receiver;
	char buf[128];

	loopback_up();
	receiver = bound(SOCK_DGRAM);
	for (int i = 0; i < 2; i++) {
		fds[i] = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_IP));
		REQUIRE(fds[i] >= 0);
		EXPECT_EQ(bind(fds[i], (struct sockaddr *)&name, sizeof(name)), 0);
		EXPECT_EQ(setsockopt(fds[i], SOL_PACKET, PACKET_FANOUT, &group, sizeof(group)), 0);
	}
	program = PROGRAM(MOV(0, 1), EXIT);
	REQUIRE(program >= 0);
	EXPECT_EQ(setsockopt(fds[0], SOL_PACKET, PACKET_FANOUT_DATA, &program, sizeof(program)), 0);
	send_to(port_of(receiver), "x");
	EXPECT_EQ(recv(receiver, buf, sizeof(buf), 0), 1);
	EXPECT_ERRNO(recv(fds[0], buf, sizeof(buf), 0), EAGAIN);
	EXPECT_EQ(recv(fds[1], buf, sizeof(buf), 0), 14 + 20 + 8 + 1);
	EXPECT_ERRNO(
		setsockopt(fds[0], SOL_PACKET, PACKET_FANOUT_DATA, &receiver, sizeof(receiver)),
		EINVAL);
	EXPECT_ERRNO(setsockopt(fds[0], SOL_PACKET, PACKET_FANOUT_DATA, &program, 8), EINVAL);
	close(fds[0]);
	close(fds[1]);
	close(program);
	close(receiver);
}

/* The file of a tap device gets what its filter says. */
TEST(bpf_filters_a_tap)
{
	struct ifreq request = { .ifr_name = "bpftap", .ifr_flags = IFF_TAP | IFF_NO_PI };
	struct sockaddr_ll to = { .sll_family = AF_PACKET };
	int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK), fd, program, none = -1;
	char sent[60] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, (char)0x88, (char)0xb5 }, buf[2000];

	REQUIRE(tap >= 0);
	REQUIRE(ioctl(tap, TUNSETIFF, &request) == 0);
	program = PROGRAM(MOVX(6, 1), PACKET(BPF_H, 12), MOVX(7, 0), MOV(0, 0),
			  JUMP(BPF_JNE, 7, PROTOCOL, 1), MOV(0, 20), EXIT);
	REQUIRE(program >= 0);
	EXPECT_EQ(ioctl(tap, TUNSETFILTEREBPF, &program), 0);
	EXPECT_ERRNO(ioctl(tap, TUNSETFILTEREBPF, &tap), EINVAL);
	EXPECT_ERRNO(ioctl(tap, TUNSETFILTEREBPF, NULL), EFAULT);
	fd = socket(AF_PACKET, SOCK_RAW, 0);
	EXPECT_EQ(ioctl(fd, SIOCGIFINDEX, &request), 0);
	to.sll_ifindex = request.ifr_ifindex;
	request.ifr_flags = IFF_UP;
	EXPECT_EQ(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(sendto(fd, sent, sizeof(sent), 0, (struct sockaddr *)&to, sizeof(to)),
			  60);
		sent[13]++;
	}
	EXPECT_EQ(read(tap, buf, sizeof(buf)), 20);
	EXPECT_EQ(memcmp(buf, sent, 13), 0);
	EXPECT_ERRNO(read(tap, buf, sizeof(buf)), EAGAIN);
	EXPECT_EQ(ioctl(tap, TUNSETFILTEREBPF, &none), 0);
	EXPECT_EQ(sendto(fd, sent, sizeof(sent), 0, (struct sockaddr *)&to, sizeof(to)), 60);
	do /* the interface's own packets come too now */
		EXPECT(read(tap, buf, sizeof(buf)) >= 0 || errno == EAGAIN);
	while (buf[12] != (char)0x88);
	EXPECT_EQ(buf[13], (char)0xb7);
	close(fd);
	close(tap);
	close(program);
}
