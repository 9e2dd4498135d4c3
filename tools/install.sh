#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what building, running and testing Jouleway needs on Debian 12.
# Run as root or with sudo; safe to repeat.
#
#   tools/install.sh        what ./run needs: compiler, libraries, broker, node for the pages
#   tools/install.sh test   also what ./test needs: firmware tool chain, fuzzer, browser, peers
#   tools/install.sh bench  also what the benches compare with, and Google Benchmark
set -euo pipefail

build=(
    g++ cmake ninja-build ccache pkg-config git python3 ca-certificates
    libboost1.81-dev libssl-dev libfmt-dev libspdlog-dev nlohmann-json3-dev libvalijson-dev
    libcli11-dev libmosquitto-dev prometheus-cpp-dev libsystemd-dev libsqlite3-dev
    zlib1g-dev
    mosquitto mosquitto-clients
)
# Debian's node is enough for the pages where the machine has none of its own.
command -v npm >/dev/null 2>&1 || build+=(nodejs npm)
check=(
    clang clang-tidy clang-format libclang-rt-14-dev gcovr
    libgtest-dev libmodbus-dev
    gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf libstdc++-arm-none-eabi-dev
    qemu-system-misc
    chromium socat user-mode-linux kmod dmsetup e2fsprogs prometheus procps iproute2 can-utils
    debhelper lintian systemd man-db binutils strace valgrind
)
measure=(libbenchmark-dev librocksdb-dev)
packages=("${build[@]}")
case "${1:-}" in
    test) packages+=("${check[@]}" "${measure[@]}") ;;  # the benches are tested too
    bench) packages+=("${measure[@]}") ;;
esac

missing=()
for package in "${packages[@]}"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || {
        echo "install: these packages are missing and need root to install: ${missing[*]}" >&2
        exit 1
    }
    as_root=(sudo)
fi
# Servers that come with packages (mosquitto, prometheus) must not start here: the tests start
# their own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod +x "$policy"
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi
echo "install: ${#missing[@]} packages: ${missing[*]}"
"${as_root[@]}" apt-get update -qq
log=$(mktemp)
if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
    --no-install-recommends "${missing[@]}" >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    exit 1
fi
rm -f "$log"
