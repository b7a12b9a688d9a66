// Stage changes as they happen: however many come, they are handed on in batches, a few times a second.

const BETWEEN_MS = 250;
const AGAIN_MS = 3000;
const MOST_AGAIN_MS = 30_000;

/** What is told of the connection: "connecting", "live", or "away" while it is tried again. */
const tell = (state) => window.dispatchEvent(new CustomEvent("console:live", { detail: state }));

/**
 * Follow stage changes; `query` filters them as the interface does. `batch(changes, count)` gets the latest `keep` of
 * those that came since the last batch, oldest first, and how many came. `gap` is called where some are missing, as after
 * the page was not looked at: then it listens to nothing, since a browser has few connections to a host for all its
 * pages. Ends with `signal`.
 */
export function follow(query, { signal, keep = 50, batch, gap = () => {} }) {
    let source = null;
    let waiting = [];
    let came = 0;
    let flushed = 0;
    let asked = false;
    let failures = 0;
    let lastId = "";
    let retry = null;

    function open() {
        tell("connecting");
        const resumed = lastId === "" ? query : { ...query, last_event_id: lastId };
        source = new EventSource(`v1/stage-changes?${new URLSearchParams(resumed)}`);
        source.addEventListener("open", () => {
            failures = 0;
            tell("live");
        });
        source.addEventListener("stage-change", (event) => {
            lastId = event.lastEventId;
            waiting.push(event.data);
            came += 1;
            if (waiting.length > keep) waiting.shift();
            if (!asked) {
                asked = true;
                requestAnimationFrame(flush);
            }
        });
        source.addEventListener("gap", () => gap());
        source.addEventListener("error", () => {
            if (signal.aborted || source === null) return;
            tell("away");
            if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
            failures += 1;
            retry = setTimeout(open, Math.min(MOST_AGAIN_MS, AGAIN_MS * failures));
        });
    }

    function flush(now) {
        if (signal.aborted) return;
        if (now - flushed < BETWEEN_MS) {
            requestAnimationFrame(flush);
            return;
        }
        flushed = now;
        asked = false;
        const changes = waiting.map((each) => JSON.parse(each));
        const number = came;
        waiting = [];
        came = 0;
        batch(changes, number);
    }

    function close() {
        clearTimeout(retry);
        source?.close();
        source = null;
        tell("off");
    }

    function seen() {
        if (document.hidden) {
            close();
        } else if (source === null) {
            lastId = "";
            open();
            gap();
        }
    }

    signal.addEventListener("abort", close);
    document.addEventListener("visibilitychange", seen, { signal });
    if (!document.hidden) open();
}
