"use strict";

// A click on a number shows its evidence in front of the page. Without a script the link goes there.
const dialog = document.getElementById("shown");
const shownBody = document.getElementById("shown-body");
let touched = false;
document.addEventListener("click", (event) => {
  const link = event.target.closest("a.evident");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const shown = document.createElement("div");
  const [summary, ...evidence] = document.getElementById(link.hash.slice(1)).children;
  shown.append(...summary.cloneNode(true).children, ...evidence.map((one) => one.cloneNode(true)));
  shown.querySelector("h3").id = "shown-title";
  const metric = link.dataset.metric;
  for (const part of shown.querySelectorAll("[data-metric]"))
    part.classList.toggle("chosen", part.dataset.metric === metric);
  shownBody.replaceChildren(shown);
  dialog.showModal();
  dialog.scrollTop = 0;
});
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});

// Sort by a heading: up, then down. In a column of numbers, places without one stay last.
function number(place) {
  const text = place.dataset.sort ?? place.textContent.trim().replace("−", "-").replace("%", "");
  return text === "" ? NaN : Number(text);
}
function words(a, b) {
  const [one, other] = [a, b].map((place) => place.textContent.trim());
  const [begun, otherBegun] = [one, other].map(beginning);
  return begun - otherBegun || one.localeCompare(other, "en");
}
// The number with which words begin or say how many, as "+2.89 holds" and "fails in 2 of 18"; ids,
// which may be digits alone, are none.
function beginning(text) {
  const found = /^([+−]?\d+(?:\.\d+)?) |^[a-z ]+ in (\d+) of /.exec(text);
  return found ? Number((found[1] ?? found[2]).replace("−", "-")) : 0;
}
function numbers(a, b) {
  return number(a) - number(b);
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("button.sort");
  if (!button) return;
  const heading = button.closest("th");
  const body = heading.closest("table").tBodies[0];
  const sign = heading.ariaSort === "ascending" ? -1 : 1;
  for (const other of heading.parentNode.cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
  const isNumeric = heading.classList.contains("number");
  const place = (row) => row.cells[heading.cellIndex];
  const empty = (row) => isNumeric && Number.isNaN(number(place(row)));
  const order = isNumeric ? numbers : words;
  const rows = Array.from(body.rows);
  const known = rows.filter((row) => !empty(row));
  known.sort((a, b) => sign * order(place(a), place(b)));
  body.append(...known, ...rows.filter(empty));
  touched = true;
});

// Copy, and where the browser does not let us, show what is to be copied.
const status = document.querySelector(".status");
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button.copy");
  if (!button) return;
  const source = button.nextElementSibling;
  try {
    await navigator.clipboard.writeText(source.textContent);
    status.textContent = `${button.dataset.of}: copied.`;
    const label = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = label; }, 1500);
  } catch {
    source.hidden = false;
    getSelection().selectAllChildren(source);
    status.textContent = `${button.dataset.of}: selected, to be copied.`;
  }
});

// While a grid runs the file is written anew. Nobody who reads evidence, has sorted or opened
// something, or has selected text, is to be thrown out: the page then stays until it is reloaded.
document.addEventListener("toggle", () => { touched = true; }, true);
const seconds = Number(document.documentElement.dataset.refresh);
function renew() {
  if (!dialog.open && !touched && getSelection().isCollapsed) location.reload();
}
if (seconds) setInterval(renew, seconds * 1000);
