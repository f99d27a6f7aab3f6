// <time data-local>: the reader's own time; UTC stays in the tooltip.
const FORMAT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

const localise = () => {
  for (const element of document.querySelectorAll("time[data-local]")) {
    const text = FORMAT.format(new Date(element.dateTime));
    if (element.textContent === text) continue;
    element.title = element.textContent;
    element.textContent = text;
  }
};

localise();
document.addEventListener("htmx:afterSwap", localise);
document.addEventListener("htmx:oobAfterSwap", localise);
