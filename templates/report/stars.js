// Plots of the stars, reference stars and amplifiers of the chosen detector image, drawn from numbers.
function drawStars(parent, name) {
  const stars = DATA.stars[name];
  if (!stars) return;
  const panelPlot = (options, caption) => { const figure = element("figure", {}, parent), made = plot(figure, { width: Math.min(WIDTH(figure), 420), height: 240, size: 2, ...options }); element("figcaption", {}, figure, `${caption} n = ${made.count}.`); return made; };
  const magnitude = stars.calibrated ? "PSF magnitude (mag)" : "PSF magnitude, instrumental (mag)";
  const classes = stars.psf.map((used) => (used ? "" : "open"));
  panelPlot({ x: stars.mag, y: stars.fwhm, xLabel: magnitude, yLabel: "FWHM by moments (pixel)", classes }, "Size against magnitude; filled: stars of the PSF.");
  whiskers(parent, stars);
  if (stars.faint && stars.faint.mag.length) {
    const log = stars.faint.snr.map((value) => (value > 0 ? Math.log10(value) : null)), shown = `a sample of ${stars.faint.n[0]} sources; dashes: 5, where the depth is`;
    panelPlot({ x: stars.faint.mag, y: log, xLabel: magnitude, yLabel: "log10 S/N", lines: [{ y: Math.log10(5), cls: "gate-look" }], yRange: fullRange(log, [0.5]) }, `Signal-to-noise ratio against magnitude, ${shown}.`);
    const c = stars.counts, logs = (list) => list.map((value) => (value > 0 ? Math.log10(value) : null)), kept = c.mag.map((_, k) => k).filter((k) => c.matched[k] > 0);
    panelPlot({ x: c.mag, y: logs(c.all), xLabel: magnitude, yLabel: "log10 sources per 0.5 mag", curves: kept.length ? [{ x: kept.map((k) => c.mag[k]), y: kept.map((k) => Math.log10(c.matched[k])), cls: "model" }] : [], size: 3 }, `Counts of sources; line: ${kept.length ? "those with a reference source" : "none has a reference source"}. Where counts turn over, sources are missed.`);
  }
  panelPlot({ x: stars.mag, y: stars.dsize, xLabel: magnitude, yLabel: "size, star / model - 1", classes, lines: [{ y: 0, cls: "axis" }], reason: "no PSF star" }, "Residual size of stars against the PSF model.");
  if (stars.profile) {
    const p = stars.profile;
    panelPlot({ x: p.radius, y: p.star, xLabel: "radius (pixel)", yLabel: "brightness / center", curves: [{ x: p.radius, y: p.model, cls: "model" }], yRange: [-0.05, 1.08], xRange: [0, p.radius[p.radius.length - 1]] }, `Radial profile of ${p.n} bright stars; line: PSF model.`);
    panelPlot({ x: p.radius, y: p.growth, xLabel: "radius (pixel)", yLabel: "enclosed flux / total", curves: [{ x: p.radius, y: p.model_growth, cls: "model" }], yRange: [0, 1.1], xRange: [0, p.radius[p.radius.length - 1]] }, "Curve of growth; line: PSF model.");
  }
  const reference = stars.reference;
  if (!reference) { element("p", { class: "note" }, parent, `No zero-point and astrometric residuals: ${stars.reason || "no matches with a reference catalog"}.`); return; }
  panelPlot({ x: reference.mag, y: reference.dmag, xLabel: "reference magnitude (mag)", yLabel: "zero-point residual (mag)", lines: [{ y: 0, cls: "axis" }] }, "Zero-point residuals of matched stars.");
  panelPlot({ x: reference.color || [], y: reference.dmag, xLabel: `color ${stars.color || ""} of the reference (mag)`, yLabel: "zero-point residual (mag)", lines: [{ y: 0, cls: "axis" }], reason: "the reference catalog has one band" }, "The same against color: a slope is a color term, or another filter.");
  residualMap(parent, stars, reference);
  quiver(parent, stars, reference);
  panelPlot({ x: reference.dra, y: reference.ddec, xLabel: "RA, measured - reference (mas)", yLabel: "Dec, measured - reference (mas)", lines: [{ y: 0, cls: "axis" }] }, `Astrometric residuals; normal: ${mad(reference.dra)} and ${mad(reference.ddec)} mas; median ${quantile(finite(reference.dra), 0.5).toFixed(0)} and ${quantile(finite(reference.ddec), 0.5).toFixed(0)} mas.`);
  for (const [name, values] of [["RA", reference.dra], ["Dec", reference.ddec]]) {
    const figure = element("figure", {}, parent), text = histogram(figure, values, { width: Math.min(WIDTH(figure), 420), height: 240, xLabel: `${name}, measured - reference (mas)`, yLabel: "stars in a bin" });
    element("figcaption", {}, figure, `${name} residuals (mas): ${text}. Line: a normal distribution of this deviation; wide wings are wrong matches or blends.`);
  }
  const total = reference.dra.map((value, k) => (value === null || reference.ddec[k] === null ? null : Math.hypot(value, reference.ddec[k])));
  panelPlot({ x: reference.mag, y: total, xLabel: "reference magnitude (mag)", yLabel: "distance (mas)", reason: "no reference magnitudes" }, "Distance from the reference against magnitude: bright stars that lie off call for charge transfer, saturation or proper motion.");
}

