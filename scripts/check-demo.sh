#!/usr/bin/env bash
# Runs `make demo` from nothing, then again, and checks what it must show from the records.
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf .cache/demo
make --no-print-directory demo
export HALLMARK_HOME=$PWD/.cache/demo/home
fail() { echo "check-demo: $*" >&2; exit 1; }
requests() { node_modules/node/bin/node --disable-warning=ExperimentalWarning scripts/count-requests.ts "$1"; }

[ "$(requests first)" = "pulls=1 builds=1 reused=0" ] || fail "first run: expected one pull, one build, nothing reused, got $(requests first)"
[ "$(requests last)" = "pulls=0 builds=1 reused=3" ] || fail "after the edit: expected one build and the 3 counts reused, got $(requests last)"
trace=$(bin/cwl-runner provenance .cache/demo/work/out/plaque-1.vcf)
grep -q 'apt-get install' <<<"$trace" || fail "the trace of the VCF does not show the Dockerfile"
grep -q 'sha256:[0-9a-f]\{64\}' <<<"$trace" || fail "the trace of the VCF does not end at the digest of the base"

make --no-print-directory demo > .cache/demo-second.txt 2>&1 || { tail -20 .cache/demo-second.txt; fail "the second demo failed"; }
[ "$(requests last)" = "pulls=0 builds=1 reused=15" ] || fail "the second demo: expected everything reused, got $(requests last)"
