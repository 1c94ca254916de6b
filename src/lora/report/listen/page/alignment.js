// Reference, baseline and run in one table, word below word. Marks differ by colour and by form.
// Words by place from a flat list of edits: `at, word` substitutes, `at, null` deletes, `-1 - at, word` inserts.
Listen.readEdits = (flat) => {
  const changed = new Map(), inserted = new Map();
  for (let n = 0; n < (flat || []).length; n += 2) {
    const at = flat[n], word = flat[n + 1];
    if (at >= 0) changed.set(at, word);
    else inserted.set(-1 - at, [...(inserted.get(-1 - at) || []), word]);
  }
  return { changed, inserted };
};

// Columns of the alignment: `{reference, words, at}`, with a word per run, null where there is none.
Listen.columns = (reference, runs) => {
  const sides = runs.map(Listen.readEdits);
  const columns = [];
  for (let at = 0; at <= reference.length; at++) {
    const added = sides.map((side) => side.inserted.get(at) || []);
    for (let n = 0; n < Math.max(0, ...added.map((words) => words.length)); n++) {
      columns.push({ reference: null, words: added.map((words) => words[n] ?? null), at });
    }
    if (at < reference.length) {
      const words = sides.map((side) => (side.changed.has(at) ? side.changed.get(at) : reference[at]));
      columns.push({ reference: reference[at], words, at });
    }
  }
  return columns;
};

// Class and text of a run's cell; with `compares`, a later run is compared with the first one, the baseline.
Listen.cell = (column, run, compares) => {
  const word = column.words[run], right = word === column.reference;
  if (column.reference === null) return word === null ? ["", ""] : ["ins", word];
  const before = compares && run > 0 && column.words[0] === column.reference;
  if (right) return [compares && run > 0 && !before ? "fixed" : "", word];
  const fresh = before ? " fresh" : "";
  return word === null ? [`del${fresh}`, "—"] : [`sub${fresh}`, word];
};

const SPOKEN = { ins: "added", del: "missing", sub: "wrong", fixed: "fixed" };

// Lines of the table, broken where the width ends; every line repeats the labels.
Listen.showAlignment = (box, columns, labels, unseen, compares) => {
  const cells = columns.map((column) => {
    const reference = element("td", { className: unseen.has(column.at) && column.reference !== null ? "unseen" : "" },
      element("span", { dir: "auto" }, column.reference ?? ""));
    const own = column.words.map((_, run) => {
      const [mark, word] = Listen.cell(column, run, compares);
      const cell = element("td", {}, element("span", { className: mark, dir: "auto" }, word));
      if (mark) cell.title = SPOKEN[mark.split(" ")[0]] + (mark.endsWith("fresh") ? ", right before" : "");
      return cell;
    });
    return [reference, ...own];
  });
  const table = (part) => element("table", {}, element("tbody", {}, ...labels.map((label, line) =>
    element("tr", {}, element("th", { scope: "row" }, label), ...part.map((column) => column[line])))));
  const whole = table(cells);
  box.replaceChildren(whole);
  const start = cells.length ? cells[0][0].offsetLeft : 0;
  const room = box.clientWidth - start;
  const widths = cells.map((column) => column[0].offsetWidth);
  const lines = [];
  let used = Infinity;
  cells.forEach((column, n) => {
    if (used + widths[n] > room) { lines.push([]); used = 0; }
    lines[lines.length - 1].push(column);
    used += widths[n];
  });
  if (lines.length > 1) box.replaceChildren(...lines.map(table));
};
