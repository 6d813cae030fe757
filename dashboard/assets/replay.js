// Plays a past day: moves the slider one tick a beat, from the start when it stands at the end, and stops at the end.
window.dash_clientside = Object.assign({}, window.dash_clientside, {
    replay: {
        toggle: (clicks, idle, tick, shown) => {
            const same = window.dash_clientside.no_update;
            return [!idle, idle && shown && tick >= shown.last ? 0 : same];
        },
        step: (beats, tick, shown) => (shown && tick < shown.last ? [false, tick + 1] : [true, tick]),
    },
});
