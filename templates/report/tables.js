// Tables whose rows are JSON: sorted and filtered as arrays, and only some of them drawn.
const DRAWN = 200;
// Rows that are drawn at once; the rest of them follow when the browser has shown these.
const FIRST = 40;
// Letters of a reason that a row shows; the panel has all.
const LONGEST = 150;
const WORST = { failed: 0, bad: 1, look: 2, waiting: 3, good: 4 };
// Texts in the order of people: visit=9 before visit=10.
const ORDER = new Intl.Collator(undefined, { numeric: true });
const isEmpty = (value) => value === null || value === undefined || value === "";

class Grid {
  constructor(place, table, columns, options) {
    Object.assign(this, { place, table, columns, limit: DRAWN, key: null, down: false, text: "", only: options.only || false, base: null }, options);
    this.controls();
    this.scroll = element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": options.caption }, place);
    this.more = element("p", { class: "note" }, place);
    this.draw(options.whole);
  }

  controls() {
    const bar = element("div", { class: "controls" }, this.place);
    const search = element("input", { type: "search", placeholder: "filter: words, or seeing < 1.5", "aria-label": "Filter rows" }, bar);
    search.addEventListener("input", () => { this.text = search.value; this.draw(); });
    const label = element("label", {}, bar), box = element("input", { type: "checkbox" }, label);
    label.append(" only look, bad, failed");
    box.checked = this.only;
    box.addEventListener("change", () => { this.only = box.checked; this.draw(); });
    this.count = element("span", { class: "note", role: "status" }, bar);
    const all = element("button", { type: "button" }, bar, "Save as CSV");
    all.addEventListener("click", () => save("frames.csv", this.csv()));
  }

  value(column, i) {
    if (column === "level") return WORST[this.table.level[i]];
    if (column === "reason") return (this.table.reasons[i][0] || ["", "", ""])[2];
    return this.table.values[column] ? this.table.values[column][i] : this.table[column][i];
  }

  rows() {
    let rows = this.base ? this.base.slice() : [...Array(this.table.n).keys()];
    if (this.only) rows = rows.filter((i) => this.table.level[i] !== "good");
    if (this.text.trim()) rows = rows.filter(condition(this.text, this.table));
    if (this.key === null) return rows;
    const keys = [], empty = [], sign = this.down ? -1 : 1;
    for (const i of rows) { const value = this.value(this.key, i); if (isEmpty(value)) empty.push(i); else keys.push([value, i]); }
    const compare = keys.every(([value]) => typeof value === "number") ? (x, y) => x - y : (x, y) => ORDER.compare(String(x), String(y));
    keys.sort((a, b) => sign * compare(a[0], b[0]) || a[1] - b[1]);
    return [...keys.map(([, i]) => i), ...empty]; // what has no value is last in both directions
  }

  // With ``whole`` all rows are drawn at once, so that the page keeps its height and the reader's place.
  draw(whole = false) {
    this.shown = this.rows();
    const table = document.createElement("table");
    element("caption", {}, table, this.caption);
    const head = element("tr", {}, element("thead", {}, table));
    for (const column of this.columns) {
      const isNumber = column in DATA.metrics, cell = element("th", { scope: "col", class: isNumber ? "number" : null, "aria-sort": this.key === column ? (this.down ? "descending" : "ascending") : "none" }, head);
      const arrow = this.key === column ? (this.down ? " ▼" : " ▲") : "";
      const button = element("button", { type: "button", title: isNumber ? DATA.metrics[column].definition : null, "data-column": column }, cell, (isNumber ? heading(column) : column === "level" ? "verdict" : column === "date" ? "UTC" : column === "detector_name" ? "detector" : column) + arrow);
      button.addEventListener("click", () => { this.down = this.key === column && !this.down; this.key = column; this.draw(); this.place.querySelector(`button[data-column="${column}"]`).focus(); });
    }
    const body = element("tbody", {}, table);
    const drawn = this.shown.slice(0, this.limit), first = whole ? drawn.length : FIRST;
    for (const i of drawn.slice(0, first)) this.row(body, i);
    this.scroll.replaceChildren(table);
    if (drawn.length > first) later(() => { if (body.isConnected) drawn.slice(first).forEach((i) => this.row(body, i)); });
    const hidden = this.shown.length - Math.min(this.limit, this.shown.length);
    this.count.textContent = `${this.shown.length} of ${this.base ? this.base.length : this.table.n} rows`;
    this.more.replaceChildren();
    if (!this.shown.length) this.more.textContent = this.only && !this.text ? "Every row is good. Uncheck the box to see them." : "No row fits the filter.";
    if (hidden > 0) {
      const button = element("button", { type: "button" }, this.more, `Show ${Math.min(hidden, DRAWN)} more of ${hidden}`);
      button.addEventListener("click", () => { this.limit += DRAWN; this.draw(true); });
    }
  }

