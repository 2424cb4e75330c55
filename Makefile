# SPDX-License-Identifier: GPL-2.0-or-later
# Cairn. `make` builds both architectures, `make run` boots one, `make test` tests both; README.md lists the rest.
ARCHES := x86_64 aarch64
PYTHON := /usr/bin/python3
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

.DEFAULT_GOAL := all
.PHONY: all $(ARCHES)
ifndef ARCH
all: $(ARCHES)
else
all: $(ARCH)
endif
$(ARCHES):
	@$(MAKE) --no-print-directory -f tools/build.mk ARCH=$@

# Running. Each goal makes what it needs itself, because the first one installs the compiler.
GUEST := $(or $(ARCH),x86_64)
SMP ?= 1
MEM ?= 256M
KERNEL ?= build/$(GUEST)/$(if $(filter x86_64,$(GUEST)),bzImage,Image)
INITRD ?= build/$(GUEST)/initramfs.cpio
BUSYBOX := build/packages/$(GUEST)/busybox-static/bin/busybox
RUN = $(PYTHON) tools/qemu.py $(GUEST) $(KERNEL) $(INITRD) --memory $(MEM) --cpus $(SMP) --append="$(APPEND)"

.PHONY: run gdb setup boot-files
setup:
	@tools/setup
boot-files: setup
	@$(MAKE) --no-print-directory $(GUEST)
	@tools/fetch $(GUEST) busybox-static $(if $(findstring vmlinuz,$(KERNEL)),linux)
	@tools/mkinitramfs build/$(GUEST)/initramfs.cpio --busybox $(BUSYBOX) --skeleton tools/initramfs
run: boot-files
	@exec $(RUN)
# A disk image with Debian, made once (remove it to make it again), booted to its login: root, password "cairn".
.PHONY: debian
DISK := build/debian/$(GUEST).img
debian: setup
	@$(MAKE) --no-print-directory $(GUEST)
	@test -e $(DISK) || tools/mkdebian $(GUEST) $(DISK)
	@exec $(PYTHON) tools/qemu.py $(GUEST) $(KERNEL) --disk $(DISK) --memory 1G --cpus $(SMP) \
		--append="root=/dev/vda1 rw quiet $(APPEND)"
# Debian's nginx in the guest: curl http://localhost:8080 from the host. PORT= chooses another port.
.PHONY: nginx
PORT ?= 8080
nginx: setup
	@$(MAKE) --no-print-directory $(GUEST)
	@tools/fetch $(GUEST) busybox-static
	@tools/fetch $(GUEST) --tree nginx nginx-light
	@tools/mkinitramfs build/$(GUEST)/nginx.cpio --tree build/packages/$(GUEST)/trees/nginx --file init=tools/nginx/init \
		--file bin/busybox=$(BUSYBOX) --file etc/nginx/cairn.conf=tools/nginx/cairn.conf \
		--file etc/passwd=tools/initramfs/etc/passwd --file etc/group=tools/initramfs/etc/group
	@exec $(PYTHON) tools/qemu.py $(GUEST) $(KERNEL) build/$(GUEST)/nginx.cpio --memory $(MEM) --cpus $(SMP) \
		--append="quiet $(APPEND)" --forward $(PORT):80
# The user land of docs/silos.md, to walk through it.
.PHONY: silos
silos: setup
	@$(MAKE) --no-print-directory $(GUEST)
	@PYTHONPATH=test $(PYTHON) -c 'from harness import silos; silos.build("$(GUEST)")'
	@exec $(PYTHON) tools/qemu.py $(GUEST) $(KERNEL) build/silos/$(GUEST)/silos.cpio --memory 1G --cpus $(SMP) \
		--append="quiet rdinit=/init $(APPEND)"
# Starts the machine stopped and prints how to attach.
gdb: boot-files
	@echo "In another terminal: gdb-multiarch build/$(GUEST)/cairn.elf -ex 'target remote :1234'"
	@exec $(RUN) --gdb

.PHONY: check docs test suites bench bench-threads bench-boot profile compile_commands.json clean
check: setup
	@$(MAKE) --no-print-directory $(ARCHES)
	@$(PYTHON) tools/check.py
docs:
	@$(PYTHON) tools/syscalls.py docs > docs/syscalls.md
test: setup
	@$(MAKE) --no-print-directory $(ARCHES)
	@$(PYTHON) test/run.py $(if $(ARCH),--arch $(ARCH)) $(TESTS)
# 100,000 random operations on ext4, millions on capabilities, 300 power cuts, 300 damaged disks; other people's suites on both kernels: long; prints a table.
suites: setup
	@$(MAKE) --no-print-directory $(ARCHES)
	@TEST_SCALE=25 $(PYTHON) test/run.py host:ext4 host:pool_agrees host:derivation_agrees host:untyped_agrees race
	@POWER_CUTS=300 HOSTILE_IMAGES=300 $(PYTHON) test/run.py $(if $(ARCH),--arch $(ARCH)) power disk:hostile
	@$(PYTHON) test/suites/run.py $(if $(ARCH),--arch $(ARCH)) $(SUITES)
	@$(PYTHON) test/run.py $(if $(ARCH),--arch $(ARCH)) servers-long programs:network programs:daemons
# Beside Debian's Linux: all, or one part.
BENCHES := micro programs disk
.PHONY: $(BENCHES:%=bench-%)
bench $(BENCHES:%=bench-%): setup
	@$(MAKE) --no-print-directory $(ARCHES)
	@status=0; for part in $(if $(filter bench,$@),$(BENCHES),$(@:bench-%=%)); do \
		$(PYTHON) bench/$$part.py $(if $(ARCH),--arch $(ARCH)) $(BENCH) || status=1; done; exit $$status
# hackbench, perf bench and stress-ng beside Linux by the wall clock, with 1 and 4 CPUs
bench-threads: setup
	@$(MAKE) --no-print-directory $(ARCHES)
	@$(PYTHON) bench/programs.py $(if $(ARCH),--arch $(ARCH)) --load threads --clock wall --cpus 1 --cpus 4 $(BENCH)
# Where the instructions of one benchmark go: make profile BENCH=null_call
profile: setup
	@$(MAKE) --no-print-directory $(GUEST)
	@$(PYTHON) bench/profile.py --arch $(GUEST) $(BENCH)
bench-boot: setup
	@$(MAKE) --no-print-directory $(ARCHES)
	@$(PYTHON) bench/boot.py
# Cairn's own programs, static, from user/.
USER_CC := $(if $(filter x86_64,$(GUEST)),gcc,aarch64-linux-gnu-gcc)
USER_CFLAGS := -std=gnu17 -O2 -static -Wall -Wextra -Werror -Wno-missing-field-initializers -Iabi/native
.PHONY: chevron strates
chevron:
	@mkdir -p build/$(GUEST)
	$(USER_CC) $(USER_CFLAGS) -o build/$(GUEST)/chevron user/chevron/*.c user/lib/*.c
strates:
	@mkdir -p build/$(GUEST)
	$(USER_CC) $(USER_CFLAGS) -o build/$(GUEST)/ramfs user/strates/ramfs.c user/lib/*.c
# Manual pages of Cairn's own calls: man -M build/man cairn_silo
.PHONY: manual
manual:
	@$(PYTHON) tools/manual.py build/man
compile_commands.json:
	@$(PYTHON) tools/compile_commands.py $(GUEST)
# Fetched packages and installed systems stay.
clean:
	rm -rf $(filter-out build/packages build/debian,$(wildcard build/*)) compile_commands.json
