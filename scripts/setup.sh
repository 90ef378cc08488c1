#!/usr/bin/env bash
# Installs the runner's packages and, beside them, a Node.js that can run it. Safe to run again.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { printf 'setup: %s\n  hint: %s\n' "$1" "$2" >&2; exit 1; }
command -v npm >/dev/null || fail "npm is not on the PATH" "install Node.js 20 or newer with npm"

# `npm ci` wants every platform's packages in the lock file, also where a registry does not list them all: install reads the lock too.
npm install --no-save --no-audit --no-fund --loglevel=error

# The package `node` fetches its binary in an install script. Where scripts are off, its platform package is named directly.
node=node_modules/node/bin/node
if [ ! -x "$node" ]; then
  version=$(sed -n 's/.*"node": "\([0-9.]*\)".*/\1/p' package.json)
  case "$(uname -m)" in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) fail "no Node.js package for $(uname -m)" "set HALLMARK_NODE" ;; esac
  npm install --no-save --no-audit --no-fund --loglevel=error "node-linux-$arch@$version"
  mkdir -p node_modules/node/bin
  ln -sf "../../node-linux-$arch/bin/node" "$node"
fi
"$node" --version >/dev/null || fail "$node does not run" "remove node_modules and run make setup again"

# For the ordinary users of this machine: newuidmap lets their containers have users of their own, mmdebstrap makes a base image for the
# demo where no registry answers. Root needs the first never and installs the second when it does.
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && ! { command -v newuidmap && command -v mmdebstrap; } >/dev/null; then
  packages=(uidmap mmdebstrap)
  { apt-get install -y --no-install-recommends "${packages[@]}" || { apt-get update && apt-get install -y --no-install-recommends "${packages[@]}"; }; } >/dev/null 2>&1 ||
    echo "setup: could not install ${packages[*]}; ordinary users get containers with one user only" >&2
fi
