#!/usr/bin/env bash
# conformance.sh [--count] [--version v1.0|v1.1|v1.2]… [--executor sandbox|docker|podman|host]…: runs the CWL suites with cwltest.
# The suites are looked for in $HALLMARK_CONFORMANCE, ../shared/conformance. --count: v1.2 on the sandbox, then "passed failed skipped".
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cache=$root/.cache
suites=${HALLMARK_CONFORMANCE:-$root/../shared/conformance}
versions=() executors=() count=
while [ $# -gt 0 ]; do
  case $1 in
    --count) count=1 ;;
    --version) versions+=("$2"); shift ;;
    --executor) executors+=("$2"); shift ;;
    *) echo "conformance: unknown argument $1" >&2; exit 2 ;;
  esac
  shift
done
if [ ${#versions[@]} -eq 0 ]; then
  versions=(v1.0 v1.1 v1.2)
  [ -z "$count" ] || versions=(v1.2)
fi
[ ${#executors[@]} -gt 0 ] || executors=(sandbox)

say() { echo "$*" >&2; }
if [ ! -d "$suites" ]; then
  say "conformance: no suites at $suites (set HALLMARK_CONFORMANCE): skipped"
  echo "0 0 1"
  exit 0
fi

# cwltest, in an environment of its own
if [ ! -x "$cache/cwltest/bin/cwltest" ]; then
  python3 -m venv "$cache/cwltest" 2>/dev/null || { apt-get install -y python3-venv >/dev/null 2>&1 && python3 -m venv "$cache/cwltest"; } || exit 1
  "$cache/cwltest/bin/pip" install -q cwltest || exit 1
fi

export HALLMARK_HOME=$cache/conformance/home
mkdir -p "$HALLMARK_HOME"
"$root/scripts/suite-images.sh" || exit 1

total_passed=0 total_failed=0 total_skipped=0
for executor in "${executors[@]}"; do
  for version in "${versions[@]}"; do
    suite=$suites/$version/conformance_tests.yaml
    [ "$version" = v1.0 ] && suite=$suites/v1.0/conformance_test_v1.0.yaml
    work=$cache/conformance/$version-$executor
    rm -rf "$work" && mkdir -p "$work"
    runner=("--executor=$executor")
    [ "$executor" = host ] && runner=("--no-container")
    skip=()
    # The one test that opens a connection to the internet.
    if ! timeout 5 bash -c 'exec 3<>/dev/tcp/www.commonwl.org/80' 2>/dev/null && [ "$version" != v1.0 ]; then
      skip=(-S networkaccess); total_skipped=$((total_skipped + 1))
      say "skipped: networkaccess ($version): it opens a connection to the internet, and there is none"
    fi
    (cd "$(dirname "$suite")" && TMPDIR=$work "$cache/cwltest/bin/cwltest" --test "$suite" --tool "$root/bin/cwl-runner" -j2 --timeout 40 \
      "${skip[@]}" --junit-xml "$work/report.xml" -- "${runner[@]}") > "$work.txt" 2>&1
    read -r passed failed < <(python3 - "$work/report.xml" <<'PY'
import sys, xml.etree.ElementTree as tree
cases = [case for case in tree.parse(sys.argv[1]).iter('testcase')]
bad = [case for case in cases if case.find('failure') is not None or case.find('error') is not None]
skipped = [case for case in cases if case.find('skipped') is not None]
for case in bad: print('failed:', case.get('name'), file=sys.stderr)
print(len(cases) - len(bad) - len(skipped), len(bad))
PY
)
    say "$(printf '%-5s %-8s %4d passed %4d failed' "$version" "$executor" "${passed:-0}" "${failed:-1}")"
    total_passed=$((total_passed + ${passed:-0})) total_failed=$((total_failed + ${failed:-1}))
  done
done
if [ -n "$count" ]; then echo "$total_passed $total_failed $total_skipped"; fi
[ "$total_failed" -eq 0 ]
