// The panel of the chosen frame, and the sliders of the gates.
const PANEL_METRICS = ["seeing", "fwhm", "seeing_zenith", "psf_gradient", "star_e", "star_angle", "sky", "sky_level", "sky_gradient", "moon_separation", "moon_altitude", "moon_phase", "airmass", "transparency", "zero_point", "zero_point_rate", "zp_scatter", "zp_n_stars", "depth", "depth_predicted", "effective", "astrom_scatter", "pointing_error", "astrom_matched", "n_sources", "n_stars", "stars_expected", "saturated", "masked", "noise_ratio", "psf_size_residual", "psf_minus_aperture", "n_psf_stars", "overscan_level", "read_noise", "amp_step", "seconds", "peak_memory"];

function drawPanel() {
  const panel = document.getElementById("panel"), [table, i] = current(), name = table.name[i];
  panel.hidden = false;
  panel.replaceChildren();
  const title = element("h2", {}, panel, name + " ");
  element("span", { class: `verdict ${table.level[i]}` }, title, table.level[i]);
  const reasons = table.reasons[i];
  if (reasons.length) { const list = element("ul", {}, panel); for (const [, level, text, remedy] of reasons) { const item = element("li", {}, list); element("span", { class: `verdict ${level}` }, item, level); item.append(` ${text}. `); element("em", {}, item, remedy ? `${remedy}.` : ""); } }
  else element("p", {}, panel, "All gates that could be applied are passed.");
  const plots = element("div", { class: "plots" }, panel);
  drawPicture(plots, name);
  drawStars(plots, name);
  drawNumbers(panel, table, i);
  drawAmplifiers(panel, table, i);
  if (table.warnings && table.warnings[i].length) { element("h3", {}, panel, "Warnings"); const list = element("ul", {}, panel); table.warnings[i].forEach((line) => element("li", {}, list, line)); }
  if (table.without && Object.keys(table.without[i]).length) { const more = element("details", {}, panel); element("summary", {}, more, `${Object.keys(table.without[i]).length} gates were not applied`); const list = element("ul", {}, more); for (const [metric, reason] of Object.entries(table.without[i])) element("li", {}, list, `${metric}: ${reason}`); }
  element("h3", {}, panel, "Commands");
  for (const line of DATA.commands) element("code", { class: "command" }, panel, line + quoted(name));
  const mine = STATE.notes[name] || {}, bar = element("div", { class: "controls" }, panel);
  element("span", {}, bar, "Your verdict:");
  for (const level of ["good", "look", "bad"]) { const button = element("button", { type: "button", "aria-pressed": mine.level === level ? "true" : "false" }, bar, level); button.addEventListener("click", () => note(level)); }
  if (mine.level) element("span", { class: `verdict ${mine.level}` }, bar, mine.level);
  if (Object.keys(STATE.notes).length) { const button = element("button", { type: "button" }, bar, "Save your verdicts (JSON)"); button.addEventListener("click", () => save("verdicts.json", JSON.stringify(STATE.notes, null, 1))); }
}

