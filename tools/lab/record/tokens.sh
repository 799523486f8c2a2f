#!/usr/bin/env bash
# Records traces/rust-src-tokens.zst: the identifiers of Rust's own library sources, one a line,
# in the order in which they stand in the files (files sorted by path).
#
#   tools/lab/record/tokens.sh [OUT]
#
# Needs rustup, coreutils and zstd. What is left out: line comments, and the generated
# intrinsics (stdarch, std_detect, portable-simd), which would be most of the text.
set -euo pipefail
out=${1:-traces/rust-src-tokens.zst}
rustup component add rust-src
lib=$(rustc --print sysroot)/lib/rustlib/src/rust/library
cd_from=$(pwd)
cd "$lib"
LC_ALL=C
export LC_ALL
find . -name '*.rs' -not -path './stdarch/*' -not -path './std_detect/*' \
    -not -path './portable-simd/*' | sort | xargs cat | sed 's,//.*,,' |
    grep -oE '[A-Za-z_][A-Za-z0-9_]*' >"$cd_from/$out.tmp"
cd "$cd_from"
zstd -19 --long=23 --quiet --force "$out.tmp" -o "$out"
echo "$out: $(wc -l <"$out.tmp") lines, $(sort -u "$out.tmp" | wc -l) different," \
    "$(wc -c <"$out") bytes, $(rustc --version)"
rm "$out.tmp"
