# SPDX-License-Identifier: GPL-2.0-or-later
# Cairn. `make` builds both architectures; README.md lists the targets.
ARCHES := x86_64 aarch64
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules
ifndef ARCH
.PHONY: all
all: $(ARCHES)
.PHONY: $(ARCHES)
$(ARCHES):
	@$(MAKE) --no-print-directory ARCH=$@
else
include tools/build.mk
endif
.PHONY: clean
clean:
	rm -rf build
