// [data-hide-after="30"]: a secret that goes away after so many seconds, on [data-hide], and when
// the page is left; what stands in the <template> inside takes its place.
let timer = 0;

const hide = ({ focus = false } = {}) => {
  clearTimeout(timer);
  const shown = document.querySelector("[data-hide-after]");
  if (!shown) return;
  const hidden = shown.querySelector("template").content.firstElementChild;
  const held = focus || shown.contains(document.activeElement);
  shown.replaceWith(hidden);
  htmx.process(hidden);
  if (held) hidden.querySelector("button")?.focus();
};

document.addEventListener("htmx:afterSettle", () => {
  const shown = document.querySelector("[data-hide-after]:not([data-hiding])");
  if (!shown) return;
  shown.dataset.hiding = "";
  shown.querySelector("[data-hide]").focus();
  clearTimeout(timer);
  timer = setTimeout(hide, Number(shown.dataset.hideAfter) * 1000);
});
document.addEventListener("click", ({ target }) => {
  if (target.closest("[data-hide]")) hide({ focus: true });
});
addEventListener("pagehide", () => hide());
