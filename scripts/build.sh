#!/usr/bin/env bash
# npm pack runs this first: dist/ gets the compiled JavaScript, the BPF object and the page, so that the installed package
# needs no compiler. Talks to stderr, since `npm pack --json` owns stdout.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
PATH=$PWD/node_modules/.bin:$PATH
exec 1>&2

bash scripts/setup.sh
rm -rf dist
node --disable-warning=ExperimentalWarning scripts/bundle.ts dist/cli
rm dist/cli/sources.json
mkdir dist/bpf
cp build/losslog.bpf.o dist/bpf/losslog.bpf.o
cp -r build/ui dist/ui

# The bundler does not look into the URL of a worker; it must be made from import.meta.url's own extension.
if grep -rnE "new URL\([^)]*\.ts['\"\`]" dist; then
  echo 'build: these URLs name a source file that the package does not have'
  exit 1
fi
