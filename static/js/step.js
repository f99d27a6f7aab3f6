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

document.addEventListener("step:focus", ({ detail }) => {
  document.getElementById(detail.id)?.focus();
});
