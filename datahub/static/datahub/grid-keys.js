// The keyboard and the mouse on cells, while none is edited.
import { FIRST, cellAt, columnOf, columns, isDraft, isRow, lastColumn, rowBeside, rows, table, uncover, idOf } from "./grid-cells.js";
import { clearBlock } from "./grid-clipboard.js";
import { edit, finish, isEditing, toggle } from "./grid-editor.js";
import { activate, activeCell, block, collapse, extendTo, first, move, moveOn } from "./grid-focus.js";
import { addRow, deletePicked, openRow, pick, pickedRows } from "./grid-rows.js";
import { forget, isBusy, isLost, undo } from "./grid-save.js";
import { resize } from "./grid-columns.js";
import { say, tell } from "./words.js";

let isLeaving = false; // Escape was pressed: the next Tab goes on in the page
let dragging = null;
let touched = false; // by a finger, the last time

const page = () => Math.max(1, Math.floor(table.closest(".scroll").clientHeight / activeCell().offsetHeight) - 3);
const isSwitch = (cell) => columnOf(cell).editor === "switch" && isRow(cell.parentElement);

const MOVES = {
  ArrowUp: (event) => goUp(event),
  ArrowDown: (event) => move(event.ctrlKey || event.metaKey ? Infinity : 1, 0, { extend: event.shiftKey }),
  ArrowLeft: (event) => move(0, event.ctrlKey || event.metaKey ? -columns.length : -1, { extend: event.shiftKey }),
  ArrowRight: (event) => move(0, event.ctrlKey || event.metaKey ? columns.length : 1, { extend: event.shiftKey }),
  Home: (event) => toEdge(event, -1),
  End: (event) => toEdge(event, 1),
  PageUp: (event) => move(-page(), 0, { extend: event.shiftKey }),
  PageDown: (event) => move(page(), 0, { extend: event.shiftKey }),
};

const COMMANDS = {
  z: () => undo(),
  a: () => {
    const all = rows();
    if (all.length) extendTo(cellAt(all[0], FIRST + 1), cellAt(all.at(-1), lastColumn));
  },
  Enter: () => openRow(activeCell().parentElement),
  Delete: () => deletePicked(),
  Backspace: () => deletePicked(),
};

// By what the key says, and where it says something in another script, by where it is.
function commandFor({ key, code }) {
  return COMMANDS[key] ?? COMMANDS[key.toLowerCase()] ?? COMMANDS[code.replace("Key", "").toLowerCase()];
}

function goUp(event) {
  const cell = activeCell();
  if (rowBeside(cell.parentElement, -1) === cell.parentElement && !event.shiftKey) {
    return columnOf(cell).th.querySelector("button, input")?.focus();
  }
  return move(event.ctrlKey || event.metaKey ? -Infinity : -1, 0, { extend: event.shiftKey });
}

function toEdge(event, way) {
  if (event.ctrlKey || event.metaKey) move(way * Infinity, 0, { extend: event.shiftKey });
  move(0, way < 0 ? FIRST + 1 - activeCell().cellIndex : columns.length, { extend: event.shiftKey });
}

function onKey(event) {
  const cell = event.target.closest("td, tbody th, tfoot th");
  if (!cell || isEditing() || event.isComposing || event.target !== cell) return;
  const isTyped = event.getModifierState("AltGraph"); // @ and the like, on many keyboards
  const isCommand = (event.ctrlKey || event.metaKey) && !isTyped;
  const took = (isCommand && !event.shiftKey && commandFor(event)) || null;
  if (event.altKey && event.shiftKey && event.key.startsWith("Arrow")) resize(cell, event.key === "ArrowRight" ? 20 : -20);
  else if (took) took();
  else if (MOVES[event.key] && !event.altKey) MOVES[event.key](event);
  else if (event.key === "Tab") return onTab(event);
  else if (isCommand || (event.altKey && !isTyped)) return;
  else if (["Process", "Dead"].includes(event.key) && cell.cellIndex !== FIRST) return edit(cell, ""); // it goes on there
  else if (!onPlainKey(event, cell)) return;
  isLeaving = event.key === "Escape";
  event.preventDefault();
}

