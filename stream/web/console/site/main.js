// Where the page begins: who asks, which view the address names, and what to do when it changes.

import { begin, can, context } from "./context.js";
import { customer } from "./customer.js";
import { fill, h } from "./dom.js";
import { figures } from "./figures.js";
import { header, listenForSlash } from "./header.js";
import { login, noRight, onlyThisMachine } from "./login.js";
import { operations } from "./operations.js";
import { overview } from "./overview.js";
import { read } from "./router.js";
import { stage } from "./stage.js";
import { nothing, problem, skeleton, waitingNotice } from "./states.js";

const VIEWS = {
    overview: [overview, "read"],
    figures: [figures, "read"],
    stage: [stage, "read"],
    customer: [customer, "read"],
    operations: [operations, "operate"],
};
const main = document.getElementById("main");
const head = document.getElementById("header");
let leaving = new AbortController();
let turn = 0;

/** Show what the address names. */
async function show({ focus = true } = {}) {
    leaving.abort();
    leaving = new AbortController();
    const { signal } = leaving;
    const mine = (turn += 1);
    const route = read(location.hash);
    const choosing = document.activeElement?.id === "lifecycle";
    choose(route);
    header(head, route);
    if (choosing) document.getElementById("lifecycle")?.focus(); // the arrows go on to the next one
    fill(main, skeleton(10));
    window.scrollTo(0, 0);
    const [view, role] = VIEWS[route.view] ?? [nowhere, null];
    try {
        if (role !== null && !can(role)) noRight(main, role);
        else if (route.view === "overview" && route.lifecycle === null) nothingRuns();
        else await view(main, route, signal);
    } catch (error) {
        if (signal.aborted || error.name === "AbortError") return;
        if (error.status === undefined) console.error(error);
        fill(
            main,
            h("h1", { tabindex: "-1" }, "Not shown"),
            problem(error, () => show()),
        );
    }
    if (mine !== turn) return;
    name();
    if (focus && !choosing) (main.querySelector("h1") ?? main).focus({ preventScroll: true });
}

/** Which lifecycle is looked at: the one that the address names, else the one before, else the first. */
function choose(route) {
    const known = context.lifecycles.map((each) => each.lifecycle);
    if (route.lifecycle && known.includes(route.lifecycle)) context.lifecycle = route.lifecycle;
    if (context.lifecycle === null) context.lifecycle = known[0] ?? null;
    if (route.view === "overview" && route.lifecycle === null) {
        if (can("read") || !can("operate")) route.lifecycle = context.lifecycle;
        else Object.assign(route, { view: "operations" });
    }
}

function name() {
    const title = main.querySelector("h1")?.textContent;
    const product = context.product?.product ?? "Customer lifecycle";
    document.title = title ? `${title} · ${product}` : product;
}

function nowhere() {
    fill(
        main,
        h("h1", { tabindex: "-1" }, "Nothing is here"),
        nothing("This address names nothing on this page.", null),
        h("p", {}, h("a", { href: "#/" }, "Go to the overview")),
    );
}

function nothingRuns() {
    fill(
        main,
        h("h1", { tabindex: "-1" }, "No lifecycle runs"),
        nothing("This worker runs no lifecycle.", "Name one in the setting lifecycles, and start it again."),
    );
}

/** Ask who we are, and begin. */
async function start() {
    leaving.abort();
    leaving = new AbortController();
    const { signal } = leaving;
    header(head, { view: "none" });
    fill(main, skeleton(10));
    try {
        await begin(signal, (reason) => fill(main, reason === null ? skeleton(10) : waitingNotice(reason)));
    } catch (error) {
        if (signal.aborted) return;
        fill(main, h("h1", { tabindex: "-1" }, "Not shown"), problem(error, start));
        return;
    }
    if (context.product.login) askForToken();
    else if (context.product.only_this_machine) showOnlyThisMachine();
    else await show({ focus: false });
}

function askForToken() {
    turn += 1;
    header(head, { view: "login" });
    login(main, start);
    name();
}

function showOnlyThisMachine() {
    header(head, { view: "login" });
    onlyThisMachine(main);
    name();
}

window.addEventListener(
    "hashchange",
    () => context.product !== null && !context.product.login && !context.product.only_this_machine && show(),
);
window.addEventListener("console:unknown", () => {
    if (context.product === null || context.product.login) return;
    context.product.login = true; // the token was taken back
    leaving.abort();
    askForToken();
});
document.getElementById("skip").addEventListener("click", (event) => {
    event.preventDefault(); // what stands behind # is where the reader is
    main.focus();
});
listenForSlash();
start();
