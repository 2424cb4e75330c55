# SPDX-License-Identifier: GPL-2.0-or-later
# The boot image of x86_64: bzImage, real-mode setup code in front of the loadable part of cairn.elf.
BOOT_IMAGES += $(OUT)/bzImage

# Sectors of the setup code without its first.
SETUP_SECTORS := 8

S_SOURCES := $(filter-out arch/x86_64/setup/%,$(S_SOURCES))
OBJECTS := $(filter-out $(OUT)/arch/x86_64/setup/%,$(OBJECTS))

$(OUT)/setup.bin: arch/x86_64/setup/setup.S
	@mkdir -p $(@D)
	$(Q)$(CC) --target=i386-unknown-linux-gnu -D__ASSEMBLY__ -DSETUP_SECTORS=$(SETUP_SECTORS) \
		-c $< -o $(OUT)/setup.o
	$(Q)$(LD) -m elf_i386 --oformat=binary --image-base=0 -Ttext=0 -o $@ $(OUT)/setup.o

$(OUT)/bzImage: $(OUT)/setup.bin $(OUT)/cairn.elf tools/mkbzimage.py
	@echo "  IMG  $@"
	$(Q)$(PYTHON) tools/mkbzimage.py $(OUT)/setup.bin $(OUT)/cairn.elf $@

# The vDSO: a shared object of its own, embedded in the kernel.
S_SOURCES := $(filter-out arch/x86_64/vdso/%,$(S_SOURCES))
VDSO_OUT := $(OUT)/arch/x86_64/vdso
VDSO_CFLAGS := --target=x86_64-unknown-linux-gnu -std=gnu23 -O2 -ffreestanding -nostdinc -isystem $(RESOURCES) \
	-isystem $(UAPI) -Iarch/x86_64/vdso -Ikernel $(WARNINGS) -fPIC -fvisibility=hidden -fno-stack-protector \
	-fno-asynchronous-unwind-tables

$(VDSO_OUT)/vdso_time.o: arch/vdso/vdso_time.c arch/x86_64/vdso/vdso_arch.h kernel/core/vdso_data.h | $(UAPI)/video
	@mkdir -p $(@D)
	$(Q)$(CC) $(VDSO_CFLAGS) -c $< -o $@

$(VDSO_OUT)/vdso.so: $(VDSO_OUT)/vdso_time.o arch/x86_64/vdso/vdso.lds
	$(Q)$(LD) -shared --hash-style=both --build-id=none -Bsymbolic -soname linux-vdso.so.1 \
		-z max-page-size=4096 -T arch/x86_64/vdso/vdso.lds -o $@.full $(VDSO_OUT)/vdso_time.o
	$(Q)$(OBJCOPY) --strip-all $@.full $@

$(OUT)/arch/x86_64/vdso_image.o: CFLAGS += -Wa,-I$(VDSO_OUT)
$(OUT)/arch/x86_64/vdso_image.o: $(VDSO_OUT)/vdso.so
