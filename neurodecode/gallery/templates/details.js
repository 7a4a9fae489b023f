// One item in full.
function setUpDialog() {
  const dialog = byId("details");
  byId("close").addEventListener("click", () => dialog.close());
  byId("previous").addEventListener("click", () => step(-1));
  byId("next").addEventListener("click", () => step(1));
  // the browser gives focus back to the item that was opened; the reader may have moved on
  dialog.addEventListener("close", () => rove(state.detailed, true));
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowRight" || event.key === "ArrowLeft") { event.preventDefault(); step(event.key === "ArrowRight" ? 1 : -1); }
  });
}
function place() { return state.page * data.pageSize + state.current; }
function step(by) {
  const to = place() + by;
  if (to < 0 || to >= matches.length) return;
  const page = Math.floor(to / data.pageSize);
  if (page !== state.page) { state.page = page; update(); }
  rove(to % data.pageSize, false);
  fillDetails();
}
function openDetails() {
  fillDetails();
  byId("details").showModal();
  byId("close").focus();
}
function fillDetails() {
  const item = matches[place()], body = byId("details-body");
  state.detailed = state.current;
  byId("details-title").textContent = item.stimulus;
  byId("details-subject").textContent = `${item.subject} · ${place() + 1} of ${matches.length}`;
  byId("previous").disabled = place() === 0;
  byId("next").disabled = place() === matches.length - 1;
  const all = item.decoded.length, text = item.truth.kind === "text";
  const main = make("div", text ? "wide texts" : "large");
  main.append(panel(item, item.truth, "seen", "seen", "seen"));
  item.decoded.forEach((shown, i) => main.append(panel(item, shown, all > 1 ? `decoded, sample ${i + 1} of ${all}` : "decoded", "decoded", i ? "" : "decoded")));
  body.replaceChildren(main);
  const names = Object.keys(item.controls);
  if (names.length) {
    const controls = make("div", text ? "wide texts" : "medium");
    controls.append(...names.map((name) => panel(item, item.controls[name], data.controls[name].label, "control", name, data.controls[name].note)));
    body.append(make("h3", "", "Controls: without this brain response"), controls);
  }
  if (Object.keys(item.scores).length) body.append(make("h3", "", "Scores of this item among all items"), strips(item));
  const facts = [...Object.entries(item.tags), ...Object.entries(item.captions).filter(([name]) => !["seen", "truth", "decoded"].includes(name) && !(name in item.controls))];
  if (facts.length) body.append(make("h3", "", "More"), listOf(facts));
  byId("details").scrollTop = 0;
}
function listOf(facts) {
  const list = make("dl", "more");
  for (const [name, value] of facts) { const pair = make("div"); pair.append(make("dt", "", name), make("dd", "", value)); list.append(pair); }
  return list;
}
function strips(item) {
  const table = make("table", "strips"), rows = make("tbody");
  for (const metric of data.metrics) {
    if (!(metric.name in item.scores)) continue;
    const row = make("tr"), name = make("th", "", metric.label), plot = make("td", "plot");
    name.scope = "row";
    plot.append(strip(item.scores[metric.name], scores[metric.name], metric));
    row.append(name, plot, make("td", "num strong", format(item.scores[metric.name], metric.name)));
    rows.append(row);
  }
  table.append(rows);
  return table;
}
function strip(own, values, metric) {
  const chart = draw("svg", { class: "strip", width: "100%", height: 26, role: "img", "aria-label": `${metric.label}: ${format(own, metric.name)} among ${values.length} items` });
  const known = isNumber(metric.chance) ? [metric.chance, ...values] : values;
  const low = known.reduce((a, b) => Math.min(a, b), 0), high = known.reduce((a, b) => Math.max(a, b), 1);
  const at = (value) => `${2 + 96 * (value - low) / (high - low)}%`;
  const every = Math.max(1, Math.floor(values.length / 400));
  values.forEach((value, i) => { if (i % every === 0) chart.append(draw("line", { class: "all", x1: at(value), x2: at(value), y1: 7, y2: 19 })); });
  if (isNumber(metric.chance)) chart.append(draw("line", { class: "chance", x1: at(metric.chance), x2: at(metric.chance), y1: 1, y2: 25 }));
  if (isNumber(own)) chart.append(draw("circle", { class: "value", cx: at(own), cy: 13, r: 5.5 }));
  return chart;
}
