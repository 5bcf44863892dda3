"use strict";

const boards = JSON.parse(document.getElementById("data").textContent);
const byId = new Map(boards.map((board) => [board.id, board]));
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const MINUS = "\u2212";

/** An element with text or children; text is never read as HTML. */
function make(name, attributes = {}, ...children) {
  const svg = ["svg", "rect", "line", "circle", "title"].includes(name);
  const element = svg
    ? document.createElementNS("http://www.w3.org/2000/svg", name)
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const name = (text) => make("bdi", {}, text);
const number = (value, decimals = 3) =>
  value === null ? "" : value.toFixed(decimals).replace("-", MINUS);
const signed = (value, decimals = 3) => (value > 0 ? "+" : "") + number(value, decimals);
const pValue = (p) => (p === null ? "" : p < 0.001 ? "<0.001" : p.toFixed(3));
const count = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;

// Light and dark -------------------------------------------------------------------------------

/** What the browser keeps between visits, where it may. */
const kept = {
  get: (key, place = "localStorage") => { try { return window[place].getItem(key); } catch { return null; } },
  set: (key, value, place = "localStorage") => { try { window[place].setItem(key, value); } catch { /* not allowed */ } },
};

function setUpTheme() {
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const show = (theme) => {
    const dark = theme ? theme === "dark" : system.matches;
    if (theme) document.documentElement.dataset.theme = theme;
    button.setAttribute("aria-pressed", String(dark));
  };
  button.addEventListener("click", () => {
    const theme = button.getAttribute("aria-pressed") === "true" ? "light" : "dark";
    show(theme);
    kept.set("ordbench-theme", theme);
  });
  system.addEventListener("change", () => show(document.documentElement.dataset.theme));
  show(kept.get("ordbench-theme"));
}

// Leaderboards ---------------------------------------------------------------------------------

const order = new Intl.Collator(undefined, { numeric: true }).compare;

/** Empty cells come last, whatever the direction. */
function sortRows(body, column, direction) {
  const key = (row) => (column === 0
    ? row.cells[0].textContent.trim()
    : row.cells[column].dataset.value === undefined ? null : Number(row.cells[column].dataset.value));
  const rows = [...body.rows].map((row) => [key(row), Number(row.dataset.row), row]);
  rows.sort(([a, i], [b, j]) => {
    if (!direction) return i - j;
    if (a === null || b === null) return (a === null) - (b === null) || i - j;
    return direction * (column === 0 ? order(a, b) : a - b) || i - j;
  });
  body.append(...rows.map(([, , row]) => row));
}

function setUpSorting(table) {
  const heads = all("thead th", table);
  heads.forEach((head, column) => {
    head.querySelector(".sort").addEventListener("click", () => {
      const next = { none: "ascending", ascending: "descending", descending: "none" };
      const sorted = next[head.getAttribute("aria-sort")];
      for (const other of heads) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", sorted);
      sortRows(table.tBodies[0], column, { none: 0, ascending: 1, descending: -1 }[sorted]);
    });
  });
}

function setUpFilter(board) {
  const field = board.querySelector(".filter");
  const shown = board.querySelector(".shown");
  const rows = all("tbody tr", board);
  const filter = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const row of rows) {
      const text = row.cells[0].textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      found += !row.hidden;
      for (const part of all(`.chart [data-row="${row.dataset.row}"]`, board)) {
        part.toggleAttribute("hidden", row.hidden);
      }
    }
    shown.textContent = words.length ? `${found} of ${count(rows.length, "head")}` : "";
  };
  field.addEventListener("input", filter);
  if (field.value) filter();
}

// Curves ---------------------------------------------------------------------------------------

