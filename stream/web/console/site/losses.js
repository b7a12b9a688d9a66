// Where customers are lost, in words, and where those who left a stage went.

import { h } from "./dom.js";
import { count, percent, stayWords } from "./format.js";
import { links } from "./router.js";
import { KIND_WORDS, kinds, titled } from "./stages.js";
import { nothing } from "./states.js";
import { table } from "./table.js";
import { spanWords } from "./context.js";

const FEW = 10; // customers, of whom a share says little

/** Words and a table about the moves of `moves`, an answer of the interface. */
export function losses(lifecycle, moves) {
    const rows = rowsOf(lifecycle, moves);
    if (rows.length === 0) {
        return nothing(`Nobody left a stage in ${spanWords(moves.within)}.`, "Choose a longer time above.");
    }
    return [h("p", { class: "lead" }, inWords(lifecycle, rows, moves.within)), conversions(lifecycle, rows)];
}

function rowsOf(lifecycle, { moves }) {
    const kind = kinds(lifecycle);
    const places = new Map(lifecycle.stages.map(({ stage }, index) => [stage, index]));
    const left = new Map();
    for (const each of moves) {
        if (each.from !== null) left.set(each.from, (left.get(each.from) ?? 0) + each.customers);
    }
    return moves
        .filter((each) => each.from !== null && each.customers > 0)
        .map((each) => ({ ...each, kind: kind(each.from, each.to), left: left.get(each.from) }))
        .sort(
            (a, b) =>
                (places.get(a.from) ?? Infinity) - (places.get(b.from) ?? Infinity) ||
                b.customers - a.customers,
        );
}

/** Where we lose most, as a sentence or three; where nobody is lost, from where most step back. */
function inWords(lifecycle, rows, within) {
    const title = titled(lifecycle);
    const stage = (name) => h("a", { href: links.stage(lifecycle.lifecycle, name) }, title(name));
    const lost = leaks(rows, "lost");
    if (lost.length === 0) return noLosses(rows, within, stage);
    const [most] = lost;
    const all = lost.reduce((sum, each) => sum + each.customers, 0);
    const words = [
        "Most are lost from ",
        stage(most.from),
        ": ",
        shareWords(most),
        most.to === null ? " were forgotten" : [" went to ", stage(most.to)],
        ` in ${spanWords(within)}.`,
    ];
    if (lost.length > 1) words.push(` That is ${percent(most.customers / all)} of all ${count(all)} losses.`);
    const [steepest] = lost.filter((each) => each.left >= FEW).sort((a, b) => b.share - a.share);
    if (steepest && steepest.from !== most.from && steepest.share > most.share) {
        words.push(
            " The largest share is lost from ",
            stage(steepest.from),
            `: ${percent(steepest.share)} of the ${count(steepest.left)} who left it.`,
        );
    }
    return words;
}

function noLosses(rows, within, stage) {
    const total = rows.reduce((sum, each) => sum + each.customers, 0);
    const words = [`None of the ${count(total)} moves in ${spanWords(within)} lost a customer.`];
    const [most] = leaks(rows, "back");
    if (most)
        words.push(
            " Most step back from ",
            stage(most.from),
            ": ",
            shareWords(most),
            " went to ",
            stage(most.to),
            ".",
        );
    return words;
}

const shareWords = ({ customers, left, share }) => [
    h("strong", {}, `${count(customers)} of the ${count(left)} who left it`),
    ` (${percent(share)})`,
];

/** The stages that customers leave in this way, those that most leave so first; `to` is where most of them go. */
function leaks(rows, kind) {
    const ways = Map.groupBy(
        rows.filter((each) => each.kind === kind),
        (each) => each.from,
    );
    return [...ways]
        .map(([from, moves]) => {
            const customers = moves.reduce((sum, each) => sum + each.customers, 0);
            const { left, to } = moves.toSorted((a, b) => b.customers - a.customers)[0];
            return { from, to, customers, left, share: customers / left };
        })
        .sort((a, b) => b.customers - a.customers);
}

function conversions(lifecycle, rows) {
    const title = titled(lifecycle);
    const link = (name) =>
        name === null ? "Forgotten" : h("a", { href: links.stage(lifecycle.lifecycle, name) }, title(name));
    const columns = [
        { title: "From", head: true, cell: (row) => title(row.from) },
        { title: "To", broad: true, cell: (row) => link(row.to) },
        { title: "Way", cell: (row) => h("span", { class: `tag ${row.kind}` }, KIND_WORDS[row.kind]) },
        { title: "Customers", number: true, cell: (row) => count(row.customers) },
        {
            title: "Of those who left",
            number: true,
            cell: (row) => meter(row.customers / row.left, row.kind),
        },
        {
            title: "Had stayed (median)",
            number: true,
            cell: (row) => (row.stayed ? stayWords(row.stayed.median) : "–"),
        },
    ];
    return table("Where those who left a stage went", columns, rows, {
        rowClass: (row, before) => (row.from === before?.from ? "again" : null),
    });
}

/** A share as a bar and in percent. */
function meter(share, kind = "") {
    const bar = h("span", { class: `bar ${kind}`, "aria-hidden": "true" }, h("span", { class: "filled" }));
    bar.firstChild.style.setProperty("width", `${Math.max(0, Math.min(1, share)) * 100}%`);
    return h("span", { class: "meter" }, bar, h("span", { class: "share" }, percent(share)));
}
