# One Makefile, one dependency graph. Objects mirror the source tree under
# build/<variant>/, so release, sanitizer, coverage and fuzz builds never mix.
#
#   make up                        everything, from nothing to an answered request
#   make test                      everything the tests need, then all of them
#   make | make check | make check SAN=address,undefined | make fuzz | make bench
#   make install DESTDIR=/tmp/x PREFIX=/usr
comma      := ,
SAN        ?=
COV        ?=
PREFIX     ?= /usr/local
BINDIR     ?= $(PREFIX)/bin
DATADIR    ?= $(PREFIX)/share/minnow
MANDIR     ?= $(PREFIX)/share/man
INSTALL    ?= install
PKG_CONFIG ?= pkg-config
VARIANT    := $(if $(STATIC),static/$(STATIC),$(if $(FUZZ),fuzz,$(if $(SAN),san-$(subst $(comma),-,$(SAN)),$(if $(COV),cov,release))))
B          := build/$(VARIANT)
Q          := $(if $(V),,@)
say         = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2);)

CFLAGS     ?= -O2 -g
WARN       := -std=gnu11 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
              -Wformat=2 -Wno-missing-field-initializers
HARDEN     := -fstack-protector-strong -D_FORTIFY_SOURCE=2
SAN_FLAGS   = $(if $(FUZZ),-fsanitize=fuzzer-no-link$(comma)address$(comma)undefined,$(if $(SAN),-fsanitize=$(SAN))) \
              $(if $(SAN)$(FUZZ),-fno-sanitize-recover=all -fno-omit-frame-pointer)
ALL_CFLAGS  = $(WARN) $(if $(SAN)$(COV)$(FUZZ),,$(HARDEN)) $(CFLAGS) $(SMALL) -ffunction-sections \
              $(if $(WERROR),-Werror) $(SAN_FLAGS) $(if $(COV),--coverage -O0)
ALL_LDFLAGS = -Wl,--as-needed -Wl,--gc-sections $(SAN_FLAGS) $(if $(COV),--coverage) $(LDFLAGS)
VERSION    := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT     := $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
ALL_CPPFLAGS = -I. -D_GNU_SOURCE $(CPPFLAGS)

# --as-needed: each program is bound only to what it uses (the watchdog to libmicrohttpd alone).
PKGS       := libmicrohttpd libcurl jansson yaml-0.1 libcrypto libarchive hiredis
PKG_CFLAGS  = $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null)
PKG_LIBS    = $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null) -lmbedcrypto -lpthread -lm
TEST_LIBS   = $(shell $(PKG_CONFIG) --libs cmocka 2>/dev/null)

