// Secrets: [data-secret-toggle="id"] shows and hides, [data-secret-generate="id"] makes one.
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const LENGTH = 32;
// Bytes from here up are thrown away: with them the first letters would come more often.
const LIMIT = 256 - (256 % LETTERS.length);

export const generate = () => {
  let secret = "";
  while (secret.length < LENGTH) {
    for (const byte of crypto.getRandomValues(new Uint8Array(LENGTH))) {
      if (byte < LIMIT && secret.length < LENGTH) secret += LETTERS[byte % LETTERS.length];
    }
  }
  return secret;
};

const show = (input, shown) => {
  input.type = shown ? "text" : "password";
  const toggle = document.querySelector(`[data-secret-toggle="${CSS.escape(input.id)}"]`);
  if (!toggle) return;
  toggle.setAttribute("aria-pressed", String(shown));
  toggle.querySelector(".ti")?.classList.toggle("ti-eye", !shown);
  toggle.querySelector(".ti")?.classList.toggle("ti-eye-off", shown);
};

document.addEventListener("click", ({ target }) => {
  const toggle = target.closest("[data-secret-toggle]");
  if (toggle) {
    const input = document.getElementById(toggle.dataset.secretToggle);
    show(input, input.type === "password");
  }
  const maker = target.closest("[data-secret-generate]");
  if (maker) {
    const input = document.getElementById(maker.dataset.secretGenerate);
    input.value = generate();
    show(input, true);
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }
});

// A browser offers to keep what is sent from a visible password field as plain text.
document.addEventListener(
  "submit",
  ({ target }) => {
    for (const toggle of target.querySelectorAll("[data-secret-toggle]")) {
      show(document.getElementById(toggle.dataset.secretToggle), false);
    }
  },
  true,
);
