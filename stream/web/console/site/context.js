// What the whole page knows: the product, who asks, the lifecycles, and what time it is for the data.

import { ask, path } from "./api.js";

const STORED = "within";

export const context = {
    /** The answer of /v1/console. */
    product: null,
    /** In short, as /v1/lifecycles lists them. */
    lifecycles: [],
    /** The one that is looked at. */
    lifecycle: null,
};

const described = new Map();
let latest = 0;

/** Ask who we are and what runs. */
export async function begin(signal, waiting) {
    context.product = await ask(path("console"), { signal, waiting });
    if (context.product.login || context.product.only_this_machine) return;
    if (can("read")) context.lifecycles = (await ask(path("lifecycles"), { signal, waiting })).lifecycles;
}

export const can = (role) => context.product.roles.includes(role);

/** One lifecycle with its stages and ways; asked for once. */
export async function describe(lifecycle, options) {
    if (!described.has(lifecycle))
        described.set(lifecycle, await ask(path("lifecycles", lifecycle), options));
    return described.get(lifecycle);
}

/** Whether time passes as the data say: then it stands still between interactions. */
export const followsData = () => context.product?.clock === "stream";

/** Tell of a time that the data have come to. */
export function reached(ms) {
    if (typeof ms === "number" && ms > latest) latest = ms;
}

/** The present: this machine's, or that of the data. */
export const now = () => (followsData() && latest > 0 ? latest : Date.now());

/** The spans of time that moves are counted over. */
export const SPANS = [
    ["1m", "1 minute", "the last minute"],
    ["1h", "1 hour", "the last hour"],
    ["1d", "1 day", "the last day"],
    ["7d", "7 days", "the last 7 days"],
    ["30d", "30 days", "the last 30 days"],
    ["90d", "90 days", "the last 90 days"],
];

/** The span that this reader chose last. */
export function chosenSpan() {
    try {
        const stored = localStorage.getItem(STORED);
        if (SPANS.some(([span]) => span === stored)) return stored;
    } catch {
        // Storage is forbidden here.
    }
    return "30d";
}

export function chooseSpan(span) {
    try {
        localStorage.setItem(STORED, span);
    } catch {
        // Then for this view alone.
    }
}

export const spanWords = (chosen) => SPANS.find(([span]) => span === chosen)[2];
