// A page that is watched takes new data from a file beside it, and keeps place, choice and focus of its reader.
function renewed(data) {
  const name = STATE.frame === null ? null : current()[0].name[current()[1]], text = document.activeElement && document.activeElement.type === "search" ? document.activeElement : null;
  document.getElementById("sentence").textContent = data.sentence;
  document.getElementById("state").textContent = data.state;
  const before = window.scrollY, open = STATE.frame !== null, grid = STATE.grids.frames;
  for (const id of ["tiles", "needs"]) { const place = document.getElementById(id), parsed = new DOMParser().parseFromString(data[id], "text/html"); place.replaceChildren(...parsed.body.childNodes); }
  document.querySelectorAll("#needs [data-frame]").forEach((button) => button.addEventListener("click", () => chooseName(button.dataset.frame, true)));
  DATA = data.payload;
  if (!grid) { location.reload(); return; }
  grid.table = DATA.frames;
  grid.columns = usable(FRAME_COLUMNS, DATA.frames);
  if (name !== null) STATE.frame = DATA.frames.name.indexOf(name) >= 0 ? DATA.frames.name.indexOf(name) : STATE.frame;
  grid.draw(true);
  drawTimeline();
  if (DATA.mosaic) drawMosaic();
  drawAmplifierMap();
  if (open) drawPanel();
  window.scrollTo(0, before);
  if (text) text.focus();
}

let stamp = null;
function look() {
  const file = decodeURIComponent(location.pathname.split("/").pop()).replace(/\.html?$/, "") + ".live.js";
  const script = document.createElement("script");
  script.src = `${encodeURIComponent(file)}?${Date.now()}`;
  script.onload = script.onerror = () => script.remove();
  document.head.appendChild(script);
}
window.obsLive = (data) => { if (stamp !== null && stamp !== data.stamp) renewed(data); stamp = data.stamp; };
setInterval(look, 2000);
