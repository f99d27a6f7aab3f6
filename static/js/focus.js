// Where the keyboard goes in content that just appeared.
const USABLE = ":not([disabled]):not([type=hidden])";
const FIELDS = ["input", "select", "textarea"].map((name) => name + USABLE).join(",");

const visible = (element) => element.checkVisibility();

export const invalidField = (root) =>
  [...root.querySelectorAll("[aria-invalid=true], .is-invalid")].find(
    (element) => element.matches(FIELDS) && visible(element),
  );

// The first field with a mistake, else what asks for it, else the first field, else a button.
export const firstStop = (root) =>
  invalidField(root) ??
  [...root.querySelectorAll("[autofocus]")].find(visible) ??
  [...root.querySelectorAll(FIELDS)].find(visible) ??
  [...root.querySelectorAll("a[href], button:not([data-dialog-close])")].find(visible);
