// Where the lines between stages run. Stages stand in a row, or one below the other where the row has no room; "along"
// is the way they stand, "out" the way from them to where lines bend: forward to one side, back to the other.

const WIDEST = 22;
const THINNEST = 1.5;
const STEP = 24; // pixels that a line bends further out for each stage that it passes
const STUB = 26; // of lines from or to nowhere
const ARROW = 7;

/**
 * Lines of `moves` between `stages`. `before` and `after` are the pixels that they need on the two sides, `lines` makes
 * them for the boxes of the stages.
 */
export function routed(stages, moves, across, size) {
    const places = new Map(stages.map((stage, index) => [stage, index]));
    const known = moves.filter(
        ({ from, to }) => (from === null || places.has(from)) && (to === null || places.has(to)),
    );
    const ways = known.map((move) => way(move, places)).filter((each) => each.from !== each.to);
    const step = across ? STEP : Math.min(STEP, (size * 0.24) / stages.length);
    const reach = (each) => (each.span === 0 ? STUB + 12 : 22 + step * each.span);
    const needed = (side) =>
        Math.max(14, ...ways.filter((each) => each.side === side).map((each) => reach(each) + 10));
    return {
        before: needed("before"),
        after: needed("after"),
        lines(boxes) {
            const slots = slotted(ways, boxes, across);
            return ways.map((each) => line(each, boxes, slots, across, reach(each)));
        },
    };
}

/** Forward lines bend before the stages, and back lines after them; lines of no start or end are short stubs. */
function way(move, places) {
    const from = move.from === null ? null : places.get(move.from);
    const to = move.to === null ? null : places.get(move.to);
    const side = to === null || (from !== null && to < from) ? "after" : "before";
    return { move, from, to, side, span: from === null || to === null ? 0 : Math.abs(to - from) };
}

/** How wide each line is, and where along a stage it begins and ends, so that none lies on another. */
function slotted(ways, boxes, across) {
    const room = boxes.map((box) => (across ? box.width : box.height));
    const edges = new Map();
    for (const each of ways) {
        for (const [end, other] of [
            ["from", "to"],
            ["to", "from"],
        ]) {
            if (each[end] === null) continue;
            // Ends of lines to the right stand to the right; among these the longest, which lies around the others, to the left.
            const direction = each[other] === null ? 0 : Math.sign(each[other] - each[end]);
            const key = `${each.side} ${each[end]}`;
            if (!edges.has(key)) edges.set(key, { stage: each[end], ends: [] });
            edges.get(key).ends.push({ each, end, order: [direction, -direction * each.span] });
        }
    }
    const most = Math.max(1, ...ways.map((each) => each.move.customers));
    let scale = WIDEST / most;
    for (const { stage, ends } of edges.values()) {
        const sum = ends.reduce((total, { each }) => total + each.move.customers, 0);
        scale = Math.min(scale, Math.max(4, room[stage] - 16 - 5 * ends.length) / sum);
    }
    const width = (each) => Math.max(THINNEST, each.move.customers * scale);
    const slots = new Map(ways.map((each) => [each, { width: width(each) }]));
    for (const { stage, ends } of edges.values()) {
        ends.sort((a, b) => a.order[0] - b.order[0] || a.order[1] - b.order[1]);
        const gap = 5;
        const total = ends.reduce((sum, { each }) => sum + width(each) + gap, -gap);
        let place = (room[stage] - total) / 2;
        for (const { each, end } of ends) {
            slots.get(each)[end] = place + width(each) / 2;
            place += width(each) + gap;
        }
    }
    return slots;
}

function line(each, boxes, slots, across, reach) {
    const { width, from: start, to: end } = slots.get(each);
    const out = each.side === "before" ? -1 : 1;
    const edge = (box) =>
        across ? (out < 0 ? box.y : box.y + box.height) : out < 0 ? box.x + box.width : box.x;
    const along = (box, slot) => (across ? box.x : box.y) + slot;
    // Down the page, forward lines are to the right, where there is more room for labels.
    const away = across ? out : -out;
    const spot = (a, o) => (across ? { x: a, y: o } : { x: o, y: a });
    const ends = [each.from, each.to].map((index, number) =>
        index === null ? null : { a: along(boxes[index], number === 0 ? start : end), o: edge(boxes[index]) },
    );
    const [first, last] = ends;
    const tip = ARROW + width * 0.35;
    if (first === null || last === null) {
        const { a, o } = first ?? last;
        const far = { a, o: o + away * STUB };
        const [begin, stop] =
            first === null
                ? [far, { a, o: o + away * tip }]
                : [
                      { a, o },
                      { a, o: far.o - away * tip },
                  ];
        const point = first === null ? { a, o } : far;
        const label = { a: across ? a : a + 1, o: far.o + away * (across ? 9 : 14) };
        return {
            move: each.move,
            width,
            path: `M${at(spot(begin.a, begin.o))}L${at(spot(stop.a, stop.o))}`,
            arrow: arrow(point, first === null ? -away : away, tip, width, spot),
            middle: lower(spot(label.a, label.o)),
        };
    }
    const bend = first.o + away * (reach * 1.333);
    const stop = { a: last.a, o: last.o + away * tip };
    const peak = first.o + away * reach;
    return {
        move: each.move,
        width,
        path: `M${at(spot(first.a, first.o))}C${at(spot(first.a, bend))} ${at(spot(last.a, bend))} ${at(spot(stop.a, stop.o))}`,
        arrow: arrow({ a: last.a, o: last.o }, -away, tip, width, spot),
        middle: lower(spot((first.a + last.a) / 2, across ? peak : peak + away * 2)),
    };
}

/** A triangle whose point is at `point`, looking along "out" by `direction`. */
function arrow({ a, o }, direction, tip, width, spot) {
    const half = Math.max(3.5, width * 0.5 + 2);
    return `M${at(spot(a, o))}L${at(spot(a - half, o - direction * tip))}L${at(spot(a + half, o - direction * tip))}Z`;
}

const at = ({ x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`;
/** The baseline of a text whose middle is there. */
const lower = ({ x, y }) => ({ x, y: y + 4 });
