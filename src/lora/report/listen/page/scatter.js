// Errors of the baseline against errors of the run: one circle per pair of numbers.
Listen.Scatter = class {
  // `choose(x, y)` is called with the numbers of a clicked circle.
  constructor(svg, choose) {
    Object.assign(this, { svg, choose });
  }

  static MOST = 15; // the last place of both axes counts this number and more

  // `pairs` are [baseline errors, run errors]; `chosen` is [x, y] with null for any number.
  show(pairs, chosen, labels) {
    const most = Math.min(Listen.Scatter.MOST, Math.max(1, ...pairs.map((pair) => Math.max(...pair))));
    const cells = new Map();
    for (const [x, y] of pairs) {
      const key = Math.min(x, most) * 100 + Math.min(y, most);
      cells.set(key, (cells.get(key) || 0) + 1);
    }
    const largest = Math.max(1, ...cells.values());
    const size = 230, left = 34, bottom = 34, step = (size - 10) / (most + 1);
    const at = (x, y) => [left + (x + 0.5) * step, size - (y + 0.5) * step];
    this.svg.setAttribute("viewBox", `0 0 ${left + size} ${size + bottom}`);
    const parts = [this.made("line", { class: "same", x1: left, y1: size, x2: left + size - 10, y2: 10 })];
    const every = Math.ceil(most / 5), open = most === Listen.Scatter.MOST;
    for (let n = 0; n <= most; n += every) {
      const name = n === most && open ? `${n}+` : String(n);
      parts.push(this.made("text", { x: at(n, 0)[0], y: size + 13, "text-anchor": "middle" }, name));
      parts.push(this.made("text", { x: left - 6, y: at(0, n)[1] + 4, "text-anchor": "end" }, name));
    }
    parts.push(this.made("text", { x: left + size / 2, y: size + 29, "text-anchor": "middle" }, `${labels[0]} errors`));
    parts.push(this.made("text", { x: -size / 2, y: 11, transform: "rotate(-90)", "text-anchor": "middle" },
      `${labels[1]} errors`));
    for (const [key, number] of cells) {
      const x = Math.floor(key / 100), y = key % 100;
      const radius = Math.max(3, Math.sqrt(number / largest) * Math.min(14, step * 0.8));
      const picked = (chosen[0] === x || chosen[0] === null) && (chosen[1] === y || chosen[1] === null);
      const kind = y > x ? "worse" : y < x ? "better" : "equal";
      const circle = this.made("circle", { class: `${kind}${picked ? "" : " faint"}`, cx: at(x, y)[0], cy: at(x, y)[1],
        r: radius }, this.made("title", {}, `${labels[0]} ${x}, ${labels[1]} ${y}: ${counted(number)} utterances`));
      circle.addEventListener("click", () => this.choose(x, y));
      parts.push(circle);
    }
    this.svg.replaceChildren(...parts);
  }

  made(tag, attributes, ...children) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }
};
