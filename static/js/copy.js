// [data-copy="id"]: the text of that element goes to the clipboard.
const SHOWN_MS = 2000;

// What a label said before it said "Copied". Kept beside the page, for htmx may morph its attributes meanwhile.
const said = new WeakMap();

const textOf = (source) => ("value" in source ? source.value : source.textContent);

// The clipboard is closed to pages served without TLS; there the old command still works.
const copy = async (source) => {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(textOf(source));
    return true;
  }
  const copied = new Promise((resolve) => {
    document.addEventListener(
      "copy",
      (event) => {
        event.clipboardData.setData("text/plain", textOf(source));
        event.preventDefault();
        resolve(true);
      },
      { once: true },
    );
  });
  return document.execCommand("copy") && copied;
};

document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copy]");
  if (!button) return;
  const label = button.querySelector("[data-copy-label]");
  if (!said.has(label)) said.set(label, label.textContent);
  let done = false;
  try {
    done = await copy(document.getElementById(button.dataset.copy));
  } catch {
    // Refused by the browser: the label says so.
  }
  label.setAttribute("aria-live", "polite");
  label.textContent = done ? "Copied" : "Not copied: select and copy it";
  setTimeout(() => {
    label.textContent = said.get(label);
  }, SHOWN_MS);
});
