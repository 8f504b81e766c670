// The editor of a cell: opened by Enter, a double click or typing; closed by Enter, Tab, Escape or a click elsewhere.
import {
  FIRST, columnOf, hold, idOf, isData, isLong, isRow, release, shownText, table,
} from "./grid-cells.js";
import { choicesFor } from "./grid-choices.js";
import { activate, move, moveOn } from "./grid-focus.js";
import { addRow, openRow } from "./grid-rows.js";
import { save, settle } from "./grid-save.js";
import { say, tell } from "./words.js";

let open = null; // { cell, input, from, list, chosen }

export const isEditing = () => open !== null;

// Edit a cell; `typed` takes the place of what is in it.
export function edit(cell, typed) {
  if (open) finish();
  if (!isRow(cell.parentElement)) {
    const row = addRow();
    return edit(row.cells[Math.max(cell.cellIndex, 1)], typed);
  }
  activate(cell);
  if (cell.cellIndex === FIRST) return openRow(cell.parentElement);
  if (!isData(cell)) return undefined;
  if ("now" in cell.dataset && typed === undefined) return settle(cell);
  if (isLong(cell)) {
    tell(say("tooLong"));
    return openRow(cell.parentElement);
  }
  if (columnOf(cell).editor === "switch" && typed === undefined) return toggle(cell);
  return begin(cell, typed);
}

export function toggle(cell) {
  const from = shownText(cell);
  const text = from === "true" ? "false" : "true";
  return save([{ cell, from, text, shown: text === "true" ? "✓" : "✗" }]);
}

function begin(cell, typed) {
  const { editor, name, isNumber, isRequired } = columnOf(cell);
  const from = shownText(cell);
  const isLines = editor === "lines" || (editor === "text" && /[\r\n]/.test(from)); // a field of one line would lose them
  const input = document.createElement(isLines ? "textarea" : "input");
  input.className = "editor";
  input.setAttribute("aria-label", name);
  if (isRequired) input.setAttribute("aria-required", "true");
  if (isNumber) input.inputMode = "decimal";
  if (cell.classList.contains("refused")) {
    input.setAttribute("aria-invalid", "true");
    tell(cell.title, { bad: true });
  }
  input.autocomplete = "off";
  input.spellcheck = isLines;
  const isPicked = ["choice", "choices", "row", "rows"].includes(editor);
  input.value = typed ?? (isPicked && editor !== "choice" ? "" : from);
  hold(cell, input);
  open = { cell, input, from, list: null, chosen: undefined };
  if (isPicked) open.list = listFor(cell, input, from);
  if (editor === "date" || editor === "moment") addPicker(cell, input);
  input.focus();
  if (typed === undefined) input.select();
  else input.setSelectionRange(input.value.length, input.value.length);
  input.addEventListener("keydown", onKey);
  input.addEventListener("input", () => cell.classList.add("changed"));
  input.addEventListener("focusout", (event) => {
    if (!document.hasFocus()) return; // another window, from which one comes back
    if (open?.input === input && !cell.contains(event.relatedTarget) && !open.list?.contains(event.relatedTarget)) finish({ stay: false });
  });
  return undefined;
}

function onKey(event) {
  if (event.isComposing || event.keyCode === 229) return undefined;
  event.stopPropagation();
  if (!open.list || !["Enter", "Tab"].includes(event.key)) return onOwnKey(event);
  event.preventDefault(); // once it is known what there is to choose from
  const mine = open;
  const { key, shiftKey } = event;
  mine.input.readOnly = true;
  return mine.list.ready().then(() => {
    mine.input.readOnly = false;
    if (open === mine) onOwnKey({ key, shiftKey, preventDefault() {} });
  });
}

function onOwnKey(event) {
  const isLines = open.input.tagName === "TEXTAREA";
  if (open.list?.takes(event)) {
    event.preventDefault();
    return open || event.key !== "Enter" ? undefined : move(event.shiftKey ? -1 : 1, 0);
  }
  if (event.key === "Escape") {
    event.preventDefault();
    return close();
  }
  if (event.key === "ArrowDown" && event.altKey) {
    event.preventDefault();
    return open.cell.querySelector(".picker")?.click();
  }
  if (event.key === "Enter" && !(isLines && (event.shiftKey || event.altKey))) {
    event.preventDefault();
    finish();
    return move(event.shiftKey ? -1 : 1, 0);
  }
  if (event.key === "Tab") {
    finish();
    if (moveOn(event.shiftKey ? -1 : 1)) event.preventDefault();
  }
  return undefined;
}

