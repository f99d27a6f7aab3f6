// Menus are popovers that open without us; here they get their place next to their button, and the
// arrow keys.
const GAP = 4;
const MARGIN = 8;

const opened = () => document.querySelectorAll("[data-menu]:popover-open");
const buttonOf = (menu) => document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`);
const itemsOf = (menu) =>
  [...menu.querySelectorAll("a[href], button:not([disabled])")].filter((item) =>
    item.checkVisibility(),
  );

// Below the button and flush with its right edge; above, or flush left, where there is no room.
const place = (menu) => {
  const button = buttonOf(menu);
  if (!button?.isConnected) return;
  const at = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const below = at.bottom + GAP + height <= innerHeight - MARGIN;
  const top = below ? at.bottom + GAP : Math.max(MARGIN, at.top - GAP - height);
  const left = at.right - width >= MARGIN ? at.right - width : at.left;
  menu.style.inset = "auto";
  menu.style.margin = "0";
  menu.style.top = `${top}px`;
  menu.style.left = `${Math.max(MARGIN, Math.min(left, innerWidth - width - MARGIN))}px`;
};
const placeAll = () => opened().forEach(place);

// "toggle" does not bubble, so it is caught on its way down.
document.addEventListener(
  "toggle",
  ({ target, newState }) => {
    if (newState === "open" && target.matches?.("[data-menu]")) place(target);
  },
  true,
);
document.addEventListener("scroll", placeAll, { capture: true, passive: true });
addEventListener("resize", placeAll, { passive: true });
// A list that refreshes itself may have moved the button, or dropped our style.
document.addEventListener("htmx:afterSwap", placeAll);

document.addEventListener("keydown", (event) => {
  const button = event.target.closest("[popovertarget]");
  if (event.key === "ArrowDown" && button) {
    const menu = document.getElementById(button.getAttribute("popovertarget"));
    if (!menu?.matches("[data-menu]")) return;
    event.preventDefault();
    if (!menu.matches(":popover-open")) button.click();
    itemsOf(menu)[0]?.focus();
    return;
  }
  const menu = event.target.closest("[data-menu]:popover-open");
  if (!menu) return;
  const items = itemsOf(menu);
  const at = items.indexOf(document.activeElement);
  const next = {
    ArrowDown: (at + 1) % items.length,
    ArrowUp: (at - 1 + items.length) % items.length,
    Home: 0,
    End: items.length - 1,
  }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  items[next]?.focus();
});
