// The right side of the page: one utterance with sound, alignment, notes and review.
Listen.Details = class {
  // `changed(i)` is called when the review of row i changes.
  constructor(reviews, changed) {
    Object.assign(this, { reviews, changed, player: new Listen.Player(), index: -1 });
    byId("judgements").append(...Listen.JUDGEMENTS.map(([key, name], n) => {
      const button = element("button", { type: "button" }, element("kbd", {}, String(n + 1)), ` ${name}`);
      button.addEventListener("click", () => this.judge(n));
      button.dataset.judgement = key;
      return button;
    }));
    byId("note").addEventListener("input", (event) => this.review({ note: event.target.value }));
    byId("corrected").addEventListener("input", (event) => this.correct(event.target.value));
    byId("copy-reference").addEventListener("click", () => {
      byId("corrected").value = this.rows.rows.texts[this.index];
      this.correct(byId("corrected").value);
      byId("corrected").focus();
    });
    new ResizeObserver(() => { if (this.width !== byId("alignment").clientWidth) this.align(); }).observe(byId("alignment"));
  }

  // Runs in the order they are shown, with their labels; in blind mode the order depends on the row alone.
  sides() {
    const { rows, index } = this;
    const sides = [[rows.about.runs[0], rows.base], ...(rows.run ? [[rows.runName, rows.run]] : [])];
    if (!this.blind) return sides;
    if (Listen.hash(`blind ${rows.rows.ids[index]}`) % 2) sides.reverse();
    return sides.map(([, side], n) => ["AB"[n], side]);
  }

  async show(rows, i, blind) {
    Object.assign(this, { rows, index: i, blind });
    if (!rows.texts) await rows.loadTexts();
    if (this.index !== i || this.rows !== rows) return;
    const data = rows.rows, { texts } = rows;
    byId("row").hidden = false;
    byId("row-id").textContent = data.ids[i];
    const facts = [`${data.seconds[i].toFixed(2)} s`, rows.speaker(i), this.errorsText()];
    byId("row-facts").textContent = facts.filter(Boolean).join(" · ");
    this.player.show({ url: texts.urls[i], segment: texts.segments[i], seconds: data.seconds[i], problem: texts.problems[i] });
    this.align();
    byId("legend").classList.toggle("blind", blind || !rows.run);
    byId("notes").replaceChildren(...this.notes().map((note) => element("li", {}, note)));
    byId("texts").replaceChildren(...[["reference", data.texts[i]],
      ...this.sides().map(([label, side]) => [label, side.hypotheses[i] ?? "(no hypothesis)"])]
      .flatMap(([label, text]) => [element("dt", {}, label), element("dd", { dir: "auto" }, text)]));
    this.showReview();
    if (texts.urls[i]) {
      const part = await Listen.load(`${rows.about.name}/waves.${Math.floor(i / this.waveforms)}`).catch(() => ({}));
      if (this.index === i && this.rows === rows) this.player.showWaveform(part[i]);
    }
  }

  errorsText() {
    const { rows, index } = this, before = rows.errors(index), after = rows.tunedErrors(index);
    const total = `of ${rows.words(index).length} ${rows.about.unit}`;
    if (this.blind || before === null) return total.slice(3);
    return `errors ${before}${after === null ? "" : ` → ${after}`} ${total}`;
  }

  align() {
    if (this.index < 0 || !this.rows.texts) return;
    this.width = byId("alignment").clientWidth;
    const { rows, index } = this, sides = this.sides();
    const columns = Listen.columns(rows.words(index), sides.map(([, side]) => side.edits[index] || []));
    const unseen = new Set((rows.rows.unseen || {})[index] || []);
    const shown = sides.filter(([, side]) => side.edits[index] !== null);
    const kept = columns.map((column) => ({ ...column,
      words: column.words.filter((_, run) => sides[run][1].edits[index] !== null) }));
    Listen.showAlignment(byId("alignment"), kept, ["reference", ...shown.map(([label]) => label)], unseen, !this.blind);
  }

  notes() {
    const { rows, index: i } = this, data = rows.rows, notes = [];
    for (const [, reference, hypothesis] of data.suspected[i] || []) {
      notes.push(`Suspected reference error: “${reference}” in the reference, “${hypothesis}” in all hypotheses.`);
    }
    const other = rows.mismatch(i);
    if (other) notes.push(`The audio fits the transcript of ${other[0]}: “${other[1]}”`);
    const unseen = (data.unseen || {})[i];
    if (unseen) notes.push(`Never trained on: ${unseen.map((at) => rows.words(i)[at]).join(", ")}.`);
    for (const [label, side] of this.sides()) {
      if (side.hypotheses[i] === null) notes.push(`${label} has no hypothesis of this utterance.`);
      if (side.loops[i]) notes.push(`${label} repeats “${side.loops[i][0]}” ${side.loops[i][1]} times.`);
      if (side.truncated.includes(i)) notes.push(`${label} ends at the token limit.`);
    }
    if (!rows.within(i)) notes.push(`Longer than max_seconds (${rows.about.limit}): not counted in the numbers above.`);
    if (rows.texts.alternatives.includes(i)) {
      notes.push("The reference has alternatives; the number of errors counts the nearest one for each run.");
    }
    return notes;
  }

  judge(n) {
    if (this.index < 0) return;
    const [judgement] = Listen.JUDGEMENTS[n];
    if (judgement === "reference_right" && this.corrects(this.current().corrected_text)) {
      this.hint("The corrected text says that the reference is wrong. Remove it to judge the reference as right.");
      return;
    }
    this.review({ judgement: this.current().judgement === judgement ? "" : judgement });
    this.showReview();
  }

  // A corrected text says that the reference is wrong, unless the person cannot tell or the audio is unusable.
  correct(text) {
    const { judgement } = this.current(), corrects = this.corrects(text);
    const wrong = corrects && (!judgement || judgement === "reference_right");
    this.review({ corrected_text: text, ...(wrong ? { judgement: "reference_wrong" } : {}) });
    this.showReview();
    if (wrong) this.hint("A corrected text says that the reference is wrong.");
    else if (text && !corrects) this.hint("This is the reference as it is: change what is wrong in it.");
  }

  corrects(text) { return Listen.Reviews.corrects(text, this.rows.rows.texts[this.index]); }

  hint(text) { byId("hint").textContent = text; }

  current() { return this.reviews.get(this.rows.about.name, this.rows.rows.ids[this.index]); }

  review(changes) {
    const sample = this.rows.sample.has(this.index) ? "yes" : "no";
    const reference = this.rows.rows.texts[this.index];  // which a later manifest may have corrected
    this.reviews.set(this.rows.about.name, this.rows.rows.ids[this.index], { ...changes, sample, reference });
    this.changed(this.index);
  }

  showReview() {
    const review = this.current(), { reference } = review;
    this.hint(reference && oneLine(reference) !== oneLine(this.rows.rows.texts[this.index])
      ? `Judged when the reference was “${reference}”: judge it again.` : "");
    for (const button of byId("judgements").children) {
      button.setAttribute("aria-pressed", String(button.dataset.judgement === review.judgement));
    }
    for (const [id, text] of [["note", review.note || ""], ["corrected", review.corrected_text || ""]]) {
      if (byId(id).value !== text) byId(id).value = text;
    }
  }
};
