// The grid as it stands in the page: its columns, rows and cells, and what they hold.
//
// A cell holds what the database has, as text: `data-value` where that is not what is seen. A draft covers it while
// that was typed but is not saved: because it is on its way, or was refused. It knows what it was typed over, so that
// nobody else's change in between is overwritten unseen.

export const table = document.getElementById("grid");
export const body = table?.tBodies[0];

export const columns = table
  ? [...table.tHead.rows[0].cells].map((th, index) => ({
    index,
    th,
    key: th.dataset.key ?? "",
    uid: th.dataset.uid ?? "",
    name: th.dataset.name ?? "",
    editor: th.dataset.editor ?? "",
    isRequired: "required" in th.dataset,
    choices: th.dataset.choices ? JSON.parse(th.dataset.choices) : [],
    choicesUrl: th.dataset.choicesUrl ?? "",
    isNumber: th.classList.contains("number"),
  }))
  : [];
export const FIRST = 0; // the column with the number of the row
export const lastColumn = columns.length - 2; // after it comes the place for another one

const covered = new WeakMap(); // what a draft covers: cell -> { nodes, value, long, base }
const held = new WeakMap(); // what an editor stands in front of, likewise

export const columnOf = (cell) => columns[cell.cellIndex];
export const isData = (cell) => Boolean(columnOf(cell)?.key);
export const isRow = (row) => row?.parentElement === body && !isNote(row);
const isNote = (row) => row.id === "more" || row.classList.contains("none");
export const idOf = (row) => (row.id.startsWith("row-") ? row.id.slice(4) : "");
export const rows = () => [...body.rows].filter(isRow);
export const more = () => document.getElementById("more");

export function cellAt(row, index) {
  return row.cells[Math.min(Math.max(index, FIRST), lastColumn)];
}

// The row so many rows further on, or the last one there is on the way; the line at the foot only as the next one.
export function rowBeside(row, distance, { end = Math.abs(distance) === 1 } = {}) {
  const step = distance < 0 ? "previousElementSibling" : "nextElementSibling";
  let found = row;
  for (let left = Math.abs(distance); left > 0; left -= 1) {
    let next = found[step];
    if (next && isNote(next)) next = next[step];
    if (!next && end && distance > 0 && found.parentElement === body && !more()) next = table.tFoot.rows[0];
    if (!next && distance < 0 && found.parentElement === table.tFoot) next = rows().at(-1);
    if (!next) break;
    found = next;
  }
  return found;
}

// The text that the database has, as far as this page knows.
export function savedText(cell) {
  const under = covered.get(cell);
  if (under) return under.value ?? textIn(under.nodes);
  return cell.dataset.value ?? textIn(held.get(cell)?.nodes ?? [...cell.childNodes]);
}

export const shownText = (cell) => (covered.has(cell) ? cell.dataset.draft : savedText(cell));
export const isDraft = (cell) => covered.has(cell);
export const isLong = (cell) => "long" in cell.dataset;

// `base` is what it was typed over; a draft that is typed over keeps its own.
export function cover(cell, text, shown = text, base = savedText(cell)) {
  if (!covered.has(cell)) covered.set(cell, { nodes: [...cell.childNodes], ...kept(cell), base });
  delete cell.dataset.value;
  delete cell.dataset.long;
  cell.dataset.draft = text;
  cell.replaceChildren(shown);
  cell.classList.add("unsaved");
  clearReason(cell);
}

export const baseOf = (cell) => covered.get(cell).base;

// From now on the draft counts as typed over this.
export function rebase(cell, base) {
  const under = covered.get(cell);
  if (under) under.base = base;
}

const kept = (cell) => ({ value: cell.dataset.value, long: cell.dataset.long });

function keep(cell, { value, long }) {
  for (const [name, text] of Object.entries({ value, long })) {
    if (text === undefined) delete cell.dataset[name];
    else cell.dataset[name] = text;
  }
}

export function uncover(cell) {
  const under = covered.get(cell);
  covered.delete(cell);
  clearReason(cell);
  cell.classList.remove("unsaved");
  delete cell.dataset.draft;
  if (!under) return;
  if (held.has(cell)) held.set(cell, { nodes: under.nodes }); // the editor stays before it
  else cell.replaceChildren(...under.nodes);
  keep(cell, under);
}

// While a cell is edited, the editor stands in its place.
export function hold(cell, editor) {
  held.set(cell, { nodes: [...cell.childNodes] });
  cell.classList.add("editing");
  cell.removeAttribute("tabindex"); // the editor has the focus, and nothing is a target but it
  cell.replaceChildren(editor);
}

export function release(cell) {
  const under = held.get(cell);
  held.delete(cell);
  cell.classList.remove("editing");
  if (cell.classList.contains("here")) cell.tabIndex = 0;
  if (under) cell.replaceChildren(...under.nodes);
}

// A draft that was refused stays, with the reason; `now` is what another has made of the cell meanwhile.
export function refuse(cell, reason, now) {
  cell.classList.remove("unsaved");
  cell.classList.add("refused");
  cell.setAttribute("aria-invalid", "true");
  cell.title = reason;
  if (now === undefined) delete cell.dataset.now;
  else cell.dataset.now = now;
  delete cell.dataset.again;
}

export function clearReason(cell) {
  if (!cell.classList.contains("refused")) return;
  cell.classList.remove("refused");
  cell.removeAttribute("aria-invalid");
  cell.removeAttribute("title");
  delete cell.dataset.now;
  delete cell.dataset.again;
}

// A row as the server has it now. Cells stay the elements they are, so that neither focus nor a draft is lost.
export function renew(row, fresh) {
  row.id = fresh.id;
  row.dataset.revision = fresh.dataset.revision;
  row.classList.remove("draft");
  const number = row.cells[FIRST].textContent.trim();
  for (const [index, cell] of [...row.cells].entries()) {
    const from = fresh.cells[index];
    if (index === FIRST) {
      const isPicked = cell.querySelector("input")?.checked ?? false;
      cell.replaceChildren(...from.childNodes);
      cell.querySelector("input").checked = isPicked;
      cell.querySelector("input").tabIndex = cell.querySelector("a").tabIndex = -1;
      numberRow(row, number);
    } else if (covered.has(cell)) {
      Object.assign(covered.get(cell), { nodes: [...from.childNodes], ...kept(from) });
    } else {
      if (held.has(cell)) held.set(cell, { nodes: [...from.childNodes] });
      else cell.replaceChildren(...from.childNodes);
      keep(cell, kept(from));
    }
  }
}

export function numberRow(row, number) {
  const link = row.cells[FIRST].querySelector("a");
  if (!link || !number) return;
  for (const each of [link, row.cells[FIRST].querySelector("input")]) {
    each.setAttribute("aria-label", each.getAttribute("aria-label").replace(link.textContent, number));
  }
  link.textContent = number;
}

export function rowsFrom(html) {
  const template = document.createElement("template");
  template.innerHTML = `<table><tbody>${html}</tbody></table>`;
  return [...template.content.querySelectorAll("tr")];
}

function textIn(nodes) {
  return nodes.map((node) => node.textContent).join("");
}
