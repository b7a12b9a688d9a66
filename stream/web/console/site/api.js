// Questions to the worker that served the page. What it cannot answer now is asked again by itself.

const AGAIN_SECONDS = 2;
const MOST_SECONDS = 10;

/** An answer that is none: `status` of HTTP, `code` for programs, `message` for people. */
class Refusal extends Error {
    constructor(status, code, message) {
        super(message);
        this.status = status;
        this.code = code;
    }
}

/** The path of an interface: every part is encoded, so that an id with a slash stays one part. */
export function path(...parts) {
    return ["v1", ...parts.map(encodeURIComponent)].join("/");
}

/** The parameters of a question, those that are null left out. */
export function query(parameters) {
    const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined);
    return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}

/**
 * The answer to a question, as an object. Raises Refusal.
 *
 * While the worker cannot be reached, or what is asked for moves to another one (503), it is asked again until `signal`
 * ends that; `waiting` is told why ("offline", "moving" or "kafka") and the message, and null once there is an answer.
 */
export async function ask(url, { signal, waiting = () => {} } = {}) {
    for (let tries = 0; ; tries += 1) {
        const { answer, wait } = await once(url, signal, waiting, tries);
        if (answer !== undefined) {
            if (tries > 0) waiting(null);
            return answer;
        }
        await pause(wait, signal);
    }
}

async function once(url, signal, waiting, tries) {
    let response;
    try {
        response = await fetch(url, { signal, cache: "no-store", headers: { Accept: "application/json" } });
        if (response.ok) return { answer: await response.json() };
    } catch (error) {
        if (error.name === "AbortError") throw error;
        waiting({ why: "offline", message: "" });
        return { wait: Math.min(MOST_SECONDS, AGAIN_SECONDS * 1.25 ** tries) };
    }
    const refusal = await refusalOf(response);
    if (response.status === 503) {
        waiting({ why: refusal.code.startsWith("kafka") ? "kafka" : "moving", message: refusal.message });
        return { wait: Number(response.headers.get("Retry-After")) || AGAIN_SECONDS };
    }
    if (response.status === 401) window.dispatchEvent(new CustomEvent("console:unknown"));
    throw refusal;
}

async function refusalOf(response) {
    try {
        const { code, message } = await response.json();
        return new Refusal(
            response.status,
            String(code ?? "unknown"),
            String(message ?? response.statusText),
        );
    } catch {
        return new Refusal(
            response.status,
            "unknown",
            `the worker answered ${response.status} ${response.statusText}`,
        );
    }
}

function pause(seconds, signal) {
    return new Promise((resolve, reject) => {
        const over = setTimeout(resolve, seconds * 1000);
        signal?.addEventListener("abort", () => {
            clearTimeout(over);
            reject(new DOMException("The reader went on.", "AbortError"));
        });
    });
}

/** Send something, as JSON; raises Refusal. */
export async function send(url, body) {
    const headers = { "Content-Type": "application/json" };
    const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
    if (!response.ok) throw await refusalOf(response);
}
