"use strict";

// A click on a number shows its evidence in front of the page. Without a script the link goes there.
const dialog = document.getElementById("shown");
const body = document.getElementById("shown-body");
document.addEventListener("click", (event) => {
  const link = event.target.closest("a.evident");
  if (!link) return;
  event.preventDefault();
  const shown = document.getElementById(link.hash.slice(1)).cloneNode(true);
  shown.removeAttribute("id");
  for (const part of shown.querySelectorAll("[id]")) part.removeAttribute("id");
  shown.querySelector("h3").id = "shown-title";
  const metric = link.dataset.metric;
  for (const part of shown.querySelectorAll("[data-metric]"))
    part.classList.toggle("chosen", part.dataset.metric === metric);
  body.replaceChildren(shown);
  dialog.showModal();
  dialog.scrollTop = 0;
});
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});

// Sort by a heading: up, then down. Places without a number stay last.
function key(row, column) {
  const place = row.cells[column];
  const text = place.dataset.sort ?? place.textContent.trim();
  const number = Number(text.replace("−", "-").replace("%", ""));
  return text === "" || Number.isNaN(number) ? { text } : { number };
}
function order(a, b) {
  if (a.number !== undefined && b.number !== undefined) return a.number - b.number;
  if (a.number === undefined && b.number === undefined) return a.text.localeCompare(b.text);
  return 0;
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("button.sort");
  if (!button) return;
  const heading = button.closest("th");
  const rows = heading.closest("table").tBodies[0];
  const sign = heading.ariaSort === "ascending" ? -1 : 1;
  for (const other of heading.parentNode.cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
  const keyed = Array.from(rows.rows, (row) => [key(row, heading.cellIndex), row]);
  const numeric = keyed.some(([one]) => one.number !== undefined);
  const last = ([one]) => numeric && one.number === undefined;
  keyed.sort((a, b) => last(a) - last(b) || sign * order(a[0], b[0]));
  rows.append(...keyed.map(([, row]) => row));
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

// While a grid runs the file is written anew; nobody who reads evidence is to be thrown out.
const seconds = Number(document.documentElement.dataset.refresh);
if (seconds) setInterval(() => { if (!dialog.open) location.reload(); }, seconds * 1000);
