# SPDX-License-Identifier: GPL-2.0
# altconn is a socket family whose connect() does what its manual page says.
# `make help` lists the targets.

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

# A tree without one of these folders builds the other one.
tool_dirs := $(patsubst %/Makefile,%,$(wildcard tools/altconn/Makefile \
	tools/run/Makefile))

module: headers-present
	$(MAKE) -C $(KDIR) M=$(CURDIR) V=$(V) modules

define no_headers
altconn: there are no kernel headers for Linux $(KVER).
  Run apt install linux-headers-$(KVER), or set KDIR=.
  'make demo' and 'make check' install all they need.
endef

headers-present: export message = $(no_headers)
headers-present:
	@if [ ! -e "$(KDIR)/Makefile" ]; then \
		echo "$$message" >&2; \
		exit 1; \
	fi

tools:
	@for dir in $(tool_dirs); do $(MAKE) -C $$dir V=$(V) || exit 1; done

build-deps:
	@$(scripts)/deps build

# The tests need the headers of the kernel's test framework, which are unpacked
# below build/. build/install has the layout of `make kselftest-install`.
framework := build/kselftest/tools/testing/selftests
selftests_make = $(MAKE) --no-print-directory -C selftests \
	OUTPUT=$(CURDIR)/build/selftests COLLECTION=altconn

selftests: build-deps
	$(selftests_make) INSTALL_PATH=$(CURDIR)/build/install/altconn install
	@rsync -a $(framework)/kselftest $(framework)/run_kselftest.sh \
		build/install/
	@$(selftests_make) -s emit_tests >build/kselftest-list.txt
	@rsync -c build/kselftest-list.txt build/install/

# Several checks may run at the same time, and each builds the programs of its
# guest.
lock = mkdir -p build && flock build/.lock

# These programs run in a guest. selftests/vm/run builds the module for the
# kernel of the guest.
userland: build-deps
	@$(lock) $(MAKE) --no-print-directory -s tools selftests

# TESTS= names suites. Without it, the suites that selftests/scripts/suites has
# for the kernel run, or all suites with ALL=1. PART= selects the programs or
# the scripts among them. CPUS= is the number of CPUs of the guest.
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

# The storm does not use the test framework, so the demo does not download it.
build/demo/storm: selftests/helper_storm.c $(wildcard uapi/linux/*.h)
	@mkdir -p $(@D)
	$(CC) -O2 -Wall -D_GNU_SOURCE -isystem uapi -o $@ $<

demo:
	@$(scripts)/deps build vm demo
	@$(lock) $(MAKE) --no-print-directory -s tools build/demo/storm
	@nginx=$$($(scripts)/deps nginx) && \
		color=$$([ ! -t 1 ] || echo always) && \
		ALTCONN_NGINX=$$nginx ALTCONN_COLOR=$$color \
		$(vm)/run --kernel $(KERNEL) -- $(vm)/demo

# CPython's own tests of sockets run on AF_UNIX, TCP and UDP and then on
# altconn.
cpython:
	@$(scripts)/deps build vm cpython
	@$(lock) $(MAKE) --no-print-directory -s tools
	@$(vm)/run --kernel $(KERNEL) $(if $(CPUS),--cpus $(CPUS)) -- \
		$(vm)/cpython selftests/cpython/deviations

# The matrix in the documentation has the results of this kernel.
conformance:
	@$(scripts)/deps build vm
	@$(lock) $(MAKE) --no-print-directory -s -C selftests/conformance
	@$(vm)/run --kernel $(KERNEL) -- $(vm)/conformance
	@cp build/run/last/conformance.md Documentation/design/conformance.md
	@echo 'Documentation/design/conformance.md is written'

bench_sources := $(wildcard selftests/bench/*.c)

build/bench/bench: $(bench_sources) selftests/bench/bench.h \
		$(wildcard uapi/linux/*.h)
	@mkdir -p $(@D)
	$(CC) -O2 -Wall -Wextra -Wno-missing-field-initializers -D_GNU_SOURCE \
		-pthread -isystem uapi -o $@ $(bench_sources) -ljson-c

# On one CPU the clock counts instructions, and a nanosecond is one instruction.
# On two and on eight CPUs only the ratios are significant. BENCH= has options of
# the benchmark, for example BENCH="--op connect". Then the figures are printed
# and not kept.
bench_series = $(shell $(scripts)/kernel version $(KERNEL) | cut -d. -f1,2)

bench_kernel = $(if $(filter-out stock,$(KERNEL)), KERNEL=$(KERNEL))

# REPORT=1 draws the tables and pictures of the last figures anew.
ifeq ($(REPORT),)
bench:
	@$(scripts)/deps build vm bench
	@$(lock) $(MAKE) --no-print-directory -s build/bench/bench
	@for clock in instructions wall wall-8; do \
		case $$clock in \
		instructions) guest=--icount; options=;; \
		wall) guest=; options=;; \
		wall-8) guest='--cpus 8'; options='--repeat 9';; \
		esac; \
		$(vm)/run --kernel $(KERNEL) --timeout 5400 --memory 3G \
			$$guest -- $(vm)/bench $$clock $$options $(BENCH) || \
			exit 1; \
		cp build/run/last/$$clock.json build/bench/ || exit 1; \
	done
	@selftests/bench/report \
		$(if $(BENCH),--part,$(if $(BASELINE),--new-baseline)) \
		"make bench$(bench_kernel)" \
		Documentation/bench/$(bench_series) \
		build/bench/instructions.json build/bench/wall.json \
		build/bench/wall-8.json
else
bench:
	@$(scripts)/deps build bench
	@selftests/bench/report --redraw Documentation/bench/$(bench_series)
endif

bench-kernels:
	@$(scripts)/deps build vm bench
	@$(lock) $(MAKE) --no-print-directory -s build/bench/bench
	@for kernel in stock 6.12 7.2; do \
		$(vm)/run --kernel $$kernel --timeout 5400 --memory 3G --icount \
			-- $(vm)/bench instructions $(BENCH) || exit 1; \
		cp build/run/last/instructions.json \
			build/bench/instructions-$$kernel.json || exit 1; \
	done
	@selftests/bench/report $(if $(BENCH),--part) --kernels \
		"make bench-kernels" Documentation/bench \
		build/bench/instructions-stock.json \
		build/bench/instructions-6.12.json \
		build/bench/instructions-7.2.json

vm:
	@$(scripts)/deps build vm
	@$(lock) $(MAKE) --no-print-directory -s tools
	@$(vm)/run --kernel $(KERNEL) --interactive

# OP= is an operation of the benchmark, FUNCTION= a function that the kernel calls
# once in each operation, and FAMILIES= one family, or two to compare.
OP = connect-one-thread
FUNCTION = __sys_connect
FAMILIES = altconn-name unix
profile:
	@$(vm)/profile --kernel $(KERNEL) "$(OP)" $(FUNCTION) $(FAMILIES)

lint:
	@$(scripts)/lint

# YNL= names a kernel tree with the generator.
generate:
	@$(scripts)/deps lint
	YNL=$${YNL:-$$($(scripts)/kernel ynl)} tools/ynl-generate

check-generated:
	@$(scripts)/deps lint
	YNL=$${YNL:-$$($(scripts)/kernel ynl)} tools/ynl-generate --check

# The pages, the manual pages and the kernel-doc comments. A warning is an
# error.
htmldocs:
	@$(scripts)/deps build docs
	@kernel=$$($(scripts)/kernel parts) && \
		KERNEL_DOC=$$kernel/scripts/kernel-doc sphinx-build -q -W \
		--keep-going -b html -d build/doctrees Documentation build/html
	@echo 'build/html/index.html is written'

# graphviz draws the diagram. selftests/diagram.sh compares it with the code.
diagrams: Documentation/design/states.svg

Documentation/%.svg: Documentation/%.dot
	@command -v dot >/dev/null || $(scripts)/deps diagrams
	dot -Tsvg -o $@ $<

share := $(DESTDIR)$(PREFIX)/share

install: tools
	@for dir in $(tool_dirs); do \
		$(MAKE) -C $$dir V=$(V) DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) \
			install || exit 1; \
	done
	@for page in $(wildcard Documentation/man/*.[1-8]); do \
		section=$${page##*.}; \
		install -D -m 644 $$page \
			$(share)/man/man$$section/$${page##*/} || exit 1; \
	done
	@if [ -e tools/completion/altconn ]; then \
		install -D -m 644 tools/completion/altconn \
			$(share)/bash-completion/completions/altconn; \
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
		build/install build/lint build/html build/doctrees