# --- what is built: a component is a folder; main.c never enters the archive ---
COMPONENTS := libfaas providers gateway watchdog cli
PROGS      := faas-gateway:gateway fwatchdog:watchdog faas-cli:cli
ifdef STATIC                       # set by fwatchdog-static below
PKGS       := libmicrohttpd jansson
COMPONENTS := libfaas watchdog
PROGS      := fwatchdog:watchdog of-watchdog:watchdog
# Whatever is mapped counts, as only one process maps it: no tables for unwinding, which nothing does, and no padding.
SMALL      := -fno-asynchronous-unwind-tables -falign-functions=1 -falign-jumps=1 -falign-loops=1 -falign-labels=1
# Left out: what needs another library's headers, and two files that use what musl or 32 bits lack. Should the watchdog
# come to need one of them, the linker says so.
LEFT_OUT   := libfaas/file_tree.c libfaas/quantity.c \
              $(shell for f in libfaas/*.c; do $(CC) -I. -M $$f >/dev/null 2>&1 || echo $$f; done)
endif
src         = $(filter-out %/main.c $(LEFT_OUT),$(wildcard $(1)/*.c $(1)/*/*.c))
obj         = $(patsubst %.c,$(B)/%.o,$(1))
ARCHIVE    := $(B)/libminnow.a
ALL_OBJ    := $(call obj,$(foreach c,$(COMPONENTS),$(call src,$(c)))) $(if $(filter cli,$(COMPONENTS)),$(B)/templates.o)
BINS       := $(foreach p,$(PROGS),$(B)/bin/$(firstword $(subst :, ,$(p))))
TESTS      := $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/test_*.c))
FAKES      := $(call obj,$(wildcard tests/unit/fakes/*.c))
FUZZERS    := $(patsubst tests/fuzz/%.c,$(B)/fuzzers/%,$(wildcard tests/fuzz/fuzz_*.c))
REPLAYS    := $(patsubst tests/fuzz/%.c,$(B)/replay/%,$(wildcard tests/fuzz/fuzz_*.c))
TEMPLATES  := $(shell find templates -type f 2>/dev/null)

.PHONY: all check test integration replay fuzz fuzz-run coverage lint format tidy bench \
        install uninstall dist clean up down deps deps-test need-libs
all: $(BINS)

need-libs:
	@$(PKG_CONFIG) --exists $(PKGS) 2>/dev/null || { \
	  echo "Development files are missing. Run: make deps    ($$($(PKG_CONFIG) --print-errors --exists $(PKGS) 2>&1 | grep -o "'[^']*'" | sort -u | tr '\n' ' '))" >&2; exit 1; }
	@$(CC) $(CPPFLAGS) -include mbedtls/version.h -E -x c /dev/null >/dev/null 2>&1 || { \
	  echo "Development files are missing. Run: make deps    (mbedtls)" >&2; exit 1; }

define compile
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CPPFLAGS) $(PKG_CFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
endef
$(B)/%.o: %.c | need-libs ; $(compile)

$(B)/libfaas/version.o: $(wildcard .git/logs/HEAD) # a new commit is a new version
$(B)/libfaas/version.o: ALL_CPPFLAGS += -DFAAS_VERSION='"$(VERSION)"' -DFAAS_COMMIT='"$(COMMIT)"'

# The templates travel inside faas-cli, so that `new` works offline.
$(B)/templates.o: $(TEMPLATES)
	@mkdir -p $(@D)
	$(Q)tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C . -cf $(B)/templates.tar templates
	$(Q)cd $(B) && $(LD) -r -b binary -z noexecstack -o templates.o templates.tar

$(ARCHIVE): $(ALL_OBJ)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# of-watchdog is fwatchdog but for the family that it stands in for when nothing else tells (watchdog/family.h).
OBJ_of-watchdog := $(B)/watchdog/family_of.o
$(OBJ_of-watchdog): CPPFLAGS += -DWD_BUILT_AS=WD_OF_WATCHDOG
$(OBJ_of-watchdog): watchdog/family.c | need-libs ; $(compile)

define prog                        # $(1)=binary $(2)=folder
$(B)/bin/$(1): $(B)/$(2)/main.o $(OBJ_$(1)) $(ARCHIVE)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)$(CC) $$(ALL_CFLAGS) -o $$@ $$^ $$(ALL_LDFLAGS) $$(PKG_LIBS)
endef
$(foreach p,$(PROGS),$(eval $(call prog,$(firstword $(subst :, ,$(p))),$(lastword $(subst :, ,$(p))))))

# --- fwatchdog in one file, for images that hold nothing else: this Makefile again, with musl and what static-deps.sh builds ---
ARCH       ?= $(shell dpkg --print-architecture)
STATIC_ALL := $(addprefix fwatchdog-static-,amd64 arm64 armhf)
.PHONY: fwatchdog-static fwatchdog-static-all $(STATIC_ALL) check-static
fwatchdog-static: fwatchdog-static-$(ARCH)      # build/static/ARCH/bin/fwatchdog and of-watchdog
fwatchdog-static-all: $(STATIC_ALL)
$(STATIC_ALL): fwatchdog-static-%:
	$(Q)scripts/static-deps.sh $*
	$(Q)PKG_CONFIG_LIBDIR=$(CURDIR)/build/static/$*/sysroot/lib/pkgconfig $(MAKE) --no-print-directory STATIC=$* LDFLAGS=-s \
	  CC=$(CURDIR)/build/static/$*/sysroot/bin/cc AR=$(CURDIR)/build/static/$*/sysroot/bin/ar all

# All but the long ones, which hold our code to its promises and care little about the C library; WATCHDOG= runs any of them.
STATIC_TESTS ?= $(filter-out %_processes.py %_lifecycle.py %_server.py,$(wildcard tests/integration/test_watchdog*.py))
check-static: fwatchdog-static-all              # as root: it makes roots of its own
	$(Q)scripts/deps.sh test static-test
	$(Q)WATCHDOG=$(CURDIR)/build/static/$(ARCH)/bin/fwatchdog scripts/run-integration-tests.sh "$(ONLY)" \
	  tests/integration/test_static_build.py $(STATIC_TESTS)

# --- images to copy the watchdogs from: make watchdog-images IMAGES=registry.example/me TAG=1.0 ARCH=arm64 ---
DOCKER     ?= docker
IMAGES     ?= minnow
TAG        ?= $(VERSION)
.PHONY: watchdog-images check-images check-templates faults
watchdog-images: fwatchdog-static
	$(Q)for image in classic-watchdog of-watchdog; do \
	  $(DOCKER) build --no-cache --platform linux/$(subst armhf,arm/v7,$(ARCH)) --target $$image \
	    -t $(IMAGES)/$$image:$(TAG) -f docker/fwatchdog.Dockerfile build/static/$(ARCH)/bin || exit 1; done

check-images: $(BINS) fwatchdog-static fwatchdog-static-arm64 # as root: it starts dockerd if none answers
	$(Q)scripts/deps.sh test images
	$(Q)TEST_JOBS=0 BIN=$(CURDIR)/$(B)/bin scripts/run-integration-tests.sh "$(ONLY)" tests/integration/test_images.py \
	  tests/integration/test_cli_docker.py

faults: $(BINS)                                # 100 000 asynchronous calls under kill -9 of everybody, 8 minutes
	$(Q)FAULT_ROUNDS=20 FAULT_CALLS=5000 $(MAKE) --no-print-directory integration ONLY=kill_9

check-templates: $(BINS)                       # every language's toolchain is installed
	$(Q)scripts/deps.sh build run test templates
	$(Q)TEST_JOBS=0 BIN=$(CURDIR)/$(B)/bin scripts/run-integration-tests.sh "$(ONLY)" tests/templates

# --- tests ---
$(B)/tests/%: $(B)/tests/unit/%.o $(FAKES) $(ARCHIVE)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) -o $@ $^ $(ALL_LDFLAGS) $(PKG_LIBS) $(TEST_LIBS)

check: $(TESTS) $(BINS) replay     # every binary runs, then a failure fails make
	$(Q)BIN=$(B)/bin scripts/run-unit-tests.sh $(TESTS)

integration: $(BINS)
	$(Q)BIN=$(CURDIR)/$(B)/bin scripts/run-integration-tests.sh $(ONLY)

test: deps-test
	$(Q)$(MAKE) check
	$(Q)$(MAKE) integration

# Every fuzz target is also a plain program that replays corpus and regressions.
$(B)/replay/%: $(B)/tests/fuzz/%.o $(B)/tests/fuzz/replay_main.o $(ARCHIVE)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) -o $@ $^ $(ALL_LDFLAGS) $(PKG_LIBS)

