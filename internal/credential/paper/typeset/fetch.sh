#!/usr/bin/env bash
# Puts the typefaces of fonts.txt into a folder.
#
#   fetch.sh folder            from the system's own fonts where they are the same, else from Debian's packages
#   fetch.sh --cached folder   the same without a network; ends with 3 when something is missing then
#
# Needs curl, and dpkg-deb or ar, tar and xz. Packages stay in $BANYAN_CACHE (else ~/.cache/banyan).
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
list=$here/fonts.txt

die() { # what failed, cure
	echo "The typefaces are not complete: $1" >&2
	[ $# -lt 2 ] || echo "  $2" >&2
	exit 1
}

cached=
if [ "${1:-}" = --cached ]; then cached=yes && shift; fi
[ $# -eq 1 ] || die "no folder given" "usage: $0 [--cached] folder"
mkdir -p "$1"
out=$(cd "$1" && pwd)
cache=${BANYAN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/banyan}/fonts

if command -v sha256sum >/dev/null; then sum=sha256sum; else sum="shasum -a 256"; fi
digest() { $sum "$1" | cut -d' ' -f1; }

# What was whole before is not read again.
mark=$out/.complete
[ "$(cat "$mark" 2>/dev/null)" != "$(digest "$list")" ] || exit 0

put() { # file, sum, name
	[ -f "$1" ] && [ "$(digest "$1")" = "$2" ] || return 1
	cp "$1" "$out/$3.$$"
	chmod 644 "$out/$3.$$"
	mv "$out/$3.$$" "$out/$3"
}

have() { # sum, name
	[ -f "$out/$2" ] && [ "$(digest "$out/$2")" = "$1" ] && return
	local dir
	for dir in /usr/share/fonts/truetype/noto /usr/share/fonts/opentype/noto "$cache"; do
		put "$dir/$2" "$1" "$2" && return
	done
	return 1
}

missing=()
while read -r kind font package name; do
	[ "$kind" = font ] || continue
	have "$font" "$name" || missing+=("$package")
done <"$list"

if [ ${#missing[@]} -gt 0 ]; then
	[ -z "$cached" ] || exit 3
	command -v curl >/dev/null || die "curl is missing" "Install it with your system's packages."
	mapfile -t mirrors < <(sed -n 's/^# mirror //p' "$list")
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	mkdir -p "$cache"
	for package in $(printf '%s\n' "${missing[@]}" | sort -u); do
		read -r _ want bytes path < <(grep "^package .*/${package}_" "$list")
		echo "Fetching typefaces: $package, $((bytes / 1000000)) MB."
		for mirror in "${mirrors[@]}"; do
			rm -f "$work/package.deb"
			curl --fail --silent --show-error --location --retry 2 --connect-timeout 20 --speed-limit 1000 --speed-time 60 --output "$work/package.deb" "$mirror/$path" || continue
			[ "$(digest "$work/package.deb")" != "$want" ] || break
			rm -f "$work/package.deb"
		done
		[ -f "$work/package.deb" ] || die "$path cannot be fetched" "Is there a network? Certificates in the shipped languages need none of it."
		mkdir -p "$work/$package"
		if command -v dpkg-deb >/dev/null; then
			dpkg-deb -x "$work/package.deb" "$work/$package"
		else
			(cd "$work/$package" && ar p ../package.deb data.tar.xz | tar -xJ)
		fi
		while read -r kind font from name; do
			[ "$kind" = font ] && [ "$from" = "$package" ] || continue
			put "$(find "$work/$package" -name "$name" -type f | head -n 1)" "$font" "$name" || die "$package has another $name"
			# The package is some times as large as what is taken of it.
			cp "$out/$name" "$cache/$name"
		done <"$list"
	done
fi
digest "$list" >"$mark"
