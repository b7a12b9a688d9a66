// A lifecycle as a whole: how many are where, how they move, where they are lost, and what happens now.

import { path, query } from "./api.js";
import { SPANS, chooseSpan, chosenSpan, describe, followsData, reached, spanWords } from "./context.js";
import { feed } from "./feed.js";
import { flow } from "./flow.js";
import { fill, h } from "./dom.js";
import { count, percent, stayWords } from "./format.js";
import { losses } from "./losses.js";
import { links } from "./router.js";
import { nothing, pane, regularly, seldom, waitingNotice } from "./states.js";
import { table } from "./table.js";
import { at } from "./times.js";

const AGAIN_SECONDS = 15;
const LISTS_AFTER_MS = 2000;
const RECENT = ["1m", "1h", "1d"];

export async function overview(main, { lifecycle: id }, signal) {
    const lifecycle = await describe(id, {
        signal,
        waiting: (reason) => reason && fill(main, waitingNotice(reason)),
    });
    const picture = flow(lifecycle, signal);
    const figures = figuresOf();
    const about = h("div", { class: "counted" });
    const stages = h("div");
    const lost = h("div");
    let span = chosenSpan();
    let counted = null;
    let moved = null;

    const loadCounts = pane(figures.problems, {
        urls: () => [path("lifecycles", id, "stages")],
        lines: 0,
        signal,
        show: (answer) => {
            counted = answer;
            picture.counts(answer);
            figures.customers(answer);
            showStages();
            return answer.complete
                ? null
                : h(
                      "p",
                      { class: "notice", role: "status" },
                      "Some customers are moving to another worker; they are not counted at this moment.",
                  );
        },
    });
    const loadMoves = pane(lost, {
        urls: () => [path("lifecycles", id, "moves") + query({ within: span })],
        lines: 6,
        signal,
        show: (answer) => {
            moved = answer;
            reached(answer.until);
            picture.moves(answer);
            fill(about, countedWords(answer));
            showStages();
            return losses(lifecycle, answer);
        },
    });
    const loadRecent = pane(figures.recentProblems, {
        urls: () => RECENT.map((within) => path("lifecycles", id, "moves") + query({ within })),
        lines: 0,
        signal,
        show: (...answers) => {
            figures.recent(answers);
            return null;
        },
    });

    function showStages() {
        if (counted === null) return;
        fill(stages, stagesTable(lifecycle, counted, moved));
    }

    function choose(chosen) {
        span = chosen;
        chooseSpan(chosen);
        loadMoves();
    }

    const again = seldom(() => Promise.all([loadCounts(), loadMoves(), loadRecent()]), signal);
    const figuresFirst = Promise.withResolvers();
    const changes = feed(lifecycle, signal, again, figuresFirst.promise);
    fill(
        main,
        h(
            "div",
            { class: "view-head" },
            h("div", {}, h("h1", { tabindex: "-1" }, lifecycle.title), figures.node),
            spanChoice(span, choose),
        ),
        h(
            "section",
            { class: "card", "aria-labelledby": "flow-title" },
            h("div", { class: "card-head" }, h("h2", { id: "flow-title" }, "How customers move"), about),
            picture.node,
        ),
        h(
            "div",
            { class: "two" },
            h(
                "section",
                { class: "card", "aria-labelledby": "losses-title" },
                h("div", { class: "card-head" }, h("h2", { id: "losses-title" }, "Where do we lose most?")),
                lost,
            ),
            changes,
        ),
        h(
            "section",
            { class: "card", "aria-labelledby": "stages-title" },
            h("div", { class: "card-head" }, h("h2", { id: "stages-title" }, "The stages in figures"),
                h("a", { href: links.figures(id) }, "Figures of days, weeks and months"),
            ),
            stages,
        ),
    );
    const loaded = Promise.allSettled([loadCounts(), loadMoves(), loadRecent()]);
    setTimeout(figuresFirst.resolve, LISTS_AFTER_MS);
    loaded.then(figuresFirst.resolve);
    regularly(again, AGAIN_SECONDS, signal);
}

/** The line below the title. */
function figuresOf() {
    const customers = h("span", {}, "…");
    const recent = h("span", { class: "recent" });
    const problems = h("div");
    const recentProblems = h("div");
    return {
        node: h("div", { class: "figures" }, h("p", {}, customers, recent), problems, recentProblems),
        problems,
        recentProblems,
        customers: ({ stages }) => {
            const all = stages.reduce((sum, each) => sum + each.customers, 0);
            fill(customers, h("strong", {}, count(all)), all === 1 ? " customer" : " customers");
        },
        recent: (answers) => {
            const said = answers.map(({ moves, within }) => [
                h("strong", {}, count(moves.reduce((sum, each) => sum + each.customers, 0))),
                ` in ${spanWords(within)}`,
            ]);
            fill(
                recent,
                "; moves: ",
                said.map((each, index) => [index > 0 && ", ", each]),
            );
        },
    };
}

function spanChoice(chosen, choose) {
    return h(
        "fieldset",
        { class: "spans" },
        h("legend", {}, "Moves in the last"),
        SPANS.map(([span, words]) => [
            h("input", {
                type: "radio",
                name: "within",
                id: `within-${span}`,
                value: span,
                checked: span === chosen,
                onchange: () => choose(span),
            }),
            h("label", { for: `within-${span}` }, words),
        ]),
    );
}

/** From when to when moves were counted, where that is not what was asked for. */
function countedWords({ since, until, complete, counted_since: from }) {
    if (!complete && from > since)
        return h(
            "p",
            { class: "quiet small" },
            "Not all of that time could be read: counted since ",
            at(from),
            ".",
        );
    return followsData()
        ? h("p", { class: "quiet small" }, "Up to ", at(until), ", the time of the data.")
        : null;
}

function stagesTable(lifecycle, { stages }, moved) {
    const all = stages.reduce((sum, each) => sum + each.customers, 0);
    if (all === 0)
        return nothing(
            "Nobody is in this lifecycle yet.",
            "Send interactions, to a collector or to Kafka: whoever they are of begins in its first stage.",
        );
    const of = new Map((moved?.stages ?? []).map((each) => [each.stage, each]));
    const stayed = (part) => (row) =>
        of.get(row.stage)?.stayed ? stayWords(of.get(row.stage).stayed[part]) : "–";
    const moves = (part) => (row) => (moved === null ? "…" : count(of.get(row.stage)?.[part] ?? 0));
    return table(
        `Customers of each stage now, and moves in ${moved === null ? "the chosen time" : spanWords(moved.within)}`,
        [
            {
                title: "Stage",
                head: true,
                cell: (row) =>
                    h(
                        "a",
                        { href: links.stage(lifecycle.lifecycle, row.stage), "data-key": `row ${row.stage}` },
                        row.title,
                    ),
            },
            { title: "Now", number: true, cell: (row) => count(row.customers) },
            { title: "Share", number: true, cell: (row) => (all === 0 ? "–" : percent(row.customers / all)) },
            { title: "Came", number: true, cell: moves("entered") },
            { title: "Left", number: true, cell: moves("left") },
            { title: "Stay, median", number: true, cell: stayed("median") },
            { title: `Stay, ${percent(0.9)} within`, number: true, cell: stayed("p90") },
        ],
        stages,
    );
}
