// Takes a trouble away when it was not told again for a while: what lasts is told anew at a page's next look.
// A page that could not be built at all is asked for again.
(() => {
    const stays = 8000; // milliseconds, longer than the time between two looks
    let timer;
    window.dash_clientside = Object.assign({}, window.dash_clientside, {
        trouble: {
            told: (trouble) => {
                clearTimeout(timer);
                if (trouble) {
                    timer = setTimeout(() => window.dash_clientside.set_props("trouble", { children: null }), stays);
                }
                return window.dash_clientside.no_update;
            },
            again: (beats) => {
                if (beats) { window.location.reload(); }
                return window.dash_clientside.no_update;
            },
        },
    });
})();
