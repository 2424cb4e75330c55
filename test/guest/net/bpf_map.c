/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bpf(2): maps, and what there is to know of them. */
#include "bpf_test.h"

#define LOOKUP(fd, key, value) map_do(BPF_MAP_LOOKUP_ELEM, fd, key, value, 0)
#define UPDATE(fd, key, value, flags) map_do(BPF_MAP_UPDATE_ELEM, fd, key, value, flags)
#define DELETE(fd, key) map_do(BPF_MAP_DELETE_ELEM, fd, key, NULL, 0)
#define NEXT(fd, key, next) map_do(BPF_MAP_GET_NEXT_KEY, fd, key, next, 0)

TEST(bpf_array_holds_values)
{
	int fd = map_create(BPF_MAP_TYPE_ARRAY, 4, 12, 3);
	uint32_t key = 2, next;
	char value[12] = "hello world", got[12];

	REQUIRE(fd >= 0);
	EXPECT_EQ(LOOKUP(fd, &key, got), 0);
	EXPECT_EQ(got[0], 0);
	EXPECT_EQ(UPDATE(fd, &key, value, BPF_ANY), 0);
	EXPECT_EQ(UPDATE(fd, &key, value, BPF_EXIST), 0);
	EXPECT_ERRNO(UPDATE(fd, &key, value, BPF_NOEXIST), EEXIST);
	EXPECT_ERRNO(UPDATE(fd, &key, value, 7), EINVAL);
	EXPECT_EQ(LOOKUP(fd, &key, got), 0);
	EXPECT_EQ(memcmp(got, value, 12), 0);
	EXPECT_ERRNO(DELETE(fd, &key), EINVAL);
	key = 3;
	EXPECT_ERRNO(LOOKUP(fd, &key, got), ENOENT);
	EXPECT_ERRNO(UPDATE(fd, &key, value, BPF_ANY), E2BIG);
	EXPECT_EQ(NEXT(fd, NULL, &next), 0);
	EXPECT_EQ(next, 0);
	EXPECT_EQ(NEXT(fd, &key, &next), 0);
	EXPECT_EQ(next, 0);
	key = 1;
	EXPECT_EQ(NEXT(fd, &key, &next), 0);
	EXPECT_EQ(next, 2);
	EXPECT_ERRNO(NEXT(fd, &next, &key), ENOENT);
	EXPECT_ERRNO(LOOKUP(fd, NULL, got), EFAULT);
	EXPECT_ERRNO(LOOKUP(fd, &key, NULL), EFAULT);
	EXPECT_ERRNO(LOOKUP(1, &key, got), EINVAL);
	EXPECT_ERRNO(LOOKUP(900, &key, got), EBADF);
	close(fd);
}

TEST(bpf_hash_holds_values)
{
	int fd = map_create(BPF_MAP_TYPE_HASH, 6, 8, 100), found = 0;
	char key[6] = "abcde", last[6], next[6];
	uint64_t value = 5, got = 0, sum = 0;

	REQUIRE(fd >= 0);
	EXPECT_ERRNO(LOOKUP(fd, key, &got), ENOENT);
	EXPECT_ERRNO(UPDATE(fd, key, &value, BPF_EXIST), ENOENT);
	EXPECT_ERRNO(NEXT(fd, NULL, next), ENOENT);
	for (value = 0; value < 100; value++) {
		key[0] = (char)value;
		EXPECT_EQ(UPDATE(fd, key, &value, BPF_NOEXIST), 0);
	}
	key[0] = 100;
	EXPECT_ERRNO(UPDATE(fd, key, &value, BPF_ANY), E2BIG);
	key[0] = 99;
	EXPECT_ERRNO(UPDATE(fd, key, &value, BPF_NOEXIST), EEXIST);
	value = 1000;
	EXPECT_EQ(UPDATE(fd, key, &value, BPF_ANY), 0);
	EXPECT_EQ(LOOKUP(fd, key, &got), 0);
	EXPECT_EQ(got, 1000);
	for (char *at = NULL; NEXT(fd, at, next) == 0 && found < 200; at = last) {
		EXPECT_EQ(LOOKUP(fd, next, &got), 0);
		sum += got;
		found++;
		memcpy(last, next, sizeof(last));
	}
	EXPECT_EQ(errno, ENOENT);
	EXPECT_EQ(found, 100);
	EXPECT_EQ(sum, 98 * 99 / 2 + 1000);
	EXPECT_EQ(DELETE(fd, key), 0);
	EXPECT_ERRNO(DELETE(fd, key), ENOENT);
	EXPECT_ERRNO(LOOKUP(fd, key, &got), ENOENT);
	key[0] = 100;
	EXPECT_EQ(UPDATE(fd, key, &value, BPF_ANY), 0);
	close(fd);
}

