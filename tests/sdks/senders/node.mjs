// Makes calls with one of the SDKs for Node, as its documents say: node.mjs MODULE.
// The first line of stdin is the plan. What happened goes to stdout, as JSON.
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";

const lines = createInterface({ input: process.stdin });
let closed = false;
lines.on("close", () => (closed = true));
const plan = JSON.parse((await lines[Symbol.asyncIterator]().next()).value);
const givenUp = [];

const clients = {
  async "@segment/analytics-node"() {
    const { Analytics } = await import("@segment/analytics-node");
    const analytics = new Analytics({ writeKey: plan.key, host: plan.url });
    analytics.on("error", (error) => givenUp.push(`${error.code}: ${error.reason?.message ?? error.reason}`));
    return { analytics, flush: () => analytics.flush() };
  },
  async "@rudderstack/rudder-sdk-node"() {
    const { default: RudderAnalytics } = await import("@rudderstack/rudder-sdk-node");
    const analytics = new RudderAnalytics(plan.key, {
      dataPlaneUrl: plan.url,
      retryCount: 10, // its own 3 are over within 1.5 s
      errorHandler: (error) => givenUp.push(String(error)),
    });
    // With more than 20 calls its flush() resolves before they are sent; the callback of each says when it is delivered.
    const flush = async () => {
      while (settled < made) {
        await analytics.flush();
        await pause(50);
      }
    };
    return { analytics, flush };
  },
};

let made = 0;
let settled = 0;
const { analytics, flush } = await clients[process.argv[2]]();

function value(held) {
  if (Array.isArray(held)) return held.map(value);
  if (held === null || typeof held !== "object") return held;
  if (held.$ === "nan") return NaN;
  if (held.$ === "date") return new Date(held.milliseconds);
  return Object.fromEntries(Object.entries(held).map(([key, each]) => [key, value(each)]));
}

const done = () => (settled += 1);

function make({ kind, user, anonymous, name, category, properties, time }) {
  const given = value(properties);
  const common = {
    ...(user === null ? {} : { userId: user }),
    ...(anonymous === null ? {} : { anonymousId: anonymous }),
    ...(time === null ? {} : { timestamp: new Date(time) }),
  };
  switch (kind) {
    case "track":
      return analytics.track({ ...common, event: name, properties: given }, done);
    case "page":
    case "screen":
      return analytics[kind]({ ...common, name, category: category ?? undefined, properties: given }, done);
    case "identify":
      return analytics.identify({ ...common, traits: given }, done);
    case "group":
      return analytics.group({ ...common, groupId: name, traits: given }, done);
    case "alias":
      return analytics.alias({ ...common, previousId: name }, done);
  }
}

const began = Date.now();
for (const burst of plan.bursts) {
  for (const call of burst) {
    made += 1;
    make(call);
  }
  await flush();
}
if (plan.users.length > 0) {
  while (!closed) {
    const number = made++;
    const userId = plan.users[number % plan.users.length];
    analytics.track({ userId, event: "Ping", properties: { number } }, done);
    await pause(plan.pause * 1000);
  }
  await flush();
}
process.stdout.write(JSON.stringify({ began, ended: Date.now(), made, given_up: givenUp }) + "\n", () => process.exit(0));
