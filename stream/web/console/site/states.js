// What is shown instead of an answer: that it is loading, that there is nothing, or what went wrong and what to do.

import { ask } from "./api.js";
import { fill, h, keepingFocus, unseen } from "./dom.js";

/** Grey lines where the answer will stand, as high as it will be. */
export function skeleton(lines = 3) {
    const bars = Array.from({ length: lines }, () => h("span", { class: "bone", "aria-hidden": "true" }));
    return h("div", { class: "skeleton" }, unseen("Loading…"), bars);
}

/** That there is nothing, and what to do. */
export const nothing = (what, todo) =>
    h("div", { class: "nothing" }, h("p", {}, what), todo && h("p", { class: "quiet" }, todo));

const WAITS = {
    offline: [
        "The worker cannot be reached.",
        "Is it running, and are you online? The page tries again by itself.",
    ],
    moving: [
        "This is moving to another worker.",
        "That takes a moment, as while a worker starts or ends. The page tries again by itself.",
    ],
    kafka: ["Kafka cannot be asked now.", "The page tries again by itself."],
};

/** That an answer is waited for, and why. */
export function waitingNotice({ why, message }) {
    const [what, todo] = WAITS[why];
    return h(
        "p",
        { class: "notice", role: "status" },
        h("strong", {}, what),
        " ",
        todo,
        message && h("small", {}, ` (${message})`),
    );
}

const HELP = {
    401: "Sign in again.",
    403: "Ask whoever runs the system for a token with this right, then sign in with it.",
    404: "Look whether it is spelled as the system knows it.",
};

/** What went wrong and what to do. */
export function problem(error, again) {
    const known = error.status !== undefined;
    const title = {
        401: "You are not signed in.",
        403: "You have no right to see this.",
        404: "There is no such thing.",
    }[error.status];
    return h(
        "div",
        { class: "problem", role: "alert" },
        h("strong", {}, title ?? "This could not be shown."),
        h("p", {}, sentence(known ? error.message : `The page has a fault: ${error.message}`)),
        HELP[error.status] && h("p", { class: "quiet" }, HELP[error.status]),
        again && h("button", { type: "button", onclick: again }, "Try again"),
    );
}

/** With a capital and a full stop, as the interface's messages have neither. */
export const sentence = (text) =>
    text === "" ? text : text[0].toUpperCase() + text.slice(1) + (/[.!?…]$/.test(text) ? "" : ".");

/**
 * A part of a view that shows the answers to its questions. `load` asks again, quietly once something is shown.
 *
 * `urls` are asked at once, and `show` makes nodes of the answers, undefined where all is as it stands; `lines` is how high it is while it loads. `refused`
 * may show some refusals in its own way.
 */
export function pane(target, { urls, show, signal, lines = 4, refused = () => null, done = () => {} }) {
    let shown = false;
    let running = null;
    let again = false;
    if (target.childNodes.length === 0) fill(target, skeleton(lines));

    async function run() {
        const notice = { node: null };
        const waiting = (reason) => {
            notice.node?.remove();
            notice.node = reason === null ? null : waitingNotice(reason);
            if (notice.node !== null) target.prepend(notice.node);
        };
        target.setAttribute("aria-busy", "true");
        try {
            const answers = await Promise.all(urls().map((url) => ask(url, { signal, waiting })));
            const content = await show(...answers);
            if (content !== undefined) keepingFocus(target, () => fill(target, content));
            shown = true;
            done(...answers);
        } catch (error) {
            if (signal.aborted || error.name === "AbortError") return;
            if (error.status === undefined) console.error(error);
            fill(target, refused(error) ?? problem(error, load));
        } finally {
            target.removeAttribute("aria-busy");
        }
    }

    /** Questions that come while one is under way become one more after it. */
    async function load({ anew = false } = {}) {
        if (anew || !shown) fill(target, skeleton(lines));
        if (running !== null) {
            again = true;
            return;
        }
        do {
            again = false;
            running = run();
            await running;
            running = null;
        } while (again && !signal.aborted);
    }

    return load;
}

/** Call `work` soon, and not again before it took ten times as long as it did, and `least` ms, however often asked. */
export function seldom(work, signal, least = 1500) {
    let planned = null;
    let free = 0;
    return () => {
        if (planned !== null || signal.aborted) return;
        planned = setTimeout(
            async () => {
                const began = performance.now();
                if (!signal.aborted && !document.hidden) await work();
                const took = performance.now() - began;
                free = performance.now() + Math.max(least, 10 * took);
                planned = null;
            },
            Math.max(0, free - performance.now()),
        );
    };
}

/** Call `work` every `seconds` while the page is looked at. */
export function regularly(work, seconds, signal) {
    const timer = setInterval(() => document.hidden || work(), seconds * 1000);
    signal.addEventListener("abort", () => clearInterval(timer));
}
