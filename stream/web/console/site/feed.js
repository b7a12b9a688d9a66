// The latest changes: who came last, and who comes now. A few rows in the page, however many changes come.

import { ask, path, query } from "./api.js";
import { context, followsData, reached } from "./context.js";
import { fill, h, unseen } from "./dom.js";
import { count } from "./format.js";
import { follow } from "./live.js";
import { links } from "./router.js";
import { losing, titled } from "./stages.js";
import { nothing, problem, skeleton } from "./states.js";
import { at } from "./times.js";
import { whyWords } from "./words.js";

const MOST_ROWS = 50;
const AT_FIRST = 20;

/**
 * A card that shows the latest changes of a lifecycle, newest first; `changed` is told how many came each time.
 *
 * At first it lists who came into a stage last, as the stages themselves know it; that is asked once `first` is there,
 * a promise, or somebody chooses a stage.
 */
export function feed(lifecycle, signal, changed, first) {
    const title = titled(lifecycle);
    const loses = losing(lifecycle);
    const list = h("ol", { class: "feed", "aria-label": "Latest changes, the newest first" });
    const place = h("div", { class: "feed-place" }, skeleton(8));
    const news = h("button", { type: "button", class: "news", hidden: true, onclick: () => pause(false) });
    const pauseButton = h(
        "button",
        { type: "button", "aria-pressed": "false", onclick: () => pause(!paused) },
        "Pause",
    );
    const choice = h(
        "select",
        { id: "feed-stage", onchange: seed },
        h("option", { value: "" }, "Any stage"),
        lifecycle.stages.map((each) => h("option", { value: each.stage }, each.title)),
    );
    let paused = false;
    let held = [];
    let missed = 0;
    let seeding = 0;

    async function seed() {
        const turn = (seeding += 1);
        fill(place, skeleton(8));
        held = [];
        missed = 0;
        showNews();
        const stages = choice.value === "" ? lifecycle.stages.map((each) => each.stage) : [choice.value];
        const limit = choice.value === "" ? 8 : AT_FIRST;
        try {
            const standing = [];
            // One after the other: who asks first waits for an index, and a browser has six connections to a host.
            for (const stage of stages) {
                const listed = await ask(
                    path("lifecycles", lifecycle.lifecycle, "stages", stage, "customers") +
                        query({ order: "entered", limit }),
                    { signal },
                );
                if (turn !== seeding) return;
                standing.push(...listed.customers);
            }
            standing.sort((a, b) => b.entered - a.entered);
            for (const each of standing) reached(each.entered);
            fill(
                list,
                standing.slice(0, AT_FIRST).map((each) => row({ ...each, to: each.stage, at: each.entered })),
            );
            fill(place, standing.length === 0 ? empty() : list);
        } catch (error) {
            if (!signal.aborted && turn === seeding) fill(place, problem(error, seed));
        }
    }

    const empty = () =>
        choice.value === ""
            ? nothing(
                  "Nobody is in this lifecycle yet.",
                  "Send interactions, to a collector or to Kafka: whoever they are of appears here.",
              )
            : nothing(`Nobody is in ${title(choice.value)} now.`, "Whoever comes appears here.");

    function row(change) {
        const from =
            change.from === undefined
                ? null
                : h("span", { class: "from" }, change.from === null ? "new" : title(change.from));
        const to = h("span", { class: `to ${loses(change.to) ? "lost" : ""}` }, title(change.to));
        const subject = change.customer_id ?? change.anonymous_id;
        return h(
            "li",
            {
                title: change.trigger ? whyWords(change) : null,
                "data-change": JSON.stringify([subject, change.to, change.at]),
                "data-at": change.at,
            },
            h("a", { href: links.subject(change), class: "id" }, subject),
            h(
                "span",
                { class: "moved" },
                from,
                from && h("span", { class: "arrow", "aria-hidden": "true" }, " → "),
                from && unseen(" to "),
                !from && unseen("is in "),
                to,
            ),
            at(change.at),
        );
    }

    function batch(changes, number) {
        const wanted = changes.filter((each) => choice.value === "" || each.to === choice.value);
        for (const each of changes) reached(each.at);
        changed(number);
        if (paused) {
            held = [...held, ...wanted].slice(-MOST_ROWS);
            missed += choice.value === "" ? number : wanted.length;
            showNews();
        } else {
            add(wanted);
        }
    }

    function add(changes) {
        if (changes.length === 0) return;
        if (!list.isConnected) fill(place, list);
        const rows = changes.map(row);
        // What a stage told of at first, and then the stream, too.
        const told = new Set(rows.map((each) => each.dataset.change));
        for (const each of [...list.children]) if (told.has(each.dataset.change)) each.remove();
        for (const each of rows) {
            each.classList.add("fresh");
            // Nearly always before all others: changes come as they happen.
            const older = [...list.children].find((one) => Number(one.dataset.at) <= Number(each.dataset.at));
            list.insertBefore(each, older ?? null);
        }
        while (list.childElementCount > MOST_ROWS) list.lastElementChild.remove();
    }

    function pause(wanted) {
        paused = wanted;
        pauseButton.setAttribute("aria-pressed", String(paused));
        fill(pauseButton, paused ? "Go on" : "Pause");
        window.dispatchEvent(new CustomEvent("console:paused", { detail: paused }));
        if (!paused) {
            add(held);
            held = [];
            missed = 0;
            pauseButton.focus();
        }
        showNews();
    }

    function showNews() {
        news.hidden = missed === 0;
        fill(
            news,
            missed === 1
                ? "1 change came meanwhile: show it"
                : `${count(missed)} changes came meanwhile: show them`,
        );
    }

    fill(place, skeleton(8));
    first.then(() => seeding === 0 && !signal.aborted && seed());
    follow(
        { lifecycle: lifecycle.lifecycle },
        { signal, keep: MOST_ROWS, batch, gap: () => paused || seed() },
    );
    return h(
        "section",
        { class: "card", "aria-labelledby": "latest-changes" },
        h(
            "div",
            { class: "card-head" },
            h("h2", { id: "latest-changes" }, "Latest changes"),
            h(
                "div",
                { class: "tools" },
                h("label", { class: "unseen", for: "feed-stage" }, "Changes to"),
                choice,
                pauseButton,
            ),
        ),
        news,
        place,
        followsData() &&
            h(
                "p",
                { class: "quiet small" },
                `Times are those of the data: ${context.product.demo ? "the demo" : "this worker"} lets time run as they do.`,
            ),
    );
}
