// Opens again what somebody has opened on a page, when the page is drawn anew: for new data, or in light or dark.
(() => {
    const opened = new Set();
    const named = (fold) => {
        const head = fold.querySelector("summary");
        return `${location.pathname} ${(head.querySelector(".card-title") || head).textContent}`;
    };
    document.addEventListener("toggle", ({ target: fold }) => {
        if (fold.matches("details") && fold.isConnected) { opened[fold.open ? "add" : "delete"](named(fold)); }
    }, true);
    const open = (fold) => { if (opened.has(named(fold))) { fold.open = true; } };
    new MutationObserver((changes) => {
        const added = changes.flatMap((change) => [...change.addedNodes]).filter((node) => node instanceof Element);
        added.flatMap((node) => [node, ...node.querySelectorAll("details")]).filter((node) => node.matches("details")).forEach(open);
    }).observe(document, { childList: true, subtree: true });
})();