/** Shows one point in full: its curve, its row, and its number beside it and below the chart. */
function setUpChart(board) {
  const chart = board.querySelector(".chart");
  if (!chart) return;
  const svg = chart.querySelector("svg");
  const box = chart.querySelector(".plot");
  const readout = chart.querySelector(".readout");
  const tip = document.getElementById("tip");
  const curves = new Map(all(".curve", chart).map((curve) => [Number(curve.dataset.row), curve]));
  const columns = byId.get(chart.dataset.board).columns;
  let at = null;

  const visible = () => [...curves].filter(([, curve]) => !curve.hasAttribute("hidden"));
  const circle = (row, column) => curves.get(row)?.querySelector(`[data-column="${column}"]`);

  const light = (row) => {
    chart.classList.toggle("choosing", row !== null);
    for (const one of all(".lit", board)) one.classList.remove("lit");
    if (row === null) return;
    for (const one of all(`[data-row="${row}"]`, board)) one.classList.add("lit");
  };
  const clear = () => {
    at = null;
    light(null);
    tip.hidden = true;
    readout.textContent = "";
  };
  const show = (row, column, withTip) => {
    const point = circle(row, column);
    if (!point) return;
    at = { row, column };
    light(row);
    point.classList.add("lit");
    const label = curves.get(row).dataset.label;
    readout.replaceChildren(name(label), `, ${columns[column]}: ${point.dataset.text}`);
    if (!withTip) return;
    tip.replaceChildren(name(label), ` ${point.dataset.text}`);
    tip.hidden = false;
    const place = point.getBoundingClientRect();
    const left = place.right + scrollX + 8;
    const space = document.documentElement.clientWidth + scrollX - tip.offsetWidth - 8;
    tip.style.left = `${Math.min(left, space)}px`;
    tip.style.top = `${place.top + scrollY - 30}px`;
  };

  svg.addEventListener("pointermove", (event) => {
    const inside = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    let best = null;
    for (const [row, curve] of visible()) {
      for (const point of all("circle", curve)) {
        const distance = Math.hypot(point.cx.baseVal.value - inside.x, point.cy.baseVal.value - inside.y);
        if (distance < 60 && (!best || distance < best.distance)) {
          best = { distance, row, column: Number(point.dataset.column) };
        }
      }
    }
    if (best) show(best.row, best.column, true);
    else clear();
  });
  svg.addEventListener("pointerleave", clear);
  box.addEventListener("blur", clear);
  box.addEventListener("focus", () => {
    if (!at && box.matches(":focus-visible")) step(0, 0);
  });
  box.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key === "Escape") clear();
    if (!moves[event.key]) return;
    event.preventDefault();
    step(...moves[event.key]);
  });

  /** Go to the next column of the curve, or to the next higher or lower point of the column. */
  function step(across, down) {
    const column = Math.max(0, Math.min(columns.length - 1, (at ? at.column : 0) + across));
    const points = visible()
      .map(([row]) => [row, circle(row, column)])
      .filter(([, point]) => point)
      .sort(([i, a], [j, b]) => a.cy.baseVal.value - b.cy.baseVal.value || i - j);
    if (!points.length) return;
    const first = points.some(([row]) => row === 0) ? 0 : points[0][0];
    const row = at && points.some(([one]) => one === at.row) ? at.row : first;
    const place = points.findIndex(([one]) => one === row) + down;
    const [next] = points[Math.max(0, Math.min(points.length - 1, place))];
    show(next, column, true);
  }

  for (const row of all("tbody tr", board)) {
    const own = Number(row.dataset.row);
    const enter = () => { if (curves.has(own)) light(own); };
    row.addEventListener("pointerenter", enter);
    row.addEventListener("pointerleave", clear);
    row.addEventListener("focusin", enter);
    row.addEventListener("focusout", clear);
  }
  for (const label of all("text.name", chart)) {
    label.addEventListener("pointerenter", () => light(Number(label.dataset.row)));
    label.addEventListener("pointerleave", clear);
  }
}

// Two heads ------------------------------------------------------------------------------------

const PAIR = ["a", "b", "first", "second", "difference", "low", "high", "imagesLow", "imagesHigh",
  "p", "holm", "effect", "images", "units", "draws"];

/** The differences of one head from all others in one column, the other way round where needed. */
function differencesOf(board, column, head) {
  const found = [];
  for (const values of board.pairs[column]) {
    const pair = Object.fromEntries(PAIR.map((key, index) => [key, values[index]]));
    if (pair.a === head) found.push(pair);
    if (pair.b === head) found.push(turned(pair));
  }
  return found;
}

function turned(pair) {
  const minus = (value) => (value === null ? null : -value);
  return {
    ...pair,
    a: pair.b, b: pair.a, first: pair.second, second: pair.first,
    difference: -pair.difference, effect: minus(pair.effect),
    low: minus(pair.high), high: minus(pair.low),
    imagesLow: minus(pair.imagesHigh), imagesHigh: minus(pair.imagesLow),
  };
}

/** An interval as a picture; its numbers stand beside it. */
function intervalBar(pair, reach) {
  const at = (value) => 80 + (72 * value) / reach;
  const svg = make("svg", { class: "bar", viewBox: "0 0 160 16", "aria-hidden": "true" });
  svg.append(make("line", { class: "zero", x1: 80, x2: 80, y1: 0, y2: 16 }));
  if (pair.low !== null) {
    svg.append(make("line", { class: "range", x1: at(pair.low), x2: at(pair.high), y1: 8, y2: 8 }));
  }
  svg.append(make("circle", { cx: at(pair.difference), cy: 8, r: 3.5 }));
  return svg;
}

