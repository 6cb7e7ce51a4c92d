#!/usr/bin/env bash
# npm run test:kernels: sets up, then runs scripts/test-kernels.ts.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
PATH=$PWD/node_modules/.bin:$PATH

bash scripts/setup.sh kernels
exec node --disable-warning=ExperimentalWarning scripts/test-kernels.ts "$@"
