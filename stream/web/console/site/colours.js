// The reader's choice of colours, before anything is drawn: a page that turns dark after it was light hurts.
(() => {
    try {
        const chosen = localStorage.getItem("colours");
        if (chosen === "light" || chosen === "dark") document.documentElement.dataset.colours = chosen;
    } catch {
        // Storage is forbidden here: the system's colours, then.
    }
})();