function pairRow(board, pair, reach) {
  const cell = (text) => make("td", { class: "number" }, text);
  const ends = (low, high) => (low === null ? "" : `${signed(low)} to ${signed(high)}`);
  const people = pair.units < pair.images ? ` (${pair.units})` : "";
  return make("tr", {},
    make("th", { scope: "row" }, name(board.rows[pair.b])),
    cell(number(pair.first)), cell(number(pair.second)), cell(signed(pair.difference)),
    make("td", {}, ends(pair.low, pair.high)), make("td", {}, intervalBar(pair, reach)),
    make("td", {}, ends(pair.imagesLow, pair.imagesHigh)),
    cell(pValue(pair.p)), cell(pValue(pair.holm)),
    cell(pair.effect === null ? "" : signed(pair.effect, 2)),
    cell(`${pair.images}${people}`), cell(String(pair.draws)));
}

/** What one comparison says, in a sentence. */
function verdict(board, pair) {
  const unit = board.unit ? ` ${board.unit}` : "";
  if (pair.difference === 0) return [name(board.rows[pair.a]), " and ", name(board.rows[pair.b]), " are equal."];
  const better = (pair.difference > 0) === board.higher ? pair.a : pair.b;
  const size = Math.abs(pair.difference).toFixed(3);
  const tested = pair.holm === null ? "not tested"
    : pair.holm < 0.05 ? "significant after Holm's correction" : "not significant after Holm's correction";
  const worse = better === pair.a ? pair.b : pair.a;
  return [name(board.rows[better]), " is better than ", name(board.rows[worse]), ` by ${size}${unit}; ${tested}.`];
}

function compareNotes(board, column, pairs) {
  const tested = board.pairs[column].length;
  const against = board.against[column].map((row) => board.rows[row]);
  const one = pairs.some((pair) => pair.draws === 1);
  return [
    against.length
      ? `there are too many heads for all pairs: these were compared with all others: ${against.join(", ")}`
      : "all pairs of heads were compared",
    `p (Holm): corrected for the ${count(tested, "comparison")} of this setting, alpha 0.05`,
    "these runs: 95 % interval over test images alone, for these very seeds",
    "d: difference over its standard deviation among images",
    ...(one ? ["over images alone where heads share one seed"] : []),
    ...(pairs.some((pair) => pair.units < pair.images)
      ? ["in parentheses: people; images of one person, and identical ones, are drawn together"] : []),
  ];
}

function setUpComparison() {
  const form = document.getElementById("comparison");
  if (!form) return;
  const { setting, first, second } = form.elements;
  const body = document.querySelector("#differences tbody");
  for (const board of boards) {
    board.pairs.forEach((pairs, column) => {
      if (pairs.length) setting.append(new Option(`${board.title}, ${board.columns[column]}`, `${board.id} ${column}`));
    });
  }
  const chosen = () => {
    const [id, column] = setting.value.split(" ");
    return [byId.get(id), Number(column)];
  };
  const fill = (select, options, wanted) => {
    select.replaceChildren(...options);
    const same = options.find((option) => option.textContent === wanted);
    if (same) select.value = same.value;
  };
  const options = (board, rows) => rows.map((row) => new Option(board.rows[row], String(row)));

  const show = () => {
    const [board, column] = chosen();
    const pairs = differencesOf(board, column, Number(first.value))
      .filter((pair) => second.value === "" || pair.b === Number(second.value))
      .sort((one, other) => (board.higher ? -1 : 1) * (one.second - other.second));
    const reach = Math.max(1e-9, ...pairs.flatMap((pair) => [pair.difference, pair.low, pair.high].map(Math.abs)));
    body.replaceChildren(...pairs.map((pair) => pairRow(board, pair, reach)));
    document.getElementById("compared").replaceChildren(...(pairs.length === 1 ? verdict(board, pairs[0]) : []));
    document.getElementById("compare-notes").replaceChildren(
      ...compareNotes(board, column, pairs).map((note) => make("li", {}, note)));
  };
  const fillSecond = () => {
    const [board, column] = chosen();
    const rows = differencesOf(board, column, Number(first.value)).map((pair) => pair.b).sort((a, b) => a - b);
    const wanted = second.selectedOptions[0]?.textContent;
    fill(second, [new Option("all others", ""), ...options(board, rows)], wanted);
    show();
  };
  const fillFirst = () => {
    const [board, column] = chosen();
    const rows = [...new Set(board.pairs[column].flatMap(([a, b]) => [a, b]))].sort((a, b) => a - b);
    const [reference = rows[0]] = board.against[column];
    fill(first, options(board, rows), first.selectedOptions[0]?.textContent ?? board.rows[reference]);
    fillSecond();
  };
  if (!setting.options.length) {
    form.hidden = true;
    return;
  }
  setting.addEventListener("change", fillFirst);
  first.addEventListener("change", fillSecond);
  second.addEventListener("change", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  fillFirst();
}

// Errors of a head -----------------------------------------------------------------------------

const span = (low, high) => (low === high ? String(low) : `${low} to ${high}`);

function errorTable(head, unit) {
  const largest = Math.max(...head.ranks.map(([, , , , mae]) => mae ?? 0), 1e-9);
  const titled = (text, kind) => make("th", { scope: "col", class: kind }, text);
  const rows = head.ranks.map(([low, high, images, bias, mae]) => {
    const bar = make("svg", { class: "bar", viewBox: "0 0 160 16", "aria-hidden": "true" },
      make("rect", { x: 0, y: 3, width: (160 * (mae ?? 0)) / largest, height: 10 }));
    return make("tr", {},
      make("th", { scope: "row" }, span(low, high)),
      make("td", { class: "number" }, String(images)),
      make("td", { class: "number" }, bias === null ? "" : signed(bias, 2)),
      make("td", { class: "number" }, number(mae, 2)),
      make("td", {}, bar));
  });
  return make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Errors by true value" },
    make("h4", {}, `Errors by true value${unit ? `, in ${unit}` : ""}`),
    make("table", {},
      make("thead", {}, make("tr", {}, titled("true", ""), titled("images", "number"), titled("bias", "number"),
        titled("MAE", "number"), make("td", {}))),
      make("tbody", {}, ...rows)));
}

