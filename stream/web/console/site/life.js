// What one lifecycle says of a customer: where it stands, why, what comes next, and what is missing.

import { chips } from "./chips.js";
import { now } from "./context.js";
import { h } from "./dom.js";
import { length } from "./format.js";
import { missing } from "./missing.js";
import { links } from "./router.js";
import { scores } from "./scores.js";
import { kinds } from "./stages.js";
import { at, atAndAway, away } from "./times.js";
import { comparisonWords, decisive, nearnessOf, oneLine, spaced, valueWords } from "./words.js";

/** What one lifecycle says of the customer. `why` and `scores` are filled in later. */
export function life(told, lifecycle) {
    const present = Math.max(now(), told.at);
    const heading = `life-${told.lifecycle}`;
    const why = h("span", { class: "bone-line" }, "…");
    const scoresPlace = h("div", {}, scores(told, undefined, null));
    const node = h(
        "section",
        { class: "card life", "aria-labelledby": heading },
        h(
            "div",
            { class: "card-head" },
            h("h2", { id: heading }, h("a", { href: links.overview(told.lifecycle) }, told.title)),
        ),
        h(
            "div",
            { class: "standing" },
            h(
                "p",
                { class: "in" },
                h("span", { class: "quiet" }, "In "),
                h(
                    "a",
                    { class: "stage-name", href: links.stage(told.lifecycle, told.stage) },
                    told.stage_title,
                ),
            ),
            h(
                "p",
                { class: "quiet" },
                "since ",
                at(told.entered),
                `, for ${length(Math.max(0, told.at - told.entered))}`,
            ),
            chips(told),
        ),
        h(
            "dl",
            { class: "answers" },
            answer("Why here?", why),
            answer("What comes next?", comes(told, present)),
            answer("What is missing to go on?", nearest(told, lifecycle)),
        ),
        h(
            "div",
            { class: "two even" },
            h(
                "div",
                {},
                h("h3", {}, "Each way out, and what it waits for"),
                missing(told, present),
                notes(told),
                h("h3", {}, "Facts"),
                facts(told),
            ),
            h("div", {}, h("h3", {}, "Scores"), scoresPlace),
        ),
    );
    return { node, why, scores: scoresPlace };
}

const answer = (question, words) => h("div", {}, h("dt", {}, question), h("dd", {}, words));

/** What time alone does. */
function comes(told, present) {
    const move = told.by_time;
    const forgotten = told.forgotten !== null && [
        " It is forgotten on ",
        atAndAway(told.forgotten, present),
        " if nothing is heard until then.",
    ];
    if (move !== null) {
        const through = move.transitions.slice(0, -1).map((each) => each.to);
        const due = move.at <= told.at;
        return [
            due ? "It is due to go to " : "If nothing happens, it goes to ",
            h("strong", {}, move.title),
            due ? ", since " : " ",
            away(move.at, present),
            ": on ",
            at(move.at),
            through.length > 0 && `, by way of ${through.join(", ")}`,
            " (",
            h("code", {}, oneLine(move.transitions.at(-1).transition)),
            ").",
            forgotten,
        ];
    }
    const words = {
        waits: "Time alone moved it 64 times in a row; now it waits for an interaction.",
        quarantined: "Time does nothing: a deadline of this customer failed. Its interactions count on.",
    };
    return [words[told.stopped] ?? "Time alone never moves it.", forgotten];
}

/** The nearest way that leads on, and what it still needs. */
function nearest(told, lifecycle) {
    const kind = kinds(lifecycle);
    const onwards = told.transitions
        .filter((each) => each.to !== told.stage && ["forward", "won"].includes(kind(told.stage, each.to)))
        .map((each) => ({ ...each, near: nearnessOf(each.condition) ?? 0 }))
        .sort((a, b) => b.near - a.near);
    if (onwards.length === 0) return "No way leads onwards from here.";
    return onwards.slice(0, 2).map((way, index) => {
        const waits = decisive(way.condition);
        return [
            index > 0 && h("br"),
            "For ",
            h("strong", {}, way.title),
            ": ",
            waits.length === 0
                ? "nothing; the next interaction takes it there"
                : waits.map((each, number) => [number > 0 && "; and ", wait(each)]),
            ".",
        ];
    });
}

function wait(comparison) {
    const { asked, said } = comparisonWords(comparison);
    return [h("code", {}, asked), ` (${said})`];
}

function facts(told) {
    const entries = Object.entries(told.facts);
    if (entries.length === 0) return h("p", { class: "quiet" }, "Nothing is known yet.");
    const times = new Set(told.times);
    return h(
        "dl",
        { class: "facts" },
        entries.map(([name, value]) =>
            h(
                "div",
                {},
                h("dt", {}, spaced(name)),
                h("dd", {}, times.has(name) ? at(value) : valueWords(value, null)),
            ),
        ),
    );
}

/** What is not as a reader of scores and facts would think. */
function notes(told) {
    const lines = [
        ...told.used_up.map(({ signal, limit, until }) => [
            `${spaced(signal)} counts `,
            until === null ? "never again" : ["again from ", at(until), " on"],
            `: ${limit}`,
        ]),
        ...told.full.map(({ kind, name, keep, oldest, dropped }) => [
            `${kind} ${spaced(name)} keeps the latest ${keep} entries, from `,
            at(oldest),
            " on",
            dropped ? `; ${dropped} more still count, and no return finds them` : null,
        ]),
        ...told.ledgers
            .filter((each) => each.waiting > 0)
            .map(
                ({ name, waiting }) =>
                    `ledger ${spaced(name)}: ${waiting} returned or updated before they came, and waited for`,
            ),
    ];
    return (
        lines.length > 0 &&
        h(
            "ul",
            { class: "plain notes" },
            lines.map((each) => h("li", {}, each)),
        )
    );
}
