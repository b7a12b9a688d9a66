// One stage: who is in it, and what leads out of it.

import { path, query } from "./api.js";
import { chips } from "./chips.js";
import { chosenSpan, describe, now, reached, spanWords } from "./context.js";
import { fill, h } from "./dom.js";
import { count, length, number, percent } from "./format.js";
import { nearness } from "./nearness.js";
import { links } from "./router.js";
import { nothing, pane, problem, waitingNotice } from "./states.js";
import { table } from "./table.js";
import { at, away } from "./times.js";
import { spaced } from "./words.js";

const PAGE = 25;

export async function stage(main, { lifecycle: id, stage: name }, signal) {
    const lifecycle = await describe(id, {
        signal,
        waiting: (reason) => reason && fill(main, waitingNotice(reason)),
    });
    const known = lifecycle.stages.find((each) => each.stage === name);
    if (known === undefined) {
        const stages = lifecycle.stages.map((each) => each.title).join(", ");
        fill(
            main,
            h("h1", { tabindex: "-1" }, name),
            problem({
                status: 404,
                message: `${lifecycle.title} has no stage “${name}”; there are ${stages}`,
            }),
        );
        return;
    }
    const figures = h("p", { class: "figures" }, "…");
    const ways = h("div");
    const list = h("div");
    const problems = h("div");
    fill(
        main,
        h(
            "div",
            { class: "view-head" },
            h(
                "div",
                {},
                h("p", { class: "crumb" }, h("a", { href: links.overview(id) }, lifecycle.title)),
                h("h1", { tabindex: "-1" }, known.title),
                figures,
                chips(known),
            ),
        ),
        problems,
        h(
            "div",
            { class: "two" },
            h(
                "section",
                { class: "card", "aria-labelledby": "who-title" },
                customersOf(lifecycle, name, list, signal),
            ),
            h(
                "section",
                { class: "card", "aria-labelledby": "ways-title" },
                h("div", { class: "card-head" }, h("h2", { id: "ways-title" }, "What leads out of it")),
                ways,
            ),
        ),
    );
    const said = { now: null, moved: null };
    const tell = () => fill(figures, figureWords(said));
    pane(problems, {
        urls: () => [path("lifecycles", id, "stages")],
        lines: 0,
        signal,
        show: ({ stages }) => {
            said.now = stages.find((each) => each.stage === name)?.customers ?? 0;
            tell();
            return null;
        },
    })();
    pane(h("div"), {
        urls: () => [path("lifecycles", id, "moves") + query({ within: chosenSpan() })],
        signal,
        show: (answer) => {
            reached(answer.until);
            said.moved = { ...answer.stages.find((each) => each.stage === name), within: answer.within };
            tell();
            return null;
        },
    })();
    pane(ways, {
        urls: () => [path("lifecycles", id, "stages", name, "nearness")],
        lines: 8,
        signal,
        show: nearness,
    })();
}

function figureWords({ now: customers, moved }) {
    const words = [];
    if (customers !== null)
        words.push(
            h("strong", {}, count(customers)),
            customers === 1 ? " customer is here now" : " customers are here now",
        );
    if (moved !== null) {
        words.push(
            `${words.length > 0 ? "; " : ""}${count(moved.entered ?? 0)} came and ${count(moved.left ?? 0)} left in ${spanWords(moved.within)}`,
        );
        if (moved.stayed)
            words.push(
                `, after ${length(moved.stayed.median)} (median; ${percent(0.9)} within ${length(moved.stayed.p90)})`,
            );
    }
    return words;
}

/** The list of customers: its order, its pages, and all of it as CSV. */
function customersOf(lifecycle, name, list, signal) {
    const url = path("lifecycles", lifecycle.lifecycle, "stages", name, "customers");
    const orders = [
        ["entered desc", "Latest first"],
        ["entered asc", "Longest here first"],
        ...lifecycle.scores.flatMap(({ score }) => [
            [`score:${score} desc`, `Most ${spaced(score)} first`],
            [`score:${score} asc`, `Least ${spaced(score)} first`],
        ]),
    ];
    const choice = h(
        "select",
        { id: "order", onchange: () => begin() },
        orders.map(([value, words]) => h("option", { value }, words)),
    );
    const back = h("button", { type: "button", onclick: () => turn(-1) }, "Previous");
    const on = h("button", { type: "button", onclick: () => turn(1) }, "Next");
    const place = h("span", { class: "quiet", role: "status" });
    let cursors = [null];

    const load = pane(list, {
        urls: () => {
            const [order, direction] = choice.value.split(" ");
            return [url + query({ order, direction, limit: PAGE, cursor: cursors.at(-1) })];
        },
        lines: 12,
        signal,
        show: (answer) => {
            for (const each of answer.customers) reached(each.at);
            back.disabled = cursors.length === 1;
            on.disabled = answer.next === null;
            next = answer.next;
            const first = (cursors.length - 1) * PAGE;
            fill(
                place,
                answer.customers.length > 0 &&
                    `${count(first + 1)} to ${count(first + answer.customers.length)}`,
            );
            if (answer.customers.length === 0)
                return nothing(
                    "Nobody is on this page.",
                    cursors.length > 1
                        ? "Go back to the previous one."
                        : "Whoever comes into this stage appears here.",
                );
            return [
                !answer.complete &&
                    h(
                        "p",
                        { class: "notice", role: "status" },
                        "Some customers are moving to another worker; they are missing from this page.",
                    ),
                customersTable(lifecycle, answer.customers),
            ];
        },
    });
    let next = null;

    function begin() {
        cursors = [null];
        load();
    }

    function turn(step) {
        if (step < 0) cursors.pop();
        else cursors.push(next);
        load();
    }

    load();
    return [
        h(
            "div",
            { class: "card-head" },
            h("h2", { id: "who-title" }, "Who is here"),
            h(
                "div",
                { class: "tools" },
                h("label", { for: "order", class: "unseen" }, "Order"),
                choice,
                h(
                    "a",
                    {
                        class: "button",
                        href: `${url}?format=csv`,
                        download: `${lifecycle.lifecycle}-${name}.csv`,
                    },
                    "All as CSV",
                ),
            ),
        ),
        list,
        h("div", { class: "pages" }, back, place, on),
    ];
}

function customersTable(lifecycle, customers) {
    const present = now();
    return table(
        "Customers of this stage",
        [
            {
                title: "Customer",
                head: true,
                cell: (row) => [
                    h("a", { class: "id", href: links.subject(row) }, row.customer_id ?? row.anonymous_id),
                    row.customer_id === undefined && h("small", { class: "quiet" }, " anonymous"),
                ],
            },
            { title: "Here since", broad: true, cell: (row) => at(row.entered) },
            ...lifecycle.scores.map(({ score }) => ({
                title: spaced(score),
                number: true,
                cell: (row) => (row.scores[score] === undefined ? "–" : number(row.scores[score])),
            })),
            {
                title: "Time alone may move them",
                cell: (row) => (row.deadline === null ? "never" : away(row.deadline, present)),
            },
        ],
        customers,
    );
}
