// What an explanation says, in words: values, comparisons, guards, what time does, and why a customer moved.

import { length, moment, number } from "./format.js";

/** Text of a lifecycle file on one line. */
export const oneLine = (text) =>
    String(text ?? "")
        .split(/\s+/)
        .join(" ")
        .trim();

/** A name of a lifecycle file as people read it. */
export const spaced = (name) => name.replaceAll("_", " ");

/** A value in its unit; `nothing yet` where there is none. */
export function valueWords(value, unit) {
    if (value === null || value === undefined) return "nothing yet";
    if (Array.isArray(value)) return value.map((each) => valueWords(each, unit)).join(", ");
    if (typeof value === "boolean") return value ? "yes" : "no";
    if (typeof value !== "number") return String(value);
    if (unit === "time") return moment(value);
    return unit === "duration" ? length(value) : number(value);
}

/** A comparison as it is asked for, and in words how far it is or what there is in its place. */
export function comparisonWords(comparison) {
    const { name, holds, wanted, value, unit, missing } = comparison;
    const text = oneLine(comparison.text);
    const asked = wanted ? text : `not (${text})`;
    const present = valueWords(value, unit);
    let said;
    if (holds === null) said = "needs an interaction";
    else if (value === null) said = `there is no ${name} yet`;
    else if (missing === null || !["number", "duration"].includes(unit)) said = `${name} is ${present}`;
    else if (missing < 0) said = `${name} is ${present}, ${valueWords(-missing, unit)} too much`;
    else
        said = `${name} is ${present} of ${valueWords(neededOf(comparison), unit)}, ${valueWords(missing, unit)} missing`;
    return { asked, said };
}

/** What the value has to come to; of a list the one that is nearest. */
const neededOf = ({ needs, value, missing }) => (typeof needs === "number" ? needs : value + missing);

/** How much of what a comparison waits for is there, from 0 to 1; null where no number says. */
export function shareOf({ value, missing, unit, holds, wanted }) {
    if (holds === wanted) return 1;
    if (typeof value !== "number" || missing === null || !["number", "duration"].includes(unit)) return null;
    const size = Math.max(Math.abs(value), Math.abs(value + missing));
    return size === 0 ? 0 : Math.max(0, 1 - Math.abs(missing) / size);
}

/** The comparisons of a condition that a transition waits for. */
export function decisive(condition) {
    if (!condition.decisive) return [];
    if (condition.kind !== "comparison") return condition.parts.flatMap(decisive);
    const within = condition.scores === null ? [] : decisive(condition.scores);
    return within.length > 0 ? within : [condition];
}

/** How near a transition is, from 0 to 1: as its farthest comparison; null where only an interaction tells. */
export function nearnessOf(condition) {
    if (condition.holds === true) return 1;
    const shares = decisive(condition).map((each) => (each.holds === null ? null : (shareOf(each) ?? 0)));
    return shares.length === 0 || shares.includes(null) ? null : Math.min(...shares);
}

/** What holds a transition back beside its condition. */
export function guardWords({ kind, length: lasts, since, until }) {
    if (kind === "hold") {
        if (since === null) return `the condition must then hold for ${length(lasts)}`;
        const held = `the condition has held since ${moment(since)}`;
        return until === null ? held : `${held}; it must until ${moment(until)}`;
    }
    if (since === null) return `at most once in ${length(lasts)}: it was not taken yet`;
    const taken = `at most once in ${length(lasts)}: last taken on ${moment(since)}`;
    return until === null ? taken : `${taken}, not again before ${moment(until)}`;
}

const CAUSES = {
    deadline: () => "time passed",
    command: () => "somebody moved it",
    merge: () => "two customers turned out to be one",
    lifecycle: () => "the lifecycle was edited",
    forgotten: () => "nothing was heard for so long that it was forgotten",
    erased: () => "its data were erased",
};

/** What caused a change: `order`, or that time passed. */
export function causeWords({ kind, type, late }) {
    if (kind !== "interaction") return (CAUSES[kind] ?? (() => kind))();
    return `${type === null ? "an interaction" : `“${type}”`}${late ? ", which came late," : ""}`;
}

/** Why a change was made, as a sentence. */
export function whyWords(change) {
    const { trigger, transition, from, to } = change;
    if (from === null) return `Its life began with ${causeWords(trigger)}.`;
    const condition = oneLine(transition);
    if (trigger.kind === "interaction") {
        return condition ? `After ${causeWords(trigger)}: ${condition}` : `After ${causeWords(trigger)}.`;
    }
    const cause = causeWords(trigger);
    const begin = cause[0].toUpperCase() + cause.slice(1);
    return condition && to !== null ? `${begin}: ${condition}` : `${begin}.`;
}
