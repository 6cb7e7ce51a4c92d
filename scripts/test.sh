#!/usr/bin/env bash
# npm test: sets up, then runs the unit tests (beside the code) and the system tests (test/, one file at a time,
# since they share the kernel). Arguments that begin with - go to Node's test runner; others are the files to run.
# The last line is `N passed, N failed, N skipped`.
# With LOSSLOG_SECOND_CHANCE=1 a file of system tests in which something failed is run once more, and named: on a machine
# that others use, too, one of a thousand real packets may go another way. What fails twice has failed.
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
failed=$(mktemp)
trap 'rm -f "$totals" "$failed"' EXIT
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
  awk 'NF == 3' "$report" >>"$totals"
  awk 'NF > 3' "$report" >"$failed"
  rm -f "$report"
}

# Runs the files that failed once more; their first totals do not count.
run_again() {
  local files
  mapfile -t files < <(cut -d' ' -f4- "$failed")
  [[ ${#files[@]} -gt 0 && ${LOSSLOG_SECOND_CHANCE:-0} == 1 ]] || return 0
  printf 'failed once, run again: %s\n' "${files[@]#"$PWD/"}"
  awk '{ print -$1, -$2, -$3 }' "$failed" >>"$totals"
  status=$1
  run 1 300 "${files[@]}"
}

if [[ ${#files[@]} -gt 0 ]]; then
  run 1 300 "${files[@]}"
else
  run "$(nproc)" 60 'src/**/*.test.ts' 'ui/**/*.test.ts' 'scripts/**/*.test.ts'
  before=$status
  run 1 300 'test/**/*.test.ts'
  run_again "$before"
fi

awk '{ passed += $1; failed += $2; skipped += $3 } END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped }' "$totals"
exit "$status"
