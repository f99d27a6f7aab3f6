// [data-traffic="address"]: charts of the samples behind that address, with uPlot. Links of [data-range] choose the
// time range; without this module they lead to the same numbers as a table.
const REFRESH_MS = 30_000;
const UNITS = ["b/s", "kb/s", "Mb/s", "Gb/s", "Tb/s"];
const TIME = new Intl.DateTimeFormat(undefined, { weekday: "short", hour: "2-digit", minute: "2-digit" });
const HOURS = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DAYS = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric" });

const rate = (bits) => {
  if (bits == null) return "–";
  let unit = 0;
  for (; bits >= 1000 && unit < UNITS.length - 1; unit += 1) bits /= 1000;
  return `${bits >= 100 || unit === 0 ? Math.round(bits) : bits.toFixed(1)} ${UNITS[unit]}`;
};
const milliseconds = (value) => (value == null ? "–" : `${value} ms`);
// CSS decides the colours, in either theme; a canvas wants them resolved.
const colour = (card, name) => getComputedStyle(card.querySelector(name)).color;
const faded = (rgb) => rgb.replace(/^rgb\(/, "rgba(").replace(/\)$/, ", 0.12)");
const largest = (values) => values.reduce((most, value) => Math.max(most, value ?? 0), 0);

class Traffic {
  constructor(card) {
    this.card = card;
    this.range = "1h";
    this.plots = [];
    this.find = (name) => card.querySelector(`[data-traffic-${name}]`);
    new ResizeObserver(() => this.resize()).observe(card);
    this.load();
  }

  choose(link) {
    this.range = link.dataset.range;
    for (const other of this.card.querySelectorAll("[data-range]")) other.removeAttribute("aria-current");
    link.setAttribute("aria-current", "true");
    this.find("table").href = link.href;
    this.load();
  }

  async load() {
    const asked = this.range;
    let data = null;
    try {
      const answer = await fetch(`${this.card.dataset.traffic}?range=${asked}`);
      if (answer.ok) data = await answer.json();
    } catch {
      // The console is away: what is shown stays, and the next look is soon.
    }
    if (data && asked === this.range && this.card.isConnected) this.draw(data);
  }

  draw(data = this.data) {
    if (!data) return;
    this.data = data;
    for (const plot of this.plots) plot.destroy();
    const some = data.rtt.some((value) => value != null);
    this.find("health").hidden = !some;
    const line = (name, fill) => {
      const stroke = colour(this.card, `.traffic-${name}`);
      return { stroke, width: 1.5, points: { size: 4, fill: stroke }, fill: fill && faded(stroke) };
    };
    const stepped = { ...line("up", true), paths: uPlot.paths.stepped({ align: 1 }) };
    const most = Math.max(1000, largest(data.in), largest(data.out));
    this.plots = [
      this.plot("rate", [line("in", true), line("out")], [data.in, data.out], most, { height: 190, words: rate, times: true }),
      this.plot("up", [stepped], [data.up], Math.max(1, data.total), { height: 56, words: String, marks: [0, data.total] }),
    ];
    if (some) this.plots.push(this.plot("rtt", [line("rtt", true)], [data.rtt], largest(data.rtt), { height: 80, words: milliseconds }));
    const peaks = `in at most ${rate(largest(data.in))}, out at most ${rate(largest(data.out))}`;
    this.find("rate").setAttribute("aria-label", `Chart of the traffic: ${peaks}`);
    this.tell(null);
  }

  // One of the charts; `most` is the largest value, `marks` are the lines of the y axis where they are not round numbers.
  plot(name, lines, columns, most, { height, words, marks, times = false }) {
    const box = this.find(name);
    const text = colour(this.card, ".traffic-now");
    const grid = { stroke: faded(text), width: 1 };
    const axis = { stroke: text, font: `12px ${getComputedStyle(this.card).fontFamily}`, grid, ticks: grid };
    const clock = this.range === "7d" ? DAYS : HOURS;
    const told = (_, places) => places.map((place) => clock.format(new Date(place * 1000)));
    const options = {
      width: box.clientWidth,
      height,
      padding: [8, 20, times ? 0 : 8, 0],
      legend: { show: false },
      cursor: { sync: { key: "traffic" }, y: false, drag: { setScale: false, x: false } },
      scales: { y: { range: [0, most * 1.08] } },
      axes: [
        { ...axis, show: times, space: 70, size: 30, values: told },
        { ...axis, size: 76, space: 26, splits: marks && (() => marks), values: (_, places) => places.map(words) },
      ],
      series: [{}, ...lines],
      hooks: { setCursor: [({ cursor }) => this.tell(cursor.idx)] },
    };
    return new uPlot(options, [this.data.at, ...columns], box);
  }

  tell(index) {
    const data = this.data;
    const last = data.in.findLastIndex((value) => value != null);
    const place = index ?? last;
    const told = place >= 0 && data.up[place] != null;
    const when = index == null ? "latest" : TIME.format(new Date(data.at[place] * 1000));
    this.find("now").textContent = told
      ? `${when}: in ${rate(data.in[place])}, out ${rate(data.out[place])}, ${data.up[place]} of ${data.total} up`
      : index == null
        ? "Nothing was reported in this time."
        : `${when}: nothing reported`;
  }

  resize() {
    for (const plot of this.plots) {
      const width = plot.root.parentElement.clientWidth;
      if (width && width !== plot.width) plot.setSize({ width, height: plot.height });
    }
  }
}

let shown = null;
const begin = () => {
  const card = document.querySelector("[data-traffic]");
  if (card && card !== shown?.card) shown = new Traffic(card);
};

begin();
document.addEventListener("htmx:afterSwap", begin);
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-traffic] [data-range]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  shown.choose(link);
});
setInterval(() => {
  if (!document.hidden) shown?.load();
}, REFRESH_MS);
// Another theme, other colours.
new MutationObserver(() => shown?.draw()).observe(document.documentElement, { attributes: true });
