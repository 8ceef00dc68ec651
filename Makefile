# SPDX-License-Identifier: GPL-2.0
# altconn: a socket family whose connect() does what its manual says.
# `make help` lists what there is.

KVER ?= $(shell uname -r)
KDIR ?= $(or $(wildcard /lib/modules/$(KVER)/build),$(shell \
	ls -d /lib/modules/*-amd64/build /usr/src/linux-headers-*-amd64 \
	2>/dev/null | sort -t- -k2 -V | tail -n 1))
PREFIX ?= /usr/local
KERNEL ?= stock
TESTS ?=
ALL ?=
CPUS ?=
PART ?=
V ?= 0

scripts := selftests/scripts
vm := selftests/vm
unexport KERNEL TESTS ALL CPUS PART

all: module tools

# A folder that is not written yet is passed over, so that a half tree builds.
tool_dirs := $(patsubst %/Makefile,%,$(wildcard tools/altconn/Makefile \
	tools/run/Makefile))

module: headers-present
	$(MAKE) -C $(KDIR) M=$(CURDIR) V=$(V) modules

headers-present:
	@if [ ! -e "$(KDIR)/Makefile" ]; then \
		echo "altconn: no kernel headers for Linux $(KVER)." >&2; \
		echo "  apt install linux-headers-$(KVER), or set KDIR=," >&2; \
		echo "  or let 'make demo' or 'make check' get all they need." >&2; \
		exit 1; \
	fi

tools:
	@for dir in $(tool_dirs); do $(MAKE) -C $$dir V=$(V) || exit 1; done

build-deps:
	@$(scripts)/deps build

# Against the kernel framework's headers, unpacked under build/.
# The layout of build/install is that of `make kselftest-install`.
framework := build/kselftest/tools/testing/selftests
selftests_make = $(MAKE) --no-print-directory -C selftests \
	OUTPUT=$(CURDIR)/build/selftests COLLECTION=altconn

selftests: build-deps
	$(selftests_make) INSTALL_PATH=$(CURDIR)/build/install/altconn install
	@rsync -a $(framework)/kselftest $(framework)/run_kselftest.sh build/install/
	@$(selftests_make) -s emit_tests >build/kselftest-list.txt
	@rsync -c build/kselftest-list.txt build/install/

# Two checks may run beside each other, and both build what their guests use.
lock = mkdir -p build && flock build/.lock

# What a guest needs of this machine. The module is built by the runner, for
# the guest's kernel.
userland: build-deps
	@$(lock) $(MAKE) --no-print-directory -s tools selftests

# Without TESTS= those that selftests/scripts/suites has for this kernel, or ALL=1;
# of these the programs or the scripts alone with PART=. CPUS= are the guest's.
check_options = $(if $(ALL),--all) $(if $(CPUS),--cpus $(CPUS)) \
	$(if $(PART),--part $(PART))

check:
	@$(vm)/check $(check_options) $(KERNEL) $(TESTS)

check-debug:
	@$(vm)/check $(check_options) debug $(TESTS)

check-all:
	@.ci/run --all

check-bare:
	@TESTS="$(TESTS)" $(scripts)/bare $(BARE)

# The storm needs no test framework, so the demo waits for no download of one.
build/demo/storm: selftests/helper_storm.c $(wildcard uapi/linux/*.h)
	@mkdir -p $(@D)
	$(CC) -O2 -Wall -D_GNU_SOURCE -isystem uapi -o $@ $<

demo:
	@$(scripts)/deps build vm demo
	@$(lock) $(MAKE) --no-print-directory -s tools build/demo/storm
	@nginx=$$($(scripts)/deps nginx) && color=$$([ ! -t 1 ] || echo always) && \
		ALTCONN_NGINX=$$nginx ALTCONN_COLOR=$$color \
		$(vm)/run --kernel $(KERNEL) -- $(vm)/demo

# CPython's own socket tests, on AF_UNIX, TCP and UDP and then on altconn.
cpython:
	@$(scripts)/deps build vm cpython
	@$(lock) $(MAKE) --no-print-directory -s tools
	@$(vm)/run --kernel $(KERNEL) $(if $(CPUS),--cpus $(CPUS)) -- \
		$(vm)/cpython selftests/cpython/deviations

# The matrix in the documentation, as this kernel shows it.
conformance:
	@$(scripts)/deps build vm
	@$(lock) $(MAKE) --no-print-directory -s -C selftests/conformance
	@$(vm)/run --kernel $(KERNEL) -- $(vm)/conformance
	@cp build/run/last/conformance.md Documentation/conformance.md
	@echo 'Documentation/conformance.md is written'

bench_sources := $(wildcard selftests/bench/*.c)

build/bench/bench: $(bench_sources) selftests/bench/bench.h $(wildcard uapi/linux/*.h)
	@mkdir -p $(@D)
	$(CC) -O2 -Wall -Wextra -Wno-missing-field-initializers -D_GNU_SOURCE \
		-pthread -isystem uapi -o $@ $(bench_sources) -ljson-c

# On one CPU the clock counts instructions, so a nanosecond is one; on two only
# ratios mean something. BENCH= passes options on: BENCH="--op connect"; then
# the figures are shown and not kept.
bench_series = $(shell $(scripts)/kernel version $(KERNEL) | cut -d. -f1,2)

bench:
	@$(scripts)/deps build vm bench
	@$(lock) $(MAKE) --no-print-directory -s build/bench/bench
	@for clock in instructions wall; do \
		$(vm)/run --kernel $(KERNEL) --timeout 5400 --memory 3G \
			$$([ $$clock = wall ] || echo --icount) -- \
			$(vm)/bench $$clock $(BENCH) || exit 1; \
		cp build/run/last/$$clock.json build/bench/ || exit 1; \
	done
	@selftests/bench/report \
		$(if $(BENCH),--part,$(if $(BASELINE),--new-baseline)) \
		"make bench$(if $(filter-out stock,$(KERNEL)), KERNEL=$(KERNEL))" \
		Documentation/bench/$(bench_series) \
		build/bench/instructions.json build/bench/wall.json

vm:
	@$(scripts)/deps build vm
	@$(lock) $(MAKE) --no-print-directory -s tools
	@$(vm)/run --kernel $(KERNEL) --interactive

lint:
	@$(scripts)/lint

# YNL= names a kernel tree that has the generator.
generate:
	YNL=$${YNL:-$$($(scripts)/kernel ynl)} tools/ynl-generate

check-generated:
	YNL=$${YNL:-$$($(scripts)/kernel ynl)} tools/ynl-generate --check

# Drawn with graphviz; selftests/diagram.sh checks that it agrees with the code.
diagrams: Documentation/states.svg

Documentation/%.svg: Documentation/%.dot
	@command -v dot >/dev/null || $(scripts)/deps docs
	dot -Tsvg -o $@ $<

install: tools
	@for dir in $(tool_dirs); do \
		$(MAKE) -C $$dir V=$(V) DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) \
			install || exit 1; \
	done
	@for page in $(wildcard Documentation/*.[1-8]); do \
		section=$${page##*.}; \
		install -D -m 644 $$page \
			$(DESTDIR)$(PREFIX)/share/man/man$$section/$${page##*/} || exit 1; \
	done
	@if [ -e tools/completion/altconn ]; then \
		install -D -m 644 tools/completion/altconn \
			$(DESTDIR)$(PREFIX)/share/bash-completion/completions/altconn; \
	fi
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/include/linux \
		$(wildcard uapi/linux/*.h)

modules_install: headers-present
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules_install

clean:
	@[ ! -e "$(KDIR)/Makefile" ] || $(MAKE) -s -C $(KDIR) M=$(CURDIR) clean
	@for dir in $(tool_dirs) selftests/conformance; do \
		$(MAKE) -s -C $$dir clean || exit 1; \
	done
	rm -rf build/stock build/debug build/6.* build/7.* build/selftests \
		build/install build/lint

distclean: clean
	rm -rf build

help:
	@echo 'On a bare Debian 12 or 13 (missing packages are installed by apt):'
	@echo '  make demo           a page over altconn, and the tables, in a VM'
	@echo '  make check          the tests in a VM on the stock kernel'
	@echo '      TESTS="connect bind"     only these'
	@echo '      KERNEL=6.12, 7.2         on other Debian kernels, what these may change'
	@echo '      ALL=1                    all of them, whatever the kernel'
	@echo '      PART=programs, scripts   the tests in C, or in shell'
	@echo '      CPUS=2                   of the guest'
	@echo '  make check-debug    the same on a kernel with KASAN and lockdep'
	@echo '  make check-all      every test on every kernel, and all else that CI runs'
	@echo "  make cpython        CPython's own socket tests, on AF_UNIX and on altconn"
	@echo '  make conformance    every sentence of connect(2) on every family, in'
	@echo '                      a VM; writes Documentation/conformance.md'
	@echo '  make bench          what operations cost beside AF_UNIX, TCP, vsock, TIPC'
	@echo '                      and pipes; tables and plots in Documentation/bench/;'
	@echo '                      fails when one got dearer (BASELINE=1: accept it)'
	@echo '  make vm             a shell in a VM with the module loaded'
	@echo 'Building and installing:'
	@echo '  make [KDIR=...]     kmod/altconn.ko and tools/altconn/altconn'
	@echo '  make install        the tool, man pages, headers [PREFIX=, DESTDIR=]'
	@echo '  make modules_install'
	@echo '  make clean, make distclean'
	@echo 'For those who change it:'
	@echo '  make check-bare     demo and check on bare Debian 12 and 13, as root and'
	@echo '                      as a user with sudo [BARE="12-root 13-user", TESTS=]'
	@echo '  make lint           checkpatch, sparse, W=1, shellcheck, mandoc'
	@echo '  make generate       the netlink files from their YAML spec'
	@echo '  make diagrams       the pictures in Documentation/'
	@echo 'ALTCONN_CACHE= moves the kernels that are downloaded and built.'

.PHONY: all module headers-present tools build-deps selftests userland check \
	check-debug check-all check-bare demo cpython conformance bench vm lint generate check-generated diagrams \
	install modules_install clean distclean help
