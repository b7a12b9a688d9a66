// The stages as customers flow through them: forward above, back below, as wide as customers moved.

import { fill, h, s, scale, set, styled } from "./dom.js";
import { count, length, shortCount, stayWords } from "./format.js";
import { routed } from "./flow_layout.js";

import { links } from "./router.js";
import { KIND_WORDS, kinds, titled } from "./stages.js";
import { spanWords } from "./context.js";

const ROOM_FOR_A_STAGE = 118; // pixels; with less, stages stand one below the other

/** The picture: `counts` and `moves` take answers of the interface; `node` is what to put on the page. */
export function flow(lifecycle, signal) {
    const title = titled(lifecycle);
    const kind = kinds(lifecycle);
    const stages = lifecycle.stages.map((each) => stageNode(lifecycle, each));
    const row = h(
        "div",
        { class: "flow-stages" },
        stages.map((each) => each.node),
    );
    const picture = s("svg", {
        class: "flow-lines",
        role: "group",
        "aria-label": "Moves between the stages",
    });
    const about = h("div", { class: "about" });
    const frame = h("div", { class: "flow" }, row, picture);
    const lines = new Map();
    let shown = null;

    function counts({ stages: now }) {
        const of = new Map(now.map((each) => [each.stage, each.customers]));
        for (const each of stages) each.customers(of.get(each.stage) ?? 0);
        draw();
    }

    function moves(answer) {
        shown = answer;
        const of = new Map(answer.stages.map((each) => [each.stage, each]));
        for (const each of stages) each.stayed(of.get(each.stage), answer.within);
        draw();
    }

    function draw() {
        if (!row.isConnected) return;
        const unit = scale();
        const wide = frame.clientWidth / unit;
        const across = wide / stages.length >= ROOM_FOR_A_STAGE;
        frame.classList.toggle("down", !across);
        const found = (shown?.moves ?? []).filter((each) => each.customers > 0);
        const names = stages.map((each) => each.stage);
        const routes = routed(names, found, across, wide);
        styled(frame, { "--before": `${routes.before * unit}px`, "--after": `${routes.after * unit}px` });
        const boxes = stages.map(({ node }) => ({
            x: node.offsetLeft / unit,
            y: node.offsetTop / unit,
            width: node.offsetWidth / unit,
            height: node.offsetHeight / unit,
        }));
        set(picture, "viewBox", `0 0 ${wide} ${frame.clientHeight / unit}`);
        set(picture, "width", frame.clientWidth);
        set(picture, "height", frame.clientHeight);
        const wanted = new Set();
        for (const each of routes.lines(boxes)) {
            const key = JSON.stringify([each.move.from, each.move.to]);
            wanted.add(key);
            if (!lines.has(key)) lines.set(key, lineNode());
            lines.get(key).show(each);
        }
        for (const [key, line] of lines) {
            if (!wanted.has(key)) {
                line.node.remove();
                lines.delete(key);
            }
        }
        labelsApart([...lines.values()]);
    }

    function lineNode() {
        const band = s("path", { class: "band" });
        const head = s("path", { class: "head" });
        const grip = s("path", { class: "grip" });
        const label = s("text", { class: "label", "text-anchor": "middle", "aria-hidden": "true" });
        const node = s("g", { class: "line", tabindex: "0", role: "img" }, grip, band, head, label);
        let words = "";
        const tell = () => fill(about, words);
        const hush = () => fill(about, hint);
        for (const [event, what] of [
            ["focus", tell],
            ["pointerenter", tell],
            ["blur", hush],
            ["pointerleave", hush],
        ]) {
            node.addEventListener(event, what);
        }
        picture.append(node);
        return {
            node,
            label,
            show({ move, path, width, arrow, middle }) {
                const what = kind(move.from, move.to);
                set(node, "class", `line ${what}`);
                for (const each of [band, grip]) set(each, "d", path);
                set(band, "stroke-width", width.toFixed(1));
                set(grip, "stroke-width", Math.max(14, width));
                set(head, "d", arrow);
                set(label, "x", middle.x.toFixed(1));
                set(label, "y", middle.y.toFixed(1));
                fill(label, shortCount(move.customers));
                words = moveWords(move, what);
                set(node, "aria-label", words);
            },
        };
    }

    function moveWords(move, what) {
        const people = move.customers === 1 ? "1 customer" : `${count(move.customers)} customers`;
        const begin =
            move.from === null
                ? `${people} began in ${title(move.to)}`
                : move.to === null
                  ? `${people} left ${title(move.from)} for good: forgotten`
                  : `${people} went from ${title(move.from)} to ${title(move.to)}`;
        const stayed = move.stayed ? `; half of them had stayed ${length(move.stayed.median)} or less` : "";
        const how = ["lost", "won", "back"].includes(what) ? ` (${KIND_WORDS[what]})` : "";
        return `${begin} in ${spanWords(shown.within)}${how}${stayed}.`;
    }

    const hint =
        "Lines are as wide as customers moved: onwards above, back below. Point at one, or step to it by Tab, to read it.";
    fill(about, hint);
    let width = 0;
    const watcher = new ResizeObserver(() => {
        if (frame.clientWidth === width) return; // what we drew made it higher
        width = frame.clientWidth;
        requestAnimationFrame(draw);
    });
    watcher.observe(frame);
    signal.addEventListener("abort", () => watcher.disconnect());
    return { node: h("div", { class: "flow-whole" }, frame, about), counts, moves };
}

/** A stage in the picture: a link with its number of customers. */
function stageNode(lifecycle, { stage, title }) {
    const number = h("span", { class: "many" }, "…");
    const stay = h("span", { class: "stay" }, "\u00a0");
    const came = h("span", { class: "came" }, "\u00a0");
    const node = h(
        "a",
        { class: "stage", href: links.stage(lifecycle.lifecycle, stage), "data-key": `stage ${stage}` },
        h("span", { class: "name" }, title),
        number,
        came,
        stay,
    );
    return {
        stage,
        node,
        customers(value) {
            fill(number, count(value));
            set(node, "aria-label", `${title}: ${count(value)} ${value === 1 ? "customer" : "customers"}`);
        },
        stayed(moved, within) {
            const span = spanWords(within);
            fill(came, moved ? `+${shortCount(moved.entered)}  −${shortCount(moved.left)}` : "+0  −0");
            set(came, "title", `came and left in ${span}`);
            fill(stay, moved?.stayed ? `stay ${stayWords(moved.stayed.median)}` : "\u00a0");
            set(stay, "title", moved?.stayed ? `median of those who left in ${span}` : null);
        },
    };
}

/** Labels that would stand on another are not shown: the line says its number when it is pointed at. */
function labelsApart(lines) {
    const boxes = [];
    for (const { label } of lines) {
        label.removeAttribute("visibility");
        const box = label.getBBox();
        const free = boxes.every(
            (each) =>
                box.x > each.x + each.width ||
                each.x > box.x + box.width ||
                box.y > each.y + each.height ||
                each.y > box.y + box.height,
        );
        if (free) boxes.push(box);
        else label.setAttribute("visibility", "hidden");
    }
}
