// Plays a past day: moves the slider one tick a beat, from the start when it stands at the end, and stops at the end.
// A beat waits until the moment of the one before is shown: answers that newer questions overtake are thrown away, so a
// busy server would show nothing until the end.
window.dash_clientside = Object.assign({}, window.dash_clientside, {
    replay: {
        toggle: (clicks, idle, tick, shown) => {
            const same = window.dash_clientside.no_update;
            return [!idle, idle && shown && tick >= shown.last ? 0 : same];
        },
        step: (beats, tick, shown) => {
            if (!shown || tick >= shown.last) return [true, tick];
            return [false, tick === shown.tick ? tick + 1 : tick];
        },
    },
});
