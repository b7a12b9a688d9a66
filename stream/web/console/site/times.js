// Times on the page: words that people read, with the exact time in the title.

import { h } from "./dom.js";
import { LANGUAGE, exact, iso, moment, relative } from "./format.js";

const element = (ms, words) => h("time", { datetime: iso(ms), title: exact(ms), lang: LANGUAGE }, words);

/** `12 Mar 2026, 10:05` */
export const at = (ms, words = moment(ms)) => element(ms, words);

/** `in 3 days` */
export const away = (ms, now) => element(ms, relative(ms, now));

/** `12 Mar 2026, 10:05 (in 3 days)` */
export const atAndAway = (ms, now) => element(ms, `${moment(ms)} (${relative(ms, now)})`);