// Standard deviation by the median absolute deviation, as text.
function mad(values) { const known = finite(values), middle = quantile(known, 0.5); return (1.4826 * quantile(known.map((value) => Math.abs(value - middle)), 0.5)).toFixed(0); }

// Zero-point residuals at the places of the stars: a pattern is a flat, or a cloud.
function residualMap(parent, stars, reference) {
  const rows = reference.x.map((_, k) => k).filter((k) => reference.dmag[k] !== null);
  if (!rows.length) return;
  const limit = Math.max(quantile(rows.map((k) => Math.abs(reference.dmag[k])), 0.9), 0.005), made = frameChart(parent, stars, `Zero-point residuals of ${rows.length} stars over the detector, ${limit.toFixed(3)} mag and more at the largest marks`);
  for (const k of rows) {
    const part = Math.min(Math.abs(reference.dmag[k]) / limit, 1), faint = reference.dmag[k] > 0;
    element("svg:title", {}, mark(made.inner, faint ? "circle" : "square", made.toX(reference.x[k]), made.toY(reference.y[k]), 1 + 4 * part, `mark ${faint ? "look" : "open"}`), `${reference.dmag[k].toFixed(3)} mag`);
  }
  element("figcaption", {}, made.figure, `Zero-point residuals on the detector: filled circles too faint, open squares too bright, the largest ${limit.toFixed(3)} mag and more. n = ${rows.length}. Marks of one kind on one side: flat, cloud or dome.`);
}

// Noise of the overscan of each amplifier with time, with 3 and 5 sigma of its own.
function drawAmplifierHistory(parent, table, i) {
  const amplifiers = (DATA.amplifiers || {})[table.detector_name[i]];
  if (!amplifiers) return;
  const names = Object.keys(amplifiers), mjd = (table.values.mjd || [])[i], zero = mjd === null || mjd === undefined ? 0 : Math.floor(mjd);
  for (const [column, label, unit] of [[2, "read noise", "electron"], [1, "overscan level", "adu"]]) {
    const x = [], y = [], shapes = [], labels = [], classes = [];
    names.forEach((name, k) => amplifiers[name].forEach((point) => { x.push(point[0] - zero); y.push(point[column]); shapes.push(SHAPES[k % SHAPES.length]); labels.push(`${name}: ${point[column]}`); classes.push(mjd !== undefined && Math.abs(point[0] - mjd) < 1e-5 ? "chosen" : ""); }));
    if (!finite(y).length) continue;
    const first = finite(amplifiers[names[0]].map((point) => point[column])), middle = quantile(finite(y), 0.5), sigma = 1.4826 * quantile(finite(y).map((value) => Math.abs(value - middle)), 0.5), lines = names.length === 1 && first.length > 3 ? [-5, -3, 3, 5].map((k) => ({ y: middle + k * sigma, cls: Math.abs(k) === 3 ? "gate-look" : "gate-bad" })) : [];
    const figure = element("figure", {}, parent), made = plot(figure, { width: Math.min(WIDTH(figure), 420), height: 240, x, y, shapes, labels, classes, lines, size: 3, xLabel: zero ? `MJD - ${zero} (d)` : "MJD (d)", yLabel: `${label} (${unit})`, xRange: fullRange(x), yRange: fullRange(y, lines.map((line) => line.y)) });
    element("figcaption", {}, figure, `${label} of ${names.length} amplifier${names.length > 1 ? `s (${names.slice(0, 4).map((name, k) => `${["●", "■", "◆", "▲"][k]} ${name}`).join(", ")}${names.length > 4 ? ", ..." : ""})` : ""} with time.${lines.length ? " Dashes: 3 and 5 sigma." : ""} n = ${made.count}.`);
  }
}

