// Numbers, dates and lengths of time in the reader's language.

const LOCALES = navigator.languages?.length ? [...navigator.languages] : undefined;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MONTH = 30.4375 * DAY;
const YEAR = 365.25 * DAY;
const LATEST = 8.64e15; // of what a Date can hold

/** The language that times and numbers are written in, for the attribute `lang`. */
export const LANGUAGE = new Intl.DateTimeFormat(LOCALES).resolvedOptions().locale;

const whole = new Intl.NumberFormat(LOCALES, { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat(LOCALES, { maximumFractionDigits: 1 });
const hundredths = new Intl.NumberFormat(LOCALES, { maximumFractionDigits: 2 });
const small = new Intl.NumberFormat(LOCALES, { maximumSignificantDigits: 2 });
const shares = new Intl.NumberFormat(LOCALES, { style: "percent", maximumFractionDigits: 0 });
const shortOnes = new Intl.NumberFormat(LOCALES, { notation: "compact", maximumFractionDigits: 1 });
const moments = new Intl.DateTimeFormat(LOCALES, { dateStyle: "medium", timeStyle: "short" });
const exacts = new Intl.DateTimeFormat(LOCALES, { dateStyle: "full", timeStyle: "long" });
const days = new Intl.DateTimeFormat(LOCALES, { dateStyle: "medium" });
const calendarDates = new Intl.DateTimeFormat(LOCALES, { dateStyle: "medium", timeZone: "UTC" });
const calendarMonths = new Intl.DateTimeFormat(LOCALES, { month: "long", year: "numeric", timeZone: "UTC" });
const rates = new Intl.NumberFormat(LOCALES, { style: "percent", maximumFractionDigits: 1 });
const exactCounts = new Intl.NumberFormat(LOCALES, { maximumFractionDigits: 6 });
const exactAmounts = new Intl.NumberFormat(LOCALES, { minimumFractionDigits: 2, maximumFractionDigits: 6 });
const cents = new Intl.NumberFormat(LOCALES, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const relatives = new Intl.RelativeTimeFormat(LOCALES, { numeric: "auto" });
const plainRelatives = new Intl.RelativeTimeFormat(LOCALES, { numeric: "always" });

/** A count: `1,234`. */
export const count = (value) => whole.format(value);

/** A count where there is little room: `1.2K`. */
export const shortCount = (value) =>
    Math.abs(value) < 10_000 ? whole.format(value) : shortOnes.format(value);

/** A number without more decimals than help: `1,200`, `41.3`, `0.05`. */
export function number(value) {
    if (Number.isInteger(value)) return whole.format(value);
    const size = Math.abs(value);
    return (size >= 10 ? tenths : size >= 0.05 ? hundredths : small).format(value);
}

/** An amount with two decimals, or without where it is large: `12.50`, `1,234`. */
export const amount = (value) => (Math.abs(value) < 1000 ? cents : whole).format(value);

/** A rate in per cent, to the tenth: `3.4%`. */
export const rate = (value) => rates.format(value / 100);

/** A decimal number that is written out, with all its digits; `decimals`: with two of them at least. */
export const exactly = (text, decimals) => (decimals ? exactAmounts : exactCounts).format(text);

/** A share from 0 to 1 in percent, never 0 % of something or 100 % of less. */
export function percent(share) {
    if (share > 0 && share < 0.005) return `<${shares.format(0.01)}`;
    return share < 1 && share >= 0.995 ? `>${shares.format(0.99)}` : shares.format(share);
}

const dated = (formatter) => (ms) => (Math.abs(ms) > LATEST ? String(ms) : formatter.format(ms));

/** A time as people write it: day, hour and minute. */
export const moment = dated(moments);
export const day = dated(days);
/** Days and months of the calendar, told of a time within them by UTC. */
export const calendarDay = dated(calendarDates);
export const calendarDays = (first, last) => calendarDates.formatRange(first, last);
export const calendarMonth = dated(calendarMonths);
/** A time with its weekday, seconds and zone, and as the interface has it. */
export const exact = (ms) => (Math.abs(ms) > LATEST ? String(ms) : `${exacts.format(ms)} (${iso(ms)})`);
export const iso = (ms) => new Date(Math.max(-LATEST, Math.min(LATEST, ms))).toISOString();

const UNITS = [
    ["year", YEAR, 2 * YEAR],
    ["day", DAY, DAY],
    ["hour", HOUR, HOUR],
    ["minute", MINUTE, MINUTE],
    ["second", SECOND, 0],
];
const lengths = new Map();

/** A length of time in its largest unit: `23 days`, `3.5 hours`; `display` as of Intl: long, short or narrow. */
export function length(ms, display = "long") {
    const [unit, size] = UNITS.find(([, , from]) => Math.abs(ms) >= from);
    const amount = ms / size;
    const digits = Math.abs(amount) < 10 ? 1 : 0;
    const key = `${unit} ${display} ${digits}`;
    if (!lengths.has(key)) {
        const options = { style: "unit", unit, unitDisplay: display, maximumFractionDigits: digits };
        lengths.set(key, new Intl.NumberFormat(LOCALES, options));
    }
    return lengths.get(key).format(amount);
}

const STEPS = [
    ["year", YEAR, 1.5 * YEAR],
    ["month", MONTH, 2 * MONTH],
    ["day", DAY, 20 * HOUR],
    ["hour", HOUR, 50 * MINUTE],
    ["minute", MINUTE, 50 * SECOND],
    ["second", SECOND, 0],
];

/** How far a time is from `now`: `in 3 days`, `2 minutes ago`. */
export function relative(ms, now) {
    const distance = ms - now;
    const [unit, size] = STEPS.find(([, , from]) => Math.abs(distance) >= from);
    const amount = Math.round(distance / size);
    const words = unit === "second" && Math.abs(amount) < 5 ? 0 : amount;
    return (unit === "day" || words === 0 ? relatives : plainRelatives).format(words, unit);
}

/** How long somebody stayed; who only passed through a stage did so in no time. */
export const stayWords = (ms) => (ms < SECOND ? "no time" : length(ms, "short"));
