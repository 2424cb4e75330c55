# SPDX-License-Identifier: GPL-2.0-or-later
# Builds build/host/runner: unit tests (foo_test.c) with the kernel code they test, under ASan and UBSan; with RACE=1
# build/host-race/runner: tests of several threads (foo_race.c), under ThreadSanitizer.
.DEFAULT_GOAL := default
include tools/compiler.mk
OUT := build/host$(if $(RACE),-race)
SANITIZERS := $(if $(RACE),-fsanitize=thread,-fsanitize=address,undefined)
.PHONY: default
default: $(OUT)/runner
MACHINE := $(shell uname -m)

# The kernel's mem*, str* and *printf functions are tested under names of their own: those of the C library are ASan's.
RENAMED := memcpy memmove memset memcmp memchr strlen strnlen strcmp strncmp strchr strrchr strstr snprintf vsnprintf
CFLAGS := -std=gnu23 -O1 -g -ffreestanding -nostdinc -isystem $(RESOURCES) -isystem build/uapi-$(MACHINE) \
	-Iarch/include -Iarch/host/include -Ikernel -Iabi/native $(WARNINGS) -Wno-sign-compare \
	-fno-omit-frame-pointer -fno-strict-aliasing -fwrapv -ftrivial-auto-var-init=pattern \
	-ffunction-sections -fdata-sections \
	$(SANITIZERS) $(if $(RACE),-DHOST_THREADS,-fno-sanitize-recover=undefined -fsanitize-address-use-after-scope) \
	-D__KERNEL__ -DCAIRN -DCAIRN_HOST_TEST -DCONFIG_DEBUG -DCONFIG_DEBUG_LOCKS $(foreach f,$(RENAMED),-D$(f)=kernel_$(f))

# Files that a test needs besides the one it lies beside.
BASE := $(wildcard kernel/lib/*.c) kernel/core/lock.c kernel/core/mutex.c kernel/core/wait.c kernel/obj/object.c kernel/obj/derivation.c kernel/obj/untyped.c \
	kernel/obj/pool.c kernel/mm/budget.c kernel/mm/cache_share.c kernel/mm/memory_object.c kernel/mm/memory_object_io.c kernel/mm/write_back.c kernel/mm/iter.c kernel/block/request.c kernel/block/device.c kernel/block/partition_gpt.c kernel/block/partition_mbr.c \
	arch/host/kernel.c arch/host/memory.c arch/host/sleep.c arch/host/rcu.c arch/host/disk.c
# File systems, and what of the upper layers they stand on.
BASE += $(wildcard kernel/fs/ext4/*.c kernel/fs/ext4/journal/*.c) kernel/block/disk.c kernel/block/buffer.c kernel/block/batch.c \
	kernel/obj/inode.c kernel/obj/file_defaults.c kernel/vfs/posix_acl.c arch/host/vfs.c
# TCP, on a network that the test plays.
BASE += $(wildcard kernel/net/tcp/*.c) kernel/net/inet_hash.c kernel/net/inet_ports.c kernel/net/inet_socket.c kernel/net/inet_control.c \
	kernel/net/inet_extensions.c kernel/net/filter.c kernel/net/filter_view.c $(filter-out %_test.c %/test_run.c,$(wildcard kernel/net/bpf/*.c)) \
	kernel/net/packet_buffer.c kernel/net/checksum.c kernel/net/statistics.c kernel/net/segment.c kernel/net/merge.c kernel/net/offload.c arch/host/net.c \
	arch/host/wire.c arch/host/wire_pair.c kernel/dev/virtio/net_queue.c kernel/dev/virtio/net_control.c
ifdef RACE
BASE := $(filter-out %_test.c,$(wildcard kernel/lib/*.c)) kernel/core/lock.c kernel/core/mutex.c kernel/core/wait.c kernel/obj/object.c kernel/obj/handle.c \
	kernel/obj/pool.c kernel/obj/derivation.c kernel/obj/untyped.c kernel/mm/budget.c kernel/mm/cache_share.c kernel/mm/memory_object.c \
	kernel/mm/memory_object_io.c kernel/mm/write_back.c kernel/mm/iter.c arch/host/kernel.c arch/host/memory.c arch/host/threads.c
endif
UNIT_TESTS := $(shell find kernel -name '*_$(if $(RACE),race,test).c')
TESTED := $(wildcard $(UNIT_TESTS:_$(if $(RACE),race,test).c=.c))
SOURCES := $(sort $(filter-out %_ktest.c,$(wildcard $(BASE)) $(TESTED) $(UNIT_TESTS)))
OBJECTS := $(SOURCES:%.c=$(OUT)/%.o)

$(OUT)/runner: $(OBJECTS) $(OUT)/arch/host/runner.o arch/host/tests.lds
	@echo "  LD   $@"
	$(Q)$(CC) $(SANITIZERS) -fuse-ld=lld -Wl,--gc-sections -Wl,-T,arch/host/tests.lds -o $@ \
		$(OBJECTS) $(OUT)/arch/host/runner.o
$(OUT)/arch/host/runner.o: arch/host/runner.c arch/host/host.h
	@mkdir -p $(@D)
	@echo "  CC   $<"
	$(Q)$(CC) -std=gnu23 -O1 -g -Wall -Wextra -Werror $(SANITIZERS) $(if $(RACE),-DHOST_THREADS) -c $< -o $@
$(OUT)/%.o: %.c | build/uapi-$(MACHINE)
	@mkdir -p $(@D)
	@echo "  CC   $<"
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c $< -o $@

-include $(OBJECTS:.o=.d)
