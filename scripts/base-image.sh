#!/usr/bin/env bash
# base-image.sh OUT.tar [PACKAGE…]: a Debian root file system from this machine's own package sources, for places where no
# registry answers. Takes about 20 s.
set -euo pipefail
out=$1; shift
packages=$(IFS=,; echo "$*")
fail() { printf 'base-image: %s\n  hint: %s\n' "$1" "$2" >&2; exit 1; }

if ! command -v mmdebstrap >/dev/null; then
  [ "$(id -u)" = 0 ] || fail "mmdebstrap is not installed" "as root: apt-get install mmdebstrap"
  { apt-get install -y --no-install-recommends mmdebstrap || { apt-get update && apt-get install -y --no-install-recommends mmdebstrap; }; } >/dev/null 2>&1 ||
    fail "cannot install mmdebstrap" "apt-get install mmdebstrap"
fi
# shellcheck disable=SC1091
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
# Only Debian's own sources: a machine may have others, which a base image does not want.
sources=()
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
  [ -s "$file" ] && grep -qE "^(deb|URIs:).*debian" "$file" && grep -q "$codename" "$file" && grep -qv '^#' "$file" &&
    ! grep -qE 'packages\.|nodistro' "$file" && sources+=("$file")
done
[ ${#sources[@]} -gt 0 ] || fail "found no Debian package sources in /etc/apt" "list them in /etc/apt/sources.list"
mkdir -p "$(dirname "$out")"

# A user without subordinate ids is root of a namespace with a single id, which does as if it had all (see emulated-root.ts).
as_root=()
if [ "$(id -u)" != 0 ] && ! { grep -qE "^($(id -un)|$(id -u)):" /etc/subuid && command -v newuidmap; } >/dev/null 2>&1; then
  root=$(cd "$(dirname "$0")/.." && pwd)
  readarray -d '' emulation < <("$root/node_modules/node/bin/node" --disable-warning=ExperimentalWarning "$root/scripts/root-emulation.ts")
  [ ${#emulation[@]} -gt 0 ] || fail "this user has no ids for the owners of an image" "as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $(id -un)"
  export PATH=$PATH:/usr/sbin:/sbin
  as_root=(unshare --map-root-user --mount "${emulation[@]}")
  set -- --mode=root --skip=chroot/mount --aptopt='APT::Sandbox::User "root"'
else
  set --
fi
"${as_root[@]}" mmdebstrap "$@" --quiet --format=tar --variant=minbase --aptopt='Acquire::Check-Valid-Until "false"' --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' ${packages:+--include="$packages"} \
  --customize-hook='rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/* "$1"/var/log/*.log "$1"/var/log/apt' \
  "$codename" "$out.part" "${sources[@]}" >&2
mv "$out.part" "$out"
