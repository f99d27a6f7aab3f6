// Short messages over the page: the server's, told by htmx's event "toasts", and failed requests.
const STAYS_MS = 8000;
const ICONS = { success: "ti-circle-check", warning: "ti-alert-triangle", error: "ti-alert-circle" };

const BY_STATUS = {
  403: "You may not do this.",
  404: "This is not there any more. Load the page again.",
  429: "That was too often. Wait a minute and try again.",
};

// While a dialog is open everything outside it is out of reach, so it has a place of its own.
const place = () =>
  document.querySelector("dialog[open] [data-toasts]") ??
  document.querySelector("body > [data-toasts]");

export const toast = (text, level = "info") => {
  const region = place();
  const same = [...region.children].find((other) => other.dataset.text === text);
  same?.remove();

  const box = document.createElement("div");
  box.className = `toast-box toast-${level}`;
  box.dataset.text = text;
  const icon = document.createElement("i");
  icon.className = `ti ${ICONS[level] ?? "ti-info-circle"}`;
  icon.setAttribute("aria-hidden", "true");
  const words = document.createElement("p");
  words.textContent = text;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn-icon btn-ghost";
  button.setAttribute("aria-label", "Dismiss");
  button.dataset.toastClose = "";
  button.append(document.createElement("i"));
  button.firstChild.className = "ti ti-x";
  box.append(icon, words, button);
  region.append(box);

  // A mistake stays until it is dismissed; nothing vanishes under the pointer or the focus.
  if (level === "error") return;
  const leave = () => {
    if (box.matches(":hover, :focus-within")) setTimeout(leave, STAYS_MS);
    else box.remove();
  };
  setTimeout(leave, STAYS_MS);
};

document.addEventListener("toasts", ({ detail }) => {
  for (const { text, level } of detail.items) toast(text, level);
});

document.addEventListener("click", ({ target }) => {
  target.closest("[data-toast-close]")?.closest(".toast-box").remove();
});

document.addEventListener(
  "close",
  ({ target }) => {
    const waiting = target.querySelectorAll?.(":scope > [data-toasts] > .toast-box") ?? [];
    document.querySelector("body > [data-toasts]").append(...waiting);
  },
  true,
);

// Our error pages carry their sentence in [data-error]; a proxy's page does not.
const sentence = (xhr) => {
  const type = xhr.getResponseHeader("Content-Type") ?? "";
  const page = type.startsWith("text/html")
    ? new DOMParser().parseFromString(xhr.responseText, "text/html")
    : null;
  return (
    page?.querySelector("[data-error]")?.textContent.replace(/\s+/g, " ").trim() ||
    BY_STATUS[xhr.status] ||
    `The console answered with an error (${xhr.status}). Try again.`
  );
};

document.addEventListener("htmx:responseError", ({ detail }) => {
  toast(sentence(detail.xhr), "error");
});
for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, () => {
    toast("The console cannot be reached. Check the connection and try again.", "error");
  });
}
