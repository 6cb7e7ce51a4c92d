#!/usr/bin/env bash
# npm start: sets up, then records. `npm start -- show --since -1h` runs another command instead.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

bash scripts/setup.sh
case ${1:-} in
  '' | -*) set -- record "$@" ;;
esac
exec bin/losslog "$@"
