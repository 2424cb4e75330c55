# SPDX-License-Identifier: GPL-2.0-or-later
# The boot image of aarch64: the arm64 Image format, which is the loadable part of cairn.elf.
BOOT_IMAGES += $(OUT)/Image

$(OUT)/Image: $(OUT)/cairn.elf
	$(OBJCOPY) -O binary $< $@
