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
    const act = (what, change) => {
        const { ids = [], cursor = null, seen = {} } = chosen();
        const first = what === "edit" ? [cursor, ...ids] : ids.length ? ids : [cursor];
        set("desk-act", { data: { what, ids: first.filter(Boolean), seen, change: change || null, at: Date.now() } });
    };
    const tags = () => {
        const { ids = [] } = chosen();
        const asked = new URLSearchParams(ids.map((id) => ["price", id]));
        const store = document.getElementById("desk-store");
        if (!ids.length && store && store.value) { asked.append("store", store.value); }
        window.open(`/desk/tags?${asked}`, "_blank");
    };
    const press = (what, change) => {
        if (what === "keys") { set("desk-keys", { opened: true }); }
        else if (what === "tags") { tags(); }
        else { act(what, change); }
    };

    document.addEventListener("click", (event) => {
        if (event.target.closest("[data-print]")) { window.print(); return; }
        const button = event.target.closest("[data-act]");
        if (button && !button.disabled) { press(button.dataset.act, button.dataset.change); }
    });
    document.addEventListener("dblclick", (event) => {
        if (event.target.closest("#desk-table .ag-row")) { act("edit"); }
    });
    document.addEventListener("keydown", (event) => {
        const target = event.target;
        if (!document.getElementById("desk") || event.ctrlKey || event.metaKey || event.altKey) { return; }
        if (target.closest("input:not([type=checkbox]), textarea, select, [contenteditable=true], [role=dialog]")) { return; }
        const inTable = target.closest("#desk-table");
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
            chosen: (rows) => (rows && rows.length ? `${rows.length} chosen` : "none chosen"),
        },
    });

    const cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
    const MARKS = { waits: "◷", passes: "✓", approved: "✓", rejected: "✕", overridden: "✎" };
    cells.DeskState = ({ data }) => data
        ? window.React.createElement("span", { className: `desk-state desk-state-${data.look}`, title: data.state },
            window.React.createElement("span", { "aria-hidden": true, className: "desk-mark" }, MARKS[data.look]), data.state)
        : null;
    cells.DeskCourse = ({ value, symbol = "€", digits = 2 }) => {
        if (!value || value.length < 2) { return null; }
        const low = Math.min(...value), spread = Math.max(...value) - low || 1;
        const x = (place) => (place * 110 / (value.length - 1)).toFixed(1);
        const points = value.map((price, place) => `${x(place)},${(23 - 20 * (price - low) / spread).toFixed(1)}`).join(" ");
        const euros = (price) => `${symbol}${price.toFixed(digits)}`;
        const label = `${value.length} days: ${euros(value[0])} to ${euros(value[value.length - 1])}`;
        return window.React.createElement("svg",
            { viewBox: "0 0 110 26", width: 110, height: 26, role: "img", "aria-label": label, className: "desk-course" },
            window.React.createElement("title", null, label),
            window.React.createElement("polyline", { points, fill: "none", strokeWidth: 1.6 }));
    };
})();
