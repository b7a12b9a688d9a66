// Tables: rows that become cards where there is no room for columns, and stay tables for screen readers.

import { h } from "./dom.js";

/**
 * A table. Of `columns` each has a `title`, a `cell` that makes nodes of a row, and may be `number` (set to the right),
 * `head` (names the row); where there is no room, `broad` has two thirds of a line, and `wide` a line of its own.
 */
export function table(caption, columns, rows, { rowClass = () => null } = {}) {
    const kind = (column) => ["number", "wide", "broad"].filter((each) => column[each]).join(" ") || null;
    return h(
        "table",
        { role: "table" },
        h("caption", { class: "unseen" }, caption),
        h(
            "thead",
            { role: "rowgroup" },
            h(
                "tr",
                { role: "row" },
                columns.map((each) =>
                    h("th", { role: "columnheader", scope: "col", class: kind(each) }, each.title),
                ),
            ),
        ),
        h(
            "tbody",
            { role: "rowgroup" },
            rows.map((row, index) =>
                h(
                    "tr",
                    { role: "row", class: rowClass(row, rows[index - 1]) },
                    columns.map((each) => {
                        const name = each.head ? "th" : "td";
                        const role = each.head ? { role: "rowheader", scope: "row" } : { role: "cell" };
                        return h(
                            name,
                            { ...role, class: kind(each), "data-title": each.title },
                            h("div", { class: "cell" }, each.cell(row)),
                        );
                    }),
                ),
            ),
        ),
    );
}