replay: $(REPLAYS)
	$(Q)for f in $(REPLAYS); do n=$${f##*/fuzz_}; \
	  $$f $$(find tests/fuzz/corpus/$$n tests/fuzz/regression/$$n -type f 2>/dev/null) || exit 1; done

# New finds go to build/, never into the committed corpus.
$(B)/fuzzers/%: $(B)/tests/fuzz/%.o $(ARCHIVE)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer -o $@ $^ $(ALL_LDFLAGS) $(PKG_LIBS)

fuzz:                              # FUZZ_SECONDS=20 each; ONLY=fuzz_x for one
	$(Q)$(MAKE) FUZZ=1 CC=clang CFLAGS="-O1 -g" fuzz-run

fuzz-run: $(FUZZERS)
	$(Q)scripts/run-fuzzers.sh $(or $(FUZZ_SECONDS),20) $(if $(ONLY),$(B)/fuzzers/$(ONLY),$(FUZZERS))

coverage:
	$(Q)$(MAKE) check COV=1
	$(Q)cd build/cov && find . -name '*.gcda' ! -path './tests/*' -print0 | \
	  xargs -0 gcov -n 2>/dev/null | awk -F"'" '/^File/{f=$$2} /^Lines/{if (f !~ /^\//) print f, $$0}' | sort

# --- reading aids ---
lint: ; $(Q)scripts/lint.sh
format: ; $(Q)git ls-files -co --exclude-standard '*.[ch]' ':!templates' | xargs clang-format -i
tidy: ; $(Q)scripts/deps.sh tidy && clang-tidy --quiet $(foreach c,$(COMPONENTS),$(call src,$(c))) -- $(ALL_CPPFLAGS) $(PKG_CFLAGS) -std=gnu11
bench: all ; $(Q)tests/bench/run.sh $(ONLY)

# --- running and installing ---
deps: ; $(Q)scripts/deps.sh build run
deps-test: ; $(Q)scripts/deps.sh build run test
up: deps
	$(Q)$(MAKE) all
	$(Q)scripts/up.sh
down: ; $(Q)scripts/down.sh

# What the command table makes of itself, and where shells look for it.
$(B)/faas-cli.1: $(B)/bin/faas-cli ; $(Q)$< man >$@
$(B)/completion.%: $(B)/bin/faas-cli ; $(Q)$< completion --shell $* >$@
BASH_COMPLETION := $(PREFIX)/share/bash-completion/completions/faas-cli
ZSH_COMPLETION  := $(PREFIX)/share/zsh/site-functions/_faas-cli
FISH_COMPLETION := $(PREFIX)/share/fish/vendor_completions.d/faas-cli.fish

install: $(BINS) $(B)/faas-cli.1 $(B)/completion.bash $(B)/completion.zsh $(B)/completion.fish
	$(INSTALL) -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(DATADIR)
	$(INSTALL) -D -m 0644 $(B)/faas-cli.1 $(DESTDIR)$(MANDIR)/man1/faas-cli.1
	$(INSTALL) -D -m 0644 $(B)/completion.bash $(DESTDIR)$(BASH_COMPLETION)
	$(INSTALL) -D -m 0644 $(B)/completion.zsh $(DESTDIR)$(ZSH_COMPLETION)
	$(INSTALL) -D -m 0644 $(B)/completion.fish $(DESTDIR)$(FISH_COMPLETION)
	$(INSTALL) -m 0755 $(BINS) $(DESTDIR)$(BINDIR)
	$(INSTALL) -m 0644 stack.yml.example LICENSE $(DESTDIR)$(DATADIR)
uninstall:
	rm -f $(foreach b,$(notdir $(BINS)),$(DESTDIR)$(BINDIR)/$(b))
	rm -f $(addprefix $(DESTDIR),$(MANDIR)/man1/faas-cli.1 $(BASH_COMPLETION) $(ZSH_COMPLETION) $(FISH_COMPLETION))
	rm -f $(DESTDIR)$(DATADIR)/stack.yml.example $(DESTDIR)$(DATADIR)/LICENSE
	-rmdir $(DESTDIR)$(DATADIR) 2>/dev/null
dist:
	@mkdir -p build
	git archive --prefix=minnow-$(VERSION)/ -o build/minnow-$(VERSION).tar.gz HEAD
	@echo build/minnow-$(VERSION).tar.gz
clean: ; rm -rf build

.SECONDARY:
-include $(shell find $(B) -name '*.d' 2>/dev/null)
