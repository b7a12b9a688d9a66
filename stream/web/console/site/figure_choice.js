// Which days, weeks or months are looked at, and by which fact: what the reader chooses, and the question of it.

import { isDay, monthBefore, monthOf } from "./calendar.js";
import { fill, h } from "./dom.js";

const SPANS = [
    ["7", "Last 7 days"],
    ["28", "28 days"],
    ["90", "90 days"],
    ["month", "This month"],
    ["month-before", "Last month"],
    ["own", "Own days"],
];
const PER = [
    ["day", "Each day"],
    ["week", "Each week"],
    ["month", "Each month"],
];

/** What was chosen last, as long as the page is open. */
const chosen = { span: "28", per: "day", by: "", from: "", to: "" };

/**
 * The controls; `changed` is called after each choice. `question()` are the parameters of it, `known(answer)` tells what
 * the last answer was about.
 */
export function figureChoice(changed) {
    let today = null;
    let facts = "";
    const from = dateField("figures-from", "From", () => own());
    const to = dateField("figures-to", "To", () => own());
    const dates = h("span", { class: "dates" }, from.nodes, to.nodes);
    const by = h("select", { id: "figures-by", onchange: () => choose({ by: by.value }) });
    const byPlace = h("span", { class: "tools" }, h("label", { for: "figures-by" }, "By"), by);
    const per = h(
        "select",
        { id: "figures-per", onchange: () => choose({ per: per.value }) },
        PER.map(([value, words]) => h("option", { value, selected: value === chosen.per }, words)),
    );

    function choose(change) {
        Object.assign(chosen, change);
        dates.hidden = chosen.span !== "own";
        changed();
    }

    function own() {
        if (isDay(from.field.value) && isDay(to.field.value))
            choose({ span: "own", from: from.field.value, to: to.field.value });
    }

    function showFacts(names) {
        if (names.join("\n") === facts && by.childNodes.length > 0) return;
        facts = names.join("\n");
        if (!names.includes(chosen.by)) chosen.by = "";
        fill(
            by,
            ["", ...names].map((name) =>
                h("option", { value: name, selected: name === chosen.by }, name || "Everybody"),
            ),
        );
        byPlace.hidden = names.length === 0;
    }

    dates.hidden = chosen.span !== "own";
    byPlace.hidden = true;
    return {
        node: h(
            "div",
            { class: "figure-choice" },
            spanChoice((span) => choose({ span, from: from.field.value, to: to.field.value })),
            dates,
            h(
                "span",
                { class: "tools" },
                h("label", { class: "unseen", for: "figures-per" }, "Told of"),
                per,
                byPlace,
            ),
        ),
        question: () => ({ ...daysOf(chosen, today), per: chosen.per, by: chosen.by || null }),
        known: (answer) => {
            today = answer.today;
            showFacts(answer.facts);
            if (chosen.span === "own" && from.field.value !== "") return;
            from.field.value = answer.from;
            to.field.value = answer.to;
        },
    };
}

/** The days that were chosen; as long as nobody knows what today is, the latest. */
function daysOf({ span, from, to }, today) {
    if (span === "own" && from !== "") return { from, to };
    if (today === null || span === "own") return { days: 28 };
    if (span === "month") return { from: monthOf(today), to: today };
    if (span === "month-before") return { from: monthOf(monthBefore(today)), to: monthBefore(today) };
    return { days: span };
}

function spanChoice(choose) {
    return h(
        "fieldset",
        { class: "spans" },
        h("legend", { class: "unseen" }, "Which days"),
        SPANS.map(([span, words]) => [
            h("input", {
                type: "radio",
                name: "figures-span",
                id: `figures-${span}`,
                value: span,
                checked: span === chosen.span,
                onchange: () => choose(span),
            }),
            h("label", { for: `figures-${span}` }, words),
        ]),
    );
}

function dateField(id, words, onchange) {
    const field = h("input", { type: "date", id, onchange });
    return { field, nodes: [h("label", { for: id }, words), field] };
}
