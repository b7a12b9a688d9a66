// What stands above every view: which lifecycle, a field to find a customer, the views, whether it is live.

import { context, can } from "./context.js";
import { fill, h, s } from "./dom.js";
import { links } from "./router.js";
import { send } from "./api.js";

const STATES = {
    off: ["", ""],
    connecting: ["connecting", "Connecting…"],
    live: ["live", "Live"],
    paused: ["paused", "Paused"],
    away: ["away", "Reconnecting…"],
};
const COLOURS = { auto: "Auto colours", light: "Light", dark: "Dark" };

let live = "off";
let paused = false;
let liveNode = null;
window.addEventListener("console:live", ({ detail }) => {
    live = detail;
    if (detail === "off") paused = false;
    showLive();
});
window.addEventListener("console:paused", ({ detail }) => {
    paused = detail;
    showLive();
});

function showLive() {
    if (liveNode === null) return;
    const [name, words] = STATES[paused && live === "live" ? "paused" : live];
    liveNode.className = `live ${name}`;
    fill(liveNode, words && h("span", { class: "dot", "aria-hidden": "true" }), words);
}

/** Fill the header; `route` is where the reader is. */
export function header(element, route) {
    const { product, lifecycles, lifecycle } = context;
    liveNode = h("span", { role: "status" });
    const inside = product !== null && !product.login && !product.only_this_machine;
    const goes = route.view === "figures" ? links.figures : links.overview;
    const here = (view) => (route.view === view ? "page" : null);
    fill(
        element,
        h("a", { class: "brand", href: "#/" }, mark(), product?.product ?? "Customer lifecycle"),
        inside &&
            can("read") && [
                lifecycles.length > 1 && [
                    h("label", { class: "unseen", for: "lifecycle" }, "Lifecycle"),
                    h(
                        "select",
                        {
                            id: "lifecycle",
                            onchange: ({ target }) => (location.hash = goes(target.value)),
                        },
                        lifecycles.map((each) =>
                            h(
                                "option",
                                { value: each.lifecycle, selected: each.lifecycle === lifecycle },
                                each.title,
                            ),
                        ),
                    ),
                ],
                search(route),
            ],
        inside &&
            h(
                "nav",
                { "aria-label": "Views" },
                can("read") &&
                    lifecycle !== null && [
                        h("a", { href: links.overview(lifecycle), "aria-current": here("overview") }, "Overview"),
                        h("a", { href: links.figures(lifecycle), "aria-current": here("figures") }, "Figures"),
                    ],
                can("operate") &&
                    h("a", { href: links.operations(), "aria-current": here("operations") }, "Operations"),
            ),
        h(
            "div",
            { class: "header-end" },
            liveNode,
            colours(),
            inside &&
                product.name !== null &&
                h(
                    "button",
                    { type: "button", title: `Signed in as ${product.name}`, onclick: signOut },
                    "Sign out",
                ),
        ),
    );
    showLive();
}

function mark() {
    return s(
        "svg",
        { class: "mark", viewBox: "0 0 32 32", "aria-hidden": "true" },
        s("rect", { width: 32, height: 32, rx: 8 }),
        s("path", { d: "M7 20c5 0 5-9 10-9s4 6 8 6" }),
        s("circle", { cx: 7, cy: 20, r: 2.6 }),
        s("circle", { cx: 25, cy: 17, r: 2.6 }),
    );
}

function search(route) {
    const field = h("input", {
        id: "search",
        type: "search",
        autocomplete: "off",
        spellcheck: "false",
        placeholder: "Find a customer by id",
        "aria-label": "Customer or anonymous id",
        "aria-keyshortcuts": "/",
        value: route.view === "customer" ? route.id : "",
    });
    const find = (event) => {
        event.preventDefault();
        const id = field.value.trim();
        if (id !== "") location.hash = links.customer(id);
        else field.focus();
    };
    return h(
        "form",
        { class: "search", role: "search", onsubmit: find },
        field,
        h("kbd", { "aria-hidden": "true" }, "/"),
    );
}

/** `/` goes to the search field, wherever the reader is, but where text is written. */
export function listenForSlash() {
    document.addEventListener("keydown", (event) => {
        const writing = event.target.closest?.(
            "input:not([type=radio]):not([type=checkbox]), textarea, select",
        );
        if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || writing) return;
        const field = document.getElementById("search");
        if (field === null) return;
        event.preventDefault();
        field.focus();
        field.select();
    });
}

function colours() {
    const chosen = document.documentElement.dataset.colours ?? "auto";
    const choose = (event) => {
        const wanted = event.target.value;
        if (wanted === "auto") delete document.documentElement.dataset.colours;
        else document.documentElement.dataset.colours = wanted;
        try {
            localStorage.setItem("colours", wanted);
        } catch {
            // Then until the page is left.
        }
    };
    return [
        h("label", { class: "unseen", for: "colours" }, "Colours"),
        h(
            "select",
            { id: "colours", class: "quiet-select", onchange: choose },
            Object.entries(COLOURS).map(([value, words]) =>
                h("option", { value, selected: value === chosen }, words),
            ),
        ),
    ];
}

async function signOut() {
    await send("v1/console/logout", {});
    location.assign("./");
}
