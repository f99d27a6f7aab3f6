// The one dialog of base.html: opens when htmx fills it, closes on [data-dialog-close], Esc, a click
// beside it, and the server's event "dialog:close". Focus goes in, and back to where it came from.
import { firstStop, invalidField } from "./focus.js";

const BODY = "dialog-body";
const dialog = () => document.getElementById("dialog");
const body = () => document.getElementById(BODY);

let opener = null;

const close = () => dialog()?.open && dialog().close();

// The opener, or what replaced it, or the button of the menu that it is in and that has closed.
const wayBack = () => {
  if (!opener) return null;
  const element = opener.isConnected ? opener : opener.id && document.getElementById(opener.id);
  if (!element) return null;
  const menu = element.closest("[popover]");
  return menu ? document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`) : element;
};

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (detail.target?.id === BODY && !dialog().open) opener = detail.elt;
});

// A boosted form boosts the links in it too. A link stays in the dialog only when it says so itself.
document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt } = event.detail;
  if (!elt.matches("#dialog a:not([hx-boost=true], [hx-get])")) return;
  event.preventDefault();
  if (!elt.matches("[data-dialog-close]")) location.assign(elt.href);
});

document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target?.id !== BODY) return;
  if (!dialog().open) {
    for (const menu of document.querySelectorAll(".menu:popover-open")) menu.hidePopover();
    dialog().showModal();
  }
  dialog().scrollTop = 0;
  firstStop(body())?.focus();
});

// Inside the page, too, a form that comes back with mistakes takes the focus to the first one.
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (detail.xhr?.status === 422 && detail.target?.id !== BODY) {
    invalidField(detail.elt.isConnected ? detail.elt : document)?.focus();
  }
});
invalidField(document)?.focus();

// A press that began inside, such as selecting text, does not close when it ends outside.
let pressed = null;
document.addEventListener("pointerdown", ({ target }) => {
  pressed = target;
});
document.addEventListener("click", (event) => {
  if (event.target.closest("#dialog [data-dialog-close]")) {
    event.preventDefault();
    close();
  } else if (event.target === dialog() && pressed === dialog()) {
    close();
  }
});
document.addEventListener("dialog:close", close);

document.addEventListener(
  "close",
  (event) => {
    if (event.target !== dialog()) return;
    const back = wayBack();
    opener = null;
    // What was typed, a secret perhaps, does not stay in the page.
    body().replaceChildren();
    back?.focus();
  },
  true,
);
