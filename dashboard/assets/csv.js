// Saves a grid as CSV. Text that a spreadsheet would run as a formula gets an apostrophe before it; a number stays one.
(() => {
    const harmless = (cell) => {
        const text = cell.formatValue(cell.value);
        const runs = typeof text === "string" && /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(text);
        return runs && !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? `'${text}` : text;
    };
    window.dash_clientside = Object.assign({}, window.dash_clientside, {
        csv: {
            save: (clicks, grid, chosen) => {
                if (clicks) {
                    window.dash_ag_grid.getApi(grid).exportDataAsCsv({ ...chosen, processCellCallback: harmless });
                }
                return window.dash_clientside.no_update;
            },
        },
    });
})();
