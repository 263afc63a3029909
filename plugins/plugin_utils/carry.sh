# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
#
# The target's half of carrying an executable: one round trip that finds, runs or places the program, which holds all
# modules.
# placement.py sends this text, without its comments, as
#
#   /bin/sh -c TEXT tls.everywhere VERB NAME PROGRAMS FILE [DIRECTORY...]
#
#   VERB       run: find the program and run it with NAME and FILE; find: say where it is; place: take its bytes from FILE
#   NAME       the module, for example cert_request
#   PROGRAMS   what the collection ships, words of MACHINE=SHA256:SIZE
#   FILE       a path, or - for standard input
#   DIRECTORY  where the operator wants programs to be kept; tried before the usual places
#
# The shell answers with lines "tls.everywhere: WORD DETAIL"; a program that is run answers with its own JSON line.
# It must run under dash, bash and busybox ash, and survive the quoting of shells that are no relatives of theirs:
# no single quotes, no backslashes.

set -fu
verb=$1 name=$2 programs=$3 file=$4
shift 4

say() {
    echo "tls.everywhere: $*"
}

# Ends an answer that did not need standard input: a sender that meets a closed pipe would call the host unreachable.
finish() {
    [ "$file" != - ] || cat >/dev/null
    exit 0
}

# GNU ls obeys these; the program must still see them.
facts() {
    unset TIME_STYLE BLOCK_SIZE LS_BLOCK_SIZE
    LC_ALL=C TZ=UTC0 ls -ldn "$@" 2>/dev/null
}

# DIRECTORY: ours, and writable by nobody else. A POSIX ACL cannot grant more than the group bits show.
private() {
    [ -O "$1" ] || return 1
    case $(cd "$1" 2>/dev/null && facts .) in
        d????-??-*) ;;
        *) return 1 ;;
    esac
}

# DIRECTORY: holds the program as it was placed. Owner and mode keep others out; any later write, also a torn one,
# shows in the size or in the time stamp that place() sets.
held() {
    [ -x "$1/$program" ] && [ -O "$1/$program" ] && [ -O "$1" ] || return 1
    # shellcheck disable=SC2046
    set -- $(cd "$1" && facts . "$program")
    [ $# = 18 ] || return 1
    case $1 in d????-??-*) ;; *) return 1 ;; esac
    case ${10} in -r?x?-??-*) ;; *) return 1 ;; esac
    [ "${14} ${15} ${16} ${17}" = "$size Jan 1 2001" ]
}

# DIRECTORY: use the program that it holds. A status of 126 or 127 means that the kernel refused to start it
# (a noexec mount that test -x does not see): then standard input is untouched and the next directory gets its turn.
use() {
    held "$1" || return 0
    if [ "$verb" = run ]; then
        "$1/$program" "$name" "$file"
        status=$?
    else
        "$1/$program" --version </dev/null >/dev/null 2>&1
        status=$?
    fi
    case $status in 126 | 127) return 0 ;; esac
    [ "$verb" = run ] && exit "$status"
    say held "$1/$program"
    finish
}

# DIRECTORY: takes the program from FILE, or says why it cannot and returns.
place() {
    mkdir -p "$1" 2>/dev/null
    [ -d "$1" ] || { say refused "$1: cannot be made"; return 0; }
    private "$1" || { say refused "$1: is not ours alone"; return 0; }
    new=$(mktemp "$1/.incoming.XXXXXX" 2>/dev/null) || { say refused "$1: cannot be written"; return 0; }
    echo "#!/bin/sh" >"$new"
    chmod 700 "$new"
    "$new" </dev/null 2>/dev/null || { rm -f "$new"; say refused "$1: programs may not be run from it"; return 0; }
    # From here FILE is consumed: a failure is final.
    if [ "$file" = - ]; then cat >"$new"; else cat "$file" >"$new"; fi || spoiled "$1" "cannot be written in full; is the file system full?"
    case $(digest "$new") in
        "$hash"*) ;;
        "") spoiled "$1" "cannot check what arrived: the target has none of sha256sum, shasum, openssl" ;;
        *) spoiled "$1" "what arrived is not what was sent; is the file system full?" ;;
    esac
    if ! { TZ=UTC0 touch -t 200101011200 "$new" && chmod 500 "$new" && mv -f "$new" "$1/$program"; }; then
        spoiled "$1" "cannot be written"
    fi
    sweep "$1"
    say placed "$1/$program"
    exit 0
}

spoiled() {
    rm -f "$new"
    say spoiled "$*"
    finish
}

digest() {
    sha256sum <"$1" 2>/dev/null || shasum -a 256 <"$1" 2>/dev/null || openssl dgst -sha256 -r <"$1" 2>/dev/null
}

# FILE DAYS: a file that was changed longer ago.
older() {
    [ -n "$(find "./$1" -prune -type f -ctime "+$2" 2>/dev/null)" ]
}

# DIRECTORY: removes what older versions of the collection left: more than 30 days or 4 programs ago. Before all
# modules were in one program, a version was four.
# Change time, because the modification time is our mark.
sweep() (
    cd "$1" || exit 0
    kept=0
    # Newest first, which no glob can do; names of ours have neither blanks nor line ends.
    # shellcheck disable=SC2012
    ls -Atc 2>/dev/null | while read -r old; do
        case $old in
            "$program") continue ;;
            .incoming.*) older "$old" 1 && rm -f "./$old"; continue ;;
        esac
        ending=${old##*-}
        case $ending in *[!0-9a-f]*) continue ;; esac
        [ ${#ending} = 64 ] || continue
        kept=$((kept + 1))
        if [ "$kept" -gt 4 ] || older "$old" 30; then rm -f "./$old"; fi
    done
)

machine=$(uname -sm)
machine=${machine#Linux }
case $machine in
    amd64) machine=x86_64 ;;
    arm64) machine=aarch64 ;;
esac
hash=
for shipped in $programs; do
    [ "${shipped%%=*}" != "$machine" ] || hash=${shipped#*=}
done
if [ -z "$hash" ]; then
    say unshipped "$machine"
    finish
fi
size=${hash#*:}
hash=${hash%:*}
program=tls_everywhere-$hash

cache=${XDG_CACHE_HOME:-}
case $cache in
    /*) ;;
    *) cache=
        # A home that does not exist is not ours to make.
        case ${HOME:-} in /*) [ ! -d "$HOME" ] || cache=${HOME%/}/.cache ;; esac ;;
esac
[ -z "$cache" ] || set -- "$@" "$cache/tls.everywhere"

case $verb in
    run | find) for directory in "$@"; do use "$directory"; done ;;
    place) umask 077; for directory in "$@"; do place "$directory"; done ;;
esac

# Nobody else can squat these: the name ends in random letters, and one that is not ours alone is passed over.
stem=/var/tmp/tls.everywhere.$(id -u)
set +f
set -- "$stem".*
set -f
for directory in "$@"; do
    if [ ! -d "$directory" ] || [ -h "$directory" ] || ! private "$directory"; then continue; fi
    case $verb in
        place) place "$directory" ;;
        *) use "$directory" ;;
    esac
done
if [ "$verb" = place ]; then
    if directory=$(mktemp -d "$stem.XXXXXX" 2>/dev/null); then
        place "$directory"
        rmdir "$directory" 2>/dev/null
    else
        say refused "/var/tmp: cannot be written"
    fi
    say nowhere "$machine"
else
    say missing "$machine"
fi
finish
