// A figure over the periods as a line, with the days before as a dotted one.

import { noon } from "./calendar.js";
import { fill, h, s, scale, set } from "./dom.js";
import { LANGUAGE, calendarDay } from "./format.js";
import { periodWords, titleOf, valueWords } from "./figure_words.js";

const HEIGHT = 96;
const TOP = 8;
const BOTTOM = 20;
const SIDE = 5;
const MOST_DOTS = 45;

/** The line of a series of `measure`; `answer` has the periods. */
export function figureChart(measure, series, answer, watch) {
    const picture = s("svg", {
        class: "figure-chart",
        role: "img",
        "aria-label": inWords(measure, series, answer),
    });
    const frame = h("div", { class: "figure-frame" }, picture);
    watch(frame, (width) => draw(picture, width / scale(), measure, series, answer));
    return frame;
}

function inWords(measure, { values, before_values: before }, { periods, per }) {
    const known = values.map((value, place) => [value, place]).filter(([value]) => value !== null);
    if (known.length === 0) return `${titleOf(measure)}: nothing to draw.`;
    const [most, place] = known.reduce((one, other) => (other[0] > one[0] ? other : one));
    const [last, end] = known.at(-1);
    const words = [
        `${titleOf(measure)} of each ${per}.`,
        `Highest: ${valueWords(measure, most)}, ${periodWords(periods[place], per)}.`,
        `Last: ${valueWords(measure, last)}, ${periodWords(periods[end], per)}.`,
    ];
    if (before !== null) words.push("Dotted: the days before.");
    return words.join(" ");
}

function draw(picture, width, measure, { values, before_values: before }, { periods, per, today }) {
    const unit = scale();
    set(picture, "viewBox", `0 0 ${width} ${HEIGHT}`);
    set(picture, "width", width * unit);
    set(picture, "height", HEIGHT * unit);
    const all = [...values, ...(before ?? [])].filter((value) => value !== null);
    const high = Math.max(0, ...all);
    const low = Math.min(0, ...all);
    const size = high - low || 1;
    const last = values.length - 1;
    const x = (place) => (last === 0 ? width / 2 : SIDE + (place / last) * (width - 2 * SIDE));
    const y = (value) => TOP + ((high - value) / size) * (HEIGHT - TOP - BOTTOM);
    const ground = y(0);
    const open = ({ whole, to }) => !whole || to >= today;
    fill(
        picture,
        s("line", { class: "ground", x1: 0, y1: ground, x2: width, y2: ground }),
        runs(values).map((run) =>
            s("path", {
                class: "area",
                d: `${path(run, x, y)}L${x(run.at(-1)[0])} ${ground}L${x(run[0][0])} ${ground}Z`,
            }),
        ),
        before !== null && runs(before).map((run) => s("path", { class: "before", d: path(run, x, y) })),
        runs(values).map((run) => s("path", { class: "line", d: path(run, x, y) })),
        values.length <= MOST_DOTS &&
            values.map(
                (value, place) =>
                    value !== null &&
                    s(
                        "circle",
                        { class: open(periods[place]) ? "dot open" : "dot", cx: x(place), cy: y(value), r: 2.5 },
                        s("title", {}, `${valueWords(measure, value)}, ${periodWords(periods[place], per)}`),
                    ),
            ),
        tick(SIDE, "start", calendarDay(noon(periods[0].from))),
        high > 0 && tick(width / 2, "middle", `up to ${valueWords(measure, high)}`),
        tick(width - SIDE, "end", calendarDay(noon(periods[last].to))),
    );
}

const tick = (x, anchor, words) =>
    s("text", { class: "tick", x, y: HEIGHT - 5, "text-anchor": anchor, lang: LANGUAGE }, words);

/** What is drawn in one go: a value that there is not makes a gap. */
function runs(values) {
    const found = [];
    values.forEach((value, place) => {
        if (value === null) return;
        if (place > 0 && values[place - 1] !== null) found.at(-1).push([place, value]);
        else found.push([[place, value]]);
    });
    return found;
}

/** Of one value alone, a dot. */
function path(run, x, y) {
    const points = run.map(([place, value]) => `${x(place).toFixed(1)} ${y(value).toFixed(1)}`);
    return `M${points.join("L")}${run.length === 1 ? "h.01" : ""}`;
}
