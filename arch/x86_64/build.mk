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
