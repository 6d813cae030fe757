// In a chart of many lines, the one next to the pointer stands out: all that belongs to it, the rest fades.
(() => {
    const FEW = 3; // lines that are told apart without help
    const fade = (graph, chosen) => graph.querySelectorAll(".scatterlayer .trace").forEach((line) => {
        const { trace } = line.__data__[0];
        line.style.opacity = chosen === null || (trace.legendgroup || trace.name) === chosen ? 1 : 0.2;
    });
    const watch = (graph) => {
        graph.on("plotly_hover", ({ points, event }) => {
            const pointer = event.clientY - graph.getBoundingClientRect().top;
            const far = ({ y, yaxis }) => Math.abs(yaxis.l2p(y) + yaxis._offset - pointer);
            const { data } = points.reduce((near, one) => (far(one) < far(near) ? one : near));
            if (new Set(graph.data.map((one) => one.legendgroup || one.name)).size > FEW) {
                fade(graph, data.legendgroup || data.name);
            }
        });
        graph.on("plotly_unhover", () => fade(graph, null));
    };
    const watched = new WeakSet();
    document.addEventListener("mouseover", ({ target }) => {
        const graph = target.closest && target.closest(".js-plotly-plot");
        if (graph && graph.on && !watched.has(graph)) { watched.add(graph); watch(graph); }
    });
})();
