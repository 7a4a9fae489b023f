// The parts in this folder run as one strict function. Text goes in by textContent, never as HTML.
const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("gallery-data").textContent);
const grid = byId("grid");

setUpTheme();
if (!grid) return;

const MAX_CHOICES = 80;
const CARD_SCORES = 3;
const CRISP_BELOW = 48;
const COMMON_WORDS = new Set(("the and for but not his her him she has had was are its out who all with from that this into " +
  "they them their there then were have been while when what which where off over down back one two can").split(" "));
const state = { query: "", subject: "", tags: {}, metric: "", low: null, high: null, order: "id", page: 0, current: 0, moving: !matchMedia("(prefers-reduced-motion: reduce)").matches };
const scores = Object.fromEntries(data.metrics.map((m) => [m.name, data.items.map((i) => i.scores[m.name]).filter(isNumber)]));
const labels = Object.fromEntries(data.metrics.map((m) => [m.name, m.label]));
data.items.forEach((item, i) => { item.rank = i; item.words = searchable(item); });
// ranks and counts are written as whole numbers
const whole = new Set(data.metrics.map((m) => m.name).filter((name) => scores[name].every(Number.isInteger) && scores[name].some((value) => Math.abs(value) > 1)));
let matches = [];

setUpFilters();
setUpGrid();
setUpDialog();
update();

function isNumber(value) { return typeof value === "number" && Number.isFinite(value); }
function format(value, name) {
  if (!isNumber(value)) return "-";
  return value.toFixed(whole.has(name) ? 0 : Math.abs(value) >= 100 ? 1 : 3);
}
function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}
function draw(tag, attributes) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}
function fill(select, choices) {
  select.replaceChildren(...choices.map(([value, text]) => { const one = make("option", "", text); one.value = value; return one; }));
}
function unique(values) { return [...new Set(values)].sort(new Intl.Collator(undefined, { numeric: true }).compare); }
function searchable(item) {
  const texts = [item.truth, ...item.decoded].map((shown) => shown.text || "");
  return [item.stimulus, item.subject, ...Object.values(item.tags), ...Object.values(item.captions), ...texts].join(" ").toLowerCase();
}
