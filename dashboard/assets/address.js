// Keeps what is picked on a page in its address, and takes it from there when one goes back to it.
// Dash builds a page anew only where its path or the query that it knows changes; the rest is done here.
(() => {
    const same = () => window.dash_clientside.no_update;
    const text = (value) => (value === null || value === undefined ? "" : String(value));
    let page = null;
    let followedAt = -Infinity; // milliseconds
    const query = (values, told) => {
        const asked = new URLSearchParams();
        values.forEach(({ name, usual }, at) => {
            if (text(told[at]) !== text(usual)) { asked.set(name, text(told[at])); }
        });
        return asked.toString();
    };
    const follow = () => {
        if (!page || window.location.pathname !== page.path) { return; }
        const asked = new URLSearchParams(window.location.search);
        followedAt = performance.now();
        page.values.forEach(({ name, id, part, usual }) => {
            const found = asked.get(name);
            const kinds = { number: (said) => Number(said) || usual, boolean: (said) => said === "true" };
            const value = found === null ? usual : (kinds[typeof usual] || text)(found);
            if (document.getElementById(id)) { window.dash_clientside.set_props(id, { [part]: value }); }
        });
    };
    window.addEventListener("popstate", follow);
    window.addEventListener("_dashprivate_pushstate", follow);
    window.dash_clientside = Object.assign({}, window.dash_clientside, {
        address: {
            // A list that is narrowed begins at its first page, unless one goes back to a page of it.
            turn: () => (performance.now() - followedAt < 1000 ? same() : 1),
            keep: (...told) => {
                const kept = told.pop();
                if (!kept || window.location.pathname !== kept.path) { return same(); }
                const isFirst = page !== kept;
                page = kept;
                const wanted = query(kept.values, told);
                if (wanted === new URLSearchParams(window.location.search).toString()) { return same(); }
                const changed = window.dash_clientside.callback_context.triggered.map(({ prop_id }) => prop_id);
                const typed = kept.values.filter((one) => one.typed).map(({ id, part }) => `${id}.${part}`);
                const isStep = !isFirst && changed.some((one) => !typed.includes(one));
                const address = wanted ? `${kept.path}?${wanted}` : kept.path;
                window.history[isStep ? "pushState" : "replaceState"]({}, "", address);
                return same();
            },
        },
    });
})();
