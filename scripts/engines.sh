#!/bin/sh
# Runs a command with container engines set up for the tests of the executors, and takes them down again:
#   scripts/engines.sh npx vitest run test/contract/executor-engines.test.ts
# As root it starts a docker daemon of its own in a temporary folder. Engines that are not installed are left out.
set -eu

# The tests take a refusal of these for a failure; of others they skip.
HALLMARK_TEST_ENGINES=

work=$(mktemp -d "${TMPDIR:-/tmp}/hallmark-engines-XXXXXX")
daemon=

finish() {
  status=$?
  trap - EXIT INT TERM
  if [ -n "$daemon" ]; then
    kill "$daemon" 2>/dev/null || :
    wait "$daemon" 2>/dev/null || :
  fi
  [ -z "${CONTAINERS_STORAGE_CONF-}" ] || podman rm --all --force >/dev/null 2>&1 || :
  rm -rf "$work" 2>/dev/null || :
  exit $status
}
trap finish EXIT INT TERM

# Debian's client first: a newer one on the PATH may not talk to its daemon.
if [ "$(id -u)" = 0 ] && command -v dockerd >/dev/null; then
  ln -s /usr/bin/docker "$work/docker"
  PATH=$work:$PATH
  DOCKER_HOST=unix://$work/docker.sock
  export PATH DOCKER_HOST
  HALLMARK_TEST_ENGINES="$HALLMARK_TEST_ENGINES docker"
  dockerd --data-root "$work/data" --exec-root "$work/exec" --pidfile "$work/pid" --host "$DOCKER_HOST" \
    --bridge none --iptables=false >"$work/dockerd.log" 2>&1 &
  daemon=$!
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    docker version >/dev/null 2>&1 && break
    sleep 0.5
  done
fi

# Hybrid control groups: crun refuses them, and where CAP_SYS_RESOURCE is lacking no limit can be raised. Without the tun device an
# ordinary user has no network but the machine's own.
cat >"$work/containers.conf" <<EOF
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
$([ -w /dev/net/tun ] || echo 'netns = "host"')
EOF
cat >"$work/storage.conf" <<EOF
[storage]
driver = "$([ "$(id -u)" = 0 ] && echo overlay || echo vfs)"
graphroot = "$work/storage"
runroot = "$work/run"
EOF
CONTAINERS_CONF=$work/containers.conf
CONTAINERS_STORAGE_CONF=$work/storage.conf
! command -v buildah >/dev/null || HALLMARK_TEST_ENGINES="$HALLMARK_TEST_ENGINES buildah"
! command -v podman >/dev/null || HALLMARK_TEST_ENGINES="$HALLMARK_TEST_ENGINES podman"
export CONTAINERS_CONF CONTAINERS_STORAGE_CONF HALLMARK_TEST_ENGINES

# Where the distribution has no apptainer, one in a root of its own.
if command -v apptainer >/dev/null || apptainer=$("$(dirname "$0")/apptainer-root.sh"); then
  PATH=${apptainer:+$apptainer:}$PATH
  HALLMARK_TEST_ENGINES="$HALLMARK_TEST_ENGINES apptainer"
  export PATH HALLMARK_TEST_ENGINES
fi

"$@"
