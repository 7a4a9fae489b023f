// The cards, and moving among them by keyboard.
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
    pair.append(make("dt", "", labels[name]), make("dd", "", format(item.scores[name], name)));
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
  const known = new Set((truth.toLowerCase().match(/[\p{L}\p{N}]{3,}/gu) || []).filter((word) => !COMMON_WORDS.has(word)));
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
