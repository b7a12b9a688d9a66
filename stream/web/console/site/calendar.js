// Days of the calendar, written as the interface has them: 2026-03-31. They have no time zone here.

const DAY = 24 * 60 * 60 * 1000;

const time = (day) => Date.parse(`${day}T00:00:00Z`);
const text = (ms) => new Date(ms).toISOString().slice(0, 10);

const later = (day, days) => text(time(day) + days * DAY);

/** How many days there are from one to another, both of them included. */
export const daysFrom = (first, last) => Math.round((time(last) - time(first)) / DAY) + 1;

/** The first day of the month. */
export const monthOf = (day) => `${day.slice(0, 7)}-01`;

/** The last day of the month before. */
export const monthBefore = (day) => later(monthOf(day), -1);

/** Whether it is a day: what a field for dates has may be half written. */
export const isDay = (day) => /^\d{4}-\d\d-\d\d$/.test(day) && !Number.isNaN(time(day));

/** Its middle as epoch milliseconds, for formats of UTC. */
export const noon = (day) => time(day) + DAY / 2;
