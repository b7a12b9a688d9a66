// Elements out of names, attributes and text. Whatever comes from outside becomes a text node or the value of an
// attribute, never markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element of HTML: `h("a", {href: "#/"}, "Overview")`. An attribute that is null or false is left out. */
export function h(name, attributes = {}, ...children) {
    return dressed(document.createElement(name), attributes, children);
}

/** An element of SVG. */
export function s(name, attributes = {}, ...children) {
    return dressed(document.createElementNS(SVG, name), attributes, children);
}

function dressed(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) set(element, name, value);
    element.append(...nodes(children));
    return element;
}

/** Set one attribute; `onclick` and the like take a function alone, `value` and `checked` are properties. */
export function set(element, name, value) {
    if (name.startsWith("on")) {
        if (typeof value !== "function") throw new TypeError(`${name} takes a function`);
        element.addEventListener(name.slice(2), value);
    } else if (name === "value" || name === "checked" || name === "disabled") {
        element[name] = value;
    } else if (value === null || value === undefined || value === false) {
        element.removeAttribute(name);
    } else {
        element.setAttribute(name, value === true ? "" : String(value));
    }
}

/** Children as nodes: lists are flattened, nothing is left out, and all else becomes text. */
function nodes(children) {
    return children
        .flat(Infinity)
        .filter((each) => each !== null && each !== undefined && each !== false && each !== "")
        .map((each) => (each instanceof Node ? each : document.createTextNode(String(each))));
}

/** Let an element have these children and no others. */
export function fill(element, ...children) {
    element.replaceChildren(...nodes(children));
    return element;
}

/** Set styles by the object model, which a strict policy allows: `styled(bar, {width: "40%"})`. */
export function styled(element, styles) {
    for (const [name, value] of Object.entries(styles)) element.style.setProperty(name, value);
    return element;
}

/** Change what is shown without taking the focus from whoever is in it: it goes to what has the same `data-key`. */
export function keepingFocus(container, change) {
    const focused = container.contains(document.activeElement) ? document.activeElement : null;
    const key = focused?.dataset.key;
    change();
    if (focused === null || container.contains(focused)) return;
    const heir =
        key && [...container.querySelectorAll("[data-key]")].find((each) => each.dataset.key === key);
    (heir || container.closest("[tabindex]"))?.focus({ preventScroll: true });
}

/** Text for screen readers alone. */
export const unseen = (text) => h("span", { class: "unseen" }, text);

/** How much larger than on a desk the type is: pictures grow with it. */
export const scale = () => parseFloat(getComputedStyle(document.documentElement).fontSize) / 15;
