#!/usr/bin/env bash
# conformance.sh [--version v1.0|v1.1|v1.2|images]… [--executor host|sandbox|docker|podman|apptainer|engines]… [--tags A,B] [--numbers 1-9] [--count]
# Runs the CWL suites with cwltest. They are looked for in $HALLMARK_CONFORMANCE, then ../shared/conformance; `images` is our own,
# test/conformance/images. `engines`: those that scripts/engines.sh has set up. Without arguments: all suites on all executors that are
# here. Prints the counts of each suite and executor, then for each suite those of each tag and executor, and what an executor puts out
# otherwise than the first one. Failed tests are named. --count: "passed failed skipped" is the last line.
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cache=$root/.cache
suites=${HALLMARK_CONFORMANCE:-$root/../shared/conformance}
engines=()
for engine in ${HALLMARK_TEST_ENGINES-}; do [ "$engine" = buildah ] || engines+=("$engine"); done

versions=() executors=() chosen=() tags='' count=''
while [ $# -gt 0 ]; do
  case $1 in
    --version) versions+=("$2"); shift ;;
    --executor) if [ "$2" = engines ]; then executors+=("${engines[@]}"); else executors+=("$2"); fi; shift ;;
    --tags) tags=$2 chosen+=(--tags "$2"); shift ;;
    --numbers) chosen+=(-n "$2"); shift ;;
    --count) count=1 ;;
    *) echo "conformance: unknown argument $1" >&2; exit 2 ;;
  esac
  shift
done
[ ${#versions[@]} -gt 0 ] || versions=(v1.0 v1.1 v1.2 images)
[ ${#executors[@]} -gt 0 ] || executors=(sandbox host "${engines[@]}")

if [ ! -d "$suites" ]; then
  echo "conformance: no suites at $suites (set HALLMARK_CONFORMANCE): skipped" >&2
  [ -z "$count" ] || echo "0 0 1"
  exit 0
fi

# cwltest, in an environment of its own
if [ ! -x "$cache/cwltest/bin/cwltest" ]; then
  python3 -m venv "$cache/cwltest" 2>/dev/null || { apt-get install -y python3-venv >/dev/null 2>&1 && python3 -m venv "$cache/cwltest"; } || exit 1
  "$cache/cwltest/bin/pip" install -q cwltest || exit 1
fi

# Tools of the suites are called `python`; Debian's own is called otherwise.
command -v python >/dev/null || PATH=$PATH:$cache/cwltest/bin

# One home for all, as people have it: an image is brought into Keep, and into an engine, once.
export HALLMARK_HOME=$cache/conformance/home
mkdir -p "$HALLMARK_HOME"
"$root/scripts/suite-images.sh" || exit 1

online=
! timeout 5 bash -c 'exec 3<>/dev/tcp/www.commonwl.org/80' 2>/dev/null || online=1

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

suite_of() {
  case $1 in
    v1.0) echo "$suites/v1.0/conformance_test_v1.0.yaml" ;;
    images) echo "$cache/conformance/images/conformance_tests.yaml" ;;
    *) echo "$suites/$1/conformance_tests.yaml" ;;
  esac
}

# Our own suite beside the archive and the root file system that it loads.
lay_out_images_suite() {
  local place=$cache/conformance/images
  "$root/scripts/suite-images.sh" archives || return 1
  rm -rf "$place" && mkdir -p "$place" && cp -r "$root/test/conformance/images/." "$place"
  ln -f "$cache/images/suite-debian.tar" "$place/debian.tar" 2>/dev/null || cp "$cache/images/suite-debian.tar" "$place/debian.tar"
  tar -xOf "$place/debian.tar" "$(tar -tf "$place/debian.tar" | grep -m 1 '\.tar$')" > "$place/rootfs.tar.gz"
}

report() { "$cache/cwltest/bin/python3" "$root/scripts/conformance-report.py" "$@"; }

# version, executor: runs one suite and prints its counts. Results of earlier runs are not taken: they would hide what is broken now.
run_suite() {
  local work=$cache/conformance/$1-$2 runner=("--executor=$2") skip=() skipped
  [ "$2" != host ] || runner=("--no-container")
  rm -rf "$work" && mkdir -p "$work" && skips_of "$1" "$2" > "$work/skipped.txt"
  echo "0 1 0" > "$work/counts.txt"
  skipped=$(report --skips "$(suite_of "$1")" "$tags" "$work")
  [ -z "$skipped" ] || skip=(-S "$skipped")
  TMPDIR=$work "$cache/cwltest/bin/cwltest" --test "$(suite_of "$1")" --tool "$root/bin/cwl-runner" -j"$(nproc)" --timeout 120 \
    "${chosen[@]}" "${skip[@]}" --junit-xml "$work/report.xml" -- "${runner[@]}" --disable-reuse > "$work/cwltest.txt" 2>&1
  [ -s "$work/report.xml" ] || tail -n 5 "$work/cwltest.txt" >&2
  report --counts "$(suite_of "$1")" "$tags" "$work"
}

status=0 all=()
for version in "${versions[@]}"; do
  folders=()
  [ "$version" != images ] || lay_out_images_suite || exit 1
  for executor in "${executors[@]}"; do
    [ "$version $executor" != "images host" ] || continue
    run_suite "$version" "$executor" || status=1
    folders+=("$cache/conformance/$version-$executor")
  done
  [ ${#folders[@]} -eq 0 ] || [ -n "$count" ] || report --table "$(suite_of "$version")" "$tags" "${folders[@]}"
  all+=("${folders[@]}")
done
[ -z "$count" ] || cat "${all[@]/%//counts.txt}" | awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0 }'
exit $status
