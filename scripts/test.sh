#!/usr/bin/env bash
# npm test: sets up, then runs the unit tests (beside the code) and the system tests (test/, one file at a time,
# since they share the kernel). Arguments that begin with - go to Node's test runner; others are the files to run.
# The last line is `N passed, N failed, N skipped`.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
PATH=$PWD/node_modules/.bin:$PATH

bash scripts/setup.sh tests

options=()
files=()
for argument in "$@"; do
  case $argument in
    -*) options+=("$argument") ;;
    *) files+=("$argument") ;;
  esac
done

totals=$(mktemp)
trap 'rm -f "$totals"' EXIT
status=0

# The time limit holds for each test; without --test-force-exit a file whose test was cut off could wait on for ever.
# run CONCURRENCY TIMEOUT_SECONDS FILE...
run() {
  local report
  report=$(mktemp)
  node --disable-warning=ExperimentalWarning --test "--test-concurrency=$1" "--test-timeout=${2}000" --test-force-exit \
    --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=./scripts/totals-reporter.ts --test-reporter-destination="$report" \
    "${options[@]}" "${@:3}" || status=1
  # A runner that died has told nothing; that is one failure.
  [[ -s $report ]] || echo '0 1 0' >"$report"
  cat "$report" >>"$totals"
  rm -f "$report"
}

if [[ ${#files[@]} -gt 0 ]]; then
  run 1 300 "${files[@]}"
else
  run "$(nproc)" 60 'src/**/*.test.ts' 'ui/**/*.test.ts' 'scripts/**/*.test.ts'
  run 1 300 'test/**/*.test.ts'
fi

awk '{ passed += $1; failed += $2; skipped += $3 } END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped }' "$totals"
exit "$status"
