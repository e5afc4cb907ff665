// The page: timeline, focal plane, tables, the panel of the chosen frame, and the address that names it.
const parsed = (id) => JSON.parse(document.getElementById(id).textContent);
let DATA = parsed("data");
// Detectors of a mosaic are nine tenths of the data, and are read when they are first drawn.
if (DATA.mosaic) Object.defineProperty(DATA, "detectors", { configurable: true, get() { const value = parsed("detectors-data"); Object.defineProperty(this, "detectors", { value }); return value; } });
const STATE = { frame: null, detector: null, metric: "seeing", notes: {}, mask: true, hard: false, grids: {} };
const WIDTH = (place) => Math.max(280, Math.min(place.clientWidth || 600, 1208));
const TIMELINE = ["seeing", "star_e", "sky", "transparency", "zero_point_rate", "depth", "stars_ratio", "pointing_error", "focus", "temperature"];
const FRAME_COLUMNS = ["level", "name", "detectors", "reason", "date", "object", "filter", "image", "exposure_time", "airmass", "moon_separation", "seeing", "star_e", "sky", "zero_point_rate", "zp_scatter", "zp_n_stars", "depth", "astrom_scatter"];

function usable(columns, table) {
  return columns.filter((name) => name === "level" || name === "name" || (name === "reason" ? table.reasons.some((reasons) => reasons.length) : name === "image" ? Object.keys(DATA.pictures).length > 0 && !DATA.mosaic : table.values[name] ? finite(table.values[name]).length > 0 : Array.isArray(table[name]) && table[name].some(Boolean)));
}

function start() {
  document.documentElement.classList.add("scripted");
  if (DATA.notes) STATE.notes = DATA.notes;
  document.querySelectorAll("[data-frame]").forEach((button) => button.addEventListener("click", () => chooseName(button.dataset.frame, true)));
  document.querySelectorAll(".tile").forEach((tile) => tile.addEventListener("click", () => document.getElementById("timeline").scrollIntoView({ behavior: "smooth" })));
  printDetails();
  if (!DATA.frames || !DATA.frames.n) return;
  const place = document.querySelector("#frames .grid");
  STATE.grids.frames = new Grid(place, DATA.frames, usable(FRAME_COLUMNS, DATA.frames), { caption: `${DATA.mosaic ? "Visits" : "Frames"} in order of time; click a heading to sort.`, only: DATA.frames.n > 200, pick: (i) => choose(i), isChosen: (i) => i === STATE.frame });
  [drawTimeline, ...(DATA.mosaic ? [drawMosaic] : []), drawAmplifierMap, drawGates].forEach(later);
  document.addEventListener("keydown", keys);
  window.addEventListener("hashchange", fromAddress);
  let timer = null;
  window.addEventListener("resize", () => { clearTimeout(timer); timer = setTimeout(redraw, 150); });
  fromAddress();
}

// On paper nothing can be opened, and all must be there.
function printDetails() {
  let closed = [];
  window.addEventListener("beforeprint", () => { drawWaiting(); closed = [...document.querySelectorAll("details:not([open])")]; closed.forEach((details) => { details.open = true; }); });
  window.addEventListener("afterprint", () => closed.forEach((details) => { details.open = false; }));
}

function redraw() { drawTimeline(); if (DATA.mosaic) drawMosaic(); drawAmplifierMap(); if (STATE.frame !== null) drawPanel(); }

// ---- night
function hours() {
  const mjd = DATA.frames.values.mjd || [], known = finite(mjd);
  if (!known.length) return { x: mjd.length ? mjd.map((_, i) => i + 1) : [...Array(DATA.frames.n).keys()].map((i) => i + 1), label: "frame number (times are not known)", isTime: false };
  if (Math.max(...known) - Math.min(...known) > 1) return { x: mjd.map((_, i) => i + 1), label: "frame number, in order of time", isTime: false };
  const zero = Math.floor(Math.min(...known));
  return { x: mjd.map((value) => (value === null ? null : (value - zero) * 24)), label: "UT (h)", isTime: true };
}

