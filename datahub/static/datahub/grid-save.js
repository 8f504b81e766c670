// What was typed goes to the server, one batch after the other; what it refuses stays in its cell, with the reason.
import { ask } from "./ask.js";
import {
  FIRST, baseOf, cellAt, clearReason, columnOf, columns, cover, idOf, isDraft, isRow, rebase, refuse, renew, rowsFrom,
  savedText, shownText, table, uncover,
} from "./grid-cells.js";
import { activate, activeCell, first } from "./grid-focus.js";
import { say, tell } from "./words.js";

const AT_ONCE = 500; // rows in a request
const KEPT = 100; // edits that can be undone
const done = []; // the last of them at the end: { edits: [{ cell, from }], created: [row] }
const lost = []; // requests for new rows whose answers were lost: they are sent again as they were
let queue = Promise.resolve();
let waiting = 0;

export const canUndo = () => done.length > 0;
export const isBusy = () => waiting > 0;
export const csrf = () => document.querySelector("[name=csrfmiddlewaretoken]").value;

// Save edits, each `{ cell, text, from, shown }`; `from` is what the cell showed before. They count as one to undo.
export function save(edits) {
  const changed = edits.filter(({ cell, text, from }) => text !== from || cell.classList.contains("refused"));
  if (!changed.length) return Promise.resolve();
  for (const { cell, text, from, shown } of changed) cover(cell, text, shown, from);
  const entry = { edits: changed.map(({ cell, from, text }) => ({ cell, from, to: text })), created: [] };
  done.push(entry);
  if (done.length > KEPT) done.shift();
  table.dispatchEvent(new CustomEvent("grid:edited"));
  const cells = changed.map(({ cell }) => cell);
  cells.push(...waitingToBeSent(cells));
  return enqueue(() => send(cells, entry), cells);
}

// Where one cell is sent again because the server could not be reached, all others that wait for it are.
function waitingToBeSent(cells) {
  const others = [...table.querySelectorAll("[data-again]")].filter((cell) => !cells.includes(cell));
  for (const cell of others) clearReason(cell);
  return others;
}

function enqueue(work, cells) {
  waiting += 1;
  queue = queue.then(work).catch((error) => giveUp(cells, error)).finally(() => { waiting -= 1; });
  return queue;
}

// What should not happen must not keep back what comes after it.
function giveUp(cells, error) {
  console.error(error);
  for (const cell of cells.filter(isDraft)) refuse(cell, say("broken"));
  tell(say("broken"), { bad: true });
}

export function undo() {
  let entry = done.pop();
  while (entry && !hasEffect(entry)) entry = done.pop(); // of what was refused and taken back nothing is left
  table.dispatchEvent(new CustomEvent("grid:edited"));
  if (!entry) return tell(say("nothingToUndo"));
  return enqueue(() => takeBack(entry), entry.edits.map(({ cell }) => cell));
}

// What a cell was given is no edit to undo any more.
export function forget(cell) {
  for (const entry of done) entry.edits = entry.edits.filter((edit) => edit.cell !== cell);
}

function hasEffect({ edits, created }) {
  return created.some((row) => row.isConnected) || edits.some((edit) => isStanding(edit) && edit.from !== edit.to);
}

// Whether a cell still is what the edit has made of it.
const isStanding = ({ cell, to }) => cell.isConnected && shownText(cell) === to;

// Drafts are dropped; what is saved, or may be, is set back; new rows are deleted.
async function takeBack(entry) {
  const { edits, created } = entry;
  const stillLost = await findLost();
  const doomed = created.filter((row) => row.isConnected && idOf(row));
  if (stillLost || (doomed.length && !(await removeNow(doomed)))) {
    done.push(entry);
    if (stillLost) tell(stillLost.detail, { bad: true });
    return;
  }
  const back = edits.filter(isStanding);
  const dropped = back.filter(({ cell }) => isDraft(cell) && !("again" in cell.dataset));
  for (const { cell } of dropped) uncover(cell);
  const saved = back.filter((edit) => !dropped.includes(edit) && idOf(edit.cell.parentElement));
  for (const { cell, from, to } of saved) {
    cover(cell, from, from, to);
    rebase(cell, to);
  }
  for (const row of new Set(dropped.map(({ cell }) => cell.parentElement))) forgetEmpty(row);
  if (saved.length) await send(saved.map(({ cell }) => cell), { edits: [], created: [] });
  if (!saved.some(({ cell }) => cell.classList.contains("refused"))) tell(say("undone"));
}

// A new row in which nothing is left is none.
function forgetEmpty(row) {
  if (idOf(row) || drafts(row).some((cell) => cell.dataset.draft !== "")) return;
  const beside = row.previousElementSibling;
  row.remove();
  if (!activeCell()) activate(isRow(beside) ? cellAt(beside, FIRST + 1) : first());
}

