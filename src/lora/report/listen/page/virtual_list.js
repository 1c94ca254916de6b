// A list of any length that keeps elements only for the rows in view.
Listen.VirtualList = class {
  // `fill(item, i)` writes row i into a list item; `choose(i)` is called when a person picks a row.
  constructor(box, { height, fill, choose }) {
    Object.assign(this, { box, height, fill, items: [], selected: -1, pool: new Map() });
    this.spacer = element("div", { className: "spacer" });
    this.spacer.setAttribute("role", "presentation");
    box.append(this.spacer);
    box.addEventListener("scroll", () => this.draw(), { passive: true });
    box.addEventListener("click", (event) => {
      const item = event.target.closest("[data-place]");
      if (item) choose(this.items[Number(item.dataset.place)]);
    });
    new ResizeObserver(() => this.draw()).observe(box);
  }

  show(items) {
    this.items = items;
    this.spacer.style.height = `${items.length * this.height}px`;
    this.box.scrollTop = 0;
    this.redraw();
  }

  redraw() {
    this.pool.forEach((item) => item.remove());
    this.pool.clear();
    this.draw();
  }

  // Elements for the rows in view and some around them; those that left are used again.
  draw() {
    const first = Math.max(0, Math.floor(this.box.scrollTop / this.height) - 6);
    const last = Math.min(this.items.length, first + Math.ceil((this.box.clientHeight || 600) / this.height) + 12);
    const free = [];
    this.pool.forEach((item, place) => {
      if (place < first || place >= last) { free.push(item); this.pool.delete(place); }
    });
    for (let place = first; place < last; place++) {
      if (this.pool.has(place)) continue;
      let item = free.pop();
      if (!item) {
        item = element("div", { className: "item" });
        item.setAttribute("role", "option");
        this.spacer.append(item);
      }
      this.pool.set(place, item);
      item.dataset.place = place;
      item.id = `row-${place}`;
      item.style.transform = `translateY(${place * this.height}px)`;
      item.setAttribute("aria-posinset", place + 1);
      item.setAttribute("aria-setsize", this.items.length);
      this.fill(item, this.items[place]);
      this.mark(item, place);
    }
    free.forEach((item) => item.remove());
  }

  mark(item, place) {
    item.setAttribute("aria-selected", String(this.items[place] === this.selected));
  }

  select(i) {
    this.selected = i;
    const place = this.items.indexOf(i);
    if (place >= 0) {
      const top = place * this.height, view = this.box.clientHeight;
      if (top < this.box.scrollTop) this.box.scrollTop = top;
      else if (top + this.height > this.box.scrollTop + view) this.box.scrollTop = top + this.height - view;
    }
    this.draw();
    this.pool.forEach((item, at) => this.mark(item, at));
    if (this.pool.has(place)) this.box.setAttribute("aria-activedescendant", `row-${place}`);
    else this.box.removeAttribute("aria-activedescendant");
  }

  refresh(i) {
    const item = this.pool.get(this.items.indexOf(i));
    if (item) this.fill(item, i);
  }

  // The row `step` places after the selected one; the first where none is selected.
  neighbour(step) {
    const place = this.items.indexOf(this.selected);
    return this.items[place < 0 ? 0 : Math.min(this.items.length - 1, Math.max(0, place + step))];
  }
};
