#!/usr/bin/env bash
# apptainer-root.sh: apptainer for tests, where this machine's distribution has none. Makes a root of Debian sid with apptainer in it
# (.cache/apptainer/root) and a program that starts it from there (.cache/apptainer/bin/apptainer), whose folder it prints.
# Exit code 3, with the reason, where that cannot be had.
set -euo pipefail
place=${HALLMARK_APPTAINER_DIR:-$(cd "$(dirname "$0")/.." && pwd)/.cache/apptainer}
root=$place/root
skip() { printf 'apptainer-root: %s\n' "$1" >&2; exit 3; }

make_root() {
  [ "$(id -u)" = 0 ] || skip "the root of Debian sid is made as root: run this script as root once"
  command -v mmdebstrap >/dev/null || skip "mmdebstrap is not installed: apt-get install mmdebstrap"
  # This machine's own mirror has sid, too.
  mirror=$(grep -hoE '(https?|file)://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | sed -n '1s/ *$//p') || true
  [ -n "$mirror" ] || skip "found no Debian package sources in /etc/apt"
  rm -rf "$place.part" && mkdir -p "$place.part"
  timeout "${HALLMARK_APPTAINER_TIMEOUT:-600}" mmdebstrap --quiet --variant=minbase --include=apptainer --aptopt='Acquire::Check-Valid-Until "false"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --customize-hook='rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*' \
    --customize-hook='touch "$1"/etc/hosts "$1"/etc/localtime "$1"/etc/resolv.conf' \
    sid "$place.part/root" "$mirror" >"$place.log" 2>&1 ||
    { rm -rf "$place.part"; skip "no root of Debian sid: $(grep -E '^E:' "$place.log" | head -1)"; }
  mv "$place.part" "$place"
}

# The folders of this machine that are no part of its system are seen under their own names; its users are known; a /proc that
# nothing covers lets apptainer mount its own in a user namespace.
write_program() {
  cat <<'PROGRAM'
#!/bin/bash
root=$(dirname "$(dirname "$(readlink -f "$0")")")/root
args=(--bind "$root" / --dev-bind /dev /dev --dev-bind /proc /proc --dev-bind /sys /sys)
for folder in /*; do
  case $folder in
    /bin | /boot | /dev | /etc | /lib* | /proc | /sbin | /sys | /usr | /var | /run) ;;
    *) [ -d "$folder" ] && [ ! -L "$folder" ] && args+=(--bind "$folder" "$folder") ;;
  esac
done
for file in passwd group hosts resolv.conf; do [ -e "/etc/$file" ] && args+=(--ro-bind "/etc/$file" "/etc/$file"); done
[ -d /var/tmp ] && args+=(--bind /var/tmp /var/tmp)
exec bwrap "${args[@]}" --chdir "$PWD" /usr/bin/apptainer "$@"
PROGRAM
}

command -v bwrap >/dev/null || skip "bubblewrap is not installed: apt-get install bubblewrap"
[ -d "$root" ] || make_root
mkdir -p "$place/bin"
write_program >"$place/bin/apptainer.$$"
chmod 755 "$place/bin/apptainer.$$"
mv "$place/bin/apptainer.$$" "$place/bin/apptainer"
"$place/bin/apptainer" --version >&2 || skip "the apptainer of $root does not run here"
echo "$place/bin"
