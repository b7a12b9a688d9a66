// The same figures as tables: by period, by segment, and of the stages.

import { daysFrom } from "./calendar.js";
import { h, styled } from "./dom.js";
import { count, percent, stayWords } from "./format.js";
import {
    beforeWords,
    changeWords,
    exactWords,
    measuresOf,
    periodWords,
    segmentWords,
    titleOf,
    totalWords,
} from "./figure_words.js";
import { links } from "./router.js";
import { titled } from "./stages.js";
import { nothing } from "./states.js";
import { table } from "./table.js";

const MOST_ROWS = 100;

/** Everybody's figures: of all days, of those before, then a row for each period, the latest first. */
export function periodTable(answer) {
    const days = daysFrom(answer.from, answer.to);
    const sums = [
        { words: days === 1 ? "This day" : `All ${count(days)} days`, cell: totalWords },
        {
            words: days === 1 ? "The day before" : `The ${count(days)} days before`,
            cell: beforeWords,
        },
    ];
    const rows = answer.periods.map((period, place) => ({ period, place })).reverse();
    const columns = [
        {
            title: { day: "Day", week: "Week", month: "Month" }[answer.per],
            head: true,
            cell: ({ period, words }) => words ?? periodName(period, answer),
        },
        ...measuresOf(answer).map((measure) => ({
            title: titleOf(measure),
            number: true,
            cell: ({ place, cell }) =>
                cell ? cell(measure, measure.series[0]) : exactWords(measure, measure.series[0], place),
        })),
    ];
    const shown = [...sums, ...rows.slice(0, MOST_ROWS)];
    const rowClass = ({ words }) => (words ? "sum" : null);
    return [
        scrolled("Figures by period", table("Figures by period", columns, shown, { rowClass })),
        rows.length > MOST_ROWS &&
            h(
                "p",
                { class: "quiet small" },
                `The latest ${count(MOST_ROWS)} of ${count(rows.length)}; all are in the CSV.`,
            ),
    ];
}

const periodName = (period, { per, today }) => [
    periodWords(period, per),
    !period.whole && h("span", { class: "quiet small" }, " cut off"),
    period.from <= today && today <= period.to && h("span", { class: "quiet small" }, " not over"),
];

/** Totals of the segments side by side. */
export function segmentTable(answer) {
    const measures = measuresOf(answer);
    const leading = answer.figures.find((each) => each.amount) ?? answer.figures[0];
    if (leading === undefined) return nothing("No figure is divided.", "Add figures to the lifecycle file.");
    const whole = leading.series[0].total;
    const rows = leading.series.map((series, place) => ({ series, place }));
    const columns = [
        { title: answer.by, head: true, cell: ({ series }) => segmentWords(series, answer.by) },
        {
            title: `Share of ${titleOf(leading)}`,
            number: true,
            cell: ({ series }) => share(series.total, whole),
        },
        ...measures.map((measure) => ({
            title: titleOf(measure),
            number: true,
            cell: ({ place }) => {
                const series = measure.series[place];
                const { sign, words } = changeWords(measure, series, answer);
                return h(
                    "span",
                    { title: words },
                    totalWords(measure, series),
                    sign && h("span", { class: "sign", "aria-hidden": "true" }, ` ${sign}`),
                    sign && h("span", { class: "unseen" }, `, ${words}`),
                );
            },
        })),
    ];
    const { shown, all } = answer.segments;
    return [
        scrolled(`Totals by ${answer.by}`, table(`Totals by ${answer.by}`, columns, rows)),
        shown < all &&
            h(
                "p",
                { class: "quiet small" },
                `The ${count(shown)} largest of ${count(all)} values, by ${titleOf(leading)}; the rest is together.`,
            ),
    ];
}

function share(part, whole) {
    if (!(whole > 0) || part < 0) return "–";
    return h(
        "div",
        { class: "meter" },
        h(
            "span",
            { class: "bar", "aria-hidden": "true" },
            styled(h("span", { class: "filled" }), { width: `${Math.min(1, part / whole) * 100}%` }),
        ),
        percent(part / whole),
    );
}

/** Who entered and left each stage, and who was there at the end. */
export function stageTable(answer) {
    const last = (values) => values.at(-1);
    const known = (value) => (value === null ? "–" : count(value));
    const against = (value, before) => [
        count(value),
        before !== null && h("span", { class: "quiet small" }, ` before: ${count(before)}`),
    ];
    const columns = [
        {
            title: "Stage",
            head: true,
            cell: (row) =>
                h(
                    "a",
                    {
                        href: links.stage(answer.lifecycle, row.stage),
                        "data-key": `figures of stage ${row.stage}`,
                    },
                    row.title,
                ),
        },
        { title: "At the beginning", number: true, cell: (row) => known(row.customers_before) },
        { title: "Entered", number: true, cell: (row) => against(row.entered_total, row.entered_before) },
        { title: "Left", number: true, cell: (row) => against(row.left_total, row.left_before) },
        { title: "At the end", number: true, cell: (row) => known(last(row.customers)) },
        {
            title: "Stay, mean",
            number: true,
            cell: (row) => (row.stayed_mean_total === null ? "–" : stayWords(row.stayed_mean_total)),
        },
    ];
    return table("Customers of each stage, and who entered and left", columns, answer.stages);
}

/** From where to where customers moved, most often first. */
export function moveTable(answer, lifecycle) {
    const title = titled(lifecycle);
    const columns = [
        { title: "From", head: true, cell: (row) => (row.from === null ? "New" : title(row.from)) },
        { title: "To", cell: (row) => title(row.to) },
        { title: "Moves", number: true, cell: (row) => count(row.total) },
        { title: "Before", number: true, cell: (row) => (row.before === null ? "–" : count(row.before)) },
    ];
    return table(
        "Moves between the stages",
        columns,
        answer.moves.filter((row) => row.total > 0 || row.before > 0).sort((a, b) => b.total - a.total),
    );
}

/** A table that may be wider than there is room: it is scrolled by itself, by the keyboard, too. */
const scrolled = (name, content) =>
    h("div", { class: "wide-table", role: "group", "aria-label": name, tabindex: "0" }, content);