// Close the editor and save what was typed.
export function finish({ stay = true } = {}) {
  if (!open) return;
  const { cell, from, input, chosen } = open;
  const typed = chosen?.text() ?? input.value.replace(/\r\n?/g, "\n");
  const text = typed === from.replace(/\r\n?/g, "\n") ? from : typed; // browsers know one kind of line end
  const shown = chosen?.shown();
  close({ stay });
  save([{ cell, from, text, shown }]);
}

export function close({ stay = true } = {}) {
  if (!open) return;
  const { cell, list } = open;
  open = null;
  cell.classList.remove("changed");
  list?.close();
  release(cell);
  if (stay) activate(cell);
}

// Choices come with the page, rows of other tables are asked for as one types.
function listFor(cell, input, from) {
  const { choices, choicesUrl, editor } = columnOf(cell);
  const many = editor === "choices" || editor === "rows";
  const chosen = new Map(many ? itemsOf(from).map((value) => [value, value]) : []);
  let changed = false;
  open.chosen = {
    text() {
      if (many) return changed || input.value.trim() ? textOf([...chosen.keys(), ...itemsOf(input.value)]) : from;
      if (changed) return [...chosen.keys()][0];
      return editor === "row" && !input.value.trim() && !input.dataset.cleared ? from : undefined;
    },
    shown: () => (changed ? [...chosen.values()].join(", ") : undefined),
  };
  input.addEventListener("input", () => {
    if (!many) {
      changed = false;
      input.dataset.cleared = "true";
    }
  });
  return choicesFor(input, {
    many,
    async find(typed) {
      const found = choicesUrl ? await rowsFound(choicesUrl, typed) : choices
        .filter((choice) => (typed === from && !many) || choice.toLowerCase().includes(typed.toLowerCase()))
        .map((choice) => ({ value: choice, label: choice }));
      return found.map((option) => ({ ...option, isOn: many ? chosen.has(option.value) : option.value === from }));
    },
    pick({ value, label }) {
      changed = true;
      if (!many) {
        chosen.clear();
        chosen.set(value, label);
        input.value = label;
        finish();
      } else if (!chosen.delete(value)) {
        chosen.set(value, label);
      }
    },
  });
}

async function rowsFound(url, typed) {
  try {
    const response = await fetch(`${url}?q=${encodeURIComponent(typed)}`);
    return response.ok ? (await response.json()).items : [];
  } catch {
    return [];
  }
}

function itemsOf(text) {
  const trimmed = text.trim();
  if (trimmed.startsWith("[")) {
    try {
      return JSON.parse(trimmed);
    } catch {
      return [trimmed];
    }
  }
  return trimmed.split(",").map((item) => item.trim()).filter(Boolean);
}

function textOf(items) {
  const unique = [...new Set(items)];
  return unique.length ? JSON.stringify(unique) : "";
}

// The browser's own calendar, beside the text.
function addPicker(cell, input) {
  const day = document.createElement("input");
  day.type = "date";
  day.tabIndex = -1;
  day.className = "calendar";
  day.setAttribute("aria-hidden", "true");
  const button = document.createElement("button");
  button.type = "button";
  button.tabIndex = -1;
  button.className = "picker";
  button.setAttribute("aria-label", say("calendar"));
  button.addEventListener("click", () => {
    day.value = /^\d{4}-\d\d-\d\d/.test(input.value) ? input.value.slice(0, 10) : "";
    day.showPicker();
  });
  day.addEventListener("change", () => {
    if (!day.value) return;
    input.value = columnOf(cell).editor === "moment" ? `${day.value} ${input.value.slice(11) || "00:00"}` : day.value;
    input.focus();
  });
  cell.append(button, day);
}
