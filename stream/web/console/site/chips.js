// What a lifecycle file names for a stage: where to reach its customers, and what to do.

import { h } from "./dom.js";
import { spaced } from "./words.js";

export const chips = ({ channels, actions }) =>
    (channels.length > 0 || actions.length > 0) &&
    h("dl", { class: "chips" }, group("Reach by", channels), group("What to do", actions));

const group = (title, names) =>
    names.length > 0 &&
    h(
        "div",
        {},
        h("dt", {}, title),
        names.map((each) => h("dd", {}, spaced(each))),
    );
