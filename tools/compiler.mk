# SPDX-License-Identifier: GPL-2.0-or-later
# The compiler and its warnings, the same for the kernel and for the unit tests on the host.
LLVM := $(firstword $(foreach v,22 19,$(if $(shell command -v clang-$(v)),$(v))))
CC := clang-$(LLVM)
LD := ld.lld-$(LLVM)
OBJCOPY := llvm-objcopy-$(LLVM)
NM := llvm-nm-$(LLVM)
PYTHON := /usr/bin/python3
Q := $(if $(V),,@)
RESOURCES := $(shell $(CC) -print-resource-dir)/include

WARNINGS := -Wall -Wextra -Werror -Wvla -Wimplicit-fallthrough -Wmissing-prototypes -Wstrict-prototypes -Wshadow \
	-Wno-unused-parameter -Wno-initializer-overrides \
	-fexperimental-late-parse-attributes -Wthread-safety -Wthread-safety-pointer -Wthread-safety-beta

# The kernel's view of the uapi headers of Debian's linux-libc-dev: a folder with links.
UAPI_x86_64 := /usr/include
UAPI_ASM_x86_64 := /usr/include/x86_64-linux-gnu/asm
UAPI_aarch64 := /usr/aarch64-linux-gnu/include
UAPI_ASM_aarch64 := /usr/aarch64-linux-gnu/include/asm
build/uapi-x86_64 build/uapi-aarch64: build/uapi-%: build/uapi-%/video ;
build/uapi-x86_64/video build/uapi-aarch64/video: build/uapi-%/video:
	@mkdir -p $(@D)
	@ln -sfn $(UAPI_$*)/linux $(@D)/linux
	@ln -sfn $(UAPI_$*)/asm-generic $(@D)/asm-generic
	@ln -sfn $(UAPI_ASM_$*) $(@D)/asm
	@ln -sfn $(UAPI_$*)/video $@