// Data IDs as a shell takes them.
const quoted = (name) => name.split(" ").map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`)).join(" ");

function drawPicture(parent, name) {
  const picture = DATA.pictures[name], figure = element("figure", {}, parent);
  if (!picture) { element("figcaption", {}, figure, "No picture here: pages hold those of frames that are not good, and of the median one. "); element("code", { class: "command" }, figure, DATA.commands[0] + quoted(name)); return; }
  const box = element("div", { class: "picture" }, figure);
  element("img", { src: picture.image, alt: `image of ${name}, background subtracted, ${picture.text}` }, box);
  if (picture.mask && STATE.mask) element("img", { src: picture.mask, class: "mask", alt: "" }, box);
  element("figcaption", {}, figure, `calexp, ${picture.text}. Mask ${STATE.mask ? "on" : "off"} (m): red BAD, magenta CR, green SAT, yellow EDGE.`);
}

function drawStars(parent, name) {
  const stars = DATA.stars[name];
  if (!stars) return;
  const panelPlot = (options, caption) => { const figure = element("figure", {}, parent), made = plot(figure, { width: Math.min(WIDTH(figure), 420), height: 240, size: 2, ...options }); element("figcaption", {}, figure, `${caption} n = ${made.count}.`); return made; };
  const classes = stars.psf.map((used) => (used ? "" : "open"));
  panelPlot({ x: stars.mag, y: stars.fwhm, xLabel: stars.calibrated ? "PSF magnitude (mag)" : "PSF magnitude, instrumental (mag)", yLabel: "FWHM by moments (pixel)", classes }, "Size against magnitude; filled: stars of the PSF.");
  whiskers(parent, stars);
  panelPlot({ x: stars.mag, y: stars.dsize, xLabel: "PSF magnitude (mag)", yLabel: "size, star / model - 1", classes, lines: [{ y: 0, cls: "axis" }], reason: "no PSF star" }, "Residual size of stars against the PSF model.");
  if (stars.profile) {
    const p = stars.profile;
    panelPlot({ x: p.radius, y: p.star, xLabel: "radius (pixel)", yLabel: "brightness / center", curves: [{ x: p.radius, y: p.model, cls: "model" }], yRange: [-0.05, 1.08], xRange: [0, p.radius[p.radius.length - 1]] }, `Radial profile of ${p.n} bright stars; line: PSF model.`);
    panelPlot({ x: p.radius, y: p.growth, xLabel: "radius (pixel)", yLabel: "enclosed flux / total", curves: [{ x: p.radius, y: p.model_growth, cls: "model" }], yRange: [0, 1.1], xRange: [0, p.radius[p.radius.length - 1]] }, "Curve of growth; line: PSF model.");
  }
  const reference = stars.reference;
  if (!reference) { element("p", { class: "note" }, parent, `No zero-point and astrometric residuals: ${stars.reason || "no matches with a reference catalog"}.`); return; }
  panelPlot({ x: reference.mag, y: reference.dmag, xLabel: "reference magnitude (mag)", yLabel: "zero-point residual (mag)", lines: [{ y: 0, cls: "axis" }] }, "Zero-point residuals of matched stars.");
  panelPlot({ x: reference.x, y: reference.dmag, xLabel: "x (pixel)", yLabel: "zero-point residual (mag)", lines: [{ y: 0, cls: "axis" }] }, "The same along x: flat errors, cloud that moves.");
  quiver(parent, stars, reference);
  panelPlot({ x: reference.dra, y: reference.ddec, xLabel: "RA, measured - reference (mas)", yLabel: "Dec, measured - reference (mas)", lines: [{ y: 0, cls: "axis" }] }, `Astrometric residuals; median ${quantile(finite(reference.dra), 0.5).toFixed(0)} and ${quantile(finite(reference.ddec), 0.5).toFixed(0)} mas.`);
}

function frameChart(parent, stars, label) {
  const figure = element("figure", {}, parent), width = Math.min(WIDTH(figure), 420), scale = Math.min((width - 66) / stars.width, 300 / stars.height), height = stars.height * scale + 44;
  const chart = element("svg:svg", { class: "plot", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, figure);
  element("svg:rect", { x: 40, y: 8, width: stars.width * scale, height: stars.height * scale, class: "axis" }, chart);
  element("svg:text", { x: 40 + (stars.width * scale) / 2, y: height - 6, "text-anchor": "middle" }, chart, `x (pixel), 0 to ${stars.width}`);
  element("svg:text", { transform: `translate(12 ${(stars.height * scale) / 2 + 8}) rotate(-90)`, "text-anchor": "middle" }, chart, `y (pixel), 0 to ${stars.height}`);
  return { figure, chart, toX: (x) => 40 + x * scale, toY: (y) => 8 + (stars.height - y) * scale, width, height };
}

function whiskers(parent, stars) {
  const rows = stars.x.map((_, i) => i).filter((i) => stars.psf[i] && stars.e1[i] !== null), made = frameChart(parent, stars, `PSF whiskers of ${rows.length} stars`), length = 120;
  for (const i of rows) {
    const e = Math.hypot(stars.e1[i], stars.e2[i]), angle = 0.5 * Math.atan2(stars.e2[i], stars.e1[i]), dx = Math.cos(angle) * e * length * 0.5, dy = Math.sin(angle) * e * length * 0.5;
    element("svg:line", { x1: made.toX(stars.x[i]) - dx, x2: made.toX(stars.x[i]) + dx, y1: made.toY(stars.y[i]) + dy, y2: made.toY(stars.y[i]) - dy, class: "whisker" }, made.chart);
  }
  element("svg:line", { x1: made.width - 24, x2: made.width - 24, y1: 10, y2: 10 + 0.1 * length, class: "gate-look", "stroke-dasharray": "none" }, made.chart);
  element("svg:text", { x: made.width - 20, y: 20 }, made.chart, "0.1");
  element("figcaption", {}, made.figure, `Ellipticity of ${rows.length} PSF stars. All parallel: tracking. On one side: tilt. Radial: focus or astigmatism.`);
}

function quiver(parent, stars, reference) {
  const sizes = reference.dx.map((dx, i) => Math.hypot(dx, reference.dy[i])), unit = quantile(finite(sizes), 0.9) || 1, made = frameChart(parent, stars, `Astrometric residuals of ${sizes.length} matched stars`);
  reference.x.forEach((x, i) => element("svg:line", { x1: made.toX(x), y1: made.toY(reference.y[i]), x2: made.toX(x) + (reference.dx[i] / unit) * 22, y2: made.toY(reference.y[i]) - (reference.dy[i] / unit) * 22, class: "whisker" }, made.chart));
  element("svg:line", { x1: made.width - 26, x2: made.width - 4, y1: 12, y2: 12, class: "gate-look", "stroke-dasharray": "none" }, made.chart);
  element("svg:text", { x: made.width - 4, y: 26, "text-anchor": "end" }, made.chart, `${(unit * stars.scale).toPrecision(2)} mas`);
  element("figcaption", {}, made.figure, `Measured minus reference positions of ${sizes.length} stars. A pattern calls for a higher order of the WCS.`);
}

function drawNumbers(panel, table, i) {
  element("h3", {}, panel, "Numbers");
  const scroll = element("div", { class: "scroll" }, panel), grid = element("table", {}, scroll), head = element("tr", {}, element("thead", {}, grid)), body = element("tbody", {}, grid);
  element("caption", {}, grid, "This frame against all frames of its filter here, and the limits.");
  for (const text of ["metric", "value", "median", "5 % to 95 %", "look", "bad"]) element("th", { scope: "col" }, head, text);
  const same = [...Array(table.n).keys()].filter((k) => table.filter[k] === table.filter[i]);
  for (const metric of PANEL_METRICS) {
    if (!table.values[metric]) continue;
    const value = table.values[metric][i], others = finite(same.map((k) => table.values[metric][k])), gate = DATA.metrics[metric].gate, row = element("tr", {}, body);
    element("th", { scope: "row", title: DATA.metrics[metric].definition }, row, heading(metric));
    element("td", { title: value === null ? null : value }, row, value === null ? `not measured${table.without && table.without[i][metric] ? ` (${table.without[i][metric].replace("not measured: ", "")})` : ""}` : show(metric, value));
    element("td", {}, row, others.length ? show(metric, quantile(others, 0.5)) : "–");
    element("td", {}, row, others.length >= 5 ? `${show(metric, quantile(others, 0.05))} to ${show(metric, quantile(others, 0.95))}` : `${others.length} frames`);
    element("td", {}, row, gate ? `${gate.compare.replaceAll("_", " ")} ${gate.look}` : "–");
    element("td", {}, row, gate ? String(gate.bad) : "–");
  }
}

function drawAmplifiers(panel, table, i) {
  const rows = table.amplifiers ? table.amplifiers[i] : [];
  if (!rows.length) return;
  const scroll = element("div", { class: "scroll" }, panel), grid = element("table", {}, scroll), head = element("tr", {}, element("thead", {}, grid)), body = element("tbody", {}, grid);
  element("caption", {}, grid, "Amplifiers: level and noise of the pixels beside sources, and the part that is masked.");
  for (const text of ["amplifier", "level (adu)", "noise (adu)", "masked (%)"]) element("th", { scope: "col" }, head, text);
  for (const [name, ...numbers] of rows) {
    const row = element("tr", {}, body);
    element("th", { scope: "row" }, row, name);
    for (const value of numbers) element("td", {}, row, value === null ? "not measured" : value.toPrecision(3));
  }
}

// ---- gates: what would change
const SLIDERS = ["seeing", "star_e", "transparency", "sky_excess", "depth", "effective", "stars_ratio"];
function drawGates() {
  const place = document.querySelector("#gates .grid"), table = DATA.frames, limits = {};
  place.replaceChildren();
  element("p", {}, place, "Move a limit, and frames beyond it no longer count.");
  const low = new Set(["transparency", "depth", "effective", "stars_ratio"]), result = element("p", { role: "status", class: "result" });
  for (const metric of SLIDERS) {
    const known = table.values[metric] ? finite(table.values[metric]) : [];
    if (known.length < 2 || Math.min(...known) === Math.max(...known)) continue;
    const min = Math.min(...known), max = Math.max(...known), row = element("div", { class: "slider" }, place), id = `limit-${metric}`;
    element("label", { for: id }, row, `${low.has(metric) ? "least" : "largest"} ${heading(metric)}`);
    const input = element("input", { type: "range", id, min, max, step: (max - min) / 200, value: low.has(metric) ? min : max }, row), text = element("output", { for: id }, row, show(metric, Number(input.value)));
    input.addEventListener("input", () => { limits[metric] = Number(input.value); text.textContent = show(metric, limits[metric]); recount(); });
  }
  place.appendChild(result);
  const bar = element("div", { class: "controls" }, place), gates = element("button", { type: "button" }, bar, "Save gates (YAML)"), kept = element("button", { type: "button" }, bar, "Save frames to keep"), left = element("button", { type: "button" }, bar, "Save frames to exclude");
  const inside = (i) => Object.entries(limits).every(([metric, limit]) => { const value = table.values[metric][i]; return value === null || (low.has(metric) ? value >= limit - 1e-9 : value <= limit + 1e-9); });
  function recount() {
    const rows = [...Array(table.n).keys()], good = rows.filter(inside), seconds = (list) => list.reduce((sum, i) => sum + ((table.values.exposure_time || [])[i] || 0), 0);
    const useful = (list) => list.reduce((sum, i) => sum + (((table.values.exposure_time || [])[i] || 0) * ((table.values.effective || [])[i] ?? 100)) / 100, 0), before = useful(rows), after = useful(good);
    const depth = before > 0 && after > 0 ? 1.25 * Math.log10(after / before) : NaN;
    result.textContent = `Kept: ${good.length} of ${table.n} frames, ${(seconds(good) / 3600).toFixed(2)} of ${(seconds(rows) / 3600).toFixed(2)} h open shutter, ${(after / 3600).toFixed(2)} of ${(before / 3600).toFixed(2)} useful h; a stack would be ${Number.isFinite(depth) ? `${Math.abs(depth).toFixed(2)} mag ${depth < 0 ? "shallower" : "deeper"}` : "empty"}.`;
  }
  gates.addEventListener("click", () => save("gates.yaml", `# limits chosen on a report, ${new Date().toISOString()}\ndate: ${new Date().toISOString().slice(0, 10)}\ngates:\n` + Object.entries(limits).map(([metric, limit]) => `  ${metric}: {compare: ${low.has(metric) ? "below" : "above"}, look: ${limit.toPrecision(5)}, bad: ${limit.toPrecision(5)}}\n`).join("")));
  const list = (wanted) => [...Array(table.n).keys()].filter((i) => inside(i) === wanted).map((i) => `--id ${quoted(table.name[i])}\n`).join("");
  kept.addEventListener("click", () => save("keep.txt", list(true)));
  left.addEventListener("click", () => save("exclude.txt", list(false)));
  recount();
}
