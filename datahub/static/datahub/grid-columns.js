// Columns: their menus, their widths (kept in this browser), and the forms that filter and sort.
import { FIRST, cellAt, columnOf, columns, rows, table } from "./grid-cells.js";
import { activate } from "./grid-focus.js";

let pressed = null; // the last button that opens something

const NARROWEST = 56;
const WIDEST = 900;
const store = `datahub.widths.${table?.dataset.uid}`;

function widths() {
  try {
    return JSON.parse(localStorage.getItem(store)) ?? {};
  } catch {
    return {};
  }
}

function keep(uid, width) {
  try {
    localStorage.setItem(store, JSON.stringify({ ...widths(), [uid]: width }));
  } catch {
    // a browser that keeps nothing keeps no widths
  }
}

const colOf = (column) => table.querySelectorAll("col")[column.index];

function setWidth(column, width) {
  const bounded = Math.round(Math.min(Math.max(width, NARROWEST), WIDEST));
  colOf(column).style.width = `${bounded}px`;
  return bounded;
}

export function resize(cell, by) {
  const column = columnOf(cell);
  if (column?.uid) keep(column.uid, setWidth(column, column.th.getBoundingClientRect().width + by));
}

function dragEdge(event) {
  const column = columns.find(({ th }) => th.contains(event.target));
  const [begin, width] = [event.clientX, column.th.getBoundingClientRect().width];
  let last = width;
  const follow = (moved) => { last = setWidth(column, width + moved.clientX - begin); };
  event.target.setPointerCapture(event.pointerId);
  event.target.addEventListener("pointermove", follow);
  event.target.addEventListener("lostpointercapture", () => {
    event.target.removeEventListener("pointermove", follow);
    keep(column.uid, last);
  }, { once: true });
  event.preventDefault();
}

// Below the button that opened it, and within the window.
function place(popover, opener) {
  const box = opener.getBoundingClientRect();
  popover.style.left = `${Math.max(8, Math.min(box.left, innerWidth - popover.offsetWidth - 8))}px`;
  popover.style.top = `${Math.max(8, Math.min(box.bottom + 4, innerHeight - popover.offsetHeight - 8))}px`;
}

function onToggle(event) {
  const popover = event.target;
  if (!popover.matches("[popover].menu")) return;
  const openers = [...document.querySelectorAll(`[popovertarget="${popover.id}"]`)];
  const opener = openers.includes(pressed) ? pressed : openers.at(-1);
  for (const each of openers) each.setAttribute("aria-expanded", String(event.newState === "open"));
  if (event.newState !== "open" || !opener) return;
  place(popover, opener);
  const from = opener.dataset.column;
  const field = popover.querySelector("select");
  if (field && from) {
    field.value = from;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
  popover.querySelector("a, button, select, input")?.focus();
}

function onMenuKey(event) {
  const menu = event.target.closest("[popover].menu");
  if (!menu || !["ArrowDown", "ArrowUp"].includes(event.key) || event.target.matches("select, input")) return;
  const items = [...menu.querySelectorAll("a, button")];
  const index = items.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
  items[(index + items.length) % items.length].focus();
  event.preventDefault();
}

// A filter offers only what its column can be asked.
function offerTests(form) {
  const field = form.elements["filter-column"];
  const test = form.elements["filter-op"];
  const offer = () => {
    const known = field.selectedOptions[0].dataset.tests.split(" ");
    for (const option of test.options) option.hidden = option.disabled = !known.includes(option.value);
    if (test.selectedOptions[0]?.disabled) test.value = known[0];
    askFor();
  };
  const askFor = () => {
    form.elements["filter-value"].parentElement.hidden = ["isnull", "hasvalue", "empty", "filled"].includes(test.value);
  };
  field.addEventListener("change", offer);
  test.addEventListener("change", askFor);
  offer();
}

function onHeadKey(event) {
  const th = event.target.closest("th");
  if (!th || event.target.closest("[popover]")) return;
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (event.key === "ArrowDown" && rows()[0]) activate(cellAt(rows()[0], th.cellIndex));
  else if (step) columns[th.cellIndex + step]?.th.querySelector("button, a, input")?.focus();
  else if (event.key === "Home" || event.key === "End") {
    columns.at(event.key === "Home" ? FIRST + 1 : -1).th.querySelector("button, a, input")?.focus();
  } else return;
  event.preventDefault();
}

export function startColumns() {
  const kept = widths();
  for (const column of columns) {
    if (kept[column.uid]) setWidth(column, kept[column.uid]);
    for (const each of column.th.querySelectorAll("button, a, input")) each.tabIndex = -1;
    if (!column.uid) continue;
    const edge = document.createElement("span");
    edge.className = "edge";
    edge.addEventListener("pointerdown", dragEdge);
    column.th.append(edge);
  }
  table.tHead.addEventListener("keydown", onHeadKey);
  document.addEventListener("toggle", onToggle, true);
  document.addEventListener("click", (event) => {
    pressed = event.target.closest("[popovertarget]") ?? pressed;
  }, true);
  document.addEventListener("keydown", onMenuKey);
  document.addEventListener("click", (event) => {
    event.target.closest("a[hx-boost]")?.closest("[popover]")?.hidePopover(); // what it opens stands beside the grid
  });
  const form = document.querySelector("#filter form");
  if (form) offerTests(form);
}
