# SPDX-License-Identifier: GPL-2.0-or-later
# Builds one architecture: build/$(ARCH)/cairn.elf and the boot image made from it.
LLVM := $(firstword $(foreach v,22 19,$(if $(shell command -v clang-$(v)),$(v))))
CC := clang-$(LLVM)
LD := ld.lld-$(LLVM)
OBJCOPY := llvm-objcopy-$(LLVM)
NM := llvm-nm-$(LLVM)
PYTHON := /usr/bin/python3
Q := $(if $(V),,@)
OUT := build/$(ARCH)$(if $(DEBUG),-debug)

UAPI_x86_64 := /usr/include
UAPI_ASM_x86_64 := /usr/include/x86_64-linux-gnu/asm
UAPI_aarch64 := /usr/aarch64-linux-gnu/include
UAPI_ASM_aarch64 := /usr/aarch64-linux-gnu/include/asm

ARCH_CFLAGS_x86_64 := -mno-red-zone -mcmodel=kernel -mgeneral-regs-only -fno-pic -fcf-protection=none
ARCH_CFLAGS_aarch64 := -mgeneral-regs-only -fno-pic -mno-outline-atomics -mbranch-protection=none

CFLAGS := --target=$(ARCH)-unknown-linux-gnu -std=gnu23 -O2 -g -ffreestanding -nostdinc \
	-isystem $(shell $(CC) -print-resource-dir)/include -isystem $(OUT)/uapi \
	-Iarch/include -Iarch/$(ARCH)/include -Ikernel -I$(OUT)/generated \
	-Wall -Wextra -Werror -Wvla -Wimplicit-fallthrough -Wmissing-prototypes -Wstrict-prototypes -Wshadow \
	-Wno-unused-parameter \
	-fexperimental-late-parse-attributes -Wthread-safety -Wthread-safety-pointer -Wthread-safety-beta \
	-fno-omit-frame-pointer -fno-strict-aliasing -fno-common -fwrapv -fno-delete-null-pointer-checks \
	-ftrivial-auto-var-init=zero -fno-stack-protector -ffunction-sections -fdata-sections \
	-fno-asynchronous-unwind-tables -D__KERNEL__ -DCAIRN $(if $(DEBUG),-DCONFIG_DEBUG -DCONFIG_DEBUG_LOCKS) $(ARCH_CFLAGS_$(ARCH))

# The architecture's boot image is made from cairn.elf by arch/$(ARCH)/build.mk, which adds it to BOOT_IMAGES.
BOOT_IMAGES :=
.PHONY: default
default:

C_SOURCES := $(filter-out %_test.c,$(shell find kernel arch/$(ARCH) -name '*.c'))
S_SOURCES := $(shell find arch/$(ARCH) -name '*.S')
OBJECTS := $(C_SOURCES:%.c=$(OUT)/%.o) $(S_SOURCES:%.S=$(OUT)/%.o)
PREPARED := $(OUT)/uapi $(OUT)/generated/syscall_table.c

-include arch/$(ARCH)/build.mk

# Without a kernel_main there is nothing to link yet.
ifneq ($(wildcard kernel/core/init.c),)
default: $(OUT)/cairn.elf $(BOOT_IMAGES)
else
default: $(OBJECTS)
endif

# Until every part of the kernel is there, a symbol that is still missing is a warning.
LINK = $(LD) -static --gc-sections --warn-unresolved-symbols -z max-page-size=4096 -T arch/$(ARCH)/kernel.lds

$(OUT)/unnamed.elf: $(OBJECTS) arch/$(ARCH)/kernel.lds
	@echo "  LD   $@"
	$(Q)$(LINK) -o $@ $(OBJECTS)
$(OUT)/ksyms.S: $(OUT)/unnamed.elf tools/ksyms.py
	$(Q)$(PYTHON) tools/ksyms.py $(NM) $< $@
$(OUT)/cairn.elf: $(OUT)/ksyms.o
	@echo "  LD   $@"
	$(Q)$(LINK) -o $@ $(OBJECTS) $<
$(OUT)/ksyms.o: $(OUT)/ksyms.S
	$(Q)$(CC) $(CFLAGS) -c $< -o $@

$(OUT)/%.o: %.c | $(PREPARED)
	@mkdir -p $(@D)
	@echo "  CC   $<"
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c $< -o $@
$(OUT)/%.o: %.S | $(PREPARED)
	@mkdir -p $(@D)
	@echo "  CC   $<"
	$(Q)$(CC) $(CFLAGS) -D__ASSEMBLY__ -MMD -MP -c $< -o $@

$(OUT)/uapi:
	@mkdir -p $@
	@ln -sfn $(UAPI_$(ARCH))/linux $@/linux
	@ln -sfn $(UAPI_$(ARCH))/asm-generic $@/asm-generic
	@ln -sfn $(UAPI_ASM_$(ARCH)) $@/asm

# The generator leaves files that did not change alone; the stamp is newer than the table.
$(OUT)/generated/syscall_table.c $(OUT)/generated/syscall_prototypes.h $(OUT)/generated/syscall_trace.h: $(OUT)/generated/syscalls.stamp ;
$(OUT)/generated/syscalls.stamp: abi/syscalls.tbl tools/syscalls.py
	@$(PYTHON) tools/syscalls.py generate $(ARCH) $(@D)
	@touch $@

-include $(OBJECTS:.o=.d)
