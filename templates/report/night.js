// Plots of the whole night: what the time was worth, and noise against sky.
const LOSSES = [["speed_transparency", "transparency"], ["speed_sky", "sky"], ["speed_seeing", "seeing"]];

// Bars up to 100 %: what each exposure was worth, and above it what seeing, sky and transparency took.
function drawUseful(place, time, range) {
  const table = DATA.frames, known = (table.values.effective || []).map((value, i) => i).filter((i) => table.values.effective[i] !== null && time.x[i] !== null && LOSSES.some(([name]) => (table.values[name] || [])[i] != null));
  if (!known.length) { element("p", { class: "note" }, place, "Useful time is not drawn: no frame has depth, seeing or sky that others can be compared with."); return; }
  const figure = element("figure", {}, place), width = WIDTH(place), height = 190, top = 22, bottom = 36, left = 70, right = 10, tall = height - top - bottom;
  const chart = element("svg:svg", { class: "plot", width, height, viewBox: `0 0 ${width} ${height}`, role: "img" }, figure);
  const toX = (value) => left + ((value - range[0]) / (range[1] - range[0])) * (width - left - right), toY = (part) => top + tall * (1 - part / 100);
  element("svg:text", { x: left, y: 13 }, chart, "useful time (%)");
  element("svg:rect", { x: left, y: top, width: width - left - right, height: tall, class: "axis" }, chart);
  for (const value of [0, 50, 100]) element("svg:text", { x: left - 6, y: toY(value) + 4, "text-anchor": "end", class: "soft" }, chart, value);
  element("svg:text", { transform: `translate(11 ${top + tall / 2}) rotate(-90)`, "text-anchor": "middle" }, chart, "%");
  const marks = time.isTime ? timeTicks(time, range, width) : ticks(range[0], range[1], 6, 1);
  marks.values.forEach((value, i) => element("svg:text", { x: toX(value), y: height - bottom + 14, "text-anchor": "middle", class: "soft" }, chart, marks.texts ? marks.texts[i] : value.toFixed(marks.digits)));
  element("svg:text", { x: (left + width - right) / 2, y: height - 5, "text-anchor": "middle" }, chart, time.label);
  const gaps = known.slice(1).map((i, k) => toX(time.x[i]) - toX(time.x[known[k]])).filter((gap) => gap > 0), bar = Math.max(1.5, Math.min(gaps.length ? quantile(gaps, 0.2) * 0.8 : 24, 24)), lost = {};
  for (const i of known) {
    const worth = Math.min(Math.max(table.values.effective[i], 0), 100), logs = LOSSES.map(([name]) => -Math.log(Math.min(Math.max(((table.values[name] || [])[i] ?? 100) / 100, 1e-3), 1))), sum = logs.reduce((a, b) => a + b, 0) || 1;
    const x = toX(time.x[i]) - bar / 2;
    let low = worth;
    const draw = (part, cls, text) => { if (part > 0) element("svg:title", {}, element("svg:rect", { x, width: bar, y: toY(Math.min(low + part, 100)), height: Math.max(toY(low) - toY(Math.min(low + part, 100)), 0), class: cls }, chart), `${table.name[i]}: ${text}`); low += part; };
    low = 0;
    draw(worth, "worth", `worth ${worth.toFixed(0)} %`);
    LOSSES.forEach(([, label], k) => { const part = ((100 - worth) * logs[k]) / sum; lost[label] = (lost[label] || 0) + part; draw(part, `loss-${label}`, `${part.toFixed(0)} % lost to ${label}`); });
  }
  const mean = (value) => (value / known.length).toFixed(0), worth = known.reduce((total, i) => total + Math.min(Math.max(table.values.effective[i], 0), 100), 0);
  const text = `Against the speed of the best frames: on average worth ${mean(worth)} %; lost to ${LOSSES.map(([, label]) => `${label} ${mean(lost[label] || 0)} %`).join(", ")}. n = ${known.length} of ${table.n}.`;
  chart.setAttribute("aria-label", `useful time (%) against ${time.label}. ${text}`);
  const caption = element("figcaption", {}, figure), legend = (cls, label) => { element("span", { class: `swatch ${cls}` }, caption); caption.append(` ${label}  `); };
  legend("worth", "useful"); LOSSES.forEach(([, label]) => legend(`loss-${label}`, label));
  caption.append(`\u00b7 ${text}`);
}

// One point a frame: variance against level of the sky. Gain and read noise are slope and offset.
function drawSkyNoise(place) {
  const table = DATA.frames, sky = table.values.sky_level || [], noise = table.values.sky_noise || [], known = sky.map((_, i) => i).filter((i) => sky[i] !== null && noise[i] != null);
  const figure = element("figure", {}, place);
  if (!known.length) { element("figcaption", {}, figure, "Noise against sky is not drawn: no frame has both, beside sources and by amplifier."); return; }
  const gains = finite(table.gain || []), gain = gains.length ? quantile(gains, 0.5) : null, reads = [finite(table.values.read_noise || []), finite(table.read_noise || [])].find((list) => list.length), read = reads ? quantile(reads, 0.5) : null;
  // each with its own gain: filters may be read by different detectors
  const unit = gain ? "electron" : "adu", scale = (i) => (table.gain || [])[i] || gain || 1, x = table.name.map((_, i) => (sky[i] == null ? null : sky[i] * scale(i))), y = table.name.map((_, i) => (noise[i] == null ? null : (noise[i] * scale(i)) ** 2));
  const range = gain ? [Math.min(...gains), Math.max(...gains)].map((value) => value.toPrecision(3)) : [];
  // one frame of twilight must not push all others into a corner, and those under the Moon are to be seen
  const high = Math.min(Math.max(...finite(x)), 3 * quantile(finite(x), 0.9)) * 1.05, top = Math.min(Math.max(...finite(y)), 3 * quantile(finite(y), 0.9)), floor = read && Number.isFinite(read) ? read ** 2 : 0;
  const made = plot(figure, { width: Math.min(WIDTH(place), 560), height: 260, x, y, xRange: [0, high], yRange: [0, Math.max(top * 1.08, gain ? high * 1.02 : 0)], xLabel: `sky (${unit}/pixel)`, yLabel: `variance (${unit}²)`, classes: table.level.map((level) => (level === "good" ? "" : level)), labels: table.name, curves: gain ? [{ x: [0, high], y: [floor, floor + high], cls: "model" }] : [], pick: (i) => choose(i) });
  element("figcaption", {}, figure, `Variance beside sources against the sky. n = ${made.count}.${gain ? ` Line: photon noise with the gain of ${[...new Set(range)].join(" to ")} electron/adu, ${read === null ? "without the read noise, which is not known" : `and a read noise of ${read.toPrecision(3)} electron`}. Above it: noise of few calibration frames, structure, or a wrong gain; a steeper slope: the gain is too large.` : " No gain is known, so no line."}`);
}
