# logtally: `make help` lists what can be made.
BUILD    ?= build
CC       ?= gcc
OPT      ?= -O2 -g
PACKAGES := libpcre2-8 libhs libmicrohttpd yaml-0.1 zlib libzstd libxxhash sqlite3 gnutls

HARDEN   ?= -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fPIE
WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
            -Wwrite-strings -Wpointer-arith -Wvla -Wformat=2 -Wno-unknown-warning-option -Wno-format-truncation \
            -Wno-missing-field-initializers $(if $(CI),-Werror)
CPPFLAGS += -Iinclude -D_GNU_SOURCE
CFLAGS    = -std=gnu11 $(OPT) $(WARN) $(HARDEN) -pthread $(EXTRA)
LDFLAGS  += -pthread -pie -Wl,-z,relro,-z,now $(EXTRA)
LDLIBS    = $(shell pkg-config --libs $(PACKAGES)) -lm

# Data flows in this order; a room uses itself and those listed.
ROOMS    := common tailer parsers exporter daemon
USES_common   := common
USES_tailer   := tailer common
USES_parsers  := parsers common
USES_exporter := exporter common
USES_daemon   := daemon tailer parsers exporter common

sources   = $(wildcard $(1)/*.c)
# main.c is the program's alone: a unit test has a main of its own.
objects   = $(filter-out $(BUILD)/daemon/main.o,$(patsubst %.c,$(BUILD)/%.o,$(call sources,$(1))))
archive   = $(BUILD)/lib$(1).a
UNIT     := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/*/test_*.c))

all: deps-build logtally  ## build ./logtally (the default)

logtally: $(BUILD)/logtally
	@cp -f $< $@

