"use strict";
// Sorting of tables, opening of details, and the marked chapter in the contents. The page is complete without it.

// The first number of a cell, or null: "1,210 rows" is 1210, "-10.76 points" is -10.76, "p < 0.001" is 0.001.
function firstNumber(text) {
  const found = text.replace(/(\d),(?=\d{3})/g, "$1").match(/[-+]?\d+(\.\d+)?([eE][-+]?\d+)?/);
  return found ? Number(found[0]) : null;
}

function compareCells(first, second) {
  const numbers = [firstNumber(first), firstNumber(second)];
  if (numbers[0] !== null && numbers[1] !== null) return numbers[0] - numbers[1];
  if (numbers[0] !== null || numbers[1] !== null) return numbers[0] !== null ? -1 : 1;
  return first.localeCompare(second);
}

function sortTable(table, header, column) {
  const direction = header.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", direction);
  const isNumber = header.classList.contains("number");
  const rows = [...table.tBodies[0].rows];
  rows.sort((a, b) => {
    const texts = [a.cells[column].textContent.trim(), b.cells[column].textContent.trim()];
    const order = isNumber ? compareCells(...texts) : texts[0].localeCompare(texts[1], "en", { numeric: true });
    return direction === "ascending" ? order : -order;
  });
  table.tBodies[0].append(...rows);
}

for (const table of document.querySelectorAll("section:not(.verdict) table")) {
  if (!table.tBodies.length || table.tBodies[0].rows.length < 3) continue;
  [...table.tHead.rows[0].cells].forEach((header, column) => {
    if (!header.textContent.trim()) return;
    const button = document.createElement("button");
    button.type = "button";
    button.title = "Sort by this column";
    button.append(...header.childNodes);
    button.addEventListener("click", () => sortTable(table, header, column));
    header.append(button);
  });
}

// A wide table scrolls in its own frame, which the keyboard must reach.
function markScrolled() {
  for (const frame of document.querySelectorAll(".table, pre")) {
    if (frame.scrollWidth > frame.clientWidth) frame.tabIndex = 0;
    else frame.removeAttribute("tabindex");
  }
}

// On a phone the contents would fill the first screen.
const contents = document.getElementById("contents");
const phone = window.matchMedia("(max-width: 40rem)");
function foldContents() {
  contents.open = !phone.matches;
}
phone.addEventListener("change", foldContents);
foldContents();

const details = [...document.querySelectorAll("main details")];
function openAll(open) {
  for (const one of details) one.open = open;
  markScrolled();
}
document.querySelector(".folds").hidden = !details.length;
document.getElementById("open-all").addEventListener("click", () => openAll(true));
document.getElementById("close-all").addEventListener("click", () => openAll(false));
window.addEventListener("beforeprint", () => openAll(true));
for (const one of details) one.addEventListener("toggle", markScrolled);
window.addEventListener("resize", markScrolled);

function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.tagName === "DETAILS") target.open = true;
}
window.addEventListener("hashchange", openTarget);

const links = new Map([...document.querySelectorAll("nav li a")].map((link) => [link.hash.slice(1), link]));
const watcher = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const link of links.values()) {
        link.classList.remove("here");
        link.removeAttribute("aria-current");
      }
      const link = links.get(entry.target.id);
      link.classList.add("here");
      link.setAttribute("aria-current", "true");
    }
  },
  { rootMargin: "0px 0px -75% 0px" },
);
for (const section of document.querySelectorAll("main > section")) watcher.observe(section);

openTarget();
markScrolled();
