# Builds and installs pipit; `make help` says how. The choice of the toolchain is in target-specs/build.sh.

ARCH := $(if $(filter armv7%,$(shell uname -m)),armv7,x86_64)
OUT = out/$(ARCH)

# A merged /usr has one place for both; an empty DESTDIR directory is taken for one.
PREFIX = /usr
BINDIR = $(PREFIX)/bin
SBINDIR = $(shell if [ -d "$(DESTDIR)/sbin" ] && [ ! -L "$(DESTDIR)/sbin" ]; then echo /sbin; else echo $(PREFIX)/sbin; fi)
MANDIR = $(PREFIX)/share/man
DATADIR = $(PREFIX)/share
SYSCONFDIR = /etc

export TOOLCHAIN MUSL_LIBDIR LLD PIPIT_VERSION
export OUT DESTDIR BINDIR SBINDIR MANDIR DATADIR SYSCONFDIR

build:
	@CARGO='$(CARGO)' target-specs/build.sh '$(ARCH)' '$(OUT)'

# What `make initramfs` makes, and of what.
HANDOFF = $(OUT)/bin/handoff
KERNEL_VERSION =
MODULES = minimal
INITRAMFS_OPTIONS =

# Root need not have the toolchain: what is built is installed as it is.
$(OUT)/bin/pipit $(OUT)/bin/handoff:
	@CARGO='$(CARGO)' target-specs/build.sh '$(ARCH)' '$(OUT)'

install install-init: $(OUT)/bin/pipit
	@./install.sh $@

uninstall uninstall-init:
	@./install.sh $@

initramfs: $(HANDOFF)
	@stage-scripts/mkinitramfs -i '$(HANDOFF)' -m '$(MODULES)' -o '$(OUT)/initramfs.img' $(INITRAMFS_OPTIONS) $(KERNEL_VERSION)

check:
	tests/check.sh

clean:
	rm -rf out target

help:
	@printf '%s\n' \
	  'make [ARCH=x86_64|armv7]   build into out/ARCH/bin (here: $(ARCH))' \
	  'make install               install beside the init system that is there (DESTDIR= ARCH= PREFIX= BINDIR= SBINDIR=)' \
	  'make install-init          then let /sbin/init, halt, poweroff, reboot ... be ours; the old ones are kept' \
	  'make uninstall-init        the way back: the old ones again' \
	  'make uninstall             remove what install brought; changed configuration stays' \
	  'make initramfs             an image of handoff and modules: out/ARCH/initramfs.img' \
	  '                           (ARCH= KERNEL_VERSION= MODULES=minimal|host|none|NAME,... HANDOFF=PATH;' \
	  '                           INITRAMFS_OPTIONS= other options of mkinitramfs(8), such as -r /mnt/target)' \
	  'make check                 all tests (installs what they need, as root on Debian)' \
	  'make clean                 remove out/ and target/' \
	  '' \
	  'TOOLCHAIN=source|stable    take only a Rust with library source, or only the fall-back without' \
	  'CARGO=PATH                 take this cargo, and the rustc beside it' \
	  'MUSL_LIBDIR=DIRECTORY      where libc.a of musl is' \
	  'LLD=PATH                   the linker'

.PHONY: build install install-init uninstall uninstall-init initramfs check clean help
