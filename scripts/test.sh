#!/usr/bin/env bash
# npm test: sets up, then runs the unit tests (beside the code) and the system tests (test/, one file at a time,
# since they share the kernel). Arguments that begin with - go to Node's test runner; others are the files to run.
# The last line is `N passed, N failed, N skipped`.
# With LOSSLOG_SECOND_CHANCE=1 a system test that failed is run once more, and named: on a machine that others use, too,
# one of a thousand real packets may go another way. What fails twice has failed.
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
  grep -E '^[0-9]' "$report" >>"$totals" || true
  grep -E '^(name|again) ' "$report" >"$failed" || true
  rm -f "$report"
}

# Runs the tests that failed once more; that they failed does not count then.
# run_again STATUS_BEFORE
run_again() {
  local files names first second
  mapfile -t files < <(sed -n 's/^again //p' "$failed")
  mapfile -t names < <(sed -n 's/^name //p' "$failed")
  [[ ${#names[@]} -gt 0 && ${LOSSLOG_SECOND_CHANCE:-0} == 1 ]] || return 0
  printf 'failed once, run again: %s\n' "${names[@]}"
  read -ra first < <(tail -n 1 "$totals")
  status=$1
  run 1 300 "${names[@]/#/--test-name-pattern=}" "${files[@]}"
  read -ra second < <(tail -n 1 "$totals")
  # All of them must have run again: a file that ended early has not told what else would have failed.
  if ((second[0] + second[1] + second[2] >= first[1])); then echo "0 -${first[1]} 0" >>"$totals"; else status=1; fi
}

if [[ ${#files[@]} -gt 0 ]]; then
  run 1 300 "${files[@]}"
else
  run "$(nproc)" 60 'src/**/*.test.ts' 'ui/**/*.test.ts' 'scripts/**/*.test.ts' 'bench/**/*.test.ts'
  before=$status
  run 1 300 'test/**/*.test.ts'
  run_again "$before"
fi

awk '{ passed += $1; failed += $2; skipped += $3 } END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped }' "$totals"
exit "$status"
