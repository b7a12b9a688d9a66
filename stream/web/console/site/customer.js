// One customer: where it stands in each lifecycle, why, what is missing, what comes, and what happened.

import { ask, path, query } from "./api.js";
import { can, describe, now, reached } from "./context.js";
import { fill, h } from "./dom.js";
import { length } from "./format.js";
import { follow } from "./live.js";
import { missing } from "./missing.js";
import { links, replace } from "./router.js";
import { scores } from "./scores.js";
import { kinds, titled } from "./stages.js";
import { nothing, pane, problem, seldom } from "./states.js";
import { at, atAndAway, away } from "./times.js";
import { timeline, whyHere } from "./timeline.js";
import { comparisonWords, decisive, nearnessOf, oneLine, spaced, valueWords } from "./words.js";

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
                    "The change that brought it here was not found: its topic may keep it no more.",
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
        follow({ customer: id }, { signal, batch: seldom(load, signal), gap: () => {} });
}

function aboutWords(answer) {
    return ["As of ", at(answer.at), answer.customer_id === undefined ? "; no customer id is known" : null];
}

/** What one lifecycle says of the customer. `why` and `scores` are filled in later. */
function life(told, lifecycle) {
    const present = Math.max(now(), told.at);
    const heading = `life-${told.lifecycle}`;
    const why = h("span", { class: "bone-line" }, "…");
    const scoresPlace = h("div", {}, scores(told, undefined, null));
    const node = h(
        "section",
        { class: "card life", "aria-labelledby": heading },
        h(
            "div",
            { class: "card-head" },
            h("h2", { id: heading }, h("a", { href: links.overview(told.lifecycle) }, told.title)),
        ),
        h(
            "div",
            { class: "standing" },
            h(
                "p",
                { class: "in" },
                h("span", { class: "quiet" }, "In "),
                h(
                    "a",
                    { class: "stage-name", href: links.stage(told.lifecycle, told.stage) },
                    told.stage_title,
                ),
            ),
            h(
                "p",
                { class: "quiet" },
                "since ",
                at(told.entered),
                `, for ${length(Math.max(0, told.at - told.entered))}`,
            ),
            chips(told),
        ),
        h(
            "dl",
            { class: "answers" },
            answer("Why here?", why),
            answer("What comes next?", comes(told, present)),
            answer("What is missing to go on?", nearest(told, lifecycle)),
        ),
        h(
            "div",
            { class: "two even" },
            h(
                "div",
                {},
                h("h3", {}, "Each way out, and what it waits for"),
                missing(told, present),
                notes(told),
                h("h3", {}, "Facts"),
                facts(told),
            ),
            h("div", {}, h("h3", {}, "Scores"), scoresPlace),
        ),
    );
    return { node, why, scores: scoresPlace };
}

const answer = (question, words) => h("div", {}, h("dt", {}, question), h("dd", {}, words));

const chips = ({ channels, actions }) =>
    (channels.length > 0 || actions.length > 0) &&
    h(
        "dl",
        { class: "chips" },
        channels.length > 0 &&
            h(
                "div",
                {},
                h("dt", {}, "Reach by"),
                channels.map((each) => h("dd", {}, spaced(each))),
            ),
        actions.length > 0 &&
            h(
                "div",
                {},
                h("dt", {}, "What to do"),
                actions.map((each) => h("dd", {}, spaced(each))),
            ),
    );

/** What time alone does. */
function comes(told, present) {
    const move = told.by_time;
    const forgotten = told.forgotten !== null && [
        " It is forgotten on ",
        atAndAway(told.forgotten, present),
        " if nothing is heard until then.",
    ];
    if (move !== null) {
        const through = move.transitions.slice(0, -1).map((each) => each.to);
        const due = move.at <= told.at;
        return [
            due ? "It is due to go to " : "If nothing happens, it goes to ",
            h("strong", {}, move.title),
            due ? ", since " : " ",
            away(move.at, present),
            ": on ",
            at(move.at),
            through.length > 0 && `, by way of ${through.join(", ")}`,
            " (",
            h("code", {}, oneLine(move.transitions.at(-1).transition)),
            ").",
            forgotten,
        ];
    }
    const words = {
        waits: "Time alone moved it 64 times in a row; now it waits for an interaction.",
        quarantined: "Time does nothing: a deadline of this customer failed. Its interactions count on.",
    };
    return [words[told.stopped] ?? "Time alone never moves it.", forgotten];
}

/** The nearest way that leads on, and what it still needs. */
function nearest(told, lifecycle) {
    const kind = kinds(lifecycle);
    const onwards = told.transitions
        .filter((each) => each.to !== told.stage && ["forward", "won"].includes(kind(told.stage, each.to)))
        .map((each) => ({ ...each, near: nearnessOf(each.condition) ?? 0 }))
        .sort((a, b) => b.near - a.near);
    if (onwards.length === 0) return "No way leads onwards from here.";
    return onwards.slice(0, 2).map((way, index) => {
        const waits = decisive(way.condition);
        return [
            index > 0 && h("br"),
            "For ",
            h("strong", {}, way.title),
            ": ",
            waits.length === 0
                ? "nothing; the next interaction takes it there"
                : waits.map((each, number) => [number > 0 && "; and ", wait(each)]),
            ".",
        ];
    });
}

function wait(comparison) {
    const { asked, said } = comparisonWords(comparison);
    return [h("code", {}, asked), ` (${said})`];
}

function facts(told) {
    const entries = Object.entries(told.facts);
    if (entries.length === 0) return h("p", { class: "quiet" }, "Nothing is known yet.");
    const times = new Set(told.times);
    return h(
        "dl",
        { class: "facts" },
        entries.map(([name, value]) =>
            h(
                "div",
                {},
                h("dt", {}, spaced(name)),
                h("dd", {}, times.has(name) ? at(value) : valueWords(value, null)),
            ),
        ),
    );
}

/** What is not as a reader of scores and facts would think. */
function notes(told) {
    const lines = [
        ...told.used_up.map(({ signal, limit, until }) => [
            `${spaced(signal)} counts `,
            until === null ? "never again" : ["again from ", at(until), " on"],
            `: ${limit}`,
        ]),
        ...told.full.map(({ kind, name, keep, oldest, dropped }) => [
            `${kind} ${spaced(name)} keeps the latest ${keep} entries, from `,
            at(oldest),
            " on",
            dropped ? `; ${dropped} more still count, and no return finds them` : null,
        ]),
        ...told.ledgers
            .filter((each) => each.waiting > 0)
            .map(
                ({ name, waiting }) =>
                    `ledger ${spaced(name)}: ${waiting} returned or updated before they came, and waited for`,
            ),
    ];
    return (
        lines.length > 0 &&
        h(
            "ul",
            { class: "plain notes" },
            lines.map((each) => h("li", {}, each)),
        )
    );
}
