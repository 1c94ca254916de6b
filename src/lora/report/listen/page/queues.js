// Queues: each asks one question and lists the rows that answer it. Rows beyond `max_seconds` are in their own queue, in
// the queue of mismatched transcripts, and in `all`, so that counts are those of the report.
Listen.QUEUES = [
  { key: "worse", name: "got worse", sort: "loss", compares: true, has: (r, i) => r.within(i) && r.change(i) > 0 },
  { key: "better", name: "got better", sort: "gain", compares: true, has: (r, i) => r.within(i) && r.change(i) < 0 },
  { key: "both_wrong", name: "both wrong", alone: "wrong", sort: "errors",
    has: (r, i) => r.within(i) && r.errors(i) > 0 && (!r.run || r.tunedErrors(i) > 0) },
  { key: "reference_errors", name: "suspected references", has: (r, i) => i in r.rows.suspected },
  { key: "mismatched", name: "transcripts of other rows", has: (r, i) => r.mismatch(i) !== null },
  { key: "unseen_words", name: "words never trained on", has: (r, i) => r.rows.unseen !== null && i in r.rows.unseen },
  { key: "beyond_limit", name: "beyond the limit", sort: "duration", has: (r, i) => !r.within(i) },
  { key: "loops", name: "loops", has: (r, i) => r.within(i) && r.loops(i).some(Boolean) },
  { key: "sample", name: "random sample", sort: "random", has: (r, i) => r.sample.has(i) },
  { key: "all", name: "all", has: () => true },
];

// Sorts compare two rows; equal rows stay in the order of the manifest.
Listen.SORTS = [
  { key: "loss", name: "most errors added", order: (r) => (a, b) => (r.change(b) ?? -1e9) - (r.change(a) ?? -1e9) },
  { key: "gain", name: "most errors fixed", order: (r) => (a, b) => (r.change(a) ?? 1e9) - (r.change(b) ?? 1e9) },
  { key: "errors", name: "most errors", order: (r) => (a, b) => Listen.sum(r, b) - Listen.sum(r, a) },
  { key: "duration", name: "longest", order: (r) => (a, b) => r.rows.seconds[b] - r.rows.seconds[a] },
  { key: "speaker", name: "speaker", order: (r) => (a, b) => r.rows.speaker[a] - r.rows.speaker[b] },
  { key: "manifest", name: "order of the manifest", order: () => (a, b) => a - b },
  { key: "random", name: "by chance", order: (r) => (a, b) => Listen.hash(r.rows.ids[a]) - Listen.hash(r.rows.ids[b]) },
];

Listen.sum = (rows, i) => (rows.errors(i) || 0) + (rows.tunedErrors(i) || 0);

// FNV-1a: a number that depends on a text alone.
Listen.hash = (text) => {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return (value ^ (value >>> 15)) >>> 0;
};

// Rows of every queue, and rows within the limit that have `same` errors in both runs.
Listen.counts = (rows) => {
  const counts = Object.fromEntries([...Listen.QUEUES.map((queue) => [queue.key, 0]), ["same", 0]]);
  for (let i = 0; i < rows.length; i++) {
    for (const queue of Listen.QUEUES) if (queue.has(rows, i)) counts[queue.key]++;
    if (rows.within(i) && rows.change(i) === 0) counts.same++;
  }
  return counts;
};
