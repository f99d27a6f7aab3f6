// [data-follow]: a window onto a log that grows at the bottom. Whoever is at the bottom stays there;
// whoever has scrolled up to read is left alone.
const NEAR_PX = 40;
const MOST_LINES = 2000;

const view = () => document.querySelector("[data-follow]");
const atBottom = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX;
const toBottom = (box) => {
  box.scrollTop = box.scrollHeight;
};

let stays = true;
document.addEventListener("htmx:beforeSwap", () => {
  const box = view();
  stays = !box || atBottom(box);
});
document.addEventListener("htmx:afterSettle", () => {
  const box = view();
  if (!box || !stays) return;
  const lines = box.querySelectorAll(".log-line");
  for (const line of [...lines].slice(0, Math.max(0, lines.length - MOST_LINES))) line.remove();
  toBottom(box);
});

if (view()) toBottom(view());
