// The form of a row: a relation is picked by name, and kept by id.
import { choicesFor } from "./grid-choices.js";

let open = null; // { list, input, stop }

async function rowsFound(url, typed) {
  const response = await fetch(`${url}?q=${encodeURIComponent(typed)}`).catch(() => null);
  return response?.ok ? (await response.json()).items : [];
}

function begin(input) {
  close();
  const many = "many" in input.dataset;
  const items = () => input.value.split(",").map((item) => item.trim()).filter(Boolean);
  let typed = "";
  const list = choicesFor(input, {
    find: async () => (await rowsFound(input.dataset.choicesUrl, typed)).map((option) => ({ ...option, isOn: items().includes(option.value) })),
    pick({ value, label }) {
      const others = many ? items().slice(0, typed ? -1 : undefined).filter((item) => item !== value) : [];
      input.value = [...others, value].join(", ");
      input.title = label;
      input.dispatchEvent(new Event("change", { bubbles: true }));
      close();
    },
  });
  const ends = new AbortController();
  const options = { signal: ends.signal, capture: true };
  input.addEventListener("input", () => { typed = many ? items().at(-1) ?? "" : input.value.trim(); }, options);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      event.preventDefault();
      close();
    } else if (list.takes(event)) {
      event.preventDefault();
    }
  }, options);
  input.addEventListener("focusout", close, options);
  open = { list, input, ends };
}

function close() {
  if (!open) return;
  const { list, input, ends } = open;
  open = null;
  ends.abort();
  list.close();
  for (const name of ["role", "aria-expanded", "aria-controls", "aria-activedescendant"]) input.removeAttribute(name);
}

for (const name of ["focusin", "input"]) {
  document.addEventListener(name, (event) => {
    if (event.target.matches("input[data-choices-url]") && open?.input !== event.target) begin(event.target);
  }, true);
}
