// Filters, sorts and shows the items of a gallery. All text goes in by textContent, never as HTML.
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("gallery-data").textContent);
  const grid = byId("grid");

  setUpTheme();
  if (!grid) return;

  const MAX_CHOICES = 80;
  const CARD_SCORES = 3;
  const CRISP_BELOW = 48;
  const state = { query: "", subject: "", tags: {}, metric: "", low: null, high: null, order: "id", page: 0, current: 0, moving: !matchMedia("(prefers-reduced-motion: reduce)").matches };
  const scores = Object.fromEntries(data.metrics.map((m) => [m.name, data.items.map((i) => i.scores[m.name]).filter(isNumber)]));
  const labels = Object.fromEntries(data.metrics.map((m) => [m.name, m.label]));
  data.items.forEach((item, i) => { item.rank = i; item.words = searchable(item); });
  let matches = [];

  setUpFilters();
  setUpGrid();
  setUpDialog();
  update();

  // ---- small things -----------------------------------------------------------------------
  function isNumber(value) { return typeof value === "number" && Number.isFinite(value); }
  function format(value) { return isNumber(value) ? value.toFixed(Math.abs(value) >= 100 ? 1 : 3) : "-"; }
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

  // ---- theme ------------------------------------------------------------------------------
  function setUpTheme() {
    const button = byId("theme"), modes = ["auto", "light", "dark"];
    let mode = "auto";
    try { mode = localStorage.getItem("neurodecode-theme") || "auto"; } catch { /* storage is off */ }
    const show = () => {
      if (!modes.includes(mode)) mode = "auto";
      if (mode === "auto") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = mode;
      button.textContent = `Theme: ${mode}`;
    };
    button.hidden = false;
    button.addEventListener("click", () => {
      mode = modes[(modes.indexOf(mode) + 1) % modes.length];
      try { localStorage.setItem("neurodecode-theme", mode); } catch { /* storage is off */ }
      show();
    });
    show();
  }

  // ---- filters and order ------------------------------------------------------------------
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

  // ---- the grid ---------------------------------------------------------------------------
  function update() {
    matches = sorted(data.items.filter(fits));
    const pages = Math.max(1, Math.ceil(matches.length / data.pageSize));
    state.page = Math.min(state.page, pages - 1);
    const start = state.page * data.pageSize;
    grid.replaceChildren(...matches.slice(start, start + data.pageSize).map(card));
    byId("count").textContent = matches.length === data.items.length ? `${data.items.length} shown.` : `${matches.length} of ${data.items.length} shown.`;
    byId("empty").hidden = matches.length > 0;
    byId("pager").hidden = pages < 2;
    byId("page-number").textContent = `Page ${state.page + 1} of ${pages}`;
    byId("previous-page").disabled = state.page === 0;
    byId("next-page").disabled = state.page === pages - 1;
    sayOrder();
    drawHistogram();
    rove(Math.min(state.current, grid.children.length - 1), false);
  }
  function sayOrder() {
    const note = byId("order-note"), metric = sortedBy(), says = [];
    if (metric) says.push(`Sorted by ${labels[metric]}, a score that was computed with the truth: what stands first is not typical.`);
    if (limited()) says.push(`Only items whose ${labels[state.metric]} is in the range: a choice made with the truth.`);
    note.classList.toggle("warn", says.length > 0);
    if (!says.length) says.push(state.order === "mixed" ? `In a random order, fixed by seed ${data.seed}; no score had a part in it.` : "By stimulus id; no score had a part in this order.");
    note.textContent = says.join(" ");
  }
  function card(item, place) {
    const node = make("li", "card"), heading = make("h3"), button = make("button", "open");
    button.type = "button";
    button.tabIndex = -1;
    button.setAttribute("aria-label", `${item.stimulus}, ${item.subject}: details`);
    button.append(make("span", "what", item.stimulus), make("span", "who", item.subject));
    button.addEventListener("click", () => { rove(place, true); openDetails(); });
    button.addEventListener("focus", () => rove(place, false));
    heading.append(button);
    const text = item.truth.kind === "text" || item.decoded[0].kind === "text";
    const pair = make("div", text ? "text-pair" : "pair");
    const count = item.decoded.length > 1 ? `decoded, 1 of ${item.decoded.length}` : "decoded";
    pair.append(panel(item, item.truth, "seen", "seen", "seen"), panel(item, item.decoded[0], count, "decoded", "decoded"));
    node.append(heading, pair);
    const names = Object.keys(item.controls);
    if (names.length) {
      const texts = names.some((name) => item.controls[name].kind === "text");
      const controls = make("div", `controls ${texts ? "texts" : "panels"}`);
      controls.append(...names.map((name) => panel(item, item.controls[name], data.controls[name].label, "control", name)));
      node.append(controls);
    }
    node.append(cardScores(item));
    return node;
  }
  function cardScores(item) {
    const list = make("dl"), chosen = sortedBy() || state.metric;
    const names = data.metrics.map((m) => m.name).filter((name) => name in item.scores);
    const shown = [...new Set([...names.filter((name) => name === chosen), ...names])].slice(0, CARD_SCORES);
    for (const name of shown) {
      const pair = make("div", name === sortedBy() ? "sorted" : "");
      pair.append(make("dt", "", labels[name]), make("dd", "", format(item.scores[name])));
      list.append(pair);
    }
    return list;
  }
  function panel(item, shown, title, role, captionName, note) {
    const figure = make("figure", /ceiling/i.test(captionName) ? `${role} ceiling` : role), caption = make("figcaption", "", title);
    if (note) caption.append(make("span", "note", note));
    const sentence = item.captions[captionName] ?? (captionName === "seen" ? item.captions.truth : undefined);
    if (shown.kind === "text") figure.append(sentenceOf(item, shown.text, role));
    else figure.append(picture(item, shown, title, sentence));
    figure.append(caption);
    if (sentence) { const line = make("p", "caption"); line.append(...marked(item, sentence, role)); figure.append(line); }
    return figure;
  }
  function sentenceOf(item, text, role) {
    const node = make("p", "sentence");
    node.append(...marked(item, text, role));
    return node;
  }
  function marked(item, text, role) {
    const truth = item.truth.text ?? item.captions.seen ?? item.captions.truth;
    if (role === "seen" || !truth) return [document.createTextNode(text)];
    const known = new Set(truth.toLowerCase().match(/[\p{L}\p{N}]{3,}/gu) || []);
    return text.split(/([\p{L}\p{N}]+)/u).map((part) => known.has(part.toLowerCase()) ? make("mark", "", part) : document.createTextNode(part));
  }
  function picture(item, shown, title, sentence) {
    const image = make("img", Math.max(shown.width, shown.height) <= CRISP_BELOW ? "crisp" : "");
    image.loading = "lazy";
    image.decoding = "async";
    image.width = shown.width;
    image.height = shown.height;
    image.alt = `${title}, ${item.stimulus}, ${item.subject}${sentence ? `: ${sentence}` : ""}`;
    if (shown.kind === "clip") { image.dataset.clip = shown.file; image.dataset.still = shown.still; }
    image.src = shown.kind === "clip" && !state.moving ? shown.still : shown.file;
    return image;
  }
  function drawHistogram() {
    const chart = byId("histogram"), values = scores[state.metric] || [];
    chart.replaceChildren();
    chart.toggleAttribute("hidden", !values.length);
    if (!values.length) return;
    const low = values.reduce((a, b) => Math.min(a, b)), high = values.reduce((a, b) => Math.max(a, b)), bins = new Array(20).fill(0);
    const width = (high - low) || 1;
    for (const value of values) bins[Math.min(19, Math.floor(20 * (value - low) / width))] += 1;
    const most = Math.max(...bins);
    bins.forEach((count, i) => {
      const from = low + width * i / 20, to = low + width * (i + 1) / 20, height = count ? Math.max(1.5, 28 * count / most) : 0;
      const inside = (state.low === null || to >= state.low) && (state.high === null || from <= state.high);
      chart.append(draw("rect", { x: 6 * i, y: 30 - height, width: 5, height, class: inside ? "in" : "" }));
    });
    byId("low").placeholder = low.toFixed(2);
    byId("high").placeholder = high.toFixed(2);
  }

  // ---- keyboard ---------------------------------------------------------------------------
  function buttons() { return [...grid.querySelectorAll(".open")]; }
  function rove(place, focus) {
    const all = buttons();
    if (!all.length) return;
    state.current = Math.max(0, Math.min(place, all.length - 1));
    all.forEach((button, i) => { button.tabIndex = i === state.current ? 0 : -1; });
    if (focus) all[state.current].focus();
  }
  function columns() {
    const cards = [...grid.children];
    const after = cards.findIndex((node) => node.offsetTop !== cards[0].offsetTop);
    return after < 0 ? cards.length : after;
  }
  function turn(step) {
    const pages = Math.ceil(matches.length / data.pageSize), next = state.page + step;
    if (next < 0 || next >= pages) return false;
    state.page = next;
    state.current = 0;
    update();
    return true;
  }
  function setUpGrid() {
    grid.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(), ArrowUp: -columns(), Home: -Infinity, End: Infinity };
      if (event.key in moves) {
        event.preventDefault();
        const to = state.current + moves[event.key];
        if (Number.isFinite(to) && (to < 0 || to >= grid.children.length)) return;
        rove(Math.max(0, Math.min(to, grid.children.length - 1)), true);
      } else if (event.key === "PageDown" || event.key === "PageUp") {
        if (turn(event.key === "PageDown" ? 1 : -1)) { event.preventDefault(); rove(0, true); }
      }
    });
    for (const [id, step] of [["previous-page", -1], ["next-page", 1]]) byId(id).addEventListener("click", () => { if (turn(step)) { rove(0, true); byId("gallery").scrollIntoView(); } });
    document.addEventListener("keydown", (event) => {
      const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
      if (event.key === "/" && !typing && !byId("details").open) { event.preventDefault(); byId("query").focus(); }
    });
  }

  // ---- details ----------------------------------------------------------------------------
  function setUpDialog() {
    const dialog = byId("details");
    byId("close").addEventListener("click", () => dialog.close());
    byId("previous").addEventListener("click", () => step(-1));
    byId("next").addEventListener("click", () => step(1));
    dialog.addEventListener("close", () => rove(state.current, true));
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
      row.append(name, plot, make("td", "num strong", format(item.scores[metric.name])));
      rows.append(row);
    }
    table.append(rows);
    return table;
  }
  function strip(own, values, metric) {
    const chart = draw("svg", { class: "strip", width: "100%", height: 26, role: "img", "aria-label": `${metric.label}: ${format(own)} among ${values.length} items` });
    const known = isNumber(metric.chance) ? [metric.chance, ...values] : values;
    const low = known.reduce((a, b) => Math.min(a, b), 0), high = known.reduce((a, b) => Math.max(a, b), 1);
    const at = (value) => `${2 + 96 * (value - low) / (high - low)}%`;
    const every = Math.max(1, Math.floor(values.length / 400));
    values.forEach((value, i) => { if (i % every === 0) chart.append(draw("line", { class: "all", x1: at(value), x2: at(value), y1: 7, y2: 19 })); });
    if (isNumber(metric.chance)) chart.append(draw("line", { class: "chance", x1: at(metric.chance), x2: at(metric.chance), y1: 1, y2: 25 }));
    if (isNumber(own)) chart.append(draw("circle", { class: "value", cx: at(own), cy: 13, r: 5.5 }));
    return chart;
  }
})();