TEST(bpf_maps_that_cannot_be)
{
	EXPECT_ERRNO(map_create(BPF_MAP_TYPE_ARRAY, 8, 8, 1), EINVAL);
	EXPECT_ERRNO(map_create(BPF_MAP_TYPE_ARRAY, 4, 0, 1), EINVAL);
	EXPECT_ERRNO(map_create(BPF_MAP_TYPE_ARRAY, 4, 8, 0), EINVAL);
	EXPECT_ERRNO(map_create(BPF_MAP_TYPE_HASH, 0, 8, 1), EINVAL);
	EXPECT_ERRNO(map_create(BPF_MAP_TYPE_HASH, 4, 8, 0), EINVAL);
	EXPECT_ERRNO(map_create(0, 4, 8, 1), EINVAL);
	EXPECT_ERRNO(map_create(999, 4, 8, 1), EINVAL);
	/* No machine has that. */
	EXPECT_EQ(map_create(BPF_MAP_TYPE_ARRAY, 4, 65536, INT32_MAX), -1);
	EXPECT_EQ(map_create(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 30000, INT32_MAX), -1);
}

TEST(bpf_access_of_a_map_may_be_less)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY,
				.key_size = 4,
				.value_size = 4,
				.max_entries = 1,
				.map_flags = BPF_F_RDONLY };
	uint32_t key = 0, value = 1;
	int fd = (int)bpf(BPF_MAP_CREATE, &attr);

	REQUIRE(fd >= 0);
	EXPECT_EQ(LOOKUP(fd, &key, &value), 0);
	EXPECT_ERRNO(UPDATE(fd, &key, &value, 0), EPERM);
	close(fd);
	attr.map_flags = BPF_F_WRONLY;
	fd = (int)bpf(BPF_MAP_CREATE, &attr);
	REQUIRE(fd >= 0);
	EXPECT_EQ(UPDATE(fd, &key, &value, 0), 0);
	EXPECT_ERRNO(LOOKUP(fd, &key, &value), EPERM);
	close(fd);
	attr.map_flags = BPF_F_WRONLY | BPF_F_RDONLY;
	EXPECT_ERRNO(bpf(BPF_MAP_CREATE, &attr), EINVAL);
	attr.map_flags = 1u << 30;
	EXPECT_ERRNO(bpf(BPF_MAP_CREATE, &attr), EINVAL);
}

TEST(bpf_tells_what_a_map_is)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_HASH,
				.key_size = 4,
				.value_size = 10,
				.max_entries = 7,
				.map_name = "some_map" };
	struct bpf_map_info map = {};
	struct bpf_prog_info program = {};
	uint32_t ids[2] = {};
	char path[64], text[512] = {};
	int fd = (int)bpf(BPF_MAP_CREATE, &attr), loaded, info;

	REQUIRE(fd >= 0);
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (unsigned)fd;
	attr.info.info_len = sizeof(map);
	attr.info.info = (uintptr_t)&map;
	EXPECT_EQ(bpf(BPF_OBJ_GET_INFO_BY_FD, &attr), 0);
	EXPECT_EQ(map.type, BPF_MAP_TYPE_HASH);
	EXPECT_EQ(map.value_size, 10);
	EXPECT_EQ(map.max_entries, 7);
	EXPECT(map.id > 0);
	EXPECT_STREQ(map.name, "some_map");
	loaded = PROGRAM(MAP_FD(1, fd), MOV(0, 0), EXIT);
	REQUIRE(loaded >= 0);
	attr.info.bpf_fd = (unsigned)loaded;
	attr.info.info_len = sizeof(program);
	attr.info.info = (uintptr_t)&program;
	program.nr_map_ids = 2;
	program.map_ids = (uintptr_t)ids;
	EXPECT_EQ(bpf(BPF_OBJ_GET_INFO_BY_FD, &attr), 0);
	EXPECT_EQ(program.type, BPF_PROG_TYPE_SOCKET_FILTER);
	EXPECT_EQ(program.nr_map_ids, 1);
	EXPECT_EQ(ids[0], map.id);
	EXPECT_EQ(program.gpl_compatible, 1);
	attr.info.bpf_fd = 1;
	EXPECT_ERRNO(bpf(BPF_OBJ_GET_INFO_BY_FD, &attr), EINVAL);
	attr.info.bpf_fd = (unsigned)loaded;
	attr.info.info_len = UINT32_MAX;
	EXPECT_ERRNO(bpf(BPF_OBJ_GET_INFO_BY_FD, &attr), E2BIG);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY);
	EXPECT(read(info, text, sizeof(text) - 1) > 0);
	EXPECT(strstr(text, "map_type:\t1\n") && strstr(text, "value_size:\t10\n"));
	close(info);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	EXPECT_EQ(readlink(path, text, sizeof(text)), 18);
	EXPECT_EQ(memcmp(text, "anon_inode:bpf-map", 18), 0);
	EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	close(loaded);
}

