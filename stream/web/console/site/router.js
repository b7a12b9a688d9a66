// Where in the page the reader is: what stands behind # in the address.

const encoded = (text) => encodeURIComponent(text);

/** Addresses within the page. */
export const links = {
    overview: (lifecycle) => `#/lifecycles/${encoded(lifecycle)}`,
    figures: (lifecycle) => `#/lifecycles/${encoded(lifecycle)}/figures`,
    stage: (lifecycle, stage) => `#/lifecycles/${encoded(lifecycle)}/stages/${encoded(stage)}`,
    customer: (id) => `#/customers/${encoded(id)}`,
    anonymous: (id) => `#/anonymous/${encoded(id)}`,
    /** The page of whoever a record names. */
    subject: (record) =>
        record.customer_id === undefined
            ? links.anonymous(record.anonymous_id)
            : links.customer(record.customer_id),
    operations: () => "#/operations",
};

const ROUTES = [
    [/^\/?$/, () => ({ view: "overview", lifecycle: null })],
    [/^\/lifecycles\/([^/]+)$/, (lifecycle) => ({ view: "overview", lifecycle })],
    [/^\/lifecycles\/([^/]+)\/figures$/, (lifecycle) => ({ view: "figures", lifecycle })],
    [/^\/lifecycles\/([^/]+)\/stages\/([^/]+)$/, (lifecycle, stage) => ({ view: "stage", lifecycle, stage })],
    [/^\/customers\/([^/]+)$/, (id) => ({ view: "customer", kind: "customers", id })],
    [/^\/anonymous\/([^/]+)$/, (id) => ({ view: "customer", kind: "anonymous", id })],
    [/^\/operations$/, () => ({ view: "operations" })],
];

/** What an address asks for: `view`, and what it needs. */
export function read(hash) {
    const path = hash.replace(/^#/, "");
    for (const [pattern, route] of ROUTES) {
        const found = pattern.exec(path);
        if (found === null) continue;
        try {
            return route(...found.slice(1).map(decodeURIComponent));
        } catch {
            break; // no percent-encoding
        }
    }
    return { view: "nowhere" };
}

/** Go to another address without an entry of its own in the history. */
export function replace(hash) {
    history.replaceState(null, "", hash);
    window.dispatchEvent(new HashChangeEvent("hashchange"));
}
