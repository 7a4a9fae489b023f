// Which items are shown, and in which order.
function setUpFilters() {
  const people = unique(data.items.map((item) => item.subject));
  fill(byId("subject"), [["", "all"], ...people.map((name) => [name, name])]);
  byId("subject-field").hidden = people.length < 2;
  setUpTags();
  fill(byId("metric"), [["", "any score"], ...data.metrics.map((m) => [m.name, m.label])]);
  byId("range-field").hidden = !data.metrics.length;
  fill(byId("order"), [["id", "stimulus id"], ["mixed", "fixed random order"],
    ...data.metrics.flatMap((m) => [[`down:${m.name}`, `${m.label}, high to low`], [`up:${m.name}`, `${m.label}, low to high`]])]);
  listen("query", "input", (value) => { state.query = value.trim().toLowerCase(); });
  listen("subject", "change", (value) => { state.subject = value; });
  listen("metric", "change", (value) => { state.metric = value; state.low = state.high = null; byId("low").value = byId("high").value = ""; });
  for (const end of ["low", "high"]) listen(end, "input", (value) => { state[end] = value === "" ? null : Number(value); chooseOnlyMetric(); });
  listen("order", "change", (value) => { state.order = value; });
  byId("size").addEventListener("input", (event) => document.documentElement.style.setProperty("--size", `${Number(event.target.value)}px`));
  byId("clear").addEventListener("click", clear);
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  setUpMotion();
  byId("filters").hidden = false;
}
function listen(id, event, change) {
  byId(id).addEventListener(event, (happened) => { change(happened.target.value); restart(); });
}
function restart() { state.page = 0; state.current = 0; update(); }
function chooseOnlyMetric() {
  if (!state.metric && data.metrics.length) { state.metric = data.metrics[0].name; byId("metric").value = state.metric; }
}
function setUpTags() {
  for (const name of unique(data.items.flatMap((item) => Object.keys(item.tags)))) {
    const values = unique(data.items.map((item) => item.tags[name]).filter((value) => value !== undefined));
    if (values.length < 2 || values.length > MAX_CHOICES) continue;
    const field = make("label", "", name), select = make("select");
    select.dataset.tag = name;
    fill(select, [["", "all"], ...values.map((value) => [value, value])]);
    select.addEventListener("change", () => { state.tags[name] = select.value; restart(); });
    field.append(select);
    byId("tag-fields").append(field);
  }
}
function clear() {
  Object.assign(state, { query: "", subject: "", tags: {}, metric: "", low: null, high: null });
  for (const field of byId("filters").querySelectorAll("input:not([type=range]), select:not(#order)")) field.value = "";
  restart();
  byId("query").focus();
}
function setUpMotion() {
  const clips = data.items.some((item) => [item.truth, ...item.decoded, ...Object.values(item.controls)].some((shown) => shown.kind === "clip"));
  const button = byId("motion");
  button.hidden = !clips;
  const show = () => {
    button.textContent = state.moving ? "Pause clips" : "Play clips";
    for (const image of document.querySelectorAll("img[data-still]")) image.src = state.moving ? image.dataset.clip : image.dataset.still;
  };
  button.addEventListener("click", () => { state.moving = !state.moving; show(); });
  show();
}
function fits(item) {
  if (state.query && !state.query.split(/\s+/).every((word) => item.words.includes(word))) return false;
  if (state.subject && item.subject !== state.subject) return false;
  for (const [name, value] of Object.entries(state.tags)) if (value && item.tags[name] !== value) return false;
  if (!limited()) return true;
  const score = item.scores[state.metric];
  return isNumber(score) && (state.low === null || score >= state.low) && (state.high === null || score <= state.high);
}
function limited() { return Boolean(state.metric) && (state.low !== null || state.high !== null); }
function sorted(items) {
  const [way, metric] = state.order.includes(":") ? [state.order.slice(0, state.order.indexOf(":")), state.order.slice(state.order.indexOf(":") + 1)] : [state.order, ""];
  if (way === "id") return items.sort((a, b) => a.rank - b.rank);
  if (way === "mixed") return items.sort((a, b) => a.mixed - b.mixed);
  const missing = way === "down" ? -Infinity : Infinity, sign = way === "down" ? -1 : 1;
  const key = (item) => isNumber(item.scores[metric]) ? item.scores[metric] : missing;
  return items.sort((a, b) => { const x = key(a), y = key(b); return x === y ? a.rank - b.rank : sign * (x - y); });
}
function sortedBy() { return /^(down|up):/.test(state.order) ? state.order.replace(/^(down|up):/, "") : ""; }
