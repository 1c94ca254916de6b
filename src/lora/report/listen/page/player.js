// The sound of one row: only its segment of the file, with its waveform as the position bar.
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

Listen.Player = class {
  constructor() {
    this.audio = new Audio();
    this.audio.id = "audio";
    this.audio.preload = "none";
    this.audio.hidden = true;
    document.body.append(this.audio);
    [this.start, this.end, this.seconds, this.wave] = [0, null, 0, ""];
    this.canvas = byId("wave");
    this.audio.addEventListener("timeupdate", () => this.moved());
    for (const name of ["play", "pause", "ended"]) this.audio.addEventListener(name, () => this.state());
    this.audio.addEventListener("error", () => this.silent("the browser cannot play this file"));
    byId("play").addEventListener("click", () => this.toggle());
    byId("speed").addEventListener("change", (event) => { this.audio.playbackRate = Number(event.target.value); });
    byId("position").addEventListener("input", (event) => this.seek(event.target.value / 1000 * this.seconds));
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  // Show a row: `url` null is a row without sound, for the reason `problem`; `segment` is [start, end] in the file.
  show({ url, segment, seconds, problem }) {
    this.audio.pause();
    [this.start, this.end] = segment || [0, null];
    [this.seconds, this.wave] = [seconds, ""];
    if (url) this.audio.src = segment ? `${url}#t=${this.start},${this.end}` : url;
    else this.audio.removeAttribute("src");
    this.audio.playbackRate = Number(byId("speed").value);
    this.silent(url ? "" : problem || "no sound");
    this.position = 0;
    this.state();
    this.draw();
  }

  showWaveform(wave) {
    this.wave = wave || "";
    this.draw();
  }

  silent(reason) {
    byId("silent").hidden = !reason;
    byId("silent").textContent = reason ? `No sound: ${reason}.` : "";
    byId("player").hidden = Boolean(reason);
  }

  toggle() {
    if (!this.audio.src) return;
    if (!this.audio.paused) { this.audio.pause(); return; }
    if (this.audio.ended || this.position >= this.seconds - 0.01) this.seek(0);
    this.audio.play().catch(() => {});
  }

  seek(seconds) {
    this.position = seconds;
    this.audio.currentTime = this.start + seconds;
    this.state();
    this.draw();
  }

  moved() {
    this.position = Math.min(this.seconds, Math.max(0, this.audio.currentTime - this.start));
    if (this.end !== null && this.audio.currentTime >= this.end) this.audio.pause();
    this.state();
    this.draw();
  }

  state() {
    const playing = !this.audio.paused && !this.audio.ended;
    byId("play").textContent = playing ? "❚❚" : "▶";
    byId("play").setAttribute("aria-label", playing ? "pause" : "play");
    byId("position").value = this.seconds ? Math.round(1000 * this.position / this.seconds) : 0;
    byId("position").setAttribute("aria-valuetext", `${this.position.toFixed(1)} of ${this.seconds.toFixed(1)} seconds`);
    byId("time").textContent = `${this.position.toFixed(1)} / ${this.seconds.toFixed(2)} s`;
    // Events of the element are four a second; while it plays, the position follows every frame.
    if (playing && !this.following) {
      this.following = true;
      requestAnimationFrame(() => { this.following = false; if (!this.audio.paused) this.moved(); });
    }
  }

  draw() {
    const { canvas } = this, scale = devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (!width) return;
    canvas.width = width * scale;
    canvas.height = height * scale;
    const pen = canvas.getContext("2d"), colours = getComputedStyle(canvas);
    pen.scale(scale, scale);
    const parts = this.wave.length / 2, played = this.seconds ? this.position / this.seconds : 0;
    const level = (letter) => height / 2 - (LETTERS.indexOf(letter) / 63 * 2 - 1) * (height / 2 - 2);
    for (let n = 0; n < parts; n++) {
      const high = level(this.wave[2 * n + 1]), low = level(this.wave[2 * n]);
      pen.fillStyle = colours.getPropertyValue(n / parts < played ? "--played" : "--wave");
      pen.fillRect(n * width / parts, high, Math.max(1, width / parts * 0.7), Math.max(1, low - high));
    }
    pen.fillStyle = colours.getPropertyValue("--text");
    pen.fillRect(Math.min(width - 1, played * width), 0, 1, height);
  }
};
