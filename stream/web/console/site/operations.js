// Is the system well? Workers, partitions, what waits, what could not be read, and the settings.

import { path, query } from "./api.js";
import { fill, h } from "./dom.js";
import { count, percent } from "./format.js";
import { nothing, pane, regularly } from "./states.js";
import { table } from "./table.js";
import { at, away } from "./times.js";
import { spaced } from "./words.js";
import { verdict } from "./verdict.js";

const AGAIN_SECONDS = 5;
const LETTERS_AGAIN_SECONDS = 30;

export async function operations(main, _route, signal) {
    const said = h("div", { class: "verdict", role: "status" });
    const workers = h("div");
    const letters = h("div");
    const settings = h("div");
    let state = null;
    let dead = null;

    fill(
        main,
        h(
            "div",
            { class: "view-head" },
            h("h1", { tabindex: "-1" }, "Operations"),
            h("a", { class: "button", href: "metrics" }, "Metrics for Prometheus"),
        ),
        said,
        h(
            "section",
            { class: "card", "aria-labelledby": "workers-title" },
            h("div", { class: "card-head" }, h("h2", { id: "workers-title" }, "Workers and partitions")),
            workers,
        ),
        h(
            "section",
            { class: "card", "aria-labelledby": "letters-title" },
            h("div", { class: "card-head" }, h("h2", { id: "letters-title" }, "Dead letters")),
            letters,
        ),
        h(
            "section",
            { class: "card", "aria-labelledby": "settings-title" },
            h("div", { class: "card-head" }, h("h2", { id: "settings-title" }, "Settings")),
            settings,
        ),
    );

    function judge() {
        if (state === null) return;
        const { level, title, reasons } = verdict(state, dead, Date.now());
        const facts = `${workersWords(state.workers)}; ${count(state.owned)} of ${state.partitions === null ? "an unknown number of partitions" : counted(state.partitions, "partition")} are worked on; ${state.lag === null ? "how much waits is not known" : `${counted(state.lag, "interaction")} ${state.lag === 1 ? "waits" : "wait"}`}.`;
        said.className = `verdict ${level}`;
        fill(
            said,
            h("p", { class: "title" }, title),
            reasons.length > 0 &&
                h(
                    "ul",
                    {},
                    reasons.map((each) => h("li", {}, each)),
                ),
            h("p", { class: "quiet" }, facts),
        );
    }

    const load = pane(workers, {
        urls: () => [path("operations")],
        lines: 10,
        signal,
        show: (answer) => {
            state = answer;
            judge();
            showSettings();
            return answer.workers.map(workerPart);
        },
    });
    const loadLetters = pane(letters, {
        urls: () => [path("dead-letters") + query({ limit: 50 })],
        lines: 4,
        signal,
        show: (answer) => {
            dead = answer;
            judge();
            return lettersPart(answer);
        },
    });

    let shownSettings = "";
    function showSettings() {
        const parts = JSON.stringify(state.workers.map((each) => each.settings));
        if (parts === shownSettings) return;
        shownSettings = parts;
        fill(settings, settingsPart(state.workers));
    }

    fill(said, h("p", { class: "title quiet" }, "Asking the workers…"));
    fill(settings, h("p", { class: "quiet" }, "…"));
    load();
    loadLetters();
    regularly(load, AGAIN_SECONDS, signal);
    regularly(loadLetters, LETTERS_AGAIN_SECONDS, signal);
}

function workersWords(workers) {
    const answering = workers.filter((each) => each.answers).length;
    return `${count(answering)} of ${counted(workers.length, "worker")} ${answering === 1 ? "answers" : "answer"}`;
}

const counted = (number, word) => `${count(number)} ${word}${number === 1 ? "" : "s"}`;

