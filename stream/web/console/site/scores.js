// The scores of a customer: how high, what gave them, and how they come and go.

import { curve } from "./curve.js";
import { h, styled } from "./dom.js";
import { length, number } from "./format.js";
import { skeleton } from "./states.js";
import { spaced } from "./words.js";

const SIGNS = { ">=": "≥", "<=": "≤", "==": "=" };

/** All scores of one lifecycle; `told` is its explanation, `over` what the interface says of them over time: null where it says nothing,
 *  undefined while it is asked. */
export function scores(told, over, signal) {
    const names = Object.keys(told.scores);
    if (names.length === 0) return h("p", { class: "quiet" }, "This lifecycle keeps no scores.");
    return names.map((name) => {
        const found = over?.scores.find((each) => each.score === name);
        return h(
            "div",
            { class: "score" },
            h(
                "h4",
                {},
                spaced(name),
                " ",
                h("span", { class: "value" }, number(told.scores[name])),
                found && h("span", { class: "quiet small" }, limitWords(found)),
            ),
            contributions(told.contributions[name] ?? []),
            over === undefined && h("div", { class: "curve-frame" }, skeleton(5)),
            found && curve(found, over, levelsOf(told, name), signal),
        );
    });
}

function limitWords({ half_life: half, min, max }) {
    const words = [half === null ? "never fades" : `halves every ${length(half)}`];
    if (min !== null) words.push(`at least ${number(min)}`);
    if (max !== null) words.push(`at most ${number(max)}`);
    return words.join(", ");
}

function contributions(given) {
    if (given.length === 0) return h("p", { class: "quiet small" }, "No signal has given points yet.");
    const most = Math.max(...given.map((each) => Math.abs(each.points)), Number.MIN_VALUE);
    const sorted = given.toSorted((a, b) => Math.abs(b.points) - Math.abs(a.points));
    return h(
        "ul",
        { class: "plain given", "aria-label": "What gave the points, as faded as they are now" },
        sorted.map(({ signal, points, count }) =>
            h(
                "li",
                {},
                h("span", { class: "name" }, spaced(signal)),
                h(
                    "span",
                    { class: `bar ${points < 0 ? "lost" : ""}`, "aria-hidden": "true" },
                    styled(h("span", { class: "filled" }), { width: `${(Math.abs(points) / most) * 100}%` }),
                ),
                h("span", { class: "number" }, number(points)),
                h("span", { class: "quiet small times" }, count === 1 ? "once" : `${number(count)} times`),
            ),
        ),
    );
}

/** The values of a score at which ways out begin or end to be open. */
function levelsOf(told, name) {
    const levels = new Map();
    const walk = (part, title) => {
        if (part.kind !== "comparison") for (const each of part.parts) walk(each, title);
        else if (part.name === name && typeof part.needs === "number" && part.unit === "number") {
            const text = `${SIGNS[part.operator] ?? part.operator} ${number(part.needs)}: ${title}`;
            levels.set(text, { value: part.needs, title: text });
        }
        if (part.scores) walk(part.scores, title);
    };
    for (const each of told.transitions) walk(each.condition, each.title);
    return [...levels.values()];
}
