# SPDX-License-Identifier: GPL-2.0-or-later
# Builds one architecture: build/$(ARCH)/cairn.elf and the boot image made from it. DEBUG=1 adds run-time checks of
# locks; KTEST=1 is a debug build with the tests that run in the kernel (foo_ktest.c); SANITIZE=1 is one
# with them that checks every access to memory (mm/shadow.c) and every operation that C leaves undefined (core/undefined.c);
# HARDEN=1 traps overrun stack frames, calls through pointers of another type and indexes outside arrays (docs/decisions.md).
.DEFAULT_GOAL := default
include tools/compiler.mk
DEBUG := $(DEBUG)$(KTEST)$(SANITIZE)
OUT := build/$(ARCH)$(if $(SANITIZE),-sanitize,$(if $(KTEST),-ktest,$(if $(DEBUG),-debug)))$(if $(HARDEN),-hardened)
UAPI := build/uapi-$(ARCH)

ARCH_CFLAGS_x86_64 := -mno-red-zone -mcmodel=kernel -mgeneral-regs-only -mstack-alignment=8 -fno-pic -fcf-protection=none
ARCH_CFLAGS_aarch64 := -mgeneral-regs-only -fno-pic -mno-outline-atomics -mbranch-protection=none

HARDENING := -fno-stack-protector
ifdef HARDEN
HARDENING := -fstack-protector-strong -mstack-protector-guard=global -fsanitize=kcfi \
	-fsanitize=array-bounds,local-bounds -fsanitize-trap=array-bounds,local-bounds -fstrict-flex-arrays=3
endif

CFLAGS := --target=$(ARCH)-unknown-linux-gnu -std=gnu23 -O2 -g -ffreestanding -nostdinc \
	-isystem $(RESOURCES) -isystem $(UAPI) \
	-Iarch/include -Iarch/$(ARCH)/include -Ikernel -Iabi/native -I$(OUT)/generated $(WARNINGS) \
	-fno-omit-frame-pointer -fno-strict-aliasing -fno-common -fwrapv -fno-delete-null-pointer-checks \
	-ftrivial-auto-var-init=zero $(HARDENING) -ffunction-sections -fdata-sections \
	-fno-asynchronous-unwind-tables -D__KERNEL__ -DCAIRN $(if $(DEBUG),-DCONFIG_DEBUG -DCONFIG_DEBUG_LOCKS) \
	$(ARCH_CFLAGS_$(ARCH))

# Checks are calls, so that early code and addresses without a shadow need no special case. Type checks of functions are
# left to kCFI, alignment to the architectures, which both allow any.
SANITIZERS := -fsanitize=kernel-address,undefined -fno-sanitize=function,alignment -fno-sanitize-recover=undefined \
	-mllvm -asan-instrumentation-with-call-threshold=0 -mllvm -asan-stack=0 -mllvm -asan-globals=0 \
	-mllvm -asan-kernel-mem-intrinsic-prefix=1
UNCHECKED := $(addprefix kernel/,mm/shadow.c mm/shadow_ktest.c mm/slab.c core/undefined.c)
ifdef SANITIZE
CFLAGS += -DCONFIG_SANITIZE
$(filter-out $(UNCHECKED:%.c=$(OUT)/%.o),$(shell find kernel arch/$(ARCH) -name '*.c' | sed 's,\(.*\)\.c,$(OUT)/\1.o,')): CFLAGS += $(SANITIZERS)
endif

# The architecture's boot image is made from cairn.elf by arch/$(ARCH)/build.mk, which adds it to BOOT_IMAGES.
BOOT_IMAGES :=
.PHONY: default
default:

C_SOURCES := $(filter-out %_test.c %_race.c $(if $(KTEST)$(SANITIZE),,%_ktest.c),$(shell find kernel arch/$(ARCH) -name '*.c'))
S_SOURCES := $(shell find arch/$(ARCH) -name '*.S')
OBJECTS := $(C_SOURCES:%.c=$(OUT)/%.o) $(S_SOURCES:%.S=$(OUT)/%.o)
PREPARED := $(UAPI)/video $(OUT)/generated/syscall_table.c

-include arch/$(ARCH)/build.mk

# Without a linker script there is nothing to link yet.
ifneq ($(wildcard arch/$(ARCH)/kernel.lds),)
default: $(OUT)/cairn.elf $(BOOT_IMAGES)
else
default: $(OBJECTS)
endif

LINK = $(LD) -static --gc-sections -z max-page-size=4096 -T arch/$(ARCH)/kernel.lds

# Linked twice: the table of symbol names is made from the first link.
$(OUT)/unnamed.elf: $(OBJECTS) arch/$(ARCH)/kernel.lds
	@echo "  LD   $@"
	$(Q)$(LINK) -o $@ $(OBJECTS)
$(OUT)/ksyms.S: $(OUT)/unnamed.elf tools/ksyms.py
	$(Q)$(PYTHON) tools/ksyms.py $(NM) $< $@
$(OUT)/ksyms.o: $(OUT)/ksyms.S
	$(Q)$(CC) $(CFLAGS) -c $< -o $@
$(OUT)/cairn.elf: $(OUT)/ksyms.o
	@echo "  LD   $@"
	$(Q)$(LINK) -o $@ $(OBJECTS) $<

$(OUT)/%.o: %.c | $(PREPARED)
	@mkdir -p $(@D)
	@echo "  CC   $<"
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c $< -o $@
$(OUT)/%.o: %.S | $(PREPARED)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -D__ASSEMBLY__ -MMD -MP -c $< -o $@

# The generator leaves files that did not change alone; the stamp is newer than the table.
$(OUT)/generated/syscall_table.c $(OUT)/generated/syscall_prototypes.h $(OUT)/generated/syscall_trace.h \
	$(OUT)/generated/syscall_promises.h: \
	$(OUT)/generated/syscalls.stamp ;
$(OUT)/generated/syscalls.stamp: abi/syscalls.tbl abi/native.tbl abi/promises.tbl tools/syscalls.py
	@$(PYTHON) tools/syscalls.py generate $(ARCH) $(@D)
	@touch $@

# For tools/check.py, which compiles headers alone.
.PHONY: print-compiler
print-compiler: $(PREPARED)
	@echo $(CC) $(CFLAGS)

-include $(OBJECTS:.o=.d)
