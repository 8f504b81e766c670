// Rows: picking and deleting them, adding one at the end, fetching those that come next, opening one beside the grid.
import { ask } from "./ask.js";
import {
  FIRST, body, columns, idOf, isRow, lastColumn, more, rows, rowsFrom, table,
} from "./grid-cells.js";
import { activate, first } from "./grid-focus.js";
import { remove } from "./grid-save.js";
import { say, tell } from "./words.js";

const HELD_MAX = Number(table?.dataset.heldMax); // rows; a page of more would become slow
const bar = document.getElementById("picked");
let fetching = null;
let lastPicked = null;

const box = (row) => row.cells[FIRST].querySelector("input");
export const pickedRows = () => rows().filter((row) => idOf(row) && box(row)?.checked);

export function openRow(row) {
  const link = row.cells[FIRST].querySelector("a");
  if (!link) return tell(say("notYetARow"));
  const address = new URL(link.href);
  address.searchParams.set("columns", table.dataset.columns); // what the row in the grid is to show afterwards
  address.searchParams.set("next", location.pathname + location.search);
  return window.htmx.ajax("GET", address.href, { source: "#panel", target: "#panel", swap: "innerHTML" });
}

// A row that is not in the database yet: it is sent once a cell of it is filled in, and nothing that it needs is missing.
export function addRow() {
  const blank = [...body.querySelectorAll(".draft")].find((each) => !each.querySelector("[data-draft]"));
  return blank ?? newRow();
}

export function newRow() {
  const row = document.createElement("tr");
  row.className = "draft";
  for (const { th, index } of columns) {
    const cell = document.createElement(index === FIRST ? "th" : "td");
    if (index === FIRST) {
      cell.className = "pick";
      cell.scope = "row";
      cell.textContent = more() ? "•" : String(numberAtEnd() + 1);
    } else if (th.classList.contains("number")) {
      cell.className = "number";
    }
    row.append(cell);
  }
  body.insertBefore(row, more());
  body.querySelector(".none")?.remove();
  return row;
}

export function pick(row, isOn, { extend = false } = {}) {
  const all = rows();
  const range = extend && lastPicked?.isConnected
    ? all.slice(Math.min(all.indexOf(row), all.indexOf(lastPicked)), Math.max(all.indexOf(row), all.indexOf(lastPicked)) + 1)
    : [row];
  for (const each of range) {
    if (!box(each)) continue;
    box(each).checked = isOn;
    markPicked(each, isOn);
  }
  lastPicked = row;
  showPicked();
}

function markPicked(row, isOn) {
  row.classList.toggle("picked", isOn);
  if (isOn) row.setAttribute("aria-selected", "true");
  else row.removeAttribute("aria-selected");
}

export async function deletePicked() {
  const doomed = pickedRows();
  if (!doomed.length) return;
  const answer = await ask({
    title: say(doomed.length === 1 ? "deleteRow" : "deleteRows", { count: doomed.length.toLocaleString() }),
    text: say("deleteText"),
    answers: [{ value: "delete", text: say("delete"), kind: "danger" }],
  });
  if (answer !== "delete") return;
  if (await remove(doomed)) tell(say("deleted", { count: doomed.length.toLocaleString() }));
}

// Fetch the next rows; tells whether there were any.
export function fetchMore() {
  const row = more();
  if (!row || rows().length >= HELD_MAX) return Promise.resolve(false);
  fetching ??= fetchRows(row).finally(() => { fetching = null; });
  return fetching;
}

async function fetchRows(row) {
  const address = new URL(row.querySelector("a").href);
  address.searchParams.set("shown-columns", table.dataset.columns);
  try {
    const response = await fetch(address, { headers: { "HX-Request": "true", "HX-Target": "more" } });
    if (!response.ok || response.redirected) throw new Error(response.status);
    row.replaceWith(...rowsFrom(await response.text()));
  } catch {
    tell(say("noMore"), { bad: true });
    end.disconnect(); // until one asks again: by the link, or by pasting
    return false;
  }
  settleRows();
  return true;
}

// After rows came: none stands twice, and Tab goes from cell to cell, not from link to link.
function settleRows() {
  const seen = new Map();
  for (const row of body.querySelectorAll("tr[id^=row-]")) {
    if (seen.has(row.id)) row.remove(); // one that was added here, and now has come in its place as well
    seen.set(row.id, row);
    for (const each of row.cells[FIRST].children) each.tabIndex = -1;
  }
  for (const row of body.querySelectorAll(".draft")) {
    if (!row.contains(document.activeElement)) body.insertBefore(row, more()); // the end is further on now
  }
  showHeld();
  showPicked();
  watchEnd();
}

const end = new IntersectionObserver(
  (entries) => {
    if (entries.some((entry) => entry.isIntersecting)) fetchMore();
  },
  { root: table?.closest(".scroll"), rootMargin: "0px 0px 1200px 0px" },
);

function watchEnd() {
  end.disconnect();
  const row = more();
  if (row && rows().length < HELD_MAX) end.observe(row);
}

function numberAtEnd() {
  const last = rows().at(-1);
  return Number(last?.cells[FIRST].textContent) || (last ? rows().length : Number(table.dataset.first) - 1);
}

function showHeld() {
  const held = document.getElementById("held");
  const count = rows().filter(idOf).length;
  if (held) held.textContent = say(more() ? "heldSome" : "heldAll", { count: count.toLocaleString() });
}

function showPicked() {
  const count = pickedRows().length;
  bar.hidden = !count;
  bar.querySelector("output").textContent = say(count === 1 ? "pickedOne" : "pickedMany", { count: count.toLocaleString() });
  const all = columns[FIRST].th.querySelector("input");
  all.checked = count > 0 && count === rows().filter(idOf).length;
  all.indeterminate = count > 0 && !all.checked;
}

export function startRows() {
  settleRows();
  body.addEventListener("click", (event) => {
    if (event.target.matches(".pick input")) pick(event.target.closest("tr"), event.target.checked, { extend: event.shiftKey });
    const link = event.target.closest(".pick a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    openRow(link.closest("tr"));
  });
  columns[FIRST].th.querySelector("input").addEventListener("change", (event) => {
    for (const row of rows().filter(idOf)) {
      box(row).checked = event.target.checked;
      markPicked(row, event.target.checked);
    }
    showPicked();
  });
  bar.querySelector("[data-delete]").addEventListener("click", deletePicked);
  bar.querySelector("[data-let-go]").addEventListener("click", () => {
    for (const row of pickedRows()) pick(row, false);
    activate(first());
  });
  for (const name of ["grid:removed", "grid:saved"]) {
    table.addEventListener(name, () => {
      showHeld();
      showPicked();
      document.body.dispatchEvent(new CustomEvent("rows-changed"));
    });
  }
  table.addEventListener("grid:moved", ({ detail: cell }) => {
    for (const row of body.querySelectorAll(".draft:not(:has([data-draft], .editing))")) {
      if (!row.contains(cell)) row.remove(); // nothing was typed there
    }
  });
  addEnd();
}

// The line at the foot, where a new row begins.
function addEnd() {
  const foot = table.createTFoot().insertRow();
  foot.className = "new";
  for (const { index } of columns) {
    const cell = document.createElement(index === FIRST ? "th" : "td");
    if (index === FIRST) Object.assign(cell, { className: "pick", scope: "row", textContent: "+" });
    if (index === Math.min(1, lastColumn) && index > 0) {
      cell.append(Object.assign(document.createElement("span"), { textContent: say("addRow") }));
    }
    foot.append(cell);
  }
}
