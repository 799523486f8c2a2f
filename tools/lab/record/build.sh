#!/usr/bin/env bash
# Records traces/cargo-build-files.zst: every file that a debug `cargo build` from scratch looks
# up, writes or deletes, in order, over all its processes.
#
#   tools/lab/record/build.sh PROJECT_DIR [OUT]
#
# The record in the repository: `cargo build` by rustc 1.95.0 on Linux x86_64, committed on
# 2026-11-24, of a package `atomshard` of one file, src/main.rs, that had the lab's dependencies of
# that time (92 packages of crates.io, among them clap 4.6.9, papaya 0.2.5, dashmap 6.2.1, scc 3.8.8,
# plotters 0.3.7, sysinfo 0.40.1). It was no commit of this repository and is not kept. That much can
# be read in the record: versions in paths, the name of librustc_driver. Recording anew gives
# another trace, and what the lab expects of it (tools/lab/src/trace.rs) changes with it.
#
# Needs strace, awk and zstd. The crates must have been fetched before, so that the record
# holds the build and not the download. One line per system call that names a file:
#
#   get,PATH   looked at: open to read, stat, access, readlink, execve; also when it is missing,
#              as a cache of look-ups keeps misses too
#   put,PATH   made or rewritten: open to write, mkdir, the new name of a rename
#   del,PATH   gone: unlink, rmdir, the old name of a rename
#
# The home, project and target folders are written as /home, /project and /target. Only paths
# without a comma or a quote are kept, so that the file needs no quoting.
set -euo pipefail
project=$(cd "$1" && pwd)
out=${2:-traces/cargo-build-files.zst}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
here=$(pwd)
(cd "$project" && CARGO_INCREMENTAL=0 CARGO_TARGET_DIR="$work/target" \
    strace -f --seccomp-bpf -q -s 4096 -o "$work/strace" \
    -e trace=open,openat,creat,stat,lstat,newfstatat,statx,access,faccessat,faccessat2,readlink,readlinkat,execve,mkdir,mkdirat,unlink,unlinkat,rmdir,rename,renameat,renameat2,link,linkat,symlink,symlinkat \
    cargo build --offline --quiet)
cd "$here"
awk -v work="$work" -v project="$project" -v home="$HOME" '
function emit(op, path) {
    if (path == "" || path ~ /[,"\\]/) return
    if (index(path, work "/target") == 1) path = "/target" substr(path, length(work) + 8)
    else if (index(path, project) == 1) path = "/project" substr(path, length(project) + 1)
    else if (index(path, home) == 1) path = "/home" substr(path, length(home) + 1)
    print op "," path
}
BEGIN { print "op,key" }
/ resumed>/ || !/^[0-9]+ +[a-z0-9_]+\(/ { next }
{
    match($0, /[a-z0-9_]+\(/)
    call = substr($0, RSTART, RLENGTH - 1)
    n = split($0, part, "\"")
    if (n < 3) next
    first = part[2]
    last = part[n - 1]
    if (call ~ /^(unlink|unlinkat|rmdir)$/) emit("del", first)
    else if (call ~ /^rename/) { emit("del", first); emit("put", last) }
    else if (call ~ /^(link|linkat|symlink|symlinkat)$/) emit("put", last)
    else if (call ~ /^(mkdir|mkdirat|creat)$/) emit("put", first)
    else if (call ~ /^open/ && $0 ~ /O_CREAT|O_TRUNC|O_WRONLY/) emit("put", first)
    else emit("get", first)
}' "$work/strace" >"$out.tmp"
zstd -19 --long=23 --quiet --force "$out.tmp" -o "$out"
echo "$out: $(wc -l <"$out.tmp") lines, $(sort -u "$out.tmp" | wc -l) different," \
    "$(wc -c <"$out") bytes, $(cargo --version)"
rm "$out.tmp"
