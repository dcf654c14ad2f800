# logtally: `make help` lists what can be made.
BUILD    ?= build
CC       ?= gcc
OPT      ?= -O2 -g
PACKAGES := libpcre2-8 libmicrohttpd yaml-0.1 zlib libxxhash

HARDEN   ?= -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fPIE
WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
            -Wwrite-strings -Wpointer-arith -Wvla -Wformat=2 $(if $(CI),-Werror)
CPPFLAGS += -Iinclude -D_GNU_SOURCE
CFLAGS    = -std=gnu11 $(OPT) $(WARN) $(HARDEN) -pthread $(EXTRA)
LDFLAGS  += -pthread -pie -Wl,-z,relro,-z,now $(EXTRA)
LDLIBS    = $(shell pkg-config --libs $(PACKAGES))

# Data flows in this order; a room uses itself and those listed.
ROOMS    := common tailer parsers exporter daemon
USES_common   := common
USES_tailer   := tailer common
USES_parsers  := parsers common
USES_exporter := exporter common
USES_daemon   := daemon tailer parsers exporter common

sources   = $(wildcard $(1)/*.c)
objects   = $(patsubst %.c,$(BUILD)/%.o,$(call sources,$(1)))
archive   = $(BUILD)/lib$(1).a
UNIT     := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/*/test_*.c))

all: logtally  ## build ./logtally (the default)

logtally: $(BUILD)/logtally
	@cp $< $@

$(BUILD)/logtally: $(foreach r,daemon tailer parsers exporter common,$(call archive,$(r)))
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

define room_rules
$(call archive,$(1)): $(call objects,$(1))
	@rm -f $$@
	ar rcsD $$@ $$^

# A unit test links with its room and what that room may use: nothing else.
$(BUILD)/unit/$(1)/%: $(BUILD)/tests/unit/$(1)/%.o $(foreach r,$(USES_$(1)),$(call archive,$(r)))
	@mkdir -p $$(@D)
	$(CC) $(LDFLAGS) -o $$@ $$^ $(LDLIBS) -lcriterion

unit-$(1): $(filter $(BUILD)/unit/$(1)/%,$(UNIT))
	@set -e; for t in $$^; do $$$$t; done
endef
$(foreach r,$(ROOMS),$(eval $(call room_rules,$(r))))

clean:  ## remove what was built
	rm -rf $(BUILD) logtally

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## / /' | \
	    while read -r name text; do printf '  %-14s %s\n' "$$name" "$$text"; done

.PHONY: all clean help $(ROOMS:%=unit-%)
.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
