#!/usr/bin/env bash
# @rudderstack/rudder-sdk-node 3.0.13: `await analytics.flush()`, as a function or job does it before it ends.
#
# Expected: when it resolves, the calls that were made before it have been sent.
# Seen: true for up to 20 calls (`flushAt`, its default). From the 21st on it resolves when one call of them was sent, the
# first, and all others are still under way: the call that fills the queue has started a flush already, which ours takes
# for its own work. No error and no event; who exits then, as a job or a function does, loses 20 of 21, or 99 of 100.
# A second flush() waits for the first one's requests. The callback of each call tells the truth.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --no-package-lock @rudderstack/rudder-sdk-node@3.0.13 >/dev/null
cat >try.mjs <<'NODE'
import { createServer } from "node:http";
import { gunzipSync } from "node:zlib";
import RudderAnalytics from "@rudderstack/rudder-sdk-node";

async function arrivedOf(calls, flushes) {
  let arrived = 0;
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    arrived += JSON.parse(gunzipSync(Buffer.concat(parts))).batch.length;
    response.end("OK");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const analytics = new RudderAnalytics("key", { dataPlaneUrl: `http://127.0.0.1:${server.address().port}` });
  for (let number = 0; number < calls; number++) analytics.track({ userId: "42", event: "Ping", properties: { number } });
  for (let number = 0; number < flushes; number++) await analytics.flush();
  return arrived;
}

const seen = [];
for (const [calls, flushes] of [[20, 1], [21, 1], [100, 1], [100, 2]]) seen.push(await arrivedOf(calls, flushes));
console.log("arrived when flush() had resolved: of 20, 21 and 100 calls; of 100 after a second flush():", seen.join(", "));
process.exit(seen.join() === "20,1,1,100" ? 0 : 1);
NODE
node try.mjs
