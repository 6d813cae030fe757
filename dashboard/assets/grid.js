// Tab leaves a grid, whose headers, filters and cells the arrow keys reach; else it would stop at every cell.
// For the length of the key, nothing in it but its pages can be stopped at, so that the browser goes to what follows.
document.addEventListener("keydown", (event) => {
    const grid = event.key === "Tab" && event.target.closest && event.target.closest(".ag-root-wrapper");
    if (!grid) { return; }
    event.stopImmediatePropagation();
    const every = grid.querySelectorAll("[tabindex='0'], [class*='viewport'], input, button, a[href]");
    const stops = [...every].filter((stop) => stop.matches(".ag-tab-guard") || !stop.closest(".ag-paging-panel"));
    const before = stops.map((stop) => stop.getAttribute("tabindex"));
    stops.forEach((stop) => stop.setAttribute("tabindex", "-1"));
    setTimeout(() => stops.forEach((stop, at) => (
        before[at] === null ? stop.removeAttribute("tabindex") : stop.setAttribute("tabindex", before[at])
    )), 0);
}, true);
