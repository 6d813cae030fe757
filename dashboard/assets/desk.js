// The price desk: what buttons and keys ask for, and the pictures in the table's cells. Nothing is decided here.
(() => {
    const GRID = "desk-grid";
    const grid = () => {
        try { return window.dash_ag_grid.getApi(GRID); } catch (error) { return null; }
    };
    const set = (id, props) => window.dash_clientside.set_props(id, props);
    const chosen = () => {
        const api = grid();
        if (!api) { return {}; }
        const rows = api.getSelectedRows();
        const ids = rows.map((row) => row.id);
        const row = document.activeElement.closest("#desk-table .ag-row");
        const cell = api.getFocusedCell();
        const node = row ? api.getRowNode(row.getAttribute("row-id")) : cell && api.getDisplayedRowAtIndex(cell.rowIndex);
        const at = node && node.data ? node.data : null;
        const seen = Object.fromEntries([...rows, ...(at ? [at] : [])].map((one) => [one.id, one.proposed]));
        return { ids, cursor: at ? at.id : row ? row.getAttribute("row-id") : null, seen };
    };
    // A button or a row may mean one price alone, whatever is chosen.
    const act = (what, { change = null, price = null, proposed = null } = {}) => {
        const { ids = [], cursor = null, seen = {} } = chosen();
        const meant = price ? [price] : ids.length ? ids : [cursor].filter(Boolean);
        const looked = price ? (proposed ? { [price]: Number(proposed) } : {}) : seen;
        if (what !== "look" && document.getElementById("desk-row")) { set("desk-row", { opened: false }); }
        set("desk-act", { data: { what, ids: meant, seen: looked, change, alone: Boolean(price), at: Date.now() } });
    };
    const showWaiting = () => {
        set("desk-state", { value: "waits" });
        document.getElementById("desk-table").scrollIntoView({ block: "center" });
    };
    // Tags of the chosen prices, or of all that the filters in the address find.
    const tags = () => {
        const { ids = [] } = chosen();
        const every = document.getElementById("desk-every").checked || !ids.length;
        const asked = new URLSearchParams(every ? window.location.search : ids.map((id) => ["price", id]));
        if (every && !asked.has("unchanged")) { asked.set("unchanged", "false"); }
        window.open(`/desk/tags?${asked}`, "_blank");
    };
    const press = (what, meant) => {
        if (what === "keys") { set("desk-keys", { opened: true }); }
        else if (what === "sheet") { set("desk-sheet", { opened: true }); }
        else if (what === "tags") { tags(); }
        else if (what === "waiting") { showWaiting(); }
        else { act(what, meant); }
    };
    const look = (row) => act("look", { price: row.getAttribute("row-id") });

    document.addEventListener("click", (event) => {
        if (event.target.closest("[data-print]")) { window.print(); return; }
        const button = event.target.closest("[data-act]");
        if (button && !button.disabled) {
            press(button.dataset.act, { change: button.dataset.change, price: button.dataset.price, proposed: button.dataset.seen });
        }
        const row = event.target.closest("#desk-table .ag-row[row-id]");
        if (row && !event.target.closest(".ag-selection-checkbox, input")) { look(row); }
    });
    document.addEventListener("keydown", (event) => {
        const target = event.target;
        if (!document.getElementById("desk") || event.ctrlKey || event.metaKey || event.altKey) { return; }
        if (target.closest("input:not([type=checkbox]), textarea, select, [contenteditable=true], [role=dialog]")) { return; }
        const inTable = target.closest("#desk-table");
        const row = target.closest("#desk-table .ag-row[row-id]");
        if (event.key === "Enter" && row) { look(row); event.preventDefault(); return; }
        if (event.key === "Escape" && inTable) { const api = grid(); if (api) { api.deselectAll(); } return; }
        const on = document.getElementById("desk-keys-on");
        if (on && !on.checked) { return; }
        const key = event.key.toLowerCase();
        if (key === "/") { document.getElementById("desk-text").focus(); event.preventDefault(); }
        else if (key === "?") { press("keys"); event.preventDefault(); }
        else if (inTable && { a: 1, r: 1, e: 1 }[key] && !event.repeat) {
            press({ a: "approve", r: "reject", e: "edit" }[key]);
            event.preventDefault();
        }
    });

    let asked = null;
    window.dash_clientside = Object.assign({}, window.dash_clientside, {
        desk: {
            again: (seen, ...filters) => {
                const api = grid();
                window.dash_ag_grid.getApiAsync(GRID).then(window.dash_clientside.desk.fit); // it may be there later
                const now = JSON.stringify(filters);
                if (api) {
                    if (now === asked) { api.refreshInfiniteCache(); }
                    else { api.deselectAll(); api.purgeInfiniteCache(); }
                    asked = now;
                }
                return window.dash_clientside.no_update;
            },
            // Nothing stays chosen after an act: what a filter hides by then would be meant by the next one too.
            acted: () => {
                const api = grid();
                if (api) { api.deselectAll(); }
                return window.dash_clientside.no_update;
            },
            // Approve is the loud button only where something that waits is meant.
            chosen: (rows, every) => {
                const waits = every || (rows || []).some((row) => row.waits);
                const words = every ? "all that are found" : rows && rows.length ? `${rows.length} chosen` : "none chosen";
                return [words, waits ? "filled" : "default"];
            },
            fit: () => {
                const api = grid();
                const isNarrow = window.innerWidth < 600;
                if (api) {
                    const wide = ["store", "now", "moved", "rival", "why", "state", "stands", "course"];
                    api.setColumnsVisible(wide.filter((name) => api.getColumn(name)), !isNarrow);
                    const widths = isNarrow ? { name: 112, proposed: 84, gain: 84 } : { name: 160, proposed: 104, gain: 96 };
                    api.setColumnWidths(Object.entries(widths).map(([key, newWidth]) => ({ key, newWidth })));
                }
            },
        },
    });

    const cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
    const draw = (...parts) => window.React.createElement(...parts);
    const MARKS = { waits: "◷", passes: "✓", approved: "✓", rejected: "✕", overridden: "✎" };
    cells.DeskProduct = ({ data }) => data
        ? draw("span", { className: "desk-product" },
            draw("span", { className: "desk-name", title: data.name }, data.name),
            draw("span", { className: "desk-dim" }, `${data.sku}${window.innerWidth < 600 ? ` · ${data.store}` : ""}`))
        : null;
    cells.DeskState = ({ data }) => data
        ? draw("span", { className: `desk-state desk-state-${data.look}`, title: data.state },
            draw("span", { "aria-hidden": true, className: "desk-mark" }, MARKS[data.look]), data.state)
        : null;
    cells.DeskCourse = ({ value, symbol = "€", digits = 2 }) => {
        if (!value || value.length < 2) { return null; }
        const low = Math.min(...value), spread = Math.max(...value) - low || 1;
        const x = (place) => (place * 110 / (value.length - 1)).toFixed(1);
        const points = value.map((price, place) => `${x(place)},${(23 - 20 * (price - low) / spread).toFixed(1)}`).join(" ");
        const euros = (price) => `${symbol}${price.toFixed(digits)}`;
        const label = `${value.length} days: ${euros(value[0])} to ${euros(value[value.length - 1])}`;
        return draw("svg",
            { viewBox: "0 0 110 26", width: 110, height: 26, role: "img", "aria-label": label, className: "desk-course" },
            draw("title", null, label),
            draw("polyline", { points, fill: "none", strokeWidth: 1.6 }));
    };
})();
