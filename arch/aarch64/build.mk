# SPDX-License-Identifier: GPL-2.0-or-later
# The boot image of aarch64, in the arm64 Image format: the loadable part of cairn.elf.
BOOT_IMAGES += $(OUT)/Image

$(OUT)/Image: $(OUT)/cairn.elf
	$(Q)$(OBJCOPY) -O binary $< $@

# The vDSO: a shared object of its own, embedded in the kernel.
C_SOURCES := $(filter-out arch/aarch64/vdso/%,$(C_SOURCES))
S_SOURCES := $(filter-out arch/aarch64/vdso/%,$(S_SOURCES))
OBJECTS := $(filter-out $(OUT)/arch/aarch64/vdso/%,$(OBJECTS))
VDSO_OUT := $(OUT)/arch/aarch64/vdso
VDSO_OBJECTS := $(VDSO_OUT)/sigreturn.o $(VDSO_OUT)/vdso_time.o
VDSO_CFLAGS := --target=aarch64-unknown-linux-gnu -std=gnu23 -O2 -ffreestanding -nostdinc -isystem $(RESOURCES) \
	-isystem $(UAPI) -Iarch/aarch64/vdso -Ikernel $(WARNINGS) -fPIC -fvisibility=hidden -fno-stack-protector \
	-fno-asynchronous-unwind-tables

$(VDSO_OUT)/vdso_time.o: arch/vdso/vdso_time.c arch/aarch64/vdso/vdso_arch.h kernel/core/vdso_data.h | $(UAPI)/video
	@mkdir -p $(@D)
	$(Q)$(CC) $(VDSO_CFLAGS) -c $< -o $@

$(VDSO_OUT)/vdso.so: $(VDSO_OBJECTS) arch/aarch64/vdso/vdso.lds
	$(Q)$(LD) -shared --hash-style=both --build-id=none -Bsymbolic -soname linux-vdso.so.1 \
		-z max-page-size=4096 -T arch/aarch64/vdso/vdso.lds -o $@.full $(VDSO_OBJECTS)
	$(Q)$(OBJCOPY) --strip-all $@.full $@
$(OUT)/generated/vdso_offsets.h: $(VDSO_OUT)/vdso.so
	@mkdir -p $(@D)
	$(Q)$(NM) $<.full | sed -n 's/^\([0-9a-f]*\) . \(__kernel_[a-z_]*\)$$/#define VDSO_OFFSET_\2 0x\1/p' >$@

$(OUT)/arch/aarch64/vdso_image.o: CFLAGS += -Wa,-I$(VDSO_OUT)
$(OUT)/arch/aarch64/vdso_image.o: $(VDSO_OUT)/vdso.so
$(OUT)/arch/aarch64/signal.o: $(OUT)/generated/vdso_offsets.h
