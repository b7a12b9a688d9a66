// Makes calls with an SDK for browsers, in headless Chromium on a page of its own: browser.mjs MODULE.
// The first line of stdin is the plan. What happened goes to stdout, as JSON.
import { createServer } from "node:http";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright-core";

const lines = createInterface({ input: process.stdin });
let closed = false;
lines.on("close", () => (closed = true));
const plan = JSON.parse((await lines[Symbol.asyncIterator]().next()).value);

const programs = {
  "@segment/analytics-next": `
    import { AnalyticsBrowser } from "@segment/analytics-next";
    window.start = async ({ url, key }) => {
      [window.analytics] = await AnalyticsBrowser.load({ writeKey: key, cdnURL: url });
    };`,
  "@rudderstack/analytics-js/bundled": `
    import { RudderAnalytics } from "@rudderstack/analytics-js/bundled";
    window.start = async ({ url, key }) => {
      window.analytics = new RudderAnalytics();
      window.analytics.load(key, url, { configUrl: url });
      await new Promise((resolve) => window.analytics.ready(resolve));
    };`,
};

// As a shop would do it: bundled from npm, and served by the shop's own server.
const contents = plan.program ?? programs[process.argv[2]];
const resolveDir = dirname(fileURLToPath(import.meta.url));
const built = await build({ stdin: { contents, resolveDir }, bundle: true, format: "iife", write: false, logLevel: "error" });
const answers = {
  "/pricing": ["text/html; charset=utf-8", '<!doctype html><title>Shop</title><script src="/shop.js"></script>'],
  "/shop.js": ["text/javascript; charset=utf-8", built.outputFiles[0].text],
};
const server = createServer((request, response) => {
  const [type, body] = answers[request.url] ?? ["text/plain", ""];
  response.writeHead(body ? 200 : 404, { "Content-Type": type }).end(body);
});
await new Promise((resolve) => server.listen(plan.page_port, "127.0.0.1", resolve));

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
});
const context = await browser.newContext({ userAgent: "Mozilla/5.0 (a browser)", locale: "en-GB", timezoneId: "UTC" });
const tab = await context.newPage();
tab.on("pageerror", (error) => console.error(`page: ${error}`));
tab.on("console", (message) => console.error(`console: ${message.text()}`));
const strangers = new Set();
tab.on("request", (request) => {
  const { hostname } = new URL(request.url());
  if (hostname !== "127.0.0.1") strangers.add(`it asked ${hostname}`);
});
let delivered = 0;
tab.on("response", (response) => {
  if (response.request().method() === "POST" && response.status() === 200) delivered += 1;
});
const began = Date.now();
await tab.goto(`http://127.0.0.1:${plan.page_port}/pricing`);
if (plan.program === undefined) await tab.evaluate((to) => window.start(to), { url: plan.url, key: plan.key });
await tab.evaluate(() => {
  window.value = (held) => {
    if (Array.isArray(held)) return held.map(window.value);
    if (held === null || typeof held !== "object") return held;
    if (held.$ === "nan") return NaN;
    if (held.$ === "date") return new Date(held.milliseconds);
    return Object.fromEntries(Object.entries(held).map(([key, each]) => [key, window.value(each)]));
  };
  window.make = ({ kind, user, anonymous, name, category, properties, time }) => {
    const { analytics } = window;
    const given = window.value(properties);
    const options = time === null ? {} : { timestamp: new Date(time) };
    if (anonymous !== null) analytics.setAnonymousId(anonymous);
    switch (kind) {
      case "track":
        return analytics.track(name, given, options);
      case "page":
      case "screen":
        return analytics[kind](category, name, given, options);
      case "identify":
        return analytics.identify(user, given, options);
      case "group":
        return analytics.group(name, given, options);
      case "alias":
        return analytics.alias(user, name, options);
    }
  };
});

let made = plan.program === undefined ? 0 : 2; // the document's identify and track
async function flush() {
  while (delivered < made) await pause(50);
}
for (const burst of plan.bursts) {
  made += burst.length;
  await tab.evaluate((calls) => calls.forEach((call) => void window.make(call)), burst);
  await flush();
}
if (plan.users.length > 0) {
  const ping = { kind: "track", user: null, anonymous: plan.users[0], name: "Ping", time: null };
  while (!closed) {
    const number = made++;
    await tab.evaluate((call) => void window.make(call), { ...ping, properties: { number } });
    await pause(plan.pause * 1000);
  }
  await flush();
}
await flush();
await browser.close();
server.close();
process.stdout.write(JSON.stringify({ began, ended: Date.now(), made, given_up: [...strangers] }) + "\n", () => process.exit(0));