distclean: clean
	rm -rf build

define help_text
On a bare Debian 12 or 13 (apt installs the missing packages):
  make demo           fetches a page over altconn in a VM, and prints
                      the tables of its sockets
  make check          runs the tests in a VM on the stock kernel
      TESTS="connect bind"     runs only these suites
      KERNEL=6.12 or 7.2       runs the suites for another kernel
      ALL=1                    runs all suites on the kernel
      PART=programs or scripts runs the suites in C, or in shell
      CPUS=2                   is the number of CPUs of the VM
  make check-debug    runs the tests on a kernel with KASAN and lockdep
  make check-all      runs every suite on every kernel, and all else
                      that CI runs
  make cpython        runs CPython's own tests of sockets on the usual
                      families and on altconn
  make conformance    tries every sentence of connect(2) on every family
                       in a VM, and writes its matrix to Documentation/
  make bench          measures operations of altconn, AF_UNIX, TCP,
                      vsock, TIPC and pipes, and writes
                      Documentation/bench/; fails when an operation of
                      altconn takes over 1 % more instructions than in
                      the baseline, or one of the connect operations
                      over 3 % (BASELINE=1 accepts them; REPORT=1
                      only draws the last figures anew)
  make bench-kernels  measures the instructions on three kernels,
                      and writes a table of the ratios to AF_UNIX
  make profile        counts the instructions of each kernel function in an
                      operation, in two families
                      [OP=, FUNCTION=, FAMILIES=]
  make vm             starts a shell in a VM with the module loaded
Building and installing:
  make [KDIR=...]     builds kmod/altconn.ko and tools/altconn/altconn
  make install        installs the tool, manual pages and headers
                      [PREFIX=, DESTDIR=]
  make modules_install  installs the module
  make clean          removes the built files
  make distclean      removes build/ too
For changes to altconn:
  make check-bare     runs demo and check on bare Debian 12 and 13, as
                      root and as a user with sudo
                      [BARE="12-root 13-user", TESTS=]
  make lint           runs checkpatch, sparse, shellcheck, codespell and
                      other checks of the sources
  make generate       makes the netlink files from their YAML spec
  make check-generated  checks that the netlink files are up to date
  make htmldocs       makes the documentation as web pages, in build/html
  make diagrams       draws the pictures in Documentation/
ALTCONN_CACHE= names the folder for downloads and built kernels.
endef

help: export message = $(help_text)
help:
	@echo "$$message"

.PHONY: all module headers-present tools build-deps selftests userland check \
	check-debug check-all check-bare demo cpython conformance bench \
	bench-kernels profile vm lint generate check-generated htmldocs \
	diagrams install modules_install clean distclean help
