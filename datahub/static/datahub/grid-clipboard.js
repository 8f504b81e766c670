// Copying and pasting: one cell, or a block as spreadsheets write it, tabs between cells and a line for each row.
import { ask } from "./ask.js";
import {
  FIRST, columnOf, idOf, isData, isLong, isRow, lastColumn, more, rows, shownText,
} from "./grid-cells.js";
import { activeCell, block, extendTo } from "./grid-focus.js";
import { fetchMore, newRow } from "./grid-rows.js";
import { save } from "./grid-save.js";
import { say, tell } from "./words.js";

const PASTED_MAX = 10_000; // rows; a file of more is for the import

export function written(lines) {
  const quoted = (text) => (/[\t\n\r"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const isBlock = lines.length > 1 || lines[0].length > 1 || lines[0][0] === ""; // no clipboard holds nothing
  return lines.map((cells) => cells.map(quoted).join("\t")).join("\n") + (isBlock ? "\n" : ""); // as spreadsheets end it
}

export function read(text) {
  const lines = [[]];
  const cell = /(?:"((?:[^"]|"")*)"(?=[\t\r\n]|$)|([^\t\r\n]*))(\t|\r\n|\n|\r|$)/gy;
  let end = "";
  while (cell.lastIndex < text.length || end === "\t") {
    const found = cell.exec(text);
    if (!found) break;
    lines.at(-1).push(found[1] === undefined ? found[2] : found[1].replaceAll('""', '"').replace(/\r\n?/g, "\n"));
    end = found[3];
    if (end && end !== "\t" && cell.lastIndex < text.length) lines.push([]);
    if (end === "") break;
  }
  return lines;
}

function copy(event) {
  const { rows: lines, from, to } = block();
  const cells = lines.map((row) => [...row.cells].slice(Math.max(from, FIRST + 1), to + 1));
  const long = cells.flat().find(isLong);
  event.preventDefault();
  if (long) {
    tell(say("tooLongToCopy", { column: columnOf(long).name }), { bad: true });
    return false;
  }
  event.clipboardData.setData("text/plain", written(cells.map((line) => line.map(shownText))));
  tell(say(cells.flat().length === 1 ? "copiedOne" : "copied", { rows: cells.length, columns: cells[0].length }));
  return true;
}

async function paste(lines) {
  const { rows: target, from, to } = block();
  const isOne = lines.length === 1 && lines[0].length === 1;
  if (isOne && isRow(target[0])) return fill(target, from, to, () => lines[0][0]);
  const start = target[0];
  const left = Math.max(from, FIRST + 1);
  const width = Math.max(...lines.map((line) => line.length));
  const spare = width - (lastColumn - left + 1);
  if (lines.length > PASTED_MAX) return tell(say("tooMany", { count: PASTED_MAX.toLocaleString() }), { bad: true });
  const there = await below(start, lines.length);
  const fresh = lines.length - there.length;
  if ((fresh > 0 || spare > 0) && !(await isMeant(there.length, fresh, spare))) return tell(say("notPasted"));
  for (let count = 0; count < fresh; count += 1) there.push(newRow());
  const edits = [];
  for (const [index, line] of lines.entries()) {
    for (const [offset, text] of line.slice(0, lastColumn - left + 1).entries()) {
      const cell = there[index].cells[left + offset];
      if (isData(cell)) edits.push({ cell, from: shownText(cell), text });
    }
  }
  const saved = saveShort(edits);
  const taken = there.filter((row) => idOf(row) || row.querySelector("[data-draft]")); // blank lines make no rows
  if (taken.length) extendTo(taken[0].cells[left], taken.at(-1).cells[Math.min(left + width - 1, lastColumn)]);
  return saved;
}

// What is too long for its cell is changed in the page of its row: here an undo would not bring it back.
function saveShort(edits) {
  const short = edits.filter(({ cell }) => !isLong(cell));
  const saved = save(short);
  if (short.length < edits.length) {
    saved.then(() => tell(say("leftLong", { count: edits.length - short.length }), { bad: true }));
  }
  return saved;
}

// So many rows from this one on, as far as there are any; those that are not here yet are fetched.
async function below(start, count) {
  if (!isRow(start)) {
    while (more() && (await fetchMore()));
    return [];
  }
  const found = () => {
    const all = rows();
    const index = all.indexOf(start);
    return all.slice(index, index + count);
  };
  while (found().length < count && more() && (await fetchMore()));
  return found();
}

async function isMeant(updated, created, spare) {
  const text = [
    say("pasteCounts", { updated: updated.toLocaleString(), created: created.toLocaleString() }),
    ...(spare > 0 ? [say("pasteSpare", { count: spare })] : []),
    ...(more() && created ? [say("pasteBeyond")] : []),
  ];
  const answers = [{ value: "paste", text: say("paste"), kind: "primary" }];
  return (await ask({ title: say("pasteTitle"), text: text.join(" "), answers })) === "paste";
}

export function fill(lines, from, to, text) {
  const edits = [];
  for (const row of lines) {
    for (const cell of [...row.cells].slice(from, to + 1).filter(isData)) {
      edits.push({ cell, from: shownText(cell), text: text(cell) });
    }
  }
  return saveShort(edits);
}

export function clearBlock() {
  const { rows: lines, from, to } = block();
  return fill(lines.filter(isRow), from, to, () => "");
}

export function startClipboard() {
  const isOurs = () => activeCell() === document.activeElement;
  document.addEventListener("copy", (event) => {
    if (isOurs()) copy(event);
  });
  document.addEventListener("cut", (event) => {
    if (isOurs() && copy(event)) clearBlock();
  });
  document.addEventListener("paste", (event) => {
    if (!isOurs() || !event.clipboardData.types.includes("text/plain")) return;
    const text = event.clipboardData.getData("text/plain");
    event.preventDefault();
    paste(read(text));
  });
}

