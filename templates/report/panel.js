// The panel of the chosen frame, and the sliders of the gates; its plots are in stars.js.
const PANEL_METRICS = ["seeing", "fwhm", "seeing_zenith", "psf_gradient", "star_e", "star_angle", "sky", "sky_level", "sky_gradient", "gradient_excess", "moon_separation", "moon_altitude", "moon_phase", "airmass", "transparency", "dimming", "zero_point", "zero_point_rate", "zp_scatter", "zp_n_stars", "depth", "depth_predicted", "effective", "astrom_scatter", "pointing_error", "pointing_drift", "astrom_matched", "n_sources", "n_stars", "stars_expected", "saturated", "masked", "noise_ratio", "psf_size_residual", "psf_minus_aperture", "n_psf_stars", "n_psf_reserved", "psf_e1_residual", "psf_e2_residual", "zp_trend", "zp_bright", "color_term", "sky_bimodal", "source_anomaly", "cosmic_rays", "cosmic_rays_single", "bias_age", "dark_age", "flat_age", "read_noise_shape", "read_noise_pattern", "header_problems", "overscan_level", "read_noise", "amp_noise_ratio", "amp_step", "seconds", "peak_memory"];

function drawPanel() {
  const panel = document.getElementById("panel"), [table, i] = current(), name = table.name[i];
  panel.hidden = false;
  panel.replaceChildren();
  const title = element("h2", {}, panel, name + " ");
  element("span", { class: `verdict ${table.level[i]}` }, title, table.level[i]);
  const reasons = table.reasons[i];
  if (reasons.length) { const list = element("ul", {}, panel); for (const [, level, text, remedy] of reasons) { const item = element("li", {}, list); element("span", { class: `verdict ${level}` }, item, level); item.append(` ${text}${/[.?!]$/.test(text) ? "" : "."} `); element("em", {}, item, remedy ? `${remedy[0].toUpperCase()}${remedy.slice(1)}.` : ""); } }
  else element("p", {}, panel, "All gates that could be applied are passed.");
  const plots = element("div", { class: "plots" }, panel);
  drawPicture(plots, name, table.level[i]);
  drawStars(plots, name);
  drawAmplifierHistory(plots, table, i);
  drawNumbers(panel, table, i);
  drawAmplifiers(panel, table, i);
  if (table.warnings && table.warnings[i].length) { element("h3", {}, panel, "Warnings"); const list = element("ul", {}, panel); table.warnings[i].forEach((line) => element("li", {}, list, line)); }
  if (table.without && Object.keys(table.without[i]).length) { const more = element("details", {}, panel); element("summary", {}, more, `${Object.keys(table.without[i]).length} gates were not applied`); const list = element("ul", {}, more); for (const [metric, reason] of Object.entries(table.without[i])) element("li", {}, list, `${metric}: ${reason}`); }
  if (table.header && table.header[i].length) { element("h3", {}, panel, "Header"); const list = element("ul", {}, panel); table.header[i].forEach((line) => element("li", {}, list, line)); }
  const planes = table.planes ? Object.entries(table.planes[i]) : [];
  if (planes.length) element("p", { class: "note" }, panel, `Mask planes: ${planes.map(([plane, part]) => `${plane} ${part.toPrecision(2)} %`).join(", ")}.`);
  element("h3", {}, panel, "Commands");
  for (const line of DATA.commands) element("code", { class: "command" }, panel, line + quoted(name));
  const mine = STATE.notes[name] || {}, bar = element("div", { class: "controls" }, panel);
  element("span", {}, bar, "Your verdict:");
  for (const level of ["good", "look", "bad"]) { const button = element("button", { type: "button", "aria-pressed": mine.level === level ? "true" : "false" }, bar, level); button.addEventListener("click", () => note(level)); }
  if (mine.level) element("span", { class: `verdict ${mine.level}` }, bar, mine.level);
  if (Object.keys(STATE.notes).length) { const button = element("button", { type: "button" }, bar, "Save your verdicts (JSON)"); button.addEventListener("click", () => save("verdicts.json", JSON.stringify(STATE.notes, null, 1))); }
  const comment = element("input", { type: "text", placeholder: "why", "aria-label": "Comment on your verdict", value: mine.comment || "" }, bar);
  comment.addEventListener("change", () => { STATE.notes[name] = { level: "look", ...(STATE.notes[name] || {}), comment: comment.value }; });
  if (Object.keys(STATE.notes).length) { element("p", { class: "note" }, panel, "Take the file over with:"); element("code", { class: "command" }, panel, `${DATA.report} --verdicts verdicts.json`); }
}