function frameChart(parent, stars, label) {
  const figure = element("figure", {}, parent), width = Math.min(WIDTH(figure), 420), scale = Math.min((width - 66) / stars.width, 300 / stars.height), height = stars.height * scale + 44;
  const chart = element("svg:svg", { class: "plot", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, figure);
  element("svg:rect", { x: 40, y: 8, width: stars.width * scale, height: stars.height * scale, class: "axis" }, chart);
  element("svg:text", { x: 40 + (stars.width * scale) / 2, y: height - 6, "text-anchor": "middle" }, chart, `x (pixel), 0 to ${stars.width}`);
  element("svg:text", { transform: `translate(12 ${(stars.height * scale) / 2 + 8}) rotate(-90)`, "text-anchor": "middle" }, chart, `y (pixel), 0 to ${stars.height}`);
  // what reaches out of the detector must not cross the labels
  const inner = element("svg:svg", { x: 40, y: 8, width: stars.width * scale, height: stars.height * scale, viewBox: `40 8 ${stars.width * scale} ${stars.height * scale}` }, chart);
  return { figure, chart, inner, toX: (x) => 40 + x * scale, toY: (y) => 8 + (stars.height - y) * scale, width, height };
}

function whiskers(parent, stars) {
  const rows = stars.x.map((_, i) => i).filter((i) => stars.psf[i] && stars.e1[i] !== null), made = frameChart(parent, stars, `PSF whiskers of ${rows.length} stars`), length = 120;
  for (const i of rows) {
    const e = Math.hypot(stars.e1[i], stars.e2[i]), angle = 0.5 * Math.atan2(stars.e2[i], stars.e1[i]), dx = Math.cos(angle) * e * length * 0.5, dy = Math.sin(angle) * e * length * 0.5;
    element("svg:line", { x1: made.toX(stars.x[i]) - dx, x2: made.toX(stars.x[i]) + dx, y1: made.toY(stars.y[i]) + dy, y2: made.toY(stars.y[i]) - dy, class: "whisker" }, made.inner);
  }
  element("svg:line", { x1: made.width - 24, x2: made.width - 24, y1: 10, y2: 10 + 0.1 * length, class: "gate-look", "stroke-dasharray": "none" }, made.chart);
  element("svg:text", { x: made.width - 20, y: 20 }, made.chart, "0.1");
  element("figcaption", {}, made.figure, `Ellipticity of ${rows.length} PSF stars. All parallel: tracking. On one side: tilt. Radial: focus or astigmatism.`);
}

function quiver(parent, stars, reference) {
  const sizes = reference.dx.map((dx, i) => Math.hypot(dx, reference.dy[i])), unit = quantile(finite(sizes), 0.9) || 1, made = frameChart(parent, stars, `Astrometric residuals of ${sizes.length} matched stars`);
  reference.x.forEach((x, i) => element("svg:line", { x1: made.toX(x), y1: made.toY(reference.y[i]), x2: made.toX(x) + (reference.dx[i] / unit) * 22, y2: made.toY(reference.y[i]) - (reference.dy[i] / unit) * 22, class: "whisker" }, made.inner));
  const scale = unit * stars.scale, right = made.toX(stars.width), low = made.toY(0) + 16;
  element("svg:line", { x1: right - 22, x2: right, y1: low, y2: low, class: "gate-look", "stroke-dasharray": "none" }, made.chart);
  element("svg:text", { x: right - 28, y: low + 4, "text-anchor": "end" }, made.chart, `${scale.toFixed(scale < 10 ? 1 : 0)} mas`);
  element("figcaption", {}, made.figure, `Measured minus reference positions of ${sizes.length} stars. A pattern calls for a higher order of the WCS.`);
}
