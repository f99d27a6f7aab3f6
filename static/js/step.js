// A step that htmx asks for again, because a choice changes which fields there are.
const BODY = "step-body";
const FIELDS = "input, select, textarea";
const SYNCED = ["value", "checked", "selected"];

const valueOf = (field) =>
  ["checkbox", "radio"].includes(field.type) ? String(field.checked) : field.value;

// What was typed after the request left is newer than the answer, and stays.
let sent = new Map();
let newer = new Set();

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (detail.target?.id !== BODY) return;
  const fields = [...detail.target.querySelectorAll(FIELDS)];
  sent = new Map(fields.map((field) => [field, valueOf(field)]));
});
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  newer = new Set();
  if (detail.target?.id !== BODY) return;
  for (const [field, value] of sent) if (valueOf(field) !== value) newer.add(field);
});
if (window.Idiomorph) {
  Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, element) =>
    !SYNCED.includes(name) || !newer.has(element.closest(FIELDS) ?? element);
}

// The draft keeps what comes last, so a button pressed while a choice is still on its way waits for it:
// the choice, kept after the whole step, would undo that the step has passed.
const underWay = new Set();
let held = null;

document.addEventListener("htmx:beforeSend", ({ detail }) => {
  if (detail.target?.id === BODY && detail.requestConfig.verb === "post") underWay.add(detail.xhr);
});
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (!underWay.delete(detail.xhr) || underWay.size || !held) return;
  const { form, submitter } = held;
  held = null;
  // Later, for htmx may have another choice in its queue, and sends it only now.
  setTimeout(() => form.isConnected && form.requestSubmit(submitter));
});
document.addEventListener(
  "submit",
  (event) => {
    if (!underWay.size || !event.target.querySelector(`#${BODY}`)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    held = { form: event.target, submitter: event.submitter };
  },
  true,
);

document.addEventListener("step:focus", ({ detail }) => {
  document.getElementById(detail.id)?.focus();
});
