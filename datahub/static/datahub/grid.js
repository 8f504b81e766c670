// The grid comes to life: without this file it can be read, and edited row by row.
import { FIRST, cellAt, columns, lastColumn, renew, rowsFrom, table } from "./grid-cells.js";
import { startClipboard } from "./grid-clipboard.js";
import { startColumns } from "./grid-columns.js";
import { edit } from "./grid-editor.js";
import { activate, activeCell, first } from "./grid-focus.js";
import { startKeys } from "./grid-keys.js";
import { addRow, startRows } from "./grid-rows.js";
import { canUndo, undo } from "./grid-save.js";

const memory = "datahub.place"; // where one was before the page was loaded again
const scroller = table.closest(".scroll");

function remember() {
  const cell = activeCell();
  const place = {
    path: location.pathname,
    row: cell ? cell.parentElement.id : "",
    key: cell ? columns[cell.cellIndex].uid : "",
    left: scroller.scrollLeft,
    top: scroller.scrollTop,
  };
  sessionStorage.setItem(memory, JSON.stringify(place));
}

function restore() {
  const place = JSON.parse(sessionStorage.getItem(memory) ?? "null");
  sessionStorage.removeItem(memory);
  const isReload = performance.getEntriesByType("navigation")[0]?.type !== "navigate";
  const isFromHere = document.referrer && new URL(document.referrer).pathname === location.pathname;
  if (place?.path !== location.pathname || !(isReload || isFromHere)) return;
  scroller.scrollLeft = place.left;
  scroller.scrollTop = place.top;
  const row = document.getElementById(place.row);
  const column = columns.find(({ uid }) => uid && uid === place.key);
  if (row && column) activate(cellAt(row, column.index), { focus: false });
}

// The row that the panel has saved, as it is now, comes with it.
function onPanel(event) {
  const line = document.querySelector("#panel template[data-row-saved]");
  if (event.detail.target.id !== "panel" || !line) return;
  const [fresh] = rowsFrom(line.content.querySelector("tbody").innerHTML);
  const row = document.getElementById(fresh.id);
  line.remove();
  if (row) renew(row, fresh);
}

table.setAttribute("role", "grid");
startColumns();
startRows();
startKeys();
startClipboard();
restore();
if (!activeCell()) activate(first(), { focus: false });
addEventListener("pagehide", remember);
document.addEventListener("htmx:afterSwap", onPanel);
document.querySelector("[data-add-row]")?.addEventListener("click", (event) => {
  if (lastColumn <= FIRST) return;
  event.preventDefault();
  edit(addRow().cells[FIRST + 1]);
});
const refusedButton = document.getElementById("to-refused");
refusedButton.addEventListener("click", () => activate(table.querySelector(".refused")));
for (const name of ["grid:saved", "grid:edited", "grid:moved"]) {
  table.addEventListener(name, () => { refusedButton.hidden = !table.querySelector(".refused"); });
}
const undoButton = document.getElementById("undo");
undoButton.addEventListener("click", undo);
table.addEventListener("grid:edited", () => { undoButton.hidden = !canUndo(); });
document.documentElement.classList.add("has-grid");