function worstImages(board, head) {
  const items = head.worst.map(([image, truth, estimate, error]) => {
    const source = board.thumbnails[image];
    const picture = source ? [make("img", { src: source, alt: "", loading: "lazy" })] : [];
    return make("li", {}, ...picture, name(board.images[image]), make("br"),
      `true ${truth}, estimate ${number(estimate, 2)} (${signed(error, 2)})`);
  });
  return make("div", {},
    make("h4", {}, "Worst images, by the mean estimate over runs"), make("ul", { class: "worst" }, ...items));
}

function showErrors(select) {
  const [id, column, row] = select.value.split(" ");
  const board = byId.get(id);
  const head = board.heads[column][row];
  const ids = head.runs.join(", ");
  select.closest("details").querySelector(".erring").replaceChildren(
    errorTable(head, board.units[column]),
    worstImages(board, head),
    make("p", { class: "run-ids" }, `Means over ${count(head.runs.length, "run")}, see ordbench show run: ${ids}`));
}

function setUpHeads() {
  for (const card of all("details.card")) {
    const select = card.querySelector(".errors");
    if (!select) continue;
    select.addEventListener("change", () => showErrors(select));
    card.addEventListener("toggle", () => { if (card.open && !card.querySelector(".erring").hasChildNodes()) showErrors(select); });
  }
  const open = () => {
    const card = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (card?.matches("details")) {
      card.open = true;
      card.scrollIntoView();
    }
  };
  addEventListener("hashchange", open);
  open();
}

// A sweep that runs ----------------------------------------------------------------------------

/** Load the page anew when the server has something new, and look as before. */
function follow() {
  const [address, shown] = (document.documentElement.dataset.follows ?? "").split("#");
  if (!address) return;
  restoreView();
  setInterval(async () => {
    try {
      const answer = await fetch(address, { cache: "no-store" });
      if (!answer.ok || (await answer.text()) === shown) return;
      saveView();
      location.reload();
    } catch { /* the server has stopped: the page stays */ }
  }, 1000);
}

const VIEW = "ordbench-view";

function saveView() {
  const sorted = all(".board").map((board) => all("thead th", board).map((head) => head.getAttribute("aria-sort")));
  kept.set(VIEW, JSON.stringify({
    filters: all(".filter").map((field) => field.value),
    sorted,
    open: all("details[open] .name").map((one) => one.textContent),
  }), "sessionStorage");
}

function restoreView() {
  const view = JSON.parse(kept.get(VIEW, "sessionStorage") ?? "null");
  if (!view) return;
  all(".board").forEach((board, at) => {
    const field = board.querySelector(".filter");
    field.value = view.filters[at] ?? "";
    field.dispatchEvent(new Event("input"));
    (view.sorted[at] ?? []).forEach((direction, column) => {
      const clicks = { ascending: 1, descending: 2 }[direction] ?? 0;
      for (let n = 0; n < clicks; n += 1) board.querySelectorAll(".sort")[column]?.click();
    });
  });
  for (const card of all("details.card")) {
    if (view.open.includes(card.querySelector(".name").textContent)) card.open = true;
  }
}

setUpTheme();
for (const board of all(".board")) {
  setUpSorting(board.querySelector(".leaderboard"));
  setUpFilter(board);
  setUpChart(board);
}
setUpComparison();
setUpHeads();
follow();
