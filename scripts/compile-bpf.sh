#!/usr/bin/env bash
# Compiles bpf/losslog.bpf.c, the one translation unit, to build/losslog.bpf.o.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

machine=$(uname -m)
case $machine in
  x86_64) target=x86 ;;
  aarch64) target=arm64 ;;
  *) target=$machine ;;
esac

mkdir -p build
object=$(mktemp build/losslog.bpf.XXXXXX)
trap 'rm -f "$object"' EXIT

# -g makes BTF. asm/types.h is in a directory per architecture on Debian, which clang does not search for -target bpf.
# Paths in the object are relative, so that the same sources give the same object everywhere.
clang -g -O2 -target bpf "-D__TARGET_ARCH_$target" -Wall -Werror -ffile-prefix-map="$PWD"=. \
  -idirafter "/usr/include/$machine-linux-gnu" -c bpf/losslog.bpf.c -o "$object"

# DWARF is two thirds of the object and nobody reads it; -g leaves .BTF and .BTF.ext in place.
strip=$(compgen -c llvm-strip | sort -V | head -n 1 || true)
[[ -z $strip ]] || "$strip" -g "$object"

chmod 644 "$object"
mv "$object" build/losslog.bpf.o
