// The address of what is shown: `#m=<manifest>&r=<run>&f=<queue>&u=<id>`, and `s` (sort), `q` (search); each part may be
// missing.
Listen.Address = class {
  constructor(study) {
    Object.assign(this, { study, wanted: "", written: -Infinity, timer: null, known: location.hash });
  }

  // What the address names; what it does not name, or names wrongly, gets a default.
  read() {
    clearTimeout(this.timer);
    Object.assign(this, { timer: null, known: location.hash });
    const given = new URLSearchParams(location.hash.slice(1)), { study } = this;
    const manifests = study.manifests.map((one) => one.name);
    const manifest = [given.get("m"), study.manifest, manifests[0]].find((name) => manifests.includes(name));
    const { runs } = study.manifests.find((one) => one.name === manifest);
    const known = (list, part) => (list.some((one) => one.key === given.get(part)) ? given.get(part) : "");
    return {
      manifest,
      run: [given.get("r"), study.run, runs[1], runs[0]].find((name) => runs.includes(name)),
      queue: known(Listen.QUEUES, "f") || (given.get("u") ? "all" : ""),
      id: given.get("u"),
      sort: known(Listen.SORTS, "s"),
      query: given.get("q") || "",
    };
  }

  // Browsers refuse more than some hundred changes of the address in a few seconds, as a held key makes them.
  write({ manifest, run, queue, id, sort, query }) {
    const parts = Object.entries({ m: manifest, r: run, f: queue, u: id, s: sort, q: query });
    this.wanted = parts.filter(([, value]) => value).map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join("&");
    const wait = this.written + 200 - performance.now();
    if (wait <= 0) this.replace();
    else this.timer ??= setTimeout(() => this.replace(), wait);
  }

  replace() {
    clearTimeout(this.timer);
    this.timer = null;
    if (location.hash !== this.known) return; // A link or a person has just changed it, and `hashchange` is on its way.
    history.replaceState(null, "", `#${this.wanted}`);
    Object.assign(this, { written: performance.now(), known: location.hash });
  }
};
