// What is shown: the state of the page, its controls, and its keys.
Listen.main = () => {
  const study = Listen.data.get("study");
  const reviews = new Listen.Reviews(study.key);
  const state = { manifest: "", run: "", queue: "", id: null, query: "", sort: "", cell: [null, null], blind: false };
  const address = new Listen.Address(study);
  let rows = null, counts = {};

  const details = new Listen.Details(reviews, (i) => { list.refresh(i); showReviewed(); });
  details.waveforms = study.waveforms;
  const scatter = new Listen.Scatter(byId("scatter"), (x, y) => filterCell(x, y));
  const list = new Listen.VirtualList(byId("list"), { height: 54, fill, choose: (i) => select(i, true) });

  // One list item: errors, text, and what the row is.
  function fill(item, i) {
    if (!item.firstChild) {
      item.append(element("span", { className: "change" }), element("span", { className: "text", dir: "auto" }),
        element("span", { className: "about" }), element("span", { className: "judged" }));
    }
    const [change, text, about, judged] = item.children;
    const before = rows.errors(i), after = rows.tunedErrors(i), added = rows.change(i);
    const sign = added === null ? "?" : added > 0 ? `+${added}` : added < 0 ? `−${-added}` : "=";
    const numbers = after === null ? [before ?? "?", ""] : [sign, `${before ?? "?"}→${after}`];
    change.replaceChildren(...(state.blind ? [] : [element("b", {}, String(numbers[0])), ` ${numbers[1]}`]));
    change.className = `change ${state.blind ? "" : added > 0 ? "worse" : added < 0 ? "better" : ""}`;
    text.textContent = rows.rows.texts[i] || "(silence)";
    about.textContent = [rows.rows.ids[i], `${rows.rows.seconds[i].toFixed(2)} s`, rows.speaker(i)].filter(Boolean).join(" · ");
    const { judgement } = reviews.get(rows.about.name, rows.rows.ids[i]);
    const number = Listen.JUDGEMENTS.findIndex(([key]) => key === judgement);
    judged.textContent = number < 0 ? "" : ["✓", "✗", "?", "⌀"][number];
    judged.title = number < 0 ? "" : Listen.JUDGEMENTS[number][1];
  }

  const about = () => study.manifests.find((manifest) => manifest.name === state.manifest);
  const candidates = () => about().runs.slice(1);

  const writeAddress = () => address.write(state);

  // Whether the page may show which run is better.
  const compares = () => rows.run !== null && !state.blind;

  // The first queue with rows, where none is chosen or the chosen one compares runs that are not shown.
  function chooseQueue() {
    const chosen = Listen.QUEUES.find((queue) => queue.key === state.queue && (!queue.compares || compares()));
    const first = (key) => counts[key] && (key !== "worse" || compares());
    state.queue = chosen ? chosen.key : ["worse", "both_wrong", "all"].find(first) || "all";
  }

  // Load what the state names, then show it.
  async function open() {
    const { name, runs } = about(), shown = state.run;
    try {
      const opened = await Listen.Rows.open(about(), shown === runs[0] ? null : shown);
      if (name !== state.manifest || shown !== state.run) return;
      rows = opened;
      if (state.query) await rows.loadTexts();
    } catch (error) {
      fail(error.message);
      return;
    }
    counts = Listen.counts(rows);
    state.blind &&= rows.run !== null;
    chooseQueue();
    showHead();
    find();
    const wanted = state.id, i = rows.number.get(wanted);
    select(i ?? list.items[0], i !== undefined);
    if (wanted !== null && i === undefined) byId("message").textContent = `No utterance ${wanted} in ${name}.`;
  }

  function showHead() {
    const manifest = about();
    options(byId("manifest"), study.manifests.map((one) => [one.name, one.name]), state.manifest);
    options(byId("run"), [...candidates(), manifest.runs[0]].map((run) =>
      [run, run === manifest.runs[0] ? `${run} alone` : run]), state.run);
    byId("headline").textContent = state.blind ? `${state.manifest}: which run is which is hidden`
      : manifest.headlines[state.run];
    byId("subtitle").textContent = [manifest.counted,
      ...(rows.run && !state.blind ? [`${counted(counts.better)} better`, `${counted(counts.worse)} worse`,
        `${counted(counts.same)} with as many errors`] : []),
      ...(counts.beyond_limit ? [`${counted(counts.beyond_limit)} longer than ${manifest.limit}`] : [])].join(" · ");
    document.body.classList.toggle("blind", state.blind);
    byId("blind").disabled = !rows.run;
    byId("blind").setAttribute("aria-pressed", String(state.blind));
    byId("run").disabled = state.blind;
    byId("sort").disabled = state.blind;
    byId("queues").replaceChildren(...Listen.QUEUES.filter((queue) => !queue.compares || compares()).map((queue) => {
      const name = queue.key === "beyond_limit" && manifest.limit ? `longer than ${manifest.limit}` : queue.name;
      const button = element("button", { type: "button" }, `${(!rows.run && queue.alone) || name} `,
        element("span", {}, counted(counts[queue.key])));
      button.dataset.queue = queue.key;
      button.classList.toggle("empty", !counts[queue.key]);
      button.setAttribute("aria-pressed", String(queue.key === state.queue));
      button.addEventListener("click", () => {
        Object.assign(state, { queue: queue.key, sort: "", cell: [null, null] });
        showHead();
        find();
        selectFirst();
      });
      return button;
    }));
    options(byId("sort"), Listen.SORTS.filter((sort) => rows.run || !["loss", "gain"].includes(sort.key))
      .map((sort) => [sort.key, sort.name]), sortKey());
    byId("search").value = state.query;
    byId("scatter-box").hidden = !compares();
    byId("x-label").textContent = manifest.runs[0];
    byId("y-label").textContent = state.run;
    showReviewed();
  }

  function sortKey() {
    const usual = Listen.QUEUES.find((queue) => queue.key === state.queue).sort || (rows.run ? "loss" : "errors");
    return state.blind ? "random" : state.sort || usual;
  }

  // The rows of the queue that match all filters, in order.
  function find() {
    const queue = Listen.QUEUES.find((one) => one.key === state.queue);
    const inQueue = [];
    for (let i = 0; i < rows.length; i++) if (queue.has(rows, i)) inQueue.push(i);
    const matches = rows.matches(state.query), most = Listen.Scatter.MOST;
    const equal = (number, wanted) => wanted === null || (wanted >= most ? number >= wanted : number === wanted);
    const found = inQueue.filter((i) => matches(i)
      && equal(rows.errors(i), state.cell[0]) && (!rows.run || equal(rows.tunedErrors(i), state.cell[1]))
      && !(byId("unreviewed").checked && reviews.get(rows.about.name, rows.rows.ids[i]).judgement));
    found.sort(Listen.SORTS.find((sort) => sort.key === sortKey()).order(rows));
    list.show(found);
    byId("found").textContent = found.length === inQueue.length ? "" : `${counted(found.length)} of ${counted(inQueue.length)}`;
    if (!found.length) byId("found").textContent = inQueue.length ? "no utterance matches" : "no utterance in this queue";
    performance.mark("list-ready");
    showScatter();
  }

  function showScatter() {
    if (!compares()) return;
    const pairs = [];
    for (let i = 0; i < rows.length; i++) if (rows.change(i) !== null) pairs.push([rows.errors(i), rows.tunedErrors(i)]);
    scatter.show(pairs, state.cell, [about().runs[0], state.run]);
    byId("x").value = state.cell[0] ?? "";
    byId("y").value = state.cell[1] ?? "";
  }

  // List the utterances with these numbers of errors, of all queues: null is any number.
  function filterCell(x, y) {
    Object.assign(state, { cell: [x, y], queue: "all", sort: "" });
    showHead();
    find();
    selectFirst();
  }

  function selectFirst() {
    select(list.items[0], false);
  }

  // Show row i; `reads` is false where the page chose it: then a phone stays with the list.
  function select(i, reads) {
    if (i === undefined) { writeAddress(); return; }
    byId("message").textContent = "";
    list.select(i);
    state.id = rows.rows.ids[i];
    writeAddress();
    details.show(rows, i, state.blind).catch((error) => fail(error.message));
    if (reads) document.body.classList.add("reading");
  }

  function showReviewed() {
    byId("reviewed").textContent = counted(reviews.judged.length);
    if (!reviews.stored) byId("message").textContent = "This browser keeps nothing from this page: export your reviews before you close it.";
  }

  function setBlind(blind) {
    if (!rows || !rows.run) return;
    state.blind = blind;
    state.cell = [null, null];
    chooseQueue();
    showHead();
    find();
    if (rows.number.has(state.id)) select(rows.number.get(state.id), false);
  }

  // The references of all judged rows, by manifest and id.
  async function references() {
    const judged = new Set(reviews.judged.map(([name]) => JSON.parse(name)[0]));
    const found = new Map();
    for (const { name } of study.manifests.filter((manifest) => judged.has(manifest.name))) {
      const { ids, texts } = await Listen.load(`${name}/rows`);
      found.set(name, new Map(ids.map((id, i) => [id, texts[i]])));
    }
    return (manifest, id) => found.get(manifest)?.get(id);
  }

  async function download() {
    const table = reviews.table(await references());
    const url = URL.createObjectURL(new Blob([table], { type: "text/tab-separated-values" }));
    const link = element("a", { href: url, download: `reviews-${study.key}.tsv` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
    const left = reviews.unjudged ? `; ${counted(reviews.unjudged)} notes without a judgement are not in it` : "";
    byId("message").textContent = `${counted(reviews.judged.length)} reviews exported${left}. Name the file under "reviews" in config.yaml.`;
  }

  async function upload(file) {
    try {
      const number = reviews.read(await file.text());
      byId("message").textContent = `${counted(number)} reviews imported from ${file.name}.`;
    } catch (error) {
      byId("message").textContent = `${file.name} was not imported: ${error.message}.`;
    }
    showReviewed();
    list.redraw();
    if (details.index >= 0) details.showReview();
  }

  function fail(text) {
    byId("failure").hidden = false;
    byId("failure").textContent = text;
  }

  function options(select, pairs, chosen) {
    select.replaceChildren(...pairs.map(([value, name]) => element("option", { value, selected: value === chosen }, name)));
  }

  byId("manifest").addEventListener("change", (event) => {
    Object.assign(state, { manifest: event.target.value, id: null, queue: "", cell: [null, null] });
    if (!about().runs.includes(state.run)) state.run = about().runs[1] || about().runs[0];
    open();
  });
  byId("run").addEventListener("change", (event) => {
    Object.assign(state, { run: event.target.value, cell: [null, null] });
    open();
  });
  byId("sort").addEventListener("change", (event) => { state.sort = event.target.value; find(); selectFirst(); });
  byId("search").addEventListener("input", async (event) => {
    state.query = event.target.value;
    await rows.loadTexts();
    find();
    selectFirst();
  });
  byId("unreviewed").addEventListener("change", () => { find(); selectFirst(); });
  for (const [place, id] of ["x", "y"].entries()) {
    byId(id).addEventListener("change", (event) => {
      state.cell[place] = event.target.value === "" ? null : Number(event.target.value);
      filterCell(...state.cell);
    });
  }
  byId("clear-cell").addEventListener("click", () => filterCell(null, null));
  byId("blind").addEventListener("click", () => setBlind(!state.blind));
  byId("export").addEventListener("click", () => download().catch((error) => fail(error.message)));
  byId("import").addEventListener("click", () => byId("import-file").click());
  byId("import-file").addEventListener("change", (event) => { if (event.target.files[0]) upload(event.target.files[0]); event.target.value = ""; });
  byId("back").addEventListener("click", () => document.body.classList.remove("reading"));
  window.addEventListener("hashchange", () => { Object.assign(state, address.read()); open(); });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.closest("input:not([type=range]):not([type=checkbox]), textarea, select");
    if (typing) { if (event.key === "Escape") event.target.blur(); return; }
    const actions = {
      j: () => select(list.neighbour(1), true), k: () => select(list.neighbour(-1), true),
      b: () => setBlind(!state.blind), "/": () => byId("search").focus(),
    };
    if (event.target === byId("list")) Object.assign(actions, { ArrowDown: actions.j, ArrowUp: actions.k });
    if (!event.target.closest("button, summary, a")) actions[" "] = () => details.player.toggle();
    if (/^[1-4]$/.test(event.key)) actions[event.key] = () => details.judge(Number(event.key) - 1);
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  });

  Object.assign(state, address.read());
  open();
};

// Data of the study is in the script after this one.
document.addEventListener("DOMContentLoaded", () => {
  if (Listen.data.has("study")) { Listen.main(); return; }
  byId("failure").hidden = false;
  byId("failure").textContent = "data/study.js cannot be read: keep the folder of this page complete.";
});
