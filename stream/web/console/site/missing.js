// The ways out of a customer's stage: what is as it has to be, and what is missing.

import { h, styled, unseen } from "./dom.js";
import { percent } from "./format.js";
import { links } from "./router.js";
import { atAndAway } from "./times.js";
import { comparisonWords, guardWords, nearnessOf, oneLine, shareOf } from "./words.js";

const JOINED = {
    "all true": "all of these:",
    "any true": "one of these:",
    "all false": "not all of these at once:",
    "any false": "none of these:",
};
const MARKS = {
    good: ["✓", "as needed"],
    missing: ["✗", "missing"],
    other: ["·", "not so, but something else is nearer"],
    open: ["…", "only an interaction tells"],
};

/** A list of the ways out, each with what it waits for. */
export function missing(told, now) {
    if (told.transitions.length === 0) return h("p", { class: "quiet" }, "No way leads out of this stage.");
    return h(
        "ul",
        { class: "plain ways" },
        told.transitions.map((each) => way(told, each, now)),
    );
}

function way(told, transition, now) {
    const { condition, guards } = transition;
    const parts = condition.kind === "all" ? condition.parts : [condition];
    const near = nearnessOf(condition);
    return h(
        "li",
        { class: "way" },
        h(
            "h4",
            {},
            h("span", { "aria-hidden": "true" }, "→ "),
            "To ",
            h("a", { href: links.stage(told.lifecycle, transition.to) }, transition.title),
            near !== null && near < 1 && near > 0 && h("span", { class: "near" }, `${percent(near)} there`),
        ),
        h("code", { class: "condition" }, oneLine(transition.transition)),
        h(
            "ul",
            { class: "plain conditions" },
            transition.holds === true &&
                line("good", "holds: the next interaction takes it there, unless a way above does"),
            parts.map((each) => tree(each, true, now)),
            guards.map((each) => line(each.holds ? "good" : "missing", guardWords(each))),
        ),
        transition.by_time !== null &&
            !timesOf(condition).includes(transition.by_time) &&
            h(
                "p",
                { class: "by-time" },
                "Time alone makes it so on ",
                atAndAway(transition.by_time, now),
                ".",
            ),
    );
}

/** When time alone turns comparisons of a condition. */
const timesOf = (part) => (part.kind === "comparison" ? [part.by_time] : part.parts.flatMap(timesOf));

/** A part of a condition, one line for each comparison. */
function tree(part, wanted, now) {
    if (part.kind === "not") return tree(part.parts[0], !wanted, now);
    const mark = markOf(part, wanted);
    if (part.kind !== "comparison") {
        return line(
            mark,
            JOINED[`${part.kind} ${wanted}`],
            h(
                "ul",
                { class: "plain" },
                part.parts.map((each) => tree(each, wanted, now)),
            ),
        );
    }
    const { asked, said } = comparisonWords(part);
    const share = mark === "good" ? null : shareOf(part);
    const within =
        part.scores !== null && mark !== "good"
            ? h("ul", { class: "plain" }, tree(part.scores, wanted, now))
            : null;
    const words = [h("code", {}, asked), h("span", { class: "said" }, `: ${said}`)];
    if (part.by_time !== null) words.push("; time alone does it on ", atAndAway(part.by_time, now));
    return line(mark, words, share !== null && bar(share), within);
}

function markOf(part, wanted) {
    if (part.holds !== null && part.holds === wanted) return "good";
    if (!part.decisive) return "other";
    return part.holds === null ? "open" : "missing";
}

function line(mark, words, ...below) {
    const [sign, meaning] = MARKS[mark];
    return h(
        "li",
        { class: `line ${mark}` },
        h("span", { class: "mark", "aria-hidden": "true" }, sign),
        h("div", { class: "what" }, unseen(`${meaning}: `), words, below),
    );
}

const bar = (share) =>
    h(
        "span",
        { class: "bar thin", "aria-hidden": "true" },
        styled(h("span", { class: "filled" }), { width: `${share * 100}%` }),
    );
