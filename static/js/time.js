// <time data-local>: the reader's own time, data-local="seconds" to the second; UTC stays in the tooltip.
const format = (timeStyle) => new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle });
const MINUTES = format("short");
const SECONDS = format("medium");

const localise = () => {
  for (const element of document.querySelectorAll("time[data-local]")) {
    const shown = element.dataset.local === "seconds" ? SECONDS : MINUTES;
    const text = shown.format(new Date(element.dateTime));
    if (element.textContent === text) continue;
    element.title = element.textContent;
    element.textContent = text;
  }
};

localise();
document.addEventListener("htmx:afterSwap", localise);
document.addEventListener("htmx:oobAfterSwap", localise);