// Whether nobody knows yet if this new row was made.
export const isLost = (row) => lost.some(({ fresh }) => fresh.includes(row));

// Delete rows, once all is saved that was typed before; tells whether that was done.
export async function remove(rows) {
  await queue;
  return removeNow(rows.filter((row) => row.isConnected));
}

async function removeNow(rows) {
  const beside = rows.at(-1)?.nextElementSibling;
  for (let start = 0; start < rows.length; start += 1000) {
    const part = rows.slice(start, start + 1000);
    const answer = await post(table.dataset.deleteUrl, { ids: part.map(idOf) });
    if (!answer.ok) {
      tell(answer.detail, { bad: true });
      return false;
    }
    for (const row of part) row.remove();
  }
  if (!activeCell()) activate(isRow(beside) ? cellAt(beside, FIRST + 1) : first());
  table.dispatchEvent(new CustomEvent("grid:removed"));
  return true;
}

// What to do about a cell that another has changed: both values are shown.
export async function settle(cell) {
  const now = cell.dataset.now;
  const answer = await ask({
    title: say("conflictTitle"),
    isUrgent: true,
    text: say("conflictText", { column: columnOf(cell).name }),
    lines: [[say("yours"), shownText(cell) || say("nothing")], [say("theirs"), now || say("nothing")]],
    answers: [{ value: "mine", text: say("keepMine"), kind: "primary" }, { value: "theirs", text: say("takeTheirs") }],
  });
  if (answer === "theirs") {
    uncover(cell);
    forget(cell);
    tell(say("tookTheirs"));
  } else if (answer === "mine") {
    rebase(cell, now);
    await save([{ cell, text: shownText(cell), from: now }]);
  }
}

// The answer to a request, `ok` where it was done; `isLost` where nobody knows whether it was.
export async function post(url, body, key) {
  try {
    let response = await sent(url, body, key);
    if (response.status === 403 && (await renewToken())) response = await sent(url, body, key);
    if (response.redirected) return { ok: false, again: true, detail: say("loggedOut") };
    const isJson = /json/.test(response.headers.get("Content-Type") ?? "");
    const isLost = response.status >= 500;
    if (isJson) return { ...(await response.json()), ok: response.ok, isLost };
    return { ok: false, isLost, again: response.status === 403, detail: say("failed", { status: response.status }) };
  } catch {
    return { ok: false, isLost: true, detail: say("noConnection") };
  }
}

function sent(url, body, key) {
  return fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrf(), ...(key && { "Idempotency-Key": key }) },
    body: JSON.stringify(body),
  });
}

// Who logs in again, in another tab, has another token by then; it comes with every page.
async function renewToken() {
  const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
  const token = page.querySelector("[name=csrfmiddlewaretoken]")?.value;
  if (!token || token === csrf()) return false;
  for (const each of document.querySelectorAll("[name=csrfmiddlewaretoken]")) each.value = token;
  return true;
}

// What nobody knows of is found out before anything else is sent: a new row is not made twice.
async function findLost() {
  while (lost.length) {
    const { body, key, fresh, sent, entry } = lost[0];
    const answer = await post(table.dataset.saveUrl, body, key);
    if (answer.isLost || answer.again) return answer;
    lost.shift();
    if (answer.ok) take(answer, fresh, sent, entry);
  }
  return null;
}

async function send(cells, entry) {
  const lines = [...new Set(cells.map((cell) => cell.parentElement))].filter((row) => row.isConnected);
  const wanted = new Set(cells);
  let refused = [];
  for (let start = 0; start < lines.length; start += AT_ONCE) {
    const part = lines.slice(start, start + AT_ONCE);
    tell(lines.length > AT_ONCE ? say("savingSome", { done: start, all: lines.length }) : say("saving"));
    refused = [...refused, ...(await sendRows(part, wanted, entry))];
  }
  report(refused);
}

