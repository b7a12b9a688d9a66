// What happened to a customer: its stage changes, the latest first, each with the reason in words.

import { h, unseen } from "./dom.js";
import { number } from "./format.js";
import { KIND_WORDS, kinds, titled } from "./stages.js";
import { nothing } from "./states.js";
import { at } from "./times.js";
import { causeWords, oneLine, spaced, valueWords, whyWords } from "./words.js";

/** The list; `lifecycles` are descriptions by name, and `several` says whether a change tells whose it is. */
export function timeline({ changes, complete }, lifecycles, { more }) {
    if (changes.length === 0)
        return nothing("No change is known.", complete ? null : "Their topic keeps older ones no more.");
    return [
        h(
            "ol",
            { class: "timeline" },
            changes.map((each) => entry(each, lifecycles.get(each.lifecycle), lifecycles.size > 1)),
        ),
        !complete &&
            h(
                "p",
                { class: "quiet small" },
                "Earlier changes may be missing: their topic keeps them no more, or they were never published.",
            ),
        more && h("button", { type: "button", "data-key": "more", onclick: more }, "Show earlier ones"),
    ];
}

function entry(change, lifecycle, several) {
    const title = lifecycle ? titled(lifecycle) : (name) => name ?? "Forgotten";
    const kind = lifecycle ? kinds(lifecycle)(change.from, change.to) : "forward";
    const scores = Object.entries(change.scores);
    return h(
        "li",
        { class: kind },
        h(
            "p",
            { class: "head" },
            at(change.at),
            h(
                "span",
                { class: "moved" },
                change.from !== null && [
                    title(change.from),
                    h("span", { "aria-hidden": "true" }, " → "),
                    unseen(" to "),
                ],
                h("strong", {}, title(change.to)),
            ),
            ["lost", "won", "back"].includes(kind) && h("span", { class: `tag ${kind}` }, KIND_WORDS[kind]),
            several && h("span", { class: "tag" }, lifecycle?.title ?? change.lifecycle),
        ),
        h("p", { class: "why" }, whyWords(change)),
        scores.length > 0 &&
            h(
                "p",
                { class: "quiet small" },
                "Then: ",
                scores.map(([name, value]) => `${spaced(name)} ${number(value)}`).join(", "),
            ),
    );
}

/** Why a customer is where it is: the change that brought it there, with the values that decided. */
export function whyHere(told, changes) {
    const change = changes.find((each) => each.lifecycle === told.lifecycle);
    if (!change || change.to !== told.stage) return null;
    if (change.from === null) return [`Everybody begins here; ${pronoun(change)}`];
    const condition = oneLine(change.transition);
    const named = (values) =>
        Object.entries(values).filter(([name]) =>
            new RegExp(`\\b${RegExp.escape?.(name) ?? name.replace(/\W/g, "\\$&")}\\b`).test(condition),
        );
    const times = new Set(told.times);
    const then = [
        ...named(change.scores).map(([name, value]) => `${spaced(name)} was ${number(value)}`),
        ...named(change.facts).map(
            ([name, value]) => `${spaced(name)} was ${valueWords(value, times.has(name) ? "time" : null)}`,
        ),
    ];
    const begin =
        { interaction: `after ${causeWords(change.trigger)}`, deadline: "as time passed" }[
            change.trigger.kind
        ] ?? `since ${causeWords(change.trigger)}`;
    return [
        `It came from ${change.from_title ?? change.from} ${begin}`,
        condition && [", because ", h("code", {}, condition)],
        then.length > 0 && `: ${then.join(", ")} then`,
        ".",
    ];
}

const pronoun = ({ trigger }) =>
    trigger.kind === "interaction" && trigger.type !== null
        ? `the first interaction was “${trigger.type}”.`
        : "its life began here.";
