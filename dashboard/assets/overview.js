// The Overview's grid: a store's name is a link, what it needs has a mark and words, and a row leads to the store.
(() => {
    const go = (link) => {
        window.history.pushState({}, "", link);
        window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
        window.scrollTo(0, 0);
    };
    document.addEventListener("keydown", (event) => {
        const row = event.key === "Enter" && event.target.closest && event.target.closest(".overview-grid .ag-row");
        const link = row && document.querySelector(`.overview-grid .ag-row[row-id="${row.getAttribute("row-id")}"] a`);
        if (link) { link.click(); }
    });
    const mark = (level) => (level === "act" ? "✗" : "!");
    const draw = (...parts) => window.React.createElement(...parts);
    window.dashAgGridComponentFunctions = Object.assign(window.dashAgGridComponentFunctions || {}, {
        StoreLink: ({ data }) => draw("a", {
            href: data.link,
            className: "store-link",
            tabIndex: -1, // the arrow keys reach the cell, and Enter opens it
            onClick: (event) => {
                if (event.metaKey || event.ctrlKey || event.shiftKey) { return; }
                event.preventDefault();
                event.stopPropagation();
                go(data.link);
            },
        }, data.concerns.length > 0 && draw("span", { className: `mark concern-${data.level}`, "aria-hidden": true }, mark(data.level)), data.name),
        Trend: ({ value }) => {
            const [lowest, spread] = [Math.min(...value), Math.max(...value) - Math.min(...value) || 1];
            const places = value.map((one, at) => `${(at * 92) / (value.length - 1)},${25 - (22 * (one - lowest)) / spread}`);
            return value.length < 2 ? "–" : draw("svg", {
                className: "row-trend", role: "img", "aria-label": `revenue of the last ${value.length} days`,
            }, draw("polyline", { points: places.join(" ") }));
        },
        Concerns: ({ data }) => (data.concerns.length === 0
            ? draw("span", { className: "concern concern-fine" }, "✓ nothing")
            : draw("span", null, data.concerns.map(([level, text], at) => draw(
                "span", { key: at, className: `concern concern-${level}` }, `${mark(level)} ${text}`,
            )))),
    });
    window.dash_clientside = Object.assign({}, window.dash_clientside, {
        overview: {
            find: (text, options) => ({ ...options, quickFilterText: text || "" }),
            open: (clicked, rows) => {
                const row = clicked && clicked.colId !== "store" && rows.find(({ store }) => store === clicked.rowId);
                if (row) { go(row.link); }
                return window.dash_clientside.no_update;
            },
        },
    });
})();
