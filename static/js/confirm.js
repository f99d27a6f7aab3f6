// [data-confirm-name="name"]: the form is sent only when exactly this was typed.
const check = (input) => {
  const name = input.dataset.confirmName;
  input.setCustomValidity(input.value.trim() === name ? "" : `Type ${name} exactly as shown.`);
};

document.addEventListener("input", ({ target }) => {
  if (target.matches("[data-confirm-name]")) check(target);
});
document.addEventListener("click", ({ target }) => {
  const form = target.closest("[type=submit]")?.form;
  form?.querySelectorAll("[data-confirm-name]").forEach(check);
});
