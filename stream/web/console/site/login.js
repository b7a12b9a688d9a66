// The form that asks for a token, and what is said to who may see nothing.

import { send } from "./api.js";
import { context } from "./context.js";
import { fill, h } from "./dom.js";
import { sentence } from "./states.js";

/** Show the form; `entered` is called once the worker took the token. */
export function login(main, entered) {
    const token = h("input", {
        id: "token",
        type: "password",
        name: "token",
        autocomplete: "current-password",
        required: true,
        "aria-describedby": "token-help",
        spellcheck: "false",
    });
    const wrong = h("p", { class: "wrong", role: "alert" });
    const button = h("button", { type: "submit", class: "primary" }, "Sign in");
    const form = h(
        "form",
        { class: "card login", onsubmit: submit },
        h("h1", { tabindex: "-1" }, "Sign in"),
        h(
            "p",
            { id: "token-help", class: "quiet" },
            "With a token for customers (role “read”), for operations (role “operate”), or both. Whoever runs the system gives them out.",
        ),
        h("label", { for: "token" }, "Token"),
        token,
        wrong,
        button,
    );

    async function submit(event) {
        event.preventDefault();
        button.disabled = true;
        fill(wrong);
        try {
            await send("v1/console/login", { token: token.value.trim() });
            await entered();
        } catch (error) {
            fill(
                wrong,
                error.status === 401
                    ? "No token like this is known. Look whether all of it was copied, or ask for another."
                    : error.status === undefined
                      ? "The worker cannot be reached. Is it running, and are you online?"
                      : sentence(error.message),
            );
            token.focus();
            token.select();
        } finally {
            button.disabled = false;
        }
    }

    fill(main, form);
    token.focus();
}

/** Without tokens a worker shows customers to its own machine alone. */
export function onlyThisMachine(main) {
    fill(
        main,
        h(
            "div",
            { class: "card login" },
            h("h1", { tabindex: "-1" }, "Only on this machine"),
            h(
                "p",
                {},
                "No tokens are set, so customers are shown to the worker's own machine alone, and not through a proxy.",
            ),
            h(
                "p",
                { class: "quiet" },
                "To see them from here, whoever runs the system sets ",
                h("code", {}, "web_token"),
                " or ",
                h("code", {}, "web_tokens"),
                ", and this page asks for a token.",
            ),
        ),
    );
}

/** A token that has none of the roles that this page needs. */
export function noRight(main, role) {
    const rights = context.product.roles.join(", ") || "none";
    fill(
        main,
        h(
            "div",
            { class: "card login" },
            h("h1", { tabindex: "-1" }, "No right to see this"),
            h("p", {}, `This needs the role “${role}”; the token that you signed in with has: ${rights}.`),
            h(
                "p",
                { class: "quiet" },
                "Sign out, and sign in with another token; whoever runs the system gives them out.",
            ),
        ),
    );
}
