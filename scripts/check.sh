#!/usr/bin/env bash
# npm run check: everything that is checked without running the program. All checks run, whichever fails first.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
PATH=$PWD/node_modules/.bin:$PATH

status=0
check() {
  local name=$1
  shift
  if "$@" 1>&2; then
    printf 'check: %s ok\n' "$name" >&2
  else
    printf 'check: %s FAILED\n' "$name" >&2
    status=1
  fi
}

check 'style (biome)' biome ci --error-on-warnings .
check 'types (tsc)' tsc -p .
check 'types of the page (tsc)' tsc -p ui
check 'layers' node --disable-warning=ExperimentalWarning scripts/check-layers.ts
check 'generated files' node --disable-warning=ExperimentalWarning scripts/generate.ts --check
exit "$status"
