#!/usr/bin/env bash
# The main job on a real example: run, trace, edit, run again. Everything it makes lies under .cache/demo.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cache=$root/.cache/demo
work=$cache/work
export HALLMARK_HOME=$cache/home
runner=$root/bin/cwl-runner
node=$root/node_modules/node/bin/node

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
show() { printf '$ %s\n' "$*"; }

mkdir -p "$cache/home"
rm -rf "$work" && mkdir -p "$work"
cp "$root"/examples/variants/*.cwl "$root"/examples/variants/inputs.yml "$root"/examples/variants/Dockerfile "$work"
cp -r "$root/examples/variants/data" "$work"
cd "$work"
# In a repository of its own, as a workflow is kept: the trace names the commit, and what was edited since.
if command -v git >/dev/null; then
  git init --quiet --initial-branch main
  printf 'out*\n' > .gitignore
  git add .
  git -c user.name=demo -c user.email=demo@localhost -c commit.gpgsign=false commit --quiet --message 'Variants of phage lambda'
fi

# The base image comes from a registry. Where none answers, one on loopback stands in for it, with a base from Debian's packages.
if [ ! -e "$cache/base-ready" ] && ! "$node" "$root/scripts/registry-answers.ts" debian:stable-slim; then
  say "No registry answers: making debian:stable-slim from this machine's Debian packages, served from loopback"
  images=$root/.cache/images
  if [ ! -e "$images/debian-stable-slim.tar" ]; then
    "$root/scripts/base-image.sh" "$images/debian.rootfs.tar"
    "$node" "$root/scripts/rootfs-to-archive.ts" "$images/debian.rootfs.tar" debian:stable-slim "$images/debian-stable-slim.tar" >/dev/null
    rm -f "$images/debian.rootfs.tar"
  fi
  "$node" "$root/test/fakes/registry-main.ts" "$images" > "$cache/registry.address" &
  registry=$!
  trap 'kill $registry 2>/dev/null || true' EXIT
  for _ in $(seq 100); do [ -s "$cache/registry.address" ] && break; sleep 0.1; done
  printf '[[registry]]\nprefix = "docker.io"\nlocation = "%s"\ninsecure = true\n' "$(head -n1 "$cache/registry.address" | cut -d/ -f1)" > "$cache/registries.conf"
  export CONTAINERS_REGISTRIES_CONF=$cache/registries.conf
fi

say "Run: reads of three samples to variants; the image is built as part of the run"
show cwl-runner --outdir out workflow.cwl inputs.yml
"$runner" --outdir out workflow.cwl inputs.yml > outputs.json
touch "$cache/base-ready"
ls -l out

say "Trace: where does the VCF of the first sample come from?"
show cwl-runner provenance out/plaque-1.vcf
"$runner" provenance out/plaque-1.vcf

say "Edit: call with another prior, in the Dockerfile"
sed -i 's/--ploidy 1 -mv"/--ploidy 1 -mv -P 0.01"/' Dockerfile
diff "$root/examples/variants/Dockerfile" Dockerfile || true

say "Run again: what changed is rebuilt, the rest is reused"
show cwl-runner rerun last --outdir out2
"$runner" rerun last --outdir out2 > outputs2.json

say "Look back: which results would a bug in samtools have reached?"
show cwl-runner affected --package samtools
"$runner" affected --package samtools
