#!/usr/bin/env bash
# npm pack runs this first: dist/ gets the compiled JavaScript, the BPF object and the page, so that the installed package
# needs no compiler. Talks to stderr, since `npm pack --json` owns stdout.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
PATH=$PWD/node_modules/.bin:$PATH
exec 1>&2

bash scripts/setup.sh
rm -rf dist
tsc -p tsconfig.build.json
cp build/losslog.bpf.o dist/bpf/losslog.bpf.o
cp -r build/ui dist/ui

# tsc rewrites the extension in imports, not in a worker's URL; such a URL must be made from import.meta.url's own.
if grep -rnE "new URL\([^)]*\.ts['\"\`]" dist; then
  echo 'build: these URLs name a source file that the package does not have'
  exit 1
fi
