#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the Debian package into build/package from the release preset.
#
#   tools/package.sh          builds
#   tools/package.sh --test   also checks it, installs it, tries it and purges it (as root or sudo)
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
unit=debian/jouleway.service
passed=0
failed=0

check() { # check "what holds" command...
    local what=$1 output
    shift
    if output=$("$@" 2>&1); then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED %s\n%s\n' "$what" "$output" | tail -n 40
    fi
}

clear_staging() {
    rm -rf debian/.debhelper debian/jouleway debian/files debian/debhelper-build-stamp
    rm -f debian/jouleway.*.debhelper debian/*.substvars
}

build() {
    clear_staging
    rm -rf build/package
    debian/rules binary || return 1
    clear_staging
    deb=$(ls build/package/jouleway_*.deb)
    echo "package: $deb, $(stat -c %s "$deb") bytes"
}

exposure_at_most_two() { systemd-analyze security --offline=true --threshold=20 "$1"; }

# The threshold is a test only if losing one line breaks it.
a_lost_line_is_noticed() {
    local weaker
    weaker=$(mktemp -d)/jouleway.service
    grep -v '^ProtectSystem=' "$unit" >"$weaker"
    ! exposure_at_most_two "$weaker"
}

group_has() { # group_has @GROUP CALL: whether systemd's group of system calls holds that one
    local member
    while read -r member; do
        case "$member" in
            "$2") return 0 ;;
            "$1" | \#*) ;;
            @*) group_has "$member" "$2" && return 0 ;;
        esac
    done < <(systemd-analyze syscall-filter "$1")
    return 1
}

# As systemd reads the lines: the later one decides.
call_is_allowed() { # call_is_allowed UNIT CALL
    local allowed=1 line effect word
    while read -r line; do
        effect=0
        [[ $line == '~'* ]] && effect=1
        for word in ${line#\~}; do
            [ "$word" = "$2" ] || { [[ $word == @* ]] && group_has "$word" "$2"; } &&
                allowed=$effect
        done
    done < <(sed -n 's/^SystemCallFilter=//p' "$1")
    return "$allowed"
}

# Where the service may not ask, it never believes the clock, and no record gets a time.
the_clock_may_be_asked() {
    call_is_allowed "$1" adjtimex && call_is_allowed "$1" clock_adjtime &&
        ! grep -qE '^ProtectClock=(yes|true|1|on)' "$1"
}

nobody_may_set_the_clock() {
    ! call_is_allowed "$unit" settimeofday && ! call_is_allowed "$unit" clock_settime &&
        ! grep -q '^[^#]*CAP_SYS_TIME' "$unit"
}

a_closed_clock_is_noticed() {
    local closed
    closed=$(mktemp -d)/jouleway.service
    grep -v '^SystemCallFilter=adjtimex' "$unit" >"$closed"
    ! the_clock_may_be_asked "$closed" &&
        { cat "$unit" && echo ProtectClock=yes; } >"$closed" && ! the_clock_may_be_asked "$closed"
}

lintian_has_no_error() { lintian --fail-on error --suppress-tags bogus-mail-host "$deb"; }

files_are_there() {
    local file
    for file in /usr/bin/jouleway /usr/bin/joulectl /etc/jouleway/jouleway.json \
        /lib/systemd/system/jouleway.service /usr/lib/sysusers.d/jouleway.conf \
        /usr/lib/tmpfiles.d/jouleway.conf /usr/lib/modules-load.d/jouleway.conf \
        /lib/udev/rules.d/60-jouleway.rules /usr/share/man/man8/jouleway.8.gz \
        /usr/share/man/man1/joulectl.1.gz /usr/share/jouleway/file_ids.txt \
        /usr/share/bash-completion/completions/joulectl /usr/share/doc/jouleway/copyright \
        /usr/share/doc/jouleway/examples/jouleway.json; do
        [ -e "$file" ] || { echo "missing: $file"; return 1; }
    done
}

user_is_there() {
    getent passwd jouleway | grep -q ':/var/lib/jouleway:/usr/sbin/nologin$' &&
        id -nG jouleway | grep -qw dialout &&
        [ "$(stat -c %U:%a /var/lib/jouleway)" = jouleway:750 ]
}

is_hardened() { # position independent, read-only relocations bound at start, no executable stack
    local told
    told=$(readelf -hldW --dyn-syms "$1")
    grep -q 'Type:.*DYN' <<<"$told" && grep -qE 'BIND_NOW|Flags:.* NOW' <<<"$told" &&
        grep -q GNU_RELRO <<<"$told" && grep GNU_STACK <<<"$told" | grep -qv RWE &&
        grep -q __stack_chk_fail <<<"$told"
}

as_service_user() { "${as_root[@]}" setpriv --reuid jouleway --regid jouleway --clear-groups "$@"; }

wrong_settings_are_refused() {
    local wrong
    wrong=$(mktemp)
    echo '{"gateway":"Not A Name","buses":[],"devices":[]}' >"$wrong"
    chmod 644 "$wrong"
    as_service_user jouleway --config "$wrong" --check-config
    [ $? -eq 2 ]
}

nothing_is_left() {
    ! dpkg-query -W jouleway && [ ! -e /usr/bin/jouleway ] && [ ! -e /var/lib/jouleway ] &&
        [ ! -e /etc/jouleway/jouleway.json ]
}

try_installed() {
    check "the files are where Debian wants them" files_are_there
    check "the service has a user of its own that reaches serial ports" user_is_there
    check "jouleway is a hardened program" is_hardened /usr/bin/jouleway
    check "joulectl is a hardened program" is_hardened /usr/bin/joulectl
    check "jouleway says its version" as_service_user jouleway --version
    check "the shipped settings are right" \
        as_service_user jouleway --config /etc/jouleway/jouleway.json --check-config
    check "the example is right" as_service_user jouleway \
        --config /usr/share/doc/jouleway/examples/jouleway.json --check-config
    check "wrong settings are refused with status 2" wrong_settings_are_refused
    check "the manual can be read" man -w jouleway
}

build || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
[ "${1:-}" = --test ] || exit 0

check "the unit is closed but for what it needs" exposure_at_most_two "$unit"
check "a unit that lost a line is noticed" a_lost_line_is_noticed
check "the service may ask whether the clock is right" the_clock_may_be_asked "$unit"
check "the service may not set the clock" nobody_may_set_the_clock
check "a unit that hides the clock is noticed" a_closed_clock_is_noticed
check "lintian finds no error" lintian_has_no_error
if dpkg-query -W -f '${db:Status-Status}' jouleway 2>/dev/null | grep -qx installed; then
    echo "package: jouleway is installed on this machine, so that installing it was not tried"
    echo "$passed passed, $failed failed, 9 skipped"
    exit $((failed > 0))
fi
check "it installs" "${as_root[@]}" dpkg -i "$deb"
try_installed
check "it can be purged" "${as_root[@]}" dpkg --purge jouleway
check "purging leaves nothing" nothing_is_left
echo "$passed passed, $failed failed, 0 skipped"
exit $((failed > 0))