function drawTimeline() {
  const place = document.querySelector("#timeline .chart"), table = DATA.frames, time = hours();
  place.replaceChildren();
  const filters = [...new Set(table.filter)], shapes = table.filter.map((name) => SHAPES[filters.indexOf(name) % SHAPES.length]);
  const legend = filters.filter(Boolean).map((name) => `${{ circle: "●", square: "■", diamond: "◆", triangle: "▲" }[SHAPES[filters.indexOf(name) % SHAPES.length]]} ${name}`);
  element("p", { class: "note" }, place, [...legend, "ring: look", "cross: bad or failed", ...(time.isTime ? ["gray: twilight", "amber: Moon is up"] : [])].join(" · "));
  const known = finite(time.x), low = Math.min(...known), high = Math.max(...known), pad = Math.max((high - low) * 0.03, time.isTime ? 0.05 : 0.5), range = [low - pad, high + pad];
  const bands = [];
  const between = (test, cls) => time.x.forEach((x, i) => { if (x !== null && test(i)) { const a = i ? (x + time.x[i - 1]) / 2 : range[0], b = i + 1 < time.x.length ? (x + time.x[i + 1]) / 2 : range[1]; bands.push({ from: Math.max(a, range[0]), to: Math.min(b, range[1]), cls }); } });
  if (time.isTime) {
    if (table.values.sun_altitude) between((i) => table.values.sun_altitude[i] !== null && table.values.sun_altitude[i] > -18, "twilight");
    if (table.values.moon_altitude) between((i) => table.values.moon_altitude[i] !== null && table.values.moon_altitude[i] > 0, "moon");
  }
  const order = finite(table.values.seeing || []).length ? TIMELINE : ["fwhm", ...TIMELINE];
  const metrics = order.filter((name) => table.values[name] && finite(table.values[name]).length), width = WIDTH(place);
  metrics.forEach((metric, number) => {
    const gate = DATA.metrics[metric].gate, lines = [];
    if (gate && (gate.compare === "above" || gate.compare === "below")) lines.push({ y: gate.look, cls: "gate-look" }, { y: gate.bad, cls: "gate-bad" });
    const spreads = table.spreads ? table.spreads[metric] : null, last = number === metrics.length - 1;
    plot(place, { width, height: last ? 136 : 104, x: time.x, y: table.values[metric], xRange: range, yRange: fullRange([...table.values[metric], ...(spreads || []).filter(Boolean).flat()], lines.map((line) => line.y)), xLabel: last ? time.label : null, xTicks: timeTicks(time, range, width), xCounts: !time.isTime, xName: time.label, yLabel: shortHeading(metric), title: heading(metric), shapes, classes: table.level.map((level, i) => `${level === "good" ? "" : level}${i === STATE.frame ? " chosen" : ""}`), bars: spreads, lines, bands, size: table.n > 150 ? 2.2 : 3.6, labels: table.name.map((name, i) => `${name}: ${show(metric, table.values[metric][i])} ${DATA.metrics[metric].unit}, ${table.level[i]}`), pick: (i) => choose(i) });
  });
  drawUseful(place, time, range);
  drawSkyNoise(place);
  const missing = TIMELINE.filter((name) => !metrics.includes(name) && table.unmeasured[name]);
  if (missing.length) element("p", { class: "note" }, place, "Not drawn: " + missing.map((name) => `${name} (${table.unmeasured[name]})`).join("; ") + ".");
  if (metrics.length) return;
  element("p", {}, place, "No metric was measured in any frame.");
}

// Hours of the day, which begin again at midnight.
function timeTicks(time, range, width) {
  const found = ticks(range[0], range[1], Math.max(3, Math.floor(width / 90)));
  return time.isTime ? { ...found, texts: found.values.map((value) => (((value % 24) + 24) % 24).toFixed(found.digits)) } : null;
}

function shortHeading(metric) { const unit = DATA.metrics[metric].unit; return unit.length > 8 ? unit.replace("mag/arcsec^2", "mag/″²") : unit.replace("^2", "²") || "no unit"; }

// ---- mosaic
function detectorsOf(visit) { return DATA.detectors.visit.map((v, i) => i).filter((i) => DATA.detectors.visit[i] === visit); }

