// Figures and rates in words: totals, days, and how they differ from those before.

import { daysFrom, noon } from "./calendar.js";
import { amount, calendarDays, calendarMonth, count, exactly, number, percent, rate } from "./format.js";
import { spaced } from "./words.js";

/** The days of a period: `2 – 8 Mar 2026`, or its month. */
export function periodWords({ from, to, whole }, per) {
    if (per === "month" && whole) return calendarMonth(noon(from));
    return calendarDays(noon(from), noon(to));
}

/** A value of a figure or rate with little room: `12.5`, `1,234`, `3.4 %`. */
export function valueWords(measure, value) {
    if (value === null) return "–";
    if (measure.rate !== undefined) return measure.percent ? rate(value) : amount(value);
    return measure.amount ? amount(value) : count(value);
}

/** The value at a place of a series, exactly. */
export function exactWords(measure, series, place) {
    if (series.exact === undefined) return valueWords(measure, series.values[place]);
    return exactly(series.exact[place], measure.amount);
}

/** The total, exactly. */
export const totalWords = (measure, series) =>
    series.total_exact === undefined
        ? valueWords(measure, series.total)
        : exactly(series.total_exact, measure.amount);

/** The total of the days before, with all its digits. */
export const beforeWords = (measure, { before }) =>
    before === null || measure.rate !== undefined
        ? valueWords(measure, before)
        : exactly(before, measure.amount);

/** How the total differs from before: a sign, and words that say the same. */
export function changeWords(measure, { total, before, change }, answer) {
    const days = daysFrom(answer.from, answer.to);
    const than = days === 1 ? "the day before" : `the ${count(days)} days before`;
    if (!answer.before.complete) return { sign: "", words: `${than} are not all kept` };
    if (before === null || total === null || (before === 0 && total === 0))
        return { sign: "", words: `nothing in ${than}` };
    const value = valueWords(measure, before);
    if (total === before) return { sign: "=", words: `as in ${than}` };
    const sign = total > before ? "▲" : "▼";
    const more = total > before ? "more" : "less";
    if (measure.percent) {
        const points = number(Math.round(10 * Math.abs(total - before)) / 10);
        return { sign, words: `${points} points ${more} than in ${than} (${value})` };
    }
    if (change === null) return { sign, words: `more than in ${than} (${value})` };
    return { sign, words: `${percent(Math.abs(change))} ${more} than in ${than} (${value})` };
}

/** What a segment is called. */
export function segmentWords({ segment, kind }, fact) {
    if (kind === "all") return "Everybody";
    if (kind === "none") return `No ${fact} yet`;
    return kind === "other" ? "All others" : segment;
}

/** Figures, then rates, as one list. */
export const measuresOf = (answer) => [...answer.figures, ...answer.rates];

/** What tells it from all others. */
export const nameOf = (measure) => measure.figure ?? measure.rate;

/** What it is called; of one without a title its name, as people write it. */
export function titleOf(measure) {
    if (measure.title !== nameOf(measure)) return measure.title;
    const words = spaced(measure.title);
    return words[0].toUpperCase() + words.slice(1);
}