async function sendRows(lines, wanted, entry) {
  const missing = [];
  const stillLost = await findLost();
  const changed = lines.filter(idOf).filter((row) => drafts(row).some((cell) => wanted.has(cell)));
  const fresh = lines.filter((row) => !idOf(row) && isComplete(row, missing));
  if (!changed.length && !fresh.length) return missing;
  const ofChanged = (row) => drafts(row).filter((cell) => wanted.has(cell));
  const cells = [...changed.flatMap(ofChanged), ...fresh.flatMap(drafts)];
  const texts = new Map(cells.map((cell) => [cell, cell.dataset.draft])); // more may be typed before the answer comes
  const body = {
    changes: changed.map((row) => ({
      id: idOf(row),
      cells: Object.fromEntries(ofChanged(row).map((cell) => [columnOf(cell).uid, [baseOf(cell), cell.dataset.draft]])),
    })),
    new: fresh.map((row) => Object.fromEntries(
      drafts(row).filter((cell) => cell.dataset.draft !== "").map((cell) => [columnOf(cell).uid, cell.dataset.draft]),
    )),
  };
  const key = fresh.length ? randomKey() : "";
  const answer = stillLost ?? await post(table.dataset.saveUrl, body, key);
  if (!answer.ok) {
    if (answer.isLost && !stillLost && fresh.length) lost.push({ body, key, fresh, sent: texts, entry });
    for (const cell of cells) {
      refuse(cell, answer.detail);
      if (answer.isLost || answer.again) cell.dataset.again = "";
    }
    return [...missing, ...cells];
  }
  return [...missing, ...take(answer, fresh, texts, entry)];
}

// What the server has made of it.
function take(answer, fresh, sent, entry) {
  const bad = answer.refused.map(({ row, column, reason, now }) => {
    const line = typeof row === "number" ? fresh[row] : document.getElementById(`row-${row}`);
    const index = columns.findIndex(({ uid }) => uid && uid === column);
    return { cell: line?.cells[index > 0 ? index : 1], line, isCell: index > 0, reason, now };
  }).filter(({ line }) => line);
  const isBad = new Set(bad.map(({ cell }) => cell));
  const wholly = new Set(bad.filter(({ isCell }) => !isCell).map(({ line }) => line));
  const renewed = new Set([...Object.keys(answer.saved).map((id) => document.getElementById(`row-${id}`)), ...fresh]);
  for (const [index, html] of Object.entries(answer.created)) {
    entry.created.push(fresh[index]);
    renew(fresh[index], rowsFrom(html)[0]);
  }
  for (const [id, html] of Object.entries(answer.saved)) {
    const row = document.getElementById(`row-${id}`);
    if (row) renew(row, rowsFrom(html)[0]);
  }
  for (const [cell, text] of sent) {
    const row = cell.parentElement;
    if (!row || !idOf(row) || isBad.has(cell) || wholly.has(row) || !renewed.has(row)) continue;
    if (cell.dataset.draft !== text) {
      rebase(cell, savedText(cell)); // something else was typed since
      continue;
    }
    uncover(cell);
    for (const edit of [...done, entry].flatMap(({ edits }) => edits)) { // as the server writes it
      if (edit.cell === cell && edit.to === text) edit.to = savedText(cell);
    }
  }
  for (const { cell, line, isCell, reason, now } of bad) {
    const cells = isCell ? [cell] : drafts(line);
    for (const each of cells.length ? cells : [cell]) {
      if (!isDraft(each)) cover(each, shownText(each));
      refuse(each, reason, now);
    }
  }
  return bad.map(({ cell }) => cell);
}

function report(refused) {
  const [cell] = refused;
  table.dispatchEvent(new CustomEvent("grid:saved"));
  const others = table.querySelectorAll(".refused").length;
  if (!cell) return tell(others ? say("savedBut", { count: others }) : say("saved"), { bad: others > 0 });
  const conflicts = refused.filter((each) => "now" in each.dataset);
  const place = say("place", { row: numberOf(cell.parentElement), column: columnOf(cell).name });
  const more = refused.length > 1 ? ` ${say("andMore", { count: refused.length - 1 })}` : "";
  tell(`${place} ${cell.title}${more}`, { bad: true });
  if (conflicts.length === 1 && refused.length === 1 && !document.querySelector(".editing")) settle(cell);
  return undefined;
}

const randomKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const numberOf = (row) => row.cells[0].textContent.trim();
const drafts = (row) => [...row.cells].filter(isDraft);

// A new row is sent once nothing that it needs is missing.
function isComplete(row, missing) {
  if (table.dataset.hiddenRequired) {
    for (const cell of drafts(row)) refuse(cell, say("neededHidden", { columns: table.dataset.hiddenRequired }));
    missing.push(...drafts(row));
    return false;
  }
  const gaps = columns.filter((column) => column.isRequired && !(row.cells[column.index].dataset.draft ?? ""));
  for (const { index } of gaps) {
    const cell = row.cells[index];
    if (!isDraft(cell)) cover(cell, "");
    refuse(cell, say("needed"));
    missing.push(cell);
  }
  if (!gaps.length) for (const cell of drafts(row)) clearReason(cell);
  return !gaps.length;
}

addEventListener("beforeunload", (event) => {
  if (isBusy() || document.querySelector("#grid [data-draft], #grid .editing.changed")) event.preventDefault();
});