TEST(bpf_array_for_each_cpu)
{
	int fd = map_create(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 4, 2), program;
	static const char frame[32];
	uint64_t values[64] = {}, sum = 0;
	uint32_t key = 1;

	REQUIRE(fd >= 0);
	program = PROGRAM(STORE(BPF_W, 10, -4, 1), MAP_FD(1, fd), MOVX(2, 10), ALU(BPF_ADD, 2, -4),
			  CALL(BPF_FUNC_map_lookup_elem), JUMP(BPF_JEQ, 0, 0, 3),
			  LOAD(BPF_W, 1, 0, 0), ALU(BPF_ADD, 1, 1), STOREX(BPF_W, 0, 0, 1),
			  MOV(0, 0), EXIT);
	REQUIRE(program >= 0);
	for (int i = 0; i < 5; i++)
		run_on(program, frame, sizeof(frame));
	EXPECT_EQ(LOOKUP(fd, &key, values), 0);
	for (int i = 0; i < 64; i++)
		sum += values[i];
	EXPECT_EQ(sum, 5);
	memset(values, 0, sizeof(values));
	EXPECT_EQ(UPDATE(fd, &key, values, 0), 0);
	values[0] = 9;
	EXPECT_EQ(LOOKUP(fd, &key, values), 0);
	EXPECT_EQ(values[0], 0);
	close(fd);
	close(program);
}

/* A program that updates, finds and deletes; its key is a byte of the packet. */
TEST(bpf_program_changes_a_hash)
{
	int fd = map_create(BPF_MAP_TYPE_HASH, 4, 8, 10), add, drop;
	char frame[32] = {};
	uint64_t got = 0;
	uint32_t key = 7;

	REQUIRE(fd >= 0);
	frame[14] = 7;
	add = PROGRAM(MOVX(6, 1), PACKET(BPF_B, 0), STOREX(BPF_W, 10, -4, 0),
		      STORE(BPF_DW, 10, -16, 33), MAP_FD(1, fd), MOVX(2, 10), ALU(BPF_ADD, 2, -4),
		      MOVX(3, 10), ALU(BPF_ADD, 3, -16), MOV(4, BPF_NOEXIST),
		      CALL(BPF_FUNC_map_update_elem), EXIT);
	drop = PROGRAM(MOVX(6, 1), PACKET(BPF_B, 0), STOREX(BPF_W, 10, -4, 0), MAP_FD(1, fd),
		       MOVX(2, 10), ALU(BPF_ADD, 2, -4), CALL(BPF_FUNC_map_delete_elem), EXIT);
	REQUIRE(add >= 0 && drop >= 0);
	EXPECT_EQ(run_on(add, frame, sizeof(frame)), 0);
	EXPECT_EQ(run_on(add, frame, sizeof(frame)), (unsigned)-EEXIST);
	EXPECT_EQ(LOOKUP(fd, &key, &got), 0);
	EXPECT_EQ(got, 33);
	EXPECT_EQ(run_on(drop, frame, sizeof(frame)), 0);
	EXPECT_EQ(run_on(drop, frame, sizeof(frame)), (unsigned)-ENOENT);
	EXPECT_ERRNO(LOOKUP(fd, &key, &got), ENOENT);
	close(fd);
	close(add);
	close(drop);
}
