"use strict";
// Plots as SVG, so that print, dark mode and screen readers have them as well. All text goes in by textContent.
const SVG = "http://www.w3.org/2000/svg";

function element(tag, attributes = {}, parent = null, text = null) {
  const made = tag.startsWith("svg:") ? document.createElementNS(SVG, tag.slice(4)) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null && value !== false) made.setAttribute(name, value);
  if (text !== null) made.textContent = text;
  if (parent) parent.appendChild(made);
  return made;
}

// What is below the first screen is drawn when that screen is there, one piece a task, so that the page answers meanwhile.
const WAITING = [];
function later(draw) {
  WAITING.push(draw);
  delete document.documentElement.dataset.drawn;
  if (WAITING.length === 1) (document.hidden ? setTimeout : requestAnimationFrame)(() => setTimeout(drawNext));
}

function drawNext() {
  if (WAITING.length) WAITING.shift()();
  if (WAITING.length) setTimeout(drawNext);
  else document.documentElement.dataset.drawn = "all";
}

function drawWaiting() { while (WAITING.length) WAITING.shift()(); }

function show(metric, value) {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value);
  const facts = DATA.metrics[metric];
  return value.toFixed(facts ? facts.digits : 2).replace(/^-(0\.?0*)$/, "$1");
}

const heading = (metric) => { const m = DATA.metrics[metric]; return m ? (m.unit ? `${m.label} (${m.unit.replace("^2", "²")})` : m.label) : metric; };
const finite = (values) => values.filter((value) => value !== null && value !== undefined && Number.isFinite(value));
const sorted = (values) => [...values].sort((a, b) => a - b);
function quantile(values, part) {
  const all = sorted(values);
  if (!all.length) return NaN;
  const place = (all.length - 1) * part, low = Math.floor(place);
  return all[low] + (all[Math.min(low + 1, all.length - 1)] - all[low]) * (place - low);
}

// Range that holds the bulk of the values; what is outside is counted, and drawn at the edge.
function robustRange(values, include = []) {
  const known = finite(values);
  if (!known.length) return [0, 1];
  let low = quantile(known, 0.01), high = quantile(known, 0.99);
  const middle = quantile(known, 0.5), span = Math.max(high - low, Math.abs(middle) * 1e-3, 1e-9);
  low -= 0.08 * span; high += 0.08 * span;
  for (const value of include) if (value > low - span && value < high + span) { low = Math.min(low, value); high = Math.max(high, value); }
  return [low, high];
}

// Range that holds every value, for plots in which each point is a frame, and limits that are near.
function fullRange(values, include = []) {
  const known = finite(values);
  let low = Math.min(...known), high = Math.max(...known);
  // values that are all the same get a range of their size
  const span = high - low > Math.abs(high) * 1e-6 ? high - low : Math.abs(high) || 1;
  for (const value of include) if (value > low - span && value < high + span) { low = Math.min(low, value); high = Math.max(high, value); }
  return high - low > 0 && high - low >= 0.5 * span ? [low - 0.08 * span, high + 0.08 * span] : [low - 0.5 * span, high + 0.5 * span];
}

function ticks(low, high, count = 4, least = 0) {
  const step0 = Math.max((high - low) / count, least), power = 10 ** Math.floor(Math.log10(step0));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((value) => value >= step0) || 10 * power;
  const found = [];
  for (let value = Math.ceil(low / step - 1e-9) * step; value <= high + 1e-9 * step; value += step) found.push(value);
  if (found.length < 2 && count < 64) return ticks(low, high, 2 * count, least);
  return { values: found, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}

const SHAPES = ["circle", "square", "diamond", "triangle"];
function mark(parent, shape, x, y, size, cls) {
  if (shape === "circle") return element("svg:circle", { cx: x, cy: y, r: size, class: cls }, parent);
  const points = shape === "square" ? [[-1, -1], [1, -1], [1, 1], [-1, 1]] : shape === "diamond" ? [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]] : [[0, -1.3], [1.2, 1], [-1.2, 1]];
  return element("svg:polygon", { points: points.map(([a, b]) => `${x + a * size},${y + b * size}`).join(" "), class: cls }, parent);
}

