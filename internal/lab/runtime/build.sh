#!/usr/bin/env bash
# Builds the Python that runs labs, from Debian's packages.
#
#   build.sh folder            puts it there as python.wasm, with the licences beside it
#   build.sh --cached folder   the same, but only if it has been built before; else it ends with 3
#   build.sh --check           builds it anew elsewhere, and ends with 1 if the result is not the recorded one
#
# Needs Linux on amd64 or arm64, Go, make, curl, a network, and no rights. What it
# fetches and what it has built stays in $BANYAN_CACHE (else ~/.cache/banyan), under
# the digest of this recipe: a second call only copies. docs/lab-runtime.md tells more.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
steps=6

die() { # what failed, cure
	echo "The Python runtime was not built: $1" >&2
	[ $# -lt 2 ] || echo "  $2" >&2
	exit 1
}
say() { echo "$1/$steps $2"; }

mode=build
case ${1:-} in
--cached | --check) mode=${1#--} && shift ;;
esac
[ $# -eq "$([ $mode = check ] && echo 0 || echo 1)" ] || die "no folder given" "usage: $0 [--cached] folder, or $0 --check"

if [ "$(uname -s)" != Linux ]; then
	[ $mode != cached ] || exit 3
	die "it needs Linux" "Build it in a container (deploy/Dockerfile): the file is the same everywhere."
fi

# The recipe is everything here that can change the result.
recipe=$(cd "$here" && sha256sum sources.txt build.sh python/*.* snapshot/main.go snapshot/rewrite.go | sha256sum | cut -c1-16)
cache=${BANYAN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/banyan}/runtime
kept=$cache/$recipe
record=$(cat "$here/digest.txt" 2>/dev/null || true)

digest() { sha256sum "$1" | cut -d' ' -f1; }

if [ $mode = check ]; then
	other=$(mktemp -d)
	trap 'rm -rf "$other"' EXIT
	mkdir -p "$cache/downloads" "$other/runtime"
	ln -s "$cache/downloads" "$other/runtime/downloads"
	BANYAN_CACHE=$other "$here/build.sh" "$other"
	[ "$(digest "$other/python.wasm")" = "$record" ] || die "it is not the recorded one"
	echo "It is the recorded one, sha256:$record."
	exit 0
fi

mkdir -p "$1"
out=$(cd "$1" && pwd)

# What is there already and the same keeps its time, so that make does not compile it again.
deliver() {
	local name built
	for name in LICENSES python.wasm; do
		if ! cmp -s "$kept/$name" "$out/$name"; then
			cp "$kept/$name" "$out/$name.$$"
			mv "$out/$name.$$" "$out/$name"
		fi
	done
	built=$(digest "$out/python.wasm")
	if [ "$built" != "$record" ]; then
		echo "The Python runtime is sha256:$built, and internal/lab/runtime/digest.txt says ${record:-nothing}." >&2
		echo "  If you changed the recipe, record it: echo $built > internal/lab/runtime/digest.txt" >&2
		echo "  If you did not, this machine builds something else than others do. Labs work; please report it." >&2
	fi
}

if [ -f "$kept/python.wasm" ]; then
	deliver
	exit 0
fi
[ $mode = build ] || exit 3

case $(uname -m) in
x86_64) arch=amd64 triplet=x86_64-linux-gnu loader=ld-linux-x86-64.so.2 ;;
aarch64) arch=arm64 triplet=aarch64-linux-gnu loader=ld-linux-aarch64.so.1 ;;
*) die "there are pins for amd64 and arm64 only, and this is $(uname -m)" "Build it on such a machine: the file is the same everywhere." ;;
esac
case $cache in
*[[:space:]]*) die "make cannot work in $cache: its name has a space" "Name another folder: BANYAN_CACHE=/var/tmp/banyan $0 $out" ;;
esac
for tool in go make curl flock; do
	command -v $tool >/dev/null || die "$tool is missing" "Install it with your system's packages."
done
command -v dpkg-deb >/dev/null || { command -v ar && command -v tar && command -v xz; } >/dev/null || die "neither dpkg-deb nor ar, tar and xz are here" "Install dpkg, or binutils, tar and xz."

mkdir -p "$cache/downloads"
exec 9>"$cache/$recipe.lock"
if ! flock -n 9; then
	echo "Another build of the same runtime is under way. Waiting for it."
	flock 9
	if [ -f "$kept/python.wasm" ]; then
		deliver
		exit 0
	fi
fi

work=$(mktemp -d "$cache/work.XXXXXX")
log=$work/build.log
trap 'rm -rf "$work"' EXIT
# Keeps the end of the log when a step fails.
attempt() {
	if ! "$@" >>"$log" 2>&1; then
		tail -n 30 "$log" >&2
		cp "$log" "$cache/$recipe.log"
		die "$* failed" "The whole log: $cache/$recipe.log"
	fi
}

# 1. Fetch. A file is named by its digest, and is there only when whole and right.
mapfile -t mirrors < <(sed -n 's/^# mirror //p' "$here/sources.txt")
mapfile -t pins < <(awk -v arch="$arch" '$1 == "all" || $1 == arch' "$here/sources.txt")
say 1 "fetching ${#pins[@]} files, $(printf '%s\n' "${pins[@]}" | awk '{ n += $3 } END { printf "%d", n / 1e6 }') MB"
fetch() { # sum path
	local part=$cache/downloads/$1.part.$$ mirror
	for mirror in "${mirrors[@]}"; do
		if curl --fail --silent --show-error --location --retry 2 --connect-timeout 20 --speed-limit 1000 --speed-time 60 --output "$part" "$mirror/$2" 2>>"$log"; then
			if echo "$1  $part" | sha256sum --check --status; then
				mv "$part" "$cache/downloads/$1"
				return
			fi
			echo "$mirror/$2 has another digest than sources.txt says" >>"$log"
		fi
	done
	rm -f "$part"
	tail -n 4 "$log" >&2
	die "$2 cannot be fetched" "Is there a network? If the file has left both mirrors, write the pins anew: docs/lab-runtime.md."
}
for pin in "${pins[@]}"; do
	read -r _ sum _ path <<<"$pin"
	[ -f "$cache/downloads/$sum" ] || fetch "$sum" "$path"
done

# 2. Unpack. The programs run through their own loader, so the building system's C library does not matter.
say 2 "unpacking"
root=$work/root bin=$work/bin
mkdir -p "$root" "$bin"
unpack_deb() {
	if command -v dpkg-deb >/dev/null; then
		dpkg-deb -x "$1" "$root"
	else
		ar p "$1" data.tar.xz | tar -xJ -C "$root"
	fi
}
for pin in "${pins[@]}"; do
	read -r _ sum _ path <<<"$pin"
	case $path in
	*.deb) attempt unpack_deb "$cache/downloads/$sum" ;;
	*.orig.tar.xz) source=$cache/downloads/$sum ;;
	esac
done
llvm=$root/usr/lib/llvm-19
libraries=$root/usr/lib/$triplet:$llvm/lib
start="exec '$root/usr/lib/$triplet/$loader' --library-path '$libraries'"
wrap() { # name, command: a program of the unpacked system
	printf '#!/bin/sh\n%s\n' "$2" >"$bin/$1"
	chmod +x "$bin/$1"
}
# clang finds its helpers beside the name it is called by, and calls itself with -cc1 first.
wrap clang "[ \"\$1\" = -cc1 ] && $start --argv0 '$bin/clang' '$llvm/bin/clang' \"\$@\"
$start --argv0 '$bin/clang' '$llvm/bin/clang' -no-canonical-prefixes \"\$@\""
wrap wasm-ld-19 "$start --argv0 wasm-ld '$llvm/bin/lld' \"\$@\""
wrap llvm-ar "$start --argv0 llvm-ar '$llvm/bin/llvm-ar' \"\$@\""
wrap llvm-ranlib "$start --argv0 llvm-ranlib '$llvm/bin/llvm-ar' \"\$@\""
wrap python3.13 "export PYTHONHOME='$root/usr'
$start --argv0 '$bin/python3.13' '$root/usr/bin/python3.13' \"\$@\""
attempt "$bin/python3.13" -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2], filter="data")' "$source" "$work"
src=$(echo "$work"/Python-3.13.*)
mv "$src" "$work/python"
src=$work/python
# Where clang looks for its runtime library under this target's name.
mkdir -p "$work/resource/lib/wasm32-unknown-wasip1"
cp -r "$llvm"/lib/clang/19/include "$work/resource/"
cp "$llvm/lib/clang/19/lib/wasi/libclang_rt.builtins-wasm32.a" "$work/resource/lib/wasm32-unknown-wasip1/libclang_rt.builtins.a"

# Deep recursion in C is to end with RecursionError in a browser too, whose stack is a megabyte: docs/lab-runtime.md.
limit() {
	sed -i 's/define Py_C_RECURSION_LIMIT 5000/define Py_C_RECURSION_LIMIT 1500/' "$src/Include/cpython/pystate.h"
	grep -q 'define Py_C_RECURSION_LIMIT 1500' "$src/Include/cpython/pystate.h"
}
attempt limit

# 3. Configure. The environment is ours alone, and the compiler writes neither paths nor the time.
clean=(env -i "PATH=$bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" "HOME=$work" "TMPDIR=$work" LC_ALL=C TZ=UTC SOURCE_DATE_EPOCH=1767225600 PYTHONHASHSEED=0 PKG_CONFIG_LIBDIR=/nonexistent)
target="--target=wasm32-wasip1 --sysroot=$root/usr -resource-dir=$work/resource"
# No more of WebAssembly than a telephone of 2020 knows: docs/lab-runtime.md, and TestFeatures.
features="-mmutable-globals -msign-ext -mnontrapping-fptoint -mbulk-memory -mno-reference-types -mno-multivalue"
# What a program in a sandbox has no use for, or what is large for few: codecs of East Asia, sub-interpreters, processes.
without=(_codecs_cn _codecs_hk _codecs_iso2022 _codecs_jp _codecs_kr _codecs_tw _multibytecodec
	_interpreters _interpchannels _interpqueues _posixsubprocess _asyncio _lsprof _zoneinfo _elementtree pyexpat
	mmap select _socket syslog termios resource fcntl grp pwd xxlimited xxlimited_35 xxsubtype readline _curses)
without=("${without[@]/#/py_cv_module_}")
without=("${without[@]/%/=n/a}")
configure() {
	cd "$src"
	"${clean[@]}" CONFIG_SITE=Tools/wasm/config.site-wasm32-wasi \
		"CC=clang $target" "CPP=clang $target -E" AR=llvm-ar RANLIB=llvm-ranlib \
		OPT=-DNDEBUG "CFLAGS=-O2 $features -ffile-prefix-map=$work=." \
		"${without[@]}" \
		./configure --host=wasm32-wasi --build="$triplet" --with-build-python="$bin/python3.13" \
		--disable-test-modules --with-pymalloc --without-ensurepip --prefix=/
}
say 3 "configuring CPython"
attempt configure

# 4 and 5. Compile and link.
cp "$here/python/reactor.c" "$here/python/reactor.mk" "$src/"
compile() {
	cd "$src"
	"${clean[@]}" make -j"$(nproc)" -f Makefile -f reactor.mk "$1"
}
say 4 "compiling CPython, with $(nproc) at once"
attempt compile libpython3.13.a
say 5 "linking"
attempt compile reactor.wasm

# 6. The snapshot.
say 6 "importing the standard library and writing the memory down"
snapshot() {
	cd "$here/../../.."
	go run ./internal/lab/runtime/snapshot -reactor "$src/reactor.wasm" -lib "$src/Lib" -shelf "$here/python/shelf.py" -preload "$here/python/preload.py" -o "$work/python.wasm"
}
attempt snapshot
tail -n 1 "$log"

licences() {
	echo "python.wasm is CPython, linked with wasi-libc and LLVM's compiler-rt. Their licences follow."
	local name
	for name in CPython "$src/LICENSE" "What CPython contains of others" "$src/Doc/license.rst" wasi-libc "$root/usr/share/doc/wasi-libc/copyright" compiler-rt "$root/usr/share/doc/libclang-rt-19-dev-wasm32/copyright"; do
		case $name in
		/*) cat "$name" ;;
		*) printf '\n==== %s ====\n\n' "$name" ;;
		esac
	done
}
licences >"$work/LICENSES"
rm -rf "$kept.new"
mkdir "$kept.new"
mv "$work/python.wasm" "$work/LICENSES" "$kept.new/"
rm -rf "$kept"
mv "$kept.new" "$kept"
deliver
echo "The Python runtime is built: $out/python.wasm"
