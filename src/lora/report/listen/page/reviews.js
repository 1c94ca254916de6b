// Judgements of a person: kept in this browser, exported to and imported from a table (docs/listening.md).
Listen.JUDGEMENTS = [
  ["reference_right", "reference right"],
  ["reference_wrong", "reference wrong"],
  ["cannot_tell", "cannot tell"],
  ["audio_unusable", "audio unusable"],
];
Listen.COLUMNS = ["manifest", "id", "judgement", "corrected_text", "note", "sample", "reference"];

const ESCAPES = { "\\": "\\\\", "\t": "\\t", "\n": "\\n" };
const UNESCAPES = { "\\\\": "\\", "\\t": "\t", "\\n": "\n" };
const oneLine = (text) => text.trim().split(/\s+/).join(" ");
const escaped = (text) => text.replace(/\r\n?/g, "\n").replace(/[\\\t\n]/g, (found) => ESCAPES[found]);
const unescaped = (text) => text.replace(/\\[\\tn]/g, (found) => UNESCAPES[found]);
// Quotes as a spreadsheet writes them around a cell that contains quotes or commas; a text with quotes of its own has both.
const QUOTED = /^"(?=.*(?:""|,))((?:[^"]|"")*)"$/;
const quoted = (cell) => (cell.startsWith('"') ? `"${cell.replace(/"/g, '""')}"` : cell);
const unquoted = (cell) => (QUOTED.test(cell) ? cell.slice(1, -1).replace(/""/g, '"') : cell);

Listen.Reviews = class {
  constructor(key) {
    this.key = `lora-listening:${key}`;
    this.stored = true;
    try {
      this.reviews = new Map(JSON.parse(localStorage.getItem(this.key) || "[]"));
    } catch {
      this.reviews = new Map();
      this.stored = false;
    }
  }

  static name(manifest, id) { return JSON.stringify([manifest, id]); }

  // Whether a corrected text says something else than the reference: white space does not count.
  static corrects(text, reference) { return oneLine(text || "") !== "" && oneLine(text) !== oneLine(reference); }

  get(manifest, id) { return this.reviews.get(Listen.Reviews.name(manifest, id)) || {}; }

  // Change one review; one without judgement and without text is forgotten.
  set(manifest, id, changes) {
    const review = { ...this.get(manifest, id), ...changes };
    const name = Listen.Reviews.name(manifest, id);
    if (review.judgement || review.corrected_text || review.note) this.reviews.set(name, review);
    else this.reviews.delete(name);
    this.save();
  }

  // False where the browser keeps nothing: then only an export keeps the reviews.
  save() {
    try {
      localStorage.setItem(this.key, JSON.stringify([...this.reviews]));
    } catch {
      this.stored = false;
    }
  }

  get judged() { return [...this.reviews].filter(([, review]) => review.judgement); }
  get unjudged() { return this.reviews.size - this.judged.length; }

  // The reviews as the workflow reads them: only a wrong reference has a corrected text, which is another one.
  // `reference` returns the text of a row, undefined where the study does not have it.
  table(reference) {
    const lines = this.judged.map(([name, review]) => {
      const [manifest, id] = JSON.parse(name), { judgement, corrected_text: text } = review;
      const corrects = judgement === "reference_wrong" && Listen.Reviews.corrects(text, reference(manifest, id) ?? "");
      const about = [review.note || "", review.sample || "no", review.reference || ""];
      return [manifest, id, judgement, corrects ? text : "", ...about];
    });
    lines.sort((a, b) => (a[0] + "\t" + a[1] < b[0] + "\t" + b[1] ? -1 : 1));
    return [Listen.COLUMNS, ...lines].map((line) => `${line.map((text) => quoted(escaped(text))).join("\t")}\n`).join("");
  }

  // Take over the reviews of a table; returns their number. Throws an error that names the line.
  read(text) {
    const lines = text.replace(/^\ufeff/, "").split(/\r?\n/);
    const columns = lines[0].split("\t");
    if (Listen.COLUMNS.slice(0, 3).some((name) => !columns.includes(name))) {
      throw new Error(`line 1: expected the columns ${Listen.COLUMNS.join(", ")}`);
    }
    const found = [];
    lines.slice(1).forEach((line, n) => {
      if (line === "") return;
      const cells = line.split("\t").map((cell) => unescaped(unquoted(cell)));
      const review = Object.fromEntries(columns.map((name, place) => [name, cells[place] || ""]));
      if (cells.length !== columns.length) throw new Error(`line ${n + 2}: ${cells.length} cells, not ${columns.length}`);
      if (!Listen.JUDGEMENTS.some(([key]) => key === review.judgement)) {
        throw new Error(`line ${n + 2}: the judgement is ${review.judgement || "empty"}`);
      }
      found.push(review);
    });
    for (const { manifest, id, judgement, corrected_text, note, sample, reference } of found) {
      this.reviews.set(Listen.Reviews.name(manifest, id), { judgement, corrected_text, note, sample, reference });
    }
    this.save();
    return found.length;
  }
};
