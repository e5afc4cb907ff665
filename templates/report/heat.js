// Heat maps: one row a detector or an amplifier, one column a visit. A column that stands out is the weather or the
// electronics of all, a row is the hardware.
const DIVERGING = rgb(["#0b3c7a", "#3f7fc1", "#a9c9e8", "#f2f2f0", "#f5c08a", "#d97a1f", "#7f3b08"]);
const MISSING = [154, 163, 173, 255];

// options: rows (names), columns (names), value(row, column), range, colors, quantity, rowLabel, summary, pick(row, column)
function heatPlot(parent, options) {
  const figure = element("figure", {}, parent), { rows, columns, range } = options, left = 112, right = 74, top = 8, bottom = 36;
  const width = Math.min(WIDTH(figure), 600), wide = width - left - right, step = Math.max(1, Math.min(18, Math.floor(320 / rows.length))), tall = step * rows.length, height = Math.max(tall, 70) + top + bottom;
  const canvas = document.createElement("canvas"), context = canvas.getContext("2d");
  [canvas.width, canvas.height] = [columns.length, rows.length];
  const pixels = context.createImageData(columns.length, rows.length), span = range[1] - range[0] || 1;
  rows.forEach((_, r) => columns.forEach((__, c) => {
    const value = options.value(r, c);
    pixels.data.set(value === null || value === undefined ? MISSING : [...shade(options.colors, (value - range[0]) / span), 255], 4 * (r * columns.length + c));
  }));
  context.putImageData(pixels, 0, 0);
  const chart = element("svg:svg", { class: "plot", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${options.quantity} of ${rows.length} ${options.rowLabel}s in ${columns.length} visits. ${options.summary}` }, figure);
  const image = element("svg:image", { href: canvas.toDataURL(), x: left, y: top, width: wide, height: tall, preserveAspectRatio: "none", class: "cells" }, chart), title = element("svg:title", {}, image);
  element("svg:rect", { x: left, y: top, width: wide, height: tall, class: "axis" }, chart);
  const every = Math.max(1, Math.ceil(13 / step));
  rows.forEach((name, r) => { if (r % every === 0) element("svg:text", { x: left - 5, y: top + (r + 0.5) * step + 4, "text-anchor": "end", class: "soft" }, chart, name.length > 14 ? `${name.slice(0, 13)}…` : name); });
  const marks = ticks(1, columns.length, Math.max(2, Math.min(columns.length - 1, Math.floor(wide / 70))));
  for (const value of marks.values) if (value === Math.round(value)) element("svg:text", { x: left + ((value - 0.5) / columns.length) * wide, y: top + tall + 14, "text-anchor": "middle", class: "soft" }, chart, value);
  element("svg:text", { x: left + wide / 2, y: top + tall + 30, "text-anchor": "middle" }, chart, "visit, in order of time");
  const bar = Math.max(Math.min(tall, 160), 60), cells = 40;
  for (let i = 0; i < cells; i++) element("svg:rect", { x: width - right + 12, y: top + ((cells - 1 - i) * bar) / cells, width: 12, height: bar / cells + 0.5, fill: paint(options.colors, (i + 0.5) / cells) }, chart);
  element("svg:text", { x: width - right + 28, y: top + 9 }, chart, options.text(range[1]));
  element("svg:text", { x: width - right + 28, y: top + bar - 1 }, chart, options.text(range[0]));
  const place = (event) => { const box = image.getBoundingClientRect(); return [Math.floor(((event.clientY - box.top) / box.height) * rows.length), Math.floor(((event.clientX - box.left) / box.width) * columns.length)]; };
  image.addEventListener("mousemove", (event) => { const [r, c] = place(event), value = options.value(r, c); title.textContent = `${rows[r]}, ${columns[c]}: ${value === null || value === undefined ? "not measured" : options.text(value)}`; });
  image.style.cursor = "pointer";
  image.addEventListener("click", (event) => options.pick(...place(event)));
  element("figcaption", {}, figure, `${options.quantity}: each row one ${options.rowLabel}, each column one visit; gray: not measured. ${options.summary}`);
}

function heatMap(parent, values, range) {
  const table = DATA.detectors, names = [...new Set(table.detector_name)].sort((a, b) => a.localeCompare(b, undefined, { numeric: true })), place = new Map(names.map((name, k) => [name, k])), cells = names.map(() => Array(DATA.frames.n).fill(null));
  for (let i = 0; i < table.n; i++) if (table.visit[i] >= 0) cells[place.get(table.detector_name[i])][table.visit[i]] = i;
  const value = (r, c) => (cells[r] && cells[r][c] !== null && cells[r][c] !== undefined ? values[cells[r][c]] : null);
  const pick = (r, c) => { if (cells[r] && cells[r][c] !== null && cells[r][c] !== undefined) chooseDetector(cells[r][c]); };
  heatPlot(parent, { rows: names, columns: DATA.frames.name, value, range, colors: VIRIDIS, quantity: heading(STATE.metric), rowLabel: "detector", summary: "A column that stands out is the weather, a row is the detector.", text: (number) => number.toPrecision(3), pick });
}

// Overscan level and read noise of each amplifier in each visit, as differences from its own median.
const AMPLIFIER_MAPS = [["noise", "Read noise minus the amplifier's median (% of it)", 10], ["level", "Overscan level minus the amplifier's median (adu)", 2]];
function drawAmplifierMap() {
  const place = document.querySelector("#amplifiers .chart"), map = DATA.amplifier_map;
  place.replaceChildren();
  if (map.reason) { element("p", {}, place, `Amplifiers are not compared: ${map.reason}.`); return; }
  const grid = element("div", { class: "focal" }, place), detectors = new Set(map.names.map(([detector]) => detector)), columns = DATA.frames.name.slice(map.first);
  const rows = map.names.map(([detector, name]) => (detectors.size > 1 ? `${detector} ${name}` : name));
  for (const [key, quantity, least] of AMPLIFIER_MAPS) {
    const known = finite(map[key].flat()).map(Math.abs), limit = Math.max(quantile(known, 0.995) || 0, least);
    if (!known.length) { element("p", { class: "note" }, grid, `${quantity}: not measured in any visit.`); continue; }
    const shown = map.total > rows.length ? `The ${rows.length} of ${map.total} amplifiers that change most. ` : "";
    heatPlot(grid, { rows, columns, value: (r, c) => (map[key][r] ? map[key][r][c] : null), range: [-limit, limit], colors: DIVERGING, quantity, rowLabel: "amplifier", summary: `${shown}A row that changes is an amplifier, a column is the electronics of all.`, text: (number) => `${number > 0 ? "+" : ""}${Math.abs(number) >= 99.5 ? number.toFixed(0) : number.toPrecision(2)}`, pick: (r, c) => pickAmplifier(map.names[r][0], c + map.first) });
  }
}

function pickAmplifier(detector, visit) {
  if (!DATA.mosaic) { choose(visit, true); return; }
  const found = detectorsOf(visit).find((i) => DATA.detectors.detector_name[i] === detector);
  if (found !== undefined) chooseDetector(found);
}
