// A step that htmx asks for again: what is being typed stays, and the focus goes where the server says.
if (window.Idiomorph) Idiomorph.defaults.ignoreActiveValue = true;

document.addEventListener("step:focus", ({ detail }) => {
  document.getElementById(detail.id)?.focus();
});