function workerPart(worker) {
    if (!worker.answers)
        return h(
            "div",
            { class: "worker" },
            h("h3", {}, worker.url, " ", h("span", { class: "tag lost" }, "does not answer")),
            h(
                "p",
                { class: "quiet" },
                worker.partitions.length > 0
                    ? `As far as the group knows it has the partitions ${worker.partitions.map((each) => each.partition).join(", ")}.`
                    : "It is known to the group, and may have ended a moment ago.",
            ),
        );
    return h(
        "div",
        { class: "worker" },
        h(
            "h3",
            {},
            worker.url,
            " ",
            h(
                "span",
                { class: `tag ${worker.ready ? "forward" : "lost"}` },
                worker.ready ? "ready" : `not ready: ${worker.phase}`,
            ),
        ),
        h(
            "dl",
            { class: "facts" },
            [
                [
                    "version",
                    `${worker.version}, Python ${worker.python}${worker.compiled ? ", compiled" : ""}`,
                ],
                ["runs since", worker.started === null ? "–" : at(worker.started)],
                [
                    "Kafka",
                    worker.kafka.up
                        ? ["reached since ", sinceWords(worker.kafka.since)]
                        : ["away since ", sinceWords(worker.kafka.since)],
                ],
                ["delivery", worker.delivery === null ? "–" : spaced(worker.delivery)],
                [
                    "lifecycles",
                    worker.lifecycles.map((each) => `${each.lifecycle} version ${each.version}`).join(", "),
                ],
            ].map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
        ),
        worker.partitions.length === 0
            ? h("p", { class: "quiet" }, "It has no partitions: others have them all.")
            : table(
                  `Partitions of ${worker.url}`,
                  [
                      {
                          title: "Partition",
                          head: true,
                          cell: (row) => [
                              h("span", { class: "if-narrow" }, "Partition "),
                              String(row.partition),
                          ],
                      },
                      {
                          title: "State",
                          cell: (row) => [
                              h(
                                  "span",
                                  {
                                      class: `tag ${row.state === "running" ? "forward" : ["blocked", "failed"].includes(row.state) ? "lost" : "back"}`,
                                  },
                                  row.state,
                              ),
                              row.state === "recovering" && ` ${percent(row.recovered ?? 0)}`,
                          ],
                      },
                      {
                          title: "Position",
                          number: true,
                          cell: (row) => (row.position === null ? "–" : count(row.position)),
                      },
                      {
                          title: "Waits",
                          number: true,
                          cell: (row) => (row.lag === null ? "–" : count(row.lag)),
                      },
                  ],
                  worker.partitions,
              ),
    );
}

const sinceWords = (since) => (typeof since === "number" ? at(since) : String(since));

function lettersPart({ reasons, latest, looked_at: looked, complete }) {
    if (reasons.length === 0)
        return nothing(
            "Every interaction could be read.",
            "What cannot be is listed here, with the reason and what to do.",
        );
    return [
        h(
            "p",
            { class: "quiet small" },
            complete ? `All ${count(looked)} were looked at.` : `The latest ${count(looked)} were looked at.`,
        ),
        table(
            "Reasons",
            [
                { title: "Reason", head: true, cell: (row) => h("code", {}, row.reason) },
                { title: "How many", number: true, cell: (row) => count(row.count) },
                { title: "Latest", cell: (row) => away(row.latest, Date.now()) },
                { title: "What to do", wide: true, cell: (row) => row.help ?? "" },
            ],
            reasons,
        ),
        h("h3", {}, "The latest"),
        table(
            "The latest dead letters",
            [
                { title: "When", head: true, cell: (row) => at(row.at) },
                {
                    title: "Reason",
                    cell: (row) => [h("code", {}, row.reason), row.detail && [" ", row.detail]],
                },
                {
                    title: "Where",
                    cell: (row) => `${row.topic}, partition ${row.partition}, offset ${row.offset}`,
                },
                {
                    title: "Record",
                    wide: true,
                    cell: (row) =>
                        row.value === null || row.value === undefined
                            ? h("span", { class: "quiet" }, "needs the role “read”")
                            : h(
                                  "details",
                                  { class: "record" },
                                  h("summary", {}, row.key === null ? "show" : ["of ", row.key]),
                                  h("pre", { tabindex: "0" }, row.value),
                              ),
                },
            ],
            latest,
        ),
    ];
}

function settingsPart(workers) {
    const known = workers.filter((each) => each.answers);
    if (known.length === 0) return nothing("No worker answers.", null);
    const same = known.every(
        (each) =>
            JSON.stringify(each.settings.filter(isShared)) ===
            JSON.stringify(known[0].settings.filter(isShared)),
    );
    const all = h("input", { type: "checkbox", id: "all-settings" });
    const place = h("div");
    const show = () => {
        const rows = known[0].settings.filter((each) => all.checked || !each.default);
        fill(
            place,
            rows.length === 0
                ? h("p", { class: "quiet" }, "All are as they are by default.")
                : table(
                      `Settings of ${known[0].url}`,
                      [
                          { title: "Setting", head: true, cell: (row) => h("code", {}, row.name) },
                          {
                              title: "Value",
                              broad: true,
                              cell: (row) =>
                                  row.value === "" || row.value === null
                                      ? h("span", { class: "quiet" }, "(empty)")
                                      : h("span", { class: "value" }, String(row.value)),
                          },
                          {
                              title: "From",
                              cell: (row) =>
                                  row.default ? h("span", { class: "quiet" }, "default") : "changed",
                          },
                      ],
                      rows,
                  ),
        );
    };
    all.addEventListener("change", show);
    show();
    return [
        !same &&
            h("p", { class: "notice" }, `Workers have different settings; these are of ${known[0].url}.`),
        h("p", {}, all, " ", h("label", { for: "all-settings" }, "Show those that are as by default, too")),
        place,
    ];
}

/** Whether a setting should be the same at all workers: where one listens is its own. */
const isShared = ({ name }) => !name.startsWith("web_") && name !== "log_format";