// The verdict as a shape, beside the color: a ring for look, a cross for bad and failed.
function markLevel(parent, cls, x, y, size) {
  const level = cls.split(" ")[0], reach = 1.8 * size;
  if (level === "look") element("svg:circle", { cx: x, cy: y, r: reach, class: "level look" }, parent);
  if (level === "bad" || level === "failed") element("svg:path", { d: `M${x - reach} ${y - reach}L${x + reach} ${y + reach}M${x - reach} ${y + reach}L${x + reach} ${y - reach}`, class: `level ${level}` }, parent);
}

// One plot with axes. options: width, height, x, y (arrays), xRange, yRange, xLabel, yLabel, classes, shapes, lines, bands, bars, labels, pick, xTicks, xCounts (whole numbers)
function plot(parent, options) {
  const width = options.width, height = options.height, left = 70, right = 10, top = options.title ? 20 : 8, bottom = options.xLabel === null ? 8 : 36;
  const known = options.x.map((value, i) => i).filter((i) => Number.isFinite(options.x[i]) && options.x[i] !== null && options.y[i] !== null && Number.isFinite(options.y[i]));
  const figure = element("svg:svg", { class: "plot", width, height, viewBox: `0 0 ${width} ${height}`, role: "img" }, parent);
  const xs = known.map((i) => options.x[i]), ys = known.map((i) => options.y[i]);
  const [x0, x1] = options.xRange || robustRange(xs), [y0, y1] = options.yRange || robustRange(ys, (options.lines || []).map((line) => line.y));
  const toX = (value) => left + ((value - x0) / (x1 - x0 || 1)) * (width - left - right), toY = (value) => height - bottom - ((value - y0) / (y1 - y0 || 1)) * (height - top - bottom);
  if (options.title) element("svg:text", { x: left, y: 13 }, figure, options.title);
  for (const band of options.bands || []) {
    const from = Math.max(left, toX(band.from)), to = Math.min(width - right, toX(band.to));
    if (to > from) element("svg:rect", { x: from, y: top, width: to - from, height: height - top - bottom, class: band.cls }, figure);
  }
  element("svg:rect", { x: left, y: top, width: width - left - right, height: height - top - bottom, class: "axis" }, figure);
  const yt = ticks(y0, y1, height > 150 ? 5 : 3);
  for (const value of yt.values) {
    element("svg:line", { x1: left - 4, x2: left, y1: toY(value), y2: toY(value), class: "axis" }, figure);
    element("svg:text", { x: left - 6, y: toY(value) + 4, "text-anchor": "end", class: "soft" }, figure, value.toFixed(yt.digits));
  }
  if (options.xLabel !== null) {
    const xt = options.xTicks || ticks(x0, x1, Math.max(3, Math.floor(width / 90)), options.xCounts ? 1 : 0);
    xt.values.forEach((value, i) => element("svg:text", { x: Math.min(toX(value), width - 14), y: height - bottom + 14, "text-anchor": "middle", class: "soft" }, figure, xt.texts ? xt.texts[i] : value.toFixed(xt.digits)));
    element("svg:text", { x: (left + width - right) / 2, y: height - 5, "text-anchor": "middle" }, figure, options.xLabel);
  }
  element("svg:text", { transform: `translate(11 ${(top + height - bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, figure, options.yLabel);
  for (const line of options.lines || []) if (line.y >= y0 && line.y <= y1) element("svg:line", { x1: left, x2: width - right, y1: toY(line.y), y2: toY(line.y), class: line.cls }, figure);
  let outside = 0;
  const clampY = (value) => Math.min(Math.max(toY(value), top), height - bottom), clampX = (value) => Math.min(Math.max(toX(value), left), width - right);
  for (const i of known) {
    const [x, y] = [options.x[i], options.y[i]];
    if (x < x0 || x > x1 || y < y0 || y > y1) outside += 1;
    if (options.bars && options.bars[i]) element("svg:line", { x1: clampX(x), x2: clampX(x), y1: clampY(options.bars[i][0]), y2: clampY(options.bars[i][1]), class: "bar" }, figure);
    const made = mark(figure, options.shapes ? options.shapes[i] : "circle", clampX(x), clampY(y), options.size || 3, `mark ${options.classes ? options.classes[i] : ""}`);
    markLevel(figure, options.classes ? options.classes[i] : "", clampX(x), clampY(y), options.size || 3);
    if (options.labels) element("svg:title", {}, made, options.labels[i]);
    if (options.pick) { made.style.cursor = "pointer"; made.addEventListener("click", () => options.pick(i)); }
  }
  for (const curve of options.curves || []) element("svg:polyline", { points: curve.x.map((value, i) => `${clampX(value)},${clampY(curve.y[i])}`).join(" "), class: curve.cls }, figure);
  if (!known.length && !(options.curves || []).length) element("svg:text", { x: (left + width) / 2, y: (top + height - bottom) / 2, "text-anchor": "middle", class: "soft" }, figure, `no data: ${options.reason || "not measured"}`);
  const summary = known.length ? `median ${quantile(ys, 0.5).toPrecision(4)}, ${quantile(ys, 0).toPrecision(4)} to ${quantile(ys, 1).toPrecision(4)}` : `no data: ${options.reason || "not measured"}`;
  const count = `${known.length} of ${options.x.length}` + (outside ? `, ${outside} outside the plot drawn at its edge` : "");
  figure.setAttribute("aria-label", `${options.yLabel} against ${options.xLabel || options.xName || "time"}: ${count}; ${summary}`);
  return { figure, count, toX, toY, x0, x1 };
}

// Counts in bins, with a normal distribution of the same median and MAD. options: width, height, xLabel, yLabel, bins
function histogram(parent, values, options) {
  const known = finite(values), middle = quantile(known, 0.5), sigma = 1.4826 * quantile(known.map((value) => Math.abs(value - middle)), 0.5), reach = known.length ? 5 * sigma || Math.max(...known.map((value) => Math.abs(value - middle))) || 1 : 1;
  const bins = options.bins || 25, low = (known.length ? middle : 0) - reach, step = (2 * reach) / bins, counts = Array(bins).fill(0);
  for (const value of known) { const bin = Math.floor((value - low) / step); if (bin >= 0 && bin < bins) counts[bin] += 1; }
  const below = known.filter((value) => value < low).length, above = known.filter((value) => value >= low + 2 * reach).length, normal = (x) => (known.length * step * Math.exp(-0.5 * ((x - middle) / sigma) ** 2)) / (sigma * Math.sqrt(2 * Math.PI)), xs = [...Array(81).keys()].map((k) => low + (k / 80) * 2 * reach);
  const top = 1.1 * Math.max(1, ...counts, sigma > 0 ? normal(middle) : 0);
  const made = plot(parent, { ...options, x: [], y: [], xRange: [low, low + 2 * reach], yRange: [0, top], curves: sigma > 0 ? [{ x: xs, y: xs.map(normal), cls: "model" }] : [] });
  counts.forEach((count, k) => { if (count) element("svg:title", {}, element("svg:rect", { x: made.toX(low + k * step), width: Math.max(made.toX(low + step) - made.toX(low) - 0.5, 0.5), y: made.toY(count), height: made.toY(0) - made.toY(count), class: "count" }, made.figure), `${count} from ${(low + k * step).toPrecision(3)} to ${(low + (k + 1) * step).toPrecision(3)}`); });
  const text = known.length ? `median ${middle.toFixed(1)}, robust standard deviation ${sigma.toFixed(1)}, n = ${known.length}, ${below} below and ${above} above the plot` : `no data: ${options.reason || "not measured"}`;
  made.figure.setAttribute("aria-label", `${options.yLabel} against ${options.xLabel}: ${text}`);
  return text;
}

// Viridis, nine steps: dark is low, light is high, readable for all kinds of color vision.
const VIRIDIS = rgb(["#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725"]);
function rgb(colors) { return colors.map((hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16))); }

// Red, green and blue of a part from 0 to 1 of a color scale.
function shade(scale, part) {
  const place = Math.min(Math.max(part, 0), 1) * (scale.length - 1), low = Math.min(Math.floor(place), scale.length - 2);
  return scale[low].map((value, i) => Math.round(value + (scale[low + 1][i] - value) * (place - low)));
}
const paint = (scale, part) => `rgb(${shade(scale, part).join(",")})`;
