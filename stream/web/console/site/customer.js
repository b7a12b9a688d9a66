// One customer: where it stands in each lifecycle, why, what is missing, what comes, and what happened.

import { ask, path, query } from "./api.js";
import { can, describe, reached } from "./context.js";
import { fill, h } from "./dom.js";
import { life } from "./life.js";
import { follow } from "./live.js";
import { links, replace } from "./router.js";
import { scores } from "./scores.js";
import { titled } from "./stages.js";
import { nothing, pane, problem, seldom } from "./states.js";
import { timeline, whyHere } from "./timeline.js";
import { at } from "./times.js";

const AT_FIRST = 20;
const MOST = 200;

export async function customer(main, { kind, id }, signal) {
    const body = h("div", { class: "lives" });
    const about = h("p", { class: "figures" });
    const history = h("div");
    const lifecycles = new Map();
    let told = null;
    let changes = null;
    let over = null;
    let limit = AT_FIRST;

    if (id === "." || id === "..") {
        fill(
            main,
            h("h1", { tabindex: "-1", class: "id" }, id),
            problem({
                status: 404,
                message: `a browser cannot ask for this id; use: lifecycle explain ${id}`,
            }),
        );
        return;
    }
    fill(
        main,
        h(
            "div",
            { class: "view-head" },
            h(
                "div",
                {},
                h("p", { class: "crumb" }, kind === "customers" ? "Customer" : "Anonymous visitor"),
                h("h1", { tabindex: "-1", class: "id" }, id),
                about,
            ),
        ),
        body,
        h(
            "section",
            { class: "card", "aria-labelledby": "history-title", id: "history" },
            h("div", { class: "card-head" }, h("h2", { id: "history-title" }, "What happened")),
            history,
        ),
    );
    const historyCard = main.querySelector("#history");
    historyCard.hidden = true;

    const load = pane(body, {
        urls: () => [path(kind, id)],
        lines: 16,
        signal,
        show: async (answer) => {
            told = answer;
            reached(answer.at);
            for (const each of answer.lifecycles)
                lifecycles.set(each.lifecycle, await describe(each.lifecycle, { signal }));
            fill(about, aboutWords(answer));
            historyCard.hidden = false;
            if (answer.lifecycles.length === 0)
                return nothing("This customer has begun no lifecycle.", "The next interaction begins one.");
            return lives();
        },
        refused: (error) => (error.status === 404 ? unknown() : null),
        done: () => Promise.all([loadHistory(), loadScores()]),
    });
    const loadHistory = pane(history, {
        urls: () => [`${path(kind, id)}/changes${query({ limit })}`],
        lines: 6,
        signal,
        show: (answer) => {
            changes = answer.changes;
            refreshWhy();
            const full = answer.changes.length >= limit && limit < MOST;
            return timeline(answer, lifecycles, {
                more:
                    full &&
                    (() => {
                        limit = MOST;
                        loadHistory();
                    }),
            });
        },
    });

    async function loadScores() {
        try {
            over = await ask(`${path(kind, id)}/scores${query({ points: 60 })}`, { signal });
        } catch (error) {
            if (!signal.aborted) over = { lifecycles: [], failed: error };
        }
        if (!signal.aborted) refreshScores();
    }

    const cards = new Map();

    function lives() {
        cards.clear();
        return told.lifecycles.map((each) => {
            const card = life(each, lifecycles.get(each.lifecycle));
            cards.set(each.lifecycle, card);
            return card.node;
        });
    }

    function refreshWhy() {
        for (const each of told.lifecycles) {
            const title = titled(lifecycles.get(each.lifecycle));
            const known = changes.map((change) => ({ ...change, from_title: title(change.from) }));
            fill(
                cards.get(each.lifecycle).why,
                whyHere(each, known) ??
                    "The change that brought it here was not found: it is kept no more, or was never published.",
            );
        }
    }

    function refreshScores() {
        for (const each of told.lifecycles) {
            const found = over.lifecycles.find((one) => one.lifecycle === each.lifecycle) ?? null;
            fill(
                cards.get(each.lifecycle).scores,
                scores(each, found, signal),
                over.failed && problem(over.failed, loadScores),
            );
        }
    }

    /** Nobody has this id: perhaps it is of a visitor. */
    function unknown() {
        historyCard.hidden = true;
        fill(history);
        const other = kind === "customers" ? "anonymous" : "customers";
        const place = h(
            "div",
            { class: "problem", role: "alert" },
            h("strong", {}, "Nobody is known by this id."),
            h(
                "p",
                {},
                "Look whether it is spelled as your systems send it, capitals and spaces included; or its data were forgotten.",
            ),
        );
        if (kind === "customers") {
            ask(path(other, id), { signal }).then(
                () => replace(links.anonymous(id)),
                () => {},
            );
        } else {
            place.append(h("p", {}, h("a", { href: links.customer(id) }, "Look for a customer with it")));
        }
        return place;
    }

    await load();
    if (!signal.aborted && can("read"))
        follow({ customer: id }, { signal, batch: seldom(load, signal), gap: load });
}

function aboutWords(answer) {
    return ["As of ", at(answer.at), answer.customer_id === undefined ? "; no customer id is known" : null];
}
