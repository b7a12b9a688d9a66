// A score over time: what it was at stage changes, how it fades if nothing happens, and when that moves the customer.

import { fill, h, s, scale, set } from "./dom.js";
import { LANGUAGE, day, moment, number } from "./format.js";
import { table } from "./table.js";
import { at } from "./times.js";

const HEIGHT = 168;
const TOP = 22;
const BOTTOM = 22;
const LEFT = 40;
const RIGHT = 10;
const PAST = 4; // of what is behind as much as four times what lies ahead is drawn

/**
 * The curve of `score`, an entry of the interface's answer about `at`, `until` and `next`. `levels` are values that lead
 * somewhere: `{value, title}`.
 */
export function curve(score, { at, until, next }, levels, signal) {
    const picture = s("svg", {
        class: "curve",
        role: "img",
        "aria-label": inWords(score, { at, until, next }),
    });
    const frame = h("div", { class: "curve-frame" }, picture);
    let drawn = 0;
    const watcher = new ResizeObserver(() => {
        if (!frame.isConnected) watcher.disconnect(); // another one took its place
        if (frame.clientWidth === drawn || frame.clientWidth === 0) return;
        drawn = frame.clientWidth;
        draw(picture, drawn / scale(), score, { at, until, next }, levels);
    });
    watcher.observe(frame);
    signal.addEventListener("abort", () => watcher.disconnect());
    return [frame, values(score, at)];
}

function inWords({ score, past, ahead }, { at, until, next }) {
    const now = valueAt(ahead, at);
    const last = ahead.at(-1);
    const words = [`${score} over time.`];
    if (past.length > 0) words.push(`${number(past[0][1])} on ${day(past[0][0])};`);
    if (now !== null) words.push(`${number(now)} now;`);
    if (last) words.push(`${number(last[1])} on ${day(until)} if nothing happens.`);
    if (next) words.push(`Then it goes to ${next.title}.`);
    return words.join(" ");
}

/** The value between the two points around a time. */
function valueAt(points, moment) {
    const index = points.findIndex(([when]) => when >= moment);
    if (index < 0) return points.at(-1)?.[1] ?? null;
    if (index === 0) return points[0][1];
    const [[t0, v0], [t1, v1]] = [points[index - 1], points[index]];
    return t1 === t0 ? v1 : v0 + ((v1 - v0) * (moment - t0)) / (t1 - t0);
}

