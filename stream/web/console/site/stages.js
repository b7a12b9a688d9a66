// What stages mean for each other: which way is forward, which is back, and which loses a customer.

const LOSING =
    /\b(dormant|asleep|sleep(ing|ers?)?|inactive|idle|lapsed|lost|churn(ed|ing)?|ended|gone|former|left|leaving|cancell?ed|expired|at[ _-]risk|hibernating|recycled|rejected|disqualified|unsubscribed)\b/i;

const RETURNING =
    /\b(win[ -]?back|won[ -]?back|re-?activat(ed|ing|ion)|recover(ed|ing|y)?|return(ed|ing|ers?)?)\b/i;

/** What a stage is called: `titled(lifecycle)("win_back")`; what an edit removed has its name. */
export function titled(lifecycle) {
    const titles = new Map(lifecycle.stages.map(({ stage, title }) => [stage, title]));
    return (stage) => (stage === null ? "Forgotten" : titles.get(stage) || stage);
}

/** Whether customers in a stage are lost, as far as its name and title tell. */
export function losing(lifecycle) {
    const says = said(lifecycle, LOSING);
    return (stage) => stage === null || says(stage);
}

function said(lifecycle, words) {
    const titles = new Map(lifecycle.stages.map(({ stage, title }) => [stage, title]));
    return (stage) => words.test(stage.replaceAll("_", " ")) || words.test(titles.get(stage) ?? "");
}

/**
 * What a move is: "lost" to a stage that loses, "won" back out of one or of a stage of returning, "back" to an earlier stage, "forward", or "new"
 * where the life began.
 */
export function kinds(lifecycle) {
    const places = new Map(lifecycle.stages.map(({ stage }, index) => [stage, index]));
    const loses = losing(lifecycle);
    const returns = said(lifecycle, RETURNING);
    return (from, to) => {
        if (from === null) return "new";
        if (loses(to)) return loses(from) && to !== null ? "forward" : "lost";
        if (loses(from) || returns(from)) return "won";
        return (places.get(to) ?? Infinity) < (places.get(from) ?? -1) ? "back" : "forward";
    };
}

export const KIND_WORDS = {
    lost: "lost",
    won: "won back",
    back: "a step back",
    forward: "onwards",
    new: "new",
};
