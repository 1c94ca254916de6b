// The rows of one manifest with the baseline and the run that is shown.
Listen.Rows = class {
  // `about` describes the manifest; `run` is the name of the run, null for the baseline alone. What the list shows is
  // loaded first: texts arrive with `loadTexts`.
  static async open(about, run) {
    const files = [`${about.name}/rows`, `${about.name}/${about.runs[0]}.run`];
    if (run) files.push(`${about.name}/${run}.run`);
    return new Listen.Rows(about, run, ...await Promise.all(files.map((file) => Listen.load(file))));
  }

  constructor(about, runName, rows, base, run = null) {
    Object.assign(this, { about, runName, rows, base, run, texts: null });
    this.length = rows.ids.length;
    this.number = new Map(rows.ids.map((id, i) => [id, i]));
    this.beyond = new Set(rows.beyond);
    this.sample = new Set(rows.sample);
    this.haystacks = null;
  }

  // Words, sound, hypotheses and errors of all rows: `texts`, and `hypotheses` and `edits` of both runs.
  loadTexts() {
    this.loading ??= (async () => {
      const { name, runs } = this.about;
      const files = [`${name}/texts`, `${name}/${runs[0]}.texts`];
      if (this.run) files.push(`${name}/${this.runName}.texts`);
      const [texts, base, run] = await Promise.all(files.map((file) => Listen.load(file)));
      Object.assign(this.base, base);
      if (this.run) Object.assign(this.run, run);
      this.texts = texts;
    })();
    return this.loading;
  }

  errors(i) { return this.base.errors[i]; }
  tunedErrors(i) { return this.run ? this.run.errors[i] : null; }

  // Errors that the run adds (above 0) or removes (below 0); null where one side has no hypothesis.
  change(i) {
    const before = this.errors(i), after = this.tunedErrors(i);
    return before === null || after === null ? null : after - before;
  }

  speaker(i) { return this.rows.speaker[i] < 0 ? "" : this.rows.speakers[this.rows.speaker[i]]; }
  words(i) { return this.texts.words[i] === "" ? [] : this.texts.words[i].split(" "); }
  within(i) { return !this.beyond.has(i); }
  mismatch(i) { return this.base.mismatched[i] || (this.run && this.run.mismatched[i]) || null; }
  loops(i) { return [this.base, this.run].map((side) => (side ? side.loops[i] || null : null)); }

  // A test for rows whose id, speaker or any text contains every word of the query; needs the texts.
  matches(query) {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return () => true;
    if (!this.haystacks) {
      this.haystacks = this.rows.ids.map((id, i) => [
        id, this.speaker(i), this.rows.texts[i], this.texts.words[i],
        this.base.hypotheses[i] || "", this.run ? this.run.hypotheses[i] || "" : "",
      ].join("\n").toLowerCase());
    }
    return (i) => words.every((word) => this.haystacks[i].includes(word));
  }
};