function draw(picture, width, { past, ahead, min, max }, { at, until, next }, levels) {
    const points = [...past, ...ahead];
    if (points.length === 0) return;
    const unit = scale();
    const start = Math.max(points[0][0], at - PAST * Math.max(1, until - at));
    const end = Math.max(until, at + 1, points.at(-1)[0]);
    const shown = points.filter(([when]) => when >= start).map(([, value]) => value);
    const [low, high] = range([...shown, valueAt(points, start) ?? 0], levels, { min, max });
    const x = (when) => LEFT + ((when - start) / (end - start)) * (width - LEFT - RIGHT);
    const y = (value) => TOP + (1 - (value - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
    const xy = ([when, value]) => `${x(when).toFixed(1)} ${y(value).toFixed(1)}`;
    const path = (list) => (list.length === 0 ? "" : `M${list.map(xy).join("L")}`);
    const known = ahead.length > 0 ? ahead : past;
    const history = between(points, start, known[0][0]);
    const solid = between(known, Math.max(start, known[0][0]), at);
    const dashed = between(known, at, end);
    set(picture, "viewBox", `0 0 ${width} ${HEIGHT}`);
    set(picture, "width", width * unit);
    set(picture, "height", HEIGHT * unit);
    const line = (name, x1, y1, x2, y2) => s("line", { class: name, x1, y1, x2, y2 });
    const text = (name, where, height, anchor, words) =>
        s("text", { class: name, x: where, y: height, "text-anchor": anchor, lang: LANGUAGE }, words);
    const ground = y(Math.max(low, Math.min(high, 0)));
    const area = [...history, ...solid, ...dashed];
    // The name of a level stands where the curve is farther from it.
    const side = (value) => Math.abs(value - valueAt(points, end)) - Math.abs(value - valueAt(points, start));
    const near = x(at) > width - 60 ? "end" : x(at) < LEFT + 30 ? "start" : "middle";
    fill(
        picture,
        [low, high].map((value) => [
            line("grid", LEFT, y(value), width - RIGHT, y(value)),
            text("tick", LEFT - 6, y(value) + 4, "end", number(value + 0)),
        ]),
        levels
            .filter(({ value }) => value > low && value < high)
            .map(({ value, title }) => [
                line("level", LEFT, y(value), width - RIGHT, y(value)),
                side(value) < 0
                    ? text("level-name", LEFT + 4, y(value) - 4, "start", title)
                    : text("level-name", width - RIGHT - 2, y(value) - 4, "end", title),
            ]),
        s("path", {
            class: "area",
            d: `${path(area)}L${x(area.at(-1)[0]).toFixed(1)} ${ground.toFixed(1)}L${x(area[0][0]).toFixed(1)} ${ground.toFixed(1)}Z`,
        }),
        s("path", { class: "past", d: path(history) }),
        s("path", { class: "solid", d: path(solid) }),
        s("path", { class: "ahead", d: path(dashed) }),
        past
            .filter(([when]) => when >= start)
            .map((each) =>
                s(
                    "circle",
                    { class: "dot", cx: x(each[0]).toFixed(1), cy: y(each[1]).toFixed(1), r: 3 },
                    s("title", {}, `${number(each[1])} on ${moment(each[0])}`),
                ),
            ),
        line("now", x(at), TOP - 6, x(at), HEIGHT - BOTTOM),
        text("now-name", x(at), TOP - 10, near, "now"),
        s("circle", {
            class: "dot now-dot",
            cx: x(at).toFixed(1),
            cy: y(solid.at(-1)?.[1] ?? 0).toFixed(1),
            r: 4,
        }),
        next && [
            line("deadline", x(next.at), TOP - 6, x(next.at), HEIGHT - BOTTOM),
            x(next.at) - x(at) > 60 && text("deadline-name", x(next.at), TOP - 10, "end", `→ ${next.title}`),
        ],
        text("tick", LEFT, HEIGHT - 6, "start", day(start)),
        text("tick", width - RIGHT, HEIGHT - 6, "end", day(end)),
    );
}

/** The points from one time to another, with the values at these two; none where the one is not before the other. */
function between(points, from, to) {
    if (from > to || points.length === 0) return [];
    const within = points.filter(([when]) => when > from && when < to);
    return [[from, valueAt(points, from)], ...within, [to, valueAt(points, to)]];
}

/** From where to where values are drawn: 0 and the next level are in it, where they are not far off. */
function range(values, levels, { min, max }) {
    let low = Math.min(0, ...values);
    let high = Math.max(0, ...values);
    const above = levels
        .map(({ value }) => value)
        .filter((value) => value > high)
        .sort((a, b) => a - b)[0];
    if (above !== undefined && (high <= 0 || above <= 2.5 * high)) high = above * 1.15;
    const below = levels
        .map(({ value }) => value)
        .filter((value) => value < low)
        .sort((a, b) => b - a)[0];
    if (below !== undefined && low < 0 && below >= 2.5 * low) low = below * 1.15;
    if (high === low) high = low + 1;
    const step = nice((high - low) / 4);
    low = Math.floor(low / step + 1e-9) * step;
    high = Math.ceil(high / step - 1e-9) * step;
    if (typeof max === "number" && max > 0 && values.every((value) => value <= max))
        high = Math.min(high, Math.max(max, step));
    if (typeof min === "number" && values.every((value) => value >= min))
        low = Math.max(low, Math.min(min, 0));
    return low < high ? [low, high] : [low, low + 1];
}

/** 1, 2 or 5 times a power of ten. */
function nice(size) {
    const power = 10 ** Math.floor(Math.log10(size));
    return [1, 2, 5, 10].find((each) => each * power >= size) * power;
}

/** The same figures for who cannot see the curve, or wants them exactly. */
function values({ score, past, ahead }, present) {
    const rows = [
        ...past.map(([when, value]) => ({ when, value, what: "at a stage change" })),
        ...ahead.map(([when, value]) => ({
            when,
            value,
            what: when <= present ? "since the last interaction" : "if nothing happens",
        })),
    ];
    const body = h("div");
    const details = h(
        "details",
        { class: "values" },
        h("summary", { "data-key": `values ${score}` }, "These values as a table"),
        body,
    );
    details.addEventListener("toggle", () => {
        if (!details.open || body.childNodes.length > 0) return;
        const columns = [
            { title: "When", head: true, cell: (row) => at(row.when) },
            { title: "Value", number: true, cell: (row) => number(row.value) },
            { title: "What", cell: (row) => row.what },
        ];
        fill(body, table(`Values of ${score}`, columns, rows));
    });
    return details;
}