  row(body, i) {
    const row = element("tr", { class: "pick", "data-i": i, "aria-selected": this.isChosen(i) ? "true" : "false" }, body);
    for (const column of this.columns) {
      if (column === "level") element("td", { class: `verdict ${this.table.level[i]}` }, row, this.table.level[i]);
      else if (column === "name") {
        const cell = element("th", { scope: "row" }, row), button = element("button", { type: "button", class: "link" }, cell, this.table.name[i]);
        button.addEventListener("click", (event) => { event.stopPropagation(); this.pick(i); });
      } else if (column === "image") {
        const cell = element("td", {}, row), source = (DATA.pictures[this.table.name[i]] || {}).image;
        if (source) element("img", { src: source, width: 64, alt: `image of ${this.table.name[i]}` }, cell);
      } else if (column === "reason") {
        const text = this.table.reasons[i].map((reason) => reason[2]).join("; ");
        element("td", { class: text ? "words" : null, title: text || null }, row, text.length > LONGEST ? `${text.slice(0, LONGEST)} ...` : text);
      } else if (column in DATA.metrics) element("td", { class: "number", title: this.table.values[column][i] === null ? "not measured" : this.table.values[column][i] }, row, show(column, this.table.values[column][i]));
      else if (column === "date") element("td", { class: "time", title: this.table.date[i] }, row, String(this.table.date[i]).replace("T", " ").slice(0, 16));
      else { const text = String(this.table[column][i]).slice(0, 60); element("td", { class: text.length < 16 ? "short" : null }, row, text); }
    }
    row.addEventListener("click", () => this.pick(i));
  }

  csv() {
    const names = ["name", "level", "filter", "object", "date", ...Object.keys(this.table.values), "reason"];
    const quote = (value) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
    const text = (name, i) => name === "level" ? this.table.level[i] : name === "reason" ? this.table.reasons[i].map((reason) => reason[2]).join("; ") : this.value(name, i);
    return [names.join(","), ...this.shown.map((i) => names.map((name) => quote(String(text(name, i) ?? ""))).join(","))].join("\n") + "\n";
  }
}

// "seeing < 1.5 and filter = r", or words that a row must have.
function condition(text, table) {
  const parts = text.trim().split(/\s+and\s+/i).filter(Boolean).map((part) => {
    const match = part.match(/^(\w+)\s*(<=|>=|!=|=|<|>)\s*['"]?([^'"]*)['"]?$/);
    if (match && (table.values[match[1]] || Array.isArray(table[match[1]]))) {
      const column = table.values[match[1]] || table[match[1]], isNumber = Boolean(table.values[match[1]]), wanted = isNumber ? Number(match[3]) : match[3];
      const compare = { "<": (a) => a < wanted, "<=": (a) => a <= wanted, ">": (a) => a > wanted, ">=": (a) => a >= wanted, "=": (a) => a === wanted, "!=": (a) => a !== wanted }[match[2]];
      return (i) => column[i] !== null && compare(column[i]);
    }
    const word = part.toLowerCase();
    return (i) => [table.name[i], table.level[i], table.filter[i], table.object[i], ...table.reasons[i].map((reason) => reason[2])].some((value) => String(value).toLowerCase().includes(word));
  });
  return (i) => parts.every((part) => part(i));
}

function save(name, text) {
  const link = element("a", { href: URL.createObjectURL(new Blob([text], { type: "text/plain" })), download: name }, document.body);
  link.click();
  link.remove();
}