$(BUILD)/logtally: $(BUILD)/daemon/main.o $(foreach r,daemon tailer parsers exporter common,$(call archive,$(r)))
	@echo '  LINK  $@'; $(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo '  CC    $<'; $(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

define room_rules
$(call archive,$(1)): $(call objects,$(1))
	@rm -f $$@; ar rcsD $$@ $$^

# A unit test links with its room and what that room may use: nothing else.
$(BUILD)/unit/$(1)/%: $(BUILD)/tests/unit/$(1)/%.o $(foreach r,$(USES_$(1)),$(call archive,$(r)))
	@mkdir -p $$(@D)
	@echo '  LINK  $$@'; $(CC) $(LDFLAGS) -o $$@ $$^ $(LDLIBS) -lcriterion

unit-$(1): $(filter $(BUILD)/unit/$(1)/%,$(UNIT))
	@set -e; for t in $$^; do $$$$t; done
endef
$(foreach r,$(ROOMS),$(eval $(call room_rules,$(r))))

unit: $(UNIT)  ## build the unit tests

# Thread tests are plain programs: ThreadSanitizer does not go with Criterion.
THREADS := $(patsubst tests/threads/%.c,$(BUILD)/threads/%,$(wildcard tests/threads/*/test_*.c))

$(BUILD)/threads/exporter/%: $(BUILD)/tests/threads/exporter/%.o $(foreach r,$(USES_exporter),$(call archive,$(r)))
	@mkdir -p $(@D)
	@echo '  LINK  $@'; $(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

threads: $(THREADS)  ## build the thread tests

# Plain programs that measure (tests/bench), and that die on purpose (tests/crash).
BENCH := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))

$(BUILD)/bench/%: $(BUILD)/tests/bench/%.o $(foreach r,$(USES_daemon),$(call archive,$(r)))
	@mkdir -p $(@D)
	@echo '  LINK  $@'; $(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

CRASH := $(BUILD)/crash/state_crash $(BUILD)/crash/fault.so

$(BUILD)/crash/%: $(BUILD)/tests/crash/%.o $(foreach r,$(USES_daemon),$(call archive,$(r)))
	@mkdir -p $(@D)
	@echo '  LINK  $@'; $(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/crash/fault.so: tests/crash/fault.c Makefile
	@mkdir -p $(@D)
	@echo '  LINK  $@'; $(CC) -D_GNU_SOURCE -std=gnu11 $(WARN) -O2 -fPIC -shared -o $@ $<

crash: $(CRASH)  ## build the programs that die on purpose

bench-programs: $(BENCH)

# Programs that answer what others are asked, too.
DIFFERENTIAL := $(patsubst tests/differential/%.c,$(BUILD)/differential/%,$(wildcard tests/differential/*.c))

$(BUILD)/differential/%: $(BUILD)/tests/differential/%.o $(foreach r,$(USES_daemon),$(call archive,$(r)))
	@mkdir -p $(@D)
	@echo '  LINK  $@'; $(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

differential: $(DIFFERENTIAL)  ## build the programs of the differential tests

SIZE ?= 100MiB
RUNS ?= 1
bench: deps-test logtally bench-programs  ## measure, also against mtail: make bench SIZE=1GiB RUNS=5
	@BENCH_BUILD=$(BUILD) /usr/bin/python3 tests/bench/bench.py --size $(SIZE) --runs $(RUNS)

# Fuzz targets need clang and its libFuzzer; FUZZ_ROOMS are those that they call.
FUZZ       := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_ROOMS := tailer parsers common
SECONDS    ?= 60

$(BUILD)/fuzz/%: $(BUILD)/tests/fuzz/%.o $(foreach r,$(FUZZ_ROOMS),$(call archive,$(r)))
	@mkdir -p $(@D)
	@echo '  LINK  $@'; $(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)

fuzzers: $(FUZZ)

# What is found new is kept beside what was built; the seeds stay as they are.
fuzz: deps-test  ## run each fuzz target for SECONDS=60
	@$(fuzz_make)
	@set -e; for f in $(notdir $(FUZZ)); do tests/fuzz/run.sh $(BUILD)/fuzzing/fuzz/$$f $(SECONDS); done

fuzz_make = $(MAKE) -j$$(nproc) --no-print-directory BUILD=$(BUILD)/fuzzing CC=clang OPT='-O1 -g' HARDEN= \
    EXTRA='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined' fuzzers

test: deps-test  ## build and run every test
	@$(MAKE) -j$$(nproc) --no-print-directory logtally unit crash bench-programs differential $(BUILD)/metrics_doc
	@$(MAKE) -j$$(nproc) --no-print-directory BUILD=$(BUILD)/asan OPT='-O1 -g' HARDEN= \
	    EXTRA='-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer' \
	    unit $(BUILD)/asan/logtally
	@$(MAKE) -j$$(nproc) --no-print-directory BUILD=$(BUILD)/tsan OPT='-O1 -g' HARDEN= EXTRA=-fsanitize=thread \
	    threads $(BUILD)/tsan/logtally
	@$(MAKE) -j$$(nproc) --no-print-directory BUILD=$(BUILD)/helgrind OPT='-O1 -g' HARDEN= \
	    EXTRA='-include tests/threads/helgrind_build.h' $(BUILD)/helgrind/logtally
	@$(fuzz_make)
	/usr/bin/python3 tests/run.py --build $(BUILD)

SEQUENCES ?= 2000
soak: logtally  ## random sequences of rotations, kills and restarts: make soak SEQUENCES=5000
	/usr/bin/python3 tests/model/model.py --sequences $(SEQUENCES) --first $${FIRST:-$$(date +%s)}

stack-test: deps-stack  ## run docker-compose.yml, in a Docker daemon of its own
	/usr/bin/python3 tests/stack/stack_test.py

pictures: deps-test logtally  ## take docs/images anew, from what really runs: seven minutes
	/usr/bin/python3 tests/stack/pictures.py

run: deps-run logtally  ## start the example pipeline and the daemon on its logs
	@examples/pipeline/demo.sh

# What a fresh Debian 12 machine lacks, through apt, with sudo when not root.
HYPERSCAN := $(if $(filter x86_64 i%86,$(shell uname -m)),libhyperscan-dev,libvectorscan-dev)
APT_BUILD := gcc make pkg-config libpcre2-dev libmicrohttpd-dev libyaml-dev zlib1g-dev libzstd-dev \
             libxxhash-dev libsqlite3-dev libgnutls28-dev $(HYPERSCAN)
APT_RUN   := python3 python3-fastapi python3-uvicorn tzdata
APT_DEB   := dpkg-dev debhelper lintian mmdebstrap
APT_TEST  := libcriterion-dev prometheus python3-prometheus-client clang libclang-rt-14-dev clang-tidy clang-format \
             cppcheck mandoc curl locales logrotate nginx-light gzip zstd sqlite3 valgrind strace mtail \
             python3-yaml apache2-bin postgresql redis-tools haproxy openssh-server openssh-client cron rsyslog \
             gunicorn python3-celery python3-django kcat default-jre-headless liblogback-java python3-jpype \
             prometheus-alertmanager prometheus-node-exporter python3-aiosmtpd python3-jsonschema shellcheck openssl \
             zsh systemd python3-kubernetes chromium pngquant
# A Docker that is there already is good as well, and Debian's would not go beside it.
APT_STACK := docker-compose iptables mmdebstrap openssl binutils python3-yaml python3-prometheus-client \
             $(if $(shell command -v dockerd),,docker.io)
# Debian's way to say that what is installed is not to be started.
no_services = deny=/usr/sbin/policy-rc.d; [ -e $$deny ] || { trap "$$as rm -f $$deny" EXIT; \
    printf '\#!/bin/sh\nexit 101\n' | $$as tee $$deny >/dev/null; $$as chmod 755 $$deny; }
install = command -v dpkg-query >/dev/null || exit 0; missing=$$(dpkg-query -W -f '$${db:Status-Abbrev} $${Package}\n' $(1) 2>/dev/null | \
    awk '$$1 == "ii" { sub(":.*", "", $$2); print $$2 }' | sort > $(BUILD)/.have; \
    printf '%s\n' $(1) | sort -u | comm -23 - $(BUILD)/.have); \
    [ -z "$$missing" ] || { as=$$([ $$(id -u) = 0 ] || echo sudo); $(no_services); $$as apt-get update -qq && \
    $$as env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends --no-remove $$missing; }

deps-build:
	@mkdir -p $(BUILD); $(call install,$(APT_BUILD))

deps-run: deps-build
	@$(call install,$(APT_RUN))

deps-deb: deps-build
	@$(call install,$(APT_DEB))

deps-test: deps-build
	@$(call install,$(APT_RUN) $(APT_TEST) $(APT_STACK) $(APT_DEB))

deps-stack:
	@mkdir -p $(BUILD); $(call install,$(APT_STACK))

# Where `make install` puts what: GNU's names, so packages and people can move each. DESTDIR stands before all of them.
prefix      ?= /usr/local
bindir      ?= $(prefix)/bin
datadir     ?= $(prefix)/share
mandir      ?= $(datadir)/man
sysconfdir  ?= /etc
patternsdir ?= $(datadir)/logtally/patterns
unitdir     ?= $(prefix)/lib/systemd/system
sysusersdir ?= $(prefix)/lib/sysusers.d
bashdir     ?= $(datadir)/bash-completion/completions
zshdir      ?= $(datadir)/zsh/site-functions
confdir      = $(sysconfdir)/logtally

comma := ,
space := $(subst ,, )
# Own patterns lie beside logtally.yml, those that are shipped where patternsdir says; the sort drops one of two alike.
pattern_dirs = $(subst $(space),$(comma) ,$(sort $(confdir)/patterns $(patternsdir)))
# The unit is also readable as it lies there: with the places of a distribution's package.
placed  = sed -e 's|/usr/bin/logtally|$(bindir)/logtally|g; s|/etc/logtally/|$(confdir)/|g; s|\[patterns\]|[$(pattern_dirs)]|'
put     = install -D -m 644
INSTALL := $(BUILD)/install
INSTALLED = $(bindir)/logtally $(mandir)/man1/logtally.1 $(mandir)/man5/logtally-patterns.5 \
            $(patsubst patterns/%,$(patternsdir)/%,$(wildcard patterns/*)) $(unitdir)/logtally.service \
            $(sysusersdir)/logtally.conf $(bashdir)/logtally $(zshdir)/_logtally

prepared: logtally
	@mkdir -p $(INSTALL)
	@./logtally completion bash > $(INSTALL)/logtally.bash; ./logtally completion zsh > $(INSTALL)/_logtally
	@for f in logtally.service logtally.yml; do $(placed) examples/systemd/$$f > $(INSTALL)/$$f; done

install: prepared  ## install below prefix=/usr/local and to /etc; DESTDIR=... for packages
	install -D -m 755 logtally $(DESTDIR)$(bindir)/logtally
	$(put) -t $(DESTDIR)$(mandir)/man1 docs/man/logtally.1
	$(put) -t $(DESTDIR)$(mandir)/man5 docs/man/logtally-patterns.5
	$(put) -t $(DESTDIR)$(patternsdir) patterns/*
	$(put) -t $(DESTDIR)$(unitdir) $(INSTALL)/logtally.service
	$(put) examples/systemd/sysusers.conf $(DESTDIR)$(sysusersdir)/logtally.conf
	$(put) $(INSTALL)/logtally.bash $(DESTDIR)$(bashdir)/logtally
	$(put) -t $(DESTDIR)$(zshdir) $(INSTALL)/_logtally
	install -d $(DESTDIR)$(confdir)/patterns
	@if [ -e $(DESTDIR)$(confdir)/logtally.yml ]; then echo '$(confdir)/logtally.yml is there: left as it is'; \
	    else $(put) -t $(DESTDIR)$(confdir) $(INSTALL)/logtally.yml; fi

uninstall: prepared  ## remove what install put there; a logtally.yml that was edited and own patterns stay
	rm -f $(addprefix $(DESTDIR),$(INSTALLED))
	@if cmp -s $(INSTALL)/logtally.yml $(DESTDIR)$(confdir)/logtally.yml; then rm $(DESTDIR)$(confdir)/logtally.yml; fi
	@for d in $(sort $(patternsdir) $(dir $(patternsdir)) $(confdir)/patterns $(confdir)); do \
	    echo $(DESTDIR)$$d; done | sort -r | xargs rmdir 2>/dev/null || :
	@if [ -e $(DESTDIR)$(confdir) ]; then echo 'what was edited in $(DESTDIR)$(confdir) stays'; fi

package-test: deb  ## lintian, and the package on a Debian with systemd, as root
	lintian --fail-on error,warning $(BUILD)/deb/*.changes
	/usr/bin/python3 tests/package/test_package.py $(BUILD)/deb/logtally_*.deb

# Debian wants its folder on the top level of a source tree: it gets a tree of its own.
DEB_TREE := $(BUILD)/deb/logtally
deb: deps-deb  ## build a Debian package: build/deb/logtally_*.deb
	@rm -rf $(BUILD)/deb; mkdir -p $(DEB_TREE)
	@cp -R $(ROOMS) include patterns docs examples Makefile LICENSE README.md $(DEB_TREE)
	@cp -R examples/debian $(DEB_TREE)/debian
	@cd $(DEB_TREE) && DEB_BUILD_OPTIONS="parallel=$$(nproc) noautodbgsym" dpkg-buildpackage -us -uc -b > ../build.log 2>&1 || { tail -50 ../build.log; exit 1; }
	@rm -r $(DEB_TREE); ls $(BUILD)/deb/*.deb

check-rooms:  ## rooms include only what they may
	@tests/check_rooms.sh . $(foreach r,$(ROOMS),'$(r): $(USES_$(r))')

check-headers:  ## each header compiles alone
	@set -e; for h in include/*/*.h; do \
	    $(CC) $(CPPFLAGS) -std=gnu11 $(WARN) -Werror -fsyntax-only -x c $$h; done

LINT_JOBS ?= $$(nproc)
lint:  ## clang-tidy and cppcheck
	@printf '%s\n' $(foreach r,$(ROOMS),$(call sources,$(r))) | \
	    xargs -P $(LINT_JOBS) -n 4 sh -c 'clang-tidy --quiet "$$@" -- $(CPPFLAGS) -std=gnu11 2>/dev/null' clang-tidy
	@cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
	    --error-exitcode=1 --suppress=missingIncludeSystem \
	    --suppress=ctuuninitvar --suppress=varFuncNullUB $(CPPFLAGS) $(ROOMS)

format:  ## clang-format all C files
	clang-format -i $(foreach r,$(ROOMS),$(call sources,$(r))) include/*/*.h tests/unit/*/*.c tests/fuzz/*.c

docs/metrics.md: daemon/own_metrics.c $(BUILD)/metrics_doc  ## made from the table of own metrics
	$(BUILD)/metrics_doc > $@

$(BUILD)/metrics_doc: $(BUILD)/docs/metrics_doc.o $(foreach r,$(USES_daemon),$(call archive,$(r)))
	@echo '  LINK  $@'; $(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

examples/kubernetes/base/prometheusrule.yaml: examples/stack/rules/logtally.yml  ## the same alerts, as the operator wants them
	@{ printf '%s\n' '# Made from $< by make $@.  The links of its alerts begin with' \
	    '# the external label `runbooks` of your Prometheus object: spec.externalLabels, see the README beside.' 'apiVersion: monitoring.coreos.com/v1' \
	    'kind: PrometheusRule' 'metadata:' '  name: logtally' '  labels: {app.kubernetes.io/name: logtally}' 'spec:'; \
	    sed -n '/^groups:/,$$p' $< | sed 's/^\(.\)/  \1/'; } > $@

clean:  ## remove what was built
	rm -rf $(BUILD) logtally

help:  ## list the targets
	@grep -hE '^[a-z./-]+:.*##' Makefile | sed -E 's/:.*## / /' | \
	    while read -r name text; do printf '  %-14s %s\n' "$$name" "$$text"; done

.PHONY: all clean help unit threads bench bench-programs differential crash fuzz fuzzers test soak stack-test pictures run deps-build deps-run deps-test deps-stack deps-deb prepared install uninstall deb package-test check-rooms check-headers lint \
        format $(ROOMS:%=unit-%)
.SECONDARY:
-include $(shell find $(BUILD) -path $(BUILD)/deb -prune -o -type f -name '*.d' -print 2>/dev/null)
