// The list of tunnels: asks for changed cells while somebody looks, and counts what is selected.
const POLL_MS = 5000;

setInterval(() => {
  const live = document.getElementById("list-live");
  if (live && document.visibilityState === "visible") htmx.trigger(live, "poll");
}, POLL_MS);

const boxes = () => [...document.querySelectorAll("#bulk [name=t]")];

const count = () => {
  const all = boxes();
  const selected = all.filter((box) => box.checked).length;
  const whole = document.querySelector("[data-select-all]");
  if (!whole) return;
  whole.checked = selected > 0 && selected === all.length;
  whole.indeterminate = selected > 0 && selected < all.length;
  document.querySelector("[data-selected-count]").textContent = selected ? `${selected} selected` : "";
};

document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-select-all]")) for (const box of boxes()) box.checked = target.checked;
  if (target.closest("#bulk")) count();
});

// What was selected stays so when the results are fetched again, and the focus stays in its row: on the
// button of the menu when the item that had it is gone.
let kept = new Set();
let place = "";
const placeOf = (element) => element.closest("[popover]")?.id.replace(/^menu-/, "more-") || element.id;
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target?.id !== "results") return;
  kept = new Set(boxes().filter((box) => box.checked).map((box) => box.value));
  place = detail.target.contains(document.activeElement) ? placeOf(document.activeElement) : "";
});
document.addEventListener("htmx:afterSettle", () => {
  if (place && document.activeElement === document.body) document.getElementById(place)?.focus();
  place = "";
});
document.addEventListener("htmx:afterSwap", () => {
  for (const box of boxes()) if (kept.has(box.value)) box.checked = true;
  kept = new Set();
  count();
});
count();