function drawMosaic() {
  const section = document.getElementById("focal"), place = section.querySelector(".chart"), table = DATA.detectors, visit = STATE.frame ?? Math.max(0, DATA.frames.name.findIndex((name) => name in (DATA.compass || {}))), rows = detectorsOf(visit);
  place.replaceChildren();
  const bar = element("div", { class: "controls" }, place), label = element("label", {}, bar, "Metric "), select = element("select", {}, label);
  for (const name of Object.keys(table.values)) if (finite(table.values[name]).length) element("option", { value: name, selected: name === STATE.metric ? "" : null }, select, heading(name));
  select.addEventListener("change", () => { STATE.metric = select.value; drawMosaic(); document.querySelector("#focal select").focus(); });
  const visits = element("select", { "aria-label": "Visit" }, bar);
  DATA.frames.name.forEach((name, i) => element("option", { value: i, selected: i === visit ? "" : null }, visits, `${name} (${DATA.frames.level[i]}${DATA.frames.detectors && DATA.frames.detectors[i] ? `; detectors: ${DATA.frames.detectors[i]}` : ""})`));
  visits.addEventListener("change", () => choose(Number(visits.value)));
  const grid = element("div", { class: "focal" }, place), values = table.values[STATE.metric] || [], all = rows.map((i) => values[i]);
  const filter = DATA.frames.filter[visit], range = robustRange(values.filter((_, i) => DATA.frames.filter[table.visit[i]] === filter));
  focalMap(grid, rows, values, range);
  focalImage(grid, rows, visit);
  strip(grid, rows, values, range);
  heatMap(grid, values, range);
  const expected = DATA.frames.expected ? DATA.frames.expected[visit] : [rows.length, rows.length];
  element("p", { class: "note" }, place, `${DATA.frames.name[visit]}: ${finite(all).length} of ${expected[1]} detectors have ${heading(STATE.metric)}${DATA.frames.detectors && DATA.frames.detectors[visit] ? `; not good: ${DATA.frames.detectors[visit]}` : ""}. The color range is that of all visits in ${filter || "this filter"}; values outside have its ends. Outlined: look (amber), bad (red), failed (violet).`);
  const grids = document.querySelector("#detectors .grid");
  grids.replaceChildren();
  const columns = usable(["level", "name", "reason", "detector_name", "seeing", "star_e", "sky", "zero_point_rate", "depth", "astrom_scatter", "amp_dead", "masked", "n_stars"], table);
  STATE.grids.detectors = new Grid(grids, table, columns, { caption: `Detectors of ${DATA.frames.name[visit]}.`, only: rows.some((i) => table.level[i] !== "good"), base: rows, whole: STATE.frame !== null, pick: (i) => chooseDetector(i), isChosen: (i) => i === STATE.detector });
}