function onPlainKey(event, cell) {
  const row = cell.parentElement;
  if (event.key === "Enter" && event.shiftKey) edit(addRow().cells[FIRST + 1]);
  else if (event.key === "Enter" || event.key === "F2") edit(cell);
  else if (event.key === "Escape") leave(cell);
  else if (event.key === "Delete" || event.key === "Backspace") clearBlock();
  else if (event.key === " ") onSpace(event, cell, row);
  else if (event.key.length === 1 && cell.cellIndex !== FIRST) edit(cell, event.key);
  else return false;
  return true;
}

function onSpace(event, cell, row) {
  if ((event.shiftKey || cell.cellIndex === FIRST) && idOf(row)) pick(row, !pickedRows().includes(row));
  else if (isSwitch(cell)) toggle(cell);
}

function onTab(event) {
  if (isLeaving) {
    isLeaving = false;
    return;
  }
  if (moveOn(event.shiftKey ? -1 : 1)) event.preventDefault();
}

// Out of the block, out of a refused draft, out of the grid: one thing with each press.
function leave(cell) {
  if (collapse()) return undefined;
  if (isDraft(cell) && cell.classList.contains("refused") && idOf(cell.parentElement)) {
    uncover(cell);
    forget(cell);
    tell(say("takenBack"));
  } else if (!idOf(cell.parentElement) && isRow(cell.parentElement)) {
    if (isBusy() || isLost(cell.parentElement) || [...cell.parentElement.cells].some((each) => each.dataset.draft)) return tell(say("draftStays"));
    const beside = rowBeside(cell.parentElement, -1);
    cell.parentElement.remove();
    activate(isRow(beside) ? cellAt(beside, FIRST + 1) : first());
    tell(say("takenBack"));
  } else {
    tell(say("leaving"));
  }
  return undefined;
}

function onPointerDown(event) {
  const cell = event.target.closest("td, tbody th, tfoot th");
  touched = event.pointerType === "touch";
  if (touched || !cell || event.button !== 0 || event.target.closest(".editor, .picker, .calendar, .pick a, .pick input, #more a")) return;
  if (cell.parentElement.id === "more" || cell.parentElement.classList.contains("none")) return;
  if (isEditing()) finish({ stay: false });
  if (event.shiftKey && isRow(cell.parentElement) && activeCell()) {
    event.preventDefault();
    activate(cell, { extend: true });
    return;
  }
  event.preventDefault(); // no text is selected, and the focus is ours to give
  activate(cellAt(cell.parentElement, cell.cellIndex));
  dragging = activeCell();
}

// A finger scrolls as well: only a tap is for the cell, and a second one edits it.
function onTap(event) {
  const cell = event.target.closest("tbody td, tbody th");
  if (!touched || !cell || !isRow(cell.parentElement)) return;
  if (event.target.closest(".editor, .picker, .pick a, .pick input")) return;
  const wasHere = cell === activeCell();
  if (isEditing()) finish({ stay: false });
  activate(cellAt(cell.parentElement, cell.cellIndex));
  if (wasHere) edit(activeCell());
}

function onPointerMove(event) {
  if (!dragging || !(event.buttons & 1)) {
    dragging = null;
    return;
  }
  const cell = document.elementFromPoint(event.clientX, event.clientY)?.closest("#grid tbody td");
  if (!cell || cell === activeCell() || !isRow(cell.parentElement) || cell.cellIndex > lastColumn) return;
  if (block().rows.length === 1 && activeCell() === dragging) activate(dragging, { focus: false });
  activate(cell, { extend: true });
}

export function startKeys() {
  table.addEventListener("keydown", onKey);
  table.addEventListener("pointerdown", onPointerDown);
  table.addEventListener("click", onTap);
  document.addEventListener("pointermove", onPointerMove);
  document.addEventListener("pointerup", () => { dragging = null; });
  table.addEventListener("dblclick", (event) => {
    const cell = event.target.closest("tbody td");
    if (cell && cell === activeCell() && !isEditing()) edit(cell);
  });
  table.tFoot.addEventListener("click", (event) => {
    const cell = event.target.closest("td, th");
    if (cell && lastColumn > FIRST) edit(cellAt(cell.parentElement, Math.max(cell.cellIndex, FIRST + 1)));
  });
  table.addEventListener("grid:moved", ({ detail: cell }) => {
    if (cell.classList.contains("refused")) tell(cell.title, { bad: true });
  });
  table.addEventListener("focusin", (event) => {
    if (event.target.matches("td, th[scope=row]")) table.classList.add("focused");
  });
}
