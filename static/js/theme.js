// Light or dark, before the first paint: what was chosen here, else what the system prefers.
(() => {
  const KEY = "vpnconsole-theme";
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  // Storage may be closed to us by the browser's settings; the choice then lasts for one page.
  const stored = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  };
  const store = (theme) => {
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // Nothing to do: see above.
    }
  };
  const apply = (theme) => {
    root.dataset.bsTheme = theme;
  };
  const preferred = () => stored() ?? (system.matches ? "dark" : "light");

  root.classList.add("js");
  apply(preferred());
  system.addEventListener("change", () => apply(preferred()));
  window.addEventListener("storage", (event) => {
    if (event.key === KEY) apply(preferred());
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    const theme = root.dataset.bsTheme === "dark" ? "light" : "dark";
    store(theme);
    apply(theme);
  });
})();
