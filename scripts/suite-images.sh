#!/usr/bin/env bash
# suite-images.sh [archives]: puts the images that the CWL suites name into Keep ($HALLMARK_HOME). Where no registry answers, stand-ins from
# this machine's Debian packages take their names. archives: only makes the archives of the stand-ins, in .cache/images.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
images=$root/.cache/images
node=$root/node_modules/node/bin/node

make_archives() {
  [ ! -e "$images/suite-bash.tar" ] || return 0
  "$root/scripts/base-image.sh" "$images/suite.rootfs.tar" bsdextrautils python3-minimal python-is-python3 python3
  "$node" "$root/scripts/rootfs-to-archive.ts" "$images/suite.rootfs.tar" docker.io/debian:stable-slim "$images/suite-debian.tar" >&2
  # The original runs its arguments through bash when they name no program.
  "$node" "$root/scripts/rootfs-to-archive.ts" "$images/suite.rootfs.tar" docker.io/bash:4.4 "$images/suite-bash.tar" \
    '["sh","-c","command -v \"$1\" >/dev/null && exec \"$@\"; exec bash \"$@\"","entrypoint"]' >&2
  rm -f "$images/suite.rootfs.tar"
}

if [ "${1:-}" = archives ]; then make_archives; exit; fi
[ -e "$HALLMARK_HOME/suite-images" ] && exit 0
"$node" "$root/scripts/registry-answers.ts" debian:stable-slim && exit 0
make_archives
for name in debian:stable-slim debian:wheezy debian:8 debian:stretch-slim python:3 python:3-slim python:2-slim python:2.7.15-alpine3.7 alpine:latest; do
  "$root/bin/cwl-runner" image load --name "$name" "$images/suite-debian.tar" >&2
done
for name in bash:4.4 bash:4.4.12; do "$root/bin/cwl-runner" image load --name "$name" "$images/suite-bash.tar" >&2; done
touch "$HALLMARK_HOME/suite-images"
