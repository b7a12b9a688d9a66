// Is the system well? What is wrong, and what to know, out of what the workers say.

import { count, length, percent } from "./format.js";

const RECENT_MS = 60 * 60 * 1000;
const MANY_WAIT = 10_000;

/**
 * `{level, title, reasons}` out of the answer about operations, and of that about dead letters, null where it is not
 * known. `level` is "well", "watch" (nothing is wrong, but somebody should look) or "ill". `now` is this machine's time.
 */
export function verdict(operations, letters, now) {
    const wrong = [...operations.workers.flatMap(ofWorker), ...ofAll(operations)];
    const watch = [...toWatch(operations), ...ofLetters(letters, now)];
    const title =
        wrong.length > 0
            ? "The system is not well."
            : watch.length > 0
              ? "The system is well; there is something to look at."
              : "The system is well.";
    return {
        level: wrong.length > 0 ? "ill" : watch.length > 0 ? "watch" : "well",
        title,
        reasons: [...wrong, ...watch],
    };
}

function ofWorker(worker) {
    if (!worker.answers)
        return [
            `The worker at ${worker.url}: ${worker.says ?? "it does not answer"}. Look whether it runs; others take its partitions over.`,
        ];
    const found = [];
    if (worker.kafka && !worker.kafka.up) found.push(`The worker at ${worker.url} does not reach Kafka.`);
    if (worker.phase === "failed") found.push(`The worker at ${worker.url} has failed; its log says why.`);
    for (const each of worker.partitions ?? []) {
        if (each.state === "blocked")
            found.push(
                `Partition ${each.partition} stands before a batch that cannot be read${each.blocked_by ? ` (${each.blocked_by})` : ""}; “lifecycle skip” goes past it.`,
            );
        if (each.state === "failed")
            found.push(`Partition ${each.partition} has failed; the log of ${worker.url} says why.`);
        if (each.state === "backing off")
            found.push(
                `Partition ${each.partition} begins again after an error; the log of ${worker.url} says which.`,
            );
    }
    return found;
}

function ofAll({ partitions, owned, consistent }) {
    const found = [];
    if (partitions === null)
        found.push("How many partitions there are is not known yet: Kafka has not said so.");
    else if (owned < partitions)
        found.push(
            `${count(partitions - owned)} of ${count(partitions)} partitions have no worker that answers: what customers there do waits in Kafka.`,
        );
    if (consistent === false)
        found.push(
            "Workers run different lifecycles or versions: finish the rollout, so that all have the same.",
        );
    return found;
}

function toWatch({ workers, lag }) {
    const found = [];
    for (const worker of workers.filter((each) => each.answers)) {
        if (["joining", "rebalancing", "waiting for Kafka", "stopping"].includes(worker.phase))
            found.push(`The worker at ${worker.url} is ${worker.phase}.`);
        for (const each of worker.partitions ?? []) {
            if (each.state === "recovering")
                found.push(
                    `Partition ${each.partition} is recovering: ${percent(each.recovered ?? 0)} read.`,
                );
        }
    }
    if (lag !== null && lag > MANY_WAIT) found.push(`${count(lag)} interactions wait to be processed.`);
    return found;
}

function ofLetters(letters, now) {
    const recent = (letters?.reasons ?? []).filter((each) => now - each.latest < RECENT_MS);
    if (recent.length === 0) return [];
    const latest = Math.max(...recent.map((each) => each.latest));
    return [
        `Interactions that could not be read came ${length(Math.max(0, now - latest))} ago (${recent.map((each) => each.reason).join(", ")}): see “Dead letters” below.`,
    ];
}
