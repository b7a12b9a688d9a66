// The figures of a lifecycle: totals against the days before, as lines, tables and CSV; by day, week or month.

import { path, query } from "./api.js";
import { describe } from "./context.js";
import { daysFrom, noon } from "./calendar.js";
import { h, fill } from "./dom.js";
import { figureChart } from "./figure_chart.js";
import { figureChoice } from "./figure_choice.js";
import { moveTable, periodTable, segmentTable, stageTable } from "./figure_tables.js";
import { changeWords, measuresOf, nameOf, titleOf, totalWords, valueWords } from "./figure_words.js";
import { calendarDay, calendarDays, count } from "./format.js";
import { links } from "./router.js";
import { nothing, pane, regularly, seldom, waitingNotice } from "./states.js";

const AGAIN_SECONDS = 5;
const EXAMPLE = `interactions:
  visit:    [page]
  purchase: [Order Completed]
figures:
  visits:  {title: Visits, each: visit}
  orders:  {title: Orders, each: purchase}
  revenue: {title: Revenue, each: purchase, add: properties.total}
rates:
  average_order: {title: Average order, of: revenue, to: orders}`;

export async function figures(main, { lifecycle: id }, signal) {
    const lifecycle = await describe(id, {
        signal,
        waiting: (reason) => reason && fill(main, waitingNotice(reason)),
    });
    const place = h("div", { class: "figure-view" });
    const asked = h("p", { class: "figures" });
    const csv = h("a", { class: "button" }, "All as CSV");
    const choice = figureChoice(() => load());
    const watched = widths(signal);
    let shown = "";
    let live = true;

    const url = (more = {}) => path("lifecycles", id, "figures") + query({ ...choice.question(), ...more });
    const load = pane(place, {
        urls: () => [url()],
        lines: 12,
        signal,
        show: (answer) => {
            choice.known(answer);
            csv.href = url({ format: "csv" });
            csv.hidden = false;
            live = answer.from <= answer.today && answer.today <= answer.to;
            const text = JSON.stringify(answer);
            if (text === shown) return undefined;
            shown = text;
            fill(asked, askedWords(answer));
            const open = [...place.querySelectorAll("details[open]")].map((each) => each.dataset.name);
            return content(answer, lifecycle, watched, open);
        },
        refused: (error) => {
            shown = "";
            csv.hidden = true;
            live = false;
            if (error.code !== "no_figures") return null;
            choice.node.hidden = true;
            return noFigures(lifecycle);
        },
    });
    csv.hidden = true;
    fill(
        main,
        h(
            "div",
            { class: "view-head" },
            h(
                "div",
                {},
                h("p", { class: "crumb" }, h("a", { href: links.overview(id) }, lifecycle.title)),
                h("h1", { tabindex: "-1" }, "Figures"),
                asked,
            ),
            csv,
        ),
        choice.node,
        place,
    );
    load();
    const again = seldom(load, signal); // a large answer less often
    regularly(() => live && again(), AGAIN_SECONDS, signal);
}

/** Which days these are, and what to know of them. */
function askedWords({ from, to, today, before, complete, kept_from: keptFrom, time_zone: zone }) {
    const days = daysFrom(from, to);
    const words = [
        h("strong", {}, calendarDays(noon(from), noon(to))),
        `, ${count(days)} ${days === 1 ? "day" : "days"} of ${zone}, against `,
        calendarDays(noon(before.from), noon(before.to)),
        ".",
    ];
    if (from <= today && today <= to) words.push(" Today is not over.");
    if (!complete) words.push(` Days before ${calendarDay(noon(keptFrom))} are not kept any more.`);
    else if (keptFrom !== null && keptFrom > before.from && before.complete)
        words.push(` The first figures are of ${calendarDay(noon(keptFrom))}.`);
    return words;
}

function content(answer, lifecycle, watched, open) {
    if (answer.kept_from === null)
        return nothing(
            "Nothing was counted yet.",
            "Send interactions, to a collector or to Kafka: what the lifecycle file counts stands here from the first one on.",
        );
    const some = measuresOf(answer).length > 0; // else there is but what comes by itself
    const moved = answer.moves.some((each) => each.total > 0 || each.before > 0);
    return [
        some && [
            h(
                "ul",
                { class: "plain tiles", "aria-label": "Figures and rates" },
                measuresOf(answer).map((each) => tile(each, answer, watched, open)),
            ),
            h(
                "p",
                { class: "quiet small legend" },
                h("span", {}, key("now"), "these days"),
                h("span", {}, key("before"), "the days before"),
                h("span", {}, key("open"), "not over, or cut off"),
            ),
        ],
        answer.by !== null && card("figures-by-title", `By ${answer.by}`, segmentTable(answer)),
        some && card("figures-table-title", "In numbers", periodTable(answer)),
        h(
            "div",
            { class: "two" },
            card("figures-stages-title", "Stages", stageTable(answer)),
            moved && card("figures-moves-title", "Moves", moveTable(answer, lifecycle)),
        ),
    ];
}

const key = (kind) => h("i", { class: `key ${kind}`, "aria-hidden": "true" });

const card = (id, title, ...content) =>
    h(
        "section",
        { class: "card", "aria-labelledby": id },
        h("div", { class: "card-head" }, h("h2", { id }, title)),
        content,
    );

function tile(measure, answer, watched, open) {
    const [series] = measure.series;
    const { sign, words } = changeWords(measure, series, answer);
    const name = nameOf(measure);
    return h(
        "li",
        { class: "card tile" },
        h("h2", {}, titleOf(measure)),
        h(
            "p",
            { class: "total", title: totalWords(measure, series) },
            valueWords(measure, series.total),
        ),
        h(
            "p",
            { class: "change" },
            sign && h("span", { class: "sign", "aria-hidden": "true" }, `${sign} `),
            words,
        ),
        figureChart(measure, series, answer, watched),
        h(
            "details",
            { class: "meaning", "data-name": name, open: open.includes(name) },
            h("summary", { "data-key": `meaning of ${name}` }, "What it means"),
            h("p", {}, sentenceOf(measure.meaning)),
        ),
    );
}

const sentenceOf = (text) => `${text[0].toUpperCase()}${text.slice(1)}.`;

function noFigures(lifecycle) {
    return h(
        "section",
        { class: "card", "aria-labelledby": "no-figures" },
        h("h2", { id: "no-figures" }, "This lifecycle has no figures yet."),
        h(
            "p",
            {},
            "Figures say how many visited, ordered and how much was sold, day by day. Add them to the file of ",
            h("strong", {}, lifecycle.title),
            ", for example:",
        ),
        h("pre", { class: "example", tabindex: "0", "aria-label": "Example of figures" }, EXAMPLE),
        h(
            "p",
            { class: "quiet" },
            "Check the file with ",
            h("code", {}, "lifecycle validate"),
            ", then start the workers again. Figures begin with the interactions that come from then on.",
        ),
    );
}

/** Tells pictures how wide their frames are, as often as that changes. */
function widths(signal) {
    const drawn = new Map();
    const watcher = new ResizeObserver((entries) => {
        for (const { target } of entries) {
            const known = drawn.get(target);
            if (!target.isConnected) {
                watcher.unobserve(target);
                drawn.delete(target);
            } else if (known !== undefined && target.clientWidth > 0 && target.clientWidth !== known.width) {
                known.width = target.clientWidth;
                known.draw(known.width);
            }
        }
    });
    signal.addEventListener("abort", () => watcher.disconnect());
    return (frame, draw) => {
        drawn.set(frame, { width: 0, draw });
        watcher.observe(frame);
    };
}