function focalMap(parent, rows, values, range) {
  const figure = element("figure", {}, parent), table = DATA.detectors, shapes = DATA.focal || {}, known = rows.filter((i) => shapes[table.detector_name[i]]);
  if (!known.length) { element("p", { class: "note" }, figure, "No focal plane: the camera package does not know these detectors."); return; }
  const every = Object.values(shapes).flat(), xs = every.map((p) => p[0]), ys = every.map((p) => p[1]), x0 = Math.min(...xs), x1 = Math.max(...xs), y0 = Math.min(...ys), y1 = Math.max(...ys);
  const width = Math.min(WIDTH(figure), 560), size = width - 96, scale = size / Math.max(x1 - x0, y1 - y0), height = (y1 - y0) * scale + 60;
  const chart = element("svg:svg", { class: "plot", width, height, viewBox: `0 0 ${width} ${height}`, role: "img" }, figure);
  const all = finite(rows.map((i) => values[i]));
  chart.setAttribute("aria-label", `Map of ${heading(STATE.metric)} over the focal plane: ${all.length} of ${rows.length} detectors, median ${all.length ? quantile(all, 0.5).toPrecision(4) : "none"}`);
  const seen = new Set(known.map((i) => table.detector_name[i]));
  for (const [name, corners] of Object.entries(shapes)) if (!seen.has(name)) element("svg:title", {}, element("svg:polygon", { points: outline(corners), fill: "none", class: "axis" }, chart), `${name}: not expected`);
  function outline(corners) { return corners.map(([x, y]) => `${10 + (x - x0) * scale},${10 + (y1 - y) * scale}`).join(" "); }
  for (const i of known) {
    const value = values[i], missing = value === null || value === undefined, level = table.level[i];
    const cell = element("svg:polygon", { points: outline(shapes[table.detector_name[i]]), class: `cell ${level === "good" ? "" : level}${i === STATE.detector ? " chosen" : ""}`, fill: missing ? "url(#hatch)" : paint(VIRIDIS, (value - range[0]) / (range[1] - range[0] || 1)) }, chart);
    element("svg:title", {}, cell, `${table.name[i]}: ${show(STATE.metric, value)} ${DATA.metrics[STATE.metric].unit}, ${level}`);
    cell.style.cursor = "pointer";
    cell.addEventListener("click", () => chooseDetector(i));
  }
  const hatch = element("svg:pattern", { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, element("svg:defs", {}, chart));
  element("svg:line", { x1: 0, y1: 0, x2: 0, y2: 6, class: "axis", "stroke-width": 3 }, hatch);
  for (let i = 0; i < 40; i++) element("svg:rect", { x: width - 52, y: 10 + (39 - i) * 4, width: 12, height: 4, fill: paint(VIRIDIS, i / 39) }, chart);
  element("svg:text", { x: width - 38, y: 18 }, chart, range[1].toPrecision(3));
  element("svg:text", { transform: `translate(${width - 58} 90) rotate(-90)`, "text-anchor": "middle" }, chart, heading(STATE.metric));
  element("svg:text", { x: width - 38, y: 170 }, chart, range[0].toPrecision(3));
  element("svg:text", { x: 10, y: height - 22, class: "soft" }, chart, `x (mm), ${x0.toFixed(0)} to ${x1.toFixed(0)}; y up, ${y0.toFixed(0)} to ${y1.toFixed(0)}`);
  element("figcaption", {}, figure, `${heading(STATE.metric)} on the focal plane; hatched: not measured, empty outline: not expected.`);
}

// The pictures of the detectors at their places: each is bent to the corners of its detector.
function focalImage(parent, rows, visit) {
  const table = DATA.detectors, shapes = DATA.focal || {}, known = rows.filter((i) => shapes[table.detector_name[i]] && DATA.pictures[table.name[i]]), figure = element("figure", {}, parent);
  if (!known.length) { element("figcaption", {}, figure, "No image of the focal plane of this visit: the page holds that of the visit with the median seeing, and of detectors that are not good."); return; }
  const every = Object.values(shapes).flat(), xs = every.map((p) => p[0]), ys = every.map((p) => p[1]), x0 = Math.min(...xs), x1 = Math.max(...xs), y0 = Math.min(...ys), y1 = Math.max(...ys);
  const width = Math.min(WIDTH(figure), 560), scale = (width - 96) / Math.max(x1 - x0, y1 - y0), height = (y1 - y0) * scale + 60;
  const chart = element("svg:svg", { class: "plot", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Image of ${known.length} of ${rows.length} detectors of ${DATA.frames.name[visit]} at their places` }, figure);
  const toX = (x) => 10 + (x - x0) * scale, toY = (y) => 10 + (y1 - y) * scale;
  for (const i of known) {
    const [a, b, , d] = shapes[table.detector_name[i]].map(([x, y]) => [toX(x), toY(y)]);
    // the first row of a picture is the top of the detector
    const image = element("svg:image", { href: DATA.pictures[table.name[i]].image, width: 1, height: 1, preserveAspectRatio: "none", transform: `matrix(${b[0] - a[0]} ${b[1] - a[1]} ${a[0] - d[0]} ${a[1] - d[1]} ${d[0]} ${d[1]})` }, chart);
    element("svg:title", {}, image, table.name[i]);
    image.style.cursor = "pointer";
    image.addEventListener("click", () => chooseDetector(i));
  }
  const compass = (DATA.compass || {})[DATA.frames.name[visit]];
  if (compass) ["N", "E"].forEach((name, k) => { const [dx, dy] = compass[k], cx = width - 32, cy = height - 44; element("svg:line", { x1: cx, y1: cy, x2: cx + 18 * dx, y2: cy - 18 * dy, class: "model" }, chart); element("svg:text", { x: cx + 26 * dx, y: cy - 26 * dy + 4, "text-anchor": "middle" }, chart, name); });
  element("svg:text", { x: 10, y: height - 22, class: "soft" }, chart, `x (mm), ${x0.toFixed(0)} to ${x1.toFixed(0)}; y up, ${y0.toFixed(0)} to ${y1.toFixed(0)}`);
  element("figcaption", {}, figure, `calexp of ${known.length} of ${rows.length} detectors of ${DATA.frames.name[visit]}, each stretched by itself.`);
}

function strip(parent, rows, values, range) {
  const figure = element("figure", {}, parent), table = DATA.detectors, order = rows.filter((i) => values[i] !== null && values[i] !== undefined).sort((a, b) => values[a] - values[b]);
  const made = plot(figure, { width: Math.min(WIDTH(figure), 560), height: 260, x: order.map((_, k) => k + 1), y: order.map((i) => values[i]), xRange: [0, order.length + 1], xLabel: "detectors, sorted", yLabel: heading(STATE.metric), classes: order.map((i) => (table.level[i] === "good" ? "" : table.level[i])), labels: order.map((i) => `${table.name[i]}: ${show(STATE.metric, values[i])}`), pick: (k) => chooseDetector(order[k]) });
  const low = quantile(order.map((i) => values[i]), 0.25), high = quantile(order.map((i) => values[i]), 0.75), reach = 2.5 * (high - low);
  let named = 0;
  order.forEach((i, k) => { if (values[i] < low - reach || values[i] > high + reach) { named += 1; const right = k > order.length / 2; element("svg:text", { x: made.toX(k + 1) + (right ? -6 : 6), y: Math.max(20, Math.min(made.toY(values[i]), 220)) + 3, "text-anchor": right ? "end" : "start" }, made.figure, table.detector_name[i] || table.name[i]); } });
  element("figcaption", {}, figure, `${heading(STATE.metric)} of the ${order.length} detectors that have it${named ? "; outliers are named" : ", none an outlier"}.`);
}

// ---- choice
function choose(i, scroll = false) {
  STATE.frame = i;
  STATE.detector = DATA.mosaic ? STATE.detector : null;
  if (DATA.mosaic && STATE.detector !== null && DATA.detectors.visit[STATE.detector] !== i) STATE.detector = null;
  remember();
  markRows();
  if (DATA.mosaic) drawMosaic();
  drawPanel();
  if (scroll) document.getElementById("panel").scrollIntoView({ behavior: "smooth" });
}

function chooseDetector(i) { STATE.detector = i; choose(DATA.detectors.visit[i]); }

function chooseName(name, scroll) {
  let i = DATA.frames.name.indexOf(name);
  if (i >= 0) return choose(i, scroll);
  i = DATA.mosaic ? DATA.detectors.name.indexOf(name) : -1;
  if (i >= 0) { chooseDetector(i); if (scroll) document.getElementById("panel").scrollIntoView({ behavior: "smooth" }); }
  return null;
}

function markRows() {
  document.querySelectorAll("#frames tr[data-i]").forEach((row) => row.setAttribute("aria-selected", Number(row.dataset.i) === STATE.frame ? "true" : "false"));
}

function current() { return DATA.mosaic && STATE.detector !== null ? [DATA.detectors, STATE.detector] : [DATA.frames, STATE.frame]; }

function remember() {
  const [table, i] = current(), words = table.name[i].split(" ").map((word) => word.split("=").map(encodeURIComponent).join("=")).join("&");
  history.replaceState(null, "", `#${words}`);
}

function fromAddress() {
  const text = location.hash.slice(1).split("&").map((word) => word.split("=").map(decodeURIComponent).join("=")).join(" ");
  if (!text.includes("=")) return;
  drawWaiting(); // the page must have its height before it is scrolled
  chooseName(text, true);
}

function keys(event) {
  if (event.target.matches("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
  const grid = STATE.grids.frames, rows = grid ? grid.shown : [], at = rows.indexOf(STATE.frame);
  const step = { j: 1, ArrowRight: 1, k: -1, ArrowLeft: -1 }[event.key];
  if (step && rows.length) choose(rows[Math.min(Math.max(at + step, 0), rows.length - 1)]);
  else if (event.key === "n") { const next = [...rows.slice(at + 1), ...rows].find((i) => DATA.frames.level[i] !== "good"); if (next !== undefined) choose(next, true); }
  else if (event.key === "m") { STATE.mask = !STATE.mask; if (STATE.frame !== null) drawPanel(); }
  else if (event.key === "s") { STATE.hard = !STATE.hard; if (STATE.frame !== null) drawPanel(); }
  else if ("glb".includes(event.key) && STATE.frame !== null) note({ g: "good", l: "look", b: "bad" }[event.key]);
  else if (event.key === "Escape") { document.getElementById("panel").hidden = true; STATE.frame = STATE.detector = null; history.replaceState(null, "", location.pathname + location.search); markRows(); }
  else return;
  event.preventDefault();
}

function note(level) { const [table, i] = current(); STATE.notes[table.name[i]] = { ...(STATE.notes[table.name[i]] || {}), level }; drawPanel(); }

start();