// Data IDs as a shell takes them.
const quoted = (name) => name.split(" ").map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`)).join(" ");

function drawPicture(parent, name, level) {
  const picture = DATA.pictures[name], figure = element("figure", {}, parent);
  if (level === "failed" || level === "waiting") { element("figcaption", {}, figure, `No calexp: ${level === "failed" ? "the processing failed" : "not processed yet"}. The raw image:`); element("code", { class: "command" }, figure, DATA.raw + quoted(name)); return; }
  if (!picture) { element("figcaption", {}, figure, "No picture here: pages hold those of frames that are not good, and of the median one. "); element("code", { class: "command" }, figure, DATA.commands[0] + quoted(name)); return; }
  const box = element("div", { class: "picture" }, figure);
  element("img", { src: picture.image, alt: `image of ${name}, background subtracted, ${picture.text}` }, box);
  if (picture.mask && STATE.mask) element("img", { src: picture.mask, class: "mask", alt: "" }, box);
  if (STATE.hard) box.classList.add("hard");
  element("figcaption", {}, figure, `calexp, ${picture.text}. Mask ${STATE.mask ? "on" : "off"} (m): red BAD, magenta CR, green SAT, yellow EDGE and SUSPECT. Contrast ${STATE.hard ? "high" : "usual"} (s).`);
  if (picture.mini) { element("figcaption", {}, figure, "A small picture; for a large one:"); element("code", { class: "command" }, figure, DATA.commands[0] + quoted(name)); }
  if (picture.other) {
    const beside = element("figure", {}, parent), place = element("div", { class: `picture${STATE.hard ? " hard" : ""}` }, beside);
    element("img", { src: picture.other, alt: `image of ${name} in ${DATA.other.name}, with the same gray levels` }, place);
    element("figcaption", {}, beside, `The same frame in ${DATA.other.name}, with the same gray levels.`);
  }
  if (!picture.residual) return;
  const second = element("figure", {}, parent), frame = element("div", { class: "picture" }, second);
  element("img", { src: picture.residual, alt: `residual of ${name}: image minus the PSF models of its sources` }, frame);
  if (picture.mask && STATE.mask) element("img", { src: picture.mask, class: "mask", alt: "" }, frame);
  element("figcaption", {}, second, `Residual: calexp minus the PSF models of all sources, black to white -${picture.limit} to ${picture.limit} times the noise of a block. Galaxies, saturated stars and trails stay.`);
}

function drawNumbers(panel, table, i) {
  element("h3", {}, panel, "Numbers");
  const scroll = element("div", { class: "scroll" }, panel), grid = element("table", {}, scroll), head = element("tr", {}, element("thead", {}, grid)), body = element("tbody", {}, grid);
  element("caption", {}, grid, "This frame against all frames of its filter here, and the limits.");
  const other = DATA.other && DATA.other.values[table.name[i]];
  for (const text of ["metric", "value", ...(other ? [`in ${DATA.other.name}`] : []), "median", "5 % to 95 %", "look", "bad"]) element("th", { scope: "col" }, head, text);
  const same = [...Array(table.n).keys()].filter((k) => table.filter[k] === table.filter[i]);
  for (const metric of PANEL_METRICS) {
    if (!table.values[metric]) continue;
    const value = table.values[metric][i], others = finite(same.map((k) => table.values[metric][k])), gate = DATA.metrics[metric].gate, row = element("tr", {}, body);
    element("th", { scope: "row", title: DATA.metrics[metric].definition }, row, heading(metric));
    element("td", { title: value === null ? null : value }, row, value === null ? `not measured${table.without && table.without[i][metric] ? ` (${table.without[i][metric].replace("not measured: ", "")})` : ""}` : show(metric, value));
    if (other) element("td", {}, row, other[metric] === undefined ? "–" : show(metric, other[metric]));
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
  const done = [...Array(table.n).keys()].filter((i) => !["failed", "waiting"].includes(table.level[i]));
  if (!done.length) return void element("p", {}, place, "No limit can be moved: no frame is processed.");
  const advice = element("p", {}, place, "No limit can be moved: no two frames differ in what is measured.");
  const low = new Set(["transparency", "depth", "effective", "stars_ratio"]), result = element("p", { role: "status", class: "result" });
  for (const metric of SLIDERS) {
    const known = table.values[metric] ? finite(table.values[metric]) : [];
    if (known.length < 2 || Math.min(...known) === Math.max(...known)) continue;
    const min = Math.min(...known), max = Math.max(...known), row = element("div", { class: "slider" }, place), id = `limit-${metric}`;
    advice.textContent = "Move a limit, and frames beyond it no longer count.";
    element("label", { for: id }, row, `${low.has(metric) ? "least" : "largest"} ${heading(metric)}`);
    const input = element("input", { type: "range", id, min, max, step: "any", value: low.has(metric) ? min : max }, row), text = element("output", { for: id }, row, show(metric, Number(input.value)));
    input.addEventListener("input", () => { limits[metric] = Number(input.value); text.textContent = show(metric, limits[metric]); recount(); });
  }
  place.appendChild(result);
  const bar = element("div", { class: "controls" }, place), gates = element("button", { type: "button" }, bar, "Save gates (YAML)"), kept = element("button", { type: "button" }, bar, "Save frames to keep"), left = element("button", { type: "button" }, bar, "Save frames to exclude (JSON)");
  const inside = (i) => Object.entries(limits).every(([metric, limit]) => { const value = table.values[metric][i]; return value === null || (low.has(metric) ? value >= limit - 1e-9 : value <= limit + 1e-9); });
  const isCompared = finite(table.values.effective || []).length > 0;
  function recount() {
    const rows = [...Array(table.n).keys()], good = done.filter(inside), seconds = (list) => list.reduce((sum, i) => sum + ((table.values.exposure_time || [])[i] || 0), 0);
    const useful = (list) => list.reduce((sum, i) => sum + (((table.values.exposure_time || [])[i] || 0) * ((table.values.effective || [])[i] ?? 100)) / 100, 0), before = useful(done), after = useful(good);
    const depth = before > 0 && after > 0 ? 1.25 * Math.log10(after / before) : NaN;
    const change = Math.abs(depth) < 0.005 ? "as deep" : `${Math.abs(depth).toFixed(2)} mag ${depth < 0 ? "shallower" : "deeper"}`;
    result.textContent = `Kept: ${good.length} of ${table.n} frames, ${(seconds(good) / 3600).toFixed(2)} of ${(seconds(rows) / 3600).toFixed(2)} h open shutter, ${isCompared ? `${(after / 3600).toFixed(2)} of ${(before / 3600).toFixed(2)} useful h` : "useful part not known"}; a stack would be ${Number.isFinite(depth) ? change : "empty"}.`;
  }
  gates.addEventListener("click", () => save("gates.yaml", `# limits chosen on a report, ${new Date().toISOString()}\ndate: ${new Date().toISOString().slice(0, 10)}\ngates:\n` + Object.entries(limits).map(([metric, limit]) => `  ${metric}: {compare: ${low.has(metric) ? "below" : "above"}, look: ${limit.toPrecision(5)}, bad: ${limit.toPrecision(5)}}\n`).join("")));
  const list = (wanted) => done.filter((i) => inside(i) === wanted).map((i) => `--id ${quoted(table.name[i])}\n`).join("");
  kept.addEventListener("click", () => save("keep.txt", list(true)));
  const beyond = (i) => Object.entries(limits).filter(([metric, limit]) => { const value = table.values[metric][i]; return value !== null && (low.has(metric) ? value < limit - 1e-9 : value > limit + 1e-9); }).map(([metric, limit]) => `${metric} ${show(metric, table.values[metric][i])} beyond ${show(metric, limit)}`).join(", ");
  left.addEventListener("click", () => save("exclude.json", JSON.stringify(Object.fromEntries([...Array(table.n).keys()].filter((i) => !inside(i)).map((i) => [table.name[i], { level: "bad", comment: beyond(i) }])), null, 1)));
  element("p", { class: "note" }, place, "What to do with these files:");
  for (const line of [`${DATA.report} --gates gates.yaml`, `${DATA.report} --verdicts exclude.json`, `${DATA.select} "own_verdict != 'bad'"`]) element("code", { class: "command" }, place, line);
  recount();
}
