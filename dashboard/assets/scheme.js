// Keeps the store `scheme` equal to what Mantine shows, light or dark, also when the system's own setting decides.
(() => {
    const root = document.documentElement;
    const shown = () => (root.getAttribute("data-mantine-color-scheme") === "dark" ? "dark" : "light");
    window.dash_clientside = Object.assign({}, window.dash_clientside, { scheme: { shown } });
    new MutationObserver(() => {
        if (document.getElementById("page")) { window.dash_clientside.set_props("scheme", { data: shown() }); }
    }).observe(root, { attributes: true, attributeFilter: ["data-mantine-color-scheme"] });
})();
