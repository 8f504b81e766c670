// Which cell is the active one, and the block of cells around it.
import { FIRST, body, cellAt, columns, isRow, lastColumn, rowBeside, rows, table } from "./grid-cells.js";

let active = null;
let anchor = null; // the other corner of the block
let marked = [];

export const activeCell = () => (active?.isConnected ? active : null);

export function activate(cell, { extend = false, focus = true } = {}) {
  if (!cell) return;
  if (active && active !== cell) {
    active.removeAttribute("tabindex");
    active.classList.remove("here");
  }
  if (!extend) anchor = cell;
  active = cell;
  active.tabIndex = 0;
  active.classList.add("here");
  mark();
  if (focus) {
    cell.focus({ preventScroll: true });
    bringIntoView(cell);
  }
  table.dispatchEvent(new CustomEvent("grid:moved", { detail: cell }));
}

export function move(down, right, { extend = false } = {}) {
  const from = activeCell();
  if (!from) return;
  const row = down ? rowBeside(from.parentElement, down, extend ? { end: false } : {}) : from.parentElement;
  const to = cellAt(row, from.cellIndex + right);
  if (extend && (!isRow(row) || to.cellIndex === FIRST)) return;
  activate(to, { extend });
}

// To the cell after this one, over the ends of rows; tells whether there is one.
export function moveOn(step) {
  const from = activeCell();
  if (!from) return false;
  const index = from.cellIndex + step;
  if (index >= FIRST + 1 && index <= lastColumn) {
    activate(cellAt(from.parentElement, index));
    return true;
  }
  const row = rowBeside(from.parentElement, step);
  if (row === from.parentElement) return false;
  activate(cellAt(row, step > 0 ? FIRST + 1 : lastColumn));
  return true;
}

export function first() {
  const row = rows()[0] ?? table.tFoot?.rows[0];
  return row ? cellAt(row, FIRST + 1) : null;
}

// The block: `{ rows, from, to }`, of rows in their order and the first and last column.
export function block() {
  const cell = activeCell();
  if (!cell) return null;
  const other = anchor?.isConnected ? anchor : cell;
  const [from, to] = [Math.min(cell.cellIndex, other.cellIndex), Math.max(cell.cellIndex, other.cellIndex)];
  if (!isRow(cell.parentElement) || cell.parentElement === other.parentElement) {
    return { rows: [cell.parentElement], from, to };
  }
  const all = rows();
  const ends = [all.indexOf(cell.parentElement), all.indexOf(other.parentElement)];
  return { rows: all.slice(Math.min(...ends), Math.max(...ends) + 1), from, to };
}

export function extendTo(fromCell, toCell) {
  activate(fromCell, { focus: false });
  activate(toCell, { extend: true });
}

export function collapse() {
  if (!active || anchor === active) return false;
  anchor = active;
  mark();
  return true;
}

function mark() {
  for (const cell of marked) {
    cell.classList.remove("in-block");
    cell.removeAttribute("aria-selected");
  }
  marked = [];
  if (!anchor || anchor === active) return;
  const { rows: lines, from, to } = block();
  for (const row of lines) {
    for (let index = from; index <= to; index += 1) marked.push(row.cells[index]);
  }
  for (const cell of marked) {
    cell.classList.add("in-block");
    cell.setAttribute("aria-selected", "true");
  }
}

// Heads and numbers stay where they are and cover what is under them.
function bringIntoView(cell) {
  const scroller = table.closest(".scroll");
  const [box, view] = [cell.getBoundingClientRect(), scroller.getBoundingClientRect()];
  if (body.contains(cell)) {
    const top = view.top + table.tHead.getBoundingClientRect().height;
    const bottom = view.top + scroller.clientHeight - (table.tFoot?.getBoundingClientRect().height ?? 0);
    if (box.top < top) scroller.scrollTop -= top - box.top;
    else if (box.bottom > bottom) scroller.scrollTop += box.bottom - bottom;
  }
  if (cell.cellIndex === FIRST) return;
  const left = view.left + columns[FIRST].th.getBoundingClientRect().width;
  const right = view.left + scroller.clientWidth;
  if (box.left < left) scroller.scrollLeft -= left - box.left;
  else if (box.right > right) scroller.scrollLeft += Math.min(box.right - right, box.left - left);
}
