// What leads out of a stage, and how many customers are how near to it.

import { h, styled } from "./dom.js";
import { count, percent } from "./format.js";
import { links } from "./router.js";
import { nothing } from "./states.js";
import { oneLine } from "./words.js";

/** A list of the ways out of a stage: an answer of the interface, in words and bars. */
export function nearness(answer) {
    if (answer.transitions.length === 0)
        return nothing(
            "No way leads out of this stage.",
            "That is so by the lifecycle file: whoever comes stays.",
        );
    if (answer.customers === 0) {
        return [
            nothing("Nobody is in this stage now.", "What leads out of it:"),
            h(
                "ul",
                { class: "plain" },
                answer.transitions.map((each) => h("li", {}, heading(answer, each))),
            ),
        ];
    }
    const sampled = answer.looked_at < answer.customers;
    return [
        sampled &&
            h(
                "p",
                { class: "quiet small" },
                `Of ${count(answer.customers)} customers, ${count(answer.looked_at)} from everywhere were looked at; the shares are theirs.`,
            ),
        h(
            "ul",
            { class: "plain ways" },
            answer.transitions.map((each) =>
                h("li", { class: "way" }, heading(answer, each), near(each, answer, sampled)),
            ),
        ),
    ];
}

const heading = ({ lifecycle }, { to, title, transition }) => [
    h(
        "h3",
        {},
        h("span", { "aria-hidden": "true" }, "→ "),
        "To ",
        h("a", { href: links.stage(lifecycle, to) }, title),
    ),
    h("code", { class: "condition" }, oneLine(transition)),
];

function near(transition, { looked_at: looked }, sampled) {
    const {
        near: buckets,
        by_time: byTime,
        by_time_within_7d: soon,
        needs_interaction: needs,
        waits_for: waits,
    } = transition;
    const amount = (customers) => (sampled ? percent(customers / looked) : count(customers));
    const most = Math.max(1, ...buckets.map((each) => each.customers));
    let within = 0;
    const sums = buckets.map((each) => (within += each.customers));
    const first = buckets.findIndex((each, index) => sums[index] > 0 && each.above > 0);
    const words = [];
    if (first >= 0)
        words.push(
            `${amount(sums[first])} ${are(sums[first], sampled)} at ${percent(buckets[first].above)} or more`,
        );
    else if (sums.at(-1) > 0) words.push("nobody is half-way there");
    if (byTime > 0)
        words.push(
            `time alone takes ${amount(byTime)} there, if nothing happens${soon > 0 ? `, ${amount(soon)} within 7 days` : ""}`,
        );
    if (needs > 0)
        words.push(`${amount(needs)} ${needs === 1 && !sampled ? "needs" : "need"} an interaction`);
    return [
        words.length > 0 &&
            h(
                "p",
                {},
                `${words.join("; ")}.`.replace(/^./, (letter) => letter.toUpperCase()),
            ),
        sums.at(-1) > 0 &&
            h(
                "ol",
                { class: "buckets", "aria-label": "How much of what is needed is there" },
                buckets.map(({ above, customers }, index) =>
                    h(
                        "li",
                        {},
                        h("span", { class: "above" }, bucketWords(above, buckets[index - 1]?.above)),
                        h(
                            "span",
                            { class: "bar", "aria-hidden": "true" },
                            styled(h("span", { class: "filled" }), { width: `${(customers / most) * 100}%` }),
                        ),
                        h("span", { class: "number" }, amount(customers)),
                    ),
                ),
            ),
        waits.length > 0 &&
            h(
                "p",
                { class: "quiet" },
                "They wait for ",
                waits
                    .slice(0, 3)
                    .map((each, index) => [
                        index > 0 && ", ",
                        h("code", {}, oneLine(each.text)),
                        ` (${amount(each.customers)})`,
                    ]),
                ".",
            ),
    ];
}

const are = (number, sampled) => (number === 1 && !sampled ? "is" : "are");

const bucketWords = (above, upper) =>
    upper === undefined ? `${percent(above)} and more` : `${percent(above)} to ${percent(upper)}`;
