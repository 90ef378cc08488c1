#!/usr/bin/env bash
# conformance.sh [--count] [--version v1.0|v1.1|v1.2|images]… [--executor sandbox|docker|podman|apptainer|host]…: runs the CWL suites with
# cwltest. They are looked for in $HALLMARK_CONFORMANCE, then ../shared/conformance. Prints the counts of each suite and executor and
# names each failed test on standard error. `images` is our own suite, test/conformance/images. --count: v1.2 and ours on the sandbox, and "passed failed skipped" as the last line.
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
  versions=(v1.0 v1.1 v1.2 images)
  [ -z "$count" ] || versions=(v1.2 images)
fi
if [ ${#executors[@]} -eq 0 ]; then
  executors=(sandbox)
  [ -n "$count" ] || executors+=(host)
fi

say() { echo "$*" >&2; }
if [ ! -d "$suites" ]; then
  say "conformance: no suites at $suites (set HALLMARK_CONFORMANCE): skipped"
  [ -z "$count" ] || echo "0 0 1"
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

# version, executor: ids of the tests that are left out, each with its reason
skips_of() {
  case $1 in
    v1.0 | images) ;;
    *) [ -n "$online" ] || echo "networkaccess it opens a connection to the internet, and there is none" ;;
  esac
  [ "$2" = host ] || return 0
  echo "dockeroutputdir it wants a directory at the root of a container"
  echo "docker_entrypoint it wants the entry point of an image"
  [ "$1" != v1.2 ] || echo "iwd-container-entryname1 it stages a file at the root of a container"
}
online=
! timeout 5 bash -c 'exec 3<>/dev/tcp/www.commonwl.org/80' 2>/dev/null || online=1

# Our own suite beside the archive and the root file system that it loads.
lay_out_images_suite() {
  "$root/scripts/suite-images.sh" archives || return 1
  cp -r "$root/test/conformance/images/." "$1"
  ln -f "$cache/images/suite-debian.tar" "$1/debian.tar" || cp "$cache/images/suite-debian.tar" "$1/debian.tar"
  tar -xOf "$1/debian.tar" "$(tar -tf "$1/debian.tar" | grep -m 1 '\.tar$')" > "$1/rootfs.tar.gz"
}

# version, executor: runs one suite, prints "passed failed"
run_suite() {
  local suite=$suites/$1/conformance_tests.yaml work=$cache/conformance/$1-$2 skipped
  local runner=("--executor=$2") skip=()
  [ "$1" != v1.0 ] || suite=$suites/v1.0/conformance_test_v1.0.yaml
  [ "$2" != host ] || runner=("--no-container")
  skipped=$(skips_of "$1" "$2" | cut -d' ' -f1 | paste -sd,)
  [ -z "$skipped" ] || skip=(-S "$skipped")
  rm -rf "$work" && mkdir -p "$work"
  if [ "$1" = images ]; then
    suite=$work/suite/conformance_tests.yaml
    mkdir "$work/suite" && lay_out_images_suite "$work/suite" || return 1
  fi
  # Results of earlier runs are not taken: they would hide what is broken now.
  TMPDIR=$work "$cache/cwltest/bin/cwltest" --test "$suite" --tool "$root/bin/cwl-runner" -j2 --timeout 120 "${skip[@]}" \
    --junit-xml "$work/report.xml" -- "${runner[@]}" --disable-reuse > "$work/cwltest.txt" 2>&1
  if [ ! -s "$work/report.xml" ]; then tail -n 5 "$work/cwltest.txt" >&2; echo "0 1"; return; fi
  "$cache/cwltest/bin/python3" "$root/scripts/conformance-report.py" "$suite" "$work/report.xml" "$work/cwltest.txt"
}

total_passed=0 total_failed=0 total_skipped=0
for executor in "${executors[@]}"; do
  for version in "${versions[@]}"; do
    [ "$version $executor" != "images host" ] || continue
    skipped=0
    while read -r id reason; do
      skipped=$((skipped + 1))
      say "skipped: $id ($version, $executor): $reason"
    done < <(skips_of "$version" "$executor")
    read -r passed failed < <(run_suite "$version" "$executor")
    printf '%-5s %-9s %4d passed %4d failed %4d skipped\n' "$version" "$executor" "$passed" "$failed" "$skipped"
    total_passed=$((total_passed + passed)) total_failed=$((total_failed + failed)) total_skipped=$((total_skipped + skipped))
  done
done
[ -z "$count" ] || echo "$total_passed $total_failed $total_skipped"
[ "$total_failed" -eq 0 ]
